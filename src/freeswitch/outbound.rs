//! Calls that FreeSWITCH brings: for each dialled code its dialplan connects to us (`socket HOST:PORT async full`).
//!
//! The connection is the call's own, and speaks like the event socket that we connect to. When it is closed before the
//! call is over, the dialplan goes on: to the next controller, which finds the time-out gone if somebody had the call
//! already, and at last to "not available".

use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tokio_util::task::AbortOnDropHandle;
use tracing::{debug, warn};

use super::calls::waits_for;
use super::client::{Client, Peer};
use super::phone::{FsPhone, NoCall};
use crate::controller::Controller;
use crate::desk::id::{SwitchName, TenantId};
use crate::switch::door::{Closing, Door};
use crate::switch::reconnect::Ended;

pub use crate::switch::door::CALLS;

/// A server for the calls of one switch.
pub struct Server {
    /// The switch that connects.
    pub switch: SwitchName,
    /// Whose people and phones it has.
    pub tenants: Vec<TenantId>,
    /// Where it may connect from; a reload replaces it.
    pub allow: watch::Receiver<Arc<Vec<IpNet>>>,
    /// Who answers the calls.
    pub controller: Arc<Controller>,
    /// What this controller is called in the calls that it has, as `hd_controller`.
    pub name: String,
    /// How long a command may take, and saying which call it is.
    pub deadline: Duration,
    /// How many calls are served at once: [`CALLS`].
    pub calls: usize,
}

impl Server {
    /// Serves calls until `closing`.
    pub async fn run(self, listener: TcpListener, closing: Closing) {
        let server = Arc::new(self);
        let Self { switch, allow, calls, .. } = &*server;
        let door = Door { switch: switch.clone(), allow: allow.clone(), calls: *calls };
        door.open(listener, closing, |stream| {
            let server = server.clone();
            async move { server.call(stream).await }
        })
        .await;
    }

    /// Serves the call of one connection, and closes that.
    pub async fn call<S: AsyncRead + AsyncWrite + Send + 'static>(&self, stream: S) {
        let Self { switch, tenants, controller, name, deadline, .. } = self;
        let (name_of, address) = (switch.clone(), "the dialplan".into());
        let peer = Peer { name: name_of, address, deadline: *deadline };
        let (client, waiting, serve) = match Client::of_call(stream, peer).await {
            Ok(call) => call,
            // So does `hotdesk check` look whether somebody is here.
            Err(Ended::Lost(why)) => {
                return debug!(event = "esl.ended", %switch, why, "nobody was on the line");
            }
            Err(Ended::Refused(error)) => {
                return warn!(event = "esl.no_call", %switch, error, "a connection was not a call");
            }
        };
        // Closed at the end of this function, whatever became of the call.
        let _connection = AbortOnDropHandle::new(tokio::spawn(serve));
        let Some((_, tenant)) = waits_for(&waiting, tenants) else {
            return warn!(event = "esl.no_call", %switch,
                error = "it is of another tenant, or not in a code", "a connection was not a call");
        };
        // It has a connection of its own: nobody waits for it.
        let turns = Semaphore::new(1);
        match FsPhone::take(client.clone(), &client, &waiting, switch.clone(), tenant, name, &turns).await {
            Ok((phone, call)) => {
                drop(waiting);
                controller.converse(call, phone).await;
            }
            Err(NoCall::Ended) => debug!(event = "esl.ended", %switch, "nobody was on the line"),
            Err(error) => warn!(event = "esl.no_call", %switch, %error, "a call was not taken"),
        }
    }
}
