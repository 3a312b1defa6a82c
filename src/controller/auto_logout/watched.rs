//! The devices that are watched: those where a user is logged in, and softphones that their owners switched off.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::model::auto_logout::{AutoLogoutRules, Due, gone_since};
use crate::model::directory::{Device, Kind, Session, Snapshot};
use crate::model::id::{DeviceName, Extension};
use crate::model::observation::{ClockSet, Note, Noted, Observed};
use crate::model::schedule::Span;
use crate::switch::device_state::DeviceState;

/// A switch reports its uptime in whole seconds.
const SLACK: SignedDuration = SignedDuration::from_secs(3);

pub(super) struct LoggedIn {
    pub(super) session: Session,
    pub(super) device: Device,
    pub(super) rules: AutoLogoutRules,
    pub(super) zone: TimeZone,
    pub(super) observed: Observed,
    /// The time of the automatic logout at the last warning.
    pub(super) warned: Option<Timestamp>,
    pub(super) next: Option<Timestamp>,
}

/// What was observed of a switch since its start.
#[derive(Default)]
pub(super) struct Switched {
    up: Timestamp,
    /// Devices that had a call when they were last checked, or since.
    pub(super) busy: BTreeSet<DeviceName>,
    /// Devices that were registered at some time.
    here: BTreeSet<DeviceName>,
}

impl Switched {
    /// The switch has been up for this long.
    pub(super) fn up_for(&mut self, up: Duration, now: Timestamp) {
        let up = SignedDuration::try_from(up).unwrap_or(SignedDuration::MAX);
        let since = now.saturating_sub(up).unwrap_or(Timestamp::MIN);
        if since.duration_since(self.up).abs() > SLACK {
            self.up = since;
            self.here.clear();
        }
    }

    /// The clock was set: the switch was not restarted by that.
    pub(super) fn clock_set(&mut self, set: &ClockSet) {
        self.up = self.up.saturating_add(set.by).unwrap_or(self.up);
    }

    pub(super) fn saw(&mut self, device: &DeviceName) {
        self.here.insert(device.clone());
    }

    /// Whether an unregistered device counts as such: it was registered since the start, or the start is long ago.
    pub(super) fn misses(&self, device: &DeviceName, now: Timestamp) -> bool {
        gone_since(None, self.here.contains(device), self.up, now) <= now
    }
}

impl LoggedIn {
    /// When the automatic logout is due, as far as is known.
    pub(super) fn due(&self) -> Option<Due> {
        self.rules.due(&self.zone, self.session.since, &self.observed)
    }

    /// When to warn of it, unless that was done.
    pub(super) fn warning(&self, due: &Due, before: Option<Span>) -> Option<Timestamp> {
        if self.warned == Some(due.at) { None } else { due.warning(before?) }
    }

    /// Applies the current device state; returns the observations to store.
    pub(super) fn see(&mut self, state: DeviceState, switch: &mut Switched, now: Timestamp) -> Vec<Note> {
        let name = &self.device.name;
        let mut news = vec![];
        let gone = match state {
            DeviceState::Unknown => self.observed.unregistered,
            DeviceState::Busy | DeviceState::Free => {
                switch.saw(name);
                None
            }
            DeviceState::Gone => {
                Some(gone_since(self.observed.unregistered, switch.here.contains(name), switch.up, now))
            }
        };
        if gone != self.observed.unregistered {
            self.observed.unregistered = gone;
            news.push(Noted::Unregistered(gone));
        }
        if state == DeviceState::Busy {
            switch.busy.insert(name.clone());
        } else if state != DeviceState::Unknown && switch.busy.remove(name) {
            self.observed.last_call = Some(now);
            news.push(Noted::LastCall(now));
        }
        let note = |what| Note { device: name.clone(), revision: self.session.revision, what };
        news.into_iter().map(note).collect()
    }
}

/// A softphone that its owner switched off. It rings again after it was restarted: after it unregisters and registers.
pub(super) struct Off {
    pub(super) device: Device,
    pub(super) owner: Extension,
    /// It was checked since it was switched off. A softphone that was never seen here cannot unregister.
    pub(super) seen: bool,
    gone: bool,
}

impl Off {
    /// This device, if it is such a softphone, with what was known of it before.
    pub(super) fn of(snapshot: &Snapshot, device: &DeviceName, was: Option<Self>) -> Option<Self> {
        let device = snapshot.devices.get(device).filter(|device| device.kind == Kind::Softphone)?;
        let owner = snapshot.users.get(device.owner.as_ref()?)?;
        let off = owner.profile.rings.devices.get(&device.name) == Some(&false);
        let (device, owner) = (device.clone(), owner.extension.clone());
        let (seen, gone) = match was {
            Some(was) if was.owner == owner => (was.seen, was.gone),
            _ => (false, false),
        };
        off.then_some(Self { device, owner, seen, gone })
    }

    /// Applies the device state; returns whether it is back. A restarted switch that does not know it yet does not count.
    pub(super) fn see(&mut self, state: DeviceState, switch: &mut Switched, now: Timestamp) -> bool {
        self.seen = true;
        match state {
            DeviceState::Unknown => false,
            DeviceState::Busy | DeviceState::Free => {
                switch.saw(&self.device.name);
                self.gone
            }
            DeviceState::Gone => {
                self.gone |= switch.misses(&self.device.name, now);
                false
            }
        }
    }
}
