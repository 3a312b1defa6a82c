//! Compares PINs off the reactor. Each comparison takes 13 to 25 ms of a core and 7 MiB, so only as many run at once as
//! there are cores. Others wait in a queue, for as long as a caller would. If it is too long for that, they fail at once.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tracing::warn;

use super::pepper::Peppers;
use crate::model::id::{Extension, TenantId};
use crate::model::login::pin::{Alias, Cost, Pin, PinRecord};
use crate::model::login::token;

/// The peppers, and the limit of simultaneous comparisons.
pub struct Pins {
    peppers: watch::Sender<Arc<Peppers>>,
    cores: usize,
    turns: Arc<Semaphore>,
    /// Places in the queue for a turn.
    places: Semaphore,
    /// How long a comparison took lately, in microseconds.
    lately: Arc<AtomicU64>,
    cost: Cost,
}

/// Too many PINs are being compared: try again.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("too many logins at once: the PIN was not compared")]
pub struct Busy;

#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Compared {
    pub(super) matches: bool,
    /// A new record of the same PIN, if the old one has an older pepper or another cost.
    pub(super) rehashed: Option<PinRecord>,
}

impl Pins {
    /// How long a comparison may wait.
    const PATIENCE: Duration = Duration::from_secs(12);
    /// Places in the queue for each core: as many as a slow core compares in that time.
    const IN_TIME: usize = 320;

    /// Compares with these `peppers`, as many at once as there are cores.
    pub fn new(peppers: impl Into<Peppers>) -> Self {
        Self::at(Cost::default(), peppers)
    }

    /// The same, with this cost for new records and for unknown users.
    pub fn at(cost: Cost, peppers: impl Into<Peppers>) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            peppers: watch::Sender::new(Arc::new(peppers.into())),
            cores,
            turns: Arc::new(Semaphore::new(cores)),
            places: Semaphore::new(cores * Self::IN_TIME),
            lately: Arc::default(),
            cost,
        }
    }

    /// Uses these peppers from now on.
    pub fn reload_peppers(&self, peppers: Peppers) {
        self.peppers.send_replace(Arc::new(peppers));
    }

    pub(super) fn peppers(&self) -> Arc<Peppers> {
        self.peppers.borrow().clone()
    }

    /// Whether a call that shows this comes from a dialplan of this installation, printed with any of the peppers.
    pub(crate) fn accepts(&self, shown: &str) -> bool {
        self.peppers().of_token(shown).is_some()
    }

    /// What proves to `hotdesk check` that this controller answered.
    pub(crate) fn proof(&self, nonce: &str) -> String {
        token::proof(&self.peppers().current, nonce)
    }

    /// The alias under which failures of `user` are counted.
    pub fn alias(&self, tenant: &TenantId, user: &Extension) -> Alias {
        self.peppers().current.alias(tenant, user)
    }

    /// The record of a new PIN for this user.
    pub(super) async fn record(
        &self,
        pin: Pin,
        tenant: TenantId,
        user: Extension,
    ) -> Result<PinRecord, Busy> {
        let turn = self.turn().await?;
        let (cost, peppers) = (self.cost, self.peppers());
        let made = tokio::task::spawn_blocking(move || {
            let record = PinRecord::make_at(cost, &pin, &peppers.current, &tenant, &user, salt()?);
            drop(turn);
            Some(record)
        });
        made.await.ok().flatten().ok_or(Busy)
    }

    async fn turn(&self) -> Result<OwnedSemaphorePermit, Busy> {
        let _place = self.places.try_acquire().map_err(|_| Busy)?;
        let waiting = self.cores * Self::IN_TIME - self.places.available_permits();
        let each = Duration::from_micros(self.lately.load(Relaxed));
        if each * u32::try_from(waiting / self.cores).unwrap_or(u32::MAX) > Self::PATIENCE {
            return Err(Busy);
        }
        let turn = tokio::time::timeout(Self::PATIENCE, self.turns.clone().acquire_owned());
        turn.await.map_err(|_| Busy)?.map_err(|_| Busy)
    }

    /// Whether `pin` is the PIN of `record`. Without a record nothing matches, in the same time.
    pub(super) async fn compare(
        &self,
        record: Option<PinRecord>,
        pin: Pin,
        tenant: TenantId,
        user: Extension,
    ) -> Result<Compared, Busy> {
        let turn = self.turn().await?;
        let (cost, peppers) = (self.cost, self.peppers());
        let record = record.unwrap_or_else(|| PinRecord::of_no_user(self.cost, &peppers.current));
        if peppers.named(record.pepper()).is_none() {
            warn!(event = "pin.pepper_unknown", %tenant, %user, pepper = record.pepper(),
                "this user's PIN was made with another pepper file: restore that file, or set a new PIN");
        }
        let lately = self.lately.clone();
        let compared = tokio::task::spawn_blocking(move || {
            let began = Instant::now();
            let pepper = peppers.named(record.pepper()).unwrap_or(&peppers.current);
            let matches = record.matches(&pin, pepper, &tenant, &user);
            let took = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
            lately.store(lately.load(Relaxed) / 4 * 3 + took / 4, Relaxed);
            let current = &peppers.current;
            let older = matches && (record.pepper() != current.name() || record.cost() != cost);
            let rehashed =
                older.then(|| salt().map(|salt| record.again(cost, &pin, current, &tenant, &user, salt)));
            drop(turn);
            Compared { matches, rehashed: rehashed.flatten() }
        });
        compared.await.map_err(|_| Busy)
    }
}

/// None, if the system has no random bytes: then a later login does it.
pub(super) fn salt() -> Option<[u8; 16]> {
    let mut salt = [0; 16];
    getrandom::fill(&mut salt).ok().map(|()| salt)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::login::pin::Pepper;

    const CHEAP: Cost = Cost { memory_kib: 8, passes: 1 };
    const OTHER: Cost = Cost { memory_kib: 16, passes: 1 };

    fn compare(pins: &Pins, record: PinRecord) -> impl Future<Output = Result<Compared, Busy>> {
        let pin = Pin::new("729154").unwrap();
        pins.compare(Some(record), pin, TenantId::default(), Extension::new("101").unwrap())
    }

    fn record() -> PinRecord {
        let (pin, user) = (Pin::new("729154").unwrap(), Extension::new("101").unwrap());
        PinRecord::make_at(CHEAP, &pin, &Pepper::new([7; 64]), &TenantId::default(), &user, [1; 16])
    }

    #[tokio::test]
    async fn a_right_pin_gets_a_record_of_the_cost_of_new_ones() {
        let pins = Pins::at(OTHER, Pepper::new([7; 64]));
        let rehashed = compare(&pins, record()).await.unwrap().rehashed.unwrap();
        assert_eq!(rehashed.cost(), OTHER);
        assert_eq!(compare(&pins, rehashed).await, Ok(Compared { matches: true, rehashed: None }));
    }

    #[tokio::test(start_paused = true)]
    async fn a_comparison_waits_for_its_turn_but_not_behind_a_full_queue() {
        let pins = Pins::at(CHEAP, Pepper::new([7; 64]));
        let all = |of: &Semaphore| u32::try_from(of.available_permits()).unwrap();
        let turns = pins.turns.acquire_many(all(&pins.turns)).await.unwrap();
        let began = tokio::time::Instant::now();
        assert_eq!(compare(&pins, record()).await, Err(Busy));
        assert_eq!(began.elapsed(), Pins::PATIENCE);
        let places = pins.places.acquire_many(all(&pins.places)).await.unwrap();
        assert_eq!(compare(&pins, record()).await, Err(Busy));
        assert_eq!(began.elapsed(), Pins::PATIENCE, "at once");
        drop(places);
        // On a slow machine a shorter queue is too long.
        pins.lately.store(1_000_000, Relaxed);
        let waits = 13 * pins.cores - 1;
        let places = pins.places.acquire_many(u32::try_from(waits).unwrap()).await.unwrap();
        assert_eq!(compare(&pins, record()).await, Err(Busy));
        assert_eq!(began.elapsed(), Pins::PATIENCE, "at once");
        drop((turns, places));
        assert!(compare(&pins, record()).await.unwrap().matches);
    }
}
