//! One connection to a manager interface: the login, then actions out, responses and events in.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::convert::Infallible;
use std::time::Duration;

use bytes::BytesMut;
use md5::{Digest, Md5};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadHalf, WriteHalf, split};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep_until, timeout, timeout_at};
use tokio_util::codec::Decoder as _;
use zeroize::Zeroizing;

use super::ami::{Action, AmiError, Decoder, Frame, Message};
use super::doubt::Doubt;
use super::manager::{Answer, Post, Request, Settings, State, Up, WINDOW};
use crate::switch::SwitchError;

/// How long Asterisk may still be starting after it let us in.
const BOOT: Duration = Duration::from_secs(30);
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
const READ: usize = 16 * 1024;
/// Bytes that wait to be written before more actions are taken.
const WRITE: usize = 64 * 1024;
/// The events worth reading. What people dial, PINs among it, need not come here at all.
const EVENTS: &str = "Event: (ExtensionStatus|FullyBooted|Reload|Shutdown)";

/// How a session ended.
pub(super) enum Ended {
    /// The connection is no more.
    Lost(String),
    /// Asterisk did not let us in.
    Refused(String),
}

impl From<AmiError> for Ended {
    fn from(error: AmiError) -> Self {
        match error {
            AmiError::NotAmi => Self::Refused(format!("{error}; check the address and port")),
            AmiError::Io(_) | AmiError::TooLong => Self::Lost(error.to_string()),
        }
    }
}

impl From<std::io::Error> for Ended {
    fn from(error: std::io::Error) -> Self {
        AmiError::from(error).into()
    }
}

/// Logs in on `stream`, tells that the switch is up, and serves until the connection ends.
pub(super) async fn attend<S: AsyncRead + AsyncWrite>(stream: S, settings: &Settings, post: &Post) -> Ended {
    let (reader, writer) = split(stream);
    let wire = Wire { reader, decoder: Decoder::default(), input: BytesMut::new(), writer, last_id: 0 };
    let Err(ended) = serve(wire, settings, post).await;
    ended
}

async fn serve<S: AsyncRead + AsyncWrite>(
    mut wire: Wire<S>,
    settings: &Settings,
    post: &Post,
) -> Result<Infallible, Ended> {
    let interface = wire.log_in(settings).await?;
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
    post.state.send_replace(State::Up(Up { asterisk, interface, actions }));
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

/// The connection itself, with one action at a time: all that the login needs.
struct Wire<S> {
    reader: ReadHalf<S>,
    decoder: Decoder,
    input: BytesMut,
    writer: WriteHalf<S>,
    last_id: u64,
}

impl<S: AsyncRead + AsyncWrite> Wire<S> {
    /// Returns the interface's version.
    async fn log_in(&mut self, settings: &Settings) -> Result<String, Ended> {
        let deadline = settings.deadline;
        let Frame::Banner(interface) = self.read_in(deadline, "greet").await? else {
            return Err(AmiError::NotAmi.into());
        };
        let challenge = self.ask(Action::new("Challenge").with("AuthType", "MD5"), deadline).await?;
        let challenge = challenge.header("Challenge").ok_or_else(|| refused(settings, &challenge))?;
        let login = Action::new("Login")
            .with("AuthType", "MD5")
            .with("Username", settings.user.as_str())
            .with("Key", login_key(challenge, &settings.secret))
            .with("Events", "on");
        let answer = self.ask(login, deadline).await?;
        if !answer.is_success() {
            return Err(refused(settings, &answer));
        }
        let booted = async {
            loop {
                if let Frame::Message(message) = self.read().await?
                    && message.event() == Some("FullyBooted")
                {
                    return Ok::<_, Ended>(());
                }
            }
        };
        timeout(BOOT, booted).await.map_err(|_| {
            Ended::Refused(format!(
                "Asterisk did not say within {BOOT:?} that it is fully booted: either it is not yet, or user {} lacks \
                 'read = system,call,user' in manager.conf",
                settings.user
            ))
        })??;
        Ok(interface)
    }

    /// Sends an action and waits for its response; events meanwhile are none of the login's business.
    async fn ask(&mut self, action: Action, deadline: Duration) -> Result<Message, Ended> {
        let mut output = BytesMut::new();
        let id = self.encode(&action, &mut output)?;
        timeout(deadline, self.writer.write_all(&output))
            .await
            .map_err(|_| late("read an action", deadline))??;
        let until = Instant::now() + deadline;
        loop {
            let frame = timeout_at(until, self.read()).await;
            if let Frame::Message(message) =
                frame.map_err(|_| late(&format!("answer {}", action.name()), deadline))??
                && action_id(&message) == Some(id)
                && message.event().is_none()
            {
                return Ok(message);
            }
        }
    }

    fn encode(&mut self, action: &Action, output: &mut BytesMut) -> Result<u64, Ended> {
        self.last_id += 1;
        action.encode(self.last_id, output).map_err(|e| Ended::Refused(e.to_string()))?;
        Ok(self.last_id)
    }

    async fn read_in(&mut self, deadline: Duration, what: &str) -> Result<Frame, Ended> {
        timeout(deadline, self.read()).await.map_err(|_| late(what, deadline))?
    }

    async fn read(&mut self) -> Result<Frame, Ended> {
        loop {
            if let Some(frame) = self.decoder.decode(&mut self.input)? {
                return Ok(frame);
            }
            receive(&mut self.reader, &mut self.input).await?;
        }
    }
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
            if self.unanswered.len() >= UNANSWERED {
                self.unanswered.retain(|_, unanswered| !unanswered.answer.is_closed());
            }
            let room = self.unanswered.len() < UNANSWERED && self.output.len() < WRITE;
            let silent = heard + PING + if pinged { self.settings.deadline } else { Duration::ZERO };
            tokio::select! {
                received = receive(&mut self.wire.reader, &mut self.wire.input) => {
                    received?;
                    (heard, pinged) = (Instant::now(), false);
                    while let Some(frame) = self.wire.decoder.decode(&mut self.wire.input)? {
                        let Frame::Message(message) = frame else { continue };
                        if message.event() == Some("Shutdown") {
                            return Err(self.watch_the_end().await);
                        }
                        if self.hear(message) {
                            tell.get_or_insert(heard + SETTLE);
                        }
                    }
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

/// Reads what there is; nothing is lost when it is cancelled.
async fn receive<S: AsyncRead>(reader: &mut ReadHalf<S>, input: &mut BytesMut) -> Result<(), Ended> {
    input.reserve(READ);
    if reader.read_buf(input).await? == 0 {
        return Err(Ended::Lost("Asterisk closed the connection".into()));
    }
    Ok(())
}

fn action_id(message: &Message) -> Option<u64> {
    message.header("ActionID")?.parse().ok()
}

fn late(what: &str, deadline: Duration) -> Ended {
    Ended::Lost(format!("Asterisk did not {what} within {deadline:?}"))
}

fn refused(settings: &Settings, answer: &Message) -> Ended {
    Ended::Refused(format!(
        "Asterisk refused the login of user {}: {}. Check user and secret against manager.conf, and that its 'permit' \
         lines let this machine in; 'manager reload' makes Asterisk read it again",
        settings.user,
        answer.header("Message").unwrap_or("no reason given")
    ))
}

/// What proves at a login that the secret is known, without sending it.
fn login_key(challenge: &str, secret: &Zeroizing<String>) -> String {
    let digest = Md5::new().chain_update(challenge).chain_update(secret.as_bytes()).finalize();
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_is_the_one_that_an_asterisk_accepted() {
        let secret = Zeroizing::new("s3cret".to_owned());
        assert_eq!(login_key("164212458", &secret), "bf97e64b380dc761da491083ee0f1e51");
    }
}
