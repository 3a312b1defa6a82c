//! Lights the lamps that no call lights: of a user who is not to be disturbed, and of a device at which somebody sits.
//!
//! sofia keeps no state for these (1.10.12). It sends what it is told by `PRESENCE_IN` to who watches at that moment, and
//! answers a new or renewed SUBSCRIBE by what it knows of calls, or, of a name with a `+` in it, not at all. So besides
//! each change it is told after each `PRESENCE_PROBE`, for that subscription alone, and after the end of a user's call,
//! which would have darkened his lamp.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::sleep;
use tracing::debug;

use super::address::Addresses;
use super::client::Client;
use super::event::Event;
use super::lamps::{Shown, show};
use crate::desk::code::SEAT;
use crate::desk::id::{DeviceName, Extension, Revision, TenantId};
use crate::desk::table::{Edit, Key, Lamp, Row, Table};
use crate::switch::SwitchError;

/// The event by which somebody asks for a lamp.
pub(super) const PROBE: &str = "PRESENCE_PROBE";
/// How long what is due is collected. It also lets sofia tell what it tells by itself.
const PAUSE: Duration = Duration::from_millis(50);
/// How long to wait after FreeSWITCH was away.
const RETRY: Duration = Duration::from_secs(1);
/// Lamps that are told at once.
const BATCH: usize = 64;
/// Subscriptions that wait for an answer; of more, everybody is told.
const ASKED: usize = 1024;

/// The lamps of a tenant. Clones are the same.
#[derive(Clone)]
pub(super) struct Presence {
    client: Client,
    tenant: TenantId,
    known: Arc<Mutex<Known>>,
    due: Arc<Notify>,
}

#[derive(Default)]
struct Known {
    addresses: Addresses,
    /// Users whose lamp is lit, or was since we know of it.
    users: BTreeMap<Extension, bool>,
    /// Devices, and whether somebody sits there.
    seats: BTreeMap<DeviceName, bool>,
    /// Lamps that all are told of who watch them.
    due: BTreeSet<Key>,
    /// Subscriptions that are told: whose lamp, in which domain, to which Call-ID.
    asked: BTreeSet<(Key, String, String)>,
}

impl Presence {
    /// The lamps of `tenant` on the FreeSWITCH that `client` is connected to; [`Presence::tell`] lights them.
    pub(super) fn new(client: Client, tenant: TenantId) -> Self {
        let known = Known { addresses: Addresses::new(tenant.clone()), ..Known::default() };
        Self { client, tenant, known: Arc::new(Mutex::new(known)), due: Arc::default() }
    }

    /// These rows were read, all there are, on a switch whose own domain is this.
    pub(super) fn read(&self, table: &Table, domain: &str) {
        let mut known = self.known();
        known.addresses.read(table, domain);
        let seats = std::mem::take(&mut known.seats);
        for (device, lit) in seats.into_iter().filter(|(it, _)| table.contains_key(&Key::Device(it.clone())))
        {
            known.seats.insert(device, lit);
        }
        for (key, row) in table {
            known.is(key, Some(row));
        }
        let dark = |user: &&Extension| !matches!(table.get(&Key::Lamp((*user).clone())), Some(Row::Lamp(lamp)) if lamp.busy);
        let dark: Vec<Extension> = known.users.keys().filter(dark).cloned().collect();
        dark.into_iter().for_each(|user| known.is(&Key::Lamp(user), None));
        drop(known);
        self.due.notify_one();
    }

    /// These differences were written.
    pub(super) fn written(&self, edits: &[Edit]) {
        let mut known = self.known();
        if edits.iter().any(|edit| matches!(edit.key, Key::Device(_))) {
            known.addresses.written(edits);
        }
        edits.iter().for_each(|edit| known.is(&edit.key, edit.is.as_ref()));
        drop(known);
        self.due.notify_one();
    }

    /// Who watches may have been told something else, and events may have been missed.
    pub(super) fn all_again(&self) {
        let mut known = self.known();
        let lamps = known.users.keys().map(|user| Key::Lamp(user.clone()));
        let due: BTreeSet<Key> = lamps.chain(known.seats.keys().map(|it| Key::Seat(it.clone()))).collect();
        known.due = due;
        drop(known);
        self.due.notify_one();
    }

    /// Takes a [`PROBE`].
    pub(super) fn asked(&self, probe: &Event) {
        let to = probe.get("to").unwrap_or_default();
        let Some((name, domain)) = to.split_once('@') else { return };
        let key = match name.strip_prefix(SEAT) {
            Some(device) => DeviceName::new(device).ok().map(Key::Seat),
            None => Extension::new(name).ok().map(Key::Lamp),
        };
        let mut known = self.known();
        let Some(key) = key.filter(|key| known.lit(key).is_some()) else { return };
        if !self.is_of_tenant(domain) {
            return;
        }
        match probe.get("sub-call-id") {
            Some(call) if !call.is_empty() && known.asked.len() < ASKED => {
                known.asked.insert((key, domain.to_owned(), call.into_owned()));
            }
            _ => drop(known.due.insert(key)),
        }
        drop(known);
        self.due.notify_one();
    }

    /// Takes the end of a channel: one that lit a user's lamp has darkened it.
    pub(super) fn ended(&self, channel: &Event) {
        let lit = channel.get("Channel-Presence-ID").unwrap_or_default();
        let Some((user, domain)) = lit.split_once('@') else { return };
        let Ok(user) = Extension::new(user) else { return };
        let mut known = self.known();
        if known.users.contains_key(&user) && self.is_of_tenant(domain) {
            known.due.insert(Key::Lamp(user));
            self.due.notify_one();
        }
    }

    /// Tells as long as it is run.
    pub(super) async fn tell(&self) {
        loop {
            self.due.notified().await;
            loop {
                sleep(PAUSE).await;
                let lamps = self.known().take(BATCH);
                if lamps.is_empty() {
                    break;
                }
                if let Err((untold, error)) = self.tell_these(lamps).await {
                    debug!(event = "lamp.untold", %error, "lamps are not told yet");
                    self.known().due.extend(untold);
                    sleep(RETRY).await;
                }
            }
        }
    }

    async fn tell_these(&self, lamps: Vec<Told>) -> Result<(), (Vec<Key>, SwitchError)> {
        for (n, Told { key, lit, domains, call }) in lamps.iter().enumerate() {
            let (proto, name) = match key {
                Key::Seat(device) => (SEAT.trim_end_matches('+'), device.to_string()),
                Key::Lamp(user) => ("sip", user.to_string()),
                _ => continue,
            };
            for domain in domains {
                let (address, id) = (format!("{name}@{domain}"), format!("hotdesk-{proto}-{name}"));
                // Calls of a device do not light the lamp that says whether somebody sits there.
                let id = (*lit || proto == "sip").then_some(&*id);
                let shown = Shown { proto, address: &address, id, lit: *lit, call: call.as_deref() };
                if let Err(error) = show(&self.client, &shown).await {
                    let untold = lamps.iter().skip(n).map(|told| told.key.clone()).collect();
                    return Err((untold, error));
                }
            }
        }
        Ok(())
    }

    fn is_of_tenant(&self, domain: &str) -> bool {
        self.tenant == TenantId::default() || domain.eq_ignore_ascii_case(self.tenant.as_str())
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A lamp that is to be told.
struct Told {
    key: Key,
    lit: bool,
    domains: Vec<String>,
    /// To this subscription alone.
    call: Option<String>,
}

impl Known {
    /// What a row says of a lamp; due, if it is something else than before.
    fn is(&mut self, key: &Key, row: Option<&Row>) {
        match key {
            Key::Lamp(user) => {
                let lit = matches!(row, Some(Row::Lamp(Lamp { busy: true, .. })));
                let was = self.users.get(user).copied();
                if lit != was.unwrap_or(false) {
                    self.users.insert(user.clone(), lit);
                    self.due.insert(key.clone());
                }
            }
            Key::Device(device) => {
                let Some(Row::Device(row)) = row else {
                    self.seats.remove(device);
                    return;
                };
                let lit = row.revision > Revision(0);
                if self.seats.insert(device.clone(), lit) != Some(lit) {
                    self.due.insert(Key::Seat(device.clone()));
                }
            }
            _ => {}
        }
    }

    fn lit(&self, key: &Key) -> Option<bool> {
        match key {
            Key::Lamp(user) => self.users.get(user).copied(),
            Key::Seat(device) => self.seats.get(device).copied(),
            _ => None,
        }
    }

    /// Some of what is due. It is due no more.
    fn take(&mut self, most: usize) -> Vec<Told> {
        let (mut taken, domains) = (vec![], self.addresses.domains());
        while taken.len() < most
            && let Some(key) = self.due.pop_first()
        {
            if let Some(lit) = self.lit(&key) {
                taken.push(Told { key, lit, domains: domains.clone(), call: None });
            }
        }
        while taken.len() < most
            && let Some((key, domain, call)) = self.asked.pop_first()
        {
            if let Some(lit) = self.lit(&key) {
                taken.push(Told { key, lit, domains: vec![domain], call: Some(call) });
            }
        }
        taken
    }
}
