//! A fresh connection to an event socket, until it is logged in: one command at a time.

use std::time::Duration;

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadHalf, WriteHalf, split};
use tokio::time::{Instant, timeout, timeout_at};
use tokio_util::codec::Decoder as _;
use zeroize::Zeroizing;

use super::command::{Command, InvalidCommand};
use super::esl::{Decoder, EslError, Frame, Notice, Response, Said};
use super::event::Event;
use super::rights;
use crate::desk::id::SwitchName;
use crate::switch::reconnect::Ended;

/// Asks for the `Core-UUID`, which each start of FreeSWITCH makes anew. Also what a silent one is asked.
pub(super) const CORE: &str = "global_getvar core_uuid";
/// The events that the client itself needs.
const NEEDED: [&str; 2] = ["BACKGROUND_JOB", "SHUTDOWN"];
const READ: usize = 16 * 1024;
/// How long FreeSWITCH keeps a connection that it made after the call's end, for what is under way then.
const LINGER: Duration = Duration::from_secs(5);

/// Where a FreeSWITCH's event socket is, and what is wanted from it.
pub struct Settings {
    /// The switch, for logs and errors.
    pub name: SwitchName,
    /// `host:port`.
    pub address: String,
    /// Our user in its directory, `name@domain`; `None`: whoever knows the password of its `event_socket.conf.xml`, who
    /// may do everything.
    pub user: Option<String>,
    /// The password of either. The event socket knows no other way than to send it as it is.
    pub password: Zeroizing<String>,
    /// How long a command may take, waiting for earlier ones included; and connecting, and each step of the login.
    pub deadline: Duration,
    /// Events wanted, as in [`Command::events`]. What the client itself needs comes on top and is not passed on.
    pub events: Vec<&'static str>,
    /// Of these events only those with one of these headers and values, as in [`Command::filter`]; all, if there are none.
    pub filters: Vec<(&'static str, String)>,
}

impl From<EslError> for Ended {
    fn from(error: EslError) -> Self {
        Self::Lost(error.to_string())
    }
}

impl From<InvalidCommand> for Ended {
    fn from(error: InvalidCommand) -> Self {
        Self::Refused(error.to_string())
    }
}

/// The connection itself, with one command at a time: all that the login needs.
pub(super) struct Wire<S> {
    pub(super) reader: ReadHalf<S>,
    pub(super) decoder: Decoder,
    pub(super) input: BytesMut,
    pub(super) writer: WriteHalf<S>,
}

/// What a FreeSWITCH says of itself.
pub(super) struct Core {
    pub(super) version: String,
    pub(super) id: String,
}

impl<S: AsyncRead + AsyncWrite> Wire<S> {
    pub(super) fn new(stream: S) -> Self {
        let (reader, writer) = split(stream);
        Self { reader, decoder: Decoder::default(), input: BytesMut::new(), writer }
    }

    /// Logs in, and asks for the events; they may come from then on.
    pub(super) async fn log_in(&mut self, settings: &Settings) -> Result<Core, Ended> {
        let deadline = settings.deadline;
        let greeting = timeout(deadline, self.greeting());
        greeting.await.map_err(|_| late("ask for the password", deadline))??;
        self.introduce(settings).await?;
        let version = self.api("version", deadline).await?;
        let version = version.split(' ').nth(2).unwrap_or(&version).to_owned();
        let id = self.api(CORE, deadline).await?;
        let events: Vec<_> = settings.events.iter().chain(&NEEDED).copied().collect();
        self.done(&Command::events(&events)?, deadline).await?;
        for (header, value) in &settings.filters {
            self.done(&Command::filter(header, value)?, deadline).await?;
        }
        if !settings.filters.is_empty() {
            for name in NEEDED {
                self.done(&Command::filter("Event-Name", name)?, deadline).await?;
            }
        }
        Ok(Core { version, id })
    }

    /// On a connection that FreeSWITCH made: asks for the call and for its events, up to its end.
    pub(super) async fn connect(&mut self, deadline: Duration) -> Result<Event, Ended> {
        let Frame::Connected(call) = self.ask(&Command::connect()?, deadline).await? else {
            return Err(Ended::Lost("FreeSWITCH did not say which call it is".into()));
        };
        let modes = ["Socket-Mode", "Control"].map(|mode| call.get(mode).unwrap_or_default().into_owned());
        if modes != ["async", "full"] {
            return Err(Ended::Refused(
                "the dialplan must say `async full` after the address of its socket".into(),
            ));
        }
        self.done(&Command::linger(LINGER)?, deadline).await?;
        self.done(&Command::my_events()?, deadline).await?;
        Ok(call)
    }

    /// Says who we are, and sees that we may do all that we need to.
    async fn introduce(&mut self, settings: &Settings) -> Result<(), Ended> {
        let (command, remedy) = match &settings.user {
            None => (
                Command::auth(&settings.password)?,
                "Check it against event_socket.conf.xml; 'reload mod_event_socket' makes FreeSWITCH read it again".into(),
            ),
            Some(user) => (
                Command::userauth(user, &settings.password)?,
                format!("Check esl_user, and the esl-password of {user} in FreeSWITCH's directory; then 'reloadxml'"),
            ),
        };
        let Frame::Reply(reply) = self.ask(&command, settings.deadline).await? else {
            return Err(Ended::Lost(format!("FreeSWITCH did not answer {}", command.name())));
        };
        if !reply.is_ok() {
            return Err(Ended::Refused(format!("FreeSWITCH refused the password. {remedy}")));
        }
        let Some(lacking) = rights::missing(&reply, &settings.events) else { return Ok(()) };
        let user = settings.user.as_deref().unwrap_or_default();
        Err(Ended::Refused(format!(
            "{user} may not do all that hotdesk needs: {lacking}. Copy both whole from directory.xml.example into \
             FreeSWITCH's directory, then 'reloadxml'"
        )))
    }

    async fn greeting(&mut self) -> Result<(), Ended> {
        loop {
            if let Some(frame) = self.decoder.decode(&mut self.input).map_err(stranger)? {
                return match frame {
                    Frame::AuthRequest => Ok(()),
                    Frame::Rejected => Err(Ended::Refused(
                        "FreeSWITCH's access list does not let this machine in: see apply-inbound-acl in \
                         event_socket.conf.xml"
                            .into(),
                    )),
                    _ => Err(stranger(EslError::Malformed("no request for a password"))),
                };
            }
            receive(&mut self.reader, &mut self.input).await?;
        }
    }

    async fn api(&mut self, command: &'static str, deadline: Duration) -> Result<String, Ended> {
        match self.ask(&Command::api(command)?, deadline).await? {
            Frame::Response(response) => Ok(value(&response).to_owned()),
            _ => Err(Ended::Lost(format!("FreeSWITCH did not answer {command:?}"))),
        }
    }

    async fn done(&mut self, command: &Command, deadline: Duration) -> Result<(), Ended> {
        match self.ask(command, deadline).await? {
            Frame::Reply(reply) if reply.is_ok() => Ok(()),
            Frame::Reply(reply) => {
                Err(Ended::Refused(format!("FreeSWITCH refused {}: {}", command.name(), reply.text())))
            }
            _ => Err(Ended::Lost(format!("FreeSWITCH did not answer {}", command.name()))),
        }
    }

    /// Sends a command and waits for what is said to it. An event meanwhile is older than the connection is up, and
    /// what it tells of is looked for then.
    async fn ask(&mut self, command: &Command, deadline: Duration) -> Result<Frame, Ended> {
        let until = Instant::now() + deadline;
        let answer = async {
            self.writer.write_all(command.as_bytes()).await?;
            loop {
                match self.read().await? {
                    frame @ (Frame::Reply(_) | Frame::Response(_) | Frame::Connected(_)) => return Ok(frame),
                    Frame::Disconnect(notice) => return Err(goodbye(&notice)),
                    _ => {}
                }
            }
        };
        let late = |_| late(&format!("answer {}", command.name()), deadline);
        timeout_at(until, answer).await.map_err(late)?
    }

    pub(super) async fn read(&mut self) -> Result<Frame, Ended> {
        loop {
            if let Some(frame) = self.decoder.decode(&mut self.input)? {
                return Ok(frame);
            }
            receive(&mut self.reader, &mut self.input).await?;
        }
    }
}

/// Reads what there is; nothing is lost when it is cancelled.
pub(super) async fn receive<S: AsyncRead>(
    reader: &mut ReadHalf<S>,
    input: &mut BytesMut,
) -> Result<(), Ended> {
    input.reserve(READ);
    if reader.read_buf(input).await? == 0 {
        return Err(Ended::Lost("FreeSWITCH closed the connection".into()));
    }
    Ok(())
}

/// The value that a response is; empty, if it is none.
pub(super) fn value(response: &Response) -> &str {
    if let Said::Value(value) = response.said() { value } else { "" }
}

pub(super) fn late(what: &str, deadline: Duration) -> Ended {
    Ended::Lost(format!("FreeSWITCH did not {what} within {deadline:?}"))
}

pub(super) fn goodbye(notice: &Notice) -> Ended {
    let text = notice.text();
    Ended::Lost(format!("FreeSWITCH said: {}", text.lines().next().unwrap_or("goodbye")))
}

fn stranger(error: EslError) -> Ended {
    match error {
        EslError::Io(_) => error.into(),
        EslError::Malformed(_) | EslError::TooLong(..) => {
            Ended::Refused(format!("{error}; check the address and port"))
        }
    }
}
