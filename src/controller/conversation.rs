//! What happens between the code and the hang-up, as the caller lives it. Reads like the story it tells; knows
//! no switch.

mod leaving;
mod own_pin;
mod settings;
mod staying;

use std::time::Duration;

use tracing::{Instrument, info, info_span, warn};

use super::{Controller, Fault, Origin};
use crate::desk::code::Proof;
use crate::desk::id::{Extension, Language};
use crate::desk::journal::{Actor, Event};
use crate::desk::model::{Office, User};
use crate::desk::pin::Pin;
use crate::desk::policy::{self, Intent, Prompt, Refusal};
use crate::desk::seat::Act;
use crate::desk::table::Scope;
use crate::store::{Guess, StoreError};
use crate::switch::{Call, Digits, Entry, Gone, Outcome, Phone, Utterance};
use leaving::stay_empty;

/// How often a caller may try in one call.
const TRIES: u32 = 3;
/// How an extension or a PIN is taken. Room for a few false starts, each ended by `*`.
const DIGITS: Digits = Digits { first: Duration::from_secs(7), next: Duration::from_secs(4), most: 40 };

/// What becomes of a PIN that is older than one may be.
#[derive(Clone, Copy, PartialEq)]
enum Outlived {
    /// It logs nobody in.
    Refused,
    /// It is taken: he chooses another, or leaves.
    Taken,
}

/// Why a conversation stops before its end.
#[derive(Debug)]
enum Stop {
    /// He hung up.
    Gone,
    /// He is refused, and asking again would not help.
    Refused(Refusal, Option<Extension>),
    /// Something of ours is away.
    Unavailable(Fault),
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

impl Controller {
    /// Serves a caller from the code he dialled to the hang-up. He always hears how it ended.
    pub async fn converse(&self, call: Call, mut phone: impl Phone) {
        let span = info_span!("call", call = %call.id, switch = %call.switch, device = %call.device);
        async {
            let story = match call.stays {
                Some(until) => {
                    info!(event = "call.answered", "somebody is asked whether he stays");
                    self.stays(&call, &mut phone, until).await
                }
                None => {
                    info!(event = "call.arrived", "somebody dialled a code");
                    self.story(&call, &mut phone).await
                }
            };
            let outcome = match story {
                Ok(outcome) => Ok(outcome),
                Err(stop) => self.stopped(&call, &mut phone, stop).await,
            };
            match outcome {
                Ok(outcome) => {
                    info!(event = "call.ended", outcome = outcome.name(), "the conversation is over");
                    phone.end(outcome).await;
                }
                Err(Gone) => {
                    info!(event = "call.gone", "the caller hung up");
                    phone.end(Outcome::Refused).await;
                }
            }
        }
        .instrument(span)
        .await;
    }

    async fn story(&self, call: &Call, phone: &mut impl Phone) -> Result<Outcome, Stop> {
        let book = self.codes.borrow().clone();
        let codes = book.of(&call.tenant);
        let office = self.greet(call, phone).await?;
        let unknown = || Stop::Refused(Refusal::CodeUnknown, None);
        let request = codes.read(&call.dialled.0).ok_or_else(unknown)?;
        let seated = office.bindings.get(&call.device).map(|binding| &binding.user);
        let device = office.devices.get(&call.device);
        let admitted = |user: &Option<Extension>| {
            policy::admit_device(device, call.from).map_err(|refusal| Stop::Refused(refusal, user.clone()))
        };
        // A guest, or else the owner.
        let here = seated.or(device.and_then(|device| device.owner.as_ref()));
        match policy::intent(request, seated) {
            Intent::Leave(user) => {
                speak(phone, office.users.get(&user).and_then(|user| user.language.as_ref())).await?;
                self.leave(call, phone, user).await
            }
            Intent::StayEmpty => stay_empty(phone).await,
            Intent::Set(does, operand) => self.set_for(call, phone, (does, operand), codes, &office).await,
            Intent::Unserved => Err(unknown()),
            Intent::Tell => tell(phone, here.and_then(|user| office.users.get(user))).await,
            Intent::Arrive { user, pin } => {
                admitted(&user)?;
                self.arrive(call, phone, user, pin).await
            }
            Intent::LeaveEverywhere { user, pin } => {
                admitted(&user)?;
                self.leave_everywhere(call, phone, user, pin).await
            }
            Intent::ChangePin(user) => {
                let user = user.or_else(|| here.cloned());
                admitted(&user)?;
                self.change_pin(call, phone, user).await
            }
        }
    }

    /// What is known of the caller's device; from now on he is spoken to as where it stands, until he is known.
    async fn greet(&self, call: &Call, phone: &mut impl Phone) -> Result<Office, Stop> {
        let office = self.store.office(&call.tenant, &Scope::device(&call.device)).await?;
        let location = office.devices.get(&call.device).and_then(|device| office.location_of(device));
        speak(phone, location.and_then(|location| location.language.as_ref())).await?;
        Ok(office)
    }

    async fn arrive(
        &self,
        call: &Call,
        phone: &mut impl Phone,
        user: Option<Extension>,
        pin: Proof,
    ) -> Result<Outcome, Stop> {
        match self.identify(call, phone, user, pin, Outlived::Refused).await? {
            Some(user) => self.sit_down(call, phone, user).await,
            None => Ok(Outcome::Refused),
        }
    }

    /// Who the caller is, by his PIN: asks for what was not dialled along, three times if need be. None, if he was
    /// refused each time.
    async fn identify(
        &self,
        call: &Call,
        phone: &mut impl Phone,
        user: Option<Extension>,
        mut pin: Proof,
        outlived: Outlived,
    ) -> Result<Option<User>, Stop> {
        for _ in 0..TRIES {
            let named = match &user {
                Some(user) => Some(user.clone()),
                None => Extension::new(entered(phone, Prompt::EnterExtension).await?.0.as_str()).ok(),
            };
            let pin = match std::mem::replace(&mut pin, Proof::Asked) {
                Proof::Waived => return self.trusted(call, named).await.map(Some),
                Proof::Dialled(pin) => Some(pin),
                Proof::Asked => Pin::new(&entered(phone, Prompt::EnterPin).await?.0).ok(),
            };
            let verdict = match (&named, pin) {
                (Some(user), Some(pin)) => self.verify(call, user, pin, outlived).await?,
                _ => Err(Refusal::EntryMissing),
            };
            match verdict {
                Ok(user) => return Ok(Some(user)),
                Err(refusal) if refusal.invites_another_try() => {
                    self.refuse(call, refusal, named).await;
                    phone.say(&[Utterance::Prompt(refusal.prompt())]).await?;
                }
                Err(refusal) => return Err(Stop::Refused(refusal, named)),
            }
        }
        Ok(None)
    }

    /// A user whom nobody asks for a PIN, as the administrator wants it.
    async fn trusted(&self, call: &Call, named: Option<Extension>) -> Result<User, Stop> {
        let user = named.ok_or(Stop::Refused(Refusal::EntryMissing, None))?;
        let known = self.store.office(&call.tenant, &Scope::user(&user)).await?.users.remove(&user);
        policy::admit_user(known.as_ref(), true)
            .and(known.ok_or(Refusal::UserUnknown))
            .map_err(|refusal| Stop::Refused(refusal, Some(user)))
    }

    /// Whether this is the user's PIN, not too old where that matters, and he may. Everybody who may not is refused after
    /// the same steps, so that the time taken tells nothing.
    async fn verify(
        &self,
        call: &Call,
        user: &Extension,
        pin: Pin,
        outlived: Outlived,
    ) -> Result<Result<User, Refusal>, Stop> {
        let tenant = &call.tenant;
        let guess = Guess {
            tenant: tenant.clone(),
            user: self.pins.alias(tenant, user),
            device: call.device.clone(),
            at: self.clock.now(),
        };
        let attempt = self.store.attempt(&guess).await?;
        if let Err(refusal) = attempt.allowed {
            return Ok(Err(refusal));
        }
        let mut office = self.store.office(tenant, &Scope::user(user)).await?;
        let record = self.store.pin(tenant, user).await?;
        let compared = self.pins.compare(record.clone(), pin, tenant.clone(), user.clone()).await?;
        let known = office.users.remove(user);
        let admitted = policy::admit_user(known.as_ref(), compared.matches);
        let rules = self.rules_of(tenant);
        let expired = outlived == Outlived::Refused
            && record.as_ref().is_some_and(|record| rules.outlived(record.set(), guess.at));
        let refusal = match (admitted, known) {
            (Ok(()), Some(_)) if expired => Refusal::PinExpired,
            (Ok(()), Some(known)) => {
                self.store.forgive(&guess).await?;
                if let (Some(was), Some(is)) = (record, compared.anew) {
                    self.rehash(tenant, user, &was, &is).await;
                }
                return Ok(Ok(known));
            }
            (Ok(()), None) => Refusal::UserUnknown,
            (Err(refusal), known) => {
                // Digits that are nobody's extension may be a PIN typed at the wrong question.
                let user = known.is_some().then_some(user);
                self.alarm(&self.origin(call), &attempt.spray, &call.device, user).await;
                refusal
            }
        };
        Ok(Err(refusal))
    }

    async fn sit_down(&self, call: &Call, phone: &mut impl Phone, user: User) -> Result<Outcome, Stop> {
        speak(phone, user.language.as_ref()).await?;
        let extension = user.extension;
        let seat = Act::Seat(extension.clone(), call.device.clone(), self.rules_of(&call.tenant).seating);
        let done = match self.perform(&self.origin(call), seat).await {
            // Removed or forbidden since he was asked; or he sits elsewhere, or somebody else here, as the store alone knows.
            Err(Fault::Store(StoreError::Missing(_))) => {
                return Err(Stop::Refused(Refusal::UserUnknown, Some(extension)));
            }
            Err(Fault::Store(StoreError::Refused(refusal))) => {
                return Err(Stop::Refused(refusal, Some(extension)));
            }
            done => done?,
        };
        info!(event = "login.done", user = %extension, revision = %done.revision,
            moved_from = done.moved_from().map(tracing::field::display), "logged in");
        let mut words = vec![Utterance::Prompt(Prompt::LoggedIn), Utterance::Extension(extension)];
        if done.moved_from().is_some() {
            words.push(Utterance::Prompt(Prompt::MovedFrom));
        }
        phone.say(&words).await?;
        Ok(Outcome::LoggedIn)
    }

    /// Tells a caller how it ended who did not get to the end.
    async fn stopped(&self, call: &Call, phone: &mut impl Phone, stop: Stop) -> Result<Outcome, Gone> {
        let (prompt, outcome) = match stop {
            Stop::Gone => return Err(Gone),
            Stop::Refused(refusal, user) => {
                self.refuse(call, refusal, user).await;
                (refusal.prompt(), Outcome::Refused)
            }
            Stop::Unavailable(fault) => {
                warn!(event = "call.unavailable", %fault, "the caller hears that it is not available");
                (Prompt::NotAvailable, Outcome::Unavailable)
            }
        };
        phone.say(&[Utterance::Prompt(prompt)]).await?;
        Ok(outcome)
    }

    async fn refuse(&self, call: &Call, refusal: Refusal, user: Option<Extension>) {
        // Digits that are nobody's extension may be a PIN typed at the wrong question.
        let user = match user {
            Some(user) => self.known(call, &user).await.then_some(user),
            None => None,
        };
        info!(
            event = "login.refused",
            reason = refusal.code(),
            user = user.as_ref().map(tracing::field::display),
            "refused"
        );
        let reason = refusal.code().into();
        self.journal(&self.origin(call), Event::Refused { device: call.device.clone(), user, reason }).await;
    }

    /// Who asks, in this call, by the code he dialled.
    fn origin(&self, call: &Call) -> Origin {
        let codes = self.codes.borrow().clone();
        let code = codes.of(&call.tenant).reading(&call.dialled.0).map(|(code, _)| code.pattern.to_string());
        Origin {
            tenant: call.tenant.clone(),
            switch: call.switch.clone(),
            by: Actor::Phone(call.device.clone()),
            call: Some(call.id.clone()),
            code,
        }
    }

    async fn known(&self, call: &Call, user: &Extension) -> bool {
        let office = self.store.office(&call.tenant, &Scope::user(user)).await;
        office.is_ok_and(|office| office.users.contains_key(user))
    }
}

/// Says who sits here.
async fn tell(phone: &mut impl Phone, here: Option<&User>) -> Result<Outcome, Stop> {
    match here {
        Some(user) => {
            speak(phone, user.language.as_ref()).await?;
            let extension = Utterance::Extension(user.extension.clone());
            phone.say(&[Utterance::Prompt(Prompt::LoggedIn), extension]).await?;
        }
        None => phone.say(&[Utterance::Prompt(Prompt::NotAllowedHere)]).await?,
    }
    Ok(Outcome::Told)
}

async fn speak(phone: &mut impl Phone, language: Option<&Language>) -> Result<(), Gone> {
    match language {
        Some(language) => phone.speak(language).await,
        None => Ok(()),
    }
}

/// Asks, and takes what follows the last `*`: it starts the entry over.
async fn entered(phone: &mut impl Phone, prompt: Prompt) -> Result<Entry, Gone> {
    let mut entry = phone.ask(prompt, &DIGITS).await?;
    if let Some(star) = entry.0.rfind('*') {
        entry.0.drain(..=star);
    }
    Ok(entry)
}
