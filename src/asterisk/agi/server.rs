//! The FastAGI server: Asterisk connects here for each dialled code.

use std::net::SocketAddr;
use std::sync::Arc;

use ipnet::IpNet;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tracing::{debug, warn};

use super::caller::{AgiPhone, NoCall};
use crate::controller::Controller;
use crate::model::id::{SwitchName, TenantId};
use crate::switch::listener::{Closing, Listener, Seldom};

pub use crate::switch::listener::CALLS;

/// A FastAGI server for one switch.
pub struct Server {
    /// The switch that connects.
    pub switch: SwitchName,
    /// The tenants on that switch; the script of a call names its tenant.
    pub tenants: Vec<TenantId>,
    /// Where it may connect from; a reload replaces it.
    pub allow: watch::Receiver<Arc<Vec<IpNet>>>,
    /// The controller that answers the calls.
    pub controller: Arc<Controller>,
    /// How many calls are served at once: [`CALLS`].
    pub calls: usize,
}

impl Server {
    /// Serves calls until `closing`.
    pub async fn run(self, listener: TcpListener, closing: Closing) {
        let server = Arc::new(self);
        let Self { switch, allow, calls, .. } = &*server;
        let limits = Listener { of: format!("switch {switch}"), allow: Some(allow.clone()), most: *calls };
        let strangers = Arc::new(Seldom::default());
        limits
            .open(listener, closing, |stream, peer| server.clone().call(stream, peer, strangers.clone()))
            .await;
    }

    async fn call(self: Arc<Self>, stream: TcpStream, peer: SocketAddr, strangers: Arc<Seldom>) {
        let Self { switch, tenants, controller, .. } = &*self;
        match AgiPhone::take(stream, switch.clone(), tenants, &controller.pins).await {
            Ok((phone, call)) => controller.converse(call, phone).await,
            Err(NoCall::Ended) => {
                debug!(event = "agi.ended", %switch, "a connection ended before it was a call")
            }
            Err(error @ NoCall::Unfit(_)) => {
                warn!(event = "agi.no_call", %switch, %error, "a connection was not a call")
            }
            // Not known to be the switch: it must not fill the disk.
            Err(error) => {
                if let Some(unsaid) = strangers.due() {
                    warn!(event = "agi.not_the_switch", %switch, %peer, unsaid, %error, "a connection was refused")
                }
            }
        }
    }
}
