//! The handle to one FreeSWITCH's event socket.

use std::future::Future;
use std::io;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::codec::{Response, Said};
use super::command::{Command, InvalidCommand};
use super::event::Event;
use super::login;
use super::protocol::{Answer, Esl, Request, Wants};
use crate::switch::SwitchError;
use crate::switch::connection::events::Subscription;
use crate::switch::connection::handle::{Connection, tcp};
use crate::switch::connection::protocol::{Peer, Protocol};
use crate::switch::connection::state::{self, Ended};
use crate::switch::connection::wire::Wire;

pub use super::login::{Settings, Up};

/// The state of the connection to a FreeSWITCH.
pub type State = state::State<Up>;

/// A FreeSWITCH's event socket. Clones share one connection, which is made again whenever it is lost.
///
/// FreeSWITCH serves each connection with one thread: while that works off an `api` command, the connection's events wait,
/// and while it has events to send, the connection's commands wait. So events that must not wait come over another
/// connection than commands that may take long.
#[derive(Clone, Debug)]
pub struct Client(Connection<Esl>);

impl Client {
    /// The handle, and the task that connects over TCP and stays connected until `stop`. Nothing happens unless it runs.
    pub fn new(
        settings: Settings,
        stop: CancellationToken,
    ) -> (Self, impl Future<Output = ()> + Send + 'static) {
        let address = settings.address.clone();
        Self::over(settings, stop, move || tcp(address.clone()))
    }

    /// The same over the streams that `connect` makes.
    pub fn over<S, F>(
        settings: Settings,
        stop: CancellationToken,
        connect: impl Fn() -> F + Send + 'static,
    ) -> (Self, impl Future<Output = ()> + Send + 'static)
    where
        S: AsyncRead + AsyncWrite + Send + 'static,
        F: Future<Output = io::Result<S>> + Send,
    {
        let (connection, task) = Connection::new(settings, stop, connect);
        (Self(connection), task)
    }

    /// The handle to a connection that FreeSWITCH made for a call, what the call is, and what serves the connection until
    /// its end: it must run for the handle to work, and closes the connection when it is dropped.
    ///
    /// # Errors
    /// How the connection ended before FreeSWITCH described the call.
    pub(in crate::freeswitch) async fn of_call<S: AsyncRead + AsyncWrite + Send + 'static>(
        stream: S,
        peer: Peer,
    ) -> Result<(Self, Event, impl Future<Output = ()> + Send + 'static), Ended> {
        let mut wire = Wire::new(stream, Esl::PEER);
        let call = login::connect(&mut wire, peer.deadline).await?;
        let core = call.get("Core-UUID").unwrap_or_default().into_owned();
        let up = Up { freeswitch: String::new(), core: core.clone() };
        let (connection, serve) = Connection::of(wire, (Esl::new(core), up), peer);
        Ok((Self(connection), call, serve))
    }

    /// Runs an API command: `db select/hotdesk/101`. `None` is FreeSWITCH's `-ERR no reply`: a key that is missing.
    ///
    /// # Errors
    /// [`SwitchError::Refused`] with FreeSWITCH's reason; [`SwitchError::Away`] at once without a connection;
    /// [`SwitchError::Late`] after the deadline: whether it was done is then unknown.
    pub async fn api(&self, command: &str) -> Result<Option<String>, SwitchError> {
        let request = sendable(Command::api(command), command)?;
        let answer = self.ask(command, request, Wants::Reply, self.0.deadline()).await?;
        meaning(command, &response(command, answer)?)
    }

    /// Runs any number of API commands, many on the wire at a time, in their order. Returns their answers in the same
    /// order, refusals among them. The deadline is that of 256 commands.
    ///
    /// # Errors
    /// [`SwitchError::Away`] and [`SwitchError::Late`] as in [`Client::api`]; how many were done is then unknown.
    /// [`SwitchError::Refused`] when one of them cannot be sent; then none is.
    pub async fn api_all(&self, commands: &[String]) -> Result<Vec<Response>, SwitchError> {
        let request = |command: &String| sendable(Command::api(command), command);
        let requests = commands.iter().map(|command| {
            Ok((name_of(command), Request { command: request(command)?, wants: Wants::Reply }))
        });
        let answers = self.0.ask_all(requests.collect::<Result<_, SwitchError>>()?).await?;
        answers.into_iter().zip(commands).map(|(answer, command)| response(command, answer)).collect()
    }

    /// Runs an API command that may take long, such as `limit`, beside the connection.
    ///
    /// # Errors
    /// As [`Client::api`].
    pub async fn bgapi(&self, command: &str, limit: Duration) -> Result<Option<String>, SwitchError> {
        let id = id();
        let request = sendable(Command::bgapi(command, &id), command)?;
        let answer = self.ask(command, request, Wants::Job(id), limit).await?;
        meaning(command, &response(command, answer)?)
    }

    /// Begins an API command that may take long, and does not wait for its end.
    ///
    /// # Errors
    /// As [`Client::api`], but for what comes of it.
    pub async fn launch(&self, command: &str) -> Result<(), SwitchError> {
        let request = sendable(Command::bgapi(command, &id()), command)?;
        match self.ask(command, request, Wants::Reply, self.0.deadline()).await? {
            Answer::Reply(reply) if !reply.is_ok() => {
                Err(SwitchError::Refused(name_of(command).into(), reply.text().into_owned()))
            }
            _ => Ok(()),
        }
    }

    /// Runs a dialplan application in `call` and waits for its end, behind those that were begun before. Returns its
    /// `CHANNEL_EXECUTE_COMPLETE`, with the variables that it set; `None`, if the caller hung up before or meanwhile: what
    /// was entered is then not to be used, however it looks. After `limit` the application goes on by itself.
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
        let id = id();
        let request = sendable(Command::execute(Some(call), application, argument, &id), application)?;
        let wants = Wants::Execution { id, call: call.to_owned() };
        Ok(match self.ask(application, request, wants, limit).await? {
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
        self.ask(application, request, Wants::Reply, self.0.deadline()).await.map(drop)
    }

    /// Hangs `call` up. One that is already over is no error.
    ///
    /// # Errors
    /// As [`Client::api`].
    pub async fn hangup(&self, call: &str, cause: &str) -> Result<(), SwitchError> {
        let request = sendable(Command::hangup(Some(call), cause), "hangup")?;
        self.ask("hangup", request, Wants::Reply, self.0.deadline()).await.map(drop)
    }

    /// Makes an event, as in [`Command::event`].
    ///
    /// # Errors
    /// As [`Client::api`].
    pub(in crate::freeswitch) async fn send_event(
        &self,
        event: &str,
        headers: &[(&'static str, &str)],
    ) -> Result<(), SwitchError> {
        let request = sendable(Command::event(event, headers), "sendevent")?;
        self.ask("sendevent", request, Wants::Reply, self.0.deadline()).await.map(drop)
    }

    /// The state of the connection, now and later. A borrow of it that is kept stops the connection.
    #[must_use]
    pub fn state(&self) -> watch::Receiver<State> {
        self.0.state()
    }

    /// Counts connects: before each, events may have been missed.
    #[must_use]
    pub fn connections(&self) -> watch::Receiver<u64> {
        self.0.connections()
    }

    /// The raw events that the settings ask for, from now on.
    #[must_use]
    pub fn subscribe(&self) -> Subscription<Event> {
        self.0.subscribe()
    }

    /// Asks for more events on this connection, until it is lost.
    ///
    /// # Errors
    /// [`SwitchError::Refused`] when Hotdesk's user lacks the right to one; otherwise as [`Client::api`].
    pub(in crate::freeswitch) async fn listen(&self, events: &[&str]) -> Result<(), SwitchError> {
        let request = sendable(Command::events(events), "event")?;
        match self.ask("event", request, Wants::Reply, self.0.deadline()).await? {
            Answer::Reply(reply) if !reply.is_ok() => {
                Err(SwitchError::Refused("event".into(), reply.text().into_owned()))
            }
            _ => Ok(()),
        }
    }

    async fn ask(
        &self,
        name: &str,
        command: Command,
        wants: Wants,
        limit: Duration,
    ) -> Result<Answer, SwitchError> {
        self.0.ask(name_of(name), Request { command, wants }, limit).await
    }
}

/// A command's first word: the rest may be anything.
fn name_of(command: &str) -> &str {
    command.split(' ').next().unwrap_or_default()
}

fn sendable(command: Result<Command, InvalidCommand>, name: &str) -> Result<Command, SwitchError> {
    command.map_err(|e| SwitchError::Refused(name_of(name).into(), e.to_string()))
}

fn response(command: &str, answer: Answer) -> Result<Response, SwitchError> {
    let refused = |why| Err(SwitchError::Refused(name_of(command).into(), why));
    match answer {
        Answer::Response(response) => Ok(response),
        Answer::Reply(reply) => refused(reply.text().into_owned()),
        Answer::Complete(_) | Answer::Gone => refused("no answer".into()),
    }
}

fn meaning(command: &str, response: &Response) -> Result<Option<String>, SwitchError> {
    match response.said() {
        Said::Value(value) => Ok(Some(value.to_owned())),
        Said::Nothing => Ok(None),
        Said::Error(why) => Err(SwitchError::Refused(name_of(command).into(), why.to_owned())),
    }
}

/// An id for a job or an application.
fn id() -> String {
    Uuid::new_v4().to_string()
}
