//! The first seam: where the truth lives.
//!
//! One trait, two implementations with one conformance story (`tests/store`): SQLite, embedded, and
//! Redis, for several controllers. A store keeps and moves; what may be moved is decided above it.

mod import;
mod open;
mod redis;
mod sqlite;

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;

use crate::desk::count::Counts;
use crate::desk::id::{DeviceName, Extension, LocationName, Revision, TenantId};
use crate::desk::journal::{Actor, Entry, Event};
use crate::desk::leave::Seen;
use crate::desk::location::Location;
use crate::desk::lock::{Attempt, Kind, Tries};
use crate::desk::model::{Device, Office, User};
use crate::desk::pin::{Alias, PinRecord};
use crate::desk::policy::Refusal;
use crate::desk::seat::{Denied, Move, Transition};
use crate::desk::setting::Setting;
use crate::desk::table::Scope;

pub use self::import::Import;
pub use self::open::open;
pub use self::redis::Redis;
pub use self::sqlite::Sqlite;

/// Seconds for which a request id is remembered.
const REMEMBERED: u32 = 2 * 60 * 60;

/// Where the truth lives.
#[async_trait]
pub trait Store: Send + Sync {
    /// What `scope` needs of a tenant, as of one revision; see [`Office`] for what comes along with it.
    async fn office(&self, tenant: &TenantId, scope: &Scope) -> Result<Office, StoreError>;

    /// Changes the directory, logs out who may no longer sit where he sits, bumps the revision and
    /// appends the journal: in one step. Returns the revision after it.
    async fn change(&self, change: &Change) -> Result<Revision, StoreError>;

    /// Changes all of that in one step, or nothing of it; each change as [`Store::change`] does it. Takes seconds where there
    /// are tens of thousands. Returns the revision after the last.
    async fn import(&self, import: &Import) -> Result<Revision, StoreError>;

    /// Moves people, bumps the revision and appends the journal: in one step, and once for a request id
    /// (remembered for an hour at least). Nothing to do is no error: the transition is empty, nothing is journalled.
    async fn move_people(&self, act: &Move) -> Result<Transition, StoreError>;

    /// What is kept of a user's PIN.
    async fn pin(&self, tenant: &TenantId, user: &Extension) -> Result<Option<PinRecord>, StoreError>;

    /// Replaces what is kept of a user's PIN by another record of the same PIN, unless it was replaced by now.
    async fn rehash(
        &self,
        tenant: &TenantId,
        user: &Extension,
        was: &PinRecord,
        is: &PinRecord,
    ) -> Result<(), StoreError>;

    /// Counts a try, before it is checked, unless the user or the device is locked: in one step, whoever else tries.
    async fn attempt(&self, guess: &Guess) -> Result<Attempt, StoreError>;

    /// Forgets the user's failures and takes this guess off the device's: the PIN was right.
    async fn forgive(&self, guess: &Guess) -> Result<(), StoreError>;

    /// Whose failures are remembered.
    async fn tries(&self, tenant: &TenantId) -> Result<Vec<Tried>, StoreError>;

    /// Appends to the journal: refusals and repairs, which change nothing else.
    async fn record(&self, entries: &[Entry]) -> Result<(), StoreError>;

    /// The journal after a revision, oldest first, at most `limit` entries.
    async fn journal(
        &self,
        tenant: &TenantId,
        after: Revision,
        limit: usize,
    ) -> Result<Vec<Entry>, StoreError>;

    /// The first revision whose entry is not older than `since`; that of the next entry, if there is none.
    async fn revision_at(&self, tenant: &TenantId, since: Timestamp) -> Result<Revision, StoreError>;

    /// Drops a journal's oldest entries, and adds what was counted of them: in one step, and only if `trim.from` is the oldest
    /// and `trim.upto` not the newest. Whether it was done; of several who would drop the same, one does.
    ///
    /// The newest entry always stays: by its revision, who follows the journal sees that he missed some.
    async fn trim(&self, trim: &Trim) -> Result<bool, StoreError>;

    /// What was counted of the entries that were dropped.
    async fn trimmed(&self, tenant: &TenantId) -> Result<Trimmed, StoreError>;

    /// What was noted of the devices of `scope` since somebody sits there; of those with nothing noted, nothing.
    async fn seen(&self, tenant: &TenantId, scope: &Scope) -> Result<BTreeMap<DeviceName, Seen>, StoreError>;

    /// Notes what was seen of devices, without a journal entry, and says of each note whether it changed something. What
    /// is noted ends with the binding, and a note for one that is no more changes nothing.
    async fn note(&self, tenant: &TenantId, notes: &[Note]) -> Result<Vec<bool>, StoreError>;

    /// Waits until the journal goes on after `after`, `patience` at most, and returns the tenant's revision then.
    /// Sees what any process wrote, within 100 ms.
    async fn changed(
        &self,
        tenant: &TenantId,
        after: Revision,
        patience: Duration,
    ) -> Result<Revision, StoreError>;
}

/// A change of the directory.
#[derive(Clone, Debug)]
pub struct Change {
    /// Whose directory.
    pub tenant: TenantId,
    /// What changes.
    pub what: What,
    /// Who wants it, for the journal.
    pub by: Actor,
    /// When.
    pub at: Timestamp,
}

/// What changes in a directory.
#[derive(Clone, Debug)]
pub enum What {
    /// Adds a device, or replaces what was known of it. The location that it names must exist.
    Device(Device),
    /// Adds a location, or replaces what was known of it.
    Location(Location),
    /// Gives a user, who must exist, a new PIN.
    Pin(Extension, PinRecord),
    /// Removes a device, which must exist.
    RemoveDevice(DeviceName),
    /// Removes a location, which must exist, and where no device may stand.
    RemoveLocation(LocationName),
    /// Removes a user, who must exist, and his PIN.
    RemoveUser(Extension),
    /// Changes one setting of a user, who must exist; whatever else of him is changed at the same time, stays changed.
    Setting(Extension, Setting),
    /// Replaces a user by what he is to be, if he still is as he was read: else [`StoreError::Contended`].
    Edited {
        /// As he was read.
        was: Box<User>,
        /// As he is to be.
        is: Box<User>,
    },
    /// Ends locks, and forgets the failures before them.
    Unlock(Unlock),
    /// Adds a user, or replaces what was known of him. His PIN stays.
    User(User),
}

/// Something seen of a device at which somebody sits.
#[derive(Clone, Debug)]
pub struct Note {
    /// Which.
    pub device: DeviceName,
    /// The binding of the one who sits there.
    pub revision: Revision,
    /// What.
    pub what: Noted,
}

/// What is noted: a part of [`Seen`].
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Noted {
    /// His leaving at this time is being asked about. Of several controllers one changes something by it: that one asks.
    Asked(Timestamp),
    /// It is not registered since then, or it is again.
    Gone(Option<Timestamp>),
    /// Its last call ended then. An earlier end changes nothing.
    Quiet(Timestamp),
    /// Its user stays until then. An earlier end changes nothing.
    Stays(Timestamp),
}

impl Noted {
    /// Its name in a store, and its value there: microseconds since 1970.
    fn field(self) -> (&'static str, Option<i64>) {
        let (field, at) = match self {
            Self::Asked(at) => ("asked", Some(at)),
            Self::Gone(at) => ("gone", at),
            Self::Quiet(at) => ("quiet", Some(at)),
            Self::Stays(at) => ("stays", Some(at)),
        };
        (field, at.map(Timestamp::as_microsecond))
    }

    /// Whether only a later time replaces an earlier one.
    const fn grows(self) -> bool {
        matches!(self, Self::Quiet(_) | Self::Stays(_))
    }
}

/// Whose locks are ended.
#[derive(Clone, Debug)]
pub enum Unlock {
    /// Everybody's.
    All,
    /// A device's.
    Device(DeviceName),
    /// A user's.
    User(Extension, Alias),
}

impl Unlock {
    /// What the failures are counted under; none: all of them.
    fn counted(&self) -> Option<(Kind, &str)> {
        match self {
            Self::All => None,
            Self::Device(device) => Some((Kind::Device, device.as_str())),
            Self::User(_, alias) => Some((Kind::User, alias.as_str())),
        }
    }

    /// For the journal.
    fn event(&self) -> Event {
        let (user, device) = match self {
            Self::All => (None, None),
            Self::Device(device) => (None, Some(device.clone())),
            Self::User(user, _) => (Some(user.clone()), None),
        };
        Event::Unlocked { user, device }
    }
}

/// Somebody whose failures are remembered.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Tried {
    /// What it is.
    pub kind: Kind,
    /// A device's name, a user's [`Alias`].
    pub name: String,
    /// What is remembered.
    pub tries: Tries,
}

/// Somebody is about to try a PIN.
#[derive(Clone, Debug)]
pub struct Guess {
    /// Where the extension is looked up.
    pub tenant: TenantId,
    /// The extension he says is his; it need not exist.
    pub user: Alias,
    /// Where he tries.
    pub device: DeviceName,
    /// When.
    pub at: Timestamp,
}

/// The oldest entries of a journal, to be dropped.
#[derive(Clone, Debug)]
pub struct Trim {
    /// Whose journal.
    pub tenant: TenantId,
    /// The first of them.
    pub from: Revision,
    /// The last of them.
    pub upto: Revision,
    /// What they come to.
    pub counts: Counts,
}

/// What is left of the entries that were dropped.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Trimmed {
    /// The last of them; zero, if there are none.
    pub upto: Revision,
    /// What they came to.
    pub counts: Counts,
}

/// Why a store could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// It cannot be reached, or did not answer in time. Whether an act was done is unknown: ask again with the same
    /// request id.
    #[error("the store {0} cannot be reached: {1}")]
    Away(String, String),
    /// What it holds cannot be read, or it refused what was written.
    #[error("the store {0} failed: {1}")]
    Broken(String, String),
    /// Others keep changing the same, so that this one found no moment.
    #[error("{0} is being changed by others at the same time; try again")]
    Contended(String),
    /// What should go is needed: a location at which devices stand.
    #[error("{0} still there; say first where else: hotdesk device set NAME --location ELSEWHERE")]
    InUse(String),
    /// A change or a move names a user, device or location that does not exist.
    #[error("there is no {0}")]
    Missing(String),
    /// A move seats somebody who may not sit there.
    #[error("not done: {}", .0.code())]
    Refused(Refusal),
}

impl From<Denied> for StoreError {
    fn from(denied: Denied) -> Self {
        match denied {
            Denied::Missing(what) => Self::Missing(what),
            Denied::Refused(refusal) => Self::Refused(refusal),
        }
    }
}

impl StoreError {
    /// A location cannot go, as `devices` stand there; some of them are named.
    fn in_use<'a>(devices: impl Iterator<Item = &'a str>) -> Self {
        const NAMED: usize = 10;
        let devices: Vec<&str> = devices.collect();
        let named = devices.iter().take(NAMED).copied().collect::<Vec<_>>().join(", ");
        Self::InUse(match devices.len() {
            1 => format!("device {named} stands"),
            all if all > NAMED => format!("devices {named} and {} more stand", all - NAMED),
            _ => format!("devices {named} stand"),
        })
    }
}
