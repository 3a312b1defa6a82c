//! The text of a record with fields by position, for switches that keep keys and values.
//!
//! | record | text |
//! |---|---|
//! | of a device | `user\|revision\|shown\|emergency numbers\|dial\|may dial\|class\|mailbox\|language` |
//! | of a user | `dial\|revision\|number\|name\|anonymous\|language\|class\|mailbox\|away` |
//! | of a profile | `then\|busy\|unanswered\|recording\|account\|pickup\|lamp` |
//!
//! `shown` is the number that an emergency call shows. Lists are joined by `&`. `away` is empty for voicemail, `busy`, or
//! a number. `recording` is empty for never.
//!
//! The fields are by position because a dialplan can split that. Only a name can hold a character that means
//! something to a switch; such characters are percent-encoded. Scripts other than Latin are unchanged.

use super::desired::{About, DesiredDevice, DesiredUser};
use super::directory::Away;
use super::directory::profile::Recording;
use super::id::{DialTarget, EmergencyNumber, Number};

const SEPARATOR: char = '|';
/// Between the values of one field.
const LIST: &str = "&";
/// The names of the fields, in the journal and in checks.
const DEVICE: [&str; 9] = [
    "user",
    "revision",
    "emergency caller ID",
    "emergency numbers",
    "dial",
    "may dial",
    "class",
    "mailbox",
    "language",
];
const USER: [&str; 9] =
    ["rings", "revision", "number", "name", "anonymous", "language", "class", "mailbox", "away"];
const PROFILE: [&str; 7] = ["then", "busy", "unanswered", "recording", "account", "pickup", "BLF"];
/// The destinations of a user's calls are private: they are not in the journal.
const PRIVATE: [&str; 3] = ["away", "busy", "unanswered"];

/// What differs between the switches.
#[derive(Clone, Copy, Debug)]
pub struct Syntax {
    /// The ASCII characters, besides letters and digits, without a meaning for the switch in a value.
    pub plain: &'static str,
    /// A dial target as the dialplan can dial it. It must not contain `|` or `%`.
    pub dial: fn(&DialTarget) -> String,
}

impl Syntax {
    /// The record of a device.
    pub fn device(&self, device: &DesiredDevice) -> String {
        join(&[
            text(device.user.as_ref()),
            device.revision.to_string(),
            text(device.emergency.as_ref()),
            list(&device.emergency_numbers),
            (self.dial)(&device.dial),
            list(&device.may_dial.numbers),
            text(device.may_dial.class.as_ref()),
            text(device.mailbox.as_ref()),
            text(device.language.as_ref()),
        ])
    }

    /// The record of a user, with the name as the dialplan reads it.
    pub fn user(&self, user: &DesiredUser, name: &str) -> String {
        join(&[
            user.dial.as_ref().map(self.dial).unwrap_or_default(),
            user.revision.to_string(),
            user.number.to_string(),
            self.encode(name),
            u8::from(user.anonymous).to_string(),
            text(user.language.as_ref()),
            text(user.class.as_ref()),
            text(user.mailbox.as_ref()),
            if user.away == Away::Voicemail { String::new() } else { user.away.to_string() },
        ])
    }

    /// The record of a user's profile; none if all of it is empty. `lamp` is what the user's BLF shows, if that is
    /// not the ring targets.
    pub fn profile(&self, user: &DesiredUser, lamp: Option<String>) -> Option<String> {
        let never = user.recording == Recording::Never;
        let fields = [
            user.then.as_ref().map(self.dial).unwrap_or_default(),
            text(user.busy.as_ref()),
            text(user.unanswered.as_ref()),
            if never { String::new() } else { user.recording.to_string() },
            text(user.account.as_ref()),
            text(user.pickup.as_ref()),
            lamp.unwrap_or_default(),
        ];
        fields.iter().any(|field| !field.is_empty()).then(|| join(&fields))
    }

    /// A field with each ASCII character percent-encoded that could mean something to a switch.
    pub fn encode(&self, field: &str) -> String {
        let mut encoded = String::with_capacity(field.len());
        for c in field.chars() {
            if c.is_ascii() && !c.is_ascii_alphanumeric() && !self.plain.contains(c) {
                encoded.push_str(percent_encoding::percent_encode_byte(c as u8));
            } else {
                encoded.push(c);
            }
        }
        encoded
    }
}

/// The caller ID and the emergency numbers in a device's record; none if it is not such a record.
pub fn emergency(record: &str) -> Option<(Option<Number>, Vec<EmergencyNumber>)> {
    let fields: Vec<&str> = record.split(SEPARATOR).collect();
    let [_, _, shown, numbers, ..] = fields.as_slice() else { return None };
    let shown = if shown.is_empty() { None } else { Some(shown.parse().ok()?) };
    let numbers = numbers.split(LIST).filter(|number| !number.is_empty());
    Some((shown, numbers.map(|number| number.parse().ok()).collect::<Option<_>>()?))
}

/// Whether a device's record has a user who logged in there: an owner's revision is 0.
pub fn has_session(record: &str) -> bool {
    let mut fields = record.split(SEPARATOR);
    let (user, revision) = (fields.next().unwrap_or_default(), fields.next().unwrap_or_default());
    !user.is_empty() && revision.parse::<u64>().is_ok_and(|revision| revision > 0)
}

/// A record in words for a reader. With `other`, only the fields that differ. Private values are left out. Text that
/// is not such a record is quoted.
pub fn describe(about: &About, record: Option<&str>, other: Option<&str>) -> String {
    let Some(record) = record else { return "missing".into() };
    let Some(fields) = fields(about, record) else { return format!("{record:?}") };
    let other = other.and_then(|other| self::fields(about, other)).unwrap_or_default();
    let shown = fields.iter().enumerate().filter(|(at, (_, value))| match other.get(*at) {
        Some((_, theirs)) => value != theirs,
        None => !value.is_empty(),
    });
    let words: Vec<String> = shown
        .map(|(_, (name, value))| match *value {
            "" => format!("no {name}"),
            _ if PRIVATE.contains(name) => format!("{name} set"),
            value => format!("{name} {value}"),
        })
        .collect();
    if words.is_empty() { "empty".into() } else { words.join(", ") }
}

/// The fields of a record, by name; none if their number is wrong.
fn fields<'a>(about: &About, record: &'a str) -> Option<Vec<(&'static str, &'a str)>> {
    let names: &[&str] = match about {
        About::Device(_) => &DEVICE,
        About::User(_) => &USER,
        About::Profile(_) => &PROFILE,
        _ => return None,
    };
    let values: Vec<&str> = record.split(SEPARATOR).collect();
    // A switch may have one more field.
    let fits = values.len() == names.len() || values.len() == names.len() + 1;
    fits.then(|| names.iter().copied().zip(values).collect())
}

fn join(fields: &[String]) -> String {
    fields.join("|")
}

/// An optional field as text: a missing value is empty.
fn text<T: ToString>(field: Option<&T>) -> String {
    field.map(ToString::to_string).unwrap_or_default()
}

/// Several values in one field.
fn list<T: ToString>(values: &[T]) -> String {
    values.iter().map(ToString::to_string).collect::<Vec<_>>().join(LIST)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::id::Extension;

    fn user() -> About {
        About::User(Extension::new("101").unwrap())
    }

    #[test]
    fn only_differences_are_described_and_nothing_private() {
        let (was, is) = ("PJSIP/a|7|101|Ann|0||||0612345678", "|0|101|Ann|0||||");
        assert_eq!(describe(&user(), Some(was), Some(is)), "rings PJSIP/a, revision 7, away set");
        assert_eq!(describe(&user(), Some(is), Some(was)), "no rings, revision 0, no away");
        assert_eq!(describe(&user(), None, Some(was)), "missing");
        assert_eq!(describe(&user(), Some("what is this"), Some(was)), "\"what is this\"");
        assert_eq!(describe(&About::Other, Some("BUSY"), None), "\"BUSY\"");
        let all = "rings PJSIP/a, revision 7, number 101, name Ann, anonymous 0, away set";
        assert_eq!(describe(&user(), Some(was), None), all);
    }

    #[test]
    fn the_caller_id_of_an_emergency_call_is_read_from_a_valid_record() {
        let (shown, numbers) = emergency("101|7|0205|110&112|PJSIP/a||||").unwrap();
        assert_eq!(shown.map(|it| it.to_string()).as_deref(), Some("0205"));
        assert_eq!(numbers.len(), 2);
        assert_eq!(emergency("101|7|||PJSIP/a||||"), Some((None, vec![])));
        for garbage in ["", "x", "101|7|what|110|", "101|7||x|"] {
            assert_eq!(emergency(garbage), None, "{garbage}");
        }
    }
}
