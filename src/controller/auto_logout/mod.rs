//! Automatic logout. One task for each tenant knows the sessions and when they end. It sleeps until then, asks the
//! switch whether there is a call, and ends the session in one step of the store.
//!
//! The same task switches a softphone on again when it registers again.
//!
//! No timers are kept: what is due follows from the store at any time ([`crate::model::auto_logout`]). So what was missed
//! while no controller ran is found at the start. Several controllers may do this at once: a session ends once.

mod clock_jumps;
mod watched;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::{broadcast, mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;
use tracing::{debug, error, info, warn};

use super::clock::Clock;
use super::commands;
use super::device_events::{Heard, forward};
use super::feed::Feed;
use super::reconcile::Held;
use crate::model::auto_logout::{AutoLogoutRules, Due, Why};
use crate::model::command::{Change, Outcome, Reads};
use crate::model::desired::Scope;
use crate::model::directory::{Device, Session};
use crate::model::id::{DeviceName, SwitchName, TenantId};
use crate::model::journal::Actor;
use crate::model::login::transition::SessionCommand;
use crate::model::observation::{ClockSet, Note, Noted};
use crate::model::schedule::Span;
use crate::model::settings::{Setting, SettingsCommand};
use crate::store::{Store, StoreError};
use crate::switch::device_state::{DeviceEvent, DeviceState, DeviceStates};
use crate::switch::{Switch, SwitchError};
use watched::{LoggedIn, Off, Switched};

/// How often all devices with a session are checked.
const EVERY: Duration = Duration::from_secs(60);
/// How long to wait before a device is checked again that has a call, or whose switch is down.
const AGAIN: SignedDuration = SignedDuration::from_secs(1);
/// How long after the first device event its device is checked.
const EVENT_DELAY: Duration = Duration::from_millis(100);
const BATCH: usize = 256;

/// The settings of automatic logout for a tenant.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The tenant's rules; those of locations, devices and users apply first.
    pub rules: AutoLogoutRules,
    /// How long before the logout there is a warning, if any.
    pub warn: Option<Span>,
    /// Whether the device then rings to ask the user.
    pub asks: bool,
    /// By how much a logout is postponed.
    pub extend: Span,
    /// The time zone of devices without a location.
    pub zone: TimeZone,
}

/// The task for the users of one tenant.
pub struct Timers {
    /// The tenant.
    pub tenant: TenantId,
    /// The store.
    pub store: Arc<dyn Store>,
    /// The tenant's switches; devices of other switches are ignored.
    pub switches: BTreeMap<SwitchName, Arc<dyn Switch>>,
    /// Why switches of the tenant are held: while one is, no session ends, because the store may be the wrong one.
    pub held: Vec<Held>,
    /// The settings; a reload replaces them.
    pub settings: watch::Receiver<Arc<Settings>>,
    /// The clock.
    pub clock: Clock,
}

impl Timers {
    /// Runs until `stop`. Returns the task to wait for.
    pub fn start(self, stop: CancellationToken) -> JoinHandle<()> {
        let (events, received) = mpsc::channel(crate::switch::device_state::EVENTS_KEPT);
        let heard = self.switches.iter();
        let heard = heard.map(|(name, switch)| forward(name.clone(), switch.device_events(), events.clone()));
        let heard = join_all(heard.collect::<Vec<_>>());
        let work = async move {
            let feed = Feed::start(self.store.clone(), self.tenant.clone()).await;
            let (switched, current, off) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
            let (sets, queue) = (self.clock.sets(), BTreeSet::new());
            let work = Work { timers: self, feed, switched, current, off, queue, sets, set: vec![] };
            work.run(received).await;
        };
        tokio::spawn(async move {
            stop.run_until_cancelled(async { tokio::join!(work, heard) }).await;
        })
    }
}

struct Work {
    timers: Timers,
    feed: Feed,
    switched: BTreeMap<SwitchName, Switched>,
    current: BTreeMap<DeviceName, LoggedIn>,
    off: BTreeMap<DeviceName, Off>,
    /// When to check which device next.
    queue: BTreeSet<(Timestamp, DeviceName)>,
    sets: broadcast::Receiver<ClockSet>,
    /// How the clock was set, until the sessions are mended.
    set: Vec<ClockSet>,
}

impl Work {
    async fn run(mut self, mut events: mpsc::Receiver<Heard>) {
        let mut settings = self.timers.settings.clone();
        settings.mark_changed();
        let mut minute = tokio::time::interval(EVERY);
        minute.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let clock = self.timers.clock.clone();
        loop {
            if self.is_free_again().await {
                settings.mark_changed();
            }
            let next = self.queue.first().map(|(at, _)| *at);
            let due = async {
                match next {
                    Some(at) => clock.until(at).await,
                    None => std::future::pending().await,
                }
            };
            let done = tokio::select! {
                // The branch that can be always ready comes last.
                biased;
                Ok(()) = settings.changed() => self.refresh(&Scope::All).await,
                Ok(set) = self.sets.recv() => {
                    self.clock_set(set);
                    self.now().await.map(drop)
                }
                () = due => self.end_due().await,
                _ = minute.tick() => self.look_around().await,
                () = self.feed.wait() => self.follow().await,
                Some(first) = events.recv() => self.heard(first, &mut events).await,
            };
            if let Err(error) = done {
                // When it is down or lost, `store.down` or `table.held` was logged.
                if !matches!(error, StoreError::Away(..) | StoreError::Lost(..)) {
                    error!(event = "store.failed", tenant = %self.timers.tenant, %error, "trying again in a second");
                }
                tokio::time::sleep(Duration::from_secs(1)).await;
                // What was not done is found again.
                settings.mark_changed();
            }
        }
    }

    /// Waits until no switch is held. Returns whether one was.
    async fn is_free_again(&mut self) -> bool {
        let mut was = false;
        for held in &mut self.timers.held {
            was |= held.borrow().is_some();
            // A reconciler that has ended holds nothing.
            let _ = held.wait_for(Option::is_none).await;
        }
        was
    }

    async fn follow(&mut self) -> Result<(), StoreError> {
        loop {
            let news = self.feed.next().await?;
            if !news.scope.is_empty() {
                self.refresh(&news.scope).await?;
                // The state of softphones that were switched off just now, before they unregister.
                let unseen =
                    self.off.values().filter(|off| !off.seen).map(|off| off.device.clone()).collect();
                self.look_at_each(unseen).await?;
            }
            self.feed.after = news.upto;
            if !news.more {
                return Ok(());
            }
        }
    }

    /// Reads the sessions at the devices of `scope` again, with their rules and observations.
    async fn refresh(&mut self, scope: &Scope) -> Result<(), StoreError> {
        let Timers { tenant, store, settings, switches, .. } = &self.timers;
        let mut loaded = store.load(tenant, &Reads::observed(scope)).await?;
        let observed = std::mem::take(&mut loaded.observations);
        let snapshot = loaded.into_snapshot(scope);
        let mut devices: BTreeSet<DeviceName> = snapshot.devices.keys().cloned().collect();
        match scope {
            Scope::All => devices.extend(self.current.keys().chain(self.off.keys()).cloned()),
            Scope::Some { devices: named, .. } => devices.extend(named.iter().cloned()),
        }
        let settings = settings.borrow().clone();
        let switches: BTreeSet<SwitchName> = switches.keys().cloned().collect();
        for name in devices {
            let off = Off::of(&snapshot, &name, self.off.remove(&name));
            if let Some(off) = off.filter(|off| switches.contains(&off.device.switch)) {
                self.off.insert(name.clone(), off);
            }
            let was = self.forget(&name);
            let session = snapshot.sessions.get(&name);
            if let (Some(session), Some(device)) = (session, snapshot.devices.get(&name))
                && switches.contains(&device.switch)
            {
                let zone = snapshot.location_of(device).map_or(&settings.zone, |place| place.zone.rules());
                let current = LoggedIn {
                    session: session.clone(),
                    device: device.clone(),
                    rules: snapshot.auto_logout(session, settings.rules),
                    zone: zone.clone(),
                    observed: observed.get(&name).copied().unwrap_or_default(),
                    warned: was.and_then(|was| was.warned),
                    next: None,
                };
                self.current.insert(name.clone(), current);
                self.plan(&name, None);
            }
        }
        Ok(())
    }

    fn forget(&mut self, device: &DeviceName) -> Option<LoggedIn> {
        let was = self.current.remove(device)?;
        if let Some(next) = was.next {
            self.queue.remove(&(next, device.clone()));
        }
        Some(was)
    }

    /// Schedules the next check of a device: at `at`, or when something is due.
    fn plan(&mut self, device: &DeviceName, at: Option<Timestamp>) {
        let warn = self.timers.settings.borrow().warn;
        let Some(current) = self.current.get_mut(device) else { return };
        if let Some(before) = current.next {
            self.queue.remove(&(before, device.clone()));
        }
        current.next = at.or_else(|| current.due().map(|due| current.warning(&due, warn).unwrap_or(due.at)));
        if let Some(next) = current.next {
            self.queue.insert((next, device.clone()));
        }
    }

    /// Warns, and ends due sessions at devices without a call.
    async fn end_due(&mut self) -> Result<(), StoreError> {
        let now = self.now().await?;
        let batch: BTreeSet<DeviceName> = self
            .queue
            .iter()
            .take_while(|(at, _)| *at <= now)
            .take(BATCH)
            .map(|(_, device)| device.clone())
            .collect();
        // Read the store again: the earlier data may be outdated.
        self.refresh(&of_devices(&batch)).await?;
        let mut due: BTreeMap<SwitchName, Vec<Device>> = BTreeMap::new();
        let mut soon = vec![];
        for name in &batch {
            let Some(current) = self.current.get_mut(name) else { continue };
            match current.due() {
                Some(is) if is.at <= now => {
                    due.entry(current.device.switch.clone()).or_default().push(current.device.clone());
                }
                Some(is) => {
                    let warn = self.timers.settings.borrow().warn;
                    if current.warning(&is, warn).is_some_and(|at| at <= now) {
                        current.warned = Some(is.at);
                        let Session { device, user, .. } = &current.session;
                        info!(event = "auto_logout.soon", %device, %user, why = is.why.name(), at = %is.at,
                            "will be logged out automatically");
                        soon.push((current.device.clone(), is));
                    }
                    self.plan(name, None);
                }
                None => {}
            }
        }
        self.ask(&soon).await?;
        for (switch, devices) in due {
            let states = self.look_at(&switch, &devices).await?;
            for (n, device) in devices.iter().enumerate() {
                let state = states.as_ref().and_then(|states| states.get(n)).copied();
                self.end(&device.name, state).await?;
            }
        }
        Ok(())
    }

    /// Rings devices without a call to ask their users, if that is wanted: each once, by one of all controllers. A
    /// logout for idleness is not asked about: ringing would be a call.
    async fn ask(&mut self, soon: &[(Device, Due)]) -> Result<(), StoreError> {
        let Settings { asks, extend, .. } = **self.timers.settings.borrow();
        if !asks {
            return Ok(());
        }
        for (device, due) in soon.iter().filter(|(_, due)| due.why != Why::Idle) {
            let states = self.look_at(&device.switch, std::slice::from_ref(device)).await?;
            let Some(current) = self.current.get(&device.name) else { continue };
            let Timers { tenant, switches, clock, .. } = &self.timers;
            let Some(switch) = switches.get(&device.switch) else { continue };
            if states.as_deref() != Some(&[DeviceState::Free]) {
                continue;
            }
            let Session { revision, user, .. } = &current.session;
            let asked = Note { device: device.name.clone(), revision: *revision, what: Noted::Asked(due.at) };
            let by = (Actor::Controller, clock.now());
            // Of several controllers, one succeeds.
            if self.change(by, Change::Observe(vec![asked])).await? != Outcome::Observed(vec![true]) {
                continue;
            }
            match switch.ring(device, extend.after(due.at)).await {
                Ok(()) => {
                    info!(event = "auto_logout.asked", %tenant, device = %device.name, %user, "the device rings to ask the user");
                }
                Err(error) => {
                    warn!(event = "auto_logout.not_asked", %tenant, device = %device.name, %user, %error,
                        "the user is not asked about the logout");
                }
            }
        }
        Ok(())
    }

    async fn change(&self, by: (Actor, Timestamp), change: Change) -> Result<Outcome, StoreError> {
        commands::change(&*self.timers.store, &self.timers.tenant, by, change).await
    }

    /// Ends the session at a device in this state if it is still due and there is no call; else later.
    async fn end(&mut self, name: &DeviceName, state: Option<DeviceState>) -> Result<(), StoreError> {
        let now = self.now().await?;
        let tenant = &self.timers.tenant;
        let Some(current) = self.current.get(name) else { return Ok(()) };
        let Some(Due { why, .. }) = current.due().filter(|due| due.at <= now) else {
            self.plan(name, None);
            return Ok(());
        };
        if !matches!(state, Some(DeviceState::Free | DeviceState::Gone)) {
            debug!(event = "auto_logout.waits", %tenant, device = %name, why = why.name(), state = ?state, "not yet");
            self.plan(name, Some(now + AGAIN));
            return Ok(());
        }
        let session = current.session.clone();
        let user = session.user.clone();
        let change = Change::Session(SessionCommand::Expire(session));
        // The reconciliation follows the journal. Another controller may have ended the session first.
        if !self.change((Actor::Timer(why), now), change).await?.into_transition().is_empty() {
            info!(event = "auto_logout.done", %tenant, device = %name, %user, why = why.name(), "logged out automatically");
        }
        self.forget(name);
        Ok(())
    }

    async fn heard(&mut self, first: Heard, more: &mut mpsc::Receiver<Heard>) -> Result<(), StoreError> {
        // A call has two ends, and switches take a moment to forget it.
        tokio::time::sleep(EVENT_DELAY).await;
        let mut devices: BTreeMap<DeviceName, Device> = BTreeMap::new();
        let mut next = Some(first);
        while let Some((switch, event)) = next {
            let heard: Vec<Device> = match event {
                Some(DeviceEvent { device, call }) => {
                    let (current, off) = (self.current.get(&device), self.off.get(&device));
                    if call && current.is_some() {
                        self.switched.entry(switch.clone()).or_default().busy.insert(device);
                    }
                    current.map(|it| &it.device).or(off.map(|it| &it.device)).cloned().into_iter().collect()
                }
                None => self.watched(),
            };
            let heard = heard.into_iter().filter(|device| device.switch == switch);
            devices.extend(heard.map(|device| (device.name.clone(), device)));
            next = more.try_recv().ok();
        }
        self.look_at_each(devices.into_values().collect()).await
    }

    /// The devices with a session, and the softphones that are off.
    fn watched(&self) -> Vec<Device> {
        let with_session = self.current.values().map(|current| &current.device);
        with_session.chain(self.off.values().map(|off| &off.device)).cloned().collect()
    }

    async fn look_around(&mut self) -> Result<(), StoreError> {
        self.now().await?;
        self.look_at_each(self.watched()).await
    }

    async fn look_at_each(&mut self, devices: Vec<Device>) -> Result<(), StoreError> {
        let mut of_switch: BTreeMap<SwitchName, Vec<Device>> = BTreeMap::new();
        for device in devices {
            of_switch.entry(device.switch.clone()).or_default().push(device);
        }
        for (switch, devices) in of_switch {
            self.look_at(&switch, &devices).await?;
        }
        Ok(())
    }

    /// Checks devices of one switch and stores the observations. `None` if the switch does not answer.
    async fn look_at(
        &mut self,
        name: &SwitchName,
        devices: &[Device],
    ) -> Result<Option<Vec<DeviceState>>, StoreError> {
        let Some(switch) = self.timers.switches.get(name).filter(|_| !devices.is_empty()) else {
            return Ok(None);
        };
        let DeviceStates { up, states } = match switch.device_states(devices).await {
            Ok(look) => look,
            Err(SwitchError::Away(_)) => return Ok(None),
            Err(error) => {
                warn!(event = "auto_logout.not_readable", switch = %name, %error, "due sessions last until the switch answers");
                return Ok(None);
            }
        };
        let now = self.now().await?;
        let switched = self.switched.entry(name.clone()).or_default();
        switched.up_for(up, now);
        let (mut notes, mut back): (Vec<Note>, Vec<DeviceName>) = (vec![], vec![]);
        for (device, state) in devices.iter().zip(&states) {
            if let Some(off) = self.off.get_mut(&device.name)
                && off.see(*state, switched, now)
            {
                back.push(device.name.clone());
            }
            let Some(current) = self.current.get_mut(&device.name) else { continue };
            notes.extend(current.see(*state, switched, now));
        }
        if !notes.is_empty() {
            self.change((Actor::Controller, now), Change::Observe(notes.clone())).await?;
            notes.iter().for_each(|note| self.plan(&note.device, None));
        }
        for device in back {
            self.switch_on(&device, now).await?;
        }
        Ok(Some(states))
    }

    /// A softphone has registered again. Several controllers may see that and switch it on.
    async fn switch_on(&mut self, device: &DeviceName, at: Timestamp) -> Result<(), StoreError> {
        let Some(Off { owner, .. }) = self.off.get(device) else { return Ok(()) };
        let settings = vec![Setting::Ring(device.clone(), true)];
        let change = SettingsCommand { user: owner.clone(), settings, emergency_numbers: vec![] };
        match self.change((Actor::Controller, at), Change::Settings(change)).await {
            Ok(_) => {
                let tenant = &self.timers.tenant;
                info!(event = "softphone.on", %tenant, %device, user = %owner, "registered again, so it rings again")
            }
            // Its owner was removed in the meantime.
            Err(StoreError::Refused(_)) => {}
            Err(error) => return Err(error),
        }
        self.off.remove(device);
        Ok(())
    }
}

fn of_devices(devices: &BTreeSet<DeviceName>) -> Scope {
    Scope::Some { users: BTreeSet::new(), devices: devices.clone() }
}
