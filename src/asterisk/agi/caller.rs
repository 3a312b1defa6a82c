//! A caller on an Asterisk, over FastAGI: [`Caller`] with AGI commands.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use futures_util::StreamExt;
use jiff::Timestamp;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadHalf, WriteHalf};
use tokio::time::{Instant, timeout, timeout_at};
use tokio_util::codec::FramedRead;
use tracing::{debug, warn};
use zeroize::Zeroizing;

use super::codec::{AgiError, Answer, Decoder, Environment, Frame, Reply};
use super::command::{Command, InvalidCommand};
use crate::asterisk::dialplan::sounds::sounds;
use crate::asterisk::namespace::{Namespace, TOKEN_HINT};
use crate::controller::pins::Pins;
use crate::model::id::{DeviceName, InvalidId, Language, SwitchName, TenantId};
use crate::model::label::Label;
use crate::model::login::prompt::Prompt;
use crate::switch::{Call, Caller, Dialled, Digits, Entry, Gone, Outcome, Utterance};

/// How long Asterisk may take for its first lines, and for a command that plays nothing.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long a conversation may take; Asterisk then ends the call. The dialplan starts every code with 2 s, so that no caller
/// waits for a controller which accepts the call and then sends nothing.
const CONVERSATION: Duration = Duration::from_secs(180);
/// The script that `hotdesk check` asks for, with a nonce as its argument.
const CHECK: &str = "hotdesk-check";
/// A bare tone: what `Playtones` takes, and the seconds that it lasts.
const TONE: [&str; 2] = ["!440/400,!0/200", "0.6"];
/// The same for a caller who has to wait.
const WAIT: [&str; 2] = ["!440/150,!0/100", "0.25"];

/// Why a connection was not a call. Shows nothing of what was sent, as that may be a PIN.
#[derive(Debug, thiserror::Error)]
pub enum NoCall {
    /// The caller hung up, the connection was lost, or nothing was sent, before it was a call.
    #[error("the connection ended before it was a call")]
    Ended,
    /// It is not Asterisk.
    #[error(transparent)]
    Malformed(#[from] AgiError),
    /// Its tenant is not on this switch.
    #[error(
        "the dialplan asks for a tenant that `tenants` of this [[switch]] does not name: run `hotdesk dialplan install`"
    )]
    Foreign,
    /// It does not show the token that is in the printed dialplan.
    #[error("it does not show the token of the dialplan. If it is Asterisk: run `hotdesk dialplan install`")]
    Stranger,
    /// Its environment is not that of a call from a hotdesk phone.
    #[error("the dialplan did not send {} ({}): run `hotdesk dialplan install`", .0.kind, .0.rule)]
    Unfit(InvalidId),
}

/// The state of a call.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Line {
    /// The caller is there.
    Up,
    /// The caller hung up. Asterisk still runs commands that need no caller.
    HungUp,
    /// The connection is lost, or a reply was too late: later replies may belong to other commands, so none is sent.
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
    /// `pins` know the token that the call must show.
    ///
    /// # Errors
    /// [`NoCall`].
    pub async fn take(
        stream: S,
        switch: SwitchName,
        tenants: &[TenantId],
        pins: &Pins,
    ) -> Result<(Self, Call), NoCall> {
        let (input, out) = tokio::io::split(stream);
        let frames = FramedRead::new(input, Decoder::default());
        let until = Instant::now() + PATIENCE + CONVERSATION;
        let mut phone = Self { frames, out, line: Line::Up, until };
        let environment = phone.environment().await?;
        let script = environment.var("network_script").unwrap_or_default();
        if script == CHECK {
            phone.prove(&pins.proof(environment.args().next().unwrap_or_default())).await;
            return Err(NoCall::Ended);
        }
        let tenant = whose(script, tenants).ok_or(NoCall::Foreign)?;
        let (shown, dialled) = phone.shown(&tenant).await.map_err(|Gone| NoCall::Ended)?;
        if !pins.accepts(&shown) {
            return Err(NoCall::Stranger);
        }
        let id = Label::from(environment.var("uniqueid").unwrap_or_default());
        let mut args = environment.args();
        let device = DeviceName::new(args.next().unwrap_or_default()).map_err(NoCall::Unfit)?;
        let from = args.next().and_then(address);
        let extend_until = args.next().and_then(|until| Timestamp::from_second(until.parse().ok()?).ok());
        let answered = phone.short(Ok(Command::answer())).await.map_err(|Gone| NoCall::Ended)?;
        phone.unless_gone(answered).await.map_err(|Gone| NoCall::Ended)?;
        Ok((phone, Call { id, switch, tenant, device, dialled, extend_until, from }))
    }

    async fn environment(&mut self) -> Result<Environment, NoCall> {
        match timeout(PATIENCE, self.frames.next()).await {
            Ok(Some(Ok(Frame::Environment(environment)))) => Ok(environment),
            Ok(Some(Err(AgiError::Io(_)) | Ok(_)) | None) | Err(_) => Err(NoCall::Ended),
            Ok(Some(Err(error))) => Err(error.into()),
        }
    }

    /// Lifts the dialplan's time-out. Then the token and what was dialled, in one question: an argument of `AGI()` would stand in
    /// the call's CDR, and a value that the dialplan sets in Asterisk's verbose log. A hint stands in neither.
    async fn shown(&mut self, tenant: &TenantId) -> Result<(Zeroizing<String>, Dialled), Gone> {
        self.set("TIMEOUT(absolute)", &CONVERSATION.as_secs().to_string()).await?;
        let asked = format!("${{HINT({})}}|${{HD_DIALLED}}", Namespace::of(tenant).token());
        let answer = self.short(Command::get_full_variable(&asked)).await?;
        let value = answer.as_ref().and_then(Answer::value).unwrap_or_default();
        let (shown, dialled) = value.split_once('|').unwrap_or_default();
        let shown = shown.strip_prefix(TOKEN_HINT).unwrap_or_default();
        Ok((Zeroizing::new(shown.into()), Dialled(Zeroizing::new(dialled.into()))))
    }

    /// Answers `hotdesk check`, which plays Asterisk, with a command that does nothing.
    async fn prove(&mut self, proof: &str) {
        let answer = format!("NOOP \"{proof}\"\n");
        let _ = timeout(PATIENCE, self.out.write_all(answer.as_bytes())).await;
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

    /// Runs a command for a caller on the line. No answer when Asterisk refused it; [`Gone`] when the caller hung up.
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
                warn!(event = "agi.refused", command = name, ?refused, "Asterisk does not know this command");
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
                    "Asterisk did not reply in time; Hotdesk gives the call up"
                );
                Err(Gone)
            }
        }
    }

    /// The reply; an error with its reason if there is one to log, and none if Asterisk hung up.
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

    /// Asks whether the caller is still there, if this result may mean a hang-up.
    async fn unless_gone(&mut self, answer: Option<Answer>) -> Result<(), Gone> {
        if answer.and_then(|answer| answer.number()) == Some(-1) { self.there().await } else { Ok(()) }
    }

    /// Plays the first of `sounds` that this Asterisk has, else a tone.
    async fn play(&mut self, sounds: [String; 2]) -> Result<(), Gone> {
        for sound in &sounds {
            let played = self.long(Command::stream_file(sound, "")).await?;
            if played.is_some_and(|answer| answer.number() == Some(0)) {
                return Ok(());
            }
            self.missing(sound).await?;
        }
        none();
        self.beep(TONE).await
    }

    async fn beep(&mut self, [tone, seconds]: [&str; 2]) -> Result<(), Gone> {
        self.short(Command::exec("Playtones", tone)).await?;
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

    /// Plays `sound` and takes digits; `None` when this Asterisk does not have it.
    ///
    /// AGI has one time-out for the first digit and each next one, and ignores `TIMEOUT(digit)` (16.28, 22.10). So it is
    /// the time-out of the next one. A caller who pressed nothing is listened to again, in silence, until the time-out of
    /// the first digit.
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
        none();
        let [tone, _] = TONE;
        self.short(Command::exec("Playtones", tone)).await?;
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

impl<S: AsyncRead + AsyncWrite + Send> Caller for AgiPhone<S> {
    async fn ask(&mut self, prompt: Prompt, digits: &Digits) -> Result<Entry, Gone> {
        for sound in sounds(prompt) {
            if let Some(entry) = self.digits_after(&sound, digits).await? {
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
                Utterance::Wait => self.beep(WAIT).await?,
            }
        }
        Ok(())
    }

    async fn speak(&mut self, language: &Language) -> Result<(), Gone> {
        self.set("CHANNEL(language)", language.as_str()).await
    }

    async fn end(mut self, outcome: Outcome) {
        // Asterisk sets both after a hang-up, too. If this connection is lost, the dialplan finds no result and says
        // "not available".
        for (name, value) in [("HD_DIALLED", ""), ("HD_RESULT", outcome.name())] {
            let _ = self.carried_out(Command::set_variable(name, value), Instant::now() + PATIENCE).await;
        }
        let _ = timeout(PATIENCE, self.out.shutdown()).await;
    }
}

/// A caller hears a tone instead of a prompt.
fn none() {
    warn!(
        event = "sound.none",
        "no prompt found, neither of Hotdesk nor of Asterisk: the caller hears a tone"
    );
}

/// What `hotdesk check` sends in Asterisk's place, to find out by the answer whether Hotdesk listens.
pub fn question(nonce: &str) -> String {
    format!("agi_network_script: {CHECK}\nagi_threadid: 0\nagi_arg_1: {nonce}\n\n")
}

/// The tenant whose dialplan asks for this script.
fn whose(script: &str, tenants: &[TenantId]) -> Option<TenantId> {
    tenants.iter().find(|tenant| Namespace::of(tenant).name() == script).cloned()
}

/// The address in what Asterisk says of where signalling came from: `192.0.2.7:5060`, `[2001:db8::7]:5060`. One that
/// came to an IPv6 socket as `::ffff:192.0.2.7` is the IPv4 address that it is.
fn address(text: &str) -> Option<IpAddr> {
    let address = text.parse::<SocketAddr>().map(|address| address.ip()).or_else(|_| text.parse()).ok()?;
    Some(address.to_canonical())
}
