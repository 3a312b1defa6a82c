//! Logging out who does not do it himself. One task a tenant: it knows who sits where and when that ends, sleeps until
//! then, asks the switch whether there is a call, and ends the binding in one step of the store.
//!
//! The same task switches a softphone on again that signs out and in.
//!
//! Nothing is armed: what is due follows from the store at any time ([`crate::desk::leave`]), so what was missed while
//! nobody was up is found due at the start. Several controllers may do it at once: a binding ends once.

mod returning;
mod sitting;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::{broadcast, mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;
use tracing::{debug, error, info, warn};

use super::clock::Clock;
use super::feed::Feed;
use super::request_id;
use crate::desk::id::{DeviceName, SwitchName, TenantId};
use crate::desk::journal::Actor;
use crate::desk::leave::{Due, Rules, Why};
use crate::desk::model::Device;
use crate::desk::schedule::Span;
use crate::desk::seat::{Act, Move};
use crate::desk::setting::Setting;
use crate::desk::table::Scope;
use crate::store::{Change, Note, Noted, Store, StoreError, What};
use crate::switch::activity::{Doing, Look, Stir};
use crate::switch::{Switch, SwitchError};
use returning::Off;
use sitting::{Sitting, Switched};

/// How often all devices at which somebody sits are looked at, whatever was heard of them.
const EVERY: Duration = Duration::from_secs(60);
/// How long to wait before a device is looked at again that has a call, or whose switch is away.
const AGAIN: SignedDuration = SignedDuration::from_secs(1);
/// How long after the first sign of activity it is looked.
const SETTLE: Duration = Duration::from_millis(100);
/// How many bindings end in one go.
const BATCH: usize = 256;

/// When users of a tenant are logged out, and how.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The tenant's rules, under those of its locations, devices and users.
    pub rules: Rules,
    /// How long before it is warned, if it is.
    pub warn: Option<Span>,
    /// Whether it is asked by a call then who stays, and how much longer he does who says so.
    pub asks: Option<Span>,
    /// Which time it is at a device that stands nowhere in particular.
    pub zone: TimeZone,
}

/// What logs the users of one tenant out.
pub struct Timers {
    /// Whose.
    pub tenant: TenantId,
    /// Where the truth lives.
    pub store: Arc<dyn Store>,
    /// The tenant's switches; devices of others are none of ours.
    pub switches: BTreeMap<SwitchName, Arc<dyn Switch>>,
    /// A reload replaces them.
    pub settings: watch::Receiver<Arc<Settings>>,
    /// Which time it is.
    pub clock: Clock,
}

impl Timers {
    /// Does so until `stop`. Returns the task to wait for.
    pub fn start(self, stop: CancellationToken) -> JoinHandle<()> {
        let (stirred, stirs) = mpsc::channel(crate::switch::activity::STIRS);
        for (name, switch) in &self.switches {
            tokio::spawn(forward(name.clone(), switch.stirs(), stirred.clone()));
        }
        let work = async move {
            let feed = Feed::start(self.store.clone(), self.tenant.clone()).await;
            Work {
                timers: self,
                feed,
                switched: BTreeMap::new(),
                sitting: BTreeMap::new(),
                off: BTreeMap::new(),
                queue: BTreeSet::new(),
            }
            .run(stirs)
            .await;
        };
        tokio::spawn(async move {
            stop.run_until_cancelled(work).await;
        })
    }
}

/// A sign of activity on a switch; `None` when some were missed.
type Heard = (SwitchName, Option<Stir>);

async fn forward(switch: SwitchName, mut stirs: broadcast::Receiver<Stir>, to: mpsc::Sender<Heard>) {
    loop {
        let stir = match stirs.recv().await {
            Ok(stir) => Some(stir),
            Err(broadcast::error::RecvError::Lagged(_)) => None,
            Err(broadcast::error::RecvError::Closed) => return,
        };
        if to.send((switch.clone(), stir)).await.is_err() {
            return;
        }
    }
}

struct Work {
    timers: Timers,
    feed: Feed,
    /// What was seen of each switch as a whole.
    switched: BTreeMap<SwitchName, Switched>,
    /// Who sits where.
    sitting: BTreeMap<DeviceName, Sitting>,
    /// The softphones that their owners switched off.
    off: BTreeMap<DeviceName, Off>,
    /// When to see to which device next.
    queue: BTreeSet<(Timestamp, DeviceName)>,
}

impl Work {
    async fn run(mut self, mut stirs: mpsc::Receiver<Heard>) {
        let mut settings = self.timers.settings.clone();
        settings.mark_changed();
        let mut minute = tokio::time::interval(EVERY);
        minute.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let clock = self.timers.clock.clone();
        loop {
            let next = self.queue.first().map(|(at, _)| *at);
            let due = async {
                match next {
                    Some(at) => clock.until(at).await,
                    None => std::future::pending().await,
                }
            };
            let done = tokio::select! {
                // What may come without an end comes last.
                biased;
                Ok(()) = settings.changed() => self.refresh(&Scope::All).await,
                () = due => self.see_to_due().await,
                _ = minute.tick() => self.look_at_all().await,
                () = self.feed.wait() => self.follow().await,
                Some(first) = stirs.recv() => self.stirred(first, &mut stirs).await,
            };
            if let Err(error) = done {
                error!(event = "store.failed", tenant = %self.timers.tenant, %error, "will ask again in a second");
                tokio::time::sleep(Duration::from_secs(1)).await;
                // Whatever was not done is found anew.
                settings.mark_changed();
            }
        }
    }

    /// Takes over what changed in the store.
    async fn follow(&mut self) -> Result<(), StoreError> {
        loop {
            let news = self.feed.next().await?;
            if !news.scope.is_empty() {
                self.refresh(&news.scope).await?;
                self.look_at_unseen().await?;
            }
            self.feed.after = news.upto;
            if !news.more {
                return Ok(());
            }
        }
    }

    /// Reads anew who sits at the devices of `scope`, by which rules, and what was seen of them.
    async fn refresh(&mut self, scope: &Scope) -> Result<(), StoreError> {
        let Timers { tenant, store, settings, switches, .. } = &self.timers;
        let office = store.office(tenant, scope).await?;
        let mut devices: BTreeSet<DeviceName> = office.devices.keys().cloned().collect();
        match scope {
            Scope::All => devices.extend(self.sitting.keys().chain(self.off.keys()).cloned()),
            Scope::Some { devices: named, .. } => devices.extend(named.iter().cloned()),
        }
        let of = match scope {
            Scope::All => Scope::All,
            Scope::Some { .. } => Scope::Some { users: BTreeSet::new(), devices: devices.clone() },
        };
        let seen = store.seen(tenant, &of).await?;
        let settings = settings.borrow().clone();
        let switches: BTreeSet<SwitchName> = switches.keys().cloned().collect();
        for name in devices {
            let off = Off::of(&office, &name, self.off.remove(&name));
            if let Some(off) = off.filter(|off| switches.contains(&off.device.switch)) {
                self.off.insert(name.clone(), off);
            }
            let was = self.forget(&name);
            let binding = office.bindings.get(&name);
            if let (Some(binding), Some(device)) = (binding, office.devices.get(&name))
                && switches.contains(&device.switch)
            {
                let zone =
                    office.location_of(device).map_or(&settings.zone, |location| location.zone.rules());
                let sitting = Sitting {
                    binding: binding.clone(),
                    device: device.clone(),
                    rules: office.leave(binding, settings.rules),
                    zone: zone.clone(),
                    seen: seen.get(&name).copied().unwrap_or_default(),
                    warned: was.and_then(|was| was.warned),
                    next: None,
                };
                self.sitting.insert(name.clone(), sitting);
                self.plan(&name, None);
            }
        }
        Ok(())
    }

    /// Nobody sits there any more.
    fn forget(&mut self, device: &DeviceName) -> Option<Sitting> {
        let was = self.sitting.remove(device)?;
        if let Some(next) = was.next {
            self.queue.remove(&(next, device.clone()));
        }
        Some(was)
    }

    /// Sees to a device when something is due there, or at a given time.
    fn plan(&mut self, device: &DeviceName, at: Option<Timestamp>) {
        let warn = self.timers.settings.borrow().warn;
        let Some(sitting) = self.sitting.get_mut(device) else { return };
        if let Some(before) = sitting.next {
            self.queue.remove(&(before, device.clone()));
        }
        sitting.next = at.or_else(|| sitting.due().map(|due| sitting.warning(&due, warn).unwrap_or(due.at)));
        if let Some(next) = sitting.next {
            self.queue.insert((next, device.clone()));
        }
    }

    /// Warns, and ends what is due where there is no call.
    async fn see_to_due(&mut self) -> Result<(), StoreError> {
        let now = self.timers.clock.now();
        let batch: BTreeSet<DeviceName> = self
            .queue
            .iter()
            .take_while(|(at, _)| *at <= now)
            .take(BATCH)
            .map(|(_, device)| device.clone())
            .collect();
        // As it is in the store now: what was read before may be over.
        self.refresh(&Scope::Some { users: BTreeSet::new(), devices: batch.clone() }).await?;
        let mut due: BTreeMap<SwitchName, Vec<Device>> = BTreeMap::new();
        let mut soon = vec![];
        for name in &batch {
            let Some(sitting) = self.sitting.get_mut(name) else { continue };
            match sitting.due() {
                Some(is) if is.at <= now => {
                    due.entry(sitting.device.switch.clone()).or_default().push(sitting.device.clone());
                }
                Some(is) => {
                    let warn = self.timers.settings.borrow().warn;
                    if sitting.warning(&is, warn).is_some_and(|at| at <= now) {
                        sitting.warned = Some(is.at);
                        say(sitting, &is);
                        soon.push((sitting.device.clone(), is));
                    }
                    self.plan(name, None);
                }
                None => {}
            }
        }
        self.ask(&soon).await?;
        for (switch, devices) in due {
            let doing = self.look_at(&switch, &devices).await?;
            for (n, device) in devices.iter().enumerate() {
                let doing = doing.as_ref().and_then(|doing| doing.get(n)).copied();
                self.end(&device.name, doing).await?;
            }
        }
        Ok(())
    }

    /// Has those called who leave soon, where that is wanted and there is no call: each once, by one of all controllers. Who
    /// leaves as there was no call for long is not: it would be one.
    async fn ask(&mut self, soon: &[(Device, Due)]) -> Result<(), StoreError> {
        let Some(longer) = self.timers.settings.borrow().asks else { return Ok(()) };
        for (device, due) in soon.iter().filter(|(_, due)| due.why != Why::Idle) {
            let doing = self.look_at(&device.switch, std::slice::from_ref(device)).await?;
            let Some(sitting) = self.sitting.get(&device.name) else { continue };
            let Timers { tenant, store, switches, .. } = &self.timers;
            let Some(switch) = switches.get(&device.switch) else { continue };
            let revision = sitting.binding.revision;
            let asked = Note { device: device.name.clone(), revision, what: Noted::Asked(due.at) };
            if doing.as_deref() != Some(&[Doing::Free]) || store.note(tenant, &[asked]).await? != [true] {
                continue;
            }
            let user = &sitting.binding.user;
            match switch.ring(device, longer.after(due.at)).await {
                Ok(()) => {
                    info!(event = "leave.asked", %tenant, device = %device.name, %user, "his phone rings: does he stay?");
                }
                Err(error) => {
                    warn!(event = "leave.unasked", %tenant, device = %device.name, %user, %error,
                        "he is not asked whether he stays");
                }
            }
        }
        Ok(())
    }

    /// Ends the binding at a device that does this, if it is still due; else later.
    async fn end(&mut self, name: &DeviceName, doing: Option<Doing>) -> Result<(), StoreError> {
        let Timers { tenant, store, clock, .. } = &self.timers;
        let now = clock.now();
        let Some(sitting) = self.sitting.get(name) else { return Ok(()) };
        let Some(Due { why, .. }) = sitting.due().filter(|due| due.at <= now) else {
            self.plan(name, None);
            return Ok(());
        };
        if !matches!(doing, Some(Doing::Free | Doing::Gone)) {
            debug!(event = "leave.waits", %tenant, device = %name, why = why.name(), doing = ?doing, "not yet");
            self.plan(name, Some(now + AGAIN));
            return Ok(());
        }
        let binding = sitting.binding.clone();
        let user = binding.user.clone();
        let act = Move {
            request: request_id()?,
            tenant: tenant.clone(),
            act: Act::Expire(binding),
            by: Actor::Timer(why),
            call: None,
            code: None,
            at: now,
        };
        // The switch's table follows the journal. Somebody else may have ended it first.
        if !store.move_people(&act).await?.is_empty() {
            info!(event = "leave.done", %tenant, device = %name, %user, why = why.name(), "logged out by himself");
        }
        self.forget(name);
        Ok(())
    }

    /// Looks at devices of which something was heard.
    async fn stirred(&mut self, first: Heard, more: &mut mpsc::Receiver<Heard>) -> Result<(), StoreError> {
        // A call has two ends, and switches take a moment to forget it.
        tokio::time::sleep(SETTLE).await;
        let mut devices: BTreeMap<SwitchName, BTreeSet<DeviceName>> = BTreeMap::new();
        let mut next = Some(first);
        while let Some((switch, stir)) = next {
            let of = devices.entry(switch.clone()).or_default();
            match stir {
                Some(stir) => {
                    if stir.call && self.sitting.contains_key(&stir.device) {
                        self.switched.entry(switch).or_default().busy.insert(stir.device.clone());
                    }
                    of.insert(stir.device);
                }
                None => of.extend(self.sitting.keys().chain(self.off.keys()).cloned()),
            }
            next = more.try_recv().ok();
        }
        for (switch, devices) in devices {
            let sat_at = |name| self.sitting.get(name).map(|sitting| sitting.device.clone());
            let off = |name| self.off.get(name).map(|off| off.device.clone());
            let watched = devices.iter().filter_map(|name| sat_at(name).or_else(|| off(name)));
            let devices: Vec<Device> = watched.filter(|device| device.switch == switch).collect();
            self.look_at(&switch, &devices).await?;
        }
        Ok(())
    }

    async fn look_at_all(&mut self) -> Result<(), StoreError> {
        let sat_at = self.sitting.values().map(|sitting| &sitting.device);
        let watched = sat_at.chain(self.off.values().map(|off| &off.device)).cloned().collect();
        self.look_at_each(watched).await
    }

    /// Looks at what was switched off just now, so as to know it when it signs out.
    async fn look_at_unseen(&mut self) -> Result<(), StoreError> {
        let unseen = self.off.values().filter(|off| !off.seen).map(|off| off.device.clone()).collect();
        self.look_at_each(unseen).await
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

    /// Looks at devices of one switch and notes what is seen. `None`, if the switch does not say.
    async fn look_at(
        &mut self,
        name: &SwitchName,
        devices: &[Device],
    ) -> Result<Option<Vec<Doing>>, StoreError> {
        let Some(switch) = self.timers.switches.get(name).filter(|_| !devices.is_empty()) else {
            return Ok(None);
        };
        let Look { up, doing } = match switch.look_at(devices).await {
            Ok(look) => look,
            Err(SwitchError::Away(_)) => return Ok(None),
            Err(error) => {
                warn!(event = "leave.unseen", switch = %name, %error, "whoever is to leave stays until it can be seen");
                return Ok(None);
            }
        };
        let now = self.timers.clock.now();
        let switched = self.switched.entry(name.clone()).or_default();
        switched.up_for(up, now);
        let (mut notes, mut back): (Vec<Note>, Vec<DeviceName>) = (vec![], vec![]);
        for (device, doing) in devices.iter().zip(&doing) {
            if let Some(off) = self.off.get_mut(&device.name)
                && off.see(*doing, switched, now)
            {
                back.push(device.name.clone());
            }
            let Some(sitting) = self.sitting.get_mut(&device.name) else { continue };
            notes.extend(sitting.see(*doing, switched, now));
        }
        if !notes.is_empty() {
            self.timers.store.note(&self.timers.tenant, &notes).await?;
            notes.iter().for_each(|note| self.plan(&note.device, None));
        }
        for device in back {
            self.switch_on(&device, now).await?;
        }
        Ok(Some(doing))
    }

    /// A softphone has signed in again. Several controllers may see it: it is on, however often that is said.
    async fn switch_on(&mut self, device: &DeviceName, at: Timestamp) -> Result<(), StoreError> {
        let Some(Off { owner, .. }) = self.off.get(device) else { return Ok(()) };
        let Timers { tenant, store, .. } = &self.timers;
        let what = What::Setting(owner.clone(), Setting::Ring(device.clone(), true));
        match store.change(&Change { tenant: tenant.clone(), what, by: Actor::Controller, at }).await {
            Ok(_) => {
                info!(event = "softphone.on", %tenant, %device, user = %owner, "signed in again, so it rings again")
            }
            // Its owner was removed meanwhile.
            Err(StoreError::Missing(_)) => {}
            Err(error) => return Err(error),
        }
        self.off.remove(device);
        Ok(())
    }
}

/// Says that somebody will be logged out.
fn say(Sitting { binding, .. }: &Sitting, due: &Due) {
    info!(event = "leave.soon", device = %binding.device, user = %binding.user, why = due.why.name(), at = %due.at,
        "will be logged out");
}
