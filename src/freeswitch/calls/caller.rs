//! A caller on a FreeSWITCH, over the event socket: [`Caller`] with dialplan applications.

use std::net::IpAddr;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::Semaphore;
use tokio::time::Instant;
use tracing::{debug, warn};
use zeroize::Zeroizing;

use crate::controller::pins::Pins;
use crate::freeswitch::dialplan::{TOKEN, sounds};
use crate::freeswitch::esl::client::Client;
use crate::freeswitch::esl::command::argument;
use crate::freeswitch::esl::event::Event;
use crate::model::id::{DeviceName, InvalidId, Language, SwitchName, TenantId};
use crate::model::label::Label;
use crate::model::login::prompt::Prompt;
use crate::switch::{Call, Caller, Dialled, Digits, Entry, Gone, Outcome, SwitchError, Utterance};

/// How long a conversation may take. The dialplan ends it after two minutes, also during a prompt.
const CONVERSATION: Duration = Duration::from_secs(110);

/// The variable with the controllers that claimed the call; the first has it.
const CONTROLLER: &str = "hd_controller";

/// In a call that asks the user of a device to extend the session: the variable with the second until which.
pub(crate) const UNTIL: &str = "hd_extend_until";
/// The variable with that device.
pub(crate) const RUNG: &str = "hd_rung";

/// The variable with the outcome of the conversation, when it is over.
const RESULT: &str = "hd_result";
/// The cause with which Hotdesk hangs up.
pub(crate) const HUNG_UP: &str = "NORMAL_CLEARING";

const SILENCE: &str = "silence_stream://-1";
/// For a caller who has to wait.
const WAIT: &str = "tone_stream://%(150,100,440)";

/// How many calls of a switch are set up at a time.
pub const TURNS: usize = 16;
/// How long one may take.
const TURN: Duration = Duration::from_secs(5);

/// Why a call that waits was not taken. Shows nothing of what was dialled.
#[derive(Debug, thiserror::Error)]
pub enum NoCall {
    /// The caller hung up, the dialplan's two seconds were over, or another controller took it.
    #[error("the call was over before it was taken")]
    Ended,
    /// The switch does not know the token of the printed dialplan.
    #[error(
        "it does not show the token of the dialplan. If it is FreeSWITCH: run `hotdesk dialplan install`"
    )]
    Stranger,
    /// Its variables are not those of a call from the dialplan of Hotdesk.
    #[error("the call came without {} ({}): run `hotdesk dialplan install`", .0.kind, .0.rule)]
    Unfit(#[from] InvalidId),
    /// FreeSWITCH takes a blank or a line break for the end of the id.
    #[error("the call has an id with a blank or a line break, so no command can reach it")]
    Unreachable,
    /// The switch refused.
    #[error(transparent)]
    Switch(#[from] SwitchError),
}

/// The connections by which a call is taken.
#[derive(Clone, Copy)]
pub struct Line<'a> {
    /// The one that serves the call, and hears of its events.
    pub client: &'a Client,
    /// The one that lifts its time-out.
    pub waiting: &'a Client,
    /// So many calls are set up at a time.
    pub turns: &'a Semaphore,
    /// Knows the token that the other end must show; none if Hotdesk itself connected to the switch.
    pub pins: Option<&'a Pins>,
}

/// A caller on a FreeSWITCH.
pub struct FsPhone {
    client: Client,
    /// FreeSWITCH's id of the call, unchanged: a UUID, or whatever the phone chose as its `Call-ID`
    /// (`inbound-use-callid-as-uuid`).
    call: String,
    language: String,
    /// FreeSWITCH's folders of sounds: `sounds_dir` with the prompts of Hotdesk, and `sound_prefix` with the stock ones.
    folders: [String; 2],
    /// When the conversation is over, whatever is being played or asked.
    until: Instant,
}

impl FsPhone {
    /// Takes a call that waits in a code, described by its `CHANNEL_PARK`, its dump or the reply to `connect`, for
    /// `controller`: lifts the dialplan's time-out, claims the call, hides what was and will be keyed in, and answers. All but
    /// the first waits for its turn, so that many calls at once do not wait for each other's commands before their time-outs
    /// are lifted.
    pub async fn take(
        Line { client, waiting, turns, pins }: Line<'_>,
        parked: &Event,
        switch: SwitchName,
        tenant: TenantId,
        controller: &str,
    ) -> Result<(Self, Call), NoCall> {
        let header = |name: &str| parked.get(name).unwrap_or_default().into_owned();
        let call = header("Unique-ID");
        if call.is_empty() || call.contains(|c: char| c.is_whitespace() || c.is_control()) {
            return Err(NoCall::Unreachable);
        }
        let id = Label::from(call.as_str());
        let extend_until = asks_until(parked);
        let device = if extend_until.is_some() { RUNG } else { "sip_auth_username" };
        let device = DeviceName::new(header(&format!("variable_{device}")))?;
        let dialled = Dialled(Zeroizing::new(header("variable_hd_dialled")));
        let from = header("variable_sip_network_ip").parse().ok().map(|ip: IpAddr| ip.to_canonical());
        let timeout = header("variable_last_sched_id").parse::<u32>().map_err(|_| NoCall::Ended)?;
        let language = Some(header("variable_default_language")).filter(|language| !language.is_empty());
        let language = language.unwrap_or_else(|| "en".into());
        let until = Instant::now() + CONVERSATION;
        let mut phone = Self { client: client.clone(), call, language, folders: Default::default(), until };
        // Asked together, so that the token costs no time.
        let token = pins.map(|_| format!("global_getvar {TOKEN}"));
        let asked: Vec<String> = token.into_iter().chain([format!("sched_del {timeout}")]).collect();
        let answers = waiting.api_all(&asked).await?;
        let mut answers = answers.iter().map(|answer| answer.value().unwrap_or_default());
        if pins.is_some_and(|pins| !pins.accepts(answers.next().unwrap_or_default())) {
            return Err(NoCall::Stranger);
        }
        if answers.next() != Some("+OK Deleted: 1") {
            return Err(NoCall::Ended);
        }
        let turn = turns.acquire().await.map_err(|_| NoCall::Ended)?;
        // A call that has its turn keeps others waiting.
        phone.until = Instant::now() + TURN;
        phone.claim(controller).await?;
        let hidden = if extend_until.is_some() { UNTIL } else { "hd_dialled" };
        phone.set(&[("sensitive_dtmf", "true"), (hidden, "")]).await.map_err(|Gone| NoCall::Ended)?;
        phone.find_sounds().await?;
        phone.run("answer", "").await.map_err(|Gone| NoCall::Ended)?;
        // Inside silence that never ends: a call that is merely parked throws away what is keyed between two commands.
        phone.client.begin(&phone.call, "endless_playback", SILENCE).await?;
        drop(turn);
        phone.until = until;
        Ok((phone, Call { id, switch, tenant, device, dialled, extend_until, from }))
    }

    /// Makes the call `controller`'s, if no controller has it yet. Applications run one after the other, so of several
    /// controllers that push their name one is the first. That the time-out was lifted does not tell: FreeSWITCH says so to
    /// two in a row.
    async fn claim(&self, controller: &str) -> Result<(), NoCall> {
        let name = format!("{CONTROLLER}={controller}");
        let pushed = self.run("push", &name).await.map_err(|Gone| NoCall::Ended)?;
        if first_taker(&pushed).as_deref() == Some(controller) { Ok(()) } else { Err(NoCall::Ended) }
    }

    async fn find_sounds(&mut self) -> Result<(), NoCall> {
        let commands = ["sounds_dir", "sound_prefix"].map(|name| format!("global_getvar {name}"));
        for (folder, answer) in self.folders.iter_mut().zip(self.client.api_all(&commands).await?) {
            *folder = answer.value().unwrap_or_default().to_owned();
        }
        Ok(())
    }

    /// Sets variables of the call; an empty one is unset.
    async fn set(&self, variables: &[(&str, &str)]) -> Result<(), Gone> {
        let call = argument(&self.call);
        let commands: Vec<String> =
            variables.iter().map(|(name, value)| format!("uuid_setvar {call} {name} {value}")).collect();
        let answers = self.client.api_all(&commands).await.map_err(|error| self.lost(&error))?;
        // Refused for nothing but a call that is over.
        if answers.iter().all(|answer| answer.value().is_some()) { Ok(()) } else { Err(Gone) }
    }

    /// Runs an application to its end. [`Gone`] when the caller hung up before.
    async fn run(&self, application: &str, argument: &str) -> Result<Event, Gone> {
        let limit = self.until.saturating_duration_since(Instant::now());
        let done = self.client.execute(&self.call, application, argument, limit).await;
        done.map_err(|error| self.lost(&error))?.ok_or(Gone)
    }

    fn lost(&self, error: &SwitchError) -> Gone {
        warn!(event = "phone.lost", call = %Label::from(self.call.as_str()), %error, "the call is given up");
        Gone
    }

    /// What is played for a prompt: of what is there the best. An application that is given a missing file does nothing.
    async fn sound(&self, prompt: Prompt) -> Result<String, Gone> {
        let [own, stock] = &self.folders;
        let languages = [self.language.as_str(), self.language.get(..2).unwrap_or_default(), "en"];
        let mut files = Vec::from(languages.map(|it| format!("{own}/{}", sounds::ours(prompt, it))));
        files.push(format!("{stock}/ivr/8000/{}.wav", sounds::stock(prompt)));
        let there = self.there(&files).await?;
        let best = files.into_iter().zip(there).find_map(|(file, there)| there.then_some(file));
        Ok(best.unwrap_or_else(|| {
            warn!(
                event = "sound.none",
                prompt = prompt.name(),
                "no prompt found, neither of Hotdesk nor of FreeSWITCH: the caller hears a tone"
            );
            sounds::TONE.into()
        }))
    }

    async fn there(&self, files: &[String]) -> Result<Vec<bool>, Gone> {
        let commands: Vec<String> = files.iter().map(|file| format!("file_exists {file}")).collect();
        let answers = self.client.api_all(&commands).await.map_err(|error| self.lost(&error))?;
        Ok(answers.iter().map(|answer| answer.value() == Some("true")).collect())
    }

    /// Plays `sound` until a key is pressed, and waits so long after it; `None`, if none is.
    ///
    /// A key that is pressed stands in the events of the call, and after a hang-up in the middle in its last event and in CDRs
    /// that hold all variables: one key each, never two, as `read` forgets the one before. `-` is no key, so `#` is one like
    /// others. `play_and_get_digits` would show the key in FreeSWITCH's log, where it is matched.
    async fn key(&self, sound: &str, wait: Duration) -> Result<Option<char>, Gone> {
        let wait = wait.as_millis();
        let done = self.run("read", &format!("1 1 {sound} hd_entry {wait} - {wait}")).await?;
        Ok(done.get("variable_hd_entry").and_then(|entry| entry.chars().next()))
    }

    /// Says digits one by one; nothing, where FreeSWITCH's sounds are not installed.
    async fn spell(&self, digits: &str) -> Result<(), Gone> {
        let [_, stock] = &self.folders;
        let file = |digit: char| format!("{stock}/digits/8000/{digit}.wav");
        let files: Vec<String> = digits.chars().map(file).collect();
        if !self.there(&files).await?.into_iter().all(|there| there) {
            debug!(event = "sound.missing", sound = "digits", "the extension is not said");
            return Ok(());
        }
        for file in files {
            self.run("playback", &file).await?;
        }
        Ok(())
    }
}

/// Until when the user is asked to extend the session, if that is why this call waits. Only a call that the switch made
/// asks so: a caller sets variables by no header, and is not believed otherwise.
pub(crate) fn asks_until(parked: &Event) -> Option<Timestamp> {
    let made_here = parked.get("Call-Direction").as_deref() == Some("outbound");
    let until = parked.get(&format!("variable_{UNTIL}")).filter(|_| made_here)?;
    Timestamp::from_second(until.parse().ok()?).ok()
}

/// Whether a conversation with this caller came to its end.
pub(crate) fn is_over(call: &Event) -> bool {
    call.get(&format!("variable_{RESULT}")).is_some()
}

/// What lets a caller hear "not available", and ends the call.
pub(crate) fn release(call: &str) -> String {
    format!("uuid_transfer {} hotdesk-away XML hotdesk@code", argument(call))
}

/// The controller that has the call, if one has: the first of `ARRAY::one|:two`.
pub(crate) fn first_taker(call: &Event) -> Option<String> {
    let takers = call.get(&format!("variable_{CONTROLLER}"))?;
    takers.trim_start_matches("ARRAY::").split("|:").next().map(str::to_owned)
}

impl Caller for FsPhone {
    async fn ask(&mut self, prompt: Prompt, digits: &Digits) -> Result<Entry, Gone> {
        let most = usize::from(digits.most);
        // Never grows, so that no copy of it is left behind.
        let mut entry = Zeroizing::new(String::with_capacity(most));
        let (mut sound, mut wait) = (self.sound(prompt).await?, digits.first);
        while entry.len() < most {
            match self.key(&sound, wait).await? {
                Some(key) if key != '#' => entry.push(key),
                _ => break,
            }
            (sound, wait) = ("silence".into(), digits.next);
        }
        self.set(&[("hd_entry", "")]).await?;
        Ok(Dialled(entry))
    }

    async fn say(&mut self, what: &[Utterance]) -> Result<(), Gone> {
        for utterance in what {
            match utterance {
                Utterance::Prompt(prompt) => {
                    let sound = self.sound(*prompt).await?;
                    self.run("playback", &sound).await?;
                }
                Utterance::Extension(extension) => self.spell(extension.as_str()).await?,
                Utterance::Number(number) => self.spell(number.as_str().trim_start_matches('+')).await?,
                Utterance::Wait => drop(self.run("playback", WAIT).await?),
            }
        }
        Ok(())
    }

    async fn speak(&mut self, language: &Language) -> Result<(), Gone> {
        self.language = language.as_str().into();
        self.set(&[("default_language", language.as_str())]).await
    }

    async fn end(self, outcome: Outcome) {
        let _ = self.set(&[("hd_entry", ""), (RESULT, outcome.name())]).await;
        if let Err(error) = self.client.hangup(&self.call, HUNG_UP).await {
            // After the next connect, calls like this one are looked for.
            debug!(event = "phone.not_hung_up", call = %Label::from(self.call.as_str()), %error, "the dialplan will end the call");
        }
    }
}
