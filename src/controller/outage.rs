//! Logs when the store goes down and when it is up again, once each, whether or not a user calls.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep};
use tracing::{error, info};

use crate::model::id::{Revision, TenantId};
use crate::store::{Store, StoreError};
use crate::switch::connection::outage::seconds;

/// How often the store is read.
const EVERY: Duration = Duration::from_secs(1);
/// How often it is written to: one that is full or read-only answers reads. While it is down, each time.
const WRITE: Duration = Duration::from_secs(15);

/// Watches the store for ever, with probes of this tenant's data.
pub async fn watch(store: Arc<dyn Store>, tenant: TenantId) {
    let (mut up, mut down) = (false, None::<Instant>);
    let mut written = None::<Instant>;
    loop {
        let reads = up && written.is_some_and(|at| at.elapsed() < WRITE);
        let asked = match reads {
            true => store.changed(&tenant, Revision(u64::MAX), Duration::ZERO).await.map(drop),
            false => store.probe(&tenant).await,
        };
        match asked {
            Err(error @ (StoreError::Away(..) | StoreError::Broken(..))) => {
                if down.is_none() {
                    error!(event = "store.down", %error, "callers hear that the service is not available");
                    down = Some(Instant::now());
                }
                up = false;
            }
            _ => {
                if !up {
                    let down_s = down.take().map(|since| seconds(since.elapsed()));
                    info!(event = "store.up", down_s, "the store can be read and written");
                }
                up = true;
                written = written.filter(|_| reads).or_else(|| Some(Instant::now()));
            }
        }
        sleep(EVERY).await;
    }
}
