//! The records of an Asterisk, as text: rows in AstDB, hints of the dialplan, a device state, members of queues.
//!
//! | part | key | value |
//! |---|---|---|
//! | AstDB | `<space>/device/<endpoint>` | `user\|revision\|shown\|emergency numbers\|dial\|may dial\|class\|mailbox\|language` |
//! | AstDB | `<space>/user/<extension>` | `dial\|revision\|number\|name\|anonymous\|language\|class\|mailbox\|away` |
//! | AstDB | `<space>/member/<group>/<extension>` | `rings` or `paused`: of a ring group; a queue has its own members |
//! | AstDB | `<space>/store` | the [mark](crate::model::mark::Mark) of the store |
//! | AstDB | `<space>/profile/<extension>` | `then\|busy\|unanswered\|recording\|account\|pickup\|lamp` |
//! | hints | `<extension>@<space>-hints`, `device+<endpoint>@<space>-hints` | the devices to watch |
//! | device states | [`ON`] | `BUSY` |
//!
//! The [space](crate::asterisk::namespace::Namespace) of a switch's only tenant is `hotdesk`. The fields stand by position,
//! because `CUT` reads them: in the dialplan, and in a hint, where there is no channel to keep a variable on
//! (`${CUT(DB(hotdesk/user/101),|,1)}`; works in both on 16.28 and 22.10). Of all fields only a name can hold a character
//! that means something to `CUT`, to an expression or to AMI; those are percent-encoded, and the dialplan reads the name by
//! `URIDECODE`. Other scripts pass AstDB and AMI as UTF-8, so that the longest row stays below the 1020 bytes of a line
//! that AMI takes.

use crate::asterisk::namespace::Namespace;
use crate::model::codes::DEVICE_LAMP;
use crate::model::desired::{About, Blf, Desired, Key, Part, Records};
use crate::model::directory::group::Kind;
use crate::model::id::{DeviceName, DialTarget, DisplayName, Extension, GroupName};
use crate::model::row_codec::Syntax;

/// The rows.
pub const ASTDB: Part = Part { name: "AstDB", needed: true };
/// Hints for one extension each. Most BLFs have none: the pattern of `hotdesk.conf` reads the rows.
pub const HINTS: Part = Part { name: "hint", needed: true };
/// The device state that is always busy.
pub const STATES: Part = Part { name: "DEVICE_STATE", needed: false };

/// The hint of a user who is not logged in: a device state that nothing sets, so that the BLF is dark. A hint is never
/// empty (a watcher of an empty one hears nothing, ever) and never removed (that ends the watchers' subscriptions).
pub const NOWHERE: &str = "Custom:hotdesk";

/// A device state that is always busy: the hint of a device where a user is logged in, and of a user with DND, beside
/// their devices. Asterisk keeps it in AstDB, under `CustomDevstate`.
pub const ON: &str = "Custom:hotdesk_on";
/// The state of [`ON`].
pub(in crate::asterisk) const BUSY: &str = "BUSY";

/// A member whom the group rings.
const RINGS: &str = "rings";
/// A member whom it does not ring now; the same in a queue.
pub(in crate::asterisk) const PAUSED: &str = "paused";

const SYNTAX: Syntax = Syntax { plain: " -._'@/&:+", dial: DialTarget::to_string };

/// The desired records. Of hints, only those in `found`: when a phone begins to watch another extension, Asterisk makes its
/// hint from the rows.
#[must_use]
pub fn project(space: &Namespace, desired: &Desired, found: &Records) -> Records {
    let mut records = Records::new();
    let mut row = |about: About, value: String| {
        records.extend(key_of(space, about).map(|key| (key, value)));
    };
    for (name, device) in &desired.devices {
        row(About::Device(name.clone()), SYNTAX.device(device));
    }
    for (user, is) in &desired.users {
        let name = is.name.as_ref().map(DisplayName::as_str).unwrap_or_default();
        row(About::User(user.clone()), SYNTAX.user(is, shown(name)));
        let as_rung = is.dial.as_ref().map_or(NOWHERE, |dial| dial.as_str());
        let lamp = Some(hint_of(&is.blf)).filter(|hint| hint != as_rung);
        if let Some(profile) = SYNTAX.profile(is, lamp) {
            row(About::Profile(user.clone()), profile);
        }
        for (group, member) in is.groups.iter().filter(|(_, member)| member.kind == Kind::Ring) {
            let value = if member.paused { PAUSED } else { RINGS };
            row(About::Member(group.clone(), user.clone()), value.into());
        }
    }
    let hints = found.keys().filter(|key| key.part == HINTS);
    records.extend(hints.map(|key| (key.clone(), hint(desired, &key.about))));
    if desired.whole {
        records.insert(always_on(), BUSY.into());
    }
    records
}

/// The hint of a BLF.
fn hint(desired: &Desired, about: &About) -> String {
    match about {
        About::Blf(user) => desired.users.get(user).map(|user| hint_of(&user.blf)),
        About::DeviceBlf(device) => {
            desired.devices.get(device).filter(|device| device.is_logged_in()).map(|_| ON.to_owned())
        }
        _ => None,
    }
    .unwrap_or_else(|| NOWHERE.into())
}

/// The key of the device state that is always busy.
pub(in crate::asterisk) fn always_on() -> Key {
    Key { about: About::Other, part: STATES, name: ON.into() }
}

/// The key of a row in AstDB; none for what is not kept there.
#[must_use]
pub fn key_of(space: &Namespace, about: About) -> Option<Key> {
    let space = space.name();
    let name = match &about {
        About::Device(device) => format!("{space}/device/{device}"),
        About::Member(group, user) => format!("{space}/member/{group}/{user}"),
        About::Profile(user) => format!("{space}/profile/{user}"),
        About::User(user) => format!("{space}/user/{user}"),
        About::Store => format!("{space}/store"),
        About::Blf(_) | About::DeviceBlf(_) | About::Other | About::Unlisted => return None,
    };
    Some(Key { about, part: ASTDB, name })
}

/// The key of the row at `name`, which begins with the family of the tenant.
#[must_use]
pub fn read_key(name: &str) -> Key {
    let known = || {
        let (_, row) = name.split_once('/')?;
        if row == "store" {
            return Some(About::Store);
        }
        match row.split_once('/')? {
            ("device", device) => DeviceName::new(device).ok().map(About::Device),
            ("member", member) => {
                let (group, user) = member.split_once('/')?;
                Some(About::Member(GroupName::new(group).ok()?, Extension::new(user).ok()?))
            }
            ("profile", user) => Extension::new(user).ok().map(About::Profile),
            ("user", user) => Extension::new(user).ok().map(About::User),
            _ => None,
        }
    };
    Key { about: known().unwrap_or(About::Other), part: ASTDB, name: name.into() }
}

/// The extension of the hint of a BLF.
#[must_use]
pub fn extension(about: &About) -> Option<String> {
    match about {
        About::Blf(user) => Some(user.to_string()),
        About::DeviceBlf(device) => Some(format!("{DEVICE_LAMP}{device}")),
        _ => None,
    }
}

/// The BLF with its hint at this extension.
#[must_use]
pub fn read_extension(extension: &str) -> Option<About> {
    match extension.strip_prefix(DEVICE_LAMP) {
        Some(device) => DeviceName::new(device).ok().map(About::DeviceBlf),
        None => Extension::new(extension).ok().map(About::Blf),
    }
}

fn hint_of(blf: &Blf) -> String {
    match (&blf.watch, blf.lit) {
        (None, false) => NOWHERE.into(),
        (None, true) => ON.into(),
        (Some(watch), false) => watch.to_string(),
        (Some(watch), true) => format!("{watch}&{ON}"),
    }
}

/// What Asterisk can show of a name: one byte holds the length of a called party's name on its way to the caller, so of 320
/// bytes only 64 would come (16.28, 22.10).
fn shown(name: &str) -> &str {
    let most = usize::from(u8::MAX);
    let end = (0..=most).rev().find(|at| name.is_char_boundary(*at));
    if name.len() > most { name.get(..end.unwrap_or_default()).unwrap_or_default() } else { name }
}

#[cfg(test)]
mod tests {
    use proptest::option::of;
    use proptest::prelude::*;

    use super::*;
    use crate::model::desired::{DesiredDevice, DesiredUser, Member};
    use crate::model::directory::profile::Recording;
    use crate::model::directory::{Away, ShortList};
    use crate::model::emergency;
    use crate::model::id::{Context, DisplayName, Language, Mailbox, Number, Revision, TenantId};

    fn ext(extension: &str) -> Extension {
        Extension::new(extension).unwrap()
    }

    fn space() -> Namespace {
        Namespace::of(&TenantId::default())
    }

    fn alice() -> DesiredUser {
        let rings = DialTarget::new("PJSIP/desk1&PJSIP/soft-101").ok();
        DesiredUser {
            dial: rings.clone(),
            revision: Revision(7),
            number: Number::new("+31201234567").unwrap(),
            name: DisplayName::new("Zoë \"Z\" O'Neill, B.V.").ok(),
            language: Language::new("nl").ok(),
            class: Context::new("from-internal").ok(),
            mailbox: Mailbox::new("101@default").ok(),
            away: Away::Busy,
            blf: Blf { watch: rings.clone(), rings, lit: false },
            ..DesiredUser::of(ext("101"))
        }
    }

    /// What is written for a user or a device, by the rest of the key.
    fn written(desired: &Desired) -> Vec<(String, String)> {
        let records = project(&space(), desired, &Records::new());
        records.into_iter().map(|(key, value)| (key.name.replace("hotdesk/", ""), value)).collect()
    }

    fn of_user(user: DesiredUser) -> Desired {
        Desired { users: [(ext("101"), Box::new(user))].into(), ..Desired::default() }
    }

    #[test]
    fn a_record_is_written_as_the_dialplan_reads_it() {
        let text = "PJSIP/desk1&PJSIP/soft-101|7|+31201234567|Zoë %22Z%22 O'Neill%2C B.V.|0|nl|from-internal|\
                    101@default|busy";
        assert_eq!(written(&of_user(alice())), [("user/101".into(), text.into())]);
        let desk = DesiredDevice {
            user: Some(ext("001")),
            revision: Revision(7),
            emergency: Number::new("0201112222").ok(),
            emergency_numbers: ["110", "112"].map(|number| number.parse().unwrap()).into(),
            may_dial: ShortList {
                numbers: ["100", "200"].map(|number| number.parse().unwrap()).into(),
                class: Context::new("first-aid").ok(),
            },
            mailbox: Mailbox::new("1@a").ok(),
            language: "de".parse().ok(),
            ..DesiredDevice::of(DialTarget::new("PJSIP/desk1").unwrap())
        };
        let bare = DesiredDevice::of(desk.dial.clone());
        let devices = [("a", desk), ("b", bare)].map(|(name, it)| (DeviceName::new(name).unwrap(), it));
        assert_eq!(
            written(&Desired { devices: devices.into(), ..Desired::default() }),
            [
                ("device/a", "001|7|0201112222|110&112|PJSIP/desk1|100&200|first-aid|1@a|de"),
                ("device/b", "|0|||PJSIP/desk1||||"),
            ]
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
        );
    }

    #[test]
    fn a_profile_has_a_blf_that_differs_from_the_ring_targets_and_a_ring_group_has_members() {
        let mut user = alice();
        user.blf.lit = true;
        let member = |kind, paused| Member { kind, paused };
        let group = |name: &str| GroupName::new(name).unwrap();
        user.groups.insert(group("a"), member(Kind::Ring, false));
        user.groups.insert(group("b"), member(Kind::Ring, true));
        user.groups.insert(group("c"), member(Kind::Queue, false));
        let written = written(&of_user(user));
        let of = |key: &str| written.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str());
        assert_eq!(of("profile/101"), Some("||||||PJSIP/desk1&PJSIP/soft-101&Custom:hotdesk_on"));
        assert_eq!((of("member/a/101"), of("member/b/101")), (Some("rings"), Some("paused")));
        assert_eq!(of("member/c/101"), None, "a queue has its own");
    }

    #[test]
    fn unknown_keys_stay_unchanged() {
        for unknown in ["device", "device/", "device/a b", "device/a/b", "user/alice", "users/101", "", "101"]
        {
            let name = format!("hotdesk/{unknown}");
            assert_eq!(read_key(&name), Key { about: About::Other, part: ASTDB, name });
        }
        for about in [About::User(ext("001")), About::Profile(ext("1"))] {
            let key = key_of(&space(), about.clone()).unwrap();
            assert_eq!(read_key(&key.name), key);
        }
        assert_eq!(key_of(&space(), About::Blf(ext("001"))), None);
    }

    fn valid<T: std::str::FromStr + std::fmt::Debug>(pattern: &'static str) -> BoxedStrategy<T> {
        pattern.prop_filter_map("not a valid one", |text| text.parse().ok()).boxed()
    }

    proptest! {
        #[test]
        fn a_record_is_as_many_fields_as_the_dialplan_takes_apart_and_fits_in_a_line(
            dial in of(valid("PJSIP/[a-z0-9._+@:-]{1,90}(&PJSIP/[a-z0-9/]{1,90})?")),
            revision in any::<u64>(), number in valid("\\+?[0-9]{1,32}"), name in of(valid("\\PC{1,80}")),
            class in of(valid("[A-Za-z0-9._-]{1,79}")), mailbox in of(valid("[0-9]{1,20}(@[a-z._-]{1,50})?")),
            away in valid("voicemail|busy|\\+?[0-9]{1,32}"), lit in any::<bool>(),
            recording in prop::sample::select(&Recording::ALL),
            numbers in prop::collection::vec(valid("\\+?[0-9]{1,32}"), 0..=ShortList::MOST),
            emergency_numbers in prop::collection::vec(valid("[0-9]{2,15}"), 0..=emergency::MOST),
        ) {
            let device = DesiredDevice {
                may_dial: ShortList { numbers, class: class.clone() },
                emergency_numbers,
                ..DesiredDevice::of(DialTarget::new("PJSIP/desk1").unwrap())
            };
            let blf = Blf { watch: dial.clone(), rings: None, lit };
            let user = DesiredUser {
                then: dial.clone(), dial, revision: Revision(revision), number, name, class, mailbox, away, recording, blf,
                ..DesiredUser::of(ext("101"))
            };
            let mut desired = of_user(user);
            desired.devices.insert(DeviceName::new("desk1").unwrap(), device);
            for (key, value) in written(&desired) {
                prop_assert!(value.len() < 1000 && !value.starts_with(' ') && !value.chars().any(char::is_control));
                let fields = value.matches('|').count() + 1;
                prop_assert_eq!(fields, if key.starts_with("profile") { 7 } else { 9 }, "{}", value);
            }
        }
    }

    #[test]
    fn the_longest_name_stays_below_the_longest_line() {
        for longest in ["😀", "%"] {
            let user = DesiredUser {
                dial: DialTarget::new(format!("PJSIP/{}", "x".repeat(194))).ok(),
                revision: Revision(u64::MAX),
                number: Number::new(format!("+{}", "9".repeat(31))).unwrap(),
                name: DisplayName::new(longest.repeat(80)).ok(),
                anonymous: true,
                language: Language::new("en_GB").ok(),
                class: Context::new("c".repeat(79)).ok(),
                mailbox: Mailbox::new("m".repeat(80)).ok(),
                away: Away::Number(Number::new("9".repeat(32)).unwrap()),
                ..alice()
            };
            assert!(written(&of_user(user)).iter().all(|(_, value)| value.len() < 1000));
        }
    }
}
