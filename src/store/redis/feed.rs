//! The change feed: one blocking read a tenant, on a connection of its own.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use redis::RedisError;
use redis::aio::MultiplexedConnection;
use tokio::sync::watch;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::link::Link;
use crate::desk::id::{Revision, TenantId};

/// How long one read blocks. It is also how often an idle connection proves that it lives.
const BLOCK: Duration = Duration::from_secs(1);
/// How long until the next attempt to connect.
const AGAIN: Duration = Duration::from_millis(500);

/// The revisions of the tenants that somebody has waited for.
pub(super) struct Feed {
    tenants: Mutex<HashMap<TenantId, watch::Receiver<Revision>>>,
    stop: CancellationToken,
    _stops: DropGuard,
}

impl Feed {
    pub(super) fn new() -> Self {
        let stop = CancellationToken::new();
        Self { tenants: Mutex::default(), stop: stop.clone(), _stops: stop.drop_guard() }
    }

    /// The tenant's revision as it was last heard of: zero at first, and kept while Redis is away.
    pub(super) fn of(&self, tenant: &TenantId, link: &Arc<Link>) -> watch::Receiver<Revision> {
        let mut tenants = self.tenants.lock().unwrap_or_else(PoisonError::into_inner);
        let start = || {
            let (news, heard) = watch::channel(Revision::default());
            let (link, stop, tenant) = (Arc::clone(link), self.stop.clone(), tenant.clone());
            tokio::spawn(async move {
                stop.run_until_cancelled(listen(&link, &tenant, &news)).await;
            });
            heard
        };
        tenants.entry(tenant.clone()).or_insert_with(start).clone()
    }
}

/// Listens for ever, through every outage.
async fn listen(link: &Link, tenant: &TenantId, news: &watch::Sender<Revision>) {
    loop {
        if let Ok(mut connection) = link.another(BLOCK * 2).await {
            // It ends when the connection does; that Redis is away is said to those who want something of it.
            let _: Result<(), RedisError> = read(&mut connection, tenant, news).await;
        }
        tokio::time::sleep(AGAIN).await;
    }
}

/// The revision is read anew before each wait, so nothing that happened while nobody listened is missed.
async fn read(
    connection: &mut MultiplexedConnection,
    tenant: &TenantId,
    news: &watch::Sender<Revision>,
) -> Result<(), RedisError> {
    let base = super::base(tenant);
    loop {
        let now: Option<u64> =
            redis::cmd("GET").arg(format!("{base}:revision")).query_async(connection).await?;
        let now = Revision(now.unwrap_or(0));
        news.send_if_modified(|heard| std::mem::replace(heard, now) != now);
        let mut wait = redis::cmd("XREAD");
        wait.arg("COUNT").arg(1).arg("BLOCK").arg(u64::try_from(BLOCK.as_millis()).unwrap_or(1000));
        wait.arg("STREAMS").arg(format!("{base}:journal")).arg(format!("{now}-0"));
        let _: redis::Value = wait.query_async(connection).await?;
    }
}
