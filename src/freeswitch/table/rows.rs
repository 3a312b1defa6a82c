//! Rows as text in `mod_db`: a realm for each relation of a tenant, a key for each row.
//!
//! | realm | key | value |
//! |---|---|---|
//! | `hotdesk-device-<tenant>` | the device | `user\|revision\|shown\|emergency numbers\|dial\|may dial\|class\|mailbox\|language` |
//! | `hotdesk-lamp-<tenant>` | the extension | ring targets, for the `dial-string` of a directory |
//! | `hotdesk-profile-<tenant>` | the extension | `then\|busy\|unanswered\|recording\|account\|pickup\|lamp` |
//! | `hotdesk-store-<tenant>` | `mark` | the [mark](crate::model::mark::Mark) of the store |
//! | `hotdesk-user-<tenant>` | the extension | `dial\|revision\|number\|name\|anonymous\|language\|class\|mailbox\|away\|exact name` |
//!
//! Lists are joined by `&`, and so are targets that ring sequentially. Targets that ring simultaneously are joined by commas,
//! as `bridge` takes them.
//!
//! What FreeSWITCH 1.10.12 does to a value decides how it is written:
//!
//! * `mod_db` reads no more than 255 bytes of it. A longer row goes on under the key with `+` behind it, then `++` and so
//!   on: [`pieces`] parts them. The dialplan reads the first three as one, which hold all that it needs.
//! * `mod_db` and `set` take a backslash for an escape and drop quotes in pairs. `set` expands `${…}` once more. Spaces
//!   at the ends are lost. A quote within a name ends it in SIP's From. A name with `:` and `@` is shown from the one to
//!   the other, as if it were an address. So the dialplan is given a name in which such characters are those of a full
//!   width (`＄`), and quotes are curly. When that is not the name itself, the name follows as a last field, percent-encoded.
//! * `user/1005@domain` would be looked up in the directory again, whose `dial-string` asks for the *extension* 1005.
//!   Where devices are named like extensions that is another user, so what stands here is the device's contact:
//!   `${sofia_contact(*/1005@domain)}`, which the switch expands when it dials.

use crate::model::desired::{About, Blf, Desired, DesiredUser, Key, Part, Records};
use crate::model::id::{DeviceName, DialTarget, DisplayName, Extension, TenantId};
use crate::model::row_codec::Syntax;

pub(crate) const MOD_DB: Part = Part { name: "mod_db", needed: true };

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
const STORE: &str = "hotdesk-store";
const USER: &str = "hotdesk-user";

/// The dial string of a user with DND: no device rings, and the caller hears that the user is busy.
pub(crate) const BUSY: &str = "error/user_busy";

const SYNTAX: Syntax = Syntax { plain: " -._@:+&,()", dial };
/// In a profile, later ring targets ring sequentially.
const IN_TURN: Syntax = Syntax { dial: turns, ..SYNTAX };

/// The realm of a relation. `tenant` may be an expression of the dialplan's, too.
pub fn realm(relation: &str, tenant: &str) -> String {
    format!("{relation}-{tenant}")
}

/// The rows that `mod_db` should hold. A user's pauses and the BLF of devices are not kept there.
pub fn project(tenant: &TenantId, desired: &Desired) -> Records {
    let mut records = Records::new();
    let mut row = |about: About, value: String| records.extend(key_of(tenant, about).map(|key| (key, value)));
    for (name, device) in &desired.devices {
        row(About::Device(name.clone()), SYNTAX.device(device));
    }
    for (name, is) in &desired.users {
        if let Some(lamp) = lamp(&is.blf) {
            row(About::Blf(name.clone()), lamp);
        }
        if let Some(profile) = IN_TURN.profile(is, None) {
            row(About::Profile(name.clone()), profile);
        }
        row(About::User(name.clone()), user(is));
    }
    records
}

/// Where a row stands; none for what has no row.
pub fn key_of(tenant: &TenantId, about: About) -> Option<Key> {
    let (relation, place) = match &about {
        About::Device(device) => (DEVICE, device.to_string()),
        About::Blf(user) => (LAMP, user.to_string()),
        About::Profile(user) => (PROFILE, user.to_string()),
        About::User(user) => (USER, user.to_string()),
        About::Store => (STORE, "mark".into()),
        About::Member(..) | About::DeviceBlf(_) | About::Other | About::Unlisted => return None,
    };
    let name = format!("{}/{place}", realm(relation, tenant.as_str()));
    Some(Key { about, part: MOD_DB, name })
}

/// The key of the row at `place` of a relation's `realm`.
pub fn read_key(realm: &str, place: &str, tenant: &TenantId) -> Key {
    let relation = realm.strip_suffix(tenant.as_str()).and_then(|relation| relation.strip_suffix('-'));
    let about = match relation {
        Some(DEVICE) => DeviceName::new(place).ok().map(About::Device),
        Some(LAMP) => Extension::new(place).ok().map(About::Blf),
        Some(PROFILE) => Extension::new(place).ok().map(About::Profile),
        Some(USER) => Extension::new(place).ok().map(About::User),
        _ => None,
    };
    Key { about: about.unwrap_or(About::Other), part: MOD_DB, name: format!("{realm}/{place}") }
}

/// A value in pieces that `mod_db` keeps whole: each at most [`LONGEST`] bytes, none with a space at an end. The first
/// stands under the row's key, each next one under that key and one more `+`.
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
pub const fn may_go_on(piece: &str) -> bool {
    // A piece is shorter than the longest by no more than the spaces of a name, or the bytes of a character.
    piece.len() + 80 + 4 > LONGEST
}

/// The key of the `n`th piece of the row at `key`, from zero.
pub fn piece_key(key: &str, n: usize) -> String {
    format!("{key}{}", "+".repeat(n))
}

/// The record of a user. The exact name follows as a last field, where it is not the one that the dialplan reads.
fn user(user: &DesiredUser) -> String {
    let name = user.name.as_ref().map(DisplayName::as_str).unwrap_or_default();
    let shown = DisplayName::new(shown(name)).map(String::from).unwrap_or_default();
    let exact = if shown == name { String::new() } else { SYNTAX.encode(name) };
    format!("{}|{exact}", SYNTAX.user(user, &shown))
}

/// A name that no switch reads as syntax.
fn shown(name: &str) -> String {
    let plain = |c: char| !c.is_ascii() || c.is_ascii_alphanumeric() || " -._+&,()".contains(c);
    let wide = |c: char| match c {
        c if plain(c) => c,
        '\'' => '\u{2019}',
        '"' => '\u{201d}',
        // The ASCII characters stand once more, in their order, from U+FF01 on.
        c => char::from_u32(u32::from(c) + 0xFEE0).unwrap_or(' '),
    };
    name.chars().map(wide).collect()
}

/// A dial target as `bridge` takes it: several are joined by commas, and a directory user is dialled by their contact.
fn dial(target: &DialTarget) -> String {
    written(target, ",")
}

/// Targets that ring one by one: a contact may become several, which are joined by commas, too.
fn turns(targets: &DialTarget) -> String {
    written(targets, "&")
}

fn written(target: &DialTarget, between: &str) -> String {
    let each = target.as_str().split('&').map(|one| match one.strip_prefix("user/") {
        Some(user) => format!("${{sofia_contact(*/{user})}}"),
        None => one.into(),
    });
    each.collect::<Vec<_>>().join(between)
}

/// A BLF's row is what the directory dials, so one that is lit rings nothing. No row: it is dark.
fn lamp(blf: &Blf) -> Option<String> {
    if blf.lit { Some(BUSY.into()) } else { blf.rings.as_ref().map(dial) }
}

#[cfg(test)]
mod tests {
    use proptest::option::of;
    use proptest::prelude::*;

    use super::*;
    use crate::model::desired::DesiredDevice;
    use crate::model::directory::profile::Recording;
    use crate::model::directory::{Away, ShortList};
    use crate::model::emergency;
    use crate::model::id::{Context, Language, Mailbox, Number, Revision};

    fn ext(extension: &str) -> Extension {
        Extension::new(extension).unwrap()
    }

    fn alice() -> DesiredUser {
        DesiredUser {
            dial: DialTarget::new("user/desk1@hotdesk.test&sofia/gateway/pbx/101").ok(),
            revision: Revision(7),
            number: Number::new("+31201234567").unwrap(),
            name: DisplayName::new("Zoë \"Z\" O'Neill, B.V.").ok(),
            language: Language::new("nl").ok(),
            class: Context::new("default").ok(),
            mailbox: Mailbox::new("101@hotdesk.test").ok(),
            away: Away::Busy,
            ..DesiredUser::of(ext("101"))
        }
    }

    fn of_user(user: DesiredUser) -> Desired {
        Desired { users: [(ext("101"), Box::new(user))].into(), ..Desired::default() }
    }

    fn written(desired: &Desired) -> Vec<(String, String)> {
        let records = project(&TenantId::default(), desired);
        let name = |key: Key| key.name.replace("hotdesk-", "").replace("-default", "");
        records.into_iter().map(|(key, value)| (name(key), value)).collect()
    }

    #[test]
    fn a_record_is_written_as_the_dialplan_reads_it() {
        let text = "${sofia_contact(*/desk1@hotdesk.test)},sofia/gateway/pbx/101|7|+31201234567|\
                    Zoë ”Z” O’Neill, B.V.|0|nl|default|101@hotdesk.test|busy|\
                    Zoë %22Z%22 O%27Neill, B.V.";
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
            ..DesiredDevice::of(DialTarget::new("user/desk1@hotdesk.test").unwrap())
        };
        let desired =
            Desired { devices: [(DeviceName::new("desk1").unwrap(), desk)].into(), ..Desired::default() };
        let text = "001|7|0201112222|110&112|${sofia_contact(*/desk1@hotdesk.test)}|100&200|first-aid|1@a|de";
        assert_eq!(written(&desired), [("device/desk1".into(), text.into())]);
    }

    #[test]
    fn a_blf_row_has_the_ring_targets_and_sequential_targets_are_separated() {
        let mut user = DesiredUser {
            then: DialTarget::new("user/desk2@hotdesk.test&sofia/gateway/pbx/101").ok(),
            busy: Number::new("0031").ok(),
            recording: Recording::OnDemand,
            ..alice()
        };
        user.blf.rings = DialTarget::new("user/desk1@hotdesk.test").ok();
        let of = |user: &DesiredUser, key: &str| {
            let written = written(&of_user(user.clone()));
            written.into_iter().find(|(name, _)| name == key).map(|(_, value)| value)
        };
        let profile = "${sofia_contact(*/desk2@hotdesk.test)}&sofia/gateway/pbx/101|0031||on-demand|||";
        assert_eq!(of(&user, "profile/101").as_deref(), Some(profile));
        assert_eq!(of(&user, "lamp/101").as_deref(), Some("${sofia_contact(*/desk1@hotdesk.test)}"));
        user.blf.lit = true;
        assert_eq!(of(&user, "lamp/101").as_deref(), Some(BUSY));
    }

    #[test]
    fn each_relation_of_each_tenant_has_a_realm() {
        let (one, two) = (TenantId::default(), TenantId::new("two-default").unwrap());
        for about in [
            About::Device(DeviceName::new("desk1").unwrap()),
            About::Blf(ext("101")),
            About::User(ext("101")),
            About::Profile(ext("101")),
        ] {
            let key = key_of(&one, about).unwrap();
            let (realm, place) = key.name.split_once('/').unwrap();
            assert_eq!(read_key(realm, place, &one), key);
            assert_eq!(read_key(realm, place, &two).about, About::Other);
        }
        for (realm, place) in
            [("hotdesk-user-default", "101+"), ("hotdesk-user-default", "a"), ("other", "101")]
        {
            assert_eq!(read_key(realm, place, &one).about, About::Other);
        }
    }

    fn valid<T: std::str::FromStr + std::fmt::Debug>(pattern: &'static str) -> BoxedStrategy<T> {
        pattern.prop_filter_map("not a valid one", |text| text.parse().ok()).boxed()
    }

    prop_compose! {
        fn users()(
            dial in of(valid("user/[a-z0-9._+@:-]{1,90}(&(user|sofia/gateway)/[a-z0-9@]{1,90})?")),
            revision in any::<u64>(),
            number in valid("\\+?[0-9]{1,32}"),
            name in of(valid("\\PC{1,80}|[ a%'\\\\]{1,80}")),
            anonymous in any::<bool>(),
            language in of(valid("[a-z]{2}(_[A-Z]{2})?")),
            class in of(valid("[A-Za-z0-9._-]{1,79}")),
            mailbox in of(valid("[0-9]{1,20}(@[a-z._-]{1,50})?")),
            away in valid("voicemail|busy|\\+?[0-9]{1,32}"),
        ) -> DesiredUser {
            DesiredUser {
                dial, revision: Revision(revision), number, name, anonymous, language, class, mailbox, away,
                ..DesiredUser::of(ext("101"))
            }
        }
    }

    proptest! {
        #[test]
        fn a_device_is_written_in_pieces_that_are_kept_whole(
            user in of(valid("[0-9]{1,20}")), revision in any::<u64>(), emergency in of(valid("\\+?[0-9]{1,32}")),
            emergency_numbers in prop::collection::vec(valid("[0-9]{2,15}"), 0..=emergency::MOST),
            dial in valid("user/[a-z0-9._+@:-]{1,190}"),
            numbers in prop::collection::vec(valid("\\+?[0-9]{1,32}"), 0..=ShortList::MOST),
            class in of(valid("[A-Za-z0-9._-]{1,79}")), mailbox in of(valid("[0-9]{1,20}(@[a-z._-]{1,50})?")),
            language in of(valid("[a-z]{2}(_[A-Z]{2})?")),
        ) {
            let may_dial = ShortList { numbers, class };
            let value = SYNTAX.device(&DesiredDevice {
                user, revision: Revision(revision), emergency, emergency_numbers, may_dial, mailbox, language,
                ..DesiredDevice::of(dial)
            });
            let pieces = pieces(&value);
            prop_assert!(pieces.len() <= DEVICE_PIECES && pieces.iter().all(|piece| piece.len() <= LONGEST));
            prop_assert_eq!(pieces.concat(), value);
        }

        #[test]
        fn a_user_is_written_in_pieces_that_are_kept_whole(is in users()) {
            let value = user(&is);
            let pieces = pieces(&value);
            let (shown, _) = value.rsplit_once('|').unwrap();
            prop_assert!(pieces.iter().take(PIECES).map(|piece| piece.len()).sum::<usize>() >= shown.len());
            let last = pieces.len() - 1;
            prop_assert!(pieces.iter().take(last).all(|piece| may_go_on(piece)));
            for piece in &pieces {
                prop_assert!(piece.len() <= LONGEST && piece.trim_matches(' ') == *piece && !piece.contains(['\'', '\\']), "{piece:?}");
                prop_assert!(!piece.is_empty());
            }
            prop_assert_eq!(pieces.concat(), value.as_str());
            prop_assert_eq!(value.matches('|').count(), 9);
        }

        #[test]
        fn any_text_goes_in_pieces(value in "\\PC{0,600}|([0-9a-z/%&,]{0,9}\\|){0,9}") {
            prop_assert_eq!(pieces(&value).concat(), value);
        }
    }
}
