//! Where a switch connects to us for each dialled code: whom it lets in, how many at once, and how it closes.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{info, warn};

use crate::desk::id::SwitchName;

/// Calls that are served at once; one more is turned away, and its caller hears "not available" from the dialplan.
pub const CALLS: usize = 1024;
/// How long calls may go on after a stop was asked for.
pub const DRAIN: Duration = Duration::from_secs(20);

/// How often it is logged that somebody was turned away.
const SELDOM: Duration = Duration::from_secs(1);

/// A door for one switch.
pub struct Door {
    /// The switch that connects.
    pub switch: SwitchName,
    /// Where it may connect from; a reload replaces it.
    pub allow: watch::Receiver<Arc<Vec<IpNet>>>,
    /// How many calls are served at once: [`CALLS`].
    pub calls: usize,
}

impl Door {
    /// Has calls served until `stop`, then lets those that are under way end, [`DRAIN`] long at most.
    pub async fn open<F>(self, listener: TcpListener, stop: CancellationToken, serve: impl Fn(TcpStream) -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let Self { switch, allow, calls: most } = self;
        let (calls, permits) = (TaskTracker::new(), Arc::new(Semaphore::new(most)));
        let (mut strangers, mut too_many) = (Seldom::default(), Seldom::default());
        while let Some(accepted) = stop.run_until_cancelled(listener.accept()).await {
            let (stream, peer) = match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    warn!(event = "door.accept_failed", %switch, %error, "will accept again in 100 ms");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    continue;
                }
            };
            if !allow.borrow().iter().any(|net| net.contains(&peer.ip().to_canonical())) {
                if let Some(unsaid) = strangers.say() {
                    warn!(event = "door.not_allowed", %switch, %peer, unsaid,
                        "turned away: add the address to those that are allowed if it is the switch");
                }
                continue;
            }
            let Ok(permit) = permits.clone().try_acquire_owned() else {
                if let Some(unsaid) = too_many.say() {
                    warn!(event = "door.full", %switch, calls = most, unsaid, "turned a call away");
                }
                continue;
            };
            // Commands are small and each waits for its reply: none may wait to be sent along with the next.
            let _ = stream.set_nodelay(true);
            let call = serve(stream);
            calls.spawn(async move {
                call.await;
                drop(permit);
            });
        }
        drop(listener);
        calls.close();
        if !calls.is_empty() {
            info!(event = "door.draining", %switch, calls = calls.len(), "letting calls end");
        }
        if tokio::time::timeout(DRAIN, calls.wait()).await.is_err() {
            warn!(event = "door.cut", %switch, calls = calls.len(), "calls did not end in time");
        }
    }
}
/// What is logged once in [`SELDOM`], however often it happens: who floods us with connections must not fill the disk.
#[derive(Debug, Default)]
struct Seldom {
    said: Option<Instant>,
    unsaid: u64,
}

impl Seldom {
    /// If it is to be logged now: how often it happened unlogged before.
    fn say(&mut self) -> Option<u64> {
        if self.said.is_some_and(|said| said.elapsed() < SELDOM) {
            self.unsaid += 1;
            return None;
        }
        self.said = Some(Instant::now());
        Some(std::mem::take(&mut self.unsaid))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_flood_is_logged_once_a_second_and_counted() {
        let mut flood = Seldom::default();
        assert_eq!(flood.say(), Some(0), "the first at once");
        assert!((0..1000).all(|_| flood.say().is_none()));
        tokio::time::advance(SELDOM).await;
        assert_eq!(flood.say(), Some(1000));
        tokio::time::advance(SELDOM).await;
        assert_eq!(flood.say(), Some(0));
    }
}
