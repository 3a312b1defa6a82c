//! Tells devices of the voicemail of who sits there: the lamp of a phone shows the box of its user.
//!
//! sofia tells a phone of the box of its own address, at each REGISTER and each renewed SUBSCRIBE, and again when
//! something happens to that box: another one than its user's, or none (1.10.12). So it is told once more each time, as its
//! own address, of the box that it should show. What the boxes hold is asked of `mod_voicemail` by `MESSAGE_QUERY`, which
//! needs no right to an API command; what begins with `VM-` there stands in the answer, without that. By a `Call-ID` that
//! no registration has, sofia sends the answer to nobody, and it is known for ours.
//!
//! Nothing here says what has changed: a device may show something else than it should, then its box is asked for, and it
//! is told, unless that is what it was told last. At most once a [`PAUSE`], and nobody waits for it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::sleep;
use tracing::debug;

use super::address::Addresses;
use super::client::Client;
use super::event::Event;
use crate::desk::id::{DeviceName, TenantId};
use crate::desk::table::{Edit, Table};
use crate::switch::SwitchError;
use crate::switch::mwi::{Boxes, Messages};

/// The event by which a box tells of its messages, and a phone is told.
pub(super) const EVENT: &str = "MESSAGE_WAITING";
/// How long what is due is collected. It also lets sofia tell what it tells by itself.
const PAUSE: Duration = Duration::from_millis(50);
/// How long to wait after FreeSWITCH was away.
const RETRY: Duration = Duration::from_secs(1);
/// Devices that are told at once.
const BATCH: usize = 64;
/// The `Call-ID` of an answer to us; no phone has it.
const ASKED: &str = "hotdesk";
/// The header of what a controller tells a phone.
const TOLD: &str = "Hotdesk-Told";

/// The lamps of a tenant's devices. Clones are the same.
#[derive(Clone)]
pub(super) struct Mwi {
    client: Client,
    known: Arc<Mutex<Known>>,
    due: Arc<Notify>,
}

struct Known {
    addresses: Addresses,
    boxes: Boxes,
    /// What was heard of boxes that are shown, and not told yet.
    heard: BTreeMap<String, (u32, u32)>,
}

impl Mwi {
    /// Tells the devices of `tenant` on the FreeSWITCH that `client` is connected to; [`Mwi::tell`] does.
    pub(super) fn new(client: Client, tenant: TenantId) -> Self {
        let known =
            Known { addresses: Addresses::new(tenant), boxes: Boxes::default(), heard: BTreeMap::new() };
        Self { client, known: Arc::new(Mutex::new(known)), due: Arc::default() }
    }

    /// These rows were read, all there are, on a switch whose own domain is this.
    pub(super) fn read(&self, table: &Table, domain: &str) {
        let Known { addresses, boxes, .. } = &mut *self.known();
        addresses.read(table, domain);
        boxes.read(table, |device, mailbox| addresses.mailbox(device, mailbox.as_str()));
        self.due.notify_one();
    }

    /// These differences were written.
    pub(super) fn written(&self, edits: &[Edit]) {
        let Known { addresses, boxes, .. } = &mut *self.known();
        addresses.written(edits);
        boxes.written(edits, |device, mailbox| addresses.mailbox(device, mailbox.as_str()));
        self.due.notify_one();
    }

    /// Phones may have forgotten what they were told, and events may have been missed.
    pub(super) fn all_again(&self) {
        self.known().boxes.all_again();
        self.due.notify_one();
    }

    /// Takes an [`EVENT`].
    pub(super) fn hear(&self, event: &Event) {
        let account = event.get("MWI-Message-Account").unwrap_or_default();
        let account = account.strip_prefix("sip:").unwrap_or(&account);
        if event.get(TOLD).is_some() {
            return;
        }
        let mut known = self.known();
        if event.get("Call-ID").as_deref() != Some(ASKED)
            && let Some(device) = known.addresses.device(account).cloned()
        {
            // sofia has told it of its own box.
            known.boxes.again(&device);
        }
        if !known.boxes.showing(account).is_empty() {
            let counts = counts(&event.get("MWI-Voice-Message").unwrap_or_default());
            known.heard.insert(account.to_owned(), counts);
        }
        self.due.notify_one();
    }

    /// Tells as long as it is run.
    pub(super) async fn tell(&self) {
        loop {
            self.due.notified().await;
            loop {
                sleep(PAUSE).await;
                let (batch, heard) = {
                    let mut known = self.known();
                    (known.boxes.take(BATCH), std::mem::take(&mut known.heard))
                };
                if batch.is_empty() && heard.is_empty() {
                    break;
                }
                let Err(error) = self.tell_these(&batch, &heard).await else { continue };
                debug!(event = "mwi.untold", devices = batch.len(), %error, "phones are not told of voicemail yet");
                self.untold(&batch, &heard);
                sleep(RETRY).await;
            }
        }
    }

    async fn tell_these(
        &self,
        batch: &BTreeMap<DeviceName, Option<String>>,
        heard: &BTreeMap<String, (u32, u32)>,
    ) -> Result<(), SwitchError> {
        let asked: BTreeSet<&String> =
            batch.values().flatten().filter(|it| !heard.contains_key(*it)).collect();
        for mailbox in asked {
            let account = format!("sip:{mailbox}");
            self.client
                .tell("MESSAGE_QUERY", &[("Message-Account", &account), ("VM-Call-ID", ASKED)])
                .await?;
        }
        let dark = batch.iter().filter(|(_, mailbox)| mailbox.is_none());
        let mut due: Vec<(DeviceName, Messages)> =
            dark.map(|(device, _)| (device.clone(), Messages::default())).collect();
        for (mailbox, (new, old)) in heard {
            let messages = Messages { mailbox: Some(mailbox.clone()), new: *new, old: *old };
            let showing = self.known().boxes.showing(mailbox);
            due.extend(showing.into_iter().map(|device| (device, messages.clone())));
        }
        for (device, messages) in due {
            let address = {
                let known = self.known();
                let address = known.addresses.of(&device).map(str::to_owned);
                address.filter(|_| known.boxes.lacks(&device, &messages))
            };
            let Some(address) = address else { continue };
            let count = format!("{}/{} (0/0)", messages.new, messages.old);
            let waiting = if messages.new > 0 { "yes" } else { "no" };
            let told = [
                ("MWI-Messages-Waiting", waiting),
                ("MWI-Message-Account", &*address),
                ("MWI-Voice-Message", &*count),
                (TOLD, "yes"),
            ];
            self.client.tell(EVENT, &told).await?;
            self.known().boxes.told(&device, &messages);
        }
        Ok(())
    }

    fn untold(&self, batch: &BTreeMap<DeviceName, Option<String>>, heard: &BTreeMap<String, (u32, u32)>) {
        let boxes = &mut self.known().boxes;
        boxes.untold(batch.keys());
        heard.keys().for_each(|mailbox| boxes.stirred(mailbox));
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// New and old messages of `2/1 (0/0)`; of nothing none.
fn counts(messages: &str) -> (u32, u32) {
    let counts = messages.split(' ').next().unwrap_or_default();
    let (new, old) = counts.split_once('/').unwrap_or((counts, ""));
    (new.parse().unwrap_or(0), old.parse().unwrap_or(0))
}
