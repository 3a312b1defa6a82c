//! A switch's table on Asterisk: rows in AstDB, lamps as hints, both over AMI.

use async_trait::async_trait;
use futures_util::future::try_join_all;
use jiff::Timestamp;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{broadcast, mpsc, watch};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::ami::{Action, Message};
use super::database;
use super::manager::Manager;
use super::mwi::Mwi;
use super::phones;
use super::queues;
use super::rows;
use super::space::Space;
use crate::desk::group::{Groups, Kind};
use crate::desk::id::{DeviceName, Extension, GroupName, Revision, TenantId};
use crate::desk::model::Device;
use crate::desk::table::{DeviceRow, Edit, Key, Lamp, ProfileRow, Row, Scope, Table};
use crate::switch::activity::{Look, Stir};
use crate::switch::{Switch, SwitchError};

/// Pauses that wait for whoever keeps them.
const PAUSES: usize = 64;

/// The table of one tenant on one Asterisk.
pub struct AstDb {
    manager: Manager,
    space: Space,
    /// Shows the voicemail of who sits there on the lamps of devices, where that is wanted.
    mwi: Option<Mwi>,
    /// Those whose members are part of the table.
    groups: Groups,
}

impl AstDb {
    /// The table of `tenant` on the Asterisk that `manager` is connected to.
    #[must_use]
    pub fn new(manager: Manager, tenant: &TenantId) -> Self {
        Self { manager, space: Space::of(tenant), groups: Groups::new(), mwi: None }
    }

    /// Of which the members of these groups are part.
    #[must_use]
    pub fn with(self, groups: Groups) -> Self {
        Self { groups, ..self }
    }

    /// The same, and each device is told of the voicemail of who sits there, from now on.
    #[must_use]
    pub fn with_mailboxes(self, stop: CancellationToken) -> Self {
        Self { mwi: Some(Mwi::start(self.manager.clone(), stop)), ..self }
    }

    async fn read_all(&self) -> Result<Table, SwitchError> {
        let tree = self.manager.list(Action::new("DBGetTree").with("Family", self.space.name())).await?;
        let mut table: Table = tree.iter().filter_map(|event| self.row_of(event)).collect();
        // Where no hint stands for the very extension, the pattern does, and that reads the user's rows.
        let lamps: Vec<(Key, Row)> =
            table.iter().filter_map(|(key, row)| by_pattern(&table, key, row)).collect();
        table.extend(lamps);
        table.extend(self.members(None).await?);
        let hints = self.manager.list(Action::new("ExtensionStateList")).await?;
        let context = self.space.hints();
        for hint in hints.iter().filter(|hint| hint.header("Context") == Some(context.as_str())) {
            let Some(key) = rows::read_extension(hint.header("Exten").unwrap_or_default()) else { continue };
            table.remove(&key);
            table.extend(lamp(key, hint));
        }
        table.extend(self.lit().await?);
        Ok(table)
    }

    async fn read_some(&self, users: &[&Extension], devices: &[&DeviceName]) -> Result<Table, SwitchError> {
        let keys = users.iter().flat_map(|user| [Key::User((*user).clone()), Key::Profile((*user).clone())]);
        let keys = keys.chain(devices.iter().map(|device| Key::Device((*device).clone())));
        let rings = || self.groups.iter().filter(|(_, group)| group.kind == Kind::Ring);
        let keys = keys.chain(
            users
                .iter()
                .flat_map(|user| rings().map(|(group, _)| Key::Member(group.clone(), (*user).clone()))),
        );
        let rows = try_join_all(keys.map(|key| self.row(key))).await?;
        let lamps = users.iter().map(|user| Key::Lamp((*user).clone()));
        let lamps = lamps.chain(devices.iter().map(|device| Key::Seat((*device).clone())));
        let lamps = try_join_all(lamps.map(|key| self.lamp(key))).await?;
        let members = try_join_all(users.iter().map(|user| self.members(Some(user)))).await?;
        Ok(rows.into_iter().chain(lamps).flatten().chain(members.into_iter().flatten()).collect())
    }

    /// In which queues somebody of ours, or just this user, is a member.
    async fn members(&self, user: Option<&Extension>) -> Result<Vec<(Key, Row)>, SwitchError> {
        // `app_queue` need not be there.
        if self.groups.values().all(|group| group.kind != Kind::Queue) {
            return Ok(vec![]);
        }
        let events = self.manager.list(queues::ask(&self.space, user)).await?;
        Ok(events.iter().filter_map(|event| queues::row(&self.space, event)).collect())
    }

    async fn row(&self, key: Key) -> Result<Option<(Key, Row)>, SwitchError> {
        let Some(place) = rows::key(&key) else { return Ok(None) };
        let value = database::get(&self.manager, self.space.name(), &place).await?;
        Ok(value.map(|value| {
            let row = rows::read(&key, &value);
            (key, row)
        }))
    }

    /// The hint that stands for this very extension. Where only the pattern does, its text is no lamp, and differs from any.
    async fn lamp(&self, key: Key) -> Result<Option<(Key, Row)>, SwitchError> {
        let Some(extension) = rows::extension(&key) else { return Ok(None) };
        let state =
            Action::new("ExtensionState").with("Exten", extension).with("Context", self.space.hints());
        Ok(lamp(key, &self.manager.act(state).await?))
    }

    /// What lamps show that are lit: busy, or they would be dark.
    async fn lit(&self) -> Result<Option<(Key, Row)>, SwitchError> {
        let state = self.manager.act(Action::new("Getvar").with("Variable", state_of(rows::ON))).await?;
        Ok((state.header("Value") == Some("BUSY")).then_some((Key::Lit, Row::Lamp(Lamp::LIT))))
    }

    /// A row as `DBGetTree` lists it: its key with a slash and the family before it.
    fn row_of(&self, event: &Message) -> Option<(Key, Row)> {
        let key =
            event.header("Key")?.strip_prefix('/')?.strip_prefix(self.space.name())?.strip_prefix('/')?;
        let key = rows::read_key(key);
        let row = rows::read(&key, event.header("Val").unwrap_or_default());
        Some((key, row))
    }

    /// What makes an edit true. A hint is replaced, never removed: that would end its watchers' subscriptions.
    fn action(&self, edit: &Edit) -> Option<Action> {
        if edit.key == Key::Lit {
            return Some(Action::new("Setvar").with("Variable", state_of(rows::ON)).with("Value", "BUSY"));
        }
        if let Some(extension) = rows::extension(&edit.key) {
            let lamp = match &edit.is {
                Some(Row::Lamp(lamp)) => Some(lamp),
                _ => None,
            };
            return Some(
                Action::new("DialplanExtensionAdd")
                    .with("Context", self.space.hints())
                    .with("Extension", extension)
                    .with("Priority", "hint")
                    .with("Application", rows::hint(lamp))
                    .with("Replace", "yes"),
            );
        }
        let member = |row: &Option<Row>| match row {
            Some(Row::Member(member)) if member.kind == Kind::Queue => Some(*member),
            _ => None,
        };
        if let (Key::Member(queue, user), was, is) = (&edit.key, member(&edit.was), member(&edit.is))
            && was.or(is).is_some()
        {
            return Some(queues::change(&self.space, queue, user, was, is));
        }
        let key = rows::key(&edit.key)?;
        Some(match edit.is.as_ref().and_then(rows::value) {
            Some(value) => {
                Action::new("DBPut").with("Family", self.space.name()).with("Key", key).with("Val", value)
            }
            None => Action::new("DBDel").with("Family", self.space.name()).with("Key", key),
        })
    }
}

#[async_trait]
impl Switch for AstDb {
    async fn read(&self, scope: &Scope, _: &Table) -> Result<Table, SwitchError> {
        match scope {
            Scope::All => {
                let table = self.read_all().await?;
                self.mwi.iter().for_each(|mwi| mwi.read(&table));
                Ok(table)
            }
            Scope::Some { users, devices } => {
                let (users, devices): (Vec<_>, Vec<_>) = (users.iter().collect(), devices.iter().collect());
                self.read_some(&users, &devices).await
            }
        }
    }

    async fn apply(&self, edits: &[Edit]) -> Result<(), SwitchError> {
        let actions: Vec<Action> = edits.iter().filter_map(|edit| self.action(edit)).collect();
        let names: Vec<&'static str> = actions.iter().map(Action::name).collect();
        let responses = self.manager.act_all(actions).await?;
        for (name, response) in names.into_iter().zip(&responses) {
            let why = response.header("Message").unwrap_or("no reason given");
            match name {
                _ if response.is_success() => {}
                // Gone already is as good as deleted.
                "DBDel" | "QueueRemove" => {}
                // A queue that is not there keeps nobody from his desk. It is tried again each minute.
                "QueueAdd" | "QueuePause" => warn!(
                    event = "queue.refused",
                    why, "somebody is not in a queue that he signed in to; hotdesk check says more"
                ),
                name => return Err(SwitchError::Refused(name.into(), why.into())),
            }
        }
        self.mwi.iter().for_each(|mwi| mwi.written(edits));
        Ok(())
    }

    async fn look_at(&self, devices: &[Device]) -> Result<Look, SwitchError> {
        phones::look_at(&self.manager, devices).await
    }

    async fn ring(&self, device: &Device, until: Timestamp) -> Result<(), SwitchError> {
        phones::ring(&self.manager, &self.space, device, until).await
    }

    fn pauses(&self) -> Option<mpsc::Receiver<(GroupName, Extension)>> {
        let (mut heard, space) = (self.manager.pauses(), self.space.clone());
        let (told, pauses) = mpsc::channel(PAUSES);
        tokio::spawn(async move {
            loop {
                match heard.recv().await {
                    Ok(paused) => {
                        let Some(whose) = paused.of(&space) else { continue };
                        if told.send(whose).await.is_err() {
                            return;
                        }
                    }
                    // The minute's comparison puts it as it was.
                    Err(RecvError::Lagged(_)) => {}
                    Err(RecvError::Closed) => return,
                }
            }
        });
        Some(pauses)
    }

    fn stirs(&self) -> broadcast::Receiver<Stir> {
        self.manager.stirs()
    }

    fn unsettled(&self) -> watch::Receiver<u64> {
        self.manager.unsettled()
    }
}

/// The lamp of a row, by the pattern's hint; none, if it is dark.
fn by_pattern(table: &Table, key: &Key, row: &Row) -> Option<(Key, Row)> {
    let (key, lamp) = match (key, row) {
        (Key::Device(device), Row::Device(DeviceRow { revision, .. })) if *revision > Revision(0) => {
            (Key::Seat(device.clone()), Lamp::LIT)
        }
        (Key::User(user), Row::User(row)) => {
            let lamp = match table.get(&Key::Profile(user.clone())) {
                Some(Row::Profile(ProfileRow { lamp: Some(lamp), .. })) => lamp.clone(),
                _ => Lamp::of(row.dial.clone()?),
            };
            (Key::Lamp(user.clone()), lamp)
        }
        _ => return None,
    };
    (lamp != Lamp::DARK).then_some((key, Row::Lamp(lamp)))
}

fn lamp(key: Key, state: &Message) -> Option<(Key, Row)> {
    let row = rows::read_hint(state.header("Hint").unwrap_or_default())?;
    Some((key, row))
}

fn state_of(device: &str) -> String {
    format!("DEVICE_STATE({device})")
}
