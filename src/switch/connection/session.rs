//! One connection that is logged in: commands out, answers and events in.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::sync::{broadcast, mpsc, oneshot, watch};
use tokio::time::{Instant, sleep_until, timeout};
use tracing::warn;

use super::events::Heard;
use super::protocol::{Peer, Protocol, Received, Unanswered, WINDOW};
use super::state::{CONNECTING, Ended, State};
use super::wire::{Wire, receive};
use crate::switch::SwitchError;

/// The silence after which the peer is pinged.
const PING: Duration = Duration::from_secs(10);
/// How long the connection is kept after the switch announced its shutdown; 1.6 s to 2 s is usual.
const LAST_WORDS: Duration = Duration::from_secs(10);
/// How many bytes may wait to be written before no more commands are accepted.
const WRITE: usize = 64 * 1024;

/// A command on its way to the session.
pub(super) struct Request<P: Protocol> {
    pub(super) command: P::Command,
    /// Dropped when its caller stops waiting; then the answer is dropped too.
    pub(super) answer: oneshot::Sender<Answered<P>>,
}

/// The completion of a command, or why there is none.
pub(super) type Answered<P> = Result<<P as Protocol>::Answer, SwitchError>;

/// The channel for commands; none while there is no session.
pub(super) type Commands<P> = Option<mpsc::Sender<Request<P>>>;

/// What the session publishes to the handles.
pub(super) struct Post<P: Protocol> {
    pub(super) state: watch::Sender<State<P::Up>>,
    pub(super) commands: watch::Sender<Commands<P>>,
    pub(super) connections: watch::Sender<u64>,
    pub(super) events: broadcast::Sender<Heard<P::Event>>,
}

impl<P: Protocol> Post<P> {
    /// For a connection that is being made; this many events wait for a subscriber.
    pub(super) fn new(events: usize) -> Self {
        Self {
            state: watch::Sender::new(State::Down(CONNECTING.into())),
            commands: watch::Sender::new(None),
            connections: watch::Sender::new(0),
            events: broadcast::Sender::new(events),
        }
    }

    /// The peer is up. Returns the channel of commands.
    pub(super) fn up(&self, up: P::Up) -> mpsc::Receiver<Request<P>> {
        let (commands, requests) = mpsc::channel(WINDOW);
        self.commands.send_replace(Some(commands));
        self.state.send_replace(State::Up(up));
        self.connections.send_modify(|times| *times += 1);
        self.publish(Heard::Missed);
        requests
    }

    /// There is no session.
    pub(super) fn down(&self, state: State<P::Up>) {
        self.commands.send_replace(None);
        self.state.send_replace(state);
    }

    fn publish(&self, heard: Heard<P::Event>) {
        // Without a subscriber nothing needs to be sent.
        let _ = self.events.send(heard);
    }
}

/// A connection that is logged in.
pub(super) struct Session<'a, P: Protocol, S> {
    wire: Wire<S, P::Decoder>,
    protocol: P,
    peer: &'a Peer,
    post: &'a Post<P>,
    requests: mpsc::Receiver<Request<P>>,
    unanswered: Unanswered<P::Answer>,
    output: BytesMut,
}

impl<'a, P: Protocol, S: AsyncRead + AsyncWrite> Session<'a, P, S> {
    pub(super) fn new(
        wire: Wire<S, P::Decoder>,
        protocol: P,
        (peer, post): (&'a Peer, &'a Post<P>),
        requests: mpsc::Receiver<Request<P>>,
    ) -> Self {
        let (unanswered, output) = (Unanswered::new(), BytesMut::new());
        Self { wire, protocol, peer, post, requests, unanswered, output }
    }

    /// Serves until the connection ends.
    pub(super) async fn run(mut self) -> Result<Infallible, Ended> {
        let mut heard = Instant::now();
        let mut pinged = false;
        let mut batch = Vec::new();
        loop {
            // Includes what came with the last part of the login.
            while let Some(frame) = self.wire.decoded().map_err(Into::into)? {
                match self.protocol.receive(frame, &mut self.unanswered)? {
                    Received::Nothing => {}
                    Received::Event(event) => {
                        if self.post.events.receiver_count() > 0 {
                            self.post.publish(Heard::Event(Arc::new(event)));
                        }
                    }
                    Received::Missed(why) => {
                        warn!(event = "switch.unreadable", switch = %self.peer.name, why, "an event is skipped");
                        self.post.publish(Heard::Missed);
                    }
                    Received::ShutsDown => return Err(self.watch_the_end().await),
                }
            }
            if !self.protocol.has_room(self.unanswered.len()) {
                self.unanswered.prune();
                self.protocol.forget(&self.unanswered);
            }
            let room = self.protocol.has_room(self.unanswered.len()) && self.output.len() < WRITE;
            let silent = heard + PING + if pinged { self.peer.deadline } else { Duration::ZERO };
            tokio::select! {
                received = receive(&mut self.wire.reader, &mut self.wire.input, self.wire.peer) => {
                    received?;
                    (heard, pinged) = (Instant::now(), false);
                }
                written = self.wire.writer.write_buf(&mut self.output), if !self.output.is_empty() => {
                    written?;
                }
                _ = self.requests.recv_many(&mut batch, WINDOW), if room => {
                    batch.drain(..).for_each(|request| self.send(request));
                }
                () = sleep_until(silent) => {
                    if pinged {
                        return Err(Ended::late(P::PEER, "answer a ping", PING + self.peer.deadline));
                    }
                    pinged = true;
                    self.protocol.ping(&mut self.output)?;
                }
            }
        }
    }

    /// Writes a command, unless its caller stopped waiting.
    fn send(&mut self, Request { command, answer }: Request<P>) {
        if answer.is_closed() {
            return;
        }
        let ticket = self.unanswered.add(P::name(&command), answer);
        if let Err(error) = self.protocol.send(command, ticket, &mut self.output) {
            self.unanswered.answer(ticket, Err(error));
        }
    }

    async fn watch_the_end(mut self) -> Ended {
        let why = format!("{} is shutting down", P::PEER);
        self.post.down(State::Down(why.clone()));
        self.unanswered = Unanswered::new();
        self.requests.close();
        while self.requests.try_recv().is_ok() {}
        let gone = async { while self.wire.read().await.is_ok() {} };
        let _ = timeout(LAST_WORDS, gone).await;
        Ended::Lost(why)
    }
}
