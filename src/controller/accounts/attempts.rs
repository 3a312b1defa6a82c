//! Counts wrong passwords by account and by address, and wrong keys by address, so that guessing is slow. Each attempt counts before its password is
//! compared; a right one is forgiven.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::model::id::{AccountName, TenantId};

/// How long an attempt counts.
const WINDOW: Duration = Duration::from_secs(15 * 60);
/// How many attempts an account may have in that time.
const ACCOUNT: usize = 5;
/// The same for an address; of IPv6 a network of 64 bits is one address.
const ADDRESS: usize = 20;
/// How many accounts and addresses are remembered. The ones of the oldest attempts are forgotten first.
const MOST: usize = 10_000;

#[derive(Clone, Debug, Eq, Hash, PartialEq)]
enum Of {
    Account(TenantId, AccountName),
    Address(IpAddr),
    Keys(IpAddr),
}

/// The attempts of the last minutes.
#[derive(Debug, Default)]
pub(super) struct Attempts(Mutex<HashMap<Of, Vec<Instant>>>);

/// An attempt that counts.
#[derive(Debug)]
pub(super) struct Attempt {
    of: [Of; 2],
    at: Instant,
}

impl Attempts {
    /// Counts an attempt; or how long to wait for the next one.
    pub(super) fn count(
        &self,
        (tenant, account): (&TenantId, &AccountName),
        from: IpAddr,
        now: Instant,
    ) -> Result<Attempt, Duration> {
        let of = [Of::Account(tenant.clone(), account.clone()), Of::Address(network(from))];
        self.count_all(&of, now)?;
        Ok(Attempt { of, at: now })
    }

    /// Counts a wrong key; or how long to wait for the next one.
    pub(super) fn count_key(&self, from: IpAddr, now: Instant) -> Result<(), Duration> {
        self.count_all(&[Of::Keys(network(from))], now)
    }

    fn count_all(&self, of: &[Of], now: Instant) -> Result<(), Duration> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let recent = |at: &Instant| now.duration_since(*at) < WINDOW;
        for of in of {
            let most = if matches!(of, Of::Account(..)) { ACCOUNT } else { ADDRESS };
            let Some(times) = all.get_mut(of) else { continue };
            times.retain(recent);
            if let (true, Some(oldest)) = (times.len() >= most, times.first()) {
                return Err(WINDOW.saturating_sub(now.duration_since(*oldest)));
            }
        }
        if all.len() + of.len() > MOST {
            all.retain(|_, times| times.last().is_some_and(recent));
        }
        while all.len() + of.len() > MOST {
            let oldest = all.iter().min_by_key(|(_, times)| times.last()).map(|(of, _)| of.clone());
            let Some(oldest) = oldest else { break };
            all.remove(&oldest);
        }
        of.iter().for_each(|of| all.entry(of.clone()).or_default().push(now));
        Ok(())
    }

    /// The password of an attempt was not compared.
    pub(super) fn take_back(&self, attempt: &Attempt) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for of in &attempt.of {
            let Some(times) = all.get_mut(of) else { continue };
            if let Some(at) = times.iter().position(|at| *at == attempt.at) {
                times.remove(at);
            }
            if times.is_empty() {
                all.remove(of);
            }
        }
    }

    /// The password was right: those before do not count for the account any more. For the address they do.
    pub(super) fn forgive(&self, attempt: &Attempt) {
        self.take_back(attempt);
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        attempt.of.iter().filter(|of| matches!(of, Of::Account(..))).for_each(|of| drop(all.remove(of)));
    }
}

fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => IpAddr::from((v6.to_bits() >> 64 << 64).to_be_bytes()),
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attempt(attempts: &Attempts, account: &str, from: &str, now: Instant) -> Result<Attempt, Duration> {
        let account = AccountName::new(account).unwrap();
        attempts.count((&TenantId::default(), &account), from.parse().unwrap(), now)
    }

    #[test]
    fn an_account_has_five_attempts_in_a_quarter_of_an_hour_from_wherever() {
        let (attempts, start) = (Attempts::default(), Instant::now());
        for n in 0..5 {
            assert!(attempt(&attempts, "eva", &format!("192.0.2.{n}"), start).is_ok());
        }
        assert_eq!(attempt(&attempts, "eva", "192.0.2.9", start).unwrap_err(), WINDOW);
        assert!(attempt(&attempts, "jan", "192.0.2.9", start).is_ok());
        let later = start + WINDOW;
        assert!(attempt(&attempts, "eva", "192.0.2.9", later).is_ok());
    }

    #[test]
    fn an_address_has_twenty_and_a_network_of_ipv6_is_one_address() {
        let (attempts, now) = (Attempts::default(), Instant::now());
        for n in 0..20 {
            assert!(attempt(&attempts, &format!("user{n}"), &format!("2001:db8::{n}"), now).is_ok());
        }
        assert!(attempt(&attempts, "other", "2001:db8::ffff", now).is_err());
        assert!(attempt(&attempts, "other", "2001:db8:0:1::1", now).is_ok());
    }

    #[test]
    fn a_right_password_forgives_the_account_and_one_that_was_not_compared_does_not_count() {
        let (attempts, now) = (Attempts::default(), Instant::now());
        let before: Vec<Attempt> =
            (0..4).map(|_| attempt(&attempts, "eva", "192.0.2.1", now).unwrap()).collect();
        attempts.take_back(&before[0]);
        assert!(attempt(&attempts, "eva", "192.0.2.1", now).is_ok());
        let right = attempt(&attempts, "eva", "192.0.2.1", now).unwrap();
        attempts.forgive(&right);
        for _ in 0..5 {
            assert!(attempt(&attempts, "eva", "192.0.2.2", now).is_ok());
        }
        assert!(attempt(&attempts, "eva", "192.0.2.2", now).is_err());
    }

    #[test]
    fn wrong_keys_are_counted_by_address_and_apart_from_passwords() {
        let (attempts, now, from) = (Attempts::default(), Instant::now(), IpAddr::from([192, 0, 2, 1]));
        for _ in 0..20 {
            assert_eq!(attempts.count_key(from, now), Ok(()));
        }
        assert_eq!(attempts.count_key(from, now), Err(WINDOW));
        assert_eq!(attempts.count_key(IpAddr::from([192, 0, 2, 2]), now), Ok(()));
        assert!(attempt(&attempts, "eva", "192.0.2.1", now).is_ok());
        assert_eq!(attempts.count_key(from, now + WINDOW), Ok(()));
    }

    #[test]
    fn a_flood_takes_bounded_memory() {
        let (attempts, now) = (Attempts::default(), Instant::now());
        for n in 0..MOST {
            let from = format!("10.{}.{}.1", n / 256, n % 256);
            assert!(
                attempt(&attempts, &format!("user{n}"), &from, now + Duration::from_millis(n as u64)).is_ok()
            );
        }
        assert!(attempts.0.lock().unwrap().len() <= MOST);
    }
}
