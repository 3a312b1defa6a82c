//! The switch table on a FreePBX: FreePBX's own rows in AstDB and its own hints.

use std::collections::BTreeSet;
use std::sync::{Arc, PoisonError};

use async_trait::async_trait;
use futures_util::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;
use tokio::sync::{broadcast, watch};

use super::mwi::{self, Hotdesks};
use super::rows;
use super::rows::project::project;
use super::rows::writes::{self, Writes};
use crate::asterisk::ami::client::Manager;
use crate::asterisk::ami::codec::{Action, Message};
use crate::asterisk::devices::{ring, states};
use crate::asterisk::events::Events;
use crate::asterisk::namespace::Namespace;
use crate::asterisk::table::rows::{self as own, ASTDB, HINTS};
use crate::asterisk::table::{astdb, database};
use crate::model::desired::{About, Desired, Edit, Key, Reading, Records, Subjects};
use crate::model::directory::Device;
use crate::model::id::{DeviceName, Extension, TenantId};
use crate::switch::device_state::{DeviceEvent, DeviceStates};
use crate::switch::{Switch, SwitchError};

/// Queries to send at once.
const AT_ONCE: usize = 128;

/// The table of one tenant on one FreePBX.
pub struct FreePbxTable {
    manager: Manager,
    events: Events,
    space: Namespace,
    hotdesks: Hotdesks,
}

impl FreePbxTable {
    /// The table of `tenant` on the FreePBX that `manager` is connected to.
    #[must_use]
    pub fn new(manager: Manager, tenant: &TenantId) -> Self {
        let hotdesks = Hotdesks::default();
        Self { manager, events: Events::default(), space: Namespace::of(tenant), hotdesks }
    }

    /// The same, with the `events` of its Asterisk.
    #[must_use]
    pub fn hearing(self, events: Events) -> Self {
        Self { events, ..self }
    }

    /// Sends MWI to its hotdesks as mailboxes and registrations change, while it runs.
    pub fn follow_mwi(&self) -> impl Future<Output = ()> + Send + use<> {
        mwi::follow(self.manager.clone(), self.events.clone(), Arc::clone(&self.hotdesks))
    }

    /// All users and devices that FreePBX has, and their hints.
    async fn read_all(&self) -> Result<Reading, SwitchError> {
        let mut reading = Reading { shared: true, ..Reading::default() };
        for family in [rows::USERS, rows::DEVICES] {
            let tree = self.manager.list(Action::new("DBGetTree").with("Family", family)).await;
            let rows = database::found(tree).map(Option::unwrap_or_default);
            let rows = rows.map(|rows| rows.iter().filter_map(rows::listed).collect());
            astdb::add(&mut reading, ASTDB, rows)?;
        }
        let hints = self.manager.list(Action::new("ExtensionStateList")).await;
        let hints = hints.map(|all| all.iter().filter_map(rows::listed_hint).collect());
        astdb::add(&mut reading, HINTS, hints)?;
        astdb::add(&mut reading, ASTDB, self.values(self.mark_key().into_iter().collect()).await)?;
        Ok(reading)
    }

    /// Records of these subjects, of the extensions that the devices themselves are, and of all devices that the lists name.
    async fn read_some(&self, subjects: &Subjects) -> Result<Reading, SwitchError> {
        let mut reading = Reading { shared: true, ..Reading::default() };
        let own = subjects.devices.iter().filter_map(|device| Extension::new(device.as_str()).ok());
        let extensions: BTreeSet<Extension> = subjects.users.iter().cloned().chain(own).collect();
        let users = extensions.iter().flat_map(rows::of_user).chain(self.mark_key());
        let users = self.values(users.collect()).await;
        let mut devices: BTreeSet<String> = subjects.devices.iter().map(ToString::to_string).collect();
        devices.extend(users.iter().flat_map(rows::devices_of));
        astdb::add(&mut reading, ASTDB, users)?;
        let devices = self.values(devices.iter().flat_map(|device| rows::of_device(device)).collect()).await;
        astdb::add(&mut reading, ASTDB, devices)?;
        let ask = |user: &Extension| {
            Action::new("ExtensionState").with("Exten", user.as_str()).with("Context", rows::HINTS)
        };
        let hints = self.manager.act_all(extensions.iter().map(ask).collect()).await;
        let text = |(user, state): (&Extension, Message)| {
            Some((rows::hint_key(user), state.header("Hint").filter(|hint| !hint.is_empty())?.to_owned()))
        };
        let hints = hints.map(|all| extensions.iter().zip(all).filter_map(text).collect());
        astdb::add(&mut reading, HINTS, hints)?;
        Ok(reading)
    }

    /// Those of these rows that exist.
    async fn values(&self, keys: Vec<Key>) -> Result<Records, SwitchError> {
        let values = stream::iter(keys).map(|key| async move {
            let (family, place) = key.name.split_once('/').unwrap_or_default();
            let value = database::get(&self.manager, family, place).await?;
            Ok::<_, SwitchError>(value.map(|value| (key, value)))
        });
        let values: Vec<_> = values.buffered(AT_ONCE).try_collect().await?;
        Ok(values.into_iter().flatten().collect())
    }
}

#[async_trait]
impl Switch for FreePbxTable {
    async fn read(&self, subjects: &Subjects) -> Result<Reading, SwitchError> {
        if subjects.others { self.read_all().await } else { self.read_some(subjects).await }
    }

    fn project(&self, desired: &Desired, found: &Records) -> Records {
        project(desired, found)
    }

    fn refusal(&self, edit: &Edit) -> Option<SwitchError> {
        writes::refusal(edit)
    }

    fn keeps(&self, about: &About) -> bool {
        matches!(about, About::Device(_) | About::User(_) | About::Blf(_))
    }

    fn mark_key(&self) -> Option<Key> {
        own::key_of(&self.space, About::Store)
    }

    async fn apply(&self, edits: &[Edit]) -> Result<(), SwitchError> {
        let Writes { rows, events, moved } = writes::writes(edits);
        astdb::act(&self.manager, rows.into_iter()).await?;
        // The login stands, even if no other program hears of it.
        self.manager.act_all(events).await?;
        for (device, user) in &moved {
            mwi::send(&self.manager, device, user.as_ref()).await?;
        }
        Ok(())
    }

    async fn reconciled(&self, subjects: &Subjects, desired: &Desired) -> Result<(), SwitchError> {
        let is_hotdesk = |device: &&DeviceName| desired.devices.get(*device).is_some_and(|it| it.hotdesk);
        let mut hotdesks = self.hotdesks.lock().unwrap_or_else(PoisonError::into_inner);
        hotdesks.retain(|device| !subjects.others && !subjects.devices.contains(device));
        hotdesks.extend(subjects.devices.iter().filter(is_hotdesk).cloned());
        Ok(())
    }

    async fn device_states(&self, devices: &[Device]) -> Result<DeviceStates, SwitchError> {
        states::look_at(&self.manager, devices).await
    }

    async fn ring(&self, device: &Device, until: Timestamp) -> Result<(), SwitchError> {
        ring::ring(&self.manager, &self.space, device, until).await
    }

    fn device_events(&self) -> broadcast::Receiver<DeviceEvent> {
        self.events.devices.subscribe()
    }

    fn in_doubt(&self) -> watch::Receiver<u64> {
        self.events.in_doubt()
    }
}
