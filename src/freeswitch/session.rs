//! A connection to an event socket that is logged in: commands out, answers and events in.

use std::collections::{HashMap, VecDeque};
use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::{BufMut, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::codec::Decoder as _;

use super::command::Command;
use super::esl::{Frame, Reply, Response};
use super::event::Event;
use super::login::{CORE, Core, Settings, Wire, goodbye, late, receive, value};
use crate::desk::id::SwitchName;
use crate::switch::SwitchError;
use crate::switch::reconnect::{self, Ended};

/// Commands that are sent before the first of them must be answered.
pub(super) const WINDOW: usize = 256;
/// Silence after which it is asked whether it is still there, and still the same.
const PING: Duration = Duration::from_secs(10);
/// How long the connection of a FreeSWITCH that said it shuts down is watched; 2 s is usual.
const LAST_WORDS: Duration = Duration::from_secs(10);
/// How long after the first event that was dropped it is told: the rest of the flood is then over, or told once more.
const SETTLE: Duration = Duration::from_millis(200);
/// Commands without an answer; also bounds what is kept of those that nobody waits for any more.
const UNANSWERED: usize = 4 * WINDOW;
/// Jobs and applications that run.
const RUNNING: usize = 8 * WINDOW;
/// Events that wait for whoever takes them; a call's has about 8 KB.
const EVENTS: usize = 1024;
/// Bytes that wait to be written before more commands are taken.
const WRITE: usize = 64 * 1024;

/// How it stands with a FreeSWITCH.
pub type State = reconnect::State<Up>;

/// What is known of a FreeSWITCH that is up.
#[derive(Clone, Debug)]
pub struct Up {
    /// Its version, as `version` tells it: `1.10.12-release-64bit`. Not asked for on a connection that it made for a call.
    pub freeswitch: String,
    /// Its `Core-UUID`: another one after each start of it.
    pub core: String,
    /// Where the session takes commands.
    pub(super) commands: mpsc::Sender<Request>,
}

/// A command on its way to the session.
pub(super) struct Request {
    pub(super) command: Command,
    pub(super) wants: Wants,
    /// Dropped, when nobody waits any more; the answer is then dropped, too.
    pub(super) answer: oneshot::Sender<Result<Answer, SwitchError>>,
}

/// What a command's answer is.
pub(super) enum Wants {
    /// What is said to it at once.
    Reply,
    /// The `BACKGROUND_JOB` with this id.
    Job(String),
    /// The `CHANNEL_EXECUTE_COMPLETE` with this id, or the end of the call.
    Execution { id: String, call: String },
}

pub(super) enum Answer {
    Reply(Reply),
    Response(Response),
    Complete(Event),
    /// The call is over.
    Gone,
}

/// Whom a connection is with, and how patient it is.
pub(super) struct Peer {
    pub(super) name: SwitchName,
    pub(super) address: String,
    pub(super) deadline: Duration,
}

/// What the session tells the handles.
pub(super) struct Post {
    pub(super) state: watch::Sender<State>,
    pub(super) unsettled: watch::Sender<u64>,
    pub(super) events: mpsc::Sender<Event>,
    pub(super) overflown: Arc<AtomicU64>,
}

impl Post {
    /// With nothing to tell yet, and where its events come.
    pub(super) fn new() -> (Self, mpsc::Receiver<Event>) {
        let (events, taken) = mpsc::channel(EVENTS);
        let state = watch::Sender::new(State::Down("connecting".into()));
        (Self { state, unsettled: watch::Sender::new(0), events, overflown: Arc::default() }, taken)
    }

    /// Tells that it is up; where commands come from then on.
    pub(super) fn up(&self, freeswitch: String, core: String) -> mpsc::Receiver<Request> {
        let (commands, requests) = mpsc::channel(WINDOW);
        self.state.send_replace(State::Up(Up { freeswitch, core, commands }));
        requests
    }
}

/// Logs in on `stream`, tells that the switch is up, and serves until the connection ends. `core` is the `Core-UUID` that
/// was seen last.
pub(super) async fn attend<S: AsyncRead + AsyncWrite>(
    stream: S,
    settings: &Settings,
    post: &Post,
    core: &mut String,
) -> Ended {
    let Err(ended) = serve(Wire::new(stream), settings, post, core).await;
    ended
}

async fn serve<S: AsyncRead + AsyncWrite>(
    mut wire: Wire<S>,
    settings: &Settings,
    post: &Post,
    seen: &mut String,
) -> Result<Infallible, Ended> {
    let Core { version, id } = wire.log_in(settings).await?;
    let restarted = !seen.is_empty() && *seen != id;
    seen.clone_from(&id);
    tracing::info!(event = "switch.up", switch = %settings.name, address = %settings.address,
        freeswitch = %version, core = %id, restarted, "connected");
    let peer =
        Peer { name: settings.name.clone(), address: settings.address.clone(), deadline: settings.deadline };
    let requests = post.up(version, id.clone());
    post.unsettled.send_modify(|times| *times += 1);
    Session::new(wire, &peer, post, id, requests).run().await
}

/// Serves a connection that FreeSWITCH made for a call until it ends, of which it was told already that it is up.
pub(super) async fn accompany<S: AsyncRead + AsyncWrite>(
    wire: Wire<S>,
    peer: &Peer,
    post: &Post,
    core: String,
    requests: mpsc::Receiver<Request>,
) -> Ended {
    let Err(ended) = Session::new(wire, peer, post, core, requests).run().await;
    ended
}

type Waiter = oneshot::Sender<Result<Answer, SwitchError>>;

/// A connection that is logged in.
struct Session<'a, S> {
    wire: Wire<S>,
    peer: &'a Peer,
    post: &'a Post,
    requests: mpsc::Receiver<Request>,
    core: String,
    /// In the order they were sent, which is that of the answers. One that nobody waits for any more stays, and its late
    /// answer falls into nothing.
    unanswered: VecDeque<(&'static str, Unanswered)>,
    /// Jobs and applications by their id, with the call of an application.
    running: HashMap<String, (Option<String>, Waiter)>,
    output: BytesMut,
    /// Something was missed since it was last told.
    lost: bool,
}

enum Unanswered {
    /// Whether it is there, and still the same.
    Ping,
    /// It is the answer.
    Final(Waiter),
    /// It only says that this job or application was begun.
    Begun(String),
}

impl<'a, S: AsyncRead + AsyncWrite> Session<'a, S> {
    fn new(
        wire: Wire<S>,
        peer: &'a Peer,
        post: &'a Post,
        core: String,
        requests: mpsc::Receiver<Request>,
    ) -> Self {
        let (unanswered, running, output) = (VecDeque::new(), HashMap::new(), BytesMut::new());
        Self { wire, peer, post, requests, core, unanswered, running, output, lost: false }
    }

    async fn run(mut self) -> Result<Infallible, Ended> {
        let mut heard = Instant::now();
        let mut pinged = false;
        let mut tell: Option<Instant> = None;
        let mut batch = Vec::new();
        loop {
            // Also what came along with the last of the login.
            while let Some(frame) = self.wire.decoder.decode(&mut self.wire.input)? {
                match frame {
                    Frame::Event(event) if event.name().as_deref() == Some("SHUTDOWN") => {
                        return Err(self.watch_the_end().await);
                    }
                    frame => self.hear(frame)?,
                }
            }
            if std::mem::take(&mut self.lost) {
                tell.get_or_insert(Instant::now() + SETTLE);
            }
            if self.running.len() >= RUNNING {
                self.running.retain(|_, (_, waiter)| !waiter.is_closed());
            }
            let room = self.unanswered.len() < UNANSWERED
                && self.running.len() + WINDOW <= RUNNING
                && self.output.len() < WRITE;
            let silent = heard + PING + if pinged { self.peer.deadline } else { Duration::ZERO };
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
                        return Err(late("answer a ping", PING + self.peer.deadline));
                    }
                    pinged = true;
                    let ping = Command::api(CORE)?;
                    self.output.put_slice(ping.as_bytes());
                    self.unanswered.push_back((ping.name(), Unanswered::Ping));
                }
                () = sleep_until(tell.unwrap_or(silent)), if tell.is_some() => {
                    tell = None;
                    tracing::warn!(event = "switch.events_lost", switch = %self.peer.name,
                        events = self.post.overflown.load(Ordering::Relaxed), "events were missed; looking again");
                    self.post.unsettled.send_modify(|times| *times += 1);
                }
            }
        }
    }

    /// Puts a command on the wire, unless nobody waits for it any more.
    fn send(&mut self, Request { command, wants, answer }: Request) {
        if answer.is_closed() {
            return;
        }
        self.output.put_slice(command.as_bytes());
        let unanswered = match wants {
            Wants::Reply => Unanswered::Final(answer),
            Wants::Job(id) => self.begin(id, None, answer),
            Wants::Execution { id, call } => self.begin(id, Some(call), answer),
        };
        self.unanswered.push_back((command.name(), unanswered));
    }

    fn begin(&mut self, id: String, call: Option<String>, waiter: Waiter) -> Unanswered {
        self.running.insert(id.clone(), (call, waiter));
        Unanswered::Begun(id)
    }

    fn hear(&mut self, frame: Frame) -> Result<(), Ended> {
        match frame {
            Frame::Reply(reply) => match self.answered()? {
                (_, Unanswered::Final(waiter)) => drop(waiter.send(Ok(Answer::Reply(reply)))),
                (name, Unanswered::Begun(id)) if !reply.is_ok() => {
                    let Some((call, waiter)) = self.running.remove(&id) else { return Ok(()) };
                    // A message to a call that is over is refused; so is nothing else that is well formed.
                    let gone = call.is_some() && reply.text().starts_with("-ERR invalid session id");
                    let refused = || SwitchError::Refused(name.into(), reply.text().into_owned());
                    drop(waiter.send(if gone { Ok(Answer::Gone) } else { Err(refused()) }));
                }
                (_, Unanswered::Begun(_) | Unanswered::Ping) => {}
            },
            Frame::Response(response) => match self.answered()? {
                (_, Unanswered::Final(waiter)) => drop(waiter.send(Ok(Answer::Response(response)))),
                (_, Unanswered::Ping) if value(&response) != self.core => {
                    return Err(Ended::Lost("FreeSWITCH was restarted".into()));
                }
                (_, Unanswered::Begun(_) | Unanswered::Ping) => {}
            },
            Frame::Event(event) => self.happened(event),
            Frame::Unreadable(why) => {
                tracing::warn!(event = "switch.unreadable", switch = %self.peer.name, why, "an event is skipped");
                self.lost = true;
            }
            // The call of this connection is over; what is under way is still answered.
            Frame::Disconnect(notice) if notice.lingers() => {}
            Frame::Disconnect(notice) => return Err(goodbye(&notice)),
            Frame::AuthRequest | Frame::Connected(_) | Frame::Rejected | Frame::Other => {}
        }
        Ok(())
    }

    /// The command that this is the answer to.
    fn answered(&mut self) -> Result<(&'static str, Unanswered), Ended> {
        let unasked = || Ended::Lost("FreeSWITCH answered what it was not asked".into());
        self.unanswered.pop_front().ok_or_else(unasked)
    }

    /// Takes an event to who waits for it, and others to the queue, if somebody takes from it.
    fn happened(&mut self, event: Event) {
        match event.name().as_deref() {
            Some("BACKGROUND_JOB") => {
                let waiter = event.get("Job-UUID").and_then(|id| self.running.remove(&*id));
                if let Some((_, waiter)) = waiter {
                    drop(waiter.send(Ok(Answer::Response(Response::new(event.body().clone())))));
                }
                return;
            }
            Some("CHANNEL_EXECUTE_COMPLETE") => {
                let waiter = event.get("Application-UUID").and_then(|id| self.running.remove(&*id));
                if let Some((_, waiter)) = waiter {
                    return drop(waiter.send(Ok(Answer::Complete(event))));
                }
            }
            Some("CHANNEL_HANGUP" | "CHANNEL_HANGUP_COMPLETE" | "CHANNEL_DESTROY") => {
                let over = event.get("Unique-ID").unwrap_or_default();
                for (_, (_, waiter)) in
                    self.running.extract_if(|_, (call, _)| call.as_deref() == Some(&*over))
                {
                    drop(waiter.send(Ok(Answer::Gone)));
                }
            }
            _ => {}
        }
        if matches!(self.post.events.try_send(event), Err(TrySendError::Full(_))) {
            self.post.overflown.fetch_add(1, Ordering::Relaxed);
            self.lost = true;
        }
    }

    /// FreeSWITCH said that it shuts down: nothing will be answered, but until it is gone it would let us in again.
    async fn watch_the_end(mut self) -> Ended {
        let why = "FreeSWITCH is shutting down";
        tracing::warn!(event = "switch.down", switch = %self.peer.name, address = %self.peer.address, why, "the switch is away");
        self.post.state.send_replace(State::Down(why.into()));
        self.unanswered.clear();
        self.running.clear();
        self.requests.close();
        let gone = async { while self.wire.read().await.is_ok() {} };
        let _ = timeout(LAST_WORDS, gone).await;
        Ended::Lost(why.into())
    }
}
