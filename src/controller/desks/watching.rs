//! Keeps the desks of a tenant: follows the store, and asks the switches.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{join_all, select_all};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval, sleep};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::desk::{Desk, Sources};
use super::view::{Desks, Link};
use crate::controller::auto_logout::Settings;
use crate::controller::device_events::{Heard, forward};
use crate::controller::feed::Feed;
use crate::controller::reconcile::Held;
use crate::model::command::Reads;
use crate::model::desired::Scope;
use crate::model::directory::Device;
use crate::model::id::{DeviceName, Revision, SwitchName, TenantId};
use crate::store::{Store, StoreError};
use crate::switch::Switch;
use crate::switch::device_state::{DeviceState, EVENTS_KEPT};

/// How often each switch is asked whether it is there.
const EVERY: Duration = Duration::from_secs(5);
/// How often it is asked for all phones, in such times: events of phones may be lost.
const ALL: u32 = 12;
/// How long after a device event its device is asked for: a call has two ends.
const EVENT_DELAY: Duration = Duration::from_millis(50);
/// How long to wait after the store could not be read.
const AGAIN: Duration = Duration::from_secs(1);
/// How many phones are asked for at once.
const BATCH: usize = 256;
/// How many journal entries are read for the newest ones.
const ENTRIES: u64 = 8;

/// What keeps the desks of one tenant.
pub struct Watching {
    /// The tenant.
    pub tenant: TenantId,
    /// The store.
    pub store: Arc<dyn Store>,
    /// The tenant's switches.
    pub switches: BTreeMap<SwitchName, Arc<dyn Switch>>,
    /// Why each of them is held, while it is.
    pub held: BTreeMap<SwitchName, Held>,
    /// The rules of automatic logout; a reload replaces them.
    pub settings: watch::Receiver<Arc<Settings>>,
}

struct Work {
    of: Watching,
    feed: Feed,
    desks: Desks,
    published: watch::Sender<Arc<Desks>>,
    /// Phones by switch, as they were asked for last.
    states: BTreeMap<DeviceName, DeviceState>,
}

impl Watching {
    /// Runs until `stop`. Returns the desks, now and later, and the task to wait for.
    pub fn start(self, stop: CancellationToken) -> (watch::Receiver<Arc<Desks>>, JoinHandle<()>) {
        let process = getrandom::u64().unwrap_or_default();
        let desks = Desks::new(process, self.switches.keys().cloned());
        let (published, reader) = watch::channel(Arc::new(desks.clone()));
        let (events, received) = mpsc::channel(EVENTS_KEPT);
        let heard = self.switches.iter();
        let heard = heard.map(|(name, switch)| forward(name.clone(), switch.device_events(), events.clone()));
        let heard = join_all(heard.collect::<Vec<_>>());
        let work = async move {
            let feed = Feed::start(self.store.clone(), self.tenant.clone()).await;
            Work { of: self, feed, desks, published, states: BTreeMap::new() }.run(received).await;
        };
        let task = tokio::spawn(async move {
            stop.run_until_cancelled(async { tokio::join!(work, heard) }).await;
        });
        (reader, task)
    }
}

impl Work {
    async fn run(mut self, mut events: mpsc::Receiver<Heard>) {
        let mut settings = self.of.settings.clone();
        settings.mark_changed();
        let mut tick = interval(EVERY);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut ticks = 0;
        let mut doubts: Vec<_> =
            self.of.switches.iter().map(|(name, it)| (name.clone(), it.in_doubt())).collect();
        loop {
            let doubt = async {
                let all = doubts.iter_mut().map(|(name, doubt)| {
                    Box::pin(async move {
                        // A switch that has ended is in no doubt any more.
                        if doubt.changed().await.is_err() {
                            std::future::pending::<()>().await;
                        }
                        name.clone()
                    })
                });
                match all.collect::<Vec<_>>() {
                    none if none.is_empty() => std::future::pending().await,
                    all => select_all(all).await.0,
                }
            };
            let read = tokio::select! {
                biased;
                Ok(()) = settings.changed() => self.refresh(&Scope::All).await,
                () = self.feed.wait() => self.follow().await,
                switch = doubt => {
                    self.ask(&switch, None).await;
                    Ok(())
                }
                Some(first) = events.recv() => {
                    self.heard(first, &mut events).await;
                    Ok(())
                }
                _ = tick.tick() => {
                    self.look(ticks % ALL == 0).await;
                    ticks = ticks.wrapping_add(1);
                    Ok(())
                }
            };
            let down = read.is_err();
            // When it is down or lost, `store.down` or `table.held` was logged.
            if let Err(error) = read
                && !matches!(error, StoreError::Away(..) | StoreError::Lost(..))
            {
                warn!(event = "web.desks_unknown", tenant = %self.of.tenant, %error, "the console shows old rows; trying again in a second");
            }
            if down {
                self.desks.readable(false);
            }
            self.publish();
            if down {
                sleep(AGAIN).await;
                // What was missed is read again.
                settings.mark_changed();
            }
        }
    }

    fn publish(&self) {
        if self.published.borrow().at != self.desks.at {
            self.published.send_replace(Arc::new(self.desks.clone()));
        }
    }

    async fn follow(&mut self) -> Result<(), StoreError> {
        loop {
            let news = self.feed.next().await?;
            if !news.scope.is_empty() {
                self.refresh(&news.scope).await?;
            }
            self.feed.after = news.upto;
            if !news.more {
                break;
            }
        }
        self.entries().await
    }

    /// Reads the newest journal entries.
    async fn entries(&mut self) -> Result<(), StoreError> {
        let upto = self.feed.after.0;
        let known = self.desks.recent.front().map_or(0, |entry| entry.revision.0);
        let after = known.max(upto.saturating_sub(ENTRIES));
        let new = self.of.store.journal(&self.of.tenant, Revision(after), ENTRIES as usize).await?;
        if !new.is_empty() {
            self.desks.add(new);
        }
        self.desks.at.revision = Revision(self.desks.at.revision.0.max(upto));
        Ok(())
    }

    /// Reads the desks of `scope` again.
    async fn refresh(&mut self, scope: &Scope) -> Result<(), StoreError> {
        let mut loaded = self.of.store.load(&self.of.tenant, &Reads::observed(scope)).await?;
        let observed = std::mem::take(&mut loaded.observations);
        let snapshot = loaded.into_snapshot(scope);
        let settings = self.of.settings.borrow().clone();
        let mut names: BTreeSet<DeviceName> = snapshot.devices.keys().cloned().collect();
        match scope {
            Scope::All => names.extend(self.desks.iter().map(|desk| desk.device.name.clone())),
            Scope::Some { devices, .. } => names.extend(devices.iter().cloned()),
        }
        let logged_in = snapshot.sessions.values().map(|session| &session.user).collect();
        let sources = Sources { snapshot: &snapshot, rules: settings.rules, zone: &settings.zone, logged_in };
        let mut new: Vec<Device> = vec![];
        for name in &names {
            let seen = observed.get(name).copied().unwrap_or_default();
            let state = self.states.get(name).copied().unwrap_or(DeviceState::Unknown);
            let desk = sources.desk(name, &seen, state);
            if let Some(desk) = desk.as_ref().filter(|_| !self.states.contains_key(name)) {
                new.push(desk.device.clone());
            }
            self.desks.set(name, desk);
        }
        self.desks.at.revision = Revision(self.desks.at.revision.0.max(snapshot.revision.0));
        self.desks.readable(true);
        if matches!(scope, Scope::All) {
            self.entries().await?;
        }
        // Readers need not wait for the switches.
        self.publish();
        self.see(new).await;
        Ok(())
    }

    async fn heard(&mut self, first: Heard, more: &mut mpsc::Receiver<Heard>) {
        sleep(EVENT_DELAY).await;
        let (mut devices, mut next) = (BTreeMap::new(), Some(first));
        while let Some((switch, event)) = next {
            let of_switch = |desk: &&Arc<Desk>| desk.device.switch == switch;
            let heard: Vec<Device> = match event {
                Some(event) => self
                    .desks
                    .get(&event.device)
                    .filter(of_switch)
                    .map(|desk| desk.device.clone())
                    .into_iter()
                    .collect(),
                None => self.desks.iter().filter(of_switch).map(|desk| desk.device.clone()).collect(),
            };
            devices.extend(heard.into_iter().map(|device| (device.name.clone(), device)));
            next = more.try_recv().ok();
        }
        self.see(devices.into_values().collect()).await;
    }

    /// Asks each switch whether it is there, or for `all` phones.
    async fn look(&mut self, all: bool) {
        let switches: Vec<SwitchName> = self.of.switches.keys().cloned().collect();
        for switch in switches {
            let most = if all { None } else { Some(1) };
            self.ask(&switch, most).await;
        }
    }

    /// Asks a switch for its phones, `most` of them.
    async fn ask(&mut self, switch: &SwitchName, most: Option<usize>) {
        let of_switch = self.desks.iter().filter(|desk| desk.device.switch == *switch);
        let devices: Vec<Device> =
            of_switch.take(most.unwrap_or(usize::MAX)).map(|desk| desk.device.clone()).collect();
        self.see_at(switch, &devices).await;
    }

    async fn see(&mut self, devices: Vec<Device>) {
        let mut by_switch: BTreeMap<SwitchName, Vec<Device>> = BTreeMap::new();
        for device in devices {
            by_switch.entry(device.switch.clone()).or_default().push(device);
        }
        for (switch, devices) in by_switch {
            self.see_at(&switch, &devices).await;
        }
    }

    async fn see_at(&mut self, name: &SwitchName, devices: &[Device]) {
        let Some(switch) = self.of.switches.get(name).cloned() else { return };
        let held = self.of.held.get(name).and_then(|held| held.borrow().as_ref().map(ToString::to_string));
        let batches = if devices.is_empty() { vec![devices] } else { devices.chunks(BATCH).collect() };
        let mut link = held.map_or(Link::Up, Link::Held);
        for batch in batches {
            match switch.device_states(batch).await {
                Ok(seen) => {
                    for (device, state) in batch.iter().zip(seen.states) {
                        self.put(&device.name, state);
                    }
                }
                Err(error) => {
                    link = Link::Down(error.to_string());
                    break;
                }
            }
        }
        if matches!(link, Link::Down(_)) {
            // What it said before may be wrong by now.
            let of_switch = self.desks.iter().filter(|desk| desk.device.switch == *name);
            let names: Vec<DeviceName> = of_switch.map(|desk| desk.device.name.clone()).collect();
            names.iter().for_each(|device| self.put(device, DeviceState::Unknown));
        }
        let back =
            link == Link::Up && matches!(self.desks.switches.get(name), Some(Link::Down(_) | Link::Unknown));
        self.desks.link(name, link);
        if back && devices.len() == 1 {
            // It is there again: all its phones are asked for.
            let all: Vec<Device> = self
                .desks
                .iter()
                .filter(|desk| desk.device.switch == *name)
                .map(|desk| desk.device.clone())
                .collect();
            if all.len() > 1 {
                Box::pin(self.see_at(name, &all)).await;
            }
        }
    }

    fn put(&mut self, name: &DeviceName, state: DeviceState) {
        self.states.insert(name.clone(), state);
        let desk = self.desks.get(name).map(|desk| Desk { state, ..Desk::clone(desk) });
        if desk.is_some() {
            self.desks.set(name, desk);
        } else {
            self.states.remove(name);
        }
    }
}
