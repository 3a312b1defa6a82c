//! A caller on an Asterisk, spoken to over FastAGI: [`Phone`] in terms of AGI commands.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use futures_util::StreamExt;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadHalf, WriteHalf};
use tokio::time::timeout;
use tokio_util::codec::FramedRead;
use tracing::{debug, warn};
use zeroize::Zeroizing;

use super::agi::{Answer, Decoder, Environment, Frame, Reply};
use super::command::{Command, InvalidCommand};
use super::sounds::sounds;
use crate::desk::id::{CallId, DeviceName, Language, SwitchName, TenantId};
use crate::desk::policy::Prompt;
use crate::switch::{Call, Dialled, Digits, Entry, Gone, Outcome, Phone, Utterance};

/// How long Asterisk may take for its first lines, and for a command that plays nothing.
const PROMPT_REPLY: Duration = Duration::from_secs(5);
/// How long a conversation may take; Asterisk ends the call after it. The dialplan starts every code with 2 s, so
/// that a controller which accepts the call and then says nothing is not waited for.
const CONVERSATION: Duration = Duration::from_secs(180);

/// Why a connection was not a call.
#[derive(Debug, thiserror::Error)]
pub enum NoCall {
    /// The caller was gone, or the connection was lost, before it was one.
    #[error("the connection ended before it was a call")]
    Ended,
    /// What it says of itself cannot be a call of a hotdesk.
    #[error("the dialplan sent {0}: is hotdesk.conf the one that `hotdesk dialplan asterisk` prints?")]
    Unfit(String),
}

/// A caller on an Asterisk.
pub struct AgiPhone<S> {
    frames: FramedRead<ReadHalf<S>, Decoder>,
    out: WriteHalf<S>,
    /// `HANGUP` was seen. Asterisk still carries out what needs no caller.
    gone: bool,
    /// The time-outs for digits that the channel has now.
    digits: Option<Digits>,
}

impl<S: AsyncRead + AsyncWrite + Send> AgiPhone<S> {
    /// Takes the call that Asterisk sends over `stream`: reads what it is, lifts the dialplan's time-out and answers it.
    ///
    /// # Errors
    /// [`NoCall`].
    pub async fn take(stream: S, switch: SwitchName, tenant: TenantId) -> Result<(Self, Call), NoCall> {
        let (input, out) = tokio::io::split(stream);
        let frames = FramedRead::new(input, Decoder::default());
        let mut phone = Self { frames, out, gone: false, digits: None };
        let environment = phone.environment().await?;
        let unfit = |what: String| NoCall::Unfit(what);
        let id = environment.var("uniqueid").unwrap_or_default();
        let id = CallId::new(id).map_err(|error| unfit(error.to_string()))?;
        let mut args = environment.args();
        let device =
            DeviceName::new(args.next().unwrap_or_default()).map_err(|error| unfit(error.to_string()))?;
        let from = args.next().and_then(address);
        phone
            .set("TIMEOUT(absolute)", &CONVERSATION.as_secs().to_string())
            .await
            .map_err(|_| NoCall::Ended)?;
        let dialled = phone.dialled().await.map_err(|_| NoCall::Ended)?;
        phone.command(Ok(Command::answer()), PROMPT_REPLY).await.map_err(|_| NoCall::Ended)?;
        Ok((phone, Call { id, switch, tenant, device, dialled, from }))
    }

    async fn environment(&mut self) -> Result<Environment, NoCall> {
        match timeout(PROMPT_REPLY, self.frames.next()).await {
            Ok(Some(Ok(Frame::Environment(environment)))) => Ok(environment),
            Ok(Some(Err(error))) => Err(NoCall::Unfit(error.to_string())),
            Ok(Some(Ok(_))) => Err(NoCall::Unfit("a reply before anything was asked".into())),
            Ok(None) | Err(_) => Err(NoCall::Ended),
        }
    }

    /// What was dialled. Read from a variable, as an argument of `AGI()` would stand in the call's CDR.
    async fn dialled(&mut self) -> Result<Dialled, Gone> {
        let answer = self.command(Command::get_full_variable("${HD_DIALLED}"), PROMPT_REPLY).await?;
        Ok(Dialled(Zeroizing::new(
            answer.and_then(|answer| answer.value().map(str::to_owned)).unwrap_or_default(),
        )))
    }

    async fn set(&mut self, name: &str, value: &str) -> Result<(), Gone> {
        self.command(Command::set_variable(name, value), PROMPT_REPLY).await.map(drop)
    }

    /// Sends one command and waits for its one reply; none when Asterisk would not carry it out.
    async fn command(
        &mut self,
        command: Result<Command, InvalidCommand>,
        patience: Duration,
    ) -> Result<Option<Answer>, Gone> {
        let command = match command {
            Ok(command) => command,
            Err(error) => {
                warn!(event = "agi.invalid_command", %error, "a command was not sent");
                return Ok(None);
            }
        };
        match timeout(patience, self.exchange(&command)).await {
            Ok(answer) => answer,
            Err(_) => {
                warn!(
                    event = "agi.late",
                    command = command.name(),
                    "Asterisk did not reply in time: the call is given up"
                );
                self.gone = true;
                Err(Gone)
            }
        }
    }

    async fn exchange(&mut self, command: &Command) -> Result<Option<Answer>, Gone> {
        self.out.write_all(command.as_bytes()).await.map_err(|_| Gone)?;
        loop {
            match self.frames.next().await {
                Some(Ok(Frame::Hangup)) => self.gone = true,
                Some(Ok(Frame::Reply(Reply::Done(answer)))) => return Ok(Some(answer)),
                Some(Ok(Frame::Reply(Reply::Dead))) => {
                    self.gone = true;
                    return Err(Gone);
                }
                Some(Ok(Frame::Reply(refused))) => {
                    warn!(
                        event = "agi.refused",
                        command = command.name(),
                        ?refused,
                        "Asterisk knows no such command"
                    );
                    return Ok(None);
                }
                Some(Ok(Frame::Environment(_))) => {}
                Some(Err(error)) => {
                    warn!(event = "agi.malformed", %error, "the call is given up");
                    return Err(Gone);
                }
                None => return Err(Gone),
            }
        }
    }

    /// Whether the caller is still there: a missing sound and a hang-up give the same result.
    async fn there(&mut self) -> Result<(), Gone> {
        self.command(Ok(Command::channel_status()), PROMPT_REPLY).await?;
        if self.gone { Err(Gone) } else { Ok(()) }
    }

    /// Plays the first of `sounds` that this Asterisk has. `false`: it has none of them.
    async fn play(&mut self, sounds: [&str; 2]) -> Result<bool, Gone> {
        for sound in sounds {
            let played = self.command(Command::stream_file(sound, ""), CONVERSATION).await?;
            if played.is_some_and(|answer| answer.number() == Some(0)) {
                return Ok(true);
            }
            self.there().await?;
            debug!(event = "sound.missing", sound, "the next best is played");
        }
        Ok(false)
    }

    /// A tone for who would otherwise hear nothing.
    async fn beep(&mut self) -> Result<(), Gone> {
        warn!(event = "sound.none", "neither our sounds nor Asterisk's are there: the caller hears a tone");
        self.command(Command::exec("Playtones", "!440/400,!0/200"), PROMPT_REPLY).await?;
        self.command(Command::exec("Wait", "0.6"), PROMPT_REPLY).await?;
        self.there().await
    }

    /// Takes digits one by one, for an Asterisk without any sound to take them with.
    async fn digits_after_a_tone(&mut self, digits: &Digits) -> Result<Entry, Gone> {
        self.beep().await?;
        let mut entered = Zeroizing::new(String::with_capacity(usize::from(digits.most)));
        let mut patience = digits.first;
        while entered.len() < usize::from(digits.most) {
            let pressed = self.command(Command::wait_for_digit(patience), patience + PROMPT_REPLY).await?;
            let pressed = pressed.and_then(|answer| answer.number()).unwrap_or(-1);
            match u8::try_from(pressed).map(char::from) {
                Ok('\0' | '#') => break,
                Ok(digit) => entered.push(digit),
                Err(_) => {
                    self.there().await?;
                    break;
                }
            }
            patience = digits.next;
        }
        Ok(Dialled(entered))
    }
}

impl<S: AsyncRead + AsyncWrite + Send> Phone for AgiPhone<S> {
    async fn ask(&mut self, prompt: Prompt, digits: &Digits) -> Result<Entry, Gone> {
        if self.digits != Some(*digits) {
            self.set("TIMEOUT(response)", &digits.first.as_secs().to_string()).await?;
            self.set("TIMEOUT(digit)", &digits.next.as_secs().to_string()).await?;
            self.digits = Some(*digits);
        }
        for sound in sounds(prompt) {
            // Zero: the two time-outs of the channel.
            let command = Command::get_data(sound, Duration::ZERO, digits.most);
            let answer = self.command(command, CONVERSATION).await?;
            match answer {
                Some(answer) if answer.result() != "-1" => {
                    return Ok(Dialled(Zeroizing::new(answer.result().to_owned())));
                }
                _ => self.there().await?,
            }
        }
        self.digits_after_a_tone(digits).await
    }

    async fn say(&mut self, what: &[Utterance]) -> Result<(), Gone> {
        for utterance in what {
            match utterance {
                Utterance::Prompt(prompt) => {
                    if !self.play(sounds(*prompt)).await? {
                        self.beep().await?;
                    }
                }
                Utterance::Extension(extension) => {
                    self.command(Command::say_digits(extension.as_str(), ""), CONVERSATION).await?;
                    if self.gone {
                        return Err(Gone);
                    }
                }
            }
        }
        Ok(())
    }

    async fn speak(&mut self, language: &Language) -> Result<(), Gone> {
        self.set("CHANNEL(language)", language.as_str()).await
    }

    async fn end(mut self, outcome: Outcome) {
        // Both are carried out for a caller who is gone, too; one who cannot be told any more needs neither.
        let _ = self.set("HD_DIALLED", "").await;
        let _ = self.set("HD_RESULT", outcome.name()).await;
        let _ = self.out.shutdown().await;
    }
}

/// The address in what Asterisk says of where signalling came from: `192.0.2.7:5060`, `[2001:db8::7]:5060`.
fn address(text: &str) -> Option<IpAddr> {
    text.parse::<SocketAddr>().map(|address| address.ip()).or_else(|_| text.parse()).ok()
}
