//! The clock: the machine's, or one that a test sets. A jump of it is noticed at the next look.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use rustix::time::{ClockId, clock_gettime};
use tokio::sync::{broadcast, watch};
use tracing::{info, warn};

use crate::model::observation::ClockSet;

/// The longest sleep before the clock is read again: it may have been set, or the machine suspended.
const LOOK: Duration = Duration::from_secs(30);
/// A smaller difference is none: programs that keep the time right move it slowly, and a busy machine reads it slowly.
const STEP: SignedDuration = SignedDuration::from_secs(2);
/// How long after the start of the machine its clock may still be wrong, until it is set from the network.
const BOOT: SignedDuration = SignedDuration::from_mins(15);

/// The same moment on the machine's three clocks.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    /// The time of day and year, which can be set.
    pub wall: Timestamp,
    /// The time since the machine started (Linux: `CLOCK_BOOTTIME`).
    pub passed: SignedDuration,
    /// The same without the time that the machine was suspended (Linux: `CLOCK_MONOTONIC`).
    pub awake: SignedDuration,
}

impl Moment {
    /// On a machine that started in 1970, was never suspended, and whose clock is right.
    #[must_use]
    pub fn at(wall: Timestamp) -> Self {
        let passed = wall.duration_since(Timestamp::UNIX_EPOCH);
        Self { wall, passed, awake: passed }
    }

    fn now() -> Self {
        let read = |clock| {
            let time = clock_gettime(clock);
            SignedDuration::new(time.tv_sec, i32::try_from(time.tv_nsec).unwrap_or(0))
        };
        loop {
            let before = read(ClockId::Monotonic);
            let (wall, passed) = (Timestamp::now(), read(ClockId::Boottime));
            let awake = read(ClockId::Monotonic);
            // Else the machine is busy, or was suspended in between.
            if awake - before < STEP / 4 {
                return Self { wall, passed, awake };
            }
        }
    }
}

/// A clock. Clones share it.
#[derive(Clone, Debug)]
pub struct Clock {
    told: Option<watch::Receiver<Moment>>,
    last: Arc<Mutex<Last>>,
    sets: broadcast::Sender<ClockSet>,
}

#[derive(Debug)]
struct Last {
    moment: Moment,
    /// When this clock began, by today's time.
    began: Timestamp,
}

impl Clock {
    /// The machine's clock.
    #[must_use]
    pub fn machine() -> Self {
        Self::begin(Moment::now(), None)
    }

    /// A clock that a test sets.
    #[must_use]
    pub fn told(told: watch::Receiver<Moment>) -> Self {
        let moment = *told.borrow();
        Self::begin(moment, Some(told))
    }

    fn begin(moment: Moment, told: Option<watch::Receiver<Moment>>) -> Self {
        let last = Last { moment, began: moment.wall };
        Self { told, last: Arc::new(Mutex::new(last)), sets: broadcast::Sender::new(64) }
    }

    /// The current time. Logs, and tells subscribers, that the clock was set or the machine suspended since the last look.
    pub fn now(&self) -> Timestamp {
        // Within the lock, so that looks of several tasks are in order.
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let moment = self.told.as_ref().map_or_else(Moment::now, |told| *told.borrow());
        if let Some(set) = last.follow(moment) {
            if set.by.abs() >= STEP {
                let by = format!("{:#.0}", set.by);
                warn!(
                    event = "clock.set",
                    by, "the clock was set: automatic logouts follow the time that passed"
                );
            }
            if set.asleep >= STEP {
                let asleep = format!("{:#.0}", set.asleep);
                info!(event = "clock.suspended", asleep, "the machine was suspended");
            }
            let _ = self.sets.send(set);
        }
        moment.wall
    }

    /// How the clock is set from now on.
    pub(super) fn sets(&self) -> broadcast::Receiver<ClockSet> {
        self.sets.subscribe()
    }

    /// Returns when the clock shows `at` or later.
    pub(super) async fn until(&self, at: Timestamp) {
        let mut told = self.told.clone();
        loop {
            let remaining = at.duration_since(self.now());
            let remaining = Duration::try_from(remaining).unwrap_or_default().min(LOOK);
            match &mut told {
                _ if remaining.is_zero() => return,
                Some(told) => {
                    if told.changed().await.is_err() {
                        std::future::pending().await
                    }
                }
                None => tokio::time::sleep(remaining).await,
            }
        }
    }
}

impl Last {
    fn follow(&mut self, now: Moment) -> Option<ClockSet> {
        let was = std::mem::replace(&mut self.moment, now);
        let (passed, awake) = (now.passed - was.passed, now.awake - was.awake);
        let by = now.wall.duration_since(was.wall) - passed;
        let (by, asleep) = (if by.abs() < STEP { SignedDuration::ZERO } else { by }, passed - awake);
        let asleep = if asleep < STEP { SignedDuration::ZERO } else { asleep };
        if by.is_zero() && asleep.is_zero() {
            return None;
        }
        let to = was.wall.saturating_add(passed).unwrap_or(was.wall);
        let from = if now.passed < BOOT { self.began } else { Timestamp::MIN };
        self.began = self.began.saturating_add(by).unwrap_or(self.began);
        Some(ClockSet { from, to, by, asleep })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn minutes(minutes: i64) -> SignedDuration {
        SignedDuration::from_mins(minutes)
    }

    #[test]
    fn the_machines_clocks_run_alike() {
        let (one, clock) = (Moment::now(), Clock::machine());
        let two = Moment::now();
        assert!(one.passed <= two.passed && one.awake <= two.awake && two.awake <= two.passed + STEP);
        let mut sets = clock.sets();
        assert!(clock.now() >= one.wall && sets.try_recv().is_err());
    }

    #[test]
    fn a_jump_differs_from_time_that_passes_and_from_sleep() {
        let start = Moment { wall: Timestamp::UNIX_EPOCH, passed: minutes(1), awake: minutes(1) };
        let mut last = Last { moment: start, began: start.wall };
        let at = |wall, passed, awake| {
            let wall = Timestamp::UNIX_EPOCH + minutes(wall);
            Moment { wall, passed: minutes(passed), awake: minutes(awake) }
        };
        assert_eq!(last.follow(at(5, 6, 6)), None);
        let wall = |minute| Timestamp::UNIX_EPOCH + minutes(minute);
        // Soon after the start only the times since then were wrong.
        let set = ClockSet { from: wall(0), to: wall(6), by: minutes(60), asleep: minutes(0) };
        assert_eq!(last.follow(at(66, 7, 7)), Some(set));
        let asleep = ClockSet { from: Timestamp::MIN, to: wall(96), by: minutes(0), asleep: minutes(30) };
        assert_eq!(last.follow(at(96, 37, 7)), Some(asleep));
        let back = ClockSet { from: Timestamp::MIN, to: wall(97), by: minutes(-60), asleep: minutes(0) };
        assert_eq!(last.follow(at(37, 38, 8)), Some(back));
        assert_eq!(last.began, wall(0));
    }
}
