//! Rows as text: a row of the [table](crate::desk::table) as a value in AstDB, a lamp as a hint.
//!
//! | key | value |
//! |---|---|
//! | `<space>/device/<endpoint>` | `user\|revision\|shown\|emergency numbers\|dial\|may dial\|class\|mailbox\|language` |
//! | `<space>/user/<extension>` | `dial\|revision\|number\|name\|anonymous\|language\|class\|mailbox\|away` |
//! | `<space>/member/<group>/<extension>` | `rings` or `paused`: of a group that rings all its members; a queue has its own |
//! | `<space>/profile/<extension>` | `then\|busy\|unanswered\|recording\|account\|pickup\|lamp` |
//!
//! The [space](super::space::Space) of a switch's only tenant is `hotdesk`. The fields stand by position, because `CUT` is
//! what reads them: in the dialplan, and in a hint, where there is no channel to keep a variable on
//! (`${CUT(DB(hotdesk/user/101),|,1)}`; seen at work in both on 16.28 and 22.10). Of all fields only a name can hold a character that means something to `CUT`, to an expression or to AMI; those
//! are percent-encoded, and the dialplan reads the name by `URIDECODE`. Other scripts than ours pass AstDB and AMI
//! as UTF-8 and stay as they are, so that the longest row stays below the 1020 bytes of a line that AMI takes.
//!
//! Read rows back by `DBGetTree`, which is whole: `DBGet` cuts a value at 255 bytes on 16.28.

use crate::desk::code::SEAT;
use crate::desk::group::Kind;
use crate::desk::id::{DeviceName, DialTarget, Extension, GroupName};
use crate::desk::table::{Key, Lamp, Member, Row};
use crate::desk::text::Syntax;

/// The hint of a user who is nowhere: a device state that nobody sets, so his lamp is dark. A hint is never empty (a
/// watcher of an empty one hears nothing, ever) and never removed (that ends the watchers' subscriptions).
pub const NOWHERE: &str = "Custom:hotdesk";

/// A device state that is always busy: the hint of a device at which somebody sits, and of a user who is not to be
/// disturbed, beside the devices that he has. Asterisk keeps it in AstDB, under `CustomDevstate`.
pub const ON: &str = "Custom:hotdesk_on";

/// A member who rings with his group.
const RINGS: &str = "rings";
/// A member who does not now.
const PAUSED: &str = "paused";

const SYNTAX: Syntax = Syntax {
    plain: " -._'@/&:+",
    dial: DialTarget::to_string,
    read_dial: |dial| DialTarget::new(dial).ok(),
    lamp: hint_of,
    read_lamp,
};

/// The key of a row within its family. A lamp has none: it is a hint.
#[must_use]
pub fn key(key: &Key) -> Option<String> {
    match key {
        Key::Device(device) => Some(format!("device/{device}")),
        Key::Lamp(_) | Key::Lit | Key::Seat(_) | Key::Unlisted(_) => None,
        Key::Member(group, user) => Some(format!("member/{group}/{user}")),
        Key::Profile(user) => Some(format!("profile/{user}")),
        Key::Unknown(key) => Some(key.clone()),
        Key::User(user) => Some(format!("user/{user}")),
    }
}

/// Whose row stands at `key` of a family of ours.
#[must_use]
pub fn read_key(key: &str) -> Key {
    let known = match key.split_once('/') {
        Some(("device", device)) => DeviceName::new(device).ok().map(Key::Device),
        Some(("member", member)) => member.split_once('/').and_then(|(group, user)| {
            Some(Key::Member(GroupName::new(group).ok()?, Extension::new(user).ok()?))
        }),
        Some(("profile", user)) => Extension::new(user).ok().map(Key::Profile),
        Some(("user", user)) => Extension::new(user).ok().map(Key::User),
        _ => None,
    };
    known.unwrap_or_else(|| Key::Unknown(key.into()))
}

/// The value of a row. A lamp has none, it is a hint; nor has what is not ours.
#[must_use]
pub fn value(row: &Row) -> Option<String> {
    match row {
        Row::Device(row) => Some(SYNTAX.device(row)),
        Row::Lamp(_) | Row::Unreadable(_) => None,
        Row::Member(member) => Some(if member.paused { PAUSED } else { RINGS }.into()),
        Row::Profile(row) => Some(SYNTAX.profile(row)),
        Row::User(row) => Some(SYNTAX.user(row)),
    }
}

/// The row that stands at `key` as `value`; unreadable, if it is not one that we wrote.
#[must_use]
pub fn read(key: &Key, value: &str) -> Row {
    let row = match key {
        Key::Device(_) => SYNTAX.read_device(value).map(Row::Device),
        Key::Member(..) => match value {
            PAUSED => Some(Row::Member(Member { kind: Kind::Ring, paused: true })),
            RINGS => Some(Row::Member(Member { kind: Kind::Ring, paused: false })),
            _ => None,
        },
        Key::Profile(_) => SYNTAX.read_profile(value).map(Row::Profile),
        Key::User(_) => SYNTAX.read_user(value).map(Row::User),
        Key::Lamp(_) | Key::Lit | Key::Seat(_) | Key::Unknown(_) | Key::Unlisted(_) => None,
    };
    row.unwrap_or_else(|| Row::Unreadable(value.into()))
}

/// The extension that the hint of a lamp stands at.
#[must_use]
pub fn extension(lamp: &Key) -> Option<String> {
    match lamp {
        Key::Lamp(user) => Some(user.to_string()),
        Key::Seat(device) => Some(format!("{SEAT}{device}")),
        _ => None,
    }
}

/// Whose lamp's hint stands at an extension.
#[must_use]
pub fn read_extension(extension: &str) -> Option<Key> {
    match extension.strip_prefix(SEAT) {
        Some(device) => DeviceName::new(device).ok().map(Key::Seat),
        None => Extension::new(extension).ok().map(Key::Lamp),
    }
}

/// The hint of whose lamp row is `lamp`.
#[must_use]
pub fn hint(lamp: Option<&Lamp>) -> String {
    hint_of(lamp.unwrap_or(&Lamp::DARK))
}

/// The lamp row that a hint is; none for [`NOWHERE`].
#[must_use]
pub fn read_hint(hint: &str) -> Option<Row> {
    match read_lamp(hint) {
        Some(Lamp::DARK) => None,
        Some(lamp) => Some(Row::Lamp(lamp)),
        None => Some(Row::Unreadable(hint.into())),
    }
}

fn hint_of(lamp: &Lamp) -> String {
    match lamp {
        Lamp { watch: None, busy: false } => NOWHERE.into(),
        Lamp { watch: None, busy: true } => ON.into(),
        Lamp { watch: Some(watch), busy: false } => watch.to_string(),
        Lamp { watch: Some(watch), busy: true } => format!("{watch}&{ON}"),
    }
}

fn read_lamp(hint: &str) -> Option<Lamp> {
    let (watch, busy) = match hint {
        NOWHERE => (None, false),
        ON => (None, true),
        hint => match hint.strip_suffix(ON).and_then(|rest| rest.strip_suffix('&')) {
            Some(watch) => (Some(DialTarget::new(watch).ok()?), true),
            None => (Some(DialTarget::new(hint).ok()?), false),
        },
    };
    Some(Lamp { watch, busy })
}

#[cfg(test)]
mod tests {
    use proptest::option::of;
    use proptest::prelude::*;

    use super::*;
    use crate::desk::emergency;
    use crate::desk::id::{Context, DisplayName, Language, Mailbox, Number, Revision};
    use crate::desk::model::{Away, ShortList};
    use crate::desk::profile::Recording;
    use crate::desk::table::{DeviceRow, ProfileRow, UserRow};

    fn ext(extension: &str) -> Extension {
        Extension::new(extension).unwrap()
    }

    fn alice() -> UserRow {
        UserRow {
            dial: DialTarget::new("PJSIP/desk1&PJSIP/soft-101").ok(),
            revision: Revision(7),
            number: Number::new("+31201234567").unwrap(),
            name: DisplayName::new("Zoë \"Z\" O'Neill, B.V.").ok(),
            anonymous: false,
            language: Language::new("nl").ok(),
            class: Context::new("from-internal").ok(),
            mailbox: Mailbox::new("101@default").ok(),
            away: Away::Busy,
        }
    }

    #[test]
    fn a_row_is_written_as_the_dialplan_reads_it() {
        assert_eq!(
            value(&Row::User(alice())).as_deref(),
            Some(
                "PJSIP/desk1&PJSIP/soft-101|7|+31201234567|Zoë %22Z%22 O'Neill%2C B.V.|0|nl|from-internal|101@default|busy"
            )
        );
        let desk = DeviceRow {
            user: Some(ext("001")),
            revision: Revision(7),
            emergency: Number::new("0201112222").ok(),
            emergency_numbers: ["110", "112"].map(|number| number.parse().unwrap()).into(),
            dial: DialTarget::new("PJSIP/desk1").unwrap(),
            may_dial: ShortList {
                numbers: ["100", "200"].map(|number| number.parse().unwrap()).into(),
                class: Context::new("first-aid").ok(),
            },
            mailbox: Mailbox::new("1@a").ok(),
            language: "de".parse().ok(),
        };
        let written = "001|7|0201112222|110&112|PJSIP/desk1|100&200|first-aid|1@a|de";
        assert_eq!(value(&Row::Device(desk.clone())).as_deref(), Some(written));
        let bare = DeviceRow::of(desk.dial);
        assert_eq!(value(&Row::Device(bare)).as_deref(), Some("|0|||PJSIP/desk1||||"));
    }

    #[test]
    fn keys_that_are_not_ours_are_kept_as_they_are() {
        for unknown in ["device", "device/", "device/a b", "device/a/b", "user/alice", "users/101", "", "101"]
        {
            assert_eq!(read_key(unknown), Key::Unknown(unknown.into()));
            assert_eq!(key(&read_key(unknown)).as_deref(), Some(unknown));
        }
        assert_eq!(read_key("user/001"), Key::User(ext("001")));
        assert_eq!(key(&Key::User(ext("001"))).as_deref(), Some("user/001"));
        assert_eq!(key(&Key::Lamp(ext("001"))), None);
    }

    #[test]
    fn text_that_we_did_not_write_is_unreadable() {
        let user = Key::User(ext("101"));
        let written = value(&Row::User(alice())).unwrap();
        for garbage in [
            "",
            "|",
            "garbage",
            "PJSIP/desk1|7",
            &written.replace("|7|", "|x|"),
            &written.replace("|0|", "|2|"),
            &written.replace("%22", "%FF"),
            &written.replace("%22", "%0A"),
            &written.replace("+31201234567", ""),
            &format!("{written}|more"),
        ] {
            assert_eq!(read(&user, garbage), Row::Unreadable(garbage.into()));
        }
        assert_eq!(read(&Key::Unknown("x".into()), "1"), Row::Unreadable("1".into()));
    }

    #[test]
    fn a_hint_stands_at_the_extension_or_at_the_name_that_a_devices_key_has() {
        let seat = Key::Seat(DeviceName::new("desk-1").unwrap());
        for (key, at) in [(Key::Lamp(ext("001")), "001"), (seat, "seat+desk-1")] {
            assert_eq!(extension(&key).as_deref(), Some(at));
            assert_eq!(read_extension(at), Some(key));
        }
        for other in ["_1XX", "_seat+.", "seat+", "alice"] {
            assert_eq!(read_extension(other), None, "{other}");
        }
        assert_eq!(extension(&Key::User(ext("001"))), None);
    }

    #[test]
    fn a_hint_is_the_lamp_and_nowhere_is_no_row() {
        let both = DialTarget::new("PJSIP/desk1&PJSIP/desk2").unwrap();
        assert_eq!(hint(Some(&Lamp::of(both.clone()))), "PJSIP/desk1&PJSIP/desk2");
        assert_eq!(read_hint(&hint(Some(&Lamp::of(both.clone())))), Some(Row::Lamp(Lamp::of(both))));
        assert_eq!(read_hint(&hint(None)), None);
        let busy = Lamp { watch: DialTarget::new("PJSIP/desk1").ok(), busy: true };
        assert_eq!(hint(Some(&busy)), "PJSIP/desk1&Custom:hotdesk_on");
        assert_eq!(read_hint(&hint(Some(&busy))), Some(Row::Lamp(busy)));
        assert_eq!(read_hint(""), Some(Row::Unreadable(String::new())));
    }

    fn valid<T: std::str::FromStr + std::fmt::Debug>(pattern: &'static str) -> BoxedStrategy<T> {
        pattern.prop_filter_map("not a valid one", |text| text.parse().ok()).boxed()
    }

    prop_compose! {
        fn user_rows()(
            dial in of(valid("PJSIP/[a-z0-9._+@:-]{1,90}(&PJSIP/[a-z0-9/]{1,90})?")),
            revision in any::<u64>(),
            number in valid("\\+?[0-9]{1,32}"),
            name in of(valid("\\PC{1,80}")),
            anonymous in any::<bool>(),
            language in of(valid("[a-z]{2}(_[A-Z]{2})?")),
            class in of(valid("[A-Za-z0-9._-]{1,79}")),
            mailbox in of(valid("[0-9]{1,20}(@[a-z._-]{1,50})?")),
            away in valid("voicemail|busy|\\+?[0-9]{1,32}"),
        ) -> UserRow {
            UserRow { dial, revision: Revision(revision), number, name, anonymous, language, class, mailbox, away }
        }
    }

    proptest! {
        #[test]
        fn a_user_is_read_as_he_was_written(row in user_rows()) {
            let value = value(&Row::User(row.clone())).unwrap();
            prop_assert!(value.len() < 1000 && !value.starts_with(' ') && !value.chars().any(char::is_control));
            prop_assert_eq!(read(&Key::User(ext("101")), &value), Row::User(row));
        }

        #[test]
        fn a_device_is_read_as_it_was_written(
            user in of(valid("[0-9]{1,20}")), revision in any::<u64>(), emergency in of(valid("\\+?[0-9]{1,32}")),
            emergency_numbers in prop::collection::vec(valid("[0-9]{2,15}"), 0..=emergency::MOST),
            dial in valid("PJSIP/[a-z0-9._+@:-]{1,90}(&PJSIP/[a-z0-9/]{1,90})?"),
            numbers in prop::collection::vec(valid("\\+?[0-9]{1,32}"), 0..=ShortList::MOST),
            class in of(valid("[A-Za-z0-9._-]{1,79}")), mailbox in of(valid("[0-9]{1,20}(@[a-z._-]{1,50})?")),
            language in of(valid("[a-z]{2}(_[A-Z]{2})?")),
        ) {
            let may_dial = ShortList { numbers, class };
            let row = Row::Device(DeviceRow { user, revision: Revision(revision), emergency, emergency_numbers, dial, may_dial, mailbox, language });
            prop_assert!(value(&row).unwrap().len() < 1000);
            let key = Key::Device(DeviceName::new("desk1").unwrap());
            prop_assert_eq!(read(&key, &value(&row).unwrap()), row);
        }

        #[test]
        fn a_profile_is_read_as_it_was_written(
            then in of(valid("PJSIP/[a-z0-9._+@:-]{1,90}(&PJSIP/[a-z0-9/]{1,90})?")), busy in of(valid("\\+?[0-9]{1,32}")),
            unanswered in of(valid("\\+?[0-9]{1,32}")), recording in prop::sample::select(&Recording::ALL),
            account in of(valid("[A-Za-z0-9._-]{1,40}")), pickup in of(valid("[A-Za-z0-9._-]{1,40}")),
            lamp in of((of(valid("PJSIP/[a-z0-9._+@:-]{1,90}(&PJSIP/[a-z0-9/]{1,90})?")), any::<bool>())),
        ) {
            let lamp = lamp.map(|(watch, busy)| Lamp { watch, busy });
            let row = Row::Profile(ProfileRow { then, busy, unanswered, recording, account, pickup, lamp });
            let value = value(&row).unwrap();
            prop_assert!(value.len() < 1000);
            prop_assert_eq!(read(&Key::Profile(ext("101")), &value), row);
        }

        #[test]
        fn any_text_is_read_without_a_panic(value in "\\PC{0,200}|([0-9a-z/%&]{0,9}\\|){0,9}") {
            let _ = read(&Key::User(ext("101")), &value);
            let _ = read(&read_key(&value), &value);
            let _ = read_hint(&value);
        }
    }

    #[test]
    fn the_longest_name_stays_below_the_longest_line() {
        for longest in ["😀", "%"] {
            let row = UserRow {
                dial: DialTarget::new(format!("PJSIP/{}", "x".repeat(194))).ok(),
                revision: Revision(u64::MAX),
                number: Number::new(format!("+{}", "9".repeat(31))).unwrap(),
                name: DisplayName::new(longest.repeat(80)).ok(),
                anonymous: true,
                language: Language::new("en_GB").ok(),
                class: Context::new("c".repeat(79)).ok(),
                mailbox: Mailbox::new("m".repeat(80)).ok(),
                away: Away::Number(Number::new("9".repeat(32)).unwrap()),
            };
            let value = value(&Row::User(row.clone())).unwrap();
            assert!(value.len() < 1000, "{}", value.len());
            assert_eq!(read(&Key::User(ext("101")), &value), Row::User(row));
        }
    }
}
