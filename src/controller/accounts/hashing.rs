//! Compares passwords off the reactor, one at a time: a flood of sign-ins takes one core at most, and calls have the others.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::controller::pepper::Peppers;
use crate::controller::pins::salt;
use crate::model::access::{Password, PasswordRecord};
use crate::model::id::{AccountName, TenantId};
use crate::model::login::pin::Cost;

/// How many wait for their turn; one more is refused at once.
const PLACES: usize = 16;
/// How long one may wait.
const PATIENCE: Duration = Duration::from_secs(5);

/// The limit of simultaneous comparisons.
pub(super) struct Hashing {
    turns: Arc<Semaphore>,
    places: Semaphore,
    cost: Cost,
}

/// Too many passwords are being compared: try again.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Busy;

#[derive(Debug, Default)]
pub(super) struct Compared {
    pub(super) matches: bool,
    /// A new record of the same password, if the old one has an older pepper.
    pub(super) rehashed: Option<PasswordRecord>,
}

impl Default for Hashing {
    fn default() -> Self {
        let turns = Arc::new(Semaphore::new(1));
        Self { turns, places: Semaphore::new(PLACES), cost: Cost::default() }
    }
}

impl Hashing {
    async fn turn(&self) -> Result<OwnedSemaphorePermit, Busy> {
        let _place = self.places.try_acquire().map_err(|_| Busy)?;
        let turn = tokio::time::timeout(PATIENCE, self.turns.clone().acquire_owned());
        turn.await.map_err(|_| Busy)?.map_err(|_| Busy)
    }

    /// The record of a new password.
    pub(super) async fn record(
        &self,
        password: Password,
        peppers: Arc<Peppers>,
        (tenant, account): (TenantId, AccountName),
    ) -> Result<PasswordRecord, Busy> {
        let (turn, cost) = (self.turn().await?, self.cost);
        let made = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            Some(PasswordRecord::make(cost, &password, &peppers.current, &tenant, &account, salt()?))
        });
        made.await.ok().flatten().ok_or(Busy)
    }

    /// Whether `password` is that of `record`. Without a record nothing matches, in the same time.
    pub(super) async fn compare(
        &self,
        record: Option<PasswordRecord>,
        password: Password,
        peppers: Arc<Peppers>,
        (tenant, account): (TenantId, AccountName),
    ) -> Result<Compared, Busy> {
        let (turn, cost) = (self.turn().await?, self.cost);
        let compared = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            let current = &peppers.current;
            let record = record.unwrap_or_else(|| PasswordRecord::of_no_account(cost, current));
            let pepper = peppers.named(record.pepper()).unwrap_or(current);
            let matches = record.matches(&password, pepper, &tenant, &account);
            let older = matches && record.pepper() != current.name();
            let again = |salt| PasswordRecord::make(cost, &password, current, &tenant, &account, salt);
            Compared { matches, rehashed: older.then(salt).flatten().map(again) }
        });
        compared.await.map_err(|_| Busy)
    }
}
