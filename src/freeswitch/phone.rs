//! A caller on a FreeSWITCH, spoken to over the event socket: [`Phone`] in terms of dialplan applications.

use std::net::IpAddr;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::Semaphore;
use tokio::time::Instant;
use tracing::{debug, warn};
use zeroize::Zeroizing;

use super::client::Client;
use super::esl::Said;
use super::event::Event;
use super::sounds;
use crate::desk::id::{CallId, DeviceName, InvalidId, Language, SwitchName, TenantId};
use crate::desk::policy::Prompt;
use crate::switch::{Call, Dialled, Digits, Entry, Gone, Outcome, Phone, SwitchError, Utterance};

/// How long a conversation may take. The dialplan ends it after two minutes, whatever is being said.
const CONVERSATION: Duration = Duration::from_secs(110);

/// The variable with those who wanted the call; it is the first one's.
const CONTROLLER: &str = "hd_controller";

/// The variable with the second until which somebody stays who is asked, in a call to his phone.
pub(super) const UNTIL: &str = "hd_stay_until";
/// The variable with that phone.
pub(super) const RUNG: &str = "hd_rung";

/// Plays nothing, for ever.
const SILENCE: &str = "silence_stream://-1";

/// How many calls of a switch are set up at a time.
pub const TURNS: usize = 16;
/// How long one may take.
const TURN: Duration = Duration::from_secs(5);

/// Why a parked call was not taken. Says nothing of what was dialled.
#[derive(Debug, thiserror::Error)]
pub enum NoCall {
    /// The caller hung up, the dialplan's two seconds were over, or somebody else took it.
    #[error("the call was over before it was taken")]
    Ended,
    /// What it says of itself cannot be a call of a hotdesk.
    #[error("the call came without {} ({}): is hotdesk.xml the one that `hotdesk dialplan freeswitch` prints?", .0.kind, .0.rule)]
    Unfit(#[from] InvalidId),
    /// The switch would not hand it over.
    #[error(transparent)]
    Switch(#[from] SwitchError),
}

/// A caller on a FreeSWITCH.
pub struct FsPhone {
    client: Client,
    call: CallId,
    language: String,
    /// FreeSWITCH's folders of sounds: `sounds_dir`, where ours are, and `sound_prefix`, the stock ones.
    folders: [String; 2],
    /// When the conversation is over, whatever is being played or asked.
    until: Instant,
}

impl FsPhone {
    /// Takes a call that waits in a code, told by its `CHANNEL_PARK`, its dump or the reply to `connect`, for `controller`:
    /// lifts the dialplan's time-out over `bell`, claims it, hides what was and will be keyed in, and answers. All but the first waits
    /// for one of `turns`, so that many calls at once do not wait for each other's commands before their time-outs are
    /// lifted.
    ///
    /// # Errors
    /// [`NoCall`].
    pub async fn take(
        client: Client,
        bell: &Client,
        parked: &Event,
        switch: SwitchName,
        tenant: TenantId,
        controller: &str,
        turns: &Semaphore,
    ) -> Result<(Self, Call), NoCall> {
        let header = |name: &str| parked.get(name).unwrap_or_default().into_owned();
        let id = CallId::new(header("Unique-ID"))?;
        let stays = asks_until(parked);
        let device = if stays.is_some() { RUNG } else { "sip_auth_username" };
        let device = DeviceName::new(header(&format!("variable_{device}")))?;
        let dialled = Dialled(Zeroizing::new(header("variable_hd_dialled")));
        let from =
            header("variable_sip_network_ip").parse().ok().map(|address: IpAddr| address.to_canonical());
        let timeout = header("variable_last_sched_id").parse::<u32>().map_err(|_| NoCall::Ended)?;
        let language = Some(header("variable_default_language")).filter(|language| !language.is_empty());
        let language = language.unwrap_or_else(|| "en".into());
        let until = Instant::now() + CONVERSATION;
        let mut phone = Self { client, call: id.clone(), language, folders: Default::default(), until };
        if bell.api(&format!("sched_del {timeout}")).await?.as_deref() != Some("+OK Deleted: 1") {
            return Err(NoCall::Ended);
        }
        let turn = turns.acquire().await.map_err(|_| NoCall::Ended)?;
        // Who has the turn keeps others waiting.
        phone.until = Instant::now() + TURN;
        phone.claim(controller).await?;
        let hidden = if stays.is_some() { UNTIL } else { "hd_dialled" };
        phone.set(&[("sensitive_dtmf", "true"), (hidden, "")]).await.map_err(|Gone| NoCall::Ended)?;
        phone.find_sounds().await?;
        phone.run("answer", "").await.map_err(|Gone| NoCall::Ended)?;
        // Inside silence that never ends: a call that is merely parked throws away what is keyed between two commands.
        phone.client.begin(id.as_str(), "endless_playback", SILENCE).await?;
        drop(turn);
        phone.until = until;
        Ok((phone, Call { id, switch, tenant, device, dialled, stays, from }))
    }

    /// Makes the call `controller`'s, if it is nobody's yet. Applications run one after the other, so of several who push
    /// their name one is the first. That the time-out was lifted does not tell: FreeSWITCH says so to two in a row.
    async fn claim(&self, controller: &str) -> Result<(), NoCall> {
        let name = format!("{CONTROLLER}={controller}");
        let pushed = self.run("push", &name).await.map_err(|Gone| NoCall::Ended)?;
        if first_taker(&pushed).as_deref() == Some(controller) { Ok(()) } else { Err(NoCall::Ended) }
    }

    /// FreeSWITCH's folders of sounds, as [`FsPhone::folders`] has them.
    async fn find_sounds(&mut self) -> Result<(), NoCall> {
        let commands = ["sounds_dir", "sound_prefix"].map(|name| format!("global_getvar {name}"));
        for (folder, answer) in self.folders.iter_mut().zip(self.client.api_all(&commands).await?) {
            if let Said::Value(path) = answer.said() {
                *folder = path.to_owned();
            }
        }
        Ok(())
    }

    /// Sets variables of the call; an empty one is unset.
    async fn set(&self, variables: &[(&str, &str)]) -> Result<(), Gone> {
        let call = &self.call;
        let commands: Vec<String> =
            variables.iter().map(|(name, value)| format!("uuid_setvar {call} {name} {value}")).collect();
        let answers = self.client.api_all(&commands).await.map_err(|error| self.lost(&error))?;
        // Refused for nothing but a call that is over.
        if answers.iter().all(|answer| matches!(answer.said(), Said::Value(_))) { Ok(()) } else { Err(Gone) }
    }

    /// Runs an application to its end, for a caller who is there then.
    async fn run(&self, application: &str, argument: &str) -> Result<Event, Gone> {
        let limit = self.until.saturating_duration_since(Instant::now());
        let done = self.client.execute(self.call.as_str(), application, argument, limit).await;
        done.map_err(|error| self.lost(&error))?.ok_or(Gone)
    }

    fn lost(&self, error: &SwitchError) -> Gone {
        warn!(event = "phone.lost", call = %self.call, %error, "the call is given up");
        Gone
    }

    /// What is played for a prompt: of what is there the best. An application that is given a missing file does nothing.
    async fn sound(&self, prompt: Prompt) -> Result<String, Gone> {
        let [ours, stock] = &self.folders;
        let languages = [self.language.as_str(), self.language.get(..2).unwrap_or_default(), "en"];
        let mut files: Vec<String> =
            languages.map(|language| format!("{ours}/{}", sounds::ours(prompt, language))).into();
        files.push(format!("{stock}/ivr/8000/{}.wav", sounds::stock(prompt)));
        let there = self.there(&files).await?;
        let best = files.into_iter().zip(there).find_map(|(file, there)| there.then_some(file));
        Ok(best.unwrap_or_else(|| {
            warn!(
                event = "sound.none",
                prompt = prompt.name(),
                "neither our sounds nor FreeSWITCH's are there: the caller hears a tone"
            );
            sounds::TONE.into()
        }))
    }

    /// Which of these files FreeSWITCH has.
    async fn there(&self, files: &[String]) -> Result<Vec<bool>, Gone> {
        let commands: Vec<String> = files.iter().map(|file| format!("file_exists {file}")).collect();
        let answers = self.client.api_all(&commands).await.map_err(|error| self.lost(&error))?;
        Ok(answers.iter().map(|answer| answer.said() == Said::Value("true")).collect())
    }

    /// Plays `sound` until a key is pressed, and waits so long after it; `None`, if none is.
    ///
    /// What is keyed is in the events of the call, and when he hangs up in the middle in its last one and in CDRs that hold
    /// all variables: one key each, never two, as `read` forgets the one before. Of all keys `-` is none, so `#` is one like
    /// others. `play_and_get_digits` would show it in FreeSWITCH's log, where it is matched.
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

/// Until when somebody is asked to stay, if that is why this call waits. Only a call that the switch made has him asked:
/// who calls in sets variables by no header, and is not believed if he did.
pub(super) fn asks_until(parked: &Event) -> Option<Timestamp> {
    let made_here = parked.get("Call-Direction").as_deref() == Some("outbound");
    let until = parked.get(&format!("variable_{UNTIL}")).filter(|_| made_here)?;
    Timestamp::from_second(until.parse().ok()?).ok()
}

/// What lets a caller hear that nobody is available, and ends his call.
pub(super) fn release(call: &str) -> String {
    format!("uuid_transfer {call} hotdesk-away XML hotdesk-code")
}

/// Whose call it is, if it is somebody's: the first of `ARRAY::one|:two`.
pub(super) fn first_taker(call: &Event) -> Option<String> {
    let takers = call.get(&format!("variable_{CONTROLLER}"))?;
    takers.trim_start_matches("ARRAY::").split("|:").next().map(str::to_owned)
}

impl Phone for FsPhone {
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
            }
        }
        Ok(())
    }

    async fn speak(&mut self, language: &Language) -> Result<(), Gone> {
        self.language = language.as_str().into();
        self.set(&[("default_language", language.as_str())]).await
    }

    async fn end(self, outcome: Outcome) {
        let _ = self.set(&[("hd_entry", ""), ("hd_result", outcome.name())]).await;
        if let Err(error) = self.client.hangup(self.call.as_str(), "NORMAL_CLEARING").await {
            // Whoever is connected next looks for calls like this one.
            debug!(event = "phone.not_hung_up", call = %self.call, %error, "the dialplan will end the call");
        }
    }
}
