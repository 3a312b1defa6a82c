//! What a protocol defines: how to log in, what to send, and which frame answers which command.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::time::Duration;

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::oneshot;
use tokio_util::codec::Decoder;

use super::state::Ended;
use super::wire::Wire;
use crate::model::id::SwitchName;
use crate::switch::SwitchError;

/// How many commands one caller sends before the first must be answered.
pub(crate) const WINDOW: usize = 256;

/// A protocol with its state of one connection.
pub(crate) trait Protocol: Sized + Send + 'static {
    /// The peer's name in errors: `Asterisk`.
    const PEER: &'static str;
    /// The address of the peer, and the user to log in as.
    type Settings: Send + Sync + 'static;
    /// Decodes bytes into frames.
    type Decoder: Decoder<Item = Self::Frame, Error: Into<Ended>> + Default + Send;
    /// One message of the peer.
    type Frame: Send;
    /// One request to the peer.
    type Command: Send + 'static;
    /// The completion of a command.
    type Answer: Send + 'static;
    /// A message of the peer without a request.
    type Event: Clone + Send + Sync + 'static;
    /// What is known about a peer that is up.
    type Up: Clone + Debug + Send + Sync + 'static;

    /// The peer of these settings.
    fn peer(settings: &Self::Settings) -> Peer;

    /// Logs in and requests events, which may come from then on.
    fn log_in<S: AsyncRead + AsyncWrite + Send>(
        wire: &mut Wire<S, Self::Decoder>,
        settings: &Self::Settings,
    ) -> impl Future<Output = Result<(Self, Self::Up), Ended>> + Send;

    /// A command's name in errors.
    fn name(command: &Self::Command) -> &'static str;

    /// Whether more commands may be sent with this many unanswered.
    fn has_room(&self, unanswered: usize) -> bool;

    /// Appends a command's bytes to `out`. Its answer goes to `ticket`.
    fn send(&mut self, command: Self::Command, ticket: u64, out: &mut BytesMut) -> Result<(), SwitchError>;

    /// Appends a question to which the peer answers at once.
    fn ping(&mut self, out: &mut BytesMut) -> Result<(), Ended>;

    /// Processes a frame: passes answers to their tickets, and returns its other meaning.
    fn receive(
        &mut self,
        frame: Self::Frame,
        unanswered: &mut Unanswered<Self::Answer>,
    ) -> Result<Received<Self::Event>, Ended>;

    /// Forgets the tickets that are no longer among the unanswered.
    fn forget(&mut self, unanswered: &Unanswered<Self::Answer>);
}

/// The peer of a connection, and how long an answer may take.
pub(crate) struct Peer {
    pub(crate) name: SwitchName,
    pub(crate) address: String,
    pub(crate) deadline: Duration,
}

/// The meaning of a frame besides the answers in it.
pub(crate) enum Received<E> {
    Nothing,
    Event(E),
    /// An event could not be read, for this reason.
    Missed(&'static str),
    /// The peer is shutting down. It answers nothing from now on, but would accept a login until it has ended.
    ShutsDown,
}

/// The commands without an answer, by ticket. A command outlives its caller, so a late answer finds a ticket and is dropped.
pub(crate) struct Unanswered<A> {
    last: u64,
    waiting: BTreeMap<u64, Waiting<A>>,
}

struct Waiting<A> {
    name: &'static str,
    answer: oneshot::Sender<Result<A, SwitchError>>,
}

impl<A> Unanswered<A> {
    pub(super) fn new() -> Self {
        Self { last: 0, waiting: BTreeMap::new() }
    }

    /// A new ticket for a command. Tickets are never reused.
    pub(super) fn add(&mut self, name: &'static str, answer: oneshot::Sender<Result<A, SwitchError>>) -> u64 {
        self.last += 1;
        self.waiting.insert(self.last, Waiting { name, answer });
        self.last
    }

    /// Completes a command. Has no effect if its caller stopped waiting.
    pub(crate) fn answer(&mut self, ticket: u64, answer: Result<A, SwitchError>) {
        if let Some(waiting) = self.waiting.remove(&ticket) {
            drop(waiting.answer.send(answer));
        }
    }

    /// Completes a command with a refusal, for this reason.
    pub(crate) fn refuse(&mut self, ticket: u64, why: String) {
        if let Some(name) = self.waiting.get(&ticket).map(|waiting| waiting.name) {
            self.answer(ticket, Err(SwitchError::Refused(name.into(), why)));
        }
    }

    pub(crate) fn has(&self, ticket: u64) -> bool {
        self.waiting.contains_key(&ticket)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Forgets the commands whose callers stopped waiting.
    pub(super) fn prune(&mut self) {
        self.waiting.retain(|_, waiting| !waiting.answer.is_closed());
    }
}
