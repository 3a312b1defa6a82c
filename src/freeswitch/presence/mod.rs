//! Publishes the BLF states that no call causes: a user with DND, and a device where a user is logged in.
//!
//! sofia keeps no state for these (1.10.12). It passes a `PRESENCE_IN` on to the phones that watch at that moment. It answers a
//! new or renewed SUBSCRIBE from its calls, or, for a name with a `+` in it, not at all. So Hotdesk publishes the state at each
//! change, after each `PRESENCE_PROBE` for that subscription alone, and after each call of a user, as its end clears the BLF.

pub mod publish;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::sleep;
use tracing::debug;

use super::devices::address::Addresses;
use super::esl::client::Client;
use super::esl::event::Event;
use super::presence::publish::{Shown, show};
use crate::model::codes::DEVICE_LAMP;
use crate::model::desired::{About, Desired, Subjects};
use crate::model::id::{DeviceName, Extension, TenantId};
use crate::switch::SwitchError;

/// The event of a subscription to a BLF.
pub(super) const PROBE: &str = "PRESENCE_PROBE";
/// How long to collect changes before they are published. It also lets sofia publish its own state first.
const PAUSE: Duration = Duration::from_millis(50);
const RETRY: Duration = Duration::from_secs(1);
const BATCH: usize = 64;
/// The most subscriptions that wait for an answer; for more, Hotdesk publishes to all watchers.
const ASKED: usize = 1024;

/// The BLFs of a tenant. Clones share them.
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
    /// Users whose BLF is lit, or has been lit since the start.
    users: BTreeMap<Extension, bool>,
    /// Devices, and whether a user is logged in there.
    devices: BTreeMap<DeviceName, bool>,
    due: BTreeSet<About>,
    /// Subscriptions to answer: the BLF, the domain, the Call-ID.
    asked: BTreeSet<(About, String, String)>,
}

impl Presence {
    /// The BLFs of `tenant` on the FreeSWITCH behind `client`. [`Presence::run`] publishes them.
    pub(super) fn new(client: Client, tenant: TenantId) -> Self {
        let known = Known { addresses: Addresses::new(tenant.clone()), ..Known::default() };
        Self { client, tenant, known: Arc::new(Mutex::new(known)), due: Arc::default() }
    }

    /// The switch had the BLF of these users lit, perhaps since before the start of Hotdesk.
    pub(super) fn were_lit<'a>(&self, users: impl Iterator<Item = &'a Extension>) {
        let mut known = self.known();
        known.users.extend(users.map(|user| (user.clone(), true)));
    }

    /// Takes over the rows of these subjects, which the switch now holds; all rows if its own `domain` is given.
    pub(super) fn follow(&self, subjects: &Subjects, desired: &Desired, domain: Option<&str>) {
        let mut known = self.known();
        known.addresses.follow(subjects, desired, domain);
        if subjects.others {
            known.devices.retain(|device, _| desired.devices.contains_key(device));
            let gone: Vec<_> =
                known.users.keys().filter(|it| !desired.users.contains_key(*it)).cloned().collect();
            gone.iter().for_each(|user| known.user_is(user, false));
        }
        for device in subjects.devices.iter().filter(|it| !desired.devices.contains_key(*it)) {
            known.devices.remove(device);
        }
        for user in subjects.users.iter().filter(|it| !desired.users.contains_key(*it)) {
            known.user_is(user, false);
        }
        desired.devices.iter().for_each(|(device, is)| known.device_is(device, is.is_logged_in()));
        desired.users.iter().for_each(|(user, is)| known.user_is(user, is.blf.lit));
        drop(known);
        self.due.notify_one();
    }

    /// Publishes all BLFs again: watchers may have got other states, and Hotdesk may have missed events.
    pub(super) fn all_again(&self) {
        let mut known = self.known();
        let Known { users, devices, due, .. } = &mut *known;
        let lamps = users.keys().map(|user| About::Blf(user.clone()));
        *due = lamps.chain(devices.keys().map(|device| About::DeviceBlf(device.clone()))).collect();
        drop(known);
        self.due.notify_one();
    }

    pub(super) fn asked(&self, probe: &Event) {
        let to = probe.get("to").unwrap_or_default();
        let Some((name, domain)) = to.split_once('@') else { return };
        let about = match name.strip_prefix(DEVICE_LAMP) {
            Some(device) => DeviceName::new(device).ok().map(About::DeviceBlf),
            None => Extension::new(name).ok().map(About::Blf),
        };
        let mut known = self.known();
        let Some(about) = about.filter(|about| known.lit(about).is_some()) else { return };
        if !self.is_of_tenant(domain) {
            return;
        }
        match probe.get("sub-call-id") {
            Some(call) if !call.is_empty() && known.asked.len() < ASKED => {
                known.asked.insert((about, domain.to_owned(), call.into_owned()));
            }
            _ => drop(known.due.insert(about)),
        }
        drop(known);
        self.due.notify_one();
    }

    /// Takes the end of a channel: if it lit the BLF of a user, its end has cleared it.
    pub(super) fn ended(&self, channel: &Event) {
        let lit = channel.get("Channel-Presence-ID").unwrap_or_default();
        let Some((user, domain)) = lit.split_once('@') else { return };
        let Ok(user) = Extension::new(user) else { return };
        let mut known = self.known();
        if known.users.contains_key(&user) && self.is_of_tenant(domain) {
            known.due.insert(About::Blf(user));
            self.due.notify_one();
        }
    }

    pub(super) async fn run(&self) {
        loop {
            self.due.notified().await;
            loop {
                sleep(PAUSE).await;
                let lamps = self.known().take(BATCH);
                if lamps.is_empty() {
                    break;
                }
                for (n, due) in lamps.iter().enumerate() {
                    if let Err(error) = self.publish(due).await {
                        debug!(event = "blf.not_sent", %error, "could not publish BLFs; Hotdesk tries again");
                        self.known().due.extend(lamps.iter().skip(n).map(|due| due.about.clone()));
                        sleep(RETRY).await;
                        break;
                    }
                }
            }
        }
    }

    async fn publish(&self, Due { about, lit, domains, call }: &Due) -> Result<(), SwitchError> {
        let (proto, name) = match about {
            About::DeviceBlf(device) => (DEVICE_LAMP.trim_end_matches('+'), device.to_string()),
            About::Blf(user) => ("sip", user.to_string()),
            _ => return Ok(()),
        };
        for domain in domains {
            let (address, id) = (format!("{name}@{domain}"), format!("hotdesk-{proto}-{name}"));
            // Calls of a device do not light the BLF of its session.
            let id = (*lit || proto == "sip").then_some(&*id);
            let shown = Shown { proto, address: &address, id, lit: *lit, call: call.as_deref() };
            show(&self.client, &shown).await?;
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

struct Due {
    about: About,
    lit: bool,
    domains: Vec<String>,
    /// Only to this subscription.
    call: Option<String>,
}

impl Known {
    /// Sets whether a user's BLF is lit; a change is due to be published.
    fn user_is(&mut self, user: &Extension, lit: bool) {
        if lit != self.users.get(user).copied().unwrap_or(false) {
            self.users.insert(user.clone(), lit);
            self.due.insert(About::Blf(user.clone()));
        }
    }

    fn device_is(&mut self, device: &DeviceName, lit: bool) {
        if self.devices.insert(device.clone(), lit) != Some(lit) {
            self.due.insert(About::DeviceBlf(device.clone()));
        }
    }

    fn lit(&self, about: &About) -> Option<bool> {
        match about {
            About::Blf(user) => self.users.get(user).copied(),
            About::DeviceBlf(device) => self.devices.get(device).copied(),
            _ => None,
        }
    }

    fn take(&mut self, most: usize) -> Vec<Due> {
        let (mut taken, domains) = (vec![], self.addresses.domains());
        while taken.len() < most {
            let (about, domains, call) = if let Some(about) = self.due.pop_first() {
                (about, domains.clone(), None)
            } else if let Some((about, domain, call)) = self.asked.pop_first() {
                (about, vec![domain], Some(call))
            } else {
                break;
            };
            if let Some(lit) = self.lit(&about) {
                taken.push(Due { about, lit, domains, call });
            }
        }
        taken
    }
}
