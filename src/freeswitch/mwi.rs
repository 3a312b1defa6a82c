//! Sends each device the MWI of its user's mailbox.
//!
//! At each REGISTER, each renewed SUBSCRIBE and each change, sofia sends a phone the MWI of the mailbox of the phone's own
//! address. That is not the user's mailbox, or there is none (1.10.12). So Hotdesk sends the phone the MWI of the right mailbox
//! after each of them, under the phone's own address. Hotdesk reads mailboxes with `MESSAGE_QUERY` to `mod_voicemail`, which
//! needs no right to an API command. Headers that begin with `VM-` come back in the answer, without that prefix. No
//! registration has the `Call-ID` of the query: so sofia sends the answer to no phone, and Hotdesk recognizes it.
//!
//! An event says only that the MWI of a device may be wrong. Then Hotdesk reads its mailbox, and notifies the device if the
//! last notification was another one. A device gets at most one a [`PAUSE`]. No login waits for it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::sleep;
use tracing::debug;

use super::devices::address::Addresses;
use super::esl::client::Client;
use super::esl::event::Event;
use crate::model::desired::{Desired, Subjects};
use crate::model::id::{DeviceName, TenantId};
use crate::switch::SwitchError;
use crate::switch::mwi::{Boxes, Messages};

/// The event with the messages of a mailbox, from `mod_voicemail` and to a phone.
pub(super) const EVENT: &str = "MESSAGE_WAITING";
/// The event with the registration of a phone, which each renewal makes, too.
pub(super) const REGISTERED: &str = "sofia::register";
/// How long to collect changes before they are sent. It also lets sofia send its own MWI first.
const PAUSE: Duration = Duration::from_millis(50);
const RETRY: Duration = Duration::from_secs(1);
const BATCH: usize = 64;
/// The `Call-ID` of an answer to Hotdesk's query; no phone has it.
const ASKED: &str = "hotdesk";
/// The header of an event that a controller sends to a phone.
const SENT: &str = "Hotdesk-Told";

/// The MWI of a tenant's devices. Clones share it.
#[derive(Clone)]
pub(super) struct Mwi {
    client: Client,
    known: Arc<Mutex<Known>>,
    due: Arc<Notify>,
}

struct Known {
    addresses: Addresses,
    boxes: Boxes,
    /// New counts of mailboxes that devices show, not sent yet.
    heard: BTreeMap<String, (u32, u32)>,
}

impl Mwi {
    /// For the devices of `tenant` on the FreeSWITCH behind `client`. [`Mwi::run`] notifies them.
    pub(super) fn new(client: Client, tenant: TenantId) -> Self {
        let known =
            Known { addresses: Addresses::new(tenant), boxes: Boxes::default(), heard: BTreeMap::new() };
        Self { client, known: Arc::new(Mutex::new(known)), due: Arc::default() }
    }

    /// Takes over the rows of these subjects, which the switch now holds; all rows if its own `domain` is given.
    pub(super) fn follow(&self, subjects: &Subjects, desired: &Desired, domain: Option<&str>) {
        let Known { addresses, boxes, .. } = &mut *self.known();
        addresses.follow(subjects, desired, domain);
        boxes.follow(subjects, desired, |device, mailbox| addresses.mailbox(device, mailbox.as_str()));
        self.due.notify_one();
    }

    /// Notifies all devices again: phones may have lost their MWI, and Hotdesk may have missed events.
    pub(super) fn all_again(&self) {
        self.known().boxes.all_again();
        self.due.notify_one();
    }

    /// A phone registered. Only to the first one of an address sofia sends the MWI of its own mailbox (1.10.12).
    pub(super) fn registered(&self, event: &Event) {
        let part = |names: [&str; 2]| names.into_iter().find_map(|name| event.get(name)).unwrap_or_default();
        let (user, domain) = (part(["username", "from-user"]), part(["realm", "from-host"]));
        let mut known = self.known();
        if let Some(device) = known.addresses.device(&format!("{user}@{domain}")).cloned() {
            known.boxes.again(&device);
            self.due.notify_one();
        }
    }

    pub(super) fn hear(&self, event: &Event) {
        let account = event.get("MWI-Message-Account").unwrap_or_default();
        let account = account.strip_prefix("sip:").unwrap_or(&account);
        if event.get(SENT).is_some() {
            return;
        }
        let mut known = self.known();
        if event.get("Call-ID").as_deref() != Some(ASKED)
            && let Some(device) = known.addresses.device(account).cloned()
        {
            // sofia has sent the MWI of its own mailbox.
            known.boxes.again(&device);
        }
        if !known.boxes.showing(account).is_empty() {
            let counts = counts(&event.get("MWI-Voice-Message").unwrap_or_default());
            known.heard.insert(account.to_owned(), counts);
        }
        self.due.notify_one();
    }

    pub(super) async fn run(&self) {
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
                let Err(error) = self.send_batch(&batch, &heard).await else { continue };
                debug!(event = "mwi.not_sent", devices = batch.len(), %error, "could not send MWI; Hotdesk tries again");
                {
                    let boxes = &mut self.known().boxes;
                    boxes.not_sent(batch.keys());
                    heard.keys().for_each(|mailbox| boxes.changed(mailbox));
                }
                sleep(RETRY).await;
            }
        }
    }

    async fn send_batch(
        &self,
        batch: &BTreeMap<DeviceName, Option<String>>,
        heard: &BTreeMap<String, (u32, u32)>,
    ) -> Result<(), SwitchError> {
        let asked: BTreeSet<_> = batch.values().flatten().filter(|it| !heard.contains_key(*it)).collect();
        for mailbox in asked {
            let account = format!("sip:{mailbox}");
            self.client
                .send_event("MESSAGE_QUERY", &[("Message-Account", &account), ("VM-Call-ID", ASKED)])
                .await?;
        }
        let dark = batch.iter().filter(|(_, mailbox)| mailbox.is_none());
        let mut due: Vec<_> = dark.map(|(device, _)| (device.clone(), Messages::default())).collect();
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
            let headers = [
                ("MWI-Messages-Waiting", waiting),
                ("MWI-Message-Account", &*address),
                ("MWI-Voice-Message", &*count),
                (SENT, "yes"),
            ];
            self.client.send_event(EVENT, &headers).await?;
            self.known().boxes.sent(&device, &messages);
        }
        Ok(())
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// New and old messages of `2/1 (0/0)`; zero of an empty text.
fn counts(messages: &str) -> (u32, u32) {
    let counts = messages.split(' ').next().unwrap_or_default();
    let (new, old) = counts.split_once('/').unwrap_or((counts, ""));
    (new.parse().unwrap_or(0), old.parse().unwrap_or(0))
}
