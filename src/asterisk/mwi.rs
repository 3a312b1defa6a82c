//! Tells devices of the voicemail of who sits there, by `PJSIPNotify`: the lamp of a phone shows the box of its user.
//!
//! An event says only that a device may show something else than it should: its row was written, its box told of a message
//! (`MessageWaiting`), the phone registered (`ContactStatus`, or a registration that lasts longer), we connected. Then its box is counted, and it is told,
//! unless that is what it was told last. Asterisk itself tells nothing of these boxes, as such an endpoint has no
//! `mailboxes` of its own; so a lamp goes out at once, without a registration or a reload (16.28 and 22.10).
//!
//! A device is told at most once a [`PAUSE`], however many events there are, and nobody waits for it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tracing::debug;

use super::ami::{Action, Message};
use super::mail::{Sign, count, counted, notify};
use super::manager::{Manager, State};
use crate::desk::id::{DeviceName, Mailbox};
use crate::desk::table::{Edit, Table};
use crate::switch::SwitchError;
use crate::switch::mwi::{Boxes, Messages};

/// How long what is due is collected. It also lets a phone finish its registration.
const PAUSE: Duration = Duration::from_millis(50);
/// How long to wait after Asterisk was too late.
const RETRY: Duration = Duration::from_secs(1);
/// How often it is asked which phones are registered.
const REGISTRATIONS: Duration = Duration::from_secs(20);
/// Devices that are told at once.
const BATCH: usize = 64;

/// What phones are registered as, by their devices.
type Registrations = BTreeMap<DeviceName, BTreeSet<String>>;

/// The lamps of a tenant's devices. Clones are the same.
#[derive(Clone)]
pub(super) struct Mwi {
    manager: Manager,
    boxes: Arc<Mutex<Boxes>>,
    due: Arc<Notify>,
}

impl Mwi {
    /// Tells the devices that `manager` reaches until `stop`.
    pub(super) fn start(manager: Manager, stop: CancellationToken) -> Self {
        let mwi = Self { manager, boxes: Arc::default(), due: Arc::default() };
        let (hearing, telling, watching) = (mwi.clone(), mwi.clone(), mwi.clone());
        tokio::spawn(async move {
            let work = async { tokio::join!(hearing.hear(), telling.tell(), watching.watch_registrations()) };
            stop.run_until_cancelled(work).await;
        });
        mwi
    }

    /// These rows were read: all there are.
    pub(super) fn read(&self, table: &Table) {
        self.boxes().read(table, whole);
        self.due.notify_one();
    }

    /// These differences were written.
    pub(super) fn written(&self, edits: &[Edit]) {
        self.boxes().written(edits, whole);
        self.due.notify_one();
    }

    async fn hear(&self) {
        let (mut signs, mut state) = (self.manager.mail(), self.manager.state());
        loop {
            tokio::select! {
                sign = signs.recv() => match sign {
                    Ok(Sign::Box(mailbox)) => self.boxes().stirred(&mailbox),
                    Ok(Sign::Phone(device)) => {
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

    /// A phone that was switched off and on has forgotten what it was told. If it comes back under the same contact no event
    /// tells so, only that its registration lasts longer than before, as after any other renewal.
    async fn watch_registrations(&self) {
        let mut known: Option<Registrations> = None;
        loop {
            sleep(REGISTRATIONS).await;
            let listed = match self.manager.list(Action::new("PJSIPShowContacts")).await {
                Ok(listed) => listed,
                // Without one it refuses.
                Err(SwitchError::Refused(..)) => vec![],
                Err(_) => continue,
            };
            let mut now = Registrations::new();
            for contact in &listed {
                let part = |name| contact.header(name).unwrap_or_default();
                if let Ok(device) = DeviceName::new(part("Endpoint")) {
                    now.entry(device).or_default().insert(format!(
                        "{} {}",
                        part("Uri"),
                        part("ExpirationTime")
                    ));
                }
            }
            if let Some(before) = &known {
                let mut boxes = self.boxes();
                now.iter()
                    .filter(|(it, ids)| before.get(*it) != Some(*ids))
                    .for_each(|(it, _)| boxes.again(it));
            }
            known = Some(now);
            self.due.notify_one();
        }
    }

    async fn tell(&self) {
        loop {
            self.due.notified().await;
            loop {
                sleep(PAUSE).await;
                let batch = self.boxes().take(BATCH);
                if batch.is_empty() {
                    break;
                }
                let Err(error) = self.tell_these(&batch).await else { continue };
                debug!(event = "mwi.untold", devices = batch.len(), %error, "phones are not told of voicemail yet");
                self.boxes().untold(batch.keys());
                // When there is a connection again, all are told.
                if matches!(error, SwitchError::Away(_)) {
                    break;
                }
                sleep(RETRY).await;
            }
        }
    }

    async fn tell_these(&self, batch: &BTreeMap<DeviceName, Option<String>>) -> Result<(), SwitchError> {
        let asked: BTreeSet<&String> = batch.values().flatten().collect();
        let counts = self.manager.act_all(asked.iter().map(|mailbox| count(mailbox)).collect()).await?;
        let counts: HashMap<&String, &Message> = asked.into_iter().zip(&counts).collect();
        let due: Vec<(&DeviceName, Messages)> = {
            let boxes = self.boxes();
            let in_box = |mailbox: &String| counted(mailbox, counts.get(mailbox).copied());
            let messages = batch
                .iter()
                .map(|(device, mailbox)| (device, mailbox.as_ref().map(in_box).unwrap_or_default()));
            messages.filter(|(device, messages)| boxes.lacks(device, messages)).collect()
        };
        let answers = self
            .manager
            .act_all(due.iter().map(|(device, it)| notify(device.as_str(), it)).collect())
            .await?;
        let mut boxes = self.boxes();
        for ((device, messages), answer) in due.into_iter().zip(answers) {
            if answer.is_success() {
                boxes.told(device, &messages);
            } else {
                // It is told when it registers.
                let why = answer.header("Message").unwrap_or_default().trim_end();
                debug!(event = "mwi.refused", %device, why, "a phone is not told of voicemail");
            }
        }
        Ok(())
    }

    fn boxes(&self) -> MutexGuard<'_, Boxes> {
        self.boxes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A box as Asterisk's events name it.
fn whole(_: &DeviceName, mailbox: &Mailbox) -> String {
    let mailbox = mailbox.as_str();
    if mailbox.contains('@') { mailbox.into() } else { format!("{mailbox}@default") }
}
