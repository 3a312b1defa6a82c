//! The FastAGI server: Asterisk connects here for each dialled code.

use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{debug, info, warn};

use super::phone::{AgiPhone, NoCall};
use crate::controller::Controller;
use crate::desk::id::{SwitchName, TenantId};

/// Calls that are served at once; one more is turned away, and its caller hears "not available" from the dialplan.
pub const CALLS: usize = 1024;
/// How long calls may go on after a stop was asked for.
pub const DRAIN: Duration = Duration::from_secs(20);

/// A FastAGI server for one switch.
pub struct Server {
    /// The switch that connects.
    pub switch: SwitchName,
    /// Whose people and phones it has.
    pub tenant: TenantId,
    /// Where it may connect from; a reload replaces it.
    pub allow: watch::Receiver<Arc<Vec<IpNet>>>,
    /// Who answers the calls.
    pub controller: Arc<Controller>,
    /// How many calls are served at once: [`CALLS`].
    pub calls: usize,
}

impl Server {
    /// Serves calls until `stop`, then lets those that are under way end, [`DRAIN`] long at most.
    pub async fn run(self, listener: TcpListener, stop: CancellationToken) {
        let server = Arc::new(self);
        let (calls, permits) = (TaskTracker::new(), Arc::new(Semaphore::new(server.calls)));
        while let Some(accepted) = stop.run_until_cancelled(listener.accept()).await {
            let (stream, peer) = match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    warn!(event = "agi.accept_failed", switch = %server.switch, %error, "will accept again in 100 ms");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    continue;
                }
            };
            if !server.allow.borrow().iter().any(|net| net.contains(&peer.ip().to_canonical())) {
                warn!(event = "agi.not_allowed", switch = %server.switch, %peer,
                    "turned away: add the address to agi_allow if it is the switch");
                continue;
            }
            let Ok(permit) = permits.clone().try_acquire_owned() else {
                warn!(event = "agi.full", switch = %server.switch, calls = server.calls, "turned a call away");
                continue;
            };
            let server = server.clone();
            calls.spawn(async move {
                server.call(stream).await;
                drop(permit);
            });
        }
        drop(listener);
        calls.close();
        if !calls.is_empty() {
            info!(event = "agi.draining", switch = %server.switch, calls = calls.len(), "letting calls end");
        }
        if tokio::time::timeout(DRAIN, calls.wait()).await.is_err() {
            warn!(event = "agi.cut", switch = %server.switch, calls = calls.len(), "calls did not end in time");
        }
    }

    async fn call(&self, stream: TcpStream) {
        // Commands are small and each waits for its reply: none may wait to be sent along with the next.
        let _ = stream.set_nodelay(true);
        match AgiPhone::take(stream, self.switch.clone(), self.tenant.clone()).await {
            Ok((phone, call)) => self.controller.converse(call, phone).await,
            // So does `hotdesk check` look whether somebody is here.
            Err(NoCall::Ended) => {
                debug!(event = "agi.ended", switch = %self.switch, "nobody was on the line")
            }
            Err(error) => {
                warn!(event = "agi.no_call", switch = %self.switch, %error, "a connection was not a call")
            }
        }
    }
}
