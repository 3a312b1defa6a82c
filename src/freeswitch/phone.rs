//! A caller on a FreeSWITCH, spoken to over the event socket: [`Phone`] in terms of dialplan applications.

use std::net::IpAddr;
use std::time::Duration;

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

/// Plays nothing, for ever.
const SILENCE: &str = "silence_stream://-1";

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
    /// When the conversation is over, whatever is being played or asked.
    until: Instant,
}

impl FsPhone {
    /// Takes a call that waits in a code, told by its `CHANNEL_PARK` or its dump: lifts the dialplan's time-out, hides
    /// what was and will be keyed in, and answers.
    ///
    /// # Errors
    /// [`NoCall`].
    pub async fn take(
        client: Client,
        parked: &Event,
        switch: SwitchName,
        tenant: TenantId,
    ) -> Result<(Self, Call), NoCall> {
        let header = |name: &str| parked.get(name).unwrap_or_default().into_owned();
        let id = CallId::new(header("Unique-ID"))?;
        let device = DeviceName::new(header("variable_sip_auth_username"))?;
        let dialled = Dialled(Zeroizing::new(header("variable_hd_dialled")));
        let from =
            header("variable_sip_network_ip").parse().ok().map(|address: IpAddr| address.to_canonical());
        let timeout = header("variable_last_sched_id").parse::<u32>().map_err(|_| NoCall::Ended)?;
        // Whoever deletes the time-out has the call.
        if client.api(&format!("sched_del {timeout}")).await?.as_deref() != Some("+OK Deleted: 1") {
            return Err(NoCall::Ended);
        }
        let language = Some(header("variable_default_language")).filter(|language| !language.is_empty());
        let language = language.unwrap_or_else(|| "en".into());
        let until = Instant::now() + CONVERSATION;
        let phone = Self { client, call: id.clone(), language, until };
        phone.set(&[("sensitive_dtmf", "true"), ("hd_dialled", "")]).await.map_err(|Gone| NoCall::Ended)?;
        phone.run("answer", "").await.map_err(|Gone| NoCall::Ended)?;
        // Inside silence that never ends: a call that is merely parked throws away what is keyed between two commands.
        phone.client.begin(id.as_str(), "endless_playback", SILENCE).await?;
        Ok((phone, Call { id, switch, tenant, device, dialled, from }))
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
        let mut sounds: Vec<(String, String)> = vec![];
        for language in [&self.language, self.language.get(..2).unwrap_or_default(), "en"] {
            let file = format!("${{sounds_dir}}/{}", sounds::ours(prompt, language));
            sounds.push((file.clone(), file));
        }
        let stock = format!("ivr/{}.wav", sounds::stock(prompt));
        sounds.push((format!("${{sound_prefix}}/ivr/8000/{}.wav", sounds::stock(prompt)), stock));
        let there = self.there(sounds.iter().map(|(file, _)| file)).await?;
        let best = sounds.into_iter().zip(there).find_map(|((_, sound), there)| there.then_some(sound));
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
    async fn there(&self, files: impl Iterator<Item = &String>) -> Result<Vec<bool>, Gone> {
        let commands: Vec<String> = files.map(|file| format!("expand file_exists {file}")).collect();
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
        let file = |digit: char| format!("${{sound_prefix}}/digits/8000/{digit}.wav");
        let there = self.there(digits.chars().map(file).collect::<Vec<_>>().iter()).await?;
        if !there.into_iter().all(|there| there) {
            debug!(event = "sound.missing", sound = "digits", "the extension is not said");
            return Ok(());
        }
        for digit in digits.chars() {
            self.run("playback", &format!("digits/{digit}.wav")).await?;
        }
        Ok(())
    }
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
