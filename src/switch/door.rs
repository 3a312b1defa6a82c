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
/// How long giving them back to the dialplan may take then.
const LAST: Duration = Duration::from_secs(1);

/// How often it is logged that somebody was turned away.
const SELDOM: Duration = Duration::from_secs(1);

/// How taking calls ends.
#[derive(Clone, Debug, Default)]
pub struct Closing {
    /// No more calls are taken; those under way may go on to their end, [`DRAIN`] long.
    pub begun: CancellationToken,
    /// Those under way are given up: the dialplan says that it is not available.
    pub cut: CancellationToken,
}

impl From<CancellationToken> for Closing {
    fn from(begun: CancellationToken) -> Self {
        Self { begun, cut: CancellationToken::new() }
    }
}

impl Closing {
    /// Waits for the end of `calls`, and at last has them `given_up`, which each of them heeds. How many were.
    pub async fn last(&self, calls: &TaskTracker, given_up: &CancellationToken) -> usize {
        calls.close();
        tokio::select! {
            () = calls.wait() => return 0,
            () = self.cut.cancelled() => {}
            () = tokio::time::sleep(DRAIN) => {}
        }
        let left = calls.len();
        given_up.cancel();
        let _ = tokio::time::timeout(LAST, calls.wait()).await;
        left
    }
}

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
    /// Has calls served until `closing`. One that is given up has its connection closed.
    pub async fn open<F>(self, listener: TcpListener, closing: Closing, serve: impl Fn(TcpStream) -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let Self { switch, allow, calls: most } = self;
        let (calls, permits) = (TaskTracker::new(), Arc::new(Semaphore::new(most)));
        let given_up = CancellationToken::new();
        let (mut strangers, mut too_many) = (Seldom::default(), Seldom::default());
        while let Some(accepted) = closing.begun.run_until_cancelled(listener.accept()).await {
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
            let (call, given_up) = (serve(stream), given_up.clone());
            calls.spawn(async move {
                given_up.run_until_cancelled(call).await;
                drop(permit);
            });
        }
        drop(listener);
        if !calls.is_empty() {
            info!(event = "door.draining", %switch, calls = calls.len(), "letting calls end");
        }
        let left = closing.last(&calls, &given_up).await;
        if left > 0 {
            warn!(event = "door.cut", %switch, calls = left, "calls under way were given back to the dialplan");
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
