//! A switch's table on Asterisk: rows in AstDB, lamps as hints, both over AMI.

use std::collections::BTreeSet;

use async_trait::async_trait;
use futures_util::future::try_join_all;
use jiff::Timestamp;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{broadcast, mpsc, watch};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::ami::{Action, Message};
use super::database;
use super::hints;
use super::manager::Manager;
use super::members::Members;
use super::mwi::Mwi;
use super::phones;
use super::queues;
use super::rows;
use super::space::Space;
use crate::desk::group::{Groups, Kind};
use crate::desk::id::{DeviceName, Extension, GroupName, TenantId};
use crate::desk::model::Device;
use crate::desk::table::{Edit, Key, Lamp, Row, Scope, Table};
use crate::switch::activity::{Look, Stir};
use crate::switch::{Switch, SwitchError};

/// Rows or hints of more than so many are listed all at once: Asterisk looks each hint up among all that it has.
const MANY: usize = 200;
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
    members: Members,
}

impl AstDb {
    /// The table of `tenant` on the Asterisk that `manager` is connected to.
    #[must_use]
    pub fn new(manager: Manager, tenant: &TenantId) -> Self {
        let space = Space::of(tenant);
        Self {
            manager,
            members: Members::of(&space, &Groups::new()),
            space,
            groups: Groups::new(),
            mwi: None,
        }
    }

    /// Of which the members of these groups are part.
    #[must_use]
    pub fn with(self, groups: Groups) -> Self {
        Self { members: Members::of(&self.space, &groups), groups, ..self }
    }

    /// The same, and each device is told of the voicemail of who sits there, from now on.
    #[must_use]
    pub fn with_mailboxes(self, stop: CancellationToken) -> Self {
        Self { mwi: Some(Mwi::start(self.manager.clone(), stop)), ..self }
    }

    async fn read_all(&self) -> Result<Table, SwitchError> {
        let tree = self.manager.list(Action::new("DBGetTree").with("Family", self.space.name())).await?;
        let mut table: Table = tree.iter().filter_map(|event| self.row_of(event)).collect();
        hints::light(&mut table, self.hints().await?);
        table.extend(self.members.all(&self.manager).await?);
        table.extend(self.lit().await?);
        Ok(table)
    }

    async fn read_some(
        &self,
        users: &[&Extension],
        devices: &[&DeviceName],
        wanted: &Table,
    ) -> Result<Table, SwitchError> {
        let keys = users.iter().flat_map(|user| [Key::User((*user).clone()), Key::Profile((*user).clone())]);
        let keys = keys.chain(devices.iter().map(|device| Key::Device((*device).clone())));
        let rings = || self.groups.iter().filter(|(_, group)| group.kind == Kind::Ring);
        let keys = keys.chain(
            users
                .iter()
                .flat_map(|user| rings().map(|(group, _)| Key::Member(group.clone(), (*user).clone()))),
        );
        let rows = try_join_all(keys.map(|key| self.row(key))).await?;
        let mut table: Table = rows.into_iter().flatten().collect();
        let lamps = users.iter().map(|user| Key::Lamp((*user).clone()));
        let lamps = lamps.chain(devices.iter().map(|device| Key::Seat((*device).clone()))).collect();
        let standing = self.standing(lamps).await?;
        hints::light(&mut table, standing);
        table.extend(self.members.some(&self.manager, users, wanted).await?);
        Ok(table)
    }

    async fn row(&self, key: Key) -> Result<Option<(Key, Row)>, SwitchError> {
        let Some(place) = rows::key(&key) else { return Ok(None) };
        let value = database::get(&self.manager, self.space.name(), &place).await?;
        Ok(value.map(|value| {
            let row = rows::read(&key, &value);
            (key, row)
        }))
    }

    /// All lamps that have a hint of their own, and its text.
    async fn hints(&self) -> Result<Vec<(Key, String)>, SwitchError> {
        let listed = self.manager.list(Action::new("ExtensionStateList")).await?;
        Ok(listed.iter().filter_map(|event| hints::listed(&self.space, event)).collect())
    }

    /// Those of these lamps that have a hint of their own, and its text.
    async fn standing(&self, lamps: BTreeSet<Key>) -> Result<Vec<(Key, String)>, SwitchError> {
        if lamps.len() > MANY {
            let mut all = self.hints().await?;
            all.retain(|(key, _)| lamps.contains(key));
            return Ok(all);
        }
        let asked: Vec<Action> = lamps.iter().filter_map(|key| hints::ask(&self.space, key)).collect();
        let answers = self.manager.act_all(asked).await?;
        let mut standing = vec![];
        for (key, answer) in lamps.into_iter().zip(&answers) {
            standing.extend(hints::answer(answer)?.map(|hint| (key, hint.to_owned())));
        }
        Ok(standing)
    }

    /// What lamps show that are lit: busy, or they would be dark.
    async fn lit(&self) -> Result<Option<(Key, Row)>, SwitchError> {
        let state = self.manager.act(Action::new("Getvar").with("Variable", state_of(rows::ON))).await?;
        Ok((state.header("Value") == Some("BUSY")).then_some((Key::Lit, Row::Lamp(Lamp::LIT))))
    }

    /// Carries out actions; what is refused is an error, but for what keeps nobody from his desk.
    async fn act(&self, actions: Vec<Action>) -> Result<(), SwitchError> {
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
        Ok(())
    }

    /// A row as `DBGetTree` lists it: its key with a slash and the family before it.
    fn row_of(&self, event: &Message) -> Option<(Key, Row)> {
        let key =
            event.header("Key")?.strip_prefix('/')?.strip_prefix(self.space.name())?.strip_prefix('/')?;
        let key = rows::read_key(key);
        let row = rows::read(&key, event.header("Val").unwrap_or_default());
        Some((key, row))
    }

    /// What makes a row true.
    fn put(&self, edit: &Edit) -> Option<Action> {
        if edit.key == Key::Lit {
            return Some(Action::new("Setvar").with("Variable", state_of(rows::ON)).with("Value", "BUSY"));
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
    async fn read(&self, scope: &Scope, wanted: &Table) -> Result<Table, SwitchError> {
        match scope {
            Scope::All => {
                let table = self.read_all().await?;
                self.mwi.iter().for_each(|mwi| mwi.read(&table));
                Ok(table)
            }
            Scope::Some { users, devices } if users.len() + devices.len() > MANY => {
                let mut table = self.read_all().await?;
                table.retain(|key, _| scope.contains(key));
                Ok(table)
            }
            Scope::Some { users, devices } => {
                let (users, devices): (Vec<_>, Vec<_>) = (users.iter().collect(), devices.iter().collect());
                self.read_some(&users, &devices, wanted).await
            }
        }
    }

    async fn apply(&self, edits: &[Edit]) -> Result<(), SwitchError> {
        let (lamps, rest): (Vec<&Edit>, Vec<&Edit>) =
            edits.iter().partition(|edit| rows::extension(&edit.key).is_some());
        let (members, rows): (Vec<&Edit>, Vec<&Edit>) =
            rest.into_iter().partition(|edit| queues::is_of(edit));
        self.act(rows.into_iter().filter_map(|edit| self.put(edit)).collect()).await?;
        // After the rows: whoever begins to watch from now on is shown what they say, and who did before has a hint.
        let standing = self.standing(lamps.iter().map(|edit| edit.key.clone()).collect()).await?;
        let standing: BTreeSet<Key> = standing.into_iter().map(|(key, _)| key).collect();
        let lamps = lamps.into_iter().filter(|edit| standing.contains(&edit.key));
        self.act(lamps.filter_map(|edit| hints::change(&self.space, edit)).collect()).await?;
        // After those: a queue watches its members.
        self.act(members.iter().filter_map(|edit| self.members.change(edit)).collect()).await?;
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

fn state_of(device: &str) -> String {
    format!("DEVICE_STATE({device})")
}
