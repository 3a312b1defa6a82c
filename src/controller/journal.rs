//! Keeps the journal from growing for ever: what is older than it is kept is counted by day, and dropped.

use std::num::NonZeroU16;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::desk::count::Counts;
use crate::desk::id::{Revision, TenantId};
use crate::store::{Store, StoreError, Trim, Trimmed};

/// Entries that are dropped in one step. Whoever logs in waits for that at most.
const STEP: usize = 500;
/// How long others have the store to themselves between two steps.
const REST: Duration = Duration::from_millis(50);
/// How often it is looked for old entries.
const EVERY: Duration = Duration::from_secs(60 * 60);

/// Drops what is older than so many days, if it is not kept for ever, of each of these tenants: now, each hour, and when
/// `days` changes; until `stop`. Several controllers may do so; what they count is counted once, and the fewest days win.
pub fn keep(
    store: Arc<dyn Store>,
    tenants: Vec<TenantId>,
    mut days: watch::Receiver<Option<NonZeroU16>>,
    stop: CancellationToken,
) -> JoinHandle<()> {
    tokio::spawn(async move {
        let keeping = async {
            loop {
                let kept = *days.borrow_and_update();
                for tenant in tenants.iter().filter(|_| kept.is_some()) {
                    let kept = SignedDuration::from_hours(24 * kept.map_or(0, |days| i64::from(days.get())));
                    let before = Timestamp::now().checked_sub(kept).unwrap_or(Timestamp::MIN);
                    match trim(&*store, tenant, before).await {
                        Ok(0) => {}
                        Ok(entries) => {
                            info!(event = "journal.trimmed", %tenant, entries, "old entries were counted and dropped");
                        }
                        Err(error) => {
                            warn!(event = "journal.not_trimmed", %tenant, %error, "old entries stay for another hour");
                        }
                    }
                }
                // Nobody is left to change it where that ends.
                let changed = async {
                    if days.changed().await.is_err() {
                        std::future::pending().await
                    }
                };
                let _ = tokio::time::timeout(EVERY, changed).await;
            }
        };
        stop.run_until_cancelled(keeping).await;
    })
}

/// Counts and drops a tenant's entries that are older than `before`, a few at a time, but never the newest. Ends where
/// another controller is at it. How many were dropped.
///
/// # Errors
/// What the store could not do; what was dropped until then is counted.
pub async fn trim(store: &dyn Store, tenant: &TenantId, before: Timestamp) -> Result<usize, StoreError> {
    let mut dropped = 0;
    loop {
        // One more, which stays.
        let page = store.journal(tenant, Revision(0), STEP + 1).await?;
        let old = page.split_last().map_or(&[][..], |(_, before)| before);
        let old = old.iter().take_while(|entry| entry.at < before);
        let (mut counts, mut ends, mut entries) = (Counts::default(), None, 0);
        for entry in old {
            counts.count(entry);
            ends = Some((ends.map_or(entry.revision, |(from, _)| from), entry.revision));
            entries += 1;
        }
        let Some((from, upto)) = ends else { return Ok(dropped) };
        if !store.trim(&Trim { tenant: tenant.clone(), from, upto, counts }).await? {
            return Ok(dropped);
        }
        dropped += entries;
        if entries < STEP {
            return Ok(dropped);
        }
        tokio::time::sleep(REST).await;
    }
}

/// What the whole journal comes to, with what was dropped of it.
///
/// # Errors
/// What the store could not be asked.
pub async fn counts(store: &dyn Store, tenant: &TenantId) -> Result<Counts, StoreError> {
    loop {
        let Trimmed { upto, mut counts } = store.trimmed(tenant).await?;
        let mut after = upto;
        loop {
            let page = store.journal(tenant, after, STEP).await?;
            page.iter().for_each(|entry| counts.count(entry));
            match page.last() {
                Some(last) if page.len() == STEP => after = last.revision,
                _ => break,
            }
        }
        // Else some were dropped meanwhile, and counted here or not.
        if store.trimmed(tenant).await?.upto == upto {
            return Ok(counts);
        }
    }
}
