//! What is observed about a device during a session. It ends with the session.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::id::{DeviceName, Revision};

/// What the switches and the user reported about a session, as the store keeps it.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default)]
pub struct Observed {
    /// When the last call at the device ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_call: Option<Timestamp>,
    /// Since when the device is unregistered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unregistered: Option<Timestamp>,
    /// Until when the user postponed the automatic logout.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub extended: Option<Timestamp>,
    /// The time of the automatic logout that the user was asked about by a call.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub asked: Option<Timestamp>,
    /// When the session began by today's clock, if the clock was set since then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub began: Option<Timestamp>,
    /// When the clock was last set during the session, by the new time, and by how many seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clock_set: Option<(Timestamp, i64)>,
}

/// How the clock of a machine was set, or that the machine was suspended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ClockSet {
    /// The times from here on were wrong,
    pub from: Timestamp,
    /// up to here.
    pub to: Timestamp,
    /// What the clock shows more than before; negative if it was set back.
    pub by: SignedDuration,
    /// How long the machine was suspended.
    pub asleep: SignedDuration,
}

impl ClockSet {
    /// Two reports that differ less are of the same jump, by two controllers on one machine.
    const SAME: SignedDuration = SignedDuration::from_mins(1);

    /// A time by today's clock, `longer` later if it was before the jump.
    fn mend(&self, at: Timestamp, longer: SignedDuration) -> Timestamp {
        if at > self.to {
            return at;
        }
        let by = if at < self.from { longer } else { longer + self.by };
        at.saturating_add(by).unwrap_or(at)
    }

    /// Changes what was observed during a session that began at `since`. An idle or unregistered phone is so for the time
    /// that the machine was awake: nothing was observed while it was suspended.
    fn apply(&self, observed: &mut Observed, since: Timestamp) {
        let at = self.to.saturating_add(self.by).unwrap_or(self.to);
        let same = |(done, by): (Timestamp, i64)| {
            at.duration_since(done).abs() < Self::SAME
                && (SignedDuration::from_secs(by) - self.by - self.asleep).abs() < Self::SAME
        };
        if observed.clock_set.is_some_and(same) {
            return;
        }
        observed.clock_set = Some((at, (self.by + self.asleep).as_secs()));
        let began = observed.began.unwrap_or(since);
        let quiet = observed.last_call.map_or(began, |ended| ended.max(began));
        observed.began = Some(self.mend(began, SignedDuration::ZERO));
        observed.last_call = Some(self.mend(quiet, self.asleep));
        observed.unregistered = observed.unregistered.map(|gone| self.mend(gone.max(began), self.asleep));
        // A user who stays an hour longer does so for an hour.
        let later = self.by.max(SignedDuration::ZERO);
        observed.extended = observed.extended.map(|until| match until > self.to {
            true => until.saturating_add(later).unwrap_or(until),
            false => until,
        });
    }
}

/// One observation of a device during a session.
#[derive(Clone, Debug)]
pub struct Note {
    /// The device.
    pub device: DeviceName,
    /// The revision of the session at it.
    pub revision: Revision,
    /// The observation.
    pub what: Noted,
}

/// One observed value of [`Observed`].
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Noted {
    /// The user is asked about the automatic logout at this time. When several controllers write this, it changes
    /// something for one of them: that one asks.
    Asked(Timestamp),
    /// The clock was set during the session, which began at this time. When several controllers of one machine write this,
    /// it changes something once.
    ClockSet(ClockSet, Timestamp),
    /// The automatic logout is postponed until then. An earlier time changes nothing.
    Extended(Timestamp),
    /// The last call ended then. An earlier time changes nothing.
    LastCall(Timestamp),
    /// The device is unregistered since then, or it is registered again.
    Unregistered(Option<Timestamp>),
}

impl Noted {
    /// Changes `observed`. Returns whether that made a difference.
    pub fn apply(self, observed: &mut Observed) -> bool {
        let was = *observed;
        match self {
            Self::Asked(at) => observed.asked = Some(at),
            Self::ClockSet(set, since) => set.apply(observed, since),
            Self::Extended(until) => observed.extended = observed.extended.max(Some(until)),
            Self::LastCall(at) => observed.last_call = observed.last_call.max(Some(at)),
            Self::Unregistered(since) => observed.unregistered = since,
        }
        *observed != was
    }
}
