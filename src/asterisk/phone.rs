//! A caller on an Asterisk, spoken to over FastAGI: [`Phone`] in terms of AGI commands.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use futures_util::StreamExt;
use jiff::Timestamp;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadHalf, WriteHalf};
use tokio::time::{Instant, timeout, timeout_at};
use tokio_util::codec::FramedRead;
use tracing::{debug, warn};
use zeroize::Zeroizing;

use super::agi::{AgiError, Answer, Decoder, Environment, Frame, Reply};
use super::command::{Command, InvalidCommand};
use super::sounds::sounds;
use super::space::Space;
use crate::desk::id::{CallId, DeviceName, InvalidId, Language, SwitchName, TenantId};
use crate::desk::policy::Prompt;
use crate::switch::{Call, Dialled, Digits, Entry, Gone, Outcome, Phone, Utterance};

/// How long Asterisk may take for its first lines, and for a command that plays nothing.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long a conversation may take; Asterisk ends the call after it. The dialplan starts every code with 2 s, so
/// that a controller which accepts the call and then says nothing is not waited for.
const CONVERSATION: Duration = Duration::from_secs(180);
/// A bare tone: what `Playtones` takes, and the seconds that it lasts.
const TONE: [&str; 2] = ["!440/400,!0/200", "0.6"];

/// Why a connection was not a call. Says nothing of what was sent, as a PIN may have been.
#[derive(Debug, thiserror::Error)]
pub enum NoCall {
    /// The caller was gone, the connection was lost, or nothing came, before it was one.
    #[error("the connection ended before it was a call")]
    Ended,
    /// It is not Asterisk.
    #[error(transparent)]
    Malformed(#[from] AgiError),
    /// It is of a tenant that this switch has not.
    #[error(
        "the dialplan asks for a tenant that `tenants` of this [[switch]] does not name: print it anew, `hotdesk dialplan asterisk`"
    )]
    Foreign,
    /// What it says of itself cannot be a call of a hotdesk.
    #[error("the dialplan did not send {} ({}): is hotdesk.conf the one that `hotdesk dialplan asterisk` prints?", .0.kind, .0.rule)]
    Unfit(InvalidId),
}

/// What is left of a call.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Line {
    /// The caller is there.
    Up,
    /// He hung up. Asterisk still carries out what needs no caller.
    HungUp,
    /// Asterisk is gone, or too late: nothing more can be said to it, as its replies may be those to something else.
    Lost,
}

/// A caller on an Asterisk.
pub struct AgiPhone<S> {
    frames: FramedRead<ReadHalf<S>, Decoder>,
    out: WriteHalf<S>,
    line: Line,
    /// When Asterisk has ended the call, whatever was being played or asked.
    until: Instant,
}

impl<S: AsyncRead + AsyncWrite + Send> AgiPhone<S> {
    /// Takes the call that Asterisk sends over `stream`: reads what it is, lifts the dialplan's time-out and answers it.
    ///
    /// # Errors
    /// [`NoCall`].
    pub async fn take(stream: S, switch: SwitchName, tenants: &[TenantId]) -> Result<(Self, Call), NoCall> {
        let (input, out) = tokio::io::split(stream);
        let frames = FramedRead::new(input, Decoder::default());
        let until = Instant::now() + PATIENCE + CONVERSATION;
        let mut phone = Self { frames, out, line: Line::Up, until };
        let environment = phone.environment().await?;
        let tenant =
            whose(environment.var("network_script").unwrap_or_default(), tenants).ok_or(NoCall::Foreign)?;
        let id = CallId::new(environment.var("uniqueid").unwrap_or_default()).map_err(NoCall::Unfit)?;
        let mut args = environment.args();
        let device = DeviceName::new(args.next().unwrap_or_default()).map_err(NoCall::Unfit)?;
        let from = args.next().and_then(address);
        let stays = args.next().and_then(|until| Timestamp::from_second(until.parse().ok()?).ok());
        let dialled = phone.begin().await.map_err(|Gone| NoCall::Ended)?;
        Ok((phone, Call { id, switch, tenant, device, dialled, stays, from }))
    }

    async fn begin(&mut self) -> Result<Dialled, Gone> {
        self.set("TIMEOUT(absolute)", &CONVERSATION.as_secs().to_string()).await?;
        let dialled = self.dialled().await?;
        let answered = self.short(Ok(Command::answer())).await?;
        self.unless_gone(answered).await?;
        Ok(dialled)
    }

    async fn environment(&mut self) -> Result<Environment, NoCall> {
        match timeout(PATIENCE, self.frames.next()).await {
            Ok(Some(Ok(Frame::Environment(environment)))) => Ok(environment),
            Ok(Some(Err(AgiError::Io(_)) | Ok(_)) | None) | Err(_) => Err(NoCall::Ended),
            Ok(Some(Err(error))) => Err(error.into()),
        }
    }

    /// What was dialled. Read from a variable, as an argument of `AGI()` would stand in the call's CDR.
    async fn dialled(&mut self) -> Result<Dialled, Gone> {
        let answer = self.short(Command::get_full_variable("${HD_DIALLED}")).await?;
        Ok(Dialled(Zeroizing::new(
            answer.and_then(|answer| answer.value().map(str::to_owned)).unwrap_or_default(),
        )))
    }

    async fn set(&mut self, name: &str, value: &str) -> Result<(), Gone> {
        self.short(Command::set_variable(name, value)).await.map(drop)
    }

    /// A command that plays nothing.
    async fn short(&mut self, command: Result<Command, InvalidCommand>) -> Result<Option<Answer>, Gone> {
        self.command(command, Instant::now() + PATIENCE).await
    }

    /// A command that lasts as long as something is played or entered; Asterisk ends it with the call.
    async fn long(&mut self, command: Result<Command, InvalidCommand>) -> Result<Option<Answer>, Gone> {
        self.command(command, self.until).await
    }

    /// Has a command carried out for a caller who is there when it is done; no answer when Asterisk would not do it.
    async fn command(
        &mut self,
        command: Result<Command, InvalidCommand>,
        until: Instant,
    ) -> Result<Option<Answer>, Gone> {
        let answer = self.carried_out(command, until).await?;
        if self.line == Line::Up { Ok(answer) } else { Err(Gone) }
    }

    /// Sends one command and waits for its one reply, whether or not the caller is there.
    async fn carried_out(
        &mut self,
        command: Result<Command, InvalidCommand>,
        until: Instant,
    ) -> Result<Option<Answer>, Gone> {
        if self.line == Line::Lost {
            return Err(Gone);
        }
        let command = match command {
            Ok(command) => command,
            Err(error) => {
                warn!(event = "agi.invalid_command", %error, "a command was not sent");
                return Ok(None);
            }
        };
        let name = command.name();
        match timeout_at(until, self.exchange(&command)).await {
            Ok(Ok(Reply::Done(answer))) => Ok(Some(answer)),
            Ok(Ok(Reply::Dead)) => {
                self.line = Line::HungUp;
                Err(Gone)
            }
            Ok(Ok(refused)) => {
                warn!(event = "agi.refused", command = name, ?refused, "Asterisk knows no such command");
                Ok(None)
            }
            Ok(Err(lost)) => {
                self.line = Line::Lost;
                if let Some(error) = lost {
                    warn!(event = "agi.malformed", %error, "the call is given up");
                }
                Err(Gone)
            }
            Err(_) => {
                self.line = Line::Lost;
                warn!(
                    event = "agi.late",
                    command = name,
                    "Asterisk did not reply in time: the call is given up"
                );
                Err(Gone)
            }
        }
    }

    /// The reply; an error with its reason where there is one worth telling, and none when Asterisk hung up.
    async fn exchange(&mut self, command: &Command) -> Result<Reply, Option<AgiError>> {
        self.out.write_all(command.as_bytes()).await.map_err(|_| None)?;
        loop {
            match self.frames.next().await {
                Some(Ok(Frame::Hangup)) => self.line = Line::HungUp,
                Some(Ok(Frame::Reply(reply))) => return Ok(reply),
                Some(Ok(Frame::Environment(_))) => {}
                Some(Err(AgiError::Io(_))) | None => return Err(None),
                Some(Err(error)) => return Err(Some(error)),
            }
        }
    }

    /// Whether the caller is still there: a missing sound and a hang-up give the same result.
    async fn there(&mut self) -> Result<(), Gone> {
        self.short(Ok(Command::channel_status())).await.map(drop)
    }

    /// Asks whether the caller is still there, if this result may mean that he is not.
    async fn unless_gone(&mut self, answer: Option<Answer>) -> Result<(), Gone> {
        if answer.and_then(|answer| answer.number()) == Some(-1) { self.there().await } else { Ok(()) }
    }

    /// Plays the first of `sounds` that this Asterisk has, else a tone.
    async fn play(&mut self, sounds: [&str; 2]) -> Result<(), Gone> {
        for sound in sounds {
            let played = self.long(Command::stream_file(sound, "")).await?;
            if played.is_some_and(|answer| answer.number() == Some(0)) {
                return Ok(());
            }
            self.missing(sound).await?;
        }
        self.tone().await?;
        let [_, seconds] = TONE;
        let waited = self.short(Command::exec("Wait", seconds)).await?;
        self.unless_gone(waited).await
    }

    async fn spell(&mut self, digits: &str) -> Result<(), Gone> {
        let said = self.long(Command::say_digits(digits, "")).await?;
        self.unless_gone(said).await
    }

    async fn missing(&mut self, sound: &str) -> Result<(), Gone> {
        self.there().await?;
        debug!(event = "sound.missing", sound, "the next best is played");
        Ok(())
    }

    /// Starts a tone for who would otherwise hear nothing.
    async fn tone(&mut self) -> Result<(), Gone> {
        warn!(event = "sound.none", "neither our sounds nor Asterisk's are there: the caller hears a tone");
        let [tone, _] = TONE;
        self.short(Command::exec("Playtones", tone)).await.map(drop)
    }

    /// Plays `sound` and takes digits; `None` when this Asterisk does not have it.
    ///
    /// AGI has one time-out for the first digit and for each next one, and `TIMEOUT(digit)` means nothing to it (16.28,
    /// 22.10). So it is the one for the next, and who has pressed nothing is listened to again, in silence, until he
    /// had at least as long as he may take for the first.
    async fn digits_after(&mut self, mut sound: &str, digits: &Digits) -> Result<Option<Entry>, Gone> {
        let mut waited = Duration::ZERO;
        loop {
            let answer = self.long(Command::get_data(sound, digits.next, digits.most)).await?;
            let Some(answer) = answer.filter(|answer| answer.result() != "-1") else {
                self.missing(sound).await?;
                return Ok(None);
            };
            waited += digits.next;
            let nothing = answer.result().is_empty() && answer.timed_out();
            if !nothing || waited >= digits.first {
                return Ok(Some(Dialled(Zeroizing::new(answer.result().to_owned()))));
            }
            sound = "";
        }
    }

    /// Takes digits one by one, for an Asterisk without any sound to take them with.
    async fn digits_after_a_tone(&mut self, digits: &Digits) -> Result<Entry, Gone> {
        self.tone().await?;
        let mut entered = Zeroizing::new(String::with_capacity(usize::from(digits.most)));
        let mut patience = digits.first;
        while entered.len() < usize::from(digits.most) {
            let until = Instant::now() + patience + PATIENCE;
            let pressed = self.command(Command::wait_for_digit(patience), until).await?;
            match pressed.and_then(|answer| u8::try_from(answer.number()?).ok()) {
                Some(digit @ (b'0'..=b'9' | b'*' | b'A'..=b'D')) => entered.push(char::from(digit)),
                Some(0 | b'#') => break,
                _ => {
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
        for sound in sounds(prompt) {
            if let Some(entry) = self.digits_after(sound, digits).await? {
                return Ok(entry);
            }
        }
        self.digits_after_a_tone(digits).await
    }

    async fn say(&mut self, what: &[Utterance]) -> Result<(), Gone> {
        for utterance in what {
            match utterance {
                Utterance::Prompt(prompt) => self.play(sounds(*prompt)).await?,
                Utterance::Extension(extension) => self.spell(extension.as_str()).await?,
                Utterance::Number(number) => self.spell(number.as_str().trim_start_matches('+')).await?,
            }
        }
        Ok(())
    }

    async fn speak(&mut self, language: &Language) -> Result<(), Gone> {
        self.set("CHANNEL(language)", language.as_str()).await
    }

    async fn end(mut self, outcome: Outcome) {
        // Both are carried out for a caller who is gone, too. One who is there with the line to Asterisk lost has
        // heard nothing: the dialplan says so, as it finds no result.
        for (name, value) in [("HD_DIALLED", ""), ("HD_RESULT", outcome.name())] {
            let _ = self.carried_out(Command::set_variable(name, value), Instant::now() + PATIENCE).await;
        }
        let _ = timeout(PATIENCE, self.out.shutdown()).await;
    }
}

/// The tenant whose dialplan asks for this script.
fn whose(script: &str, tenants: &[TenantId]) -> Option<TenantId> {
    tenants.iter().find(|tenant| Space::of(tenant).name() == script).cloned()
}

/// The address in what Asterisk says of where signalling came from: `192.0.2.7:5060`, `[2001:db8::7]:5060`. One that
/// came to an IPv6 socket as `::ffff:192.0.2.7` is the IPv4 address that it is.
fn address(text: &str) -> Option<IpAddr> {
    let address = text.parse::<SocketAddr>().map(|address| address.ip()).or_else(|_| text.parse()).ok()?;
    Some(address.to_canonical())
}
