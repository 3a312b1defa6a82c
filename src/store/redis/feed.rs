//! The change feed: one blocking read for each tenant, on a separate connection.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use redis::RedisError;
use redis::aio::MultiplexedConnection;
use tokio::sync::watch;
use tokio_util::task::AbortOnDropHandle;

use super::link::Link;
use super::script::base;
use crate::model::id::{Revision, TenantId};

/// How long one read blocks. Each read also shows that an idle connection is alive.
const BLOCK: Duration = Duration::from_secs(1);
/// The pause before the next attempt to connect.
const AGAIN: Duration = Duration::from_millis(500);

/// The revision that a tenant has reached, and the task that follows it.
type Heard = (watch::Receiver<Option<Revision>>, AbortOnDropHandle<()>);

/// The last known revisions of the tenants with a waiting reader, each with the task that reads it.
#[derive(Default)]
pub(super) struct Feed {
    tenants: Mutex<HashMap<TenantId, Heard>>,
    /// The tenant whose task panicked.
    ended: watch::Sender<Option<TenantId>>,
}

impl Feed {
    /// The last known revision of the tenant: none at first, and kept while Redis is down.
    pub(super) fn of(&self, tenant: &TenantId, link: &Arc<Link>) -> watch::Receiver<Option<Revision>> {
        let mut tenants = self.tenants.lock().unwrap_or_else(PoisonError::into_inner);
        let start = || {
            let (news, heard) = watch::channel(None);
            let (link, tenant) = (Arc::clone(link), tenant.clone());
            let guard = Guard(tenant.clone(), self.ended.clone());
            let task = tokio::spawn(async move {
                let _guard = guard;
                listen(&link, &tenant, &news).await;
            });
            (heard, AbortOnDropHandle::new(task))
        };
        let (heard, _) = tenants.entry(tenant.clone()).or_insert_with(start);
        heard.clone()
    }

    /// Waits until a task panics, and returns its name.
    pub(super) async fn ended(&self) -> String {
        let mut ended = self.ended.subscribe();
        let tenant = ended.wait_for(Option::is_some).await.ok().and_then(|tenant| tenant.clone());
        format!("the change feed of tenant {}", tenant.unwrap_or_default())
    }
}

/// Names the tenant if its task panics.
struct Guard(TenantId, watch::Sender<Option<TenantId>>);

impl Drop for Guard {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.1.send_replace(Some(self.0.clone()));
        }
    }
}

/// Reads for ever, and reconnects after each outage.
async fn listen(link: &Link, tenant: &TenantId, news: &watch::Sender<Option<Revision>>) {
    loop {
        if let Ok(mut connection) = link.another(BLOCK * 2).await {
            // This ends with the connection. Other operations report that Redis is down.
            let _: Result<(), RedisError> = read(&mut connection, tenant, news).await;
        }
        tokio::time::sleep(AGAIN).await;
    }
}

/// Reads the revision again before each wait, so no change during an outage is missed.
async fn read(
    connection: &mut MultiplexedConnection,
    tenant: &TenantId,
    news: &watch::Sender<Option<Revision>>,
) -> Result<(), RedisError> {
    let base = base(tenant);
    loop {
        let now: Option<u64> =
            redis::cmd("GET").arg(format!("{base}:revision")).query_async(connection).await?;
        let now = Revision(now.unwrap_or(0));
        news.send_if_modified(|heard| heard.replace(now) != Some(now));
        let mut wait = redis::cmd("XREAD");
        wait.arg("COUNT").arg(1).arg("BLOCK").arg(u64::try_from(BLOCK.as_millis()).unwrap_or(1000));
        wait.arg("STREAMS").arg(format!("{base}:journal")).arg(format!("{now}-0"));
        let _: redis::Value = wait.query_async(connection).await?;
    }
}
