//! A switch's table on FreeSWITCH: rows in `mod_db`, lamps among them, all by the event socket.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use tokio::sync::{broadcast, watch};

use super::client::Client;
use super::esl::{Response, Said};
use super::phones::Phones;
use super::rows::{self, RELATIONS};
use crate::desk::id::TenantId;
use crate::desk::model::Device;
use crate::desk::table::{Edit, Key, Row, Scope, Table};
use crate::switch::activity::{Look, Stir};
use crate::switch::{Switch, SwitchError};

/// `db list` answers with no more than 4095 bytes (1.10.12), and the last key of such an answer may be half a key.
const LIST_LIMIT: usize = 4000;

/// A tenant's table on one FreeSWITCH.
///
/// FreeSWITCH does nothing else for a connection while it works off its commands, so `client` should be one of the
/// table's own.
pub struct ModDb {
    client: Client,
    tenant: TenantId,
    /// Rows that were read or written: what is not listed is found by this, to be read and, if need be, removed.
    known: Mutex<BTreeSet<Key>>,
    phones: Phones,
}

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
        Self { client, tenant, known: Mutex::new(BTreeSet::new()), phones }
    }

    /// Its phones, for [`phones::hear`](super::phones::hear).
    #[must_use]
    pub fn phones(&self) -> Phones {
        self.phones.clone()
    }

    async fn read_all(&self) -> Result<Table, SwitchError> {
        let realms = RELATIONS.map(|relation| rows::realm(relation, self.tenant.as_str()));
        let lists: Vec<String> = realms.iter().map(|realm| format!("db list/{realm}")).collect();
        let mut listed: BTreeSet<(String, String)> = BTreeSet::new();
        for (realm, response) in realms.iter().zip(self.client.api_all(&lists).await?) {
            let list = value(&response)?.unwrap_or_default();
            let whole = if list.len() < LIST_LIMIT {
                list
            } else {
                list.rsplit_once(',').map_or("", |(whole, _)| whole)
            };
            let places = whole.split(',').filter(|place| !place.is_empty());
            listed.extend(places.map(|place| (realm.clone(), place.into())));
        }
        let starts = listed.iter().filter(|(_, place)| !place.ends_with('+'));
        let mut keys: BTreeSet<Key> =
            starts.map(|(realm, place)| rows::read_place(realm, place, &self.tenant)).collect();
        keys.extend(self.known().iter().cloned());
        let mut table = Table::new();
        for reading in self.read_rows(keys).await? {
            let is_listed = listed.contains(&(reading.realm.clone(), reading.place.clone()));
            for n in 0..reading.pieces.len().max(1) {
                listed.remove(&(reading.realm.clone(), rows::piece_key(&reading.place, n)));
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
        let mut known = self.known();
        for reading in &read {
            if reading.pieces.is_empty() {
                known.remove(&reading.key);
            } else {
                known.insert(reading.key.clone());
            }
        }
        Ok(read)
    }

    fn known(&self) -> MutexGuard<'_, BTreeSet<Key>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
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
}

#[async_trait]
impl Switch for ModDb {
    async fn read(&self, scope: &Scope) -> Result<Table, SwitchError> {
        let Scope::Some { users, devices } = scope else { return self.read_all().await };
        let users = users.iter().flat_map(|user| [Key::User(user.clone()), Key::Lamp(user.clone())]);
        let devices = devices.iter().map(|device| Key::Device(device.clone()));
        let found = self.read_rows(users.chain(devices).collect()).await?;
        let found = found.into_iter().filter(|reading| !reading.pieces.is_empty());
        Ok(found.map(|it| (it.key.clone(), rows::read(&it.key, &it.pieces.concat()))).collect())
    }

    fn lists_all(&self) -> bool {
        false
    }

    async fn apply(&self, edits: &[Edit]) -> Result<(), SwitchError> {
        self.known().extend(edits.iter().map(|edit| edit.key.clone()));
        let commands: Vec<String> = edits.iter().flat_map(|edit| self.commands(edit)).collect();
        for response in self.client.api_all(&commands).await? {
            match value(&response)? {
                Some("+OK") => {}
                other => return Err(SwitchError::Refused("db".into(), other.unwrap_or("no reply").into())),
            }
        }
        Ok(())
    }

    async fn look_at(&self, devices: &[Device]) -> Result<Look, SwitchError> {
        self.phones.look_at(devices).await
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
        Said::Error(why) => Err(SwitchError::Refused("db".into(), why.into())),
    }
}
