//! The table on a FreePBX in Device & User mode: its own rows in AstDB and its own hints, and nothing else of it.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use futures_util::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;
use tokio::sync::{broadcast, watch};

use super::super::ami::Action;
use super::super::manager::Manager;
use super::super::space::Space;
use super::super::{database, phones};
use super::mwi;
use super::rows::{HINTS, Person, Seen, Station, name_of, targets, watched};
use crate::desk::id::{Extension, TenantId};
use crate::desk::model::Device;
use crate::desk::table::{Edit, Key, Row, Scope, Table};
use crate::switch::activity::{Look, Stir};
use crate::switch::{Switch, SwitchError};

/// Questions that are asked at a time.
const AT_ONCE: usize = 128;

/// The table of one tenant on one FreePBX.
pub struct FreePbxTable {
    manager: Manager,
    space: Space,
}

impl FreePbxTable {
    /// The table of `tenant` on the FreePBX that `manager` is connected to.
    #[must_use]
    pub fn new(manager: Manager, tenant: &TenantId) -> Self {
        Self { manager, space: Space::of(tenant) }
    }

    /// What there is of these, and of all devices that their lists name.
    async fn see(
        &self,
        users: BTreeSet<Extension>,
        mut devices: BTreeSet<String>,
    ) -> Result<Seen, SwitchError> {
        devices.remove("");
        let people = stream::iter(users).map(|user| async move {
            let person = self.person(&user).await?;
            Ok::<_, SwitchError>((user, person))
        });
        let users: BTreeMap<Extension, Person> = people.buffered(AT_ONCE).try_collect().await?;
        devices.extend(users.values().flat_map(|person| person.devices.iter().cloned()));
        let stations = stream::iter(devices).map(|device| async move {
            let station = self.station(&device).await?;
            Ok::<_, SwitchError>((device, station))
        });
        Ok(Seen { users, devices: stations.buffered(AT_ONCE).try_collect().await? })
    }

    async fn person(&self, user: &Extension) -> Result<Person, SwitchError> {
        let get =
            async |field: &str| database::get(&self.manager, "AMPUSER", &format!("{user}/{field}")).await;
        let state = Action::new("ExtensionState").with("Exten", user.as_str()).with("Context", HINTS);
        let hint = self.manager.act(state).await?.header("Hint").unwrap_or_default().to_owned();
        let devices = get("device").await?.unwrap_or_default();
        let devices = devices.split('&').map(str::trim).filter(|device| !device.is_empty());
        Ok(Person { voicemail: get("voicemail").await?, devices: devices.map(Into::into).collect(), hint })
    }

    async fn station(&self, device: &str) -> Result<Station, SwitchError> {
        let get =
            async |field: &str| database::get(&self.manager, "DEVICE", &format!("{device}/{field}")).await;
        Ok(Station { kind: get("type").await?, user: get("user").await?, dial: get("dial").await? })
    }
}

#[async_trait]
impl Switch for FreePbxTable {
    async fn read(&self, scope: &Scope, expected: &Table) -> Result<Table, SwitchError> {
        let (mut users, mut devices) = (BTreeSet::new(), BTreeSet::new());
        for (key, row) in expected {
            match key {
                Key::User(user) if scope.contains(key) => drop(users.insert(user.clone())),
                // All of them: a list may name any.
                Key::Device(device) => drop(devices.insert(device.to_string())),
                _ => devices.extend(names(Some(row))),
            }
        }
        Ok(self.see(users, devices).await?.table(scope, expected))
    }

    async fn apply(&self, edits: &[Edit]) -> Result<(), SwitchError> {
        let (mut users, mut devices) = (BTreeSet::new(), BTreeSet::new());
        for edit in edits {
            match &edit.key {
                Key::Device(device) => drop(devices.insert(device.to_string())),
                Key::Lamp(user) => drop(users.insert(user.clone())),
                _ => continue,
            }
            devices.extend([&edit.was, &edit.is].into_iter().flat_map(|row| names(row.as_ref())));
        }
        // Looked at again: what its administrator did meanwhile is not undone by a list as it was.
        let writes = self.see(users, devices).await?.writes(edits);
        let names: Vec<&'static str> = writes.rows.iter().map(Action::name).collect();
        for (name, response) in names.into_iter().zip(&self.manager.act_all(writes.rows).await?) {
            // Gone already is as good as deleted.
            if !response.is_success() && name != "DBDel" {
                let why = response.header("Message").unwrap_or("no reason given");
                return Err(SwitchError::Refused(name.into(), why.into()));
            }
        }
        // Who listens has heard of it or not: the login stands.
        self.manager.act_all(writes.events).await?;
        for (device, user) in &writes.moved {
            mwi::tell(&self.manager, device, user.as_ref()).await?;
        }
        writes.refused.map_or(Ok(()), Err)
    }

    async fn look_at(&self, devices: &[Device]) -> Result<Look, SwitchError> {
        phones::look_at(&self.manager, devices).await
    }

    async fn ring(&self, device: &Device, until: Timestamp) -> Result<(), SwitchError> {
        phones::ring(&self.manager, &self.space, device, until).await
    }

    fn stirs(&self) -> broadcast::Receiver<Stir> {
        self.manager.stirs()
    }

    fn unsettled(&self) -> watch::Receiver<u64> {
        self.manager.unsettled()
    }
}

/// The devices of a lamp's row.
fn names(lamp: Option<&Row>) -> impl Iterator<Item = String> {
    targets(watched(lamp)).map(|target| name_of(target).to_owned())
}
