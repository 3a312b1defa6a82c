//! The handle to one FreeSWITCH's event socket, and the task that keeps it connected.

use std::future::Future;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;

use super::command::{Command, InvalidCommand};
use super::esl::{Response, Said};
use super::event::Event;
use super::login::Wire;
use super::session::{Answer, Post, Request, WINDOW, Wants, accompany, attend};
use crate::switch::SwitchError;
use crate::switch::reconnect::{Backoff, Ended, reach, tcp};

pub use super::login::Settings;
pub(super) use super::session::Peer;
pub use super::session::{State, Up};

/// A FreeSWITCH's event socket. Clones share one connection, which is made again whenever it is lost.
///
/// FreeSWITCH does nothing else for a connection while it works off its `api` commands: whoever writes a lot should not
/// share a client with whoever waits for events.
#[derive(Clone, Debug)]
pub struct Client {
    deadline: Duration,
    state: watch::Receiver<State>,
    unsettled: watch::Receiver<u64>,
    overflown: Arc<AtomicU64>,
}

impl Client {
    /// Connects over TCP and stays connected until `stop`. Returns at once, with the events that are to come. They must
    /// be taken, or the receiver dropped: when too many wait, more are dropped and counted, and `unsettled` grows.
    #[must_use]
    pub fn start(settings: Settings, stop: CancellationToken) -> (Self, mpsc::Receiver<Event>) {
        let address = settings.address.clone();
        Self::over(settings, stop, move || tcp(address.clone()))
    }

    /// The same over whatever `connect` makes.
    #[must_use]
    pub fn over<S, F>(
        settings: Settings,
        stop: CancellationToken,
        connect: impl Fn() -> F + Send + 'static,
    ) -> (Self, mpsc::Receiver<Event>)
    where
        S: AsyncRead + AsyncWrite + Send + 'static,
        F: Future<Output = io::Result<S>> + Send,
    {
        let (post, events) = Post::new();
        let client = Self::fed_by(&post, settings.deadline);
        tokio::spawn(async move {
            stop.run_until_cancelled(keep_connected(&settings, &post, connect)).await;
            post.state.send_replace(State::Down("stopped".into()));
        });
        (client, events)
    }

    /// The handle to a connection that FreeSWITCH made for a call, what the call is, and what serves the connection until
    /// its end: it must run for the handle to work, and closes the connection when it is dropped.
    ///
    /// # Errors
    /// How it ended before the call was told.
    pub(super) async fn of_call<S: AsyncRead + AsyncWrite + Send + 'static>(
        stream: S,
        peer: Peer,
    ) -> Result<(Self, Event, impl Future<Output = ()> + Send + 'static), Ended> {
        let mut wire = Wire::new(stream);
        let call = wire.connect(peer.deadline).await?;
        // What happens to the call is told to whoever waits for it, and to nobody else.
        let (post, _) = Post::new();
        let client = Self::fed_by(&post, peer.deadline);
        let core = call.get("Core-UUID").unwrap_or_default().into_owned();
        let requests = post.up(String::new(), core.clone());
        let serve = async move {
            let (Ended::Lost(why) | Ended::Refused(why)) =
                accompany(wire, &peer, &post, core, requests).await;
            post.state.send_replace(State::Down(why));
        };
        Ok((client, call, serve))
    }

    fn fed_by(post: &Post, deadline: Duration) -> Self {
        Self {
            deadline,
            state: post.state.subscribe(),
            unsettled: post.unsettled.subscribe(),
            overflown: post.overflown.clone(),
        }
    }

    /// Runs an API command: `db select/hotdesk/101`. `None` is FreeSWITCH's `-ERR no reply`: a key that is missing.
    ///
    /// # Errors
    /// [`SwitchError::Refused`] with FreeSWITCH's reason; [`SwitchError::Away`] at once without a connection;
    /// [`SwitchError::Late`] after the deadline: whether it was done is then unknown.
    pub async fn api(&self, command: &str) -> Result<Option<String>, SwitchError> {
        let request = sendable(Command::api(command), command)?;
        let answer = self.in_time(command, self.deadline, self.ask(request, Wants::Reply)).await?;
        meaning(command, &response(command, answer)?)
    }

    /// Runs any number of API commands, many on the wire at a time, in their order. Returns their answers in the same
    /// order, refusals among them. The deadline is that of 256 commands.
    ///
    /// # Errors
    /// [`SwitchError::Away`] and [`SwitchError::Late`] as in [`Client::api`]; how many were done is then unknown.
    /// [`SwitchError::Refused`] when one of them cannot be sent; then none is.
    pub async fn api_all(&self, commands: &[String]) -> Result<Vec<Response>, SwitchError> {
        let requests: Vec<_> =
            commands.iter().map(|c| sendable(Command::api(c), c)).collect::<Result<_, _>>()?;
        let mut responses = Vec::with_capacity(commands.len());
        let mut requests = requests.into_iter().zip(commands).peekable();
        while let Some(&(_, first)) = requests.peek() {
            let window = async {
                let mut answers = Vec::with_capacity(WINDOW);
                for (request, command) in requests.by_ref().take(WINDOW) {
                    answers.push((self.send(request, Wants::Reply).await?, command));
                }
                for (answer, command) in answers {
                    responses.push(response(command, self.received(answer.await)?)?);
                }
                Ok(())
            };
            self.in_time(first, self.deadline, window).await?;
        }
        Ok(responses)
    }

    /// Runs an API command that may take long, such as `limit`, beside the connection.
    ///
    /// # Errors
    /// As [`Client::api`].
    pub async fn bgapi(&self, command: &str, limit: Duration) -> Result<Option<String>, SwitchError> {
        let id = fresh_id();
        let request = sendable(Command::bgapi(command, &id), command)?;
        let answer = self.in_time(command, limit, self.ask(request, Wants::Job(id))).await?;
        meaning(command, &response(command, answer)?)
    }

    /// Begins an API command that may take long, and does not wait for its end.
    ///
    /// # Errors
    /// As [`Client::api`], but for what comes of it.
    pub async fn launch(&self, command: &str) -> Result<(), SwitchError> {
        let request = sendable(Command::bgapi(command, &fresh_id()), command)?;
        match self.in_time(command, self.deadline, self.ask(request, Wants::Reply)).await? {
            Answer::Reply(reply) if !reply.is_ok() => {
                Err(SwitchError::Refused(name_of(command), reply.text().into_owned()))
            }
            _ => Ok(()),
        }
    }

    /// Runs a dialplan application in `call` and waits for its end, behind those that were begun before. Returns its
    /// `CHANNEL_EXECUTE_COMPLETE`, with the variables that it set; `None`, if the caller hung up before or meanwhile: what
    /// he had entered is then not to be used, however it looks. After `limit` the application goes on by itself.
    ///
    /// `CHANNEL_EXECUTE_COMPLETE` and `CHANNEL_HANGUP_COMPLETE` must be among the events of [`Settings`] and pass its filters.
    /// Variables in `argument` are substituted by FreeSWITCH.
    ///
    /// # Errors
    /// As [`Client::api`].
    pub async fn execute(
        &self,
        call: &str,
        application: &str,
        argument: &str,
        limit: Duration,
    ) -> Result<Option<Event>, SwitchError> {
        let id = fresh_id();
        let request = sendable(Command::execute(Some(call), application, argument, &id), application)?;
        let wants = Wants::Execution { id, call: call.to_owned() };
        Ok(match self.in_time(application, limit, self.ask(request, wants)).await? {
            Answer::Complete(event) if event.get("Answer-State").as_deref() != Some("hangup") => Some(event),
            _ => None,
        })
    }

    /// Begins a dialplan application in `call`, inside which those of [`Client::execute`] run from then on, until it ends
    /// or the call does. A call that is already over is no error.
    ///
    /// # Errors
    /// As [`Client::api`].
    pub async fn begin(&self, call: &str, application: &str, argument: &str) -> Result<(), SwitchError> {
        let request = sendable(Command::begin(Some(call), application, argument), application)?;
        self.in_time(application, self.deadline, self.ask(request, Wants::Reply)).await.map(drop)
    }

    /// Hangs `call` up. One that is already over is no error.
    ///
    /// # Errors
    /// As [`Client::api`].
    pub async fn hangup(&self, call: &str, cause: &str) -> Result<(), SwitchError> {
        let request = sendable(Command::hangup(Some(call), cause), "hangup")?;
        self.in_time("hangup", self.deadline, self.ask(request, Wants::Reply)).await.map(drop)
    }

    /// Makes an event, as in [`Command::event`].
    ///
    /// # Errors
    /// As [`Client::api`].
    pub(super) async fn tell(
        &self,
        event: &str,
        headers: &[(&'static str, &str)],
    ) -> Result<(), SwitchError> {
        let request = sendable(Command::event(event, headers), "sendevent")?;
        self.in_time("sendevent", self.deadline, self.ask(request, Wants::Reply)).await.map(drop)
    }

    /// How it stands with the switch, now and later. Whoever holds on to a borrow of it stops the connection.
    #[must_use]
    pub fn state(&self) -> watch::Receiver<State> {
        self.state.clone()
    }

    /// Grows when something may have happened that was not heard of: it was connected to, restarted, events were lost.
    #[must_use]
    pub fn unsettled(&self) -> watch::Receiver<u64> {
        self.unsettled.clone()
    }

    /// How many events were dropped because too many waited.
    #[must_use]
    pub fn overflown(&self) -> u64 {
        self.overflown.load(Ordering::Relaxed)
    }

    async fn ask(&self, command: Command, wants: Wants) -> Result<Answer, SwitchError> {
        self.received(self.send(command, wants).await?.await)
    }

    /// Hands a command to the session; there is one only while the switch is up.
    async fn send(
        &self,
        command: Command,
        wants: Wants,
    ) -> Result<oneshot::Receiver<Result<Answer, SwitchError>>, SwitchError> {
        let commands = self.state.borrow().up()?.commands.clone();
        let (answer, answered) = oneshot::channel();
        commands.send(Request { command, wants, answer }).await.map_err(|_| self.away())?;
        Ok(answered)
    }

    fn received(
        &self,
        answer: Result<Result<Answer, SwitchError>, oneshot::error::RecvError>,
    ) -> Result<Answer, SwitchError> {
        answer.map_err(|_| self.away())?
    }

    fn away(&self) -> SwitchError {
        let lost = || SwitchError::Away("the connection was lost".into());
        self.state.borrow().up().err().unwrap_or_else(lost)
    }

    async fn in_time<T>(
        &self,
        command: &str,
        limit: Duration,
        work: impl Future<Output = Result<T, SwitchError>>,
    ) -> Result<T, SwitchError> {
        let late = |_| Err(SwitchError::Late(name_of(command), limit));
        timeout_at(Instant::now() + limit, work).await.unwrap_or_else(late)
    }
}

/// A command's first word: the rest may be anything.
fn name_of(command: &str) -> String {
    command.split(' ').next().unwrap_or_default().to_owned()
}

fn sendable(command: Result<Command, InvalidCommand>, name: &str) -> Result<Command, SwitchError> {
    command.map_err(|e| SwitchError::Refused(name_of(name), e.to_string()))
}

fn response(command: &str, answer: Answer) -> Result<Response, SwitchError> {
    match answer {
        Answer::Response(response) => Ok(response),
        Answer::Reply(reply) => Err(SwitchError::Refused(name_of(command), reply.text().into_owned())),
        Answer::Complete(_) | Answer::Gone => Err(SwitchError::Refused(name_of(command), "no answer".into())),
    }
}

fn meaning(command: &str, response: &Response) -> Result<Option<String>, SwitchError> {
    match response.said() {
        Said::Value(value) => Ok(Some(value.to_owned())),
        Said::Nothing => Ok(None),
        Said::Error(why) => Err(SwitchError::Refused(name_of(command), why.to_owned())),
    }
}

/// A UUID that nobody else uses, not even we before our last restart.
pub(super) fn fresh_id() -> String {
    let random = || getrandom::u64().unwrap_or_default();
    let (a, b) = (random(), random());
    format!(
        "{:08x}-{:04x}-4{:03x}-8{:03x}-{:012x}",
        a >> 32,
        a >> 16 & 0xffff,
        a & 0xfff,
        b >> 48 & 0xfff,
        b & 0xffff_ffff_ffff
    )
}

async fn keep_connected<S, F>(settings: &Settings, post: &Post, connect: impl Fn() -> F)
where
    S: AsyncRead + AsyncWrite + Send + 'static,
    F: Future<Output = io::Result<S>> + Send,
{
    let mut backoff = Backoff::default();
    let mut core = String::new();
    loop {
        let began = Instant::now();
        let ended = match reach(&settings.address, settings.deadline, connect()).await {
            Ok(stream) => attend(stream, settings, post, &mut core).await,
            Err(ended) => ended,
        };
        let whose = (&settings.name, settings.address.as_str());
        backoff.rest(whose, &post.state, ended, began.elapsed()).await;
    }
}
