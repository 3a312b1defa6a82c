//! A connection to a manager interface that is logged in: actions out, responses and events in.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::convert::Infallible;
use std::time::Duration;

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::sync::{broadcast, mpsc, oneshot, watch};
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::codec::Decoder as _;

use super::ami::{Action, Frame, Message};
use super::devices;
use super::doubt::Doubt;
use super::login::{Settings, Wire, action_id, late, receive};
use super::mail::{Sign, sign};
use super::queues::{self, Paused};
use crate::switch::SwitchError;
use crate::switch::activity::Stir;
use crate::switch::reconnect::{self, Ended};

/// Actions that are sent before the first of them must be answered.
pub(super) const WINDOW: usize = 256;
/// Silence after which it is asked whether it is still there.
const PING: Duration = Duration::from_secs(10);
/// How long the connection of an Asterisk that said it shuts down is watched; 1.6 s is usual.
const LAST_WORDS: Duration = Duration::from_secs(5);
/// How long after the first sign of doubt it is told: a reload makes one event for each hint.
const SETTLE: Duration = Duration::from_millis(200);
/// Actions without an answer; also bounds what is kept of those that nobody waits for any more.
const UNANSWERED: usize = 4 * WINDOW;
/// Events that a list may have.
const LIST: usize = 200_000;
/// Bytes that wait to be written before more actions are taken.
const WRITE: usize = 64 * 1024;
/// The events worth reading. What people dial, PINs among it, need not come here at all.
const EVENTS: &str = "Event: (ContactStatus|DeviceStateChange|ExtensionStatus|FullyBooted|MessageWaiting|QueueMemberPause|Reload|Shutdown)";

/// How it stands with an Asterisk, which is up when it has fully booted.
pub type State = reconnect::State<Up>;

/// What is known of an Asterisk that is up.
#[derive(Clone, Debug)]
pub struct Up {
    /// Its version, as `CoreSettings` tells it: `22.10.1~dfsg+~cs6.17.60671434-1`.
    pub asterisk: String,
    /// The version of the manager interface: `11.0.0`.
    pub interface: String,
    /// When it was started.
    pub(super) started: Option<Instant>,
    /// Where the session takes actions.
    pub(super) actions: mpsc::Sender<Request>,
}

/// An action on its way to the session.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) action: Action,
    /// Dropped, when nobody waits any more; the answer is then dropped, too.
    pub(super) answer: oneshot::Sender<Result<Answer, SwitchError>>,
}

/// The response to an action, and the events of its list.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) response: Message,
    pub(super) events: Vec<Message>,
}

/// What the session tells the handles.
pub(super) struct Post {
    pub(super) state: watch::Sender<State>,
    pub(super) unsettled: watch::Sender<u64>,
    pub(super) stirs: broadcast::Sender<Stir>,
    pub(super) mail: broadcast::Sender<Sign>,
    pub(super) pauses: broadcast::Sender<Paused>,
}

/// Logs in on `stream`, tells that the switch is up, and serves until the connection ends.
pub(super) async fn attend<S: AsyncRead + AsyncWrite>(stream: S, settings: &Settings, post: &Post) -> Ended {
    let Err(ended) = serve(Wire::new(stream), settings, post).await;
    ended
}

async fn serve<S: AsyncRead + AsyncWrite>(
    mut wire: Wire<S>,
    settings: &Settings,
    post: &Post,
) -> Result<Infallible, Ended> {
    let (interface, up) = wire.log_in(settings).await?;
    let started = Instant::now().checked_sub(up);
    let deadline = settings.deadline;
    let core = wire.ask(Action::new("CoreSettings"), deadline).await?;
    let asterisk = core.header("AsteriskVersion").unwrap_or("unknown").to_owned();
    let filter = Action::new("Filter").with("Operation", "Add").with("Filter", EVENTS);
    if !wire.ask(filter, deadline).await?.is_success() {
        tracing::debug!(event = "switch.unfiltered", switch = %settings.name, "all events are read");
    }
    // The list's events are taken in as they come, like those that nobody asked for: they say what the lamps show now.
    wire.ask(Action::new("ExtensionStateList"), deadline).await?;
    tracing::info!(event = "switch.up", switch = %settings.name, address = %settings.address,
        %asterisk, %interface, "connected");
    let (actions, requests) = mpsc::channel(WINDOW);
    post.state.send_replace(State::Up(Up { asterisk, interface, started, actions }));
    post.unsettled.send_modify(|times| *times += 1);
    Session {
        wire,
        settings,
        post,
        requests,
        unanswered: HashMap::new(),
        doubt: Doubt::default(),
        output: BytesMut::new(),
    }
    .run()
    .await
}

/// A connection that is logged in.
struct Session<'a, S> {
    wire: Wire<S>,
    settings: &'a Settings,
    post: &'a Post,
    requests: mpsc::Receiver<Request>,
    /// By `ActionID`. One that nobody waits for any more stays, and its late answer falls into nothing.
    unanswered: HashMap<u64, Unanswered>,
    doubt: Doubt,
    output: BytesMut,
}

struct Unanswered {
    name: &'static str,
    answer: oneshot::Sender<Result<Answer, SwitchError>>,
    /// The response that announced a list, and its events so far.
    list: Option<Answer>,
}

impl<S: AsyncRead + AsyncWrite> Session<'_, S> {
    async fn run(mut self) -> Result<Infallible, Ended> {
        let mut heard = Instant::now();
        let mut pinged = false;
        let mut tell: Option<Instant> = None;
        let mut batch = Vec::with_capacity(WINDOW);
        loop {
            // Also what came along with the last of the login.
            while let Some(frame) = self.wire.decoder.decode(&mut self.wire.input)? {
                let Frame::Message(message) = frame else { continue };
                if message.event() == Some("Shutdown") {
                    return Err(self.watch_the_end().await);
                }
                if self.hear(message) {
                    tell.get_or_insert(heard + SETTLE);
                }
            }
            if self.unanswered.len() >= UNANSWERED {
                self.unanswered.retain(|_, unanswered| !unanswered.answer.is_closed());
            }
            let room = self.unanswered.len() < UNANSWERED && self.output.len() < WRITE;
            let silent = heard + PING + if pinged { self.settings.deadline } else { Duration::ZERO };
            tokio::select! {
                received = receive(&mut self.wire.reader, &mut self.wire.input) => {
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
                        return Err(late("answer a ping", PING + self.settings.deadline));
                    }
                    pinged = true;
                    self.wire.encode(&Action::new("Ping"), &mut self.output)?;
                }
                () = sleep_until(tell.unwrap_or(silent)), if tell.is_some() => {
                    tell = None;
                    tracing::debug!(event = "switch.unsettled", switch = %self.settings.name, "the table may differ");
                    self.post.unsettled.send_modify(|times| *times += 1);
                }
            }
        }
    }

    /// Puts an action on the wire, unless nobody waits for it any more.
    fn send(&mut self, Request { action, answer }: Request) {
        if answer.is_closed() {
            return;
        }
        let name = action.name();
        self.wire.last_id += 1;
        match action.encode(self.wire.last_id, &mut self.output) {
            Ok(()) => {
                self.unanswered.insert(self.wire.last_id, Unanswered { name, answer, list: None });
            }
            Err(e) => drop(answer.send(Err(SwitchError::Refused(name.into(), e.to_string())))),
        }
    }

    /// Takes a response or an event to whom it is for. Whether it casts doubt on the table.
    fn hear(&mut self, message: Message) -> bool {
        let id = if self.unanswered.is_empty() { None } else { action_id(&message) };
        let Some(Entry::Occupied(mut entry)) = id.map(|id| self.unanswered.entry(id)) else {
            if let Some(stir) = devices::stir(&message) {
                // That nobody hears it is no harm.
                let _ = self.post.stirs.send(stir);
            }
            if let Some(sign) = sign(&message) {
                let _ = self.post.mail.send(sign);
            }
            if let Some(paused) = queues::paused(&message) {
                let _ = self.post.pauses.send(paused);
            }
            return self.doubt.cast_by(&message);
        };
        // An event of its own that was made by the action, as UserEvent makes one, is no part of the answer.
        if message.event().is_some() && entry.get().list.is_none() {
            return false;
        }
        let part = message.header("EventList");
        let starts = part.is_some_and(|part| part.eq_ignore_ascii_case("start"));
        match &mut entry.get_mut().list {
            list @ None if starts => *list = Some(Answer { response: message, events: Vec::new() }),
            Some(list) if part.is_none() && list.events.len() < LIST => list.events.push(message),
            _ => finish(entry.remove(), message),
        }
        false
    }

    /// Asterisk said that it shuts down: nothing will be answered, but until it is gone it would let us in again.
    async fn watch_the_end(mut self) -> Ended {
        let why = "Asterisk is shutting down";
        tracing::warn!(event = "switch.down", switch = %self.settings.name, address = %self.settings.address, why, "the switch is away");
        self.post.state.send_replace(State::Down(why.into()));
        self.unanswered.clear();
        self.requests.close();
        let gone = async { while self.wire.read().await.is_ok() {} };
        let _ = timeout(LAST_WORDS, gone).await;
        Ended::Lost(why.into())
    }
}

/// Gives the answer that `last` completes to who waits for it, if anybody does.
fn finish(Unanswered { name, answer, list }: Unanswered, last: Message) {
    let complete = match list {
        None => Ok(Answer { response: last, events: Vec::new() }),
        Some(list) if last.header("EventList").is_some_and(|p| p.eq_ignore_ascii_case("Complete")) => {
            Ok(list)
        }
        Some(list) => {
            let events = list.events.len();
            Err(SwitchError::Refused(name.into(), format!("its list was broken off after {events} entries")))
        }
    };
    drop(answer.send(complete));
}
