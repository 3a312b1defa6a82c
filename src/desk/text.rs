//! Rows as lines of text, for switches that keep their copy of the table as keys and values.
//!
//! | row | text |
//! |---|---|
//! | of a device | `user\|revision\|shown\|emergency numbers\|dial\|may dial\|class\|mailbox\|language` |
//! | of a user | `dial\|revision\|number\|name\|anonymous\|language\|class\|mailbox\|away` |
//! | of his profile | `then\|busy\|unanswered\|recording\|account\|pickup\|lamp` |
//!
//! `shown` is what an emergency call from there shows. Lists are joined by `&`. `away` is empty for voicemail, `busy`, or a
//! number. `recording` is empty for never.
//!
//! The fields stand by position, because that is what a dialplan can take apart. Of all fields only a name can hold a
//! character that means something to a switch; those are percent-encoded. Other scripts than ours stay as they are.

use percent_encoding::percent_decode_str;

use super::id::{DialTarget, Revision};
use super::model::{Away, ShortList};
use super::profile::Recording;
use super::table::{DeviceRow, Lamp, ProfileRow, UserRow};

const SEPARATOR: char = '|';
/// Between the values of one field.
const LIST: char = '&';

/// What is particular to a switch.
#[derive(Clone, Copy, Debug)]
pub struct Syntax {
    /// The ASCII characters, besides letters and digits, that mean nothing to it in a value.
    pub plain: &'static str,
    /// A dial target as its dialplan can dial it; nothing in it may be `|` or `%`.
    pub dial: fn(&DialTarget) -> String,
    /// The dial target that it is; none when it is not one that [`Self::dial`] wrote.
    pub read_dial: fn(&str) -> Option<DialTarget>,
    /// A lamp as it is watched there, never empty; nothing in it may be `|` or `%`.
    pub lamp: fn(&Lamp) -> String,
    /// The lamp that it is; none when it is not one that [`Self::lamp`] wrote.
    pub read_lamp: fn(&str) -> Option<Lamp>,
}

impl Syntax {
    /// The text of a device's row.
    #[must_use]
    pub fn device(&self, row: &DeviceRow) -> String {
        join(&[
            text(row.user.as_ref()),
            row.revision.to_string(),
            text(row.emergency.as_ref()),
            list(&row.emergency_numbers),
            (self.dial)(&row.dial),
            list(&row.may_dial.numbers),
            text(row.may_dial.class.as_ref()),
            text(row.mailbox.as_ref()),
            text(row.language.as_ref()),
        ])
    }

    /// The row of a device that is written so.
    #[must_use]
    pub fn read_device(&self, value: &str) -> Option<DeviceRow> {
        let [user, revision, emergency, numbers, dial, may_dial, class, mailbox, language] = split(value)?;
        Some(DeviceRow {
            user: some(&user)?,
            revision: number(&revision)?,
            emergency: some(&emergency)?,
            emergency_numbers: each(&numbers)?,
            dial: (self.read_dial)(&dial)?,
            may_dial: ShortList { numbers: each(&may_dial)?, class: some(&class)? },
            mailbox: some(&mailbox)?,
            language: some(&language)?,
        })
    }

    /// The text of a user's row.
    #[must_use]
    pub fn user(&self, row: &UserRow) -> String {
        join(&[
            row.dial.as_ref().map(self.dial).unwrap_or_default(),
            row.revision.to_string(),
            row.number.to_string(),
            self.encode(&text(row.name.as_ref())),
            u8::from(row.anonymous).to_string(),
            text(row.language.as_ref()),
            text(row.class.as_ref()),
            text(row.mailbox.as_ref()),
            if row.away == Away::Voicemail { String::new() } else { row.away.to_string() },
        ])
    }

    /// The row of a user that is written so.
    #[must_use]
    pub fn read_user(&self, value: &str) -> Option<UserRow> {
        let [dial, revision, shown, name, anonymous, language, class, mailbox, away] = split(value)?;
        Some(UserRow {
            dial: self.some_dial(&dial)?,
            revision: number(&revision)?,
            number: shown.parse().ok()?,
            name: some(&name)?,
            anonymous: match anonymous.as_str() {
                "0" => false,
                "1" => true,
                _ => return None,
            },
            language: some(&language)?,
            class: some(&class)?,
            mailbox: some(&mailbox)?,
            away: some(&away)?.unwrap_or_default(),
        })
    }

    /// The text of a user's profile.
    #[must_use]
    pub fn profile(&self, row: &ProfileRow) -> String {
        join(&[
            row.then.as_ref().map(self.dial).unwrap_or_default(),
            text(row.busy.as_ref()),
            text(row.unanswered.as_ref()),
            if row.recording == Recording::Never { String::new() } else { row.recording.to_string() },
            text(row.account.as_ref()),
            text(row.pickup.as_ref()),
            row.lamp.as_ref().map(self.lamp).unwrap_or_default(),
        ])
    }

    /// The profile that is written so.
    #[must_use]
    pub fn read_profile(&self, value: &str) -> Option<ProfileRow> {
        let [then, busy, unanswered, recording, account, pickup, lamp] = split(value)?;
        Some(ProfileRow {
            then: self.some_dial(&then)?,
            busy: some(&busy)?,
            unanswered: some(&unanswered)?,
            recording: some(&recording)?.unwrap_or_default(),
            account: some(&account)?,
            pickup: some(&pickup)?,
            lamp: if lamp.is_empty() { None } else { Some((self.read_lamp)(&lamp)?) },
        })
    }

    /// An optional dial target: empty is none; `None` when it is neither empty nor one.
    fn some_dial(&self, field: &str) -> Option<Option<DialTarget>> {
        if field.is_empty() { Some(None) } else { (self.read_dial)(field).map(Some) }
    }

    /// A field with each ASCII character percent-encoded that could mean something on the way.
    #[must_use]
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

fn join(fields: &[String]) -> String {
    fields.join(&SEPARATOR.to_string())
}

/// A field as it was before it was encoded; none when it is not UTF-8.
#[must_use]
pub fn decode(field: &str) -> Option<String> {
    percent_decode_str(field).decode_utf8().ok().map(Into::into)
}

/// Exactly `N` fields, decoded.
fn split<const N: usize>(value: &str) -> Option<[String; N]> {
    let fields: Option<Vec<String>> = value.split(SEPARATOR).map(decode).collect();
    fields?.try_into().ok()
}

/// An optional field as text: nothing is empty.
fn text<T: ToString>(field: Option<&T>) -> String {
    field.map(ToString::to_string).unwrap_or_default()
}

/// An optional field: empty is nothing; `None` when it is neither empty nor valid.
fn some<T: std::str::FromStr>(field: &str) -> Option<Option<T>> {
    if field.is_empty() { Some(None) } else { field.parse().ok().map(Some) }
}

/// Several values in one field.
fn list<T: ToString>(values: &[T]) -> String {
    values.iter().map(ToString::to_string).collect::<Vec<_>>().join(&LIST.to_string())
}

/// Each value of a field; `None` when one is not valid.
fn each<T: std::str::FromStr>(field: &str) -> Option<Vec<T>> {
    if field.is_empty() { Some(vec![]) } else { field.split(LIST).map(|value| value.parse().ok()).collect() }
}

fn number(field: &str) -> Option<Revision> {
    field.parse().ok().map(Revision)
}
