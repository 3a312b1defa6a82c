//! The login at an event socket: one command at a time.

use std::fmt;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout;
use zeroize::Zeroizing;

use super::codec::{Decoder, EslError, Frame, Notice};
use super::command::{Command, InvalidCommand};
use super::event::Event;
use super::rights;
use crate::model::id::SwitchName;
use crate::switch::connection::state::Ended;
use crate::switch::connection::wire;

/// Asks for the `Core-UUID`, which is another one after each start of FreeSWITCH. It serves as ping, too.
pub(super) const CORE: &str = "global_getvar core_uuid";
/// The events that the client itself needs.
const NEEDED: [&str; 2] = ["BACKGROUND_JOB", "SHUTDOWN"];
/// How long FreeSWITCH keeps a connection that it made after the call's end, for what is under way then.
const LINGER: Duration = Duration::from_secs(5);

/// The address of a FreeSWITCH's event socket, the login, and the events.
#[derive(Clone)]
pub struct Settings {
    /// The switch, for logs and errors.
    pub name: SwitchName,
    /// `host:port`.
    pub address: String,
    /// Our user in its directory, `name@domain`; `None`: the password is that of its `event_socket.conf.xml`, with which
    /// everything is allowed.
    pub user: Option<String>,
    /// The password of either. The event socket requires it in plain text.
    pub password: Zeroizing<String>,
    /// How long a command may take, waiting for earlier ones included; and connecting, and each step of the login.
    pub deadline: Duration,
    /// Events wanted, as in [`Command::events`]. What the client itself needs comes on top and is not passed on.
    pub events: Vec<&'static str>,
    /// Of these events only those with one of these headers and values, as in [`Command::filter`]; all, if there are none.
    pub filters: Vec<(&'static str, String)>,
}

/// The facts about a FreeSWITCH that is up.
#[derive(Clone, Debug)]
pub struct Up {
    /// Its version, as `version` tells it: `1.10.12-release-64bit`. Not asked for on a connection that it made for a call.
    pub freeswitch: String,
    /// Its `Core-UUID`: another one after each start of it.
    pub core: String,
}

impl fmt::Display for Up {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FreeSWITCH {}, core {}", self.freeswitch, self.core)
    }
}

type Wire<S> = wire::Wire<S, Decoder>;

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

/// Logs in and asks for the events, which may come from then on. Returns the facts about the FreeSWITCH.
pub(super) async fn log_in<S: AsyncRead + AsyncWrite + Send>(
    wire: &mut Wire<S>,
    settings: &Settings,
) -> Result<Up, Ended> {
    let deadline = settings.deadline;
    let mut login = Login { wire, deadline };
    let greeting = timeout(deadline, login.greeting());
    greeting.await.map_err(|_| late("ask for the password", deadline))??;
    login.authenticate(settings).await?;
    let version = login.api("version").await?;
    let freeswitch = version.split(' ').nth(2).unwrap_or(&version).to_owned();
    let core = login.api(CORE).await?;
    let events: Vec<_> = settings.events.iter().chain(&NEEDED).copied().collect();
    login.done(&Command::events(&events)?).await?;
    for (header, value) in &settings.filters {
        login.done(&Command::filter(header, value)?).await?;
    }
    if !settings.filters.is_empty() {
        for name in NEEDED {
            login.done(&Command::filter("Event-Name", name)?).await?;
        }
    }
    Ok(Up { freeswitch, core })
}

/// On a connection that FreeSWITCH made: asks for the call and for its events, up to its end.
pub(super) async fn connect<S: AsyncRead + AsyncWrite + Send>(
    wire: &mut Wire<S>,
    deadline: Duration,
) -> Result<Event, Ended> {
    let mut login = Login { wire, deadline };
    let Frame::Connected(call) = login.ask(&Command::connect()?).await? else {
        return Err(Ended::Lost("FreeSWITCH did not say which call it is".into()));
    };
    let modes = ["Socket-Mode", "Control"].map(|mode| call.get(mode).unwrap_or_default().into_owned());
    if modes != ["async", "full"] {
        return Err(Ended::Refused(
            "the dialplan must say `async full` after the address of its socket".into(),
        ));
    }
    login.done(&Command::linger(LINGER)?).await?;
    login.done(&Command::my_events()?).await?;
    Ok(call)
}

/// A connection before anything else uses it, and how long each step may take.
struct Login<'a, S> {
    wire: &'a mut Wire<S>,
    deadline: Duration,
}

impl<S: AsyncRead + AsyncWrite + Send> Login<'_, S> {
    async fn greeting(&mut self) -> Result<(), Ended> {
        loop {
            if let Some(frame) = self.wire.decoded().map_err(stranger)? {
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
            self.wire.receive().await?;
        }
    }

    /// Gives the password, and checks that Hotdesk's user has the rights that are needed.
    async fn authenticate(&mut self, settings: &Settings) -> Result<(), Ended> {
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
        let Frame::Reply(reply) = self.ask(&command).await? else { return Err(unanswered(command.name())) };
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

    async fn api(&mut self, command: &'static str) -> Result<String, Ended> {
        match self.ask(&Command::api(command)?).await? {
            Frame::Response(response) => Ok(response.value().unwrap_or_default().to_owned()),
            _ => Err(Ended::Lost(format!("FreeSWITCH did not answer {command:?}"))),
        }
    }

    async fn done(&mut self, command: &Command) -> Result<(), Ended> {
        match self.ask(command).await? {
            Frame::Reply(reply) if reply.is_ok() => Ok(()),
            Frame::Reply(reply) => {
                Err(Ended::Refused(format!("FreeSWITCH refused {}: {}", command.name(), reply.text())))
            }
            _ => Err(unanswered(command.name())),
        }
    }

    /// Sends a command and waits for its answer. An event meanwhile is older than the connection is up, and features look
    /// again then.
    async fn ask(&mut self, command: &Command) -> Result<Frame, Ended> {
        let Self { wire, deadline } = self;
        let answer = async {
            wire.write(command.as_bytes(), *deadline).await?;
            loop {
                match wire.read().await? {
                    frame @ (Frame::Reply(_) | Frame::Response(_) | Frame::Connected(_)) => return Ok(frame),
                    Frame::Disconnect(notice) => return Err(goodbye(&notice)),
                    _ => {}
                }
            }
        };
        let late = |_| late(&format!("answer {}", command.name()), *deadline);
        timeout(*deadline, answer).await.map_err(late)?
    }
}

fn unanswered(command: &str) -> Ended {
    Ended::Lost(format!("FreeSWITCH did not answer {command}"))
}

fn late(what: &str, deadline: Duration) -> Ended {
    Ended::late("FreeSWITCH", what, deadline)
}

fn stranger(error: EslError) -> Ended {
    match error {
        EslError::Io(_) => error.into(),
        EslError::Malformed(_) | EslError::TooLong(..) => {
            Ended::Refused(format!("{error}; check the address and port"))
        }
    }
}

pub(super) fn goodbye(notice: &Notice) -> Ended {
    let text = notice.text();
    Ended::Lost(format!("FreeSWITCH said: {}", text.lines().next().unwrap_or("goodbye")))
}
