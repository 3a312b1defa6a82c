//! What tests ask of a store, one method for each kind of command.

use async_trait::async_trait;
use hotdesk::model::command::{Change as Changed, Command, Outcome};
use hotdesk::model::directory::change::{DirectoryChange, DirectoryCommand, DirectoryRules, Edit};
use hotdesk::model::directory::location::Location;
use hotdesk::model::directory::{Device, User};
use hotdesk::model::id::{DeviceName, Extension, LocationName, RequestId, Revision, TenantId};
use hotdesk::model::journal::{Actor, Entry};
use hotdesk::model::label::Label;
use hotdesk::model::login::lockout::{self, Failures, Kind};
use hotdesk::model::login::pin::{Alias, PinRecord};
use hotdesk::model::login::refusal::Refusal;
use hotdesk::model::login::transition::{SessionCommand, Transition};
use hotdesk::model::settings::{Setting, SettingsCommand};
use hotdesk::store::{Store, StoreError};
use jiff::Timestamp;

pub use hotdesk::model::login::lockout::Unlock;
pub use hotdesk::model::observation::{Note, Noted};

/// One change of the directory, of a setting or of lockouts.
#[derive(Clone, Debug)]
pub struct Change {
    pub tenant: TenantId,
    pub what: What,
    pub by: Actor,
    pub at: Timestamp,
}

#[derive(Clone, Debug)]
pub enum What {
    Device(Device),
    /// The user as read, and as wanted.
    Edited {
        was: Box<User>,
        is: Box<User>,
    },
    Location(Location),
    Pin(Extension, PinRecord),
    RemoveDevice(DeviceName),
    RemoveLocation(LocationName),
    RemoveUser(Extension),
    Setting(Extension, Setting),
    Unlock(Unlock),
    User(User),
}

/// Sessions that begin or end.
#[derive(Clone, Debug)]
pub struct Move {
    pub request: RequestId,
    pub tenant: TenantId,
    pub command: SessionCommand,
    pub by: Actor,
    pub call: Option<Label>,
    pub code: Option<String>,
    pub at: Timestamp,
}

/// Many changes at once.
#[derive(Clone, Debug)]
pub struct Import {
    pub tenant: TenantId,
    pub locations: Vec<Location>,
    pub users: Vec<User>,
    pub pins: Vec<(Extension, PinRecord)>,
    pub devices: Vec<Device>,
    pub by: Actor,
    pub at: Timestamp,
}

/// A PIN that is tried.
#[derive(Clone, Debug)]
pub struct Guess {
    pub tenant: TenantId,
    pub user: Alias,
    pub device: DeviceName,
    pub at: Timestamp,
}

impl Guess {
    fn of_the_model(&self) -> lockout::Guess {
        lockout::Guess { user: self.user.clone(), device: self.device.clone(), at: self.at }
    }
}

/// Whether a try may be made, and which sprays it makes.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Attempt {
    pub allowed: Result<(), Refusal>,
    pub spray: Vec<Kind>,
}

/// Failures that are remembered.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Tried {
    pub kind: Kind,
    pub name: String,
    pub tries: Failures,
}

#[async_trait]
pub trait Ask {
    async fn change(&self, change: &Change) -> Result<Revision, StoreError>;
    async fn import(&self, import: &Import) -> Result<Revision, StoreError>;
    async fn change_sessions(&self, change: &Move) -> Result<Transition, StoreError>;
    async fn attempt(&self, guess: &Guess) -> Result<Attempt, StoreError>;
    async fn forgive(&self, guess: &Guess) -> Result<(), StoreError>;
    async fn take_back(&self, guess: &Guess) -> Result<(), StoreError>;
    /// Forgets failures that no longer matter at that time, as `serve` does each hour.
    async fn prune(&self, tenant: &TenantId, at: Timestamp);
    async fn tries(&self, tenant: &TenantId) -> Result<Vec<Tried>, StoreError>;
    async fn note(&self, tenant: &TenantId, notes: &[Note]) -> Result<Vec<bool>, StoreError>;
    async fn record(&self, entries: &[Entry]) -> Result<(), StoreError>;
    async fn rehash(
        &self,
        tenant: &TenantId,
        user: &Extension,
        was: &PinRecord,
        is: &PinRecord,
    ) -> Result<(), StoreError>;
}

fn command(tenant: &TenantId, by: Actor, at: Timestamp, change: Changed) -> Command {
    let request = hotdesk::controller::request_id().unwrap();
    Command::new(request, tenant.clone(), by, at, change)
}

fn directory(changes: Vec<DirectoryChange>) -> Changed {
    Changed::Directory(DirectoryCommand { changes, rules: DirectoryRules::default() })
}

fn revision(outcome: Outcome) -> Revision {
    match outcome {
        Outcome::Done { revision } => revision,
        other => panic!("{other:?}"),
    }
}

#[async_trait]
impl<S: Store + ?Sized> Ask for S {
    async fn change(&self, change: &Change) -> Result<Revision, StoreError> {
        let what = match change.what.clone() {
            What::Device(device) => directory(vec![DirectoryChange::Device(Edit::put(device))]),
            What::Edited { was, is } => directory(vec![DirectoryChange::User(Edit::of(Some(*was), *is))]),
            What::Location(location) => directory(vec![DirectoryChange::Location(Edit::put(location))]),
            What::Pin(user, record) => directory(vec![DirectoryChange::Pin(user, record)]),
            What::RemoveDevice(name) => directory(vec![DirectoryChange::RemoveDevice(name)]),
            What::RemoveLocation(name) => directory(vec![DirectoryChange::RemoveLocation(name)]),
            What::RemoveUser(user) => directory(vec![DirectoryChange::RemoveUser(user)]),
            What::Setting(user, setting) => {
                let settings = vec![setting];
                Changed::Settings(SettingsCommand { user, settings, emergency_numbers: vec![] })
            }
            What::Unlock(unlock) => Changed::Unlock(unlock),
            What::User(user) => directory(vec![DirectoryChange::User(Edit::put(user))]),
        };
        let done = self.commit(&command(&change.tenant, change.by.clone(), change.at, what)).await?;
        Ok(revision(done))
    }

    async fn import(&self, import: &Import) -> Result<Revision, StoreError> {
        let Import { tenant, locations, users, pins, devices, by, at } = import.clone();
        let locations = locations.into_iter().map(|is| DirectoryChange::Location(Edit::put(is)));
        let users = users.into_iter().map(|is| DirectoryChange::User(Edit::put(is)));
        let pins = pins.into_iter().map(|(user, record)| DirectoryChange::Pin(user, record));
        let devices = devices.into_iter().map(|is| DirectoryChange::Device(Edit::put(is)));
        let changes = locations.chain(users).chain(pins).chain(devices).collect();
        Ok(revision(self.commit(&command(&tenant, by, at, directory(changes))).await?))
    }

    async fn change_sessions(&self, change: &Move) -> Result<Transition, StoreError> {
        let Move { request, tenant, command, by, call, code, at } = change.clone();
        let change = Changed::Session(command);
        Ok(self.commit(&Command { request, tenant, by, call, code, at, change }).await?.into_transition())
    }

    async fn attempt(&self, guess: &Guess) -> Result<Attempt, StoreError> {
        let change = Changed::Attempt(guess.of_the_model());
        match self.commit(&command(&guess.tenant, Actor::Controller, guess.at, change)).await {
            Ok(Outcome::Attempt { spray }) => Ok(Attempt { allowed: Ok(()), spray }),
            Err(StoreError::Refused(refusal)) => Ok(Attempt { allowed: Err(refusal), spray: vec![] }),
            Err(error) => Err(error),
            Ok(other) => panic!("{other:?}"),
        }
    }

    async fn forgive(&self, guess: &Guess) -> Result<(), StoreError> {
        let change = Changed::Forgive(guess.of_the_model());
        self.commit(&command(&guess.tenant, Actor::Controller, guess.at, change)).await.map(drop)
    }

    async fn take_back(&self, guess: &Guess) -> Result<(), StoreError> {
        let change = Changed::TakeBack(guess.of_the_model());
        self.commit(&command(&guess.tenant, Actor::Controller, guess.at, change)).await.map(drop)
    }

    async fn prune(&self, tenant: &TenantId, at: Timestamp) {
        self.commit(&command(tenant, Actor::Controller, at, Changed::Prune)).await.unwrap();
    }

    async fn tries(&self, tenant: &TenantId) -> Result<Vec<Tried>, StoreError> {
        let failures = self.failures(tenant).await?;
        Ok(failures.into_iter().map(|((kind, name), tries)| Tried { kind, name, tries }).collect())
    }

    async fn note(&self, tenant: &TenantId, notes: &[Note]) -> Result<Vec<bool>, StoreError> {
        let change = Changed::Observe(notes.to_vec());
        match self.commit(&command(tenant, Actor::Controller, Timestamp::now(), change)).await? {
            Outcome::Observed(changed) => Ok(changed),
            other => panic!("{other:?}"),
        }
    }

    async fn record(&self, entries: &[Entry]) -> Result<(), StoreError> {
        for entry in entries {
            let Entry { at, tenant, by, call, code, event, .. } = entry.clone();
            let request = hotdesk::controller::request_id().unwrap();
            let change = Changed::Record(vec![event]);
            self.commit(&Command { request, tenant, by, call, code, at, change }).await?;
        }
        Ok(())
    }

    async fn rehash(
        &self,
        tenant: &TenantId,
        user: &Extension,
        was: &PinRecord,
        is: &PinRecord,
    ) -> Result<(), StoreError> {
        let change = Changed::Rehash(user.clone(), was.clone(), is.clone());
        self.commit(&command(tenant, Actor::Controller, Timestamp::now(), change)).await.map(drop)
    }
}
