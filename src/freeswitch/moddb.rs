//! A switch's table on FreeSWITCH: rows in `mod_db`, lamps among them, and the members of groups and queues, all by the
//! event socket.

use std::collections::BTreeSet;

use async_trait::async_trait;
use jiff::Timestamp;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{broadcast, mpsc, watch};
use tokio_util::sync::CancellationToken;

use super::client::Client;
use super::esl::{Response, Said};
use super::members::Members;
use super::mwi::Mwi;
use super::phones::Phones;
use super::presence::Presence;
use super::rows::{self, RELATIONS};
use super::signs::Ears;
use crate::desk::group::Groups;
use crate::desk::id::{Extension, GroupName, TenantId};
use crate::desk::model::Device;
use crate::desk::table::{Edit, Key, Row, Scope, Table};
use crate::switch::activity::{Look, Stir};
use crate::switch::{Switch, SwitchError};

/// `db list` answers with no more than 4095 bytes (1.10.12), and the last key of such an answer may be half a key. What was
/// written first comes first.
const LIST_LIMIT: usize = 4000;
/// Pauses that wait for whoever keeps them.
const PAUSES: usize = 64;

/// A tenant's table on one FreeSWITCH.
///
/// FreeSWITCH does nothing else for a connection while it works off its commands, so `client` should be one of the
/// table's own.
pub struct ModDb {
    client: Client,
    tenant: TenantId,
    phones: Phones,
    members: Members,
    /// What its phones show besides calls, where that is wanted.
    lamps: Option<(Mwi, Presence)>,
}

/// Where a row, or a piece of one, stands: its realm and its key.
type Place = (String, String);

/// A row that is being read: where it stands, and its pieces so far.
struct Reading {
    key: Key,
    realm: String,
    place: String,
    pieces: Vec<String>,
}

impl ModDb {
    /// The table of `tenant` on the FreeSWITCH that `client` is connected to.
    #[must_use]
    pub fn new(client: Client, tenant: TenantId) -> Self {
        let phones = Phones::new(client.clone(), tenant.clone());
        let members = Members::new(client.clone(), tenant.clone(), &Groups::new());
        Self { client, tenant, phones, members, lamps: None }
    }

    /// Of which the members of these groups are part.
    #[must_use]
    pub fn with(self, groups: &Groups) -> Self {
        Self { members: Members::new(self.client.clone(), self.tenant.clone(), groups), ..self }
    }

    /// The same, and its phones are told of voicemail, of who is not to be disturbed and of who sits where, from now on and
    /// until `stop`.
    #[must_use]
    pub fn with_lamps(self, stop: CancellationToken) -> Self {
        let mwi = Mwi::new(self.client.clone(), self.tenant.clone());
        let presence = Presence::new(self.client.clone(), self.tenant.clone());
        let lamps = Some((mwi.clone(), presence.clone()));
        tokio::spawn(async move {
            stop.run_until_cancelled(async { tokio::join!(mwi.tell(), presence.tell()) }).await;
        });
        Self { lamps, ..self }
    }

    /// What of it hears what FreeSWITCH tells, for [`signs::hear`](super::signs::hear).
    #[must_use]
    pub fn ears(&self) -> Ears {
        Ears { phones: self.phones.clone(), queues: self.members.queues.clone(), lamps: self.lamps.clone() }
    }

    /// The rows that are listed; where there are more, those that stand where they are `expected`; of others, how many.
    async fn read_everything(&self, expected: &Table) -> Result<Table, SwitchError> {
        let realms = RELATIONS.map(|relation| rows::realm(relation, self.tenant.as_str()));
        let (mut listed, mut counts) = (BTreeSet::new(), vec![]);
        for realm in &realms {
            listed.extend(self.list(realm).await?.into_iter().map(|place| (realm.clone(), place)));
            let count = self.client.api(&format!("db count/{realm}")).await?;
            counts.push(count.and_then(|count| count.parse().ok()).unwrap_or(0));
        }
        let starts = listed.iter().filter(|(_, place)| !place.ends_with('+'));
        let starts: BTreeSet<Key> =
            starts.map(|(realm, place)| rows::read_place(realm, place, &self.tenant)).collect();
        let mut read = self.read_rows(starts).await?;
        let mut left = unlisted(&realms, &counts, &listed, &read);
        // The last are most likely lamps of users who logged out meanwhile: nobody expects one.
        let others = [expected.keys().cloned().collect(), named(&Scope::about(expected.keys())).collect()];
        for keys in others {
            if left.iter().all(|left| *left == 0) {
                break;
            }
            let mut keys: BTreeSet<Key> = keys;
            for reading in &read {
                keys.remove(&reading.key);
            }
            read.extend(self.read_rows(keys).await?);
            left = unlisted(&realms, &counts, &listed, &read);
        }
        let mut table = Table::new();
        for (realm, left) in realms.iter().zip(left).filter(|(_, left)| *left > 0) {
            let first = listed.iter().find(|(listed, _)| listed == realm).map_or("", |(_, place)| place);
            let text = format!("{left} that `db list` does not show; it shows {first} and others");
            table.insert(Key::Unlisted(realm.clone()), Row::Unreadable(text));
        }
        for reading in read {
            let is_listed = listed.remove(&(reading.realm.clone(), reading.place.clone()));
            for place in reading.places() {
                listed.remove(&place);
            }
            // Listed, and nothing there: an empty value is none of ours.
            if is_listed || !reading.pieces.is_empty() {
                table.insert(reading.key.clone(), rows::read(&reading.key, &reading.pieces.concat()));
            }
        }
        // Pieces of nothing.
        table.extend(listed.into_iter().map(|(realm, place)| {
            (Key::Unknown(format!("{realm}/{place}")), Row::Unreadable(String::new()))
        }));
        Ok(table)
    }

    /// The keys of a realm that `db list` shows.
    async fn list(&self, realm: &str) -> Result<Vec<String>, SwitchError> {
        let list = self.client.api(&format!("db list/{realm}")).await?.unwrap_or_default();
        let whole = match list.rsplit_once(',') {
            Some((whole, _)) if list.len() >= LIST_LIMIT => whole,
            _ => &list,
        };
        Ok(whole.split(',').filter(|place| !place.is_empty()).map(Into::into).collect())
    }

    /// Writes what is listed of a realm once more, as it is: so it comes last, and others are listed.
    async fn turn_over(&self, realm: &str) -> Result<(), SwitchError> {
        let places = self.list(realm).await?;
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
    async fn read_rows(&self, keys: BTreeSet<Key>) -> Result<Vec<Reading>, SwitchError> {
        let mut going: Vec<Reading> = keys.into_iter().filter_map(|key| self.reading(key)).collect();
        let mut read = Vec::with_capacity(going.len());
        while !going.is_empty() {
            let selects: Vec<String> = going.iter().map(Reading::select).collect();
            let responses = self.client.api_all(&selects).await?;
            let mut further = vec![];
            for (mut reading, response) in going.into_iter().zip(&responses) {
                match value(response)? {
                    Some(piece) => {
                        let goes_on = rows::may_go_on(piece);
                        reading.pieces.push(piece.to_owned());
                        if goes_on { further.push(reading) } else { read.push(reading) }
                    }
                    None => read.push(reading),
                }
            }
            going = further;
        }
        Ok(read)
    }

    fn reading(&self, key: Key) -> Option<Reading> {
        let (realm, place) = rows::place(&key, &self.tenant)?;
        Some(Reading { key, realm, place, pieces: vec![] })
    }

    /// What makes an edit true. What the dialplan finds first is written last.
    fn commands(&self, edit: &Edit) -> Vec<String> {
        let Some((realm, place)) = rows::place(&edit.key, &self.tenant) else { return vec![] };
        let at = |n: usize| format!("{realm}/{}", rows::piece_key(&place, n));
        let is = edit.is.as_ref().and_then(rows::value);
        let pieces = is.as_deref().map(rows::pieces).unwrap_or_default();
        let was = match &edit.was {
            Some(Row::Unreadable(text)) => rows::pieces(text).len(),
            Some(row) => rows::value(row).map_or(1, |value| rows::pieces(&value).len()),
            None => 0,
        };
        let deletes = (pieces.len()..was).map(|n| format!("db delete/{}", at(n)));
        let inserts = pieces.iter().enumerate().map(|(n, piece)| format!("db insert/{}/{piece}", at(n)));
        let mut commands: Vec<String> = inserts.chain(deletes).collect();
        commands.reverse();
        commands
    }
}

impl Reading {
    fn select(&self) -> String {
        format!("db select/{}/{}", self.realm, rows::piece_key(&self.place, self.pieces.len()))
    }

    /// Where its pieces stand.
    fn places(&self) -> impl Iterator<Item = Place> {
        (0..self.pieces.len()).map(|n| (self.realm.clone(), rows::piece_key(&self.place, n)))
    }
}

#[async_trait]
impl Switch for ModDb {
    async fn read(&self, scope: &Scope, expected: &Table) -> Result<Table, SwitchError> {
        let Scope::Some { users, .. } = scope else {
            let mut table = self.read_everything(expected).await?;
            table.extend(self.members.read_all(expected).await?);
            if let Some((mwi, presence)) = &self.lamps {
                let domain = self.client.api("global_getvar domain").await?.unwrap_or_default();
                mwi.read(&table, &domain);
                presence.read(&table, &domain);
            }
            return Ok(table);
        };
        let found = self.read_rows(named(scope).collect()).await?;
        let found = found.into_iter().filter(|reading| !reading.pieces.is_empty());
        let rows = found.map(|it| (it.key.clone(), rows::read(&it.key, &it.pieces.concat())));
        let members = self.members.read(users, expected).await?;
        Ok(rows.chain(members).collect())
    }

    async fn apply(&self, edits: &[Edit]) -> Result<(), SwitchError> {
        let commands: Vec<String> = edits.iter().flat_map(|edit| self.commands(edit)).collect();
        self.write(&commands).await?;
        self.members.apply(edits).await?;
        for edit in edits {
            if let Key::Unlisted(realm) = &edit.key {
                self.turn_over(realm).await?;
            }
        }
        if let Some((mwi, presence)) = &self.lamps {
            mwi.written(edits);
            presence.written(edits);
        }
        Ok(())
    }

    async fn look_at(&self, devices: &[Device]) -> Result<Look, SwitchError> {
        self.phones.look_at(devices).await
    }

    async fn ring(&self, device: &Device, until: Timestamp) -> Result<(), SwitchError> {
        self.phones.ring(device, until).await
    }

    fn pauses(&self) -> Option<mpsc::Receiver<(GroupName, Extension)>> {
        let mut heard = self.members.queues.pauses();
        let (told, pauses) = mpsc::channel(PAUSES);
        tokio::spawn(async move {
            loop {
                match heard.recv().await {
                    Ok(whose) => {
                        if told.send(whose).await.is_err() {
                            return;
                        }
                    }
                    // The minute's comparison finds it.
                    Err(RecvError::Lagged(_)) => {}
                    Err(RecvError::Closed) => return,
                }
            }
        });
        Some(pauses)
    }

    fn stirs(&self) -> broadcast::Receiver<Stir> {
        self.phones.stirs()
    }

    fn unsettled(&self) -> watch::Receiver<u64> {
        self.client.unsettled()
    }
}

fn value(response: &Response) -> Result<Option<&str>, SwitchError> {
    match response.said() {
        Said::Value(value) => Ok(Some(value)),
        Said::Nothing => Ok(None),
        // A row of ours that begins like an error: `db` itself has none of this kind.
        Said::Error(_) if response.text() == rows::BUSY => Ok(Some(rows::BUSY)),
        Said::Error(why) => Err(SwitchError::Refused("db".into(), why.into())),
    }
}

/// Every key of the users and devices of a scope.
fn named(scope: &Scope) -> impl Iterator<Item = Key> {
    let (users, devices) = match scope {
        Scope::All => (None, None),
        Scope::Some { users, devices } => (Some(users), Some(devices)),
    };
    let users = users
        .into_iter()
        .flatten()
        .flat_map(|user| [Key::User(user.clone()), Key::Profile(user.clone()), Key::Lamp(user.clone())]);
    users.chain(devices.into_iter().flatten().map(|device| Key::Device(device.clone())))
}

/// How many of the rows that were counted in each realm are neither listed nor read.
fn unlisted(realms: &[String], counts: &[usize], listed: &BTreeSet<Place>, read: &[Reading]) -> Vec<usize> {
    let found: BTreeSet<Place> =
        read.iter().flat_map(Reading::places).chain(listed.iter().cloned()).collect();
    let of = |realm: &String| found.iter().filter(|(found, _)| found == realm).count();
    realms.iter().zip(counts).map(|(realm, count)| count.saturating_sub(of(realm))).collect()
}
