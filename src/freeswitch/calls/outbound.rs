//! Calls that FreeSWITCH brings: for each dialled code its dialplan connects to Hotdesk (`socket HOST:PORT async full`).
//!
//! Each call has its own connection, with the protocol of the event socket. When it is closed before the call is over, the
//! dialplan goes on: to the next controller, which finds the time-out gone if another one had the call already, and at last
//! to "not available".
//!
//! This is for sites that want several controllers in a fixed order. It needs a port that FreeSWITCH can reach. `socket` has
//! no connect time-out, so a controller whose host drops packets keeps callers waiting for two minutes (1.10.12).

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tokio_util::task::AbortOnDropHandle;
use tracing::{debug, warn};

use super::caller::Line;
use super::parked::CHECK;
use super::taker::Taker;
use crate::freeswitch::esl::client::Client;
use crate::switch::connection::protocol::Peer;
use crate::switch::connection::state::Ended;
use crate::switch::listener::{Closing, Listener, Seldom};

pub use crate::switch::listener::CALLS;

/// A server for the calls of one switch.
pub struct Server {
    /// What takes the calls.
    pub taker: Taker,
    /// Where the switch may connect from; a reload replaces it.
    pub allow: watch::Receiver<Arc<Vec<IpNet>>>,
    /// How long a command may take, and saying which call it is.
    pub deadline: Duration,
    /// How many calls are served at once: [`CALLS`].
    pub calls: usize,
}

impl Server {
    /// Serves calls until `closing`.
    pub async fn run(self, listener: TcpListener, closing: Closing) {
        let server = Arc::new(self);
        let Self { taker, allow, calls, .. } = &*server;
        let of = format!("switch {}", taker.switch);
        let accepting = Listener { of, allow: Some(allow.clone()), most: *calls };
        let strangers = Arc::new(Seldom::default());
        let serve = |stream, peer| {
            let (server, strangers) = (server.clone(), strangers.clone());
            async move { server.call(stream, peer, &strangers).await }
        };
        accepting.open(listener, closing, serve).await;
    }

    /// Serves the call of one connection from `peer`, and closes that.
    async fn call<S: AsyncRead + AsyncWrite + Send + 'static>(
        &self,
        stream: S,
        peer: SocketAddr,
        strangers: &Seldom,
    ) {
        let switch = &self.taker.switch;
        if let Err(error) = self.serve(stream).await
            && let Some(unsaid) = strangers.due()
        {
            // Not known to be the switch: it must not fill the disk.
            warn!(event = "esl.not_the_switch", %switch, %peer, unsaid, %error, "a connection was refused");
        }
    }

    /// Serves the call of one connection, and closes that.
    ///
    /// # Errors
    /// Why the other end is not known to be the switch.
    pub async fn serve<S: AsyncRead + AsyncWrite + Send + 'static>(&self, stream: S) -> Result<(), String> {
        let Self { taker, deadline, .. } = self;
        let (switch, pins) = (&taker.switch, &taker.controller.pins);
        let peer = Peer { name: switch.clone(), address: "the dialplan".into(), deadline: *deadline };
        let (client, waiting, serve) = match Client::of_call(stream, peer).await {
            Ok(call) => call,
            Err(Ended::Lost(why)) => {
                debug!(event = "esl.ended", %switch, why, "the connection ended before it was a call");
                return Ok(());
            }
            Err(Ended::Refused(error)) => return Err(error),
        };
        // Closed at the end of this function, whatever became of the call.
        let _connection = AbortOnDropHandle::new(tokio::spawn(serve));
        if let Some(nonce) = waiting.get(CHECK) {
            // `hotdesk check` plays FreeSWITCH, and need not reply.
            let _ = client.api(&pins.proof(&nonce)).await;
            return Ok(());
        }
        let Some((_, tenant)) = taker.waits(&waiting) else {
            return Err("it is of another tenant, or not in a code".into());
        };
        // The call has a connection of its own: no other call waits for it.
        let line = Line { client: &client, waiting: &client, turns: &Semaphore::new(1), pins: Some(pins) };
        taker.serve(line, Arc::new(waiting), tenant).await.map_err(|error| error.to_string())
    }
}

/// What `hotdesk check` sends in FreeSWITCH's place, to find out by the answer whether Hotdesk listens.
pub fn question(nonce: &str) -> String {
    format!(
        "Event-Name: CHANNEL_DATA\n{CHECK}: {nonce}\nContent-Type: command/reply\nReply-Text: %2BOK%0A\n\
         Socket-Mode: async\nControl: full\n\n{0}{0}",
        "Content-Type: command/reply\nReply-Text: +OK\n\n"
    )
}
