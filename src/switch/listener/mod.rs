//! Accepts connections: those of a switch, which makes one for each dialled code, and those of [`http`]. Every listener has a
//! number of connections that it serves at once, and no error of accepting ends it or makes it spin.

pub mod http;

use std::future::Future;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ipnet::IpNet;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{info, warn};

/// How many calls are served at once. One more is refused, and the dialplan plays "not available".
pub const CALLS: usize = 1024;
/// How long calls may continue after a stop.
pub const DRAIN: Duration = Duration::from_secs(20);
/// How long it may take to return the remaining calls to the dialplan.
const LAST: Duration = Duration::from_secs(1);

/// How often refused connections of one kind are logged.
const SELDOM: Duration = Duration::from_secs(60);
/// How long to wait for a free descriptor or free memory.
const PAUSE: Duration = Duration::from_millis(100);

/// The shutdown of a listener.
#[derive(Clone, Debug, Default)]
pub struct Closing {
    /// No more calls are accepted; the current ones may continue for [`DRAIN`].
    pub begun: CancellationToken,
    /// The current calls are given up: the dialplan plays "not available".
    pub cut: CancellationToken,
}

impl From<CancellationToken> for Closing {
    fn from(begun: CancellationToken) -> Self {
        Self { begun, cut: CancellationToken::new() }
    }
}

impl Closing {
    /// Waits for the end of `calls`, then cancels `given_up`, which each call obeys. Returns how many calls were given up.
    pub async fn last(&self, calls: &TaskTracker, given_up: &CancellationToken) -> usize {
        calls.close();
        tokio::select! {
            () = calls.wait() => return 0,
            () = self.cut.cancelled() => {}
            () = tokio::time::sleep(DRAIN) => {}
        }
        let remaining = calls.len();
        given_up.cancel();
        let _ = timeout(LAST, calls.wait()).await;
        remaining
    }
}

/// A listener.
pub struct Listener {
    /// What connects, for the log: `switch pbx`.
    pub of: String,
    /// The addresses that may connect; a reload replaces them. None: all.
    pub allow: Option<watch::Receiver<Arc<Vec<IpNet>>>>,
    /// How many connections are served at once; one more is closed.
    pub most: usize,
}

impl Listener {
    /// Serves connections, each with where it comes from, until `closing`. One that is given up is closed.
    pub async fn open<F>(
        self,
        listener: TcpListener,
        closing: Closing,
        serve: impl Fn(TcpStream, SocketAddr) -> F,
    ) where
        F: Future<Output = ()> + Send + 'static,
    {
        let Self { of: name, allow, most } = self;
        let (calls, permits) = (TaskTracker::new(), Arc::new(Semaphore::new(most)));
        let given_up = CancellationToken::new();
        let (strangers, too_many, failed) = (Seldom::default(), Seldom::default(), Seldom::default());
        while let Some(accepted) = closing.begun.run_until_cancelled(listener.accept()).await {
            let (stream, peer) = match accepted {
                Ok(accepted) => accepted,
                Err(error) if is_of_one_connection(&error) => continue,
                Err(error) => {
                    if let Some(unsaid) = failed.due() {
                        warn!(event = "listener.accept_failed", listener = name, %error, unsaid,
                            "no connection can be accepted; the next attempt is in 100 ms");
                    }
                    let _ = timeout(PAUSE, closing.begun.cancelled()).await;
                    continue;
                }
            };
            let is_in = |nets: &[IpNet]| nets.iter().any(|net| net.contains(&peer.ip().to_canonical()));
            if allow.as_ref().is_some_and(|allow| !is_in(&allow.borrow())) {
                if let Some(unsaid) = strangers.due() {
                    warn!(event = "listener.not_allowed", listener = name, %peer, unsaid,
                        "connection refused: if this is the switch, add its address to the allowed ones");
                }
                continue;
            }
            let Ok(permit) = permits.clone().try_acquire_owned() else {
                if let Some(unsaid) = too_many.due() {
                    warn!(
                        event = "listener.full",
                        listener = name,
                        most,
                        unsaid,
                        "too many connections: refused one"
                    );
                }
                continue;
            };
            // Commands are small and each waits for its reply, so none may wait for the next one to be sent.
            let _ = stream.set_nodelay(true);
            let (call, given_up) = (serve(stream, peer), given_up.clone());
            calls.spawn(async move {
                given_up.run_until_cancelled(call).await;
                drop(permit);
            });
        }
        drop(listener);
        if !calls.is_empty() {
            info!(
                event = "listener.draining",
                listener = name,
                calls = calls.len(),
                "waiting for calls to end"
            );
        }
        let remaining = closing.last(&calls, &given_up).await;
        if remaining > 0 {
            warn!(
                event = "listener.cut",
                listener = name,
                calls = remaining,
                "returned the remaining calls to the dialplan"
            );
        }
    }
}

/// Whether an error is of a connection that was lost before it was accepted, and not of the listener.
fn is_of_one_connection(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset | ErrorKind::Interrupted)
}

/// Logs once in a minute, because a flood of connections must not fill the disk.
#[derive(Debug, Default)]
pub(crate) struct Seldom(Mutex<(Option<Instant>, u64)>);

impl Seldom {
    /// Whether to log it now: the number of occurrences that were not logged before.
    pub(crate) fn due(&self) -> Option<u64> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (said, unsaid) = &mut *state;
        if said.is_some_and(|said| said.elapsed() < SELDOM) {
            *unsaid += 1;
            return None;
        }
        *said = Some(Instant::now());
        Some(std::mem::take(unsaid))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_flood_is_logged_once_a_minute_and_counted() {
        let flood = Seldom::default();
        assert_eq!(flood.due(), Some(0), "the first at once");
        assert!((0..1000).all(|_| flood.due().is_none()));
        tokio::time::advance(SELDOM).await;
        assert_eq!(flood.due(), Some(1000));
        tokio::time::advance(SELDOM).await;
        assert_eq!(flood.due(), Some(0));
    }
}
