//! Somebody who sits at a device, and what is seen of it.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::desk::id::DeviceName;
use crate::desk::leave::{Due, Rules, Seen, gone_since};
use crate::desk::model::{Binding, Device};
use crate::desk::schedule::Span;
use crate::store::{Note, Noted};
use crate::switch::activity::Doing;

/// A switch tells in whole seconds for how long it has been up.
const SLACK: SignedDuration = SignedDuration::from_secs(3);

/// Somebody sits at a device.
pub(super) struct Sitting {
    pub(super) binding: Binding,
    pub(super) device: Device,
    /// The rules that apply.
    pub(super) rules: Rules,
    pub(super) zone: TimeZone,
    pub(super) seen: Seen,
    /// When he was to leave as he was warned last.
    pub(super) warned: Option<Timestamp>,
    /// When he is seen to next.
    pub(super) next: Option<Timestamp>,
}

/// What was seen of a switch as a whole, since it was started.
#[derive(Default)]
pub(super) struct Switched {
    /// Since when it is up.
    up: Timestamp,
    /// Devices that had a call when they were looked at last, or of which a call was heard.
    pub(super) busy: BTreeSet<DeviceName>,
    /// Devices that were seen registered.
    here: BTreeSet<DeviceName>,
}

impl Switched {
    /// It has been up for so long now.
    pub(super) fn up_for(&mut self, up: Duration, now: Timestamp) {
        let up = SignedDuration::try_from(up).unwrap_or(SignedDuration::MAX);
        let since = now.saturating_sub(up).unwrap_or(Timestamp::MIN);
        if since.duration_since(self.up).abs() > SLACK {
            self.up = since;
            self.here.clear();
        }
    }

    /// A device is registered.
    pub(super) fn saw(&mut self, device: &DeviceName) {
        self.here.insert(device.clone());
    }

    /// Whether a device that is not registered has signed out: it was seen since the start, or that is long ago.
    pub(super) fn misses(&self, device: &DeviceName, now: Timestamp) -> bool {
        gone_since(None, self.here.contains(device), self.up, now) <= now
    }
}

impl Sitting {
    /// When he leaves, as far as is known.
    pub(super) fn due(&self) -> Option<Due> {
        self.rules.due(&self.zone, self.binding.since, &self.seen)
    }

    /// When to warn him of it, unless that was done.
    pub(super) fn warning(&self, due: &Due, before: Option<Span>) -> Option<Timestamp> {
        if self.warned == Some(due.at) { None } else { due.warning(before?) }
    }

    /// Takes in what his device does now; what is news is to be noted.
    pub(super) fn see(&mut self, doing: Doing, switch: &mut Switched, now: Timestamp) -> Vec<Note> {
        let name = &self.device.name;
        let mut news = vec![];
        let gone = match doing {
            Doing::Unknown => self.seen.gone,
            Doing::Busy | Doing::Free => {
                switch.saw(name);
                None
            }
            Doing::Gone => Some(gone_since(self.seen.gone, switch.here.contains(name), switch.up, now)),
        };
        if gone != self.seen.gone {
            self.seen.gone = gone;
            news.push(Noted::Gone(gone));
        }
        if doing == Doing::Busy {
            switch.busy.insert(name.clone());
        } else if doing != Doing::Unknown && switch.busy.remove(name) {
            self.seen.quiet = Some(now);
            news.push(Noted::Quiet(now));
        }
        let note = |what| Note { device: name.clone(), revision: self.binding.revision, what };
        news.into_iter().map(note).collect()
    }
}
