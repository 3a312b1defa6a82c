//! How long to wait before connecting again.
//!
//! A connection that lasted starts over, and a refused login waits longer than a lost connection. The crates that compute
//! pauses know neither, so these rules would remain here. `backon` (1.6.0) adds up to the whole pause as jitter on top of its
//! longest pause. `exponential-backoff` (2.1.1) limits a pause after its jitter, so its longest pauses have none, and it ends
//! after a number of attempts.

use std::time::Duration;

use super::state::Ended;

/// The first pause; each next one is twice as long, up to [`MOST`].
const FIRST: Duration = Duration::from_millis(100);
/// Short, because the switch table must be reconciled within 2 s after the switch is up.
const MOST: Duration = Duration::from_secs(1);
/// The pause after a refused login. Switches log each one, and sites ban addresses that fail often.
const REFUSED: Duration = Duration::from_secs(30);
/// A connection that lasts this long ends the backoff.
const STABLE: Duration = Duration::from_secs(5);

/// Counts failures in a row. Pauses are jittered, so several controllers do not reconnect at the same moment.
#[derive(Debug, Default)]
pub(super) struct Backoff {
    failures: u32,
}

impl Backoff {
    /// The pause after a connection that lasted this long, with connecting.
    pub(super) fn pause(&mut self, ended: &Ended, lasted: Duration) -> Duration {
        let random = getrandom::u32().unwrap_or_default();
        self.failures = if lasted >= STABLE { 0 } else { self.failures.saturating_add(1) };
        match ended {
            Ended::Lost(_) => pause(self.failures, random),
            Ended::Refused(_) => jittered(REFUSED, random),
        }
    }
}

/// The pause after this many failures in a row.
fn pause(failures: u32, random: u32) -> Duration {
    let doubled = FIRST.saturating_mul(1 << failures.saturating_sub(1).min(10));
    jittered(doubled.min(MOST), random)
}

/// A value between half of `pause` and `pause`.
fn jittered(pause: Duration, random: u32) -> Duration {
    pause.mul_f64(0.5 + 0.5 * f64::from(random) / f64::from(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_a_second_and_spread_by_half() {
        let longest = [1, 2, 3, 4, 5, 6, u32::MAX].map(|failures| pause(failures, u32::MAX).as_millis());
        assert_eq!(longest, [100, 200, 400, 800, 1000, 1000, 1000]);
        let shortest = [0, 1, 2, u32::MAX].map(|failures| pause(failures, 0).as_millis());
        assert_eq!(shortest, [50, 50, 100, 500]);
    }

    #[test]
    fn a_connection_that_lasted_starts_over_and_a_refusal_waits_long() {
        let (mut backoff, lost) = (Backoff::default(), Ended::Lost(String::new()));
        for _ in 0..9 {
            backoff.pause(&lost, Duration::ZERO);
        }
        assert!(backoff.pause(&lost, Duration::ZERO) >= MOST / 2);
        assert!(backoff.pause(&lost, STABLE) <= FIRST);
        assert!(backoff.pause(&Ended::Refused(String::new()), STABLE) >= REFUSED / 2);
    }
}
