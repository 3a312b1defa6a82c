//! The contents of a store: typed records, each under a key, and the indexes that find them.

use crate::model::access::{Account, ApiKey};
use crate::model::directory::location::Location;
use crate::model::directory::{Device, Session, User};
use crate::model::id::{DeviceName, Extension};
use crate::model::login::lockout::{self, Failures};
use crate::model::login::pin::PinRecord;
use crate::model::observation::Observed;

/// A kind of record. A tenant has at most one record of a kind under one name.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Kind {
    /// An account of the console, by name.
    Account,
    /// A key of the API, by the hash of its secret.
    ApiKey,
    /// A device, by name.
    Device,
    /// Counted failures, by [`failures_name`].
    Failures,
    /// A location, by name.
    Location,
    /// The observations of a device during a session, by device.
    Observation,
    /// A PIN record, by extension.
    Pin,
    /// A session, by device.
    Session,
    /// A user, by extension.
    User,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Account,
        Self::ApiKey,
        Self::Device,
        Self::Failures,
        Self::Location,
        Self::Observation,
        Self::Pin,
        Self::Session,
        Self::User,
    ];

    /// Its name in a store.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::ApiKey => "api_key",
            Self::Device => "device",
            Self::Failures => "failures",
            Self::Location => "location",
            Self::Observation => "observation",
            Self::Pin => "pin",
            Self::Session => "session",
            Self::User => "user",
        }
    }

    /// The kind of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// The key of a record.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Key {
    /// The kind of the record.
    pub kind: Kind,
    /// Its name among the records of its kind.
    pub name: String,
}

impl Key {
    /// The key of the record of this kind and name.
    pub fn new(kind: Kind, name: impl Into<String>) -> Self {
        Self { kind, name: name.into() }
    }
}

/// An index that finds records by something other than their key.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Index {
    /// The devices at a location.
    Location,
    /// The devices that a user owns.
    Owner,
    /// The devices at which a user is logged in.
    User,
}

impl Index {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Location, Self::Owner, Self::User];

    /// Its name in a store.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Location => "location",
            Self::Owner => "owner",
            Self::User => "user",
        }
    }

    /// The kind of record it finds.
    pub const fn kind(self) -> Kind {
        match self {
            Self::Location | Self::Owner => Kind::Device,
            Self::User => Kind::Session,
        }
    }
}

/// A record of a tenant.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Record {
    /// An account of the console.
    Account(Account),
    /// A key of the API.
    ApiKey(ApiKey),
    /// A device.
    Device(Device),
    /// The failures that count against a user or a device.
    Failures(lockout::Kind, String, Failures),
    /// A location.
    Location(Location),
    /// The observations of a device during the session at it.
    Observation(DeviceName, Observed),
    /// A user's PIN record.
    Pin(Extension, PinRecord),
    /// A session.
    Session(Session),
    /// A user.
    User(User),
}

/// The name under which the failures of a user's alias or of a device are kept.
pub fn failures_name(kind: lockout::Kind, name: &str) -> String {
    format!("{}:{name}", kind.name())
}

impl Record {
    /// Its key.
    pub fn key(&self) -> Key {
        match self {
            Self::Account(account) => Key::new(Kind::Account, account.name.as_str()),
            Self::ApiKey(key) => Key::new(Kind::ApiKey, key.hash.as_str()),
            Self::Device(device) => Key::new(Kind::Device, device.name.as_str()),
            Self::Failures(kind, name, _) => Key::new(Kind::Failures, failures_name(*kind, name)),
            Self::Location(location) => Key::new(Kind::Location, location.name.as_str()),
            Self::Observation(device, _) => Key::new(Kind::Observation, device.as_str()),
            Self::Pin(user, _) => Key::new(Kind::Pin, user.as_str()),
            Self::Session(session) => Key::new(Kind::Session, session.device.as_str()),
            Self::User(user) => Key::new(Kind::User, user.extension.as_str()),
        }
    }

    /// The indexes that it is in, each with its name there.
    pub fn indexes(&self) -> impl Iterator<Item = (Index, &str)> {
        Index::ALL.into_iter().filter_map(|index| Some((index, self.indexed(index)?)))
    }

    /// Its name in an index, if it is in that index.
    pub fn indexed(&self, index: Index) -> Option<&str> {
        match (self, index) {
            (Self::Device(device), Index::Owner) => device.owner.as_ref().map(Extension::as_str),
            (Self::Device(device), Index::Location) => device.location.as_ref().map(|it| it.as_str()),
            (Self::Session(session), Index::User) => Some(session.user.as_str()),
            _ => None,
        }
    }
}
