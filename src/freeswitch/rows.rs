//! Rows as text in `mod_db`: a realm for each relation of a tenant, a key for each row.
//!
//! | realm | key | value |
//! |---|---|---|
//! | `hotdesk-device-<tenant>` | the device | `user\|revision\|shown\|emergency numbers\|dial\|may dial\|class\|mailbox\|language` |
//! | `hotdesk-lamp-<tenant>` | the extension | what rings, for the `dial-string` of a directory |
//! | `hotdesk-profile-<tenant>` | the extension | `then\|busy\|unanswered\|recording\|account\|pickup\|lamp` |
//! | `hotdesk-user-<tenant>` | the extension | `dial\|revision\|number\|name\|anonymous\|language\|class\|mailbox\|away\|exact name` |
//!
//! Lists are joined by `&`, what rings in turn too; what rings at once is joined by commas, as `bridge` takes it.
//!
//! What FreeSWITCH 1.10.12 does to a value decides how it is written:
//!
//! * `mod_db` reads no more than 255 bytes of it. A longer row goes on under the key with `+` behind it, then `++` and so
//!   on: [`pieces`] parts them. The dialplan reads the first three as one, which hold all that it needs.
//! * `mod_db` and `set` take a backslash for an escape and drop quotes in pairs; `set` expands `${…}` once more; spaces
//!   at the ends are lost; a quote within a name ends it in SIP's From. So the dialplan is given a name in which such
//!   characters are those of a full width (`＄`), and quotes are curly. When that is not the name itself, the name follows
//!   as a last field, percent-encoded, for us to read.
//! * `user/1005@domain` would be looked up in the directory again, whose `dial-string` asks for the *extension* 1005.
//!   Where devices are named like extensions that is somebody else, so what stands here is the device's contact:
//!   `${sofia_contact(*/1005@domain)}`, which the switch expands when it dials.

use crate::desk::id::{DeviceName, DialTarget, DisplayName, Extension, TenantId};
use crate::desk::table::{Key, Lamp, Row, UserRow};
use crate::desk::text::{Syntax, decode};

/// What `mod_db` reads of a value, in bytes.
pub const LONGEST: usize = 255;

/// How many pieces the dialplan puts together: enough for all but the exact name.
pub const PIECES: usize = 3;

/// How many pieces a device's row has at most: the dialplan puts all together.
pub const DEVICE_PIECES: usize = 4;

/// Each kind of row, as its realm begins.
pub const RELATIONS: [&str; 4] = [DEVICE, LAMP, PROFILE, USER];

const DEVICE: &str = "hotdesk-device";
/// What a directory's `dial-string` reads.
pub const LAMP: &str = "hotdesk-lamp";
const PROFILE: &str = "hotdesk-profile";
const USER: &str = "hotdesk-user";

/// What rings a user who is not to be disturbed: nothing, and his caller hears so.
pub(super) const BUSY: &str = "error/user_busy";

const SYNTAX: Syntax = Syntax { plain: " -._@:+&,()", dial, read_dial, lamp, read_lamp };
/// In a profile, what rings after the others does so one by one.
const IN_TURN: Syntax = Syntax { dial: turns, read_dial: read_turns, ..SYNTAX };

/// The realm of a relation. `tenant` may be an expression of the dialplan's, too.
#[must_use]
pub fn realm(relation: &str, tenant: &str) -> String {
    format!("{relation}-{tenant}")
}

/// Where a row stands: its realm and its key. What is not ours says so itself: `realm/key`.
#[must_use]
pub fn place(key: &Key, tenant: &TenantId) -> Option<(String, String)> {
    let (relation, key) = match key {
        Key::Device(device) => (DEVICE, device.to_string()),
        Key::Lamp(user) => (LAMP, user.to_string()),
        // A group's members are not rows of ours: see `groups`.
        Key::Member(..) => return None,
        Key::Profile(user) => (PROFILE, user.to_string()),
        Key::User(user) => (USER, user.to_string()),
        Key::Unknown(place) => {
            let (realm, key) = place.split_once('/')?;
            return Some((realm.into(), key.into()));
        }
        // Lamps of devices are told, not kept.
        Key::Lit | Key::Seat(_) | Key::Unlisted(_) => return None,
    };
    Some((realm(relation, tenant.as_str()), key))
}

/// Whose row stands at `key` of a relation's `realm`.
#[must_use]
pub fn read_place(realm: &str, key: &str, tenant: &TenantId) -> Key {
    let relation = realm.strip_suffix(tenant.as_str()).and_then(|relation| relation.strip_suffix('-'));
    let known = match relation {
        Some(DEVICE) => DeviceName::new(key).ok().map(Key::Device),
        Some(LAMP) => Extension::new(key).ok().map(Key::Lamp),
        Some(PROFILE) => Extension::new(key).ok().map(Key::Profile),
        Some(USER) => Extension::new(key).ok().map(Key::User),
        _ => None,
    };
    known.unwrap_or_else(|| Key::Unknown(format!("{realm}/{key}")))
}

/// The value of a row; what is not ours has none.
#[must_use]
pub fn value(row: &Row) -> Option<String> {
    match row {
        Row::Device(row) => Some(SYNTAX.device(row)),
        Row::Lamp(row) => Some(lamp(row)),
        Row::Profile(row) => Some(IN_TURN.profile(row)),
        Row::Member(_) | Row::Unreadable(_) => None,
        Row::User(row) => Some(user(row)),
    }
}

/// The row that stands at `key` as `value`, all its pieces together; unreadable, if it is not one that we wrote.
#[must_use]
pub fn read(key: &Key, value: &str) -> Row {
    let row = match key {
        Key::Device(_) => SYNTAX.read_device(value).map(Row::Device),
        Key::Lamp(_) => read_lamp(value).map(Row::Lamp),
        Key::Profile(_) => IN_TURN.read_profile(value).map(Row::Profile),
        Key::User(_) => read_user(value).map(Row::User),
        Key::Lit | Key::Member(..) | Key::Seat(_) | Key::Unknown(_) | Key::Unlisted(_) => None,
    };
    row.unwrap_or_else(|| Row::Unreadable(value.into()))
}

/// A value in pieces that `mod_db` keeps whole: each at most [`LONGEST`] bytes, none with a space at an end. The first
/// stands under the row's key, each next one under that key and one more `+`.
#[must_use]
pub fn pieces(value: &str) -> Vec<&str> {
    let mut pieces = vec![];
    let mut rest = value;
    while rest.len() > LONGEST {
        let spaced = |at: usize| {
            rest.get(..at).is_some_and(|p| p.ends_with(' '))
                || rest.get(at..).is_some_and(|p| p.starts_with(' '))
        };
        let at = (1..=LONGEST).rev().find(|at| rest.is_char_boundary(*at) && !spaced(*at));
        let (piece, after) = rest.split_at(at.unwrap_or(LONGEST));
        pieces.push(piece);
        rest = after;
    }
    pieces.push(rest);
    pieces
}

/// Whether another piece may stand after this one, which was read at its key: none does after a short one.
#[must_use]
pub const fn may_go_on(piece: &str) -> bool {
    // A piece is shorter than the longest by no more than the spaces of a name, or the bytes of a character.
    piece.len() + 80 + 4 > LONGEST
}

/// The key of the `n`th piece of the row at `key`, from zero.
#[must_use]
pub fn piece_key(key: &str, n: usize) -> String {
    format!("{key}{}", "+".repeat(n))
}

fn user(row: &UserRow) -> String {
    let name = row.name.as_ref().map(|name| name.as_str());
    let shown = name.and_then(|name| DisplayName::new(shown(name)).ok());
    let exact = name.filter(|name| shown.as_ref().is_none_or(|shown| shown.as_str() != *name));
    let exact = exact.map(|name| SYNTAX.encode(name)).unwrap_or_default();
    format!("{}|{exact}", SYNTAX.user(&UserRow { name: shown, ..row.clone() }))
}

fn read_user(value: &str) -> Option<UserRow> {
    let (row, exact) = value.rsplit_once('|')?;
    let mut row = SYNTAX.read_user(row)?;
    if !exact.is_empty() {
        row.name = Some(DisplayName::new(decode(exact)?).ok()?);
    }
    Some(row)
}

/// A name that no switch reads as syntax.
fn shown(name: &str) -> String {
    let plain = |c: char| !c.is_ascii() || c.is_ascii_alphanumeric() || SYNTAX.plain.contains(c);
    let wide = |c: char| match c {
        c if plain(c) => c,
        '\'' => '\u{2019}',
        '"' => '\u{201d}',
        // The ASCII characters stand once more, in their order, from U+FF01 on.
        c => char::from_u32(u32::from(c) + 0xFEE0).unwrap_or(' '),
    };
    name.chars().map(wide).collect()
}

/// A dial target as `bridge` takes it: several are joined by commas, and a directory user is dialled by his contact.
fn dial(target: &DialTarget) -> String {
    written(target, ",")
}

fn read_dial(dial: &str) -> Option<DialTarget> {
    read_written(dial, ',')
}

/// Targets that ring one by one: a contact may become several, which are joined by commas, too.
fn turns(targets: &DialTarget) -> String {
    written(targets, "&")
}

fn read_turns(turns: &str) -> Option<DialTarget> {
    read_written(turns, '&')
}

fn written(target: &DialTarget, between: &str) -> String {
    let each = target.as_str().split('&').map(|one| match one.strip_prefix("user/") {
        Some(user) => format!("${{sofia_contact(*/{user})}}"),
        None => one.into(),
    });
    each.collect::<Vec<_>>().join(between)
}

fn read_written(written: &str, between: char) -> Option<DialTarget> {
    let each = written.split(between).map(|one| {
        match one.strip_prefix("${sofia_contact(*/").map(|contact| contact.strip_suffix(")}")) {
            Some(user) => Some(format!("user/{}", user?)),
            None => Some(one.into()),
        }
    });
    DialTarget::new(each.collect::<Option<Vec<String>>>()?.join("&")).ok()
}

/// A lamp's row is what rings here, so one that is lit rings nothing; what it watches besides is not kept.
fn lamp(lamp: &Lamp) -> String {
    match lamp {
        Lamp { busy: true, .. } => BUSY.into(),
        Lamp { watch, busy: false } => watch.as_ref().map(dial).unwrap_or_default(),
    }
}

fn read_lamp(value: &str) -> Option<Lamp> {
    if value == BUSY { Some(Lamp { watch: None, busy: true }) } else { read_dial(value).map(Lamp::of) }
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
            dial: DialTarget::new("user/desk1@hotdesk.test&sofia/gateway/pbx/101").ok(),
            revision: Revision(7),
            number: Number::new("+31201234567").unwrap(),
            name: DisplayName::new("Zoë \"Z\" O'Neill, B.V.").ok(),
            anonymous: false,
            language: Language::new("nl").ok(),
            class: Context::new("default").ok(),
            mailbox: Mailbox::new("101@hotdesk.test").ok(),
            away: Away::Busy,
        }
    }

    #[test]
    fn a_row_is_written_as_the_dialplan_reads_it() {
        let written = "${sofia_contact(*/desk1@hotdesk.test)},sofia/gateway/pbx/101|7|+31201234567|\
                       Zoë ”Z” O’Neill, B.V.|0|nl|default|101@hotdesk.test|busy|\
                       Zoë %22Z%22 O%27Neill, B.V.";
        assert_eq!(value(&Row::User(alice())).as_deref(), Some(written));
        let desk = DeviceRow {
            user: Some(ext("001")),
            revision: Revision(7),
            emergency: Number::new("0201112222").ok(),
            emergency_numbers: ["110", "112"].map(|number| number.parse().unwrap()).into(),
            dial: DialTarget::new("user/desk1@hotdesk.test").unwrap(),
            may_dial: ShortList {
                numbers: ["100", "200"].map(|number| number.parse().unwrap()).into(),
                class: Context::new("first-aid").ok(),
            },
            mailbox: Mailbox::new("1@a").ok(),
            language: "de".parse().ok(),
        };
        let written =
            "001|7|0201112222|110&112|${sofia_contact(*/desk1@hotdesk.test)}|100&200|first-aid|1@a|de";
        assert_eq!(value(&Row::Device(desk)).as_deref(), Some(written));
        let lamp = Row::Lamp(Lamp::of(DialTarget::new("user/desk1@hotdesk.test").unwrap()));
        assert_eq!(value(&lamp).as_deref(), Some("${sofia_contact(*/desk1@hotdesk.test)}"));
    }

    #[test]
    fn what_rings_in_turn_is_parted_where_a_contact_is_not() {
        let row = ProfileRow {
            then: DialTarget::new("user/desk2@hotdesk.test&sofia/gateway/pbx/101").ok(),
            busy: Number::new("0031").ok(),
            recording: Recording::OnDemand,
            ..ProfileRow::default()
        };
        let written = "${sofia_contact(*/desk2@hotdesk.test)}&sofia/gateway/pbx/101|0031||on-demand|||";
        assert_eq!(value(&Row::Profile(row.clone())).as_deref(), Some(written));
        assert_eq!(read(&Key::Profile(ext("101")), written), Row::Profile(row));
    }

    #[test]
    fn each_relation_of_each_tenant_has_a_realm() {
        let (one, two) = (TenantId::default(), TenantId::new("two-default").unwrap());
        for key in [
            Key::Device(DeviceName::new("desk1").unwrap()),
            Key::Lamp(ext("101")),
            Key::User(ext("101")),
            Key::Profile(ext("101")),
        ] {
            let (realm, text) = place(&key, &one).unwrap();
            assert_eq!(read_place(&realm, &text, &one), key);
            let foreign = Key::Unknown(format!("{realm}/{text}"));
            assert_eq!(read_place(&realm, &text, &two), foreign);
            assert_eq!(place(&foreign, &two), Some((realm, text)));
        }
        for (realm, key) in
            [("hotdesk-user-default", "101+"), ("hotdesk-user-default", "a"), ("other", "101")]
        {
            assert_eq!(read_place(realm, key, &one), Key::Unknown(format!("{realm}/{key}")));
        }
    }

    #[test]
    fn text_that_we_did_not_write_is_unreadable() {
        let written = value(&Row::User(alice())).unwrap();
        for garbage in [
            "",
            "|",
            "garbage",
            &written.replace(")}", ""),
            &written.replace("|7|", "|x|"),
            &format!("{written}%FF"),
        ] {
            assert_eq!(read(&Key::User(ext("101")), garbage), Row::Unreadable(garbage.into()));
        }
        assert_eq!(read(&Key::Lamp(ext("101")), ""), Row::Unreadable(String::new()));
    }

    fn valid<T: std::str::FromStr + std::fmt::Debug>(pattern: &'static str) -> BoxedStrategy<T> {
        pattern.prop_filter_map("not a valid one", |text| text.parse().ok()).boxed()
    }

    prop_compose! {
        fn user_rows()(
            dial in of(valid("user/[a-z0-9._+@:-]{1,90}(&(user|sofia/gateway)/[a-z0-9@]{1,90})?")),
            revision in any::<u64>(),
            number in valid("\\+?[0-9]{1,32}"),
            name in of(valid("\\PC{1,80}|[ a%'\\\\]{1,80}")),
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
        fn a_device_is_read_as_it_was_written_in_pieces_that_are_kept_whole(
            user in of(valid("[0-9]{1,20}")), revision in any::<u64>(), emergency in of(valid("\\+?[0-9]{1,32}")),
            emergency_numbers in prop::collection::vec(valid("[0-9]{2,15}"), 0..=emergency::MOST),
            dial in valid("user/[a-z0-9._+@:-]{1,190}"),
            numbers in prop::collection::vec(valid("\\+?[0-9]{1,32}"), 0..=ShortList::MOST),
            class in of(valid("[A-Za-z0-9._-]{1,79}")), mailbox in of(valid("[0-9]{1,20}(@[a-z._-]{1,50})?")),
            language in of(valid("[a-z]{2}(_[A-Z]{2})?")),
        ) {
            let may_dial = ShortList { numbers, class };
            let row = Row::Device(DeviceRow { user, revision: Revision(revision), emergency, emergency_numbers, dial, may_dial, mailbox, language });
            let value = value(&row).unwrap();
            let pieces = pieces(&value);
            prop_assert!(pieces.len() <= DEVICE_PIECES && pieces.iter().all(|piece| piece.len() <= LONGEST));
            prop_assert_eq!(read(&Key::Device(DeviceName::new("desk1").unwrap()), &pieces.concat()), row);
        }

        #[test]
        fn a_user_is_read_as_he_was_written_in_pieces_that_are_kept_whole(row in user_rows()) {
            let value = value(&Row::User(row.clone())).unwrap();
            let pieces = pieces(&value);
            let (shown, _) = value.rsplit_once('|').unwrap();
            prop_assert!(pieces.iter().take(PIECES).map(|piece| piece.len()).sum::<usize>() >= shown.len());
            let last = pieces.len() - 1;
            prop_assert!(pieces.iter().take(last).all(|piece| may_go_on(piece)));
            for piece in &pieces {
                prop_assert!(piece.len() <= LONGEST && piece.trim_matches(' ') == *piece && !piece.contains(['\'', '\\']), "{piece:?}");
                prop_assert!(!piece.is_empty());
            }
            prop_assert_eq!(read(&Key::User(ext("101")), &pieces.concat()), Row::User(row));
        }

        #[test]
        fn any_text_is_read_without_a_panic(value in "\\PC{0,600}|([0-9a-z/%&,]{0,9}\\|){0,9}") {
            let _ = read(&Key::User(ext("101")), &value);
            let _ = read(&Key::Lamp(ext("101")), &value);
            let _ = pieces(&value);
        }
    }
}
