//! Records: what a switch keeps of the desired state, in its own keys and values.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::about::About;

/// Records by key: desired or actual.
pub type Records = BTreeMap<Key, String>;

/// A part of a switch that keeps records: AstDB, the hints of the dialplan, a queue module.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Part {
    /// Its name for the administrator of the switch.
    pub name: &'static str,
    /// A login needs it. When a part that is not needed is down, logins continue and that part waits.
    pub needed: bool,
}

/// The key of a record.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Key {
    /// The subject.
    pub about: About,
    /// The part of the switch that keeps it.
    pub part: Part,
    /// The switch's own key.
    pub name: String,
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { about, part: Part { name: part, .. }, name } = self;
        match about {
            About::Other => write!(f, "{part} {name}"),
            about => write!(f, "{about} ({part} {name})"),
        }
    }
}

/// A part of a switch that could not be read.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct NotReadable {
    /// The part.
    pub part: Part,
    /// The answer of the switch.
    pub why: String,
}

impl fmt::Display for NotReadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {:?}", self.part.name, self.why)
    }
}

/// The result of reading a switch.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Reading {
    /// The actual records.
    pub records: Records,
    /// The parts that could not be read.
    pub not_readable: Vec<NotReadable>,
    /// Other programs keep records there too: records that are not desired stay.
    pub shared: bool,
}

impl Reading {
    /// The error of the part that keeps `key`, if it could not be read.
    pub fn not_read(&self, key: &Key) -> Option<&NotReadable> {
        self.not_readable.iter().find(|it| it.part == key.part)
    }
}

/// One difference between the actual and the desired record.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Edit {
    /// The key.
    pub key: Key,
    /// The actual text; none: there is no such record.
    pub was: Option<String>,
    /// The desired text; none: the record is removed.
    pub is: Option<String>,
}

/// The edits that bring a switch from this reading to `wanted`. There are none for a part that could not be read.
pub fn difference(wanted: &Records, reading: &Reading) -> Vec<Edit> {
    let found = reading.records.keys().filter(|_| !reading.shared);
    let keys: BTreeSet<&Key> = wanted.keys().chain(found).collect();
    let differs = keys.into_iter().filter(|key| wanted.get(key) != reading.records.get(key));
    differs
        .filter(|key| reading.not_read(key).is_none())
        .map(|key| Edit {
            key: key.clone(),
            was: reading.records.get(key).cloned(),
            is: wanted.get(key).cloned(),
        })
        .collect()
}
