//! The records that a store loaded, by kind.

use std::collections::{BTreeMap, BTreeSet};

use super::record::{Key, Kind, Record, failures_name};
use crate::model::access::{Account, ApiKey};
use crate::model::desired::Scope;
use crate::model::directory::Snapshot;
use crate::model::id::{AccountName, DeviceName, Extension};
use crate::model::login::lockout::{self, Failures};
use crate::model::login::pin::PinRecord;
use crate::model::mark::Mark;
use crate::model::observation::Observed;

/// The records that a store loaded.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Loaded {
    /// The mark of the data when this was loaded; none: there is no data of this tenant.
    pub mark: Option<Mark>,
    /// The directory and the sessions, as far as they were loaded.
    pub snapshot: Snapshot,
    /// PIN records, by user.
    pub pins: BTreeMap<Extension, PinRecord>,
    /// Failures, by kind and name.
    pub failures: BTreeMap<(lockout::Kind, String), Failures>,
    /// Accounts of the console, by name.
    pub accounts: BTreeMap<AccountName, Account>,
    /// Keys of the API, by the hash of their secrets.
    pub keys: BTreeMap<String, ApiKey>,
    /// Observations, by device.
    pub observations: BTreeMap<DeviceName, Observed>,
}

impl Loaded {
    /// Adds or replaces a record.
    pub fn put(&mut self, record: Record) {
        let Self { snapshot, pins, failures, accounts, keys, observations, .. } = self;
        match record {
            Record::Account(account) => drop(accounts.insert(account.name.clone(), account)),
            Record::ApiKey(key) => drop(keys.insert(key.hash.as_str().to_owned(), key)),
            Record::Device(device) => drop(snapshot.devices.insert(device.name.clone(), device)),
            Record::Failures(kind, name, of) => drop(failures.insert((kind, name), of)),
            Record::Location(location) => {
                drop(snapshot.locations.insert(location.name.clone(), location));
            }
            Record::Observation(device, seen) => drop(observations.insert(device, seen)),
            Record::Pin(user, record) => drop(pins.insert(user, record)),
            Record::Session(session) => drop(snapshot.sessions.insert(session.device.clone(), session)),
            Record::User(user) => drop(snapshot.users.insert(user.extension.clone(), user)),
        }
    }

    /// Removes the record under a key.
    pub fn remove(&mut self, Key { kind, name }: &Key) {
        let Self { snapshot, pins, failures, accounts, keys, observations, .. } = self;
        match kind {
            Kind::Account => drop(accounts.remove(name.as_str())),
            Kind::ApiKey => drop(keys.remove(name.as_str())),
            Kind::Device => drop(snapshot.devices.remove(name.as_str())),
            Kind::Failures => failures.retain(|(kind, of), _| failures_name(*kind, of) != *name),
            Kind::Location => drop(snapshot.locations.remove(name.as_str())),
            Kind::Observation => drop(observations.remove(name.as_str())),
            Kind::Pin => drop(pins.remove(name.as_str())),
            Kind::Session => drop(snapshot.sessions.remove(name.as_str())),
            Kind::User => drop(snapshot.users.remove(name.as_str())),
        }
    }

    /// The snapshot of `scope`: without owned devices at which a user outside of it is logged in.
    pub fn into_snapshot(self, scope: &Scope) -> Snapshot {
        let mut snapshot = self.snapshot;
        let Scope::Some { users: named_users, devices: named } = scope else { return snapshot };
        let Snapshot { users, sessions, devices, locations, .. } = &mut snapshot;
        let known = |user: &Extension| users.contains_key(user) || named_users.contains(user);
        let of_stranger = |device: &DeviceName| {
            !named.contains(device) && sessions.get(device).is_some_and(|guest| !known(&guest.user))
        };
        let outside: BTreeSet<DeviceName> =
            devices.keys().filter(|device| of_stranger(device)).cloned().collect();
        devices.retain(|device, _| !outside.contains(device));
        sessions.retain(|device, _| !outside.contains(device));
        let used: BTreeSet<_> = devices.values().filter_map(|device| device.location.clone()).collect();
        locations.retain(|name, _| used.contains(name));
        snapshot
    }
}
