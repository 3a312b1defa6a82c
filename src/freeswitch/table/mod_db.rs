//! A switch's table on FreeSWITCH over the event socket: rows in `mod_db`, BLF among them, and the members of groups and
//! queues.

use std::collections::BTreeSet;

use async_trait::async_trait;
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use jiff::Timestamp;
use tokio::sync::{broadcast, watch};

use super::db::{list, value};
use super::rows::{self, RELATIONS};
use crate::freeswitch::devices::states::Phones;
use crate::freeswitch::esl::client::Client;
use crate::freeswitch::events::EventHandlers;
use crate::freeswitch::mwi::Mwi;
use crate::freeswitch::presence::Presence;
use crate::freeswitch::queues::members::Members;
use crate::freeswitch::queues::mod_callcenter;
use crate::model::desired::{About, Desired, Edit, Key, NotReadable, Reading, Records, Subjects};
use crate::model::directory::Device;
use crate::model::directory::group::Groups;
use crate::model::id::{Extension, GroupName, TenantId};
use crate::switch::device_state::{DeviceEvent, DeviceStates};
use crate::switch::{Pause, Switch, SwitchError, heard};

/// A tenant's table on one FreeSWITCH.
///
/// FreeSWITCH does nothing else for a connection while it works off its commands, so `client` should be one of the
/// table's own.
pub struct FreeSwitchSwitch {
    client: Client,
    tenant: TenantId,
    phones: Phones,
    members: Members,
    /// MWI and BLF of its devices, if the site wants them.
    lamps: Option<(Mwi, Presence)>,
}

struct Pieces {
    key: Key,
    pieces: Vec<String>,
}

impl FreeSwitchSwitch {
    /// The table of `tenant` on the FreeSWITCH that `client` is connected to.
    pub fn new(client: Client, tenant: TenantId) -> Self {
        let phones = Phones::new(client.clone(), tenant.clone());
        let members = Members::new(client.clone(), tenant.clone(), &Groups::new());
        Self { client, tenant, phones, members, lamps: None }
    }

    /// The same, with the members of these groups.
    #[must_use]
    pub fn with(self, groups: &Groups) -> Self {
        Self { members: Members::new(self.client.clone(), self.tenant.clone(), groups), ..self }
    }

    /// The same, and the task that sends MWI and BLF states of DND and sessions to its phones while it runs.
    pub fn with_lamps(self) -> (Self, impl Future<Output = ()> + Send + 'static) {
        let mwi = Mwi::new(self.client.clone(), self.tenant.clone());
        let presence = Presence::new(self.client.clone(), self.tenant.clone());
        let lamps = Some((mwi.clone(), presence.clone()));
        let publish = async move {
            tokio::join!(mwi.run(), presence.run());
        };
        (Self { lamps, ..self }, publish)
    }

    /// The parts of it that handle events, for [`events::follow`](crate::freeswitch::events::follow).
    pub fn event_handlers(&self) -> EventHandlers {
        let queues = self.members.queues.clone();
        EventHandlers { phones: self.phones.clone(), queues, lamps: self.lamps.clone() }
    }

    /// The rows that are listed; where there are more, those of these users and devices; of others, how many.
    async fn read_everything(&self, subjects: &Subjects) -> Result<Records, SwitchError> {
        let realms = RELATIONS.map(|relation| rows::realm(relation, self.tenant.as_str()));
        let (mut listed, mut counts) = (BTreeSet::new(), vec![]);
        for realm in &realms {
            let (places, _) = list(&self.client, realm).await?;
            listed.extend(places.into_iter().map(|place| format!("{realm}/{place}")));
            let count = self.client.api(&format!("db count/{realm}")).await?;
            counts.push(count.and_then(|count| count.parse().ok()).unwrap_or(0));
        }
        let starts = listed.iter().filter(|name| !name.ends_with('+'));
        let starts = starts.filter_map(|name| name.split_once('/'));
        let starts = starts.map(|(realm, place)| rows::read_key(realm, place, &self.tenant)).collect();
        let mut read = self.read_rows(starts).await?;
        read.extend(self.read_rows(self.mark_key().into_iter().collect()).await?);
        let left = unlisted(&realms, &counts, &listed, &read);
        if left.iter().any(|left| *left > 0) {
            let seen: BTreeSet<&Key> = read.iter().map(|it| &it.key).collect();
            let lacks = |key: &Key| {
                let realm = realms.iter().position(|realm| in_realm(&key.name, realm));
                realm.and_then(|realm| left.get(realm)).is_some_and(|left| *left > 0) && !seen.contains(key)
            };
            let keys = self.named(subjects).into_iter().filter(lacks).collect();
            read.extend(self.read_rows(keys).await?);
        }
        let left = unlisted(&realms, &counts, &listed, &read);
        let mut records = Records::new();
        for (realm, left) in realms.iter().zip(left).filter(|(_, left)| *left > 0) {
            let first = listed.iter().find(|name| in_realm(name, realm)).map_or("nothing", String::as_str);
            let text = format!("{left} that `db list` does not show; it shows {first} and others");
            records.insert(Key { about: About::Unlisted, part: rows::MOD_DB, name: realm.clone() }, text);
        }
        for Pieces { key, pieces } in read {
            let is_listed = listed.remove(&key.name);
            for n in 1..pieces.len() {
                listed.remove(&rows::piece_key(&key.name, n));
            }
            // Listed without a value: Hotdesk writes no empty value.
            if is_listed || !pieces.is_empty() {
                records.insert(key, pieces.concat());
            }
        }
        // Pieces of rows that no longer exist.
        let pieces = listed.into_iter().map(|name| Key { about: About::Other, part: rows::MOD_DB, name });
        records.extend(pieces.map(|key| (key, String::new())));
        Ok(records)
    }

    fn named(&self, subjects: &Subjects) -> Vec<Key> {
        let users = subjects.users.iter().flat_map(|user| {
            [About::User(user.clone()), About::Profile(user.clone()), About::Blf(user.clone())]
        });
        let about = users.chain(subjects.devices.iter().cloned().map(About::Device));
        let about = about.chain([About::Store]);
        about.filter_map(|about| rows::key_of(&self.tenant, about)).collect()
    }

    /// Writes the listed rows of a realm again, unchanged: then they come last, and `db list` shows others.
    async fn turn_over(&self, realm: &str) -> Result<(), SwitchError> {
        let (places, _) = list(&self.client, realm).await?;
        let selects: Vec<String> = places.iter().map(|place| format!("db select/{realm}/{place}")).collect();
        let mut inserts = vec![];
        for (place, response) in places.iter().zip(self.client.api_all(&selects).await?) {
            inserts.extend(value(&response)?.map(|text| format!("db insert/{realm}/{place}/{text}")));
        }
        self.write(&inserts).await
    }

    async fn write(&self, commands: &[String]) -> Result<(), SwitchError> {
        for response in self.client.api_all(commands).await? {
            match value(&response)? {
                Some("+OK") => {}
                other => return Err(SwitchError::Refused("db".into(), other.unwrap_or("no reply").into())),
            }
        }
        Ok(())
    }

    /// The rows at these keys, round by round: first the first pieces of all, then the next ones of the long.
    async fn read_rows(&self, keys: Vec<Key>) -> Result<Vec<Pieces>, SwitchError> {
        let mut going: Vec<Pieces> = keys.into_iter().map(|key| Pieces { key, pieces: vec![] }).collect();
        let mut read = Vec::with_capacity(going.len());
        while !going.is_empty() {
            let select =
                |it: &Pieces| format!("db select/{}", rows::piece_key(&it.key.name, it.pieces.len()));
            let responses = self.client.api_all(&going.iter().map(select).collect::<Vec<_>>()).await?;
            let mut further = vec![];
            for (mut row, response) in going.into_iter().zip(&responses) {
                match value(response)? {
                    Some(piece) => {
                        let goes_on = rows::may_go_on(piece);
                        row.pieces.push(piece.to_owned());
                        if goes_on { further.push(row) } else { read.push(row) }
                    }
                    None => read.push(row),
                }
            }
            going = further;
        }
        Ok(read)
    }

    async fn rows(&self, subjects: &Subjects) -> Result<Records, SwitchError> {
        if subjects.others {
            return self.read_everything(subjects).await;
        }
        let found = self.read_rows(self.named(subjects)).await?.into_iter();
        Ok(found.filter(|it| !it.pieces.is_empty()).map(|it| (it.key, it.pieces.concat())).collect())
    }
}

/// The commands that repair a row. The piece that the dialplan reads first is written last.
fn commands(edit: &Edit) -> Vec<String> {
    let at = |n: usize| rows::piece_key(&edit.key.name, n);
    let is = edit.is.as_deref().map(rows::pieces).unwrap_or_default();
    let was = edit.was.as_deref().map(rows::pieces).unwrap_or_default().len();
    let deletes = (is.len()..was).map(|n| format!("db delete/{}", at(n)));
    let inserts = is.iter().enumerate().map(|(n, piece)| format!("db insert/{}/{piece}", at(n)));
    let mut commands: Vec<String> = inserts.chain(deletes).collect();
    commands.reverse();
    commands
}

#[async_trait]
impl Switch for FreeSwitchSwitch {
    async fn read(&self, subjects: &Subjects) -> Result<Reading, SwitchError> {
        let mut reading = Reading::default();
        let parts = [
            (rows::MOD_DB, self.rows(subjects).await),
            (rows::MOD_DB, self.members.rung(subjects).await),
            (mod_callcenter::QUEUES, self.members.queues.read(subjects).await),
        ];
        for (part, records) in parts {
            match records {
                Ok(records) => reading.records.extend(records),
                Err(SwitchError::Refused(_, why)) => reading.not_readable.push(NotReadable { part, why }),
                Err(error) => return Err(error),
            }
        }
        Ok(reading)
    }

    fn project(&self, desired: &Desired, found: &Records) -> Records {
        let mut records = rows::project(&self.tenant, desired);
        records.extend(self.members.project(desired, found));
        records
    }

    fn mark_key(&self) -> Option<Key> {
        rows::key_of(&self.tenant, About::Store)
    }

    fn keeps(&self, about: &About) -> bool {
        !matches!(about, About::DeviceBlf(_))
    }

    fn pause_in(&self, edit: &Edit) -> Option<Pause> {
        mod_callcenter::pause_in(edit)
    }

    async fn apply(&self, edits: &[Edit]) -> Result<(), SwitchError> {
        if let Some((_, presence)) = &self.lamps {
            let lit = edits.iter().filter(|edit| edit.was.as_deref() == Some(rows::BUSY));
            presence.were_lit(lit.filter_map(|edit| edit.key.about.user()));
        }
        let (rows, queues): (Vec<_>, Vec<_>) = edits.iter().partition(|edit| edit.key.part == rows::MOD_DB);
        let (unlisted, rows): (Vec<_>, Vec<_>) =
            rows.into_iter().partition(|edit| edit.key.about == About::Unlisted);
        self.write(&rows.into_iter().flat_map(commands).collect::<Vec<_>>()).await?;
        self.members.queues.change(&queues).await?;
        for edit in unlisted {
            self.turn_over(&edit.key.name).await?;
        }
        Ok(())
    }

    async fn reconciled(&self, subjects: &Subjects, desired: &Desired) -> Result<(), SwitchError> {
        let Some((mwi, presence)) = &self.lamps else { return Ok(()) };
        let domain = match subjects.others {
            true => Some(self.client.api("global_getvar domain").await?.unwrap_or_default()),
            false => None,
        };
        mwi.follow(subjects, desired, domain.as_deref());
        presence.follow(subjects, desired, domain.as_deref());
        Ok(())
    }

    async fn device_states(&self, devices: &[Device]) -> Result<DeviceStates, SwitchError> {
        self.phones.look_at(devices).await
    }

    async fn ring(&self, device: &Device, until: Timestamp) -> Result<(), SwitchError> {
        self.phones.ring(device, until).await
    }

    fn pauses(&self) -> BoxStream<'static, (GroupName, Extension)> {
        heard(self.members.queues.pauses(), Some).boxed()
    }

    fn device_events(&self) -> broadcast::Receiver<DeviceEvent> {
        self.phones.changes()
    }

    fn in_doubt(&self) -> watch::Receiver<u64> {
        self.client.connections()
    }
}

/// How many of the rows that were counted in each realm are neither listed nor read.
fn unlisted(realms: &[String], counts: &[usize], listed: &BTreeSet<String>, read: &[Pieces]) -> Vec<usize> {
    let pieces =
        |it: &Pieces| (0..it.pieces.len()).map(|n| rows::piece_key(&it.key.name, n)).collect::<Vec<_>>();
    let found: BTreeSet<String> = read.iter().flat_map(pieces).chain(listed.iter().cloned()).collect();
    let of = |realm: &String| found.iter().filter(|name| in_realm(name, realm)).count();
    realms.iter().zip(counts).map(|(realm, count)| count.saturating_sub(of(realm))).collect()
}

fn in_realm(name: &str, realm: &str) -> bool {
    name.split_once('/').is_some_and(|(of, _)| of == realm)
}
