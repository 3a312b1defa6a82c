//! What every command works on: one tenant's part of the store, as the configuration says.

use std::env;
use std::os::unix::fs::MetadataExt;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use jiff::Timestamp;

use crate::config::{Config, Switch};
use crate::controller::request_id;
use crate::desk::id::{DeviceName, Extension, Revision, SwitchName, TenantId};
use crate::desk::journal::{Actor, Entry, Event};
use crate::desk::model::{Device, Office, User};
use crate::desk::seat::{Act, Move, Transition};
use crate::desk::table::Scope;
use crate::store::{self, Change, Store, StoreError, What};

/// One tenant's part of the store.
pub(super) struct Site {
    pub(super) config: Config,
    pub(super) store: Arc<dyn Store>,
    pub(super) tenant: TenantId,
}

impl Site {
    pub(super) async fn open(config: Config, tenant: TenantId) -> anyhow::Result<Self> {
        if !config.serves(&tenant) {
            bail!("no [[switch]] in the configuration has phones of the tenant {tenant}");
        }
        let store = store::open(config.store.url.as_str(), &config.folder).await?;
        Ok(Self { config, store, tenant })
    }

    /// The switch of that name, which has phones of the tenant.
    pub(super) fn switch(&self, name: &SwitchName) -> anyhow::Result<&Switch> {
        let (switch, tenant) = (switch_named(&self.config, name)?, &self.tenant);
        if !switch.has(tenant) {
            bail!("the switch {name} has no phones of {tenant}: add it to its tenants in the configuration");
        }
        Ok(switch)
    }

    /// Everything there is of the tenant.
    pub(super) async fn office(&self) -> anyhow::Result<Office> {
        Ok(self.store.office(&self.tenant, &Scope::All).await?)
    }

    /// What is known about this user, if there is one, and his place.
    pub(super) async fn office_of_user(&self, extension: &Extension) -> anyhow::Result<Office> {
        Ok(self.store.office(&self.tenant, &Scope::user(extension)).await?)
    }

    /// A user, and the rest of what is known about his place.
    pub(super) async fn user(&self, extension: &Extension) -> anyhow::Result<(User, Office)> {
        let office = self.office_of_user(extension).await?;
        let user = office.users.get(extension).cloned();
        Ok((user.with_context(|| format!("there is no user {extension}"))?, office))
    }

    /// A device, and the rest of what is known about who sits there.
    pub(super) async fn device(&self, name: &DeviceName) -> anyhow::Result<(Device, Office)> {
        let office = self.store.office(&self.tenant, &Scope::device(name)).await?;
        let device = office.devices.get(name).cloned();
        Ok((device.with_context(|| format!("there is no device {name}"))?, office))
    }

    /// Changes the directory.
    pub(super) async fn change(&self, what: What) -> anyhow::Result<()> {
        let change = Change { tenant: self.tenant.clone(), what, by: actor(), at: now() };
        self.store.change(&change).await?;
        Ok(())
    }

    /// Journals that somebody wanted these devices for hotdesking although no emergency caller-ID is known of them.
    pub(super) async fn record_waived(&self, devices: &[DeviceName]) -> anyhow::Result<()> {
        let entry = |device: &DeviceName| Entry {
            revision: Revision::default(),
            at: now(),
            tenant: self.tenant.clone(),
            by: actor(),
            call: None,
            code: None,
            event: Event::LocationWaived { device: device.clone() },
        };
        Ok(self.store.record(&devices.iter().map(entry).collect::<Vec<_>>()).await?)
    }

    /// Changes who sits where.
    pub(super) async fn move_people(&self, act: Act) -> Result<Transition, StoreError> {
        let act = Move {
            request: request_id()?,
            tenant: self.tenant.clone(),
            act,
            by: actor(),
            call: None,
            code: None,
            at: now(),
        };
        self.store.move_people(&act).await
    }
}

/// The switch of that name in the configuration.
pub(super) fn switch_named<'a>(config: &'a Config, name: &SwitchName) -> anyhow::Result<&'a Switch> {
    config.switch(name).with_context(|| {
        let names: Vec<&str> = config.switches.iter().map(|switch| switch.name.as_str()).collect();
        format!("there is no [[switch]] named {name} in the configuration; it has {}", names.join(" and "))
    })
}

/// To the millisecond, as the store keeps it.
pub(super) fn now() -> Timestamp {
    let now = Timestamp::now();
    Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now)
}

/// Who gives the command, for the journal: the name he logged in to the machine with, also behind sudo.
pub(super) fn actor() -> Actor {
    let name = ["SUDO_USER", "USER", "LOGNAME"].into_iter().find_map(|variable| env::var(variable).ok());
    let name = name.map(|name| name.chars().filter(|c| !c.is_control()).take(64).collect::<String>());
    // A container often names nobody; then the number of who runs this process says at least something.
    let number = || match std::fs::metadata("/proc/self") {
        Ok(process) => format!("uid {}", process.uid()),
        Err(_) => "unknown".into(),
    };
    Actor::Command(name.filter(|name| !name.is_empty()).unwrap_or_else(number))
}
