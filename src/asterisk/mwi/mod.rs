//! Sends each device the MWI of its user's mailbox, with `PJSIPNotify`.
//!
//! An event says only that the MWI of a device may be wrong: Hotdesk wrote its row, the messages in its mailbox changed
//! (`MessageWaiting`), the phone registered (`ContactStatus`, or a registration that lasts longer), or Hotdesk connected. Then
//! Hotdesk counts the messages, and notifies the device if the last notification was another one. Asterisk itself sends no
//! MWI for these mailboxes, as such an endpoint has no `mailboxes`. So a lamp goes out at once, without a registration or a
//! reload (16.28 and 22.10).
//!
//! A device gets at most one notification a [`PAUSE`], however many events there are. No login waits for it.

pub(in crate::asterisk) mod codec;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::sleep;
use tracing::debug;

use super::ami::client::{Manager, State};
use super::ami::codec::{Action, Message};
use super::events::Events;
use super::mwi::codec::{Sign, count, counted, notify};
use crate::model::desired::{Desired, Subjects};
use crate::model::id::{DeviceName, Mailbox};
use crate::switch::mwi::{Boxes, Messages};
use crate::switch::{SwitchError, unless_refused};

/// How long to collect changes before they are sent. It also lets a phone finish its registration.
const PAUSE: Duration = Duration::from_millis(50);
/// How long to wait after Asterisk answered too late.
const RETRY: Duration = Duration::from_secs(1);
/// How often to ask Asterisk which phones are registered.
const REGISTRATIONS: Duration = Duration::from_secs(20);
/// Devices to notify at once.
const BATCH: usize = 64;

type Registrations = BTreeMap<DeviceName, BTreeSet<String>>;

/// The MWI of a tenant's devices. Clones share it.
#[derive(Clone)]
pub(super) struct Mwi {
    manager: Manager,
    boxes: Arc<Mutex<Boxes>>,
    due: Arc<Notify>,
}

impl Mwi {
    /// For the devices of the Asterisk behind `manager`. [`Mwi::run`] notifies them.
    pub(super) fn new(manager: Manager) -> Self {
        Self { manager, boxes: Arc::default(), due: Arc::default() }
    }

    /// Notifies the devices while it runs.
    pub(super) async fn run(self, events: Events) {
        tokio::join!(self.hear(&events), self.send(), self.watch_registrations());
    }

    /// Takes over the rows of `subjects` that the switch now holds.
    pub(super) fn follow(&self, subjects: &Subjects, desired: &Desired) {
        self.boxes().follow(subjects, desired, whole);
        self.due.notify_one();
    }

    async fn hear(&self, events: &Events) {
        let (mut signs, mut state) = (events.mail.subscribe(), self.manager.state());
        loop {
            tokio::select! {
                sign = signs.recv() => match sign {
                    Ok(Sign::Box(mailbox)) => self.boxes().changed(&mailbox),
                    Ok(Sign::Device(device)) => {
                        let device = DeviceName::new(device);
                        device.iter().for_each(|device| self.boxes().again(device));
                    }
                    Err(RecvError::Lagged(_)) => self.boxes().all_again(),
                    Err(RecvError::Closed) => return,
                },
                changed = state.changed() => match changed {
                    Ok(()) if matches!(&*state.borrow_and_update(), State::Up(_)) => self.boxes().all_again(),
                    Ok(()) => {}
                    Err(_) => return,
                },
            }
            self.due.notify_one();
        }
    }

    /// A restarted phone has lost its MWI. If it registers with the same contact, no event says so. Only its registration
    /// lasts longer than before, as after any renewal.
    async fn watch_registrations(&self) {
        let mut known: Option<Registrations> = None;
        loop {
            sleep(REGISTRATIONS).await;
            let listed = self.manager.list(Action::new("PJSIPShowContacts")).await;
            let Ok(listed) = unless_refused(listed) else { continue };
            let mut now = Registrations::new();
            // Asterisk refuses this if there are no contacts.
            for contact in listed.iter().flatten() {
                let part = |name| contact.header(name).unwrap_or_default();
                if let Ok(device) = DeviceName::new(part("Endpoint")) {
                    let contact = format!("{} {}", part("Uri"), part("ExpirationTime"));
                    now.entry(device).or_default().insert(contact);
                }
            }
            if let Some(before) = &known {
                let renewed = now.iter().filter(|(it, contacts)| before.get(*it) != Some(*contacts));
                renewed.for_each(|(it, _)| self.boxes().again(it));
            }
            known = Some(now);
            self.due.notify_one();
        }
    }

    async fn send(&self) {
        loop {
            self.due.notified().await;
            loop {
                sleep(PAUSE).await;
                let batch = self.boxes().take(BATCH);
                if batch.is_empty() {
                    break;
                }
                let Err(error) = self.send_batch(&batch).await else { continue };
                debug!(event = "mwi.not_sent", devices = batch.len(), %error, "could not send MWI; Hotdesk tries again");
                self.boxes().not_sent(batch.keys());
                // After the next connect all devices are notified.
                if matches!(error, SwitchError::Away(_)) {
                    break;
                }
                sleep(RETRY).await;
            }
        }
    }

    async fn send_batch(&self, batch: &BTreeMap<DeviceName, Option<String>>) -> Result<(), SwitchError> {
        let asked: BTreeSet<&String> = batch.values().flatten().collect();
        let counts = self.manager.act_all(asked.iter().map(|mailbox| count(mailbox)).collect()).await?;
        let counts: HashMap<&String, &Message> = asked.into_iter().zip(&counts).collect();
        let due: Vec<(&DeviceName, Messages)> = {
            let boxes = self.boxes();
            let in_box = |mailbox: &String| counted(mailbox, counts.get(mailbox).copied());
            let of = |mailbox: &Option<String>| mailbox.as_ref().map(in_box).unwrap_or_default();
            let messages = batch.iter().map(|(device, mailbox)| (device, of(mailbox)));
            messages.filter(|(device, messages)| boxes.lacks(device, messages)).collect()
        };
        let notifications = due.iter().map(|(device, it)| notify(device.as_str(), it)).collect();
        let answers = self.manager.act_all(notifications).await?;
        let mut boxes = self.boxes();
        for ((device, messages), answer) in due.into_iter().zip(answers) {
            if answer.is_success() {
                boxes.sent(device, &messages);
            } else {
                // Hotdesk tries again when the phone registers.
                let why = answer.header("Message").unwrap_or_default().trim_end();
                debug!(event = "mwi.refused", %device, why, "Asterisk refused to send MWI to a phone");
            }
        }
        Ok(())
    }

    fn boxes(&self) -> MutexGuard<'_, Boxes> {
        self.boxes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A mailbox as Asterisk's events name it.
fn whole(_: &DeviceName, mailbox: &Mailbox) -> String {
    let mailbox = mailbox.as_str();
    if mailbox.contains('@') { mailbox.into() } else { format!("{mailbox}@default") }
}
