//! Locks: how many failures are allowed, and who must wait how long after them.
//!
//! A try counts before its PIN is compared and is taken back when that was right, so that any number at once get no more
//! than one after the other. What is refused by a lock does not count. The rule stands here once; `lua/attempt.lua`
//! does the same in Redis, with the numbers of [`RULE`].

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::policy::Refusal;

/// The numbers of the rule. Times are in seconds.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
pub struct Rule {
    /// For how long a failure counts, and the first lock.
    pub window: i64,
    /// The longest lock; each is twice as long as the one before.
    pub longest: i64,
    /// After how long the next lock is a short one again.
    pub forgotten: i64,
    /// For how long nothing is forgotten of who failed.
    pub kept: i64,
    /// Of a user.
    pub user: Limits,
    /// Of a device.
    pub device: Limits,
}

/// What is allowed to one user or device.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
pub struct Limits {
    /// Failures within the window that lock.
    pub failures: usize,
    /// Failures in a row, however far apart, after which only an administrator unlocks; zero: as many as one likes.
    pub row: u32,
    /// Different ones that are tried within the window, or try, which raise an alarm.
    pub spray: usize,
}

/// The rule.
pub const RULE: Rule = Rule {
    window: 15 * 60,
    longest: 60 * 60,
    forgotten: 24 * 60 * 60,
    kept: 30 * 24 * 60 * 60,
    user: Limits { failures: 5, row: 50, spray: 3 },
    device: Limits { failures: 10, row: 0, spray: 5 },
};

/// What failures are counted of.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Kind {
    /// A phone, by its name.
    Device,
    /// An extension, by its [`Alias`](super::pin::Alias).
    User,
}

impl Kind {
    /// Its name in the store.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Device => "device",
            Self::User => "user",
        }
    }

    /// The kind of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        [Self::Device, Self::User].into_iter().find(|kind| kind.name() == name)
    }

    /// What is allowed to it.
    #[must_use]
    pub const fn limits(self) -> Limits {
        match self {
            Self::Device => RULE.device,
            Self::User => RULE.user,
        }
    }
}

/// What is kept of one user's or device's failures.
#[derive(Clone, Debug, Default, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
pub struct Tries {
    /// Those of the last [`Rule::window`] before the newest: when, and with whom (a user's: the device; a device's: the
    /// user's alias). At most [`Limits::failures`].
    pub failures: Vec<(i64, String)>,
    /// In a row, since the last right PIN.
    pub row: u32,
    /// Locks so far; the next one is doubled so often.
    pub locks: u32,
    /// When the last lock ends or ended; zero: there was none.
    pub until: i64,
}

/// Until when somebody is locked.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Lock {
    /// Until an administrator unlocks him.
    Administrator,
    /// Until then, in seconds since 1970.
    Until(i64),
}

impl Tries {
    /// The lock there is at `now`.
    #[must_use]
    pub const fn lock(&self, kind: Kind, now: i64) -> Option<Lock> {
        let Limits { row, .. } = kind.limits();
        if row > 0 && self.row >= row {
            return Some(Lock::Administrator);
        }
        // One that ends later than any could was made by a wrong clock. Those of two controllers may differ a little.
        if now < self.until && self.until <= now + RULE.longest + RULE.window {
            return Some(Lock::Until(self.until));
        }
        None
    }

    /// Counts a failure with `with`, and locks if it was one too many. Returns whether it is the one that makes a spray.
    fn count(&mut self, kind: Kind, now: i64, with: &str) -> bool {
        let limits = kind.limits();
        // One far in the future is of a wrong clock.
        self.failures.retain(|(at, _)| (now - at).abs() < RULE.window);
        let before = self.different();
        self.failures.push((now, with.into()));
        self.row += 1;
        if (now - self.until).abs() >= RULE.forgotten {
            self.locks = 0;
        }
        if self.failures.len() >= limits.failures {
            self.until = now + (RULE.window << self.locks.min(8)).min(RULE.longest);
            self.locks += 1;
        }
        before + 1 == limits.spray && self.different() == limits.spray
    }

    fn different(&self) -> usize {
        let mut with: Vec<&str> = self.failures.iter().map(|(_, with)| with.as_str()).collect();
        with.sort_unstable();
        with.dedup();
        with.len()
    }

    /// Takes one failure back, and the lock that it made.
    fn take_back(&mut self, kind: Kind, at: i64, with: &str) {
        let Some(place) = self.failures.iter().position(|(then, whom)| (*then, whom.as_str()) == (at, with))
        else {
            return;
        };
        self.failures.remove(place);
        self.row = self.row.saturating_sub(1);
        if self.until > at && self.failures.len() + 1 == kind.limits().failures {
            self.until = 0;
            self.locks = self.locks.saturating_sub(1);
        }
    }

    /// Whether nothing is left to remember.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Whether a try may be made.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Attempt {
    /// No, while the user or the device is locked; then nothing was counted.
    pub allowed: Result<(), Refusal>,
    /// If it fails, it makes a spray: of the device that tried many extensions, of the user who was tried from many devices.
    pub spray: Vec<Kind>,
}

/// Counts a try for the `user` with this alias at the `device` of this name, unless one of them is locked.
pub fn attempt(user: (&mut Tries, &str), device: (&mut Tries, &str), at: Timestamp) -> Attempt {
    let ((user, alias), (device, name), now) = (user, device, at.as_second());
    let refused = |refusal| Attempt { allowed: Err(refusal), spray: vec![] };
    if user.lock(Kind::User, now).is_some() {
        return refused(Refusal::UserLocked);
    }
    if device.lock(Kind::Device, now).is_some() {
        return refused(Refusal::DeviceLocked);
    }
    let of_device = device.count(Kind::Device, now, alias).then_some(Kind::Device);
    let of_user = user.count(Kind::User, now, name).then_some(Kind::User);
    Attempt { allowed: Ok(()), spray: of_device.into_iter().chain(of_user).collect() }
}

/// The PIN of the user with this alias was right: this try is taken off the device's, with the lock it made. The user's
/// failures are all forgotten, which needs no rule.
pub fn forgive(device: &mut Tries, alias: &str, at: Timestamp) {
    device.take_back(Kind::Device, at.as_second(), alias);
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: i64 = 60;

    #[derive(Default)]
    struct Both {
        user: Tries,
        device: Tries,
    }

    impl Both {
        fn at(&mut self, second: i64) -> Attempt {
            self.by("alias", "desk1", second)
        }

        fn by(&mut self, alias: &str, name: &str, second: i64) -> Attempt {
            let at = Timestamp::from_second(second).unwrap();
            attempt((&mut self.user, alias), (&mut self.device, name), at)
        }
    }

    fn allowed(attempts: impl IntoIterator<Item = Attempt>) -> usize {
        attempts.into_iter().filter(|attempt| attempt.allowed.is_ok()).count()
    }

    #[test]
    fn five_failures_of_a_user_lock_15_minutes_then_30_then_an_hour_each_time() {
        let (mut both, mut now) = (Both::default(), 1_800_000_000);
        for minutes in [15, 30, 60, 60] {
            both.device = Tries::default();
            assert_eq!(allowed((0..9).map(|_| both.at(now))), 5);
            assert_eq!(both.at(now).allowed, Err(Refusal::UserLocked));
            assert_eq!(both.user.lock(Kind::User, now), Some(Lock::Until(now + minutes * MINUTE)));
            assert!(both.at(now + minutes * MINUTE - 1).allowed.is_err());
            now += minutes * MINUTE;
        }
        // A day later the first lock is a short one again.
        (now, both.device) = (now + RULE.forgotten, Tries::default());
        (0..5).for_each(|_| drop(both.at(now)));
        assert_eq!(both.user.lock(Kind::User, now), Some(Lock::Until(now + 15 * MINUTE)));
    }

    #[test]
    fn failures_that_are_further_apart_than_the_window_lock_nobody_until_there_are_fifty_in_a_row() {
        let mut both = Both::default();
        let tries = (0..60).map(|n| both.at(1_800_000_000 + n * 4 * MINUTE)).collect::<Vec<_>>();
        assert_eq!(allowed(tries), 50);
        assert_eq!(both.user.lock(Kind::User, i64::MAX / 2), Some(Lock::Administrator));
        assert_eq!(both.device.lock(Kind::Device, 1_800_000_000 + 240 * MINUTE), None);
    }

    #[test]
    fn ten_failures_lock_a_device_whoever_was_tried() {
        let mut device = Both::default();
        let tries = (0..12).map(|n: i64| {
            device.user = Tries::default();
            device.by(&format!("alias{n}"), "desk1", 1_800_000_000 + n)
        });
        let tries: Vec<Attempt> = tries.collect();
        assert_eq!(allowed(tries.clone()), 10);
        assert_eq!(tries[10].allowed, Err(Refusal::DeviceLocked));
    }

    #[test]
    fn a_right_pin_takes_itself_off_the_devices_failures_with_the_lock_it_made() {
        let mut both = Both::default();
        for n in 0..10 {
            if n == 4 || n == 9 {
                both.user = Tries::default();
            }
            assert_eq!(both.at(1_800_000_000 + n).allowed, Ok(()), "{n}");
        }
        assert!(both.device.lock(Kind::Device, 1_800_000_010).is_some());
        let at = Timestamp::from_second(1_800_000_009).unwrap();
        forgive(&mut both.device, "alias", at);
        assert_eq!((both.device.lock(Kind::Device, 1_800_000_010), both.device.failures.len()), (None, 9));
        // What never was gives no credit.
        forgive(&mut both.device, "alias", at);
        assert_eq!(both.device.failures.len(), 9);
    }

    #[test]
    fn a_device_that_tries_many_and_a_user_who_is_tried_from_many_raise_one_alarm() {
        let mut both = Both::default();
        let sprays: Vec<Vec<Kind>> = (0..9)
            .map(|n: i64| {
                both.user = Tries::default();
                both.by(&format!("alias{}", n / 2), "desk1", 1_800_000_000 + n).spray
            })
            .collect();
        let alarms = sprays.iter().enumerate().filter(|(_, spray)| !spray.is_empty());
        assert_eq!(alarms.collect::<Vec<_>>(), [(8, &vec![Kind::Device])]);

        let mut both = Both::default();
        let sprays: Vec<Vec<Kind>> = ["desk1", "desk1", "desk2", "desk3", "desk4"]
            .iter()
            .map(|desk| {
                both.device = Tries::default();
                both.by("alias", desk, 1_800_000_000).spray
            })
            .collect();
        assert_eq!(sprays, [vec![], vec![], vec![], vec![Kind::User], vec![]]);
    }

    #[test]
    fn a_wrong_clock_locks_nobody_for_ever() {
        let mut both = Both::default();
        let (ahead, now) = (1_900_000_000, 1_800_000_000);
        (0..5).for_each(|_| drop(both.at(ahead)));
        assert!(both.user.lock(Kind::User, ahead).is_some());
        assert_eq!(allowed((0..9).map(|_| both.at(now))), 5);
        // One that is a few seconds behind is no way round a lock.
        assert!(both.at(now - 5).allowed.is_err());
    }
}
