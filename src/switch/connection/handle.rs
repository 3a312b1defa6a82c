//! The handle of a connection for features, and the task that keeps it connected.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::oneshot::error::RecvError;
use tokio::sync::{broadcast, oneshot, watch};
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;
use tracing::debug;

use super::backoff::Backoff;
use super::events::{EVENTS, Heard, Subscription};
use super::protocol::{Peer, Protocol, WINDOW};
use super::session::{Answered, Commands, Post, Request, Session};
use super::state::{Ended, STOPPED, State};
use super::wire::Wire;
use crate::model::id::SwitchName;
use crate::switch::SwitchError;

/// A connection that is made again when it is lost. Clones share it.
pub(crate) struct Connection<P: Protocol> {
    switch: SwitchName,
    deadline: Duration,
    state: watch::Receiver<State<P::Up>>,
    commands: watch::Receiver<Commands<P>>,
    connections: watch::Receiver<u64>,
    /// Weak, so that subscriptions end with the connection's task.
    events: broadcast::WeakSender<Heard<P::Event>>,
}

impl<P: Protocol> Clone for Connection<P> {
    fn clone(&self) -> Self {
        Self {
            switch: self.switch.clone(),
            deadline: self.deadline,
            state: self.state.clone(),
            commands: self.commands.clone(),
            connections: self.connections.clone(),
            events: self.events.clone(),
        }
    }
}

impl<P: Protocol> std::fmt::Debug for Connection<P> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Connection({})", self.switch)
    }
}

/// Connects over TCP. Commands are small, so none may wait for the next one to be sent.
pub(crate) async fn tcp(address: String) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

impl<P: Protocol> Connection<P> {
    /// The handle, and the task that keeps it connected with `connect` until `stop`. Nothing happens unless the task runs.
    pub(crate) fn new<S, F>(
        settings: P::Settings,
        stop: CancellationToken,
        connect: impl Fn() -> F + Send + 'static,
    ) -> (Self, impl Future<Output = ()> + Send + 'static)
    where
        S: AsyncRead + AsyncWrite + Send + 'static,
        F: Future<Output = io::Result<S>> + Send,
        P::Command: Send,
    {
        let (post, peer) = (Post::new(EVENTS), P::peer(&settings));
        let handle = Self::fed_by(&post, &peer);
        let task = async move {
            stop.run_until_cancelled(keep_connected(&settings, &peer, &post, connect)).await;
            post.down(State::Down(STOPPED.into()));
        };
        (handle, task)
    }

    /// The handle of a connection that is logged in, and the task that serves it until its end.
    pub(crate) fn of<S: AsyncRead + AsyncWrite + Send + 'static>(
        wire: Wire<S, P::Decoder>,
        (protocol, up): (P, P::Up),
        peer: Peer,
    ) -> (Self, impl Future<Output = ()> + Send + 'static) {
        let post = Post::new(1);
        let handle = Self::fed_by(&post, &peer);
        let requests = post.up(up);
        let task = async move {
            let Err(Ended::Lost(why) | Ended::Refused(why)) =
                Session::new(wire, protocol, (&peer, &post), requests).run().await;
            post.down(State::Down(why));
        };
        (handle, task)
    }

    fn fed_by(post: &Post<P>, peer: &Peer) -> Self {
        Self {
            switch: peer.name.clone(),
            deadline: peer.deadline,
            state: post.state.subscribe(),
            commands: post.commands.subscribe(),
            connections: post.connections.subscribe(),
            events: post.events.downgrade(),
        }
    }

    /// How long a command may take.
    pub(crate) fn deadline(&self) -> Duration {
        self.deadline
    }

    /// The state, now and later. Holding a borrow of it stops the connection.
    pub(crate) fn state(&self) -> watch::Receiver<State<P::Up>> {
        self.state.clone()
    }

    /// How often the switch was connected.
    pub(crate) fn connections(&self) -> watch::Receiver<u64> {
        self.connections.clone()
    }

    /// The raw events from now on.
    pub(crate) fn subscribe(&self) -> Subscription<P::Event> {
        let events = self.events.upgrade().unwrap_or_else(|| broadcast::Sender::new(1));
        let events = events.subscribe();
        // Looked at after that: what is up from here on says so itself.
        let late = self.state.borrow().up().is_ok();
        Subscription { switch: self.switch.clone(), events, late }
    }

    /// Sends a command and waits for its answer. `name` is the command's name in errors.
    ///
    /// [`SwitchError::Away`] at once without a connection; [`SwitchError::Late`] after `limit`: then it is unknown
    /// whether the command was carried out; otherwise the protocol's error for the answer.
    pub(crate) async fn ask(&self, name: &str, command: P::Command, limit: Duration) -> Answered<P> {
        let work = async { self.received(self.send(command).await?.await) };
        timeout(limit, work).await.unwrap_or_else(|_| Err(SwitchError::Late(name.into(), limit)))
    }

    /// Sends commands with names, [`WINDOW`] at a time, and returns the answers in order. A window has a command's deadline.
    ///
    /// # Errors
    /// As [`Connection::ask`]; then it is unknown how many were carried out.
    pub(crate) async fn ask_all(
        &self,
        commands: Vec<(&str, P::Command)>,
    ) -> Result<Vec<P::Answer>, SwitchError> {
        let mut answers = Vec::with_capacity(commands.len());
        let mut commands = commands.into_iter().peekable();
        while let Some(&(name, _)) = commands.peek() {
            let window = async {
                let mut sent = Vec::with_capacity(commands.len().min(WINDOW));
                for (_, command) in commands.by_ref().take(WINDOW) {
                    sent.push(self.send(command).await?);
                }
                for answer in sent {
                    answers.push(self.received(answer.await)?);
                }
                Ok(())
            };
            let late = |_| Err(SwitchError::Late(name.into(), self.deadline));
            timeout(self.deadline, window).await.unwrap_or_else(late)?;
        }
        Ok(answers)
    }

    /// Passes a command to the session. There is a session only while the switch is up.
    async fn send(&self, command: P::Command) -> Result<oneshot::Receiver<Answered<P>>, SwitchError> {
        let commands = self.commands.borrow().clone().ok_or_else(|| self.away())?;
        let (answer, answered) = oneshot::channel();
        commands.send(Request { command, answer }).await.map_err(|_| self.away())?;
        Ok(answered)
    }

    fn received(&self, answer: Result<Answered<P>, RecvError>) -> Answered<P> {
        answer.map_err(|_| self.away())?
    }

    fn away(&self) -> SwitchError {
        let lost = || SwitchError::Away("the connection was lost".into());
        self.state.borrow().up().err().unwrap_or_else(lost)
    }
}

async fn keep_connected<P, S, F>(
    settings: &P::Settings,
    peer: &Peer,
    post: &Post<P>,
    connect: impl Fn() -> F,
) -> Infallible
where
    P: Protocol,
    S: AsyncRead + AsyncWrite + Send + 'static,
    F: Future<Output = io::Result<S>> + Send,
{
    let mut backoff = Backoff::default();
    loop {
        let began = Instant::now();
        let connecting = connect();
        let connection = async {
            let mut wire = Wire::new(reach(peer, connecting).await?, P::PEER);
            let (protocol, up) = P::log_in(&mut wire, settings).await?;
            let requests = post.up(up);
            Session::new(wire, protocol, (peer, post), requests).run().await
        };
        let Err(ended) = connection.await;
        let pause = backoff.pause(&ended, began.elapsed());
        let state = match ended {
            Ended::Lost(why) => State::Down(why),
            Ended::Refused(why) => State::Refused(why),
        };
        if let Err(error) = state.up() {
            debug!(event = "switch.retry", switch = %peer.name, %error, pause_ms = %pause.as_millis(), "connecting again");
        }
        post.down(state);
        sleep(pause).await;
    }
}

/// Waits until `connecting` is done, within the deadline.
async fn reach<S>(
    Peer { address, deadline, .. }: &Peer,
    connecting: impl Future<Output = io::Result<S>>,
) -> Result<S, Ended> {
    match timeout(*deadline, connecting).await {
        Ok(connected) => {
            connected.map_err(|error| Ended::Lost(format!("{address} cannot be reached: {error}")))
        }
        Err(_) => Err(Ended::Lost(format!("{address} did not answer within {deadline:?}"))),
    }
}
