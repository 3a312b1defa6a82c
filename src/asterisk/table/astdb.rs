//! A switch's table on Asterisk over AMI: rows in AstDB, hints for BLF, members of queues.

use async_trait::async_trait;
use futures_util::StreamExt;
use futures_util::future::try_join_all;
use futures_util::stream::BoxStream;
use jiff::Timestamp;
use tokio::sync::{broadcast, watch};
use tracing::warn;

use super::database;
use super::hints;
use super::rows::{self, PAUSED};
use crate::asterisk::ami::client::Manager;
use crate::asterisk::ami::codec::{Action, Message};
use crate::asterisk::devices::{ring, states};
use crate::asterisk::events::Events;
use crate::asterisk::mwi::Mwi;
use crate::asterisk::namespace::Namespace;
use crate::asterisk::queues::members::Members;
use crate::asterisk::queues::membership;
use crate::model::desired::{About, Desired, Edit, Key, NotReadable, Part, Reading, Records, Subjects};
use crate::model::directory::Device;
use crate::model::directory::group::{Groups, Kind};
use crate::model::id::{Extension, GroupName, TenantId};
use crate::switch::device_state::{DeviceEvent, DeviceStates};
use crate::switch::{Pause, Switch, SwitchError, heard};

/// Above so many users and devices Hotdesk lists all records: Asterisk searches all its hints for each one.
const MANY: usize = 200;

/// The table of one tenant on one Asterisk.
pub struct AsteriskSwitch {
    manager: Manager,
    events: Events,
    space: Namespace,
    /// Sends devices the MWI of their users, if the site wants it.
    mwi: Option<Mwi>,
    /// The groups whose members are part of the table.
    groups: Groups,
    members: Members,
}

impl AsteriskSwitch {
    /// The table of `tenant` on the Asterisk that `manager` is connected to.
    #[must_use]
    pub fn new(manager: Manager, tenant: &TenantId) -> Self {
        let space = Namespace::of(tenant);
        Self {
            manager,
            members: Members::of(&space, &Groups::new()),
            space,
            events: Events::default(),
            groups: Groups::new(),
            mwi: None,
        }
    }

    /// The same, with the members of these groups.
    #[must_use]
    pub fn with(self, groups: Groups) -> Self {
        Self { members: Members::of(&self.space, &groups), groups, ..self }
    }

    /// The same, with the `events` of its Asterisk.
    #[must_use]
    pub fn hearing(self, events: Events) -> Self {
        Self { events, ..self }
    }

    /// The same, and the task that sends each device the MWI of its user while it runs.
    pub fn with_mailboxes(self) -> (Self, impl Future<Output = ()> + Send + 'static) {
        let mwi = Mwi::new(self.manager.clone());
        let task = mwi.clone().run(self.events.clone());
        (Self { mwi: Some(mwi), ..self }, task)
    }

    /// All records of the tenant.
    async fn read_all(&self) -> Result<Reading, SwitchError> {
        let mut reading = Reading::default();
        let rows = Action::new("DBGetTree").with("Family", self.space.name());
        let rows = database::found(self.manager.list(rows).await).map(Option::unwrap_or_default);
        let rows = rows.map(|rows| rows.into_iter().filter_map(|event| self.row_of(&event)).collect());
        add(&mut reading, rows::ASTDB, rows)?;
        let hints = self.manager.list(Action::new("ExtensionStateList")).await;
        let hints = hints.map(|all| all.iter().filter_map(|it| hints::listed(&self.space, it)).collect());
        add(&mut reading, rows::HINTS, hints)?;
        add(&mut reading, membership::QUEUES, self.members.all(&self.manager).await)?;
        add(&mut reading, rows::STATES, self.always_on().await)?;
        Ok(reading)
    }

    async fn read_some(&self, subjects: &Subjects) -> Result<Reading, SwitchError> {
        let mut reading = Reading::default();
        let Subjects { users, devices, .. } = subjects;
        let of_user = |user: &Extension| {
            let mut about = vec![About::User(user.clone()), About::Profile(user.clone())];
            let groups = self.groups.iter().filter(|(_, group)| group.kind == Kind::Ring);
            about.extend(groups.map(|(name, _)| About::Member(name.clone(), user.clone())));
            about
        };
        let about = users.iter().flat_map(of_user).chain(devices.iter().cloned().map(About::Device));
        let about = about.chain([About::Store]);
        let rows = try_join_all(about.map(|about| self.row(about)));
        let (rows, hints) = tokio::join!(rows, self.hints_of(subjects));
        add(&mut reading, rows::ASTDB, rows.map(|rows| rows.into_iter().flatten().collect()))?;
        add(&mut reading, rows::HINTS, hints)?;
        add(&mut reading, membership::QUEUES, self.members.some(&self.manager, users).await)?;
        Ok(reading)
    }

    async fn row(&self, about: About) -> Result<Option<(Key, String)>, SwitchError> {
        let Some(key) = rows::key_of(&self.space, about) else { return Ok(None) };
        let (family, place) = key.name.split_once('/').unwrap_or_default();
        let value = database::get(&self.manager, family, place).await?;
        Ok(value.map(|value| (key, value)))
    }

    /// The hints that stand for one of these users or devices.
    async fn hints_of(&self, subjects: &Subjects) -> Result<Records, SwitchError> {
        let users = subjects.users.iter().cloned().map(About::Blf);
        let lamps: Vec<About> = users.chain(subjects.devices.iter().cloned().map(About::DeviceBlf)).collect();
        let asked = lamps.iter().filter_map(|about| hints::ask(&self.space, about)).collect();
        let answers = self.manager.act_all(asked).await?;
        let mut found = Records::new();
        for (about, response) in lamps.iter().zip(&answers) {
            if let (Some(hint), Some(key)) = (hints::answer(response)?, hints::key(&self.space, about)) {
                found.insert(key, hint.to_owned());
            }
        }
        Ok(found)
    }

    /// The device state that is always busy.
    async fn always_on(&self) -> Result<Records, SwitchError> {
        let state = self.manager.act(Action::new("Getvar").with("Variable", state_of(rows::ON))).await?;
        match state.header("Value").unwrap_or_default() {
            // Asterisk answers with an empty value if it has no such function.
            "" => Err(SwitchError::Refused(state_of(rows::ON), "no value: is func_devstate loaded?".into())),
            value => Ok([(rows::always_on(), value.to_owned())].into()),
        }
    }

    /// A row as `DBGetTree` lists it: its key with a slash before it.
    fn row_of(&self, event: &Message) -> Option<(Key, String)> {
        let name = event.header("Key")?.strip_prefix('/')?;
        name.strip_prefix(self.space.name())?.strip_prefix('/')?;
        Some((rows::read_key(name), event.header("Val").unwrap_or_default().to_owned()))
    }
}

/// How many actions are prepared at a time: those of a whole table would take much memory.
const AT_ONCE: usize = 1_000;

/// Runs actions. A refusal is an error, unless a login works without that action.
pub(in crate::asterisk) async fn act(
    manager: &Manager,
    mut actions: impl Iterator<Item = Action> + Send,
) -> Result<(), SwitchError> {
    loop {
        let next: Vec<Action> = actions.by_ref().take(AT_ONCE).collect();
        if next.is_empty() {
            return Ok(());
        }
        act_some(manager, next).await?;
    }
}

async fn act_some(manager: &Manager, actions: Vec<Action>) -> Result<(), SwitchError> {
    let names: Vec<&'static str> = actions.iter().map(Action::name).collect();
    for (name, response) in names.into_iter().zip(&manager.act_all(actions).await?) {
        let why = response.header("Message").unwrap_or("no reason given");
        match name {
            _ if response.is_success() => {}
            // A record that is gone needs no deletion.
            "DBDel" | "QueueRemove" => {}
            // A login works without the queue. Hotdesk tries again each minute.
            "QueueAdd" | "QueuePause" => {
                warn!(
                    event = "queue.refused",
                    why, "Asterisk refused a member of a queue; run hotdesk check"
                );
            }
            name => return Err(SwitchError::Refused(name.into(), why.into())),
        }
    }
    Ok(())
}

/// The action that repairs a row or the device state.
fn put(edit: &Edit) -> Option<Action> {
    if edit.key.part == rows::STATES {
        return Some(Action::new("Setvar").with("Variable", state_of(rows::ON)).with("Value", rows::BUSY));
    }
    let (family, key) = edit.key.name.split_once('/')?;
    let of = |name| Action::new(name).with("Family", family).with("Key", key);
    Some(match &edit.is {
        Some(value) => of("DBPut").with("Val", value),
        None => of("DBDel"),
    })
}

/// Adds what was read of a part, or that it could not be read.
pub(in crate::asterisk) fn add(
    reading: &mut Reading,
    part: Part,
    records: Result<Records, SwitchError>,
) -> Result<(), SwitchError> {
    match records {
        Ok(records) => reading.records.extend(records),
        Err(SwitchError::Refused(what, why)) => {
            reading.not_readable.push(NotReadable { part, why: format!("{what}: {why}") });
        }
        Err(error) => return Err(error),
    }
    Ok(())
}

#[async_trait]
impl Switch for AsteriskSwitch {
    async fn read(&self, subjects: &Subjects) -> Result<Reading, SwitchError> {
        if !subjects.others && subjects.users.len() + subjects.devices.len() <= MANY {
            return self.read_some(subjects).await;
        }
        let mut reading = self.read_all().await?;
        reading.records.retain(|key, _| subjects.contains(&key.about));
        Ok(reading)
    }

    fn project(&self, desired: &Desired, found: &Records) -> Records {
        let mut records = rows::project(&self.space, desired, found);
        records.extend(membership::project(&self.space, desired));
        records
    }

    fn mark_key(&self) -> Option<Key> {
        rows::key_of(&self.space, About::Store)
    }

    fn pause_in(&self, edit: &Edit) -> Option<Pause> {
        let (was, is) = (edit.was.as_ref()? == PAUSED, edit.is.as_ref()? == PAUSED);
        let (user, group) = membership::whose(&edit.key)?;
        (was != is).then(|| Pause { user: user.clone(), group: Some(group.clone()), paused: was })
    }

    async fn apply(&self, edits: &[Edit]) -> Result<(), SwitchError> {
        let of =
            |parts: &[Part]| edits.iter().filter(|edit| parts.contains(&edit.key.part)).collect::<Vec<_>>();
        let rows = of(&[rows::ASTDB, rows::STATES]).into_iter().filter_map(put);
        act(&self.manager, rows).await?;
        // After the rows: a phone that begins to watch meanwhile gets the state in the rows.
        let hints = of(&[rows::HINTS]).into_iter().filter_map(|edit| hints::change(&self.space, edit));
        act(&self.manager, hints).await?;
        // After the hints: a queue watches its members.
        let members = of(&[membership::QUEUES]).into_iter().filter_map(|edit| self.members.change(edit));
        act(&self.manager, members).await
    }

    async fn reconciled(&self, subjects: &Subjects, desired: &Desired) -> Result<(), SwitchError> {
        self.mwi.iter().for_each(|mwi| mwi.follow(subjects, desired));
        Ok(())
    }

    async fn device_states(&self, devices: &[Device]) -> Result<DeviceStates, SwitchError> {
        states::look_at(&self.manager, devices).await
    }

    async fn ring(&self, device: &Device, until: Timestamp) -> Result<(), SwitchError> {
        ring::ring(&self.manager, &self.space, device, until).await
    }

    fn pauses(&self) -> BoxStream<'static, (GroupName, Extension)> {
        let space = self.space.clone();
        heard(self.events.pauses.subscribe(), move |paused| paused.of(&space)).boxed()
    }

    fn device_events(&self) -> broadcast::Receiver<DeviceEvent> {
        self.events.devices.subscribe()
    }

    fn in_doubt(&self) -> watch::Receiver<u64> {
        self.events.in_doubt()
    }
}

fn state_of(device: &str) -> String {
    format!("DEVICE_STATE({device})")
}
