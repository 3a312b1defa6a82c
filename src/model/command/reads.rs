//! The records that a command or a snapshot reads, as data: a store follows these steps without knowing their meaning.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use super::loaded::Loaded;
use super::record::{Index, Key, Kind, Record, failures_name};
use crate::model::access::SecretHash;
use crate::model::desired::Scope;
use crate::model::id::{AccountName, Extension};
use crate::model::login::lockout::{self, Guess};

/// A set of names that grows as the steps are followed.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Set {
    /// Accounts of the console.
    Accounts,
    /// Hashes of keys of the API.
    ApiKeys,
    /// Devices.
    Devices,
    /// Names of failures.
    Failures,
    /// Locations.
    Locations,
    /// Locations whose devices are read as well.
    LocationsWithDevices,
    /// Users.
    Users,
    /// Users whose sessions are read as well.
    UsersWithSessions,
}

impl Set {
    /// Its name in a script.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Accounts => "accounts",
            Self::ApiKeys => "api_keys",
            Self::Devices => "devices",
            Self::Failures => "failures",
            Self::Locations => "locations",
            Self::LocationsWithDevices => "locations_with_devices",
            Self::Users => "users",
            Self::UsersWithSessions => "users_with_sessions",
        }
    }
}

/// One step.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Step {
    /// Load every record of a kind, and add to another set the name of each in an index.
    All(Kind, &'static [(Index, Set)]),
    /// Load the records of a kind that a set names, and add to another set the name of each in an index.
    Load(Kind, Set, &'static [(Index, Set)]),
    /// Add to the set of devices the ones that an index finds for each name of a set.
    Find(Index, Set),
}

/// What is read: sets of names to start from, then steps. Without steps it is only the revision.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[must_use]
pub struct Reads {
    /// The names that the steps start from.
    pub names: BTreeMap<Set, BTreeSet<String>>,
    /// The steps, in their order.
    pub steps: Vec<Step>,
}

/// A source of records, one by one.
pub trait Source {
    /// The error when records could not be read.
    type Error;
    /// A record, if there is one.
    fn get(&mut self, key: &Key) -> Result<Option<Record>, Self::Error>;
    /// Passes every record of a kind on, one by one: there may be many.
    fn all(&mut self, kind: Kind, each: &mut dyn FnMut(Record)) -> Result<(), Self::Error>;
    /// The names of the records that an index finds by this name.
    fn find(&mut self, index: Index, by: &str) -> Result<Vec<String>, Self::Error>;
}

impl Reads {
    /// Whether it may read so many records that a store may need seconds.
    pub fn is_large(&self) -> bool {
        self.steps
            .iter()
            .any(|step| matches!(step, Step::All(kind, _) if ![Kind::Account, Kind::ApiKey, Kind::Location].contains(kind)))
    }

    /// The records for a snapshot of `scope`; see [`Snapshot`](crate::model::directory::Snapshot).
    pub fn snapshot(scope: &Scope) -> Self {
        use Kind::{Device, Location, Session, User};
        match scope {
            Scope::All => Self::default()
                .then(Step::All(User, &[]))
                .then(Step::All(Device, &[]))
                .then(Step::All(Location, &[]))
                .then(Step::All(Session, &[])),
            Scope::Some { users, devices } => Self::of(Set::Users, users)
                .with(Set::Devices, devices)
                .then(Step::Load(Device, Set::Devices, &[(Index::Owner, Set::Users)]))
                .then(Step::Load(Session, Set::Devices, &[(Index::User, Set::Users)]))
                .then(Step::Load(User, Set::Users, &[]))
                .then(Step::Find(Index::User, Set::Users))
                .then(Step::Find(Index::Owner, Set::Users))
                .then(Step::Load(Device, Set::Devices, &[(Index::Location, Set::Locations)]))
                .then(Step::Load(Session, Set::Devices, &[]))
                .then(Step::Load(Location, Set::Locations, &[])),
        }
    }

    /// An account of the console.
    pub fn account(name: &AccountName) -> Self {
        Self::of(Set::Accounts, [name]).then(Step::Load(Kind::Account, Set::Accounts, &[]))
    }

    /// All accounts of the console.
    pub fn accounts() -> Self {
        Self::default().then(Step::All(Kind::Account, &[]))
    }

    /// The key of the API whose secret has this hash.
    pub fn key(hash: &SecretHash) -> Self {
        Self::of(Set::ApiKeys, [hash.as_str()]).then(Step::Load(Kind::ApiKey, Set::ApiKeys, &[]))
    }

    /// All keys of the API.
    pub fn keys() -> Self {
        Self::default().then(Step::All(Kind::ApiKey, &[]))
    }

    /// A user's PIN record.
    pub fn pin(user: &Extension) -> Self {
        Self::of(Set::Users, [user]).then(Step::Load(Kind::Pin, Set::Users, &[]))
    }

    /// The PIN records of all users.
    pub fn pins() -> Self {
        Self::default().then(Step::All(Kind::Pin, &[]))
    }

    /// The failures that count against the user and the device of a guess.
    pub fn guess(guess: &Guess) -> Self {
        let user = failures_name(lockout::Kind::User, guess.user.as_str());
        let device = failures_name(lockout::Kind::Device, guess.device.as_str());
        Self::of(Set::Failures, [user, device]).then(Step::Load(Kind::Failures, Set::Failures, &[]))
    }

    /// All that a login of `user` with this guess is decided on: the PIN record, the failures, and the snapshot of the user
    /// and the device.
    pub fn login(user: &Extension, guess: &Guess) -> Self {
        let scope = Scope::user(user).and(Scope::device(&guess.device));
        // First the PIN: the snapshot names more users.
        Self::pin(user).and(Self::guess(guess)).and(Self::snapshot(&scope))
    }

    /// A snapshot of `scope`, and the observations of its devices. Of a whole tenant, without users who neither have a session
    /// nor own a device: there may be many.
    pub fn observed(scope: &Scope) -> Self {
        match scope {
            Scope::All => Self::default()
                .then(Step::All(Kind::Session, &[(Index::User, Set::Users)]))
                .then(Step::All(Kind::Device, &[(Index::Owner, Set::Users)]))
                .then(Step::All(Kind::Location, &[]))
                .then(Step::All(Kind::Observation, &[]))
                .then(Step::Load(Kind::User, Set::Users, &[])),
            Scope::Some { .. } => {
                Self::snapshot(scope).then(Step::Load(Kind::Observation, Set::Devices, &[]))
            }
        }
    }

    /// The observations of the sessions in `scope`, by device.
    pub fn observations(scope: &Scope) -> Self {
        match scope {
            Scope::All => Self::default().then(Step::All(Kind::Observation, &[])),
            Scope::Some { devices, .. } => {
                Self::of(Set::Devices, devices).then(Step::Load(Kind::Observation, Set::Devices, &[]))
            }
        }
    }

    /// All failures in the store.
    pub fn failures() -> Self {
        Self::default().then(Step::All(Kind::Failures, &[]))
    }

    /// Starts from these names in this set.
    pub fn of<T: ToString>(set: Set, names: impl IntoIterator<Item = T>) -> Self {
        Self::default().with(set, names)
    }

    /// Starts from these names in this set as well.
    pub fn with<T: ToString>(mut self, set: Set, names: impl IntoIterator<Item = T>) -> Self {
        self.names.entry(set).or_default().extend(names.into_iter().map(|name| name.to_string()));
        self
    }

    /// These, and then `other`.
    pub fn and(mut self, other: Self) -> Self {
        for (set, names) in other.names {
            self.names.entry(set).or_default().extend(names);
        }
        self.steps.extend(other.steps);
        self
    }

    /// Adds a step.
    pub fn then(mut self, step: Step) -> Self {
        self.steps.push(step);
        self
    }

    /// Follows the steps.
    pub fn follow<S: Source>(&self, source: &mut S) -> Result<Loaded, S::Error> {
        let (mut names, mut loaded) = (self.names.clone(), Loaded::default());
        // What a record is found by, for the steps after the one that loaded it.
        let mut seen: BTreeMap<Key, Vec<(Index, String)>> = BTreeMap::new();
        for step in &self.steps {
            match *step {
                Step::All(kind, links) => source.all(kind, &mut |record| {
                    for (index, to) in links {
                        let found = record.indexed(*index);
                        names.entry(*to).or_default().extend(found.map(str::to_owned));
                    }
                    loaded.put(record);
                })?,
                Step::Load(kind, of, links) => {
                    for name in names.get(&of).cloned().unwrap_or_default() {
                        let key = Key::new(kind, name);
                        let found = match seen.entry(key) {
                            Entry::Occupied(found) => found.into_mut(),
                            Entry::Vacant(new) => {
                                let record = source.get(new.key())?;
                                let indexes = record.iter().flat_map(Record::indexes);
                                let found = indexes.map(|(index, by)| (index, by.to_owned())).collect();
                                record.into_iter().for_each(|record| loaded.put(record));
                                new.insert(found)
                            }
                        };
                        for (index, to) in links {
                            let found =
                                found.iter().filter(|(by, _)| by == index).map(|(_, name)| name.clone());
                            names.entry(*to).or_default().extend(found);
                        }
                    }
                }
                Step::Find(index, of) => {
                    for name in names.get(&of).cloned().unwrap_or_default() {
                        let found = source.find(index, &name)?;
                        names.entry(Set::Devices).or_default().extend(found);
                    }
                }
            }
        }
        Ok(loaded)
    }
}
