//! Trims the journal: counts old entries by day, and drops them.

use std::num::NonZeroU16;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::commands;
use crate::model::command::Change;
use crate::model::id::{Revision, TenantId};
use crate::model::journal::daily_counts::Counts;
use crate::model::journal::{Actor, Entry};
use crate::store::{Store, StoreError, Trim, Trimmed};

/// How many entries are dropped in one step. A login waits for one step at most.
const STEP: usize = 500;
/// The pause between two steps, in which others can use the store.
const REST: Duration = Duration::from_millis(50);
const EVERY: Duration = Duration::from_secs(60 * 60);

/// Drops the entries of these tenants that are older than `days`, if there is a limit: now, each hour, and when `days`
/// changes; until `stop`. Several controllers may do this: each entry is counted once. The fewest days apply.
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
                for tenant in &tenants {
                    let by = (Actor::Controller, Timestamp::now());
                    if let Err(error) = commands::change(&*store, tenant, by, Change::Prune).await {
                        warn!(event = "failures.not_pruned", %tenant, %error, "old failures stay for another hour");
                    }
                }
                // The sender ends when `days` cannot change any more.
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

/// Counts and drops a tenant's entries that are older than `before`, a few at a time, but never the newest. Stops
/// when another controller does the same. Returns how many were dropped. On an error, those dropped are counted.
pub async fn trim(store: &dyn Store, tenant: &TenantId, before: Timestamp) -> Result<usize, StoreError> {
    let mut dropped = 0;
    loop {
        // One more entry, which is kept.
        let page = store.journal(tenant, Revision(0), STEP + 1).await?;
        let old = page.split_last().map_or(&[][..], |(_, before)| before);
        let old: Vec<&Entry> = old.iter().take_while(|entry| entry.at < before).collect();
        let (Some(first), Some(last)) = (old.first(), old.last()) else { return Ok(dropped) };
        let mut counts = Counts::default();
        old.iter().for_each(|entry| counts.count(entry));
        let (from, upto) = (first.revision, last.revision);
        if !store.trim(&Trim { tenant: tenant.clone(), from, upto, counts }).await? {
            return Ok(dropped);
        }
        dropped += old.len();
        if old.len() < STEP {
            return Ok(dropped);
        }
        tokio::time::sleep(REST).await;
    }
}

/// The counts of the whole journal, with the dropped entries.
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
        // Otherwise some entries were dropped in the meantime, and may be counted here or not.
        if store.trimmed(tenant).await?.upto == upto {
            return Ok(counts);
        }
    }
}
