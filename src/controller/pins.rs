//! Comparing PINs off the reactor: each comparison costs 15 ms of a core and 19 MiB, so only as many run at
//! once as there are cores, and nobody waits for his turn longer than a caller would.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tracing::warn;

use crate::desk::id::{Extension, TenantId};
use crate::desk::pin::{Alias, Pepper, Pin, PinRecord};

/// The pepper, and the turns in which PINs are compared.
pub struct Pins {
    pepper: Arc<Pepper>,
    turns: Arc<Semaphore>,
}

/// Too many PINs are being compared: try again.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("no PIN could be compared within {} s: too many logins at once", Pins::PATIENCE.as_secs())]
pub struct Busy;

impl Pins {
    /// How long a comparison may wait for its turn.
    pub const PATIENCE: Duration = Duration::from_secs(2);

    /// Compares with `pepper`, as many at once as the machine has cores.
    #[must_use]
    pub fn new(pepper: Pepper) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self { pepper: Arc::new(pepper), turns: Arc::new(Semaphore::new(cores)) }
    }

    /// What failures of `user` are counted under.
    #[must_use]
    pub fn alias(&self, tenant: &TenantId, user: &Extension) -> Alias {
        self.pepper.alias(tenant, user)
    }

    /// The record of a new PIN of this user.
    ///
    /// # Errors
    /// [`Busy`] when there was no turn within [`Pins::PATIENCE`].
    pub async fn record(&self, pin: Pin, tenant: TenantId, user: Extension) -> Result<PinRecord, Busy> {
        let turn = self.turn().await?;
        let pepper = self.pepper.clone();
        let made = tokio::task::spawn_blocking(move || {
            let mut salt = [0; 16];
            getrandom::fill(&mut salt).ok()?;
            let record = PinRecord::make(&pin, &pepper, &tenant, &user, salt);
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
    ) -> Result<bool, Busy> {
        let turn = self.turn().await?;
        let pepper = self.pepper.clone();
        let record = record.unwrap_or_else(|| PinRecord::nobody(&pepper));
        if record.pepper() != pepper.name() {
            warn!(event = "pin.pepper_unknown", %tenant, %user, pepper = record.pepper(),
                "this user's PIN was made with another pepper file: restore it, or give him a new PIN");
        }
        let compared = tokio::task::spawn_blocking(move || {
            let matches = record.matches(&pin, &pepper, &tenant, &user);
            drop(turn);
            matches
        });
        compared.await.map_err(|_| Busy)
    }
}
