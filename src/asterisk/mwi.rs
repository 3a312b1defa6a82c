//! Tells devices of the voicemail of who sits there, by `PJSIPNotify`: the lamp of a phone shows the box of its user.
//!
//! Nothing here says what has changed, only that a device may show something else than it should: its row was written, its
//! box told of a message (`MessageWaiting`), the phone registered (`ContactStatus`), we connected. Then its box is
//! counted, and it is told, unless it was told just that before. Asterisk itself tells nothing of these boxes, as such an
//! endpoint has no `mailboxes` of its own; so the lamp goes out with no re-registration and no reload (16.28 and 22.10).
//!
//! What is due waits in a set with one place for each device: however many events there are, a device is told at most once
//! a [`PAUSE`], and nobody waits for it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;
use tracing::debug;

use super::ami::{Action, Message};
use super::manager::{Manager, State};
use crate::desk::id::{DeviceName, Mailbox};
use crate::desk::table::{Edit, Key, Row, Table};
use crate::switch::SwitchError;

/// How long what is due is collected. It also lets a phone finish its registration.
const PAUSE: Duration = Duration::from_millis(50);
/// Devices that are told at once.
const BATCH: usize = 64;
/// How long to wait after Asterisk was too late.
const RETRY: Duration = Duration::from_secs(1);
/// The context of a box that names none.
const CONTEXT: &str = "default";

/// A sign that a device may show something else than it should.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Sign {
    /// Something happened to a box: `101@default`.
    Box(String),
    /// A phone registered, or is reached again: it may have forgotten what it was told.
    Registered(DeviceName),
}

/// The sign that an event is.
pub(super) fn sign(event: &Message) -> Option<Sign> {
    match event.event()? {
        "MessageWaiting" => Some(Sign::Box(event.header("Mailbox")?.to_owned())),
        "ContactStatus" => {
            let status = event.header("ContactStatus")?;
            let there = ["Created", "Updated", "NonQualified", "Reachable"].contains(&status);
            let device = DeviceName::new(event.header("EndpointName")?).ok()?;
            there.then_some(Sign::Registered(device))
        }
        _ => None,
    }
}

/// The lamps of a tenant's devices. Clones are the same.
#[derive(Clone)]
pub(super) struct Mwi {
    shared: Arc<Shared>,
}

struct Shared {
    manager: Manager,
    known: Mutex<Known>,
    due: Notify,
}

#[derive(Default)]
struct Known {
    /// Whose box each device shows, as Asterisk names it.
    boxes: HashMap<DeviceName, Option<String>>,
    /// The devices that show a box.
    shown_by: HashMap<String, BTreeSet<DeviceName>>,
    told: HashMap<DeviceName, Told>,
    due: BTreeSet<DeviceName>,
}

/// What a device was told.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
struct Told {
    mailbox: Option<String>,
    new: u32,
    old: u32,
}

impl Mwi {
    /// Tells the devices that `manager` reaches until `stop`.
    pub(super) fn start(manager: Manager, stop: CancellationToken) -> Self {
        let shared = Arc::new(Shared { manager, known: Mutex::default(), due: Notify::new() });
        let mwi = Self { shared };
        let (hearing, telling) = (mwi.clone(), mwi.clone());
        tokio::spawn(async move {
            stop.run_until_cancelled(async { tokio::join!(hearing.hear(), telling.tell()) }).await;
        });
        mwi
    }

    /// These rows were read: all there are.
    pub(super) fn read(&self, table: &Table) {
        let mut known = self.lock();
        let gone: Vec<DeviceName> = known
            .boxes
            .keys()
            .filter(|it| !table.contains_key(&Key::Device((*it).clone())))
            .cloned()
            .collect();
        for device in gone {
            known.forget(&device);
        }
        for (key, row) in table {
            if let (Key::Device(device), Row::Device(row)) = (key, row) {
                known.shows(device, row.mailbox.as_ref());
            }
        }
        self.shared.due.notify_one();
    }

    /// These differences were written.
    pub(super) fn written(&self, edits: &[Edit]) {
        let mut known = self.lock();
        for Edit { key, is, .. } in edits {
            match (key, is) {
                (Key::Device(device), Some(Row::Device(row))) => known.shows(device, row.mailbox.as_ref()),
                (Key::Device(device), _) => known.forget(device),
                _ => {}
            }
        }
        self.shared.due.notify_one();
    }

    /// Hears signs as long as there are any.
    async fn hear(&self) {
        let mut signs = self.shared.manager.signs();
        let mut state = self.shared.manager.state();
        loop {
            tokio::select! {
                sign = signs.recv() => match sign {
                    Ok(Sign::Box(mailbox)) => {
                        let mut known = self.lock();
                        let shown_by = known.shown_by.get(&mailbox).cloned().unwrap_or_default();
                        known.due.extend(shown_by);
                    }
                    Ok(Sign::Registered(device)) => self.lock().again(device),
                    Err(RecvError::Lagged(_)) => self.lock().all_again(),
                    Err(RecvError::Closed) => return,
                },
                changed = state.changed() => match changed {
                    Ok(()) if matches!(&*state.borrow_and_update(), State::Up(_)) => self.lock().all_again(),
                    Ok(()) => {}
                    Err(_) => return,
                },
            }
            self.shared.due.notify_one();
        }
    }

    async fn tell(&self) {
        loop {
            self.shared.due.notified().await;
            loop {
                tokio::time::sleep(PAUSE).await;
                let batch = self.lock().take(BATCH);
                if batch.is_empty() {
                    break;
                }
                if let Err(error) = self.tell_these(&batch).await {
                    // When there is a connection again, all are told.
                    debug!(event = "mwi.untold", devices = batch.len(), %error, "lamps are not told of voicemail");
                    self.lock().due.extend(batch.into_keys());
                    if matches!(error, SwitchError::Away(_)) {
                        break;
                    }
                    tokio::time::sleep(RETRY).await;
                }
            }
        }
    }

    async fn tell_these(&self, batch: &BTreeMap<DeviceName, Option<String>>) -> Result<(), SwitchError> {
        let boxes: BTreeSet<&String> = batch.values().flatten().collect();
        let ask = |mailbox: &&String| Action::new("MailboxCount").with("Mailbox", mailbox.as_str());
        let counts = self.shared.manager.act_all(boxes.iter().map(ask).collect()).await?;
        let counts: HashMap<&String, &Message> = boxes.into_iter().zip(&counts).collect();
        let due: Vec<(&DeviceName, Told)> = {
            let known = self.lock();
            let what = batch.iter().map(|(device, mailbox)| (device, told(mailbox.as_ref(), &counts)));
            what.filter(|(device, told)| known.told.get(*device) != Some(told)).collect()
        };
        let notify = due.iter().map(|(device, told)| notify(device, told)).collect();
        let answers = self.shared.manager.act_all(notify).await?;
        let mut known = self.lock();
        for ((device, told), answer) in due.into_iter().zip(answers) {
            if answer.is_success() {
                known.told.insert(device.clone(), told);
            } else {
                // It has no contact; it is told when it registers.
                let why = answer.header("Message").unwrap_or_default().trim_end();
                debug!(event = "mwi.refused", %device, why, "a lamp is not told of voicemail");
            }
        }
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.shared.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    fn shows(&mut self, device: &DeviceName, mailbox: Option<&Mailbox>) {
        let mailbox = mailbox.map(whole);
        if self.boxes.get(device) == Some(&mailbox) {
            return;
        }
        self.unlink(device);
        if let Some(mailbox) = &mailbox {
            self.shown_by.entry(mailbox.clone()).or_default().insert(device.clone());
        }
        self.boxes.insert(device.clone(), mailbox);
        self.due.insert(device.clone());
    }

    fn forget(&mut self, device: &DeviceName) {
        self.unlink(device);
        self.boxes.remove(device);
        self.told.remove(device);
        self.due.remove(device);
    }

    fn unlink(&mut self, device: &DeviceName) {
        let Some(Some(mailbox)) = self.boxes.get(device) else { return };
        if let Some(devices) = self.shown_by.get_mut(mailbox) {
            devices.remove(device);
            if devices.is_empty() {
                self.shown_by.remove(mailbox);
            }
        }
    }

    /// It is told once more, whatever it was told.
    fn again(&mut self, device: DeviceName) {
        if self.boxes.contains_key(&device) {
            self.told.remove(&device);
            self.due.insert(device);
        }
    }

    fn all_again(&mut self) {
        self.told.clear();
        self.due = self.boxes.keys().cloned().collect();
    }

    /// Some of what is due, with the box that each shows now.
    fn take(&mut self, most: usize) -> BTreeMap<DeviceName, Option<String>> {
        let mut taken = BTreeMap::new();
        while taken.len() < most
            && let Some(device) = self.due.pop_first()
        {
            if let Some(mailbox) = self.boxes.get(&device) {
                taken.insert(device, mailbox.clone());
            }
        }
        taken
    }
}

/// A box as Asterisk's events name it.
fn whole(mailbox: &Mailbox) -> String {
    let mailbox = mailbox.as_str();
    if mailbox.contains('@') { mailbox.into() } else { format!("{mailbox}@{CONTEXT}") }
}

/// What a device that shows `mailbox` is to be told.
fn told(mailbox: Option<&String>, counts: &HashMap<&String, &Message>) -> Told {
    let Some(mailbox) = mailbox else { return Told::default() };
    let count = |name| -> u32 {
        let count = counts.get(mailbox).and_then(|count| count.header(name)?.trim().parse().ok());
        count.unwrap_or(0)
    };
    Told {
        mailbox: Some(mailbox.clone()),
        new: count("NewMessages") + count("UrgMessages"),
        old: count("OldMessages"),
    }
}

fn notify(device: &DeviceName, told: &Told) -> Action {
    let Told { new, old, .. } = told;
    let waiting = if *new > 0 { "yes" } else { "no" };
    Action::new("PJSIPNotify")
        .with("Endpoint", device.as_str())
        .with("Variable", "Event=message-summary")
        .with("Variable", "Content-Type=application/simple-message-summary")
        .with("Variable", format!("Content=Messages-Waiting: {waiting}"))
        .with("Variable", format!("Content=Voice-Message: {new}/{old} (0/0)"))
}
