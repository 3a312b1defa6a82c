//! What all conversations share: how entries are read, what is said, and why a conversation stops early.

use std::pin::pin;
use std::time::Duration;

use futures_util::future::{Either, select};
use tokio::time::timeout;
use tracing::info;

use crate::controller::Controller;
use crate::controller::perform::{Fault, Origin};
use crate::model::desired::Scope;
use crate::model::directory::{Snapshot, User};
use crate::model::id::{Extension, Language};
use crate::model::journal::{Actor, Event};
use crate::model::login::pin::PinRecord;
use crate::model::login::prompt::Prompt;
use crate::model::login::refusal::Refusal;
use crate::store::StoreError;
use crate::switch::{Call, Caller, Digits, Entry, Gone, Outcome, Utterance};

/// How often a caller may try in one call.
pub(super) const TRIES: u32 = 3;
/// How an extension or a PIN is read. There is room for a few false starts, each ended by `*`.
pub(super) const DIGITS: Digits =
    Digits { first: Duration::from_secs(7), next: Duration::from_secs(4), most: 40 };

/// How long a caller waits in silence.
const SILENCE: Duration = Duration::from_secs(1);

/// What happens with a PIN that is older than allowed.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Outlived {
    /// It is refused.
    Refused,
    /// It is accepted: the user chooses another, or logs out.
    Taken,
}

/// Why a conversation stops early.
#[derive(Debug)]
pub(super) enum Stop {
    Gone,
    /// The caller is refused, and asking again would not help.
    Refused(Refusal, Option<Extension>),
    /// Each try was refused, and the caller heard it.
    TriesUsed,
    /// Something that is needed is down.
    Unavailable(Fault),
}

impl Stop {
    /// A command about `user` failed. The store refuses one whose user was removed or forbidden since the question, or
    /// whose login another session prevents.
    pub(super) fn about(user: &Extension, fault: impl Into<Fault>) -> Self {
        match fault.into() {
            Fault::Store(StoreError::Refused(refusal)) => Self::Refused(refusal, Some(user.clone())),
            fault => Self::Unavailable(fault),
        }
    }
}

impl<F: Into<Fault>> From<F> for Stop {
    fn from(fault: F) -> Self {
        Self::Unavailable(fault.into())
    }
}

impl From<Gone> for Stop {
    fn from(_: Gone) -> Self {
        Self::Gone
    }
}

/// What the store has of the user whom a caller names.
pub(super) struct Candidate {
    pub(super) of: Extension,
    pub(super) user: Option<User>,
    pub(super) pin: Option<PinRecord>,
}

pub(super) struct Conversation<'a, P> {
    pub(super) controller: &'a Controller,
    pub(super) call: Call,
    /// The origin of its commands, with the dialled code.
    pub(super) origin: Origin,
    /// What was read with the device, if user and PIN were dialled.
    pub(super) candidate: Option<Candidate>,
    pub(super) phone: P,
}

impl<'a, P: Caller> Conversation<'a, P> {
    pub(super) fn new(controller: &'a Controller, call: Call, phone: P) -> Self {
        let Call { id, switch, tenant, device, dialled, .. } = &call;
        let codes = controller.codes.borrow().clone();
        let code = codes.of(tenant).reading(&dialled.0).map(|(code, _)| code.pattern.to_string());
        let by = Actor::Device(device.clone());
        let origin =
            Origin { tenant: tenant.clone(), switch: switch.clone(), by, call: Some(id.clone()), code };
        Self { controller, call, origin, candidate: None, phone }
    }

    pub(super) async fn snapshot(&mut self, scope: Scope) -> Result<Snapshot, StoreError> {
        self.controller.store.snapshot(&self.call.tenant, &scope).await
    }

    /// The snapshot of the caller's device and of the `dialled` user; none if the switch is held. Prompts are in the language
    /// of the device's location until the user is known.
    pub(super) async fn greet(&mut self, dialled: Option<&Extension>) -> Result<Snapshot, Stop> {
        let snapshot = match dialled {
            Some(user) => {
                let (snapshot, candidate) = self.look_up(user).await?;
                self.candidate = Some(candidate);
                snapshot
            }
            None => self.snapshot(Scope::device(&self.call.device)).await?,
        };
        let device = snapshot.devices.get(&self.call.device);
        let location = device.and_then(|device| snapshot.location_of(device));
        self.speak(location.and_then(|location| location.language.as_ref())).await?;
        self.controller.is_free(&self.call.switch, &self.call.tenant)?;
        Ok(snapshot)
    }

    pub(super) async fn speak(&mut self, language: Option<&Language>) -> Result<(), Gone> {
        match language {
            Some(language) => self.phone.speak(language).await,
            None => Ok(()),
        }
    }

    pub(super) async fn say(&mut self, prompt: Prompt) -> Result<(), Gone> {
        self.phone.say(&[Utterance::Prompt(prompt)]).await
    }

    pub(super) async fn say_logged_out(&mut self) -> Result<Outcome, Stop> {
        self.say(Prompt::LoggedOut).await?;
        Ok(Outcome::LoggedOut)
    }

    /// Says which user has the device.
    pub(super) async fn say_user(&mut self, here: Option<&User>) -> Result<Outcome, Stop> {
        match here {
            Some(user) => {
                self.speak(user.language.as_ref()).await?;
                let extension = Utterance::Extension(user.extension.clone());
                self.phone.say(&[Utterance::Prompt(Prompt::LoggedIn), extension]).await?;
            }
            None => self.say(Prompt::NotAllowedHere).await?,
        }
        Ok(Outcome::Told)
    }

    /// Asks, and returns what follows the last `*`, which starts the entry again.
    pub(super) async fn entered(&mut self, prompt: Prompt) -> Result<Entry, Gone> {
        let mut entry = self.phone.ask(prompt, &DIGITS).await?;
        if let Some(star) = entry.0.rfind('*') {
            entry.0.drain(..=star);
        }
        Ok(entry)
    }

    /// Waits for a verdict on a PIN. After [`SILENCE`] the caller hears a tone, again and again. After a hang-up the verdict is
    /// reached all the same, and counts.
    pub(super) async fn audibly<T>(&mut self, verdict: impl Future<Output = T>) -> T {
        let mut verdict = pin!(verdict);
        loop {
            if let Ok(verdict) = timeout(SILENCE, &mut verdict).await {
                return verdict;
            }
            match select(pin!(self.phone.say(&[Utterance::Wait])), &mut verdict).await {
                Either::Left((Ok(()), _)) => {}
                Either::Left((Err(Gone), _)) => return verdict.await,
                Either::Right((verdict, tone)) => {
                    let _ = tone.await;
                    return verdict;
                }
            }
        }
    }

    /// Logs and journals a refusal.
    pub(super) async fn refuse(&mut self, refusal: Refusal, mut user: Option<Extension>) {
        // Digits that are no user's extension may be a PIN typed at the wrong question.
        if let Some(named) = &user {
            let snapshot = self.snapshot(Scope::user(named)).await;
            user = user.filter(|user| snapshot.is_ok_and(|snapshot| snapshot.users.contains_key(user)));
        }
        let reason = refusal.code();
        info!(event = "login.refused", reason, user = user.as_ref().map(tracing::field::display), "refused");
        let event = Event::Refused { device: self.call.device.clone(), user, reason: reason.into() };
        self.controller.journal(&self.origin, event).await;
    }
}
