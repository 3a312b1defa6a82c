//! The login at a manager interface, by MD5 challenge, until Asterisk has fully booted.

use std::fmt;
use std::time::Duration;

use base16ct::lower::encode_string;
use bytes::BytesMut;
use md5::{Digest, Md5};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, timeout};
use tracing::debug;
use zeroize::Zeroizing;

use super::codec::{Action, AmiError, Decoder, Frame, InvalidAction, Message};
use crate::model::id::SwitchName;
use crate::switch::connection::state::Ended;
use crate::switch::connection::wire;

/// The `ActionID` of pings and of the login: no ticket.
pub(super) const NO_TICKET: u64 = 0;
/// How long Asterisk may still be starting after it accepted the login.
const BOOT: Duration = Duration::from_secs(30);
/// The events that the connection itself needs.
const NEEDED: [&str; 2] = ["FullyBooted", "Shutdown"];

/// The address of an Asterisk's manager interface, the login, and the events.
pub struct Settings {
    /// The switch, for logs and errors.
    pub name: SwitchName,
    /// `host:port`.
    pub address: String,
    /// The user, a section of its `manager.conf`, with `read = system,call,user` and `write = system,call,user`.
    pub user: String,
    /// The user's secret. It is never sent: the login is by MD5 challenge.
    pub secret: Zeroizing<String>,
    /// How long an action may take, waiting for earlier ones included; and connecting, and each step of the login.
    pub deadline: Duration,
    /// The names of the events to ask for. Events with dialled digits, and so PINs, are not needed.
    pub events: Vec<&'static str>,
}

/// The facts about an Asterisk that is up.
#[derive(Clone, Debug)]
pub struct Up {
    /// Its version, as `CoreSettings` tells it: `22.10.1~dfsg+~cs6.17.60671434-1`.
    pub asterisk: String,
    /// The version of the manager interface: `11.0.0`.
    pub interface: String,
    /// When it was started.
    pub(super) started: Option<Instant>,
}

impl fmt::Display for Up {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Asterisk {}, manager interface {}", self.asterisk, self.interface)
    }
}

type Wire<S> = wire::Wire<S, Decoder>;

impl From<AmiError> for Ended {
    fn from(error: AmiError) -> Self {
        match error {
            AmiError::NotAmi => Self::Refused(format!("{error}; check the address and port")),
            AmiError::Io(_) | AmiError::TooLong => Self::Lost(error.to_string()),
        }
    }
}

impl From<InvalidAction> for Ended {
    fn from(error: InvalidAction) -> Self {
        Self::Refused(error.to_string())
    }
}

/// What Asterisk answers to a second login with `allowmultiplelogin = no` (16.28 and 22.10).
pub(in crate::asterisk) const IN_USE: &str = "Login Already In Use";

/// Logs in, asks for the events, and returns the facts about the Asterisk.
pub(super) async fn log_in<S: AsyncRead + AsyncWrite + Send>(
    wire: &mut Wire<S>,
    settings: &Settings,
) -> Result<Up, Ended> {
    let Settings { name, user, secret, deadline, events, .. } = settings;
    let greeting = timeout(*deadline, wire.read()).await;
    let Frame::Banner(interface) = greeting.map_err(|_| late("greet", *deadline))?? else {
        return Err(AmiError::NotAmi.into());
    };
    let challenge = ask(wire, Action::new("Challenge").with("AuthType", "MD5"), *deadline).await?;
    let challenge = challenge.header("Challenge").ok_or_else(|| refused(user, &challenge))?;
    let login = Action::new("Login")
        .with("AuthType", "MD5")
        .with("Username", user.as_str())
        .with("Key", login_key(challenge, secret))
        .with("Events", "on");
    let answer = ask(wire, login, *deadline).await?;
    if !answer.is_success() {
        return Err(refused(user, &answer));
    }
    let up = timeout(BOOT, booted(wire)).await.map_err(|_| {
        Ended::Refused(format!(
            "Asterisk did not say within {BOOT:?} that it is fully booted: either it is not yet, or user {user} lacks \
             'read = system,call,user' in manager.conf"
        ))
    })??;
    let started = Instant::now().checked_sub(up);
    let core = ask(wire, Action::new("CoreSettings"), *deadline).await?;
    let asterisk = core.header("AsteriskVersion").unwrap_or("unknown").to_owned();
    let wanted: Vec<&str> = NEEDED.iter().chain(events).copied().collect();
    let filter = format!("Event: ({})", wanted.join("|"));
    let filter = Action::new("Filter").with("Operation", "Add").with("Filter", filter);
    if !ask(wire, filter, *deadline).await?.is_success() {
        debug!(event = "switch.unfiltered", switch = %name, "all events are read");
    }
    Ok(Up { asterisk, interface, started })
}

/// Waits until Asterisk has fully booted. Returns how long ago it was started.
async fn booted<S: AsyncRead + AsyncWrite + Send>(wire: &mut Wire<S>) -> Result<Duration, Ended> {
    loop {
        if let Frame::Message(message) = wire.read().await?
            && message.event() == Some("FullyBooted")
        {
            let seconds = message.header("Uptime").and_then(|up| up.parse().ok());
            return Ok(Duration::from_secs(seconds.unwrap_or(0)));
        }
    }
}

/// Sends an action and waits for its response; events meanwhile do not concern the login.
async fn ask<S: AsyncRead + AsyncWrite + Send>(
    wire: &mut Wire<S>,
    action: Action,
    deadline: Duration,
) -> Result<Message, Ended> {
    let mut output = BytesMut::new();
    action.encode(NO_TICKET, &mut output)?;
    wire.write(&output, deadline).await?;
    let answer = async {
        loop {
            if let Frame::Message(message) = wire.read().await?
                && action_id(&message) == Some(NO_TICKET)
                && message.event().is_none()
            {
                return Ok(message);
            }
        }
    };
    let answer = timeout(deadline, answer).await;
    answer.map_err(|_| late(&format!("answer {}", action.name()), deadline))?
}

/// The ticket that a message is about.
pub(super) fn action_id(message: &Message) -> Option<u64> {
    message.header("ActionID")?.parse().ok()
}

fn late(what: &str, deadline: Duration) -> Ended {
    Ended::late("Asterisk", what, deadline)
}

fn refused(user: &str, answer: &Message) -> Ended {
    let why = answer.header("Message").unwrap_or("no reason given");
    let advice = match why.contains(IN_USE) {
        true => "manager.conf lets this user log in once at a time: set allowmultiplelogin = yes",
        false => {
            "Check user and secret against manager.conf, and that its 'permit' lines let this machine in; 'manager reload' \
             makes Asterisk read it again"
        }
    };
    Ended::Refused(format!("Asterisk refused the login of user {user}: {why}. {advice}"))
}

/// Proves at a login that the secret is known, without sending it.
fn login_key(challenge: &str, secret: &Zeroizing<String>) -> String {
    let digest = Md5::new().chain_update(challenge).chain_update(secret.as_bytes()).finalize();
    encode_string(&digest)
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
