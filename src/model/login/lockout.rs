//! Lockouts: how many failures are allowed, and how long a user or device must wait after them.
//!
//! An attempt counts before its PIN is compared. It is taken back if the PIN is right, or if the PIN could not be
//! compared. So parallel attempts get no more tries than serial ones. An attempt during a lockout does not count.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::pin::Alias;
use super::refusal::Refusal;
use crate::model::id::{DeviceName, Extension};
use crate::model::journal::Event;

/// For how long a failure counts, and the length of the first lockout, in seconds.
const WINDOW: i64 = 15 * 60;
/// The longest lockout; each is twice as long as the one before.
const LONGEST: i64 = 60 * 60;
/// The time after which the next lockout is as short as the first.
const FORGOTTEN: i64 = 24 * 60 * 60;
/// For how long failures are kept.
const KEPT: i64 = 30 * 24 * 60 * 60;

/// The limits for one user or device.
struct Limits {
    /// Failures within the window that cause a lockout.
    failures: usize,
    /// Failures in a row, at any distance, after which only an administrator ends the lockout; zero: no limit.
    row: u32,
    /// How many different devices or users within the window raise an alarm.
    spray: usize,
}

/// An attempt with a PIN, before the PIN is compared.
#[derive(Clone, Debug)]
pub struct Guess {
    /// The alias of the extension that the caller entered; the user need not exist.
    pub user: Alias,
    /// The device of the attempt.
    pub device: DeviceName,
    /// When.
    pub at: Timestamp,
}

/// The lockouts that an administrator ends.
#[derive(Clone, Debug)]
pub enum Unlock {
    /// All lockouts of the tenant.
    All,
    /// The lockout of a device.
    Device(DeviceName),
    /// The lockout of a user.
    User(Extension, Alias),
}

impl Unlock {
    /// For the journal.
    pub fn event(&self) -> Event {
        let (user, device) = match self {
            Self::All => (None, None),
            Self::Device(device) => (None, Some(device.clone())),
            Self::User(user, _) => (Some(user.clone()), None),
        };
        Event::Unlocked { user, device }
    }
}

/// Whose failures are counted.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A device, by its name.
    Device,
    /// A user, by the [`Alias`] of the extension.
    User,
}

impl Kind {
    /// Its name in the store.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Device => "device",
            Self::User => "user",
        }
    }

    /// The kind of that name.
    pub fn named(name: &str) -> Option<Self> {
        [Self::Device, Self::User].into_iter().find(|kind| kind.name() == name)
    }

    const fn limits(self) -> Limits {
        match self {
            Self::Device => Limits { failures: 10, row: 0, spray: 5 },
            Self::User => Limits { failures: 5, row: 50, spray: 3 },
        }
    }
}

/// The failures that are kept of one user or device.
#[derive(Clone, Debug, Default, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
pub struct Failures {
    /// The failures of the last 15 minutes before the newest: the time and the other side (for a user the device; for
    /// a device the user's alias). At most 5 of a user and 10 of a device.
    pub recent: Vec<(i64, String)>,
    /// Failures in a row, since the last right PIN.
    pub in_a_row: u32,
    /// Lockouts so far; the next is doubled this many times.
    pub lockouts: u32,
    /// When the last lockout ends or ended; zero: there was none.
    pub until: i64,
    /// When the last failure was, in seconds since 1970.
    pub last: i64,
}

/// The end of a lockout.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Lockout {
    /// When an administrator ends it.
    Administrator,
    /// At this time, in seconds since 1970.
    Until(i64),
}

impl Failures {
    /// The lockout at `now`.
    pub const fn lockout(&self, kind: Kind, now: i64) -> Option<Lockout> {
        let Limits { row, .. } = kind.limits();
        if row > 0 && self.in_a_row >= row {
            return Some(Lockout::Administrator);
        }
        // A lockout longer than possible comes from a wrong clock. The clocks of two controllers may differ a little.
        if now < self.until && self.until <= now + LONGEST + WINDOW {
            return Some(Lockout::Until(self.until));
        }
        None
    }

    /// Counts a failure with `with`, and locks out after too many. Returns whether this failure makes a spray.
    fn count(&mut self, kind: Kind, now: i64, with: &str) -> bool {
        let limits = kind.limits();
        // A failure far in the future comes from a wrong clock.
        self.recent.retain(|(at, _)| (now - at).abs() < WINDOW);
        let before = self.different();
        self.recent.push((now, with.into()));
        self.last = now;
        self.in_a_row += 1;
        if (now - self.until).abs() >= FORGOTTEN {
            self.lockouts = 0;
        }
        if self.recent.len() >= limits.failures {
            self.until = now + (WINDOW << self.lockouts.min(8)).min(LONGEST);
            self.lockouts += 1;
        }
        before + 1 == limits.spray && self.different() == limits.spray
    }

    fn different(&self) -> usize {
        let mut with: Vec<&str> = self.recent.iter().map(|(_, with)| with.as_str()).collect();
        with.sort_unstable();
        with.dedup();
        with.len()
    }

    /// The attempt with `with` was no failure: takes back what [`attempt`] counted, and the lockout from it.
    pub fn take_back(&mut self, kind: Kind, at: Timestamp, with: &str) {
        self.remove(kind, at.as_second(), with);
    }

    /// A right PIN proves that earlier failures with `with` were mistakes of the same user: takes back all of them.
    pub fn take_back_all(&mut self, kind: Kind, with: &str) {
        let of = |(at, whom): &(i64, String)| (whom == with).then_some(*at);
        let times: Vec<i64> = self.recent.iter().rev().filter_map(of).collect();
        times.into_iter().for_each(|at| self.remove(kind, at, with));
    }

    fn remove(&mut self, kind: Kind, at: i64, with: &str) {
        let is = |(then, whom): &(i64, String)| (*then, whom.as_str()) == (at, with);
        let Some(place) = self.recent.iter().position(is) else { return };
        self.recent.remove(place);
        self.in_a_row = self.in_a_row.saturating_sub(1);
        if self.until > at && self.recent.len() + 1 == kind.limits().failures {
            self.until = 0;
            self.lockouts = self.lockouts.saturating_sub(1);
        }
    }

    /// Whether these failures no longer matter at `now`. While only an administrator ends the lockout, they do.
    pub fn are_over(&self, kind: Kind, now: Timestamp) -> bool {
        let Limits { row, .. } = kind.limits();
        (row == 0 || self.in_a_row < row) && self.last + KEPT <= now.as_second()
    }

    /// Whether there is nothing to keep.
    pub fn is_empty(&self) -> bool {
        let Self { recent, in_a_row, lockouts, until, last: _ } = self;
        recent.is_empty() && *in_a_row == 0 && *lockouts == 0 && *until == 0
    }
}

/// Counts an attempt for the `user` with this alias at the `device` with this name. Returns whose failures make a
/// spray if the attempt fails: the device that tried many extensions, or the user who was tried from many devices.
///
/// # Errors
/// [`Refusal::UserLocked`] or [`Refusal::DeviceLocked`]; then nothing is counted.
pub fn attempt(
    user: (&mut Failures, &str),
    device: (&mut Failures, &str),
    at: Timestamp,
) -> Result<Vec<Kind>, Refusal> {
    let ((user, alias), (device, name), now) = (user, device, at.as_second());
    if user.lockout(Kind::User, now).is_some() {
        return Err(Refusal::UserLocked);
    }
    if device.lockout(Kind::Device, now).is_some() {
        return Err(Refusal::DeviceLocked);
    }
    let of_device = device.count(Kind::Device, now, alias).then_some(Kind::Device);
    let of_user = user.count(Kind::User, now, name).then_some(Kind::User);
    Ok(of_device.into_iter().chain(of_user).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_clock_causes_no_endless_lockout() {
        let (mut user, mut device) = (Failures::default(), Failures::default());
        let mut allowed = |second| {
            let at = Timestamp::from_second(second).unwrap();
            attempt((&mut user, "alias"), (&mut device, "desk1"), at).is_ok()
        };
        let (ahead, now) = (1_900_000_000, 1_800_000_000);
        assert_eq!((0..9).filter(|_| allowed(ahead)).count(), 5);
        assert_eq!((0..9).filter(|_| allowed(now)).count(), 5);
        // A clock that is a few seconds behind does not avoid a lockout.
        assert!(!allowed(now - 5));
    }
}
