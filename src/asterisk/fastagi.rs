//! The FastAGI server: Asterisk connects here for each dialled code.

use std::sync::Arc;

use ipnet::IpNet;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tracing::{debug, warn};

use super::phone::{AgiPhone, NoCall};
use crate::controller::Controller;
use crate::desk::id::{SwitchName, TenantId};
use crate::switch::door::{Closing, Door};

pub use crate::switch::door::CALLS;

/// A FastAGI server for one switch.
pub struct Server {
    /// The switch that connects.
    pub switch: SwitchName,
    /// Whose people and phones it has; a call says by its script whose it is.
    pub tenants: Vec<TenantId>,
    /// Where it may connect from; a reload replaces it.
    pub allow: watch::Receiver<Arc<Vec<IpNet>>>,
    /// Who answers the calls.
    pub controller: Arc<Controller>,
    /// How many calls are served at once: [`CALLS`].
    pub calls: usize,
}

impl Server {
    /// Serves calls until `closing`.
    pub async fn run(self, listener: TcpListener, closing: Closing) {
        let server = Arc::new(self);
        let Self { switch, allow, calls, .. } = &*server;
        let door = Door { switch: switch.clone(), allow: allow.clone(), calls: *calls };
        door.open(listener, closing, |stream| server.clone().call(stream)).await;
    }

    async fn call(self: Arc<Self>, stream: TcpStream) {
        match AgiPhone::take(stream, self.switch.clone(), &self.tenants).await {
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
