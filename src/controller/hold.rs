//! Whether the state of a store may be written to a switch, asked of both. The rules are in [`crate::model::hold`].

use crate::model::desired::{Edit, Reading};
use crate::model::directory::Snapshot;
use crate::model::hold::{self, Hold};
use crate::model::id::{Revision, TenantId};
use crate::model::journal::Entry;
use crate::model::mark::Mark;
use crate::store::{Keeps, Store, StoreError};
use crate::switch::Switch;

/// How many journal entries may explain what is emptied, and how many are read at a time.
const EXPLAINING: u64 = 50_000;
const PAGE: usize = 5_000;

/// How often the store is read at the most while another controller writes to the switch.
pub(crate) const STALE: usize = 3;

/// What the store and the switch say of each other.
#[derive(Debug, Eq, PartialEq)]
pub(crate) enum Fit {
    /// The state may be written.
    Fits,
    /// Another controller has written a later state since the store was read: it must be read again.
    Stale,
    /// Nothing may be written.
    Held(Hold),
}

/// Takes the mark of the store out of what was read of a switch.
pub(crate) fn take_mark(switch: &dyn Switch, reading: &mut Reading) -> Option<Mark> {
    let text = reading.records.remove(&switch.mark_key()?)?;
    Mark::read(&text)
}

/// Whether data with the mark `here` may be written to a switch with the mark `there`, which also holds `reading`. `known` is a
/// mark in the switch that was found to fit before.
pub(crate) async fn fits(
    store: &dyn Store,
    tenant: &TenantId,
    here: Option<&Mark>,
    (there, known): (Option<&Mark>, Option<&Mark>),
    reading: &Reading,
) -> Result<Fit, StoreError> {
    let verdict = match (here, there) {
        (_, None) => hold::takes(here.map_or(Revision(0), |here| here.revision), reading),
        (Some(here), Some(there)) if here.may_follow(there) && Some(there) == known => Ok(()),
        (_, Some(there)) => {
            let same = here.filter(|here| here.store == there.store);
            let later = same.is_some_and(|here| here.revision < there.revision);
            if later && store.mark(tenant).await?.is_some_and(|now| now.may_follow(there)) {
                return Ok(Fit::Stale);
            }
            let before = Revision(there.revision.0.saturating_sub(1));
            let entries = match same.is_some() && !later {
                true => store.journal(tenant, before, 1).await?,
                false => vec![],
            };
            let entry = entries.first().filter(|entry| entry.revision == there.revision);
            hold::follows(here, there, entry.map(|entry| entry.at))
        }
    };
    Ok(verdict.map_or_else(Fit::Held, |()| Fit::Fits))
}

/// Whether the edits of a whole table may be written: not, if they empty too many rows without a reason in the journal.
pub(crate) async fn empties(
    store: &dyn Store,
    tenant: &TenantId,
    edits: &[Edit],
    reading: &Reading,
    snapshot: &Snapshot,
) -> Result<Option<Hold>, StoreError> {
    if hold::is_few(hold::emptying(edits).len()) {
        return Ok(None);
    }
    let (mut entries, mut after): (Vec<Entry>, _) = (vec![], snapshot.revision.0.saturating_sub(EXPLAINING));
    loop {
        let page = store.journal(tenant, Revision(after), PAGE).await?;
        let (read, last) = (page.len(), page.last().map(|entry| entry.revision.0));
        entries.extend(page);
        match last {
            Some(last) if read == PAGE => after = last,
            _ => break,
        }
    }
    Ok(hold::empties(edits, reading, snapshot, &entries).err())
}

/// Whether the store keeps what it acknowledges. One that does not say may.
pub(crate) async fn keeps(store: &dyn Store) -> Result<(), Hold> {
    match store.keeps().await {
        Ok(Keeps::Evicts(by)) => Err(Hold::Lost(evicts(&by))),
        _ => Ok(()),
    }
}

/// What is wrong with a store that drops data by this policy, and what to do.
pub(crate) fn evicts(by: &str) -> String {
    format!(
        "the store drops data when its memory is full ({by}); `redis-cli config set maxmemory-policy noeviction`, also in redis.conf"
    )
}
