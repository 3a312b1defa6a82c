//! What every command works on: the configuration, the store, and one tenant.

use std::env;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, Result, bail, ensure};

use super::output;
use crate::config::{Config, Switch};
use crate::controller::{commands, pepper};
use crate::model::command::{Change, Outcome};
use crate::model::desired::Scope;
use crate::model::directory::change::{DirectoryChange, DirectoryCommand, DirectoryRules, NoCallerId};
use crate::model::directory::{Device, Snapshot, User};
use crate::model::id::{DeviceName, Extension, LocationName, SwitchName, TenantId};
use crate::model::journal::Actor;
use crate::model::login::pin::Pepper;
use crate::model::login::refusal::{Refusal, Subject};
use crate::model::login::transition::{SessionCommand, Transition};
use crate::model::nearest::nearest;
use crate::model::settings::{Setting, SettingsCommand};
use crate::store::{self, Memory, Store, StoreError};

/// The configuration, the open store, and the tenant that a command works on.
pub(super) struct CommandContext {
    pub(super) config: Config,
    pub(super) store: Arc<dyn Store>,
    pub(super) tenant: TenantId,
}

impl CommandContext {
    pub(super) async fn open(config: Config, tenant: TenantId, absent: Absent) -> Result<Self> {
        ensure!(
            config.serves(&tenant),
            "no switch serves the tenant {tenant}: add it to `tenants` of a [[switch]], or correct --tenant"
        );
        let store = open_store(&config, absent, |path| {
            output::note(format_args!(
                "there was no store at {}, although there is a pepper: a new and empty one was made",
                path.display()
            ));
        })
        .await?;
        Ok(Self { config, store, tenant })
    }

    /// The switch of that name; it must serve the tenant.
    pub(super) fn switch(&self, name: &SwitchName) -> Result<&Switch> {
        let (switch, tenant) = (switch_named(&self.config, name)?, &self.tenant);
        ensure!(
            switch.has(tenant),
            "the switch {name} does not serve the tenant {tenant}: add it to `tenants` of that [[switch]]"
        );
        Ok(switch)
    }

    /// The pepper; the first PIN makes it.
    pub(super) async fn pepper(&self) -> Result<Pepper> {
        let path = &self.config.store.pepper_file;
        Ok(pepper::of_store(path, &*self.store, self.config.served_tenants()).await?)
    }

    pub(super) async fn snapshot(&self) -> Result<Snapshot> {
        Ok(self.store.snapshot(&self.tenant, &Scope::All).await?)
    }

    /// The records that concern a user; without the user if there is none.
    pub(super) async fn snapshot_of_user(&self, extension: &Extension) -> Result<Snapshot> {
        Ok(self.store.snapshot(&self.tenant, &Scope::user(extension)).await?)
    }

    /// A user and the records that concern them; an error if there is no such user.
    pub(super) async fn user(&self, extension: &Extension) -> Result<(User, Snapshot)> {
        let snapshot = self.snapshot_of_user(extension).await?;
        match snapshot.users.get(extension).cloned() {
            Some(user) => Ok((user, snapshot)),
            None => bail!(self.missing(&Subject::User(extension.clone())).await?),
        }
    }

    /// A device and the records that concern it; an error if there is no such device.
    pub(super) async fn device(&self, name: &DeviceName) -> Result<(Device, Snapshot)> {
        let snapshot = self.store.snapshot(&self.tenant, &Scope::device(name)).await?;
        match snapshot.devices.get(name).cloned() {
            Some(device) => Ok((device, snapshot)),
            None => bail!(self.missing(&Subject::Device(name.clone())).await?),
        }
    }

    /// That there is no such record, and the nearest name that there is.
    pub(super) async fn missing(&self, subject: &Subject) -> Result<String> {
        let Snapshot { users, devices, locations, .. } = self.snapshot().await?;
        let near = match subject {
            Subject::Device(name) => nearest(name.as_str(), devices.keys().map(DeviceName::as_str)),
            Subject::Location(name) => nearest(name.as_str(), locations.keys().map(LocationName::as_str)),
            Subject::User(name) => nearest(name.as_str(), users.keys().map(Extension::as_str)),
        };
        let near = near.map_or_else(String::new, |near| format!(". Did you mean {near}?"));
        Ok(format!("there is no {subject}{near}"))
    }

    /// An error if a record is to be added that is `there`, or changed that is not.
    pub(super) async fn expect(&self, verb: Verb, subject: &Subject, there: bool) -> Result<()> {
        let command = |verb: &str| match subject {
            Subject::Device(name) => format!("hotdesk device {verb} {name}"),
            Subject::Location(name) => format!("hotdesk location {verb} {name}"),
            Subject::User(name) => format!("hotdesk user {verb} {name}"),
        };
        match (verb, there) {
            (Verb::Add, true) => bail!("there is a {subject} already. To change it: {}", command("set")),
            (Verb::Set, false) => {
                let missing = self.missing(subject).await?;
                let end = if missing.ends_with('?') { "" } else { "." };
                bail!("{missing}{end} To add it: {}", command("add"))
            }
            (Verb::Add, false) | (Verb::Set, true) => Ok(()),
        }
    }

    pub(super) async fn change(&self, change: DirectoryChange) -> Result<()> {
        self.change_all(vec![change], false).await
    }

    /// Makes all these changes of the directory, or none. With `force`, devices without an emergency caller ID get hotdesking;
    /// that is journalled.
    pub(super) async fn change_all(&self, changes: Vec<DirectoryChange>, force: bool) -> Result<()> {
        let device = changes.iter().any(|change| matches!(change, DirectoryChange::Device(_)));
        let change = Change::Directory(DirectoryCommand { changes, rules: self.rules(force) });
        self.commit(change).await.map(drop).map_err(|error| refused(error, device))
    }

    pub(super) fn rules(&self, force: bool) -> DirectoryRules {
        DirectoryRules {
            emergency_numbers: self.config.of(&self.tenant).emergency_numbers().to_vec(),
            no_caller_id: if force { NoCallerId::Journal } else { NoCallerId::Refuse },
        }
    }

    pub(super) async fn set(&self, user: &Extension, settings: Vec<Setting>) -> Result<()> {
        let emergency_numbers = self.rules(false).emergency_numbers;
        let change = SettingsCommand { user: user.clone(), settings, emergency_numbers };
        self.commit(Change::Settings(change)).await.map(drop).map_err(|error| refused(error, false))
    }

    pub(super) async fn move_session(&self, command: SessionCommand) -> Result<Transition, StoreError> {
        Ok(self.commit(Change::Session(command)).await?.into_transition())
    }

    /// Makes a change, with this command as the actor.
    pub(super) async fn commit(&self, change: Change) -> Result<Outcome, StoreError> {
        commands::change(&*self.store, &self.tenant, (actor(), commands::now()), change).await
    }
}

/// What a command does when the file of the store does not exist.
#[derive(Clone, Copy, Debug)]
pub(super) enum Absent {
    /// It makes the file.
    Make,
    /// It is an error: there is nothing to read or to change.
    Refuse,
    /// It reads an empty store, and makes no file.
    Empty,
}

/// Whether a command adds a record or changes one that is there.
#[derive(Clone, Copy, Debug)]
pub(super) enum Verb {
    Add,
    Set,
}

/// Opens the store, and says so if its file is made although there is a pepper: then there was a store before.
pub(super) async fn open_store(
    config: &Config,
    absent: Absent,
    made: impl Fn(&Path),
) -> Result<Arc<dyn Store>> {
    let url = config.store.url.as_str();
    let missing = store::file(url, &config.folder).filter(|path| matches!(path.try_exists(), Ok(false)));
    match (&missing, absent) {
        (Some(path), Absent::Refuse) => bail!(
            "there is no store at {}: the first user, device or location makes it (hotdesk user add EXT), and so does \
             hotdesk serve. If there was a store, put it back, or correct [store] url",
            path.display()
        ),
        (Some(_), Absent::Empty) => return Ok(Arc::new(Memory::default())),
        _ => {}
    }
    let missing = missing.filter(|_| config.store.pepper_file.exists());
    let store = store::open(url, &config.folder).await?;
    missing.iter().for_each(|path| made(path));
    Ok(store)
}

/// A refusal, with what the administrator can do on the command line.
#[derive(Debug, thiserror::Error)]
#[error("{text}")]
pub(super) struct Advised {
    text: String,
    pub(super) refusal: Refusal,
}

/// An error of the store for the administrator; a [`Refusal`] as [`Advised`]. What is missing is to be added first if a
/// `device` names it.
pub(super) fn refused(error: StoreError, device: bool) -> anyhow::Error {
    match error {
        StoreError::Refused(refusal) => {
            let advice = advice(&refusal, device).map_or_else(String::new, |advice| format!(": {advice}"));
            Advised { text: format!("{refusal}{advice}"), refusal }.into()
        }
        other => other.into(),
    }
}

fn advice(refusal: &Refusal, device: bool) -> Option<String> {
    Some(match refusal {
        Refusal::EmergencyCallerIdNeeded(..) => "give another --emergency-caller-id, or add --force".into(),
        Refusal::EmergencyExtension(_) => "choose another extension".into(),
        Refusal::ForwardToEmergency(_) | Refusal::ForwardToSelf(_) => "forward to another number".into(),
        Refusal::KindForbidsHotdesk(name, _) => format!("add --no-hotdesk, or --kind desk for {name}"),
        Refusal::KindNeedsOwner(name, _) => format!("add --owner EXT to {name}"),
        Refusal::LastAdministrator(_) => "add another one first: hotdesk web admin NAME".into(),
        Refusal::LocationInUse(..) => {
            "give them another one first: hotdesk device set NAME --location OTHER".into()
        }
        Refusal::Missing(Subject::Location(location)) if device => {
            format!("add it first: hotdesk location add {location} --emergency-caller-id NUM")
        }
        Refusal::Missing(Subject::User(user)) if device => format!("add it first: hotdesk user add {user}"),
        Refusal::NoEmergencyCallerId(_, None) => {
            "give its location (--location NAME), or add --no-hotdesk, or --force".into()
        }
        Refusal::NoEmergencyCallerId(_, Some(location)) => format!(
            "give that location an emergency caller ID (hotdesk location set {location} --emergency-caller-id \
             NUM), or add --no-hotdesk, or --force"
        ),
        Refusal::NotAnEmergencyNumber(_) => "add it there, then hotdesk dialplan install".into(),
        _ => return None,
    })
}

pub(super) fn switch_named<'a>(config: &'a Config, name: &SwitchName) -> Result<&'a Switch> {
    config.switch(name).with_context(|| {
        let names = output::joined(config.switches.iter().map(|switch| &switch.name), " and ");
        format!("there is no [[switch]] named {name} in the configuration; there is {names}")
    })
}

/// The administrator, for the journal: their login name on this machine, also behind sudo.
pub(super) fn actor() -> Actor {
    let name = ["SUDO_USER", "USER", "LOGNAME"].into_iter().find_map(|variable| env::var(variable).ok());
    let name = name.map(|name| name.chars().filter(|c| !c.is_control()).take(64).collect::<String>());
    // A container often sets no name; the user ID of this process is the next best.
    let number = || match std::fs::metadata("/proc/self") {
        Ok(process) => format!("uid {}", process.uid()),
        Err(_) => "unknown".into(),
    };
    Actor::Command(name.filter(|name| !name.is_empty()).unwrap_or_else(number))
}
