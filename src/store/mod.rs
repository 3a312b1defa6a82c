//! The store: users, devices, locations, sessions and the journal.
//!
//! One trait has three implementations with one test suite (`tests/store`): SQLite, embedded; Redis, for several
//! controllers; memory, for tests and benches. A store loads and commits; [`decide`](crate::model::command::decide) decides.

mod encoding;
pub(crate) mod files;
mod identity;
mod memory;
mod migration;
mod open;
mod redis;
mod sqlite;

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;

use crate::model::command::{Command, Loaded, Outcome, Reads};
use crate::model::desired::Scope;
use crate::model::directory::Snapshot;
use crate::model::id::{DeviceName, Extension, Revision, TenantId};
use crate::model::journal::Entry;
use crate::model::journal::daily_counts::Counts;
use crate::model::login::lockout::{Failures, Kind};
use crate::model::login::pin::PinRecord;
use crate::model::login::refusal::Refusal;
use crate::model::mark::Mark;
use crate::model::observation::Observed;

pub use self::memory::Memory;
pub use self::open::{file, open};
pub use self::redis::Redis;
pub use self::sqlite::{Sqlite, backup};

/// Seconds for which a request id is remembered.
const REMEMBERED: u32 = 2 * 60 * 60;

/// A store.
#[async_trait]
pub trait Store: Send + Sync {
    /// The records of a tenant that `reads` finds, at one revision.
    async fn load(&self, tenant: &TenantId, reads: &Reads) -> Result<Loaded>;

    /// Loads what the command reads, decides, and commits if that has not changed; otherwise it tries again, up to a limit.
    /// Everything is committed, or nothing, and once for each request id, which is remembered for at least an hour.
    ///
    /// Commands that read different records do not wait for each other's retries. A large command may take seconds.
    async fn commit(&self, command: &Command) -> Result<Outcome>;

    /// The journal after a revision, oldest first, at most `limit` entries.
    async fn journal(&self, tenant: &TenantId, after: Revision, limit: usize) -> Result<Vec<Entry>>;

    /// The first revision whose entry is not older than `since`; if there is none, the revision of the next entry.
    async fn revision_at(&self, tenant: &TenantId, since: Timestamp) -> Result<Revision>;

    /// Drops the oldest entries of a journal and adds their counts, in one step, and only if `trim.from` is the oldest and
    /// `trim.upto` is not the newest. Returns whether it was done: of several callers with the same request, one does it.
    ///
    /// The newest entry is always kept: its revision shows a reader that entries are missing.
    async fn trim(&self, trim: &Trim) -> Result<bool>;

    /// The counts of dropped entries.
    async fn trimmed(&self, tenant: &TenantId) -> Result<Trimmed>;

    /// Waits, for at most `patience`, until the tenant's revision is not `after`, and returns it. It is lower if the store went
    /// back. Sees the commits of any process within 100 ms.
    async fn changed(&self, tenant: &TenantId, after: Revision, patience: Duration) -> Result<Revision>;

    /// The mark of the tenant's data as it is now, also where it is not the data from before; none: there is no data. In a store
    /// that was lost, [`Store::load`] and [`Store::commit`] refuse with [`StoreError::Lost`].
    async fn mark(&self, tenant: &TenantId) -> Result<Option<Mark>>;

    /// Takes the data that is there now for the data of this store, as an administrator said.
    async fn accept(&self, tenant: &TenantId) -> Result<()>;

    /// Whether the store keeps all that it has acknowledged.
    async fn keeps(&self) -> Result<Keeps> {
        Ok(Keeps::All)
    }

    /// Waits until a part of the store that should run as long as the store ends, and returns what ended and why.
    async fn ended(&self) -> String {
        std::future::pending().await
    }
    /// Writes something of no meaning and removes it, to find out whether the store takes writes.
    async fn probe(&self, tenant: &TenantId) -> Result<()>;

    /// The part of a tenant for `scope`, at one revision; [`Snapshot`] says what it contains.
    async fn snapshot(&self, tenant: &TenantId, scope: &Scope) -> Result<Snapshot> {
        Ok(self.load(tenant, &Reads::snapshot(scope)).await?.into_snapshot(scope))
    }

    /// A user's PIN record.
    async fn pin(&self, tenant: &TenantId, user: &Extension) -> Result<Option<PinRecord>> {
        Ok(self.load(tenant, &Reads::pin(user)).await?.pins.remove(user))
    }

    /// The failures that are remembered, by a device's name or a user's [`Alias`](crate::model::login::pin::Alias).
    async fn failures(&self, tenant: &TenantId) -> Result<BTreeMap<(Kind, String), Failures>> {
        Ok(self.load(tenant, &Reads::failures()).await?.failures)
    }

    /// The observations of devices in `scope` during their sessions; devices without an observation are left out.
    async fn observations(&self, tenant: &TenantId, scope: &Scope) -> Result<BTreeMap<DeviceName, Observed>> {
        Ok(self.load(tenant, &Reads::observations(scope)).await?.observations)
    }
}

/// Whether a store keeps all that it has acknowledged.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Keeps {
    /// It does, as far as it is configured to.
    All,
    /// It drops data when its memory is full, by this policy.
    Evicts(String),
    /// It does not let that be read.
    Unknown,
}

/// The oldest entries of a journal, to be dropped.
#[derive(Clone, Debug)]
pub struct Trim {
    /// The tenant of the journal.
    pub tenant: TenantId,
    /// The first of them.
    pub from: Revision,
    /// The last of them.
    pub upto: Revision,
    /// Their counts.
    pub counts: Counts,
}

/// The counts that remain of dropped entries.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Trimmed {
    /// The last of them; zero, if there are none.
    pub upto: Revision,
    /// Their counts.
    pub counts: Counts,
}

/// The result of a store.
pub type Result<T, E = StoreError> = std::result::Result<T, E>;

/// The error of a store.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// It cannot be reached, or did not answer in time. It is unknown whether a command was carried out: repeat it
    /// with the same request id.
    #[error("the store {0} cannot be reached: {1}")]
    Away(String, String),
    /// Its data is not the data from before: it is gone, older, or of another store. Nothing was changed.
    #[error("the store {0} has lost its data: {1}")]
    Lost(String, String),
    /// Its data cannot be read, or it refused a write.
    #[error("the store {0} failed: {1}")]
    Broken(String, String),
    /// Other commands kept changing the same records.
    #[error("the store {0} is busy: other commands change the same records; try again")]
    Contended(String),
    /// The command is refused, and nothing has changed.
    #[error(transparent)]
    Refused(#[from] Refusal),
}
