//! Comparing PINs off the reactor: each comparison costs 15 ms of a core and 19 MiB, so only as many run at
//! once as there are cores, and nobody waits for his turn longer than a caller would.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tracing::warn;

use super::pepper::Peppers;
use crate::desk::id::{Extension, TenantId};
use crate::desk::pin::{Alias, Cost, Pin, PinRecord};

/// The peppers, and the turns in which PINs are compared.
pub struct Pins {
    peppers: watch::Sender<Arc<Peppers>>,
    turns: Arc<Semaphore>,
    cost: Cost,
}

/// Too many PINs are being compared: try again.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("no PIN could be compared within {} s: too many logins at once", Pins::PATIENCE.as_secs())]
pub struct Busy;

/// What a comparison found.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Compared {
    /// Whether the PIN was the one that the record was made of.
    pub matches: bool,
    /// A record of the same PIN with the current pepper, where it was made with an older one.
    pub anew: Option<PinRecord>,
}

impl Pins {
    /// How long a comparison may wait for its turn.
    pub const PATIENCE: Duration = Duration::from_secs(2);

    /// Compares with these `peppers`, as many at once as the machine has cores.
    #[must_use]
    pub fn new(peppers: impl Into<Peppers>) -> Self {
        Self::at(Cost::default(), peppers)
    }

    /// The same, where new records cost this much, and so does nobody's.
    #[must_use]
    pub fn at(cost: Cost, peppers: impl Into<Peppers>) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            peppers: watch::Sender::new(Arc::new(peppers.into())),
            turns: Arc::new(Semaphore::new(cores)),
            cost,
        }
    }

    /// Compares with these from now on.
    pub fn season(&self, peppers: Peppers) {
        self.peppers.send_replace(Arc::new(peppers));
    }

    fn peppers(&self) -> Arc<Peppers> {
        self.peppers.borrow().clone()
    }

    /// What failures of `user` are counted under.
    #[must_use]
    pub fn alias(&self, tenant: &TenantId, user: &Extension) -> Alias {
        self.peppers().current.alias(tenant, user)
    }

    /// The record of a new PIN of this user.
    ///
    /// # Errors
    /// [`Busy`] when there was no turn within [`Pins::PATIENCE`].
    pub async fn record(&self, pin: Pin, tenant: TenantId, user: Extension) -> Result<PinRecord, Busy> {
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
        let turn = tokio::time::timeout(Self::PATIENCE, self.turns.clone().acquire_owned());
        turn.await.map_err(|_| Busy)?.map_err(|_| Busy)
    }

    /// Whether `pin` is the one that `record` was made of. No record matches nothing, and takes as long.
    ///
    /// # Errors
    /// [`Busy`] when there was no turn within [`Pins::PATIENCE`].
    pub async fn compare(
        &self,
        record: Option<PinRecord>,
        pin: Pin,
        tenant: TenantId,
        user: Extension,
    ) -> Result<Compared, Busy> {
        let turn = self.turn().await?;
        let peppers = self.peppers();
        let record = record.unwrap_or_else(|| PinRecord::nobody(self.cost, &peppers.current));
        if peppers.named(record.pepper()).is_none() {
            warn!(event = "pin.pepper_unknown", %tenant, %user, pepper = record.pepper(),
                "this user's PIN was made with another pepper file: restore it, or give him a new PIN");
        }
        let compared = tokio::task::spawn_blocking(move || {
            let pepper = peppers.named(record.pepper()).unwrap_or(&peppers.current);
            let matches = record.matches(&pin, pepper, &tenant, &user);
            let older = matches && record.pepper() != peppers.current.name();
            let anew =
                older.then(|| salt().map(|salt| record.again(&pin, &peppers.current, &tenant, &user, salt)));
            drop(turn);
            Compared { matches, anew: anew.flatten() }
        });
        compared.await.map_err(|_| Busy)
    }
}

/// None, if the system has no random bytes: then it is done another time.
fn salt() -> Option<[u8; 16]> {
    let mut salt = [0; 16];
    getrandom::fill(&mut salt).ok().map(|()| salt)
}
