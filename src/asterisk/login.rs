//! A fresh connection to a manager interface, until it is logged in: one action at a time.

use std::time::Duration;

use bytes::BytesMut;
use md5::{Digest, Md5};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadHalf, WriteHalf, split};
use tokio::time::{Instant, timeout, timeout_at};
use tokio_util::codec::Decoder as _;
use zeroize::Zeroizing;

use super::ami::{Action, AmiError, Decoder, Frame, Message};
use crate::desk::id::SwitchName;
use crate::switch::reconnect::Ended;

/// How long Asterisk may still be starting after it let us in.
const BOOT: Duration = Duration::from_secs(30);
const READ: usize = 16 * 1024;

/// Where an Asterisk's manager interface is, and as whom to log in.
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
}

impl From<AmiError> for Ended {
    fn from(error: AmiError) -> Self {
        match error {
            AmiError::NotAmi => Self::Refused(format!("{error}; check the address and port")),
            AmiError::Io(_) | AmiError::TooLong => Self::Lost(error.to_string()),
        }
    }
}

/// The connection itself, with one action at a time: all that the login needs.
pub(super) struct Wire<S> {
    pub(super) reader: ReadHalf<S>,
    pub(super) decoder: Decoder,
    pub(super) input: BytesMut,
    pub(super) writer: WriteHalf<S>,
    /// The `ActionID` that was given last.
    pub(super) last_id: u64,
}

impl<S: AsyncRead + AsyncWrite> Wire<S> {
    pub(super) fn new(stream: S) -> Self {
        let (reader, writer) = split(stream);
        Self { reader, decoder: Decoder::default(), input: BytesMut::new(), writer, last_id: 0 }
    }

    /// Returns the interface's version, and for how long Asterisk has been up.
    pub(super) async fn log_in(&mut self, settings: &Settings) -> Result<(String, Duration), Ended> {
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
                    let seconds = message.header("Uptime").and_then(|up| up.parse().ok());
                    return Ok::<_, Ended>(Duration::from_secs(seconds.unwrap_or(0)));
                }
            }
        };
        let up = timeout(BOOT, booted).await.map_err(|_| {
            Ended::Refused(format!(
                "Asterisk did not say within {BOOT:?} that it is fully booted: either it is not yet, or user {} lacks \
                 'read = system,call,user' in manager.conf",
                settings.user
            ))
        })??;
        Ok((interface, up))
    }

    /// Sends an action and waits for its response; events meanwhile are none of the login's business.
    pub(super) async fn ask(&mut self, action: Action, deadline: Duration) -> Result<Message, Ended> {
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

    pub(super) fn encode(&mut self, action: &Action, output: &mut BytesMut) -> Result<u64, Ended> {
        self.last_id += 1;
        action.encode(self.last_id, output).map_err(|e| Ended::Refused(e.to_string()))?;
        Ok(self.last_id)
    }

    async fn read_in(&mut self, deadline: Duration, what: &str) -> Result<Frame, Ended> {
        timeout(deadline, self.read()).await.map_err(|_| late(what, deadline))?
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
        return Err(Ended::Lost("Asterisk closed the connection".into()));
    }
    Ok(())
}

pub(super) fn action_id(message: &Message) -> Option<u64> {
    message.header("ActionID")?.parse().ok()
}

pub(super) fn late(what: &str, deadline: Duration) -> Ended {
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
