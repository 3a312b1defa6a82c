//! Who the caller is, by extension and PIN.

use tracing::warn;

use super::steps::{Candidate, Conversation, Outlived, Stop, TRIES};
use crate::controller::commands;
use crate::model::codes::Proof;
use crate::model::command::{Change, Outcome, Reads};
use crate::model::desired::Scope;
use crate::model::directory::{Snapshot, User};
use crate::model::id::Extension;
use crate::model::journal::{Actor, Event};
use crate::model::login::lockout::{Guess, Kind};
use crate::model::login::pin::{Pin, PinRecord};
use crate::model::login::policy;
use crate::model::login::prompt::Prompt;
use crate::model::login::refusal::Refusal;
use crate::store::StoreError;
use crate::switch::Caller;

/// A user who proved the identity, or need not.
pub(super) struct Identified {
    pub(super) user: User,
    /// The attempt with the right PIN. It counts until it is forgiven.
    pub(super) attempt: Option<Guess>,
}

impl<P: Caller> Conversation<'_, P> {
    /// Identifies the caller by PIN: asks up to three times for what was not dialled.
    pub(super) async fn identify(
        &mut self,
        user: Option<Extension>,
        mut pin: Proof,
        outlived: Outlived,
    ) -> Result<Identified, Stop> {
        for _ in 0..TRIES {
            let named = match &user {
                Some(user) => Some(user.clone()),
                None => Extension::new(self.entered(Prompt::EnterExtension).await?.0.as_str()).ok(),
            };
            let pin = match std::mem::replace(&mut pin, Proof::Asked) {
                Proof::Waived => return self.trusted(named).await,
                Proof::Dialled(pin) => Some(pin),
                Proof::Asked => Pin::new(&self.entered(Prompt::EnterPin).await?.0).ok(),
            };
            let verdict = match (&named, pin) {
                (Some(user), Some(pin)) => self.verify(user, pin, outlived).await?,
                _ => Err(Refusal::EntryMissing),
            };
            match verdict {
                Ok(identified) => return Ok(identified),
                Err(refusal) if refusal.invites_another_try() => {
                    let prompt = refusal.prompt();
                    self.refuse(refusal, named).await;
                    self.say(prompt).await?;
                }
                Err(refusal) => return Err(Stop::Refused(refusal, named)),
            }
        }
        Err(Stop::TriesUsed)
    }

    /// A user without a PIN check, as the administrator configured it.
    async fn trusted(&mut self, named: Option<Extension>) -> Result<Identified, Stop> {
        let user = named.ok_or(Stop::Refused(Refusal::EntryMissing, None))?;
        let known = self.snapshot(Scope::user(&user)).await?.users.remove(&user);
        policy::admit_user(known.as_ref(), true)
            .and(known.ok_or(Refusal::UserUnknown))
            .map(|user| Identified { user, attempt: None })
            .map_err(|refusal| Stop::Refused(refusal, Some(user)))
    }

    /// The snapshot of the caller's device and `user`, and what the user's PIN is compared with.
    pub(super) async fn look_up(&self, user: &Extension) -> Result<(Snapshot, Candidate), StoreError> {
        let scope = Scope::user(user).and(Scope::device(&self.call.device));
        let reads = Reads::login(user, &self.guess(user));
        let mut loaded = self.controller.store.load(&self.call.tenant, &reads).await?;
        let pin = loaded.pins.remove(user);
        let snapshot = loaded.into_snapshot(&scope);
        let candidate = Candidate { of: user.clone(), user: snapshot.users.get(user).cloned(), pin };
        Ok((snapshot, candidate))
    }

    fn guess(&self, user: &Extension) -> Guess {
        let alias = self.controller.pins.alias(&self.call.tenant, user);
        Guess { user: alias, device: self.call.device.clone(), at: self.controller.clock.now() }
    }

    /// Whether this is the user's PIN, not too old where that matters, and the user may log in. An attempt without a verdict
    /// does not count.
    async fn verify(
        &mut self,
        user: &Extension,
        pin: Pin,
        outlived: Outlived,
    ) -> Result<Result<Identified, Refusal>, Stop> {
        let candidate = match self.candidate.take() {
            Some(candidate) if candidate.of == *user => candidate,
            _ => self.look_up(user).await?.1,
        };
        let guess = self.guess(user);
        let verdict = self.judge(candidate, pin, outlived, &guess).await;
        if verdict.is_err() {
            self.correct_attempt(Change::TakeBack(guess)).await;
        }
        verdict
    }

    /// Counts the attempt and compares the PIN. All refusals take the same steps, so the time reveals nothing.
    async fn judge(
        &mut self,
        Candidate { of: user, user: known, pin: record }: Candidate,
        pin: Pin,
        outlived: Outlived,
        guess: &Guess,
    ) -> Result<Result<Identified, Refusal>, Stop> {
        let (controller, tenant) = (self.controller, self.call.tenant.clone());
        let attempt = controller.command(&self.origin, Change::Attempt(guess.clone()))?;
        let spray = match commands::commit(&*controller.store, &attempt).await {
            Ok(Outcome::Attempt { spray }) => spray,
            Err(StoreError::Refused(refusal)) => return Ok(Err(refusal)),
            other => other.map(|_| vec![])?,
        };
        let set = record.as_ref().map(PinRecord::set);
        let comparison = controller.pins.compare(record.clone(), pin, tenant.clone(), user.clone());
        let compared = self.audibly(comparison).await?;
        let admitted = policy::admit_user(known.as_ref(), compared.matches);
        let rules = controller.rules_of(&tenant);
        let expired = outlived == Outlived::Refused && set.is_some_and(|set| rules.outlived(set, guess.at));
        let refusal = match (admitted, known) {
            (Ok(()), Some(_)) if expired => Refusal::PinExpired,
            (Ok(()), Some(known)) => {
                if let (Some(was), Some(is)) = (record, compared.rehashed) {
                    self.rehash(&user, was, is).await;
                }
                return Ok(Ok(Identified { user: known, attempt: Some(guess.clone()) }));
            }
            (Ok(()), None) => Refusal::UserUnknown,
            (Err(refusal), known) => {
                // Digits that are no user's extension may be a PIN typed at the wrong question.
                self.alarm(&spray, known.is_some().then_some(&user)).await;
                refusal
            }
        };
        Ok(Err(refusal))
    }

    /// Forgives or takes back an attempt.
    pub(super) async fn correct_attempt(&self, change: Change) {
        let settled = match self.controller.command(&self.origin, change) {
            Ok(command) => commands::commit(&*self.controller.store, &command).await.map(drop),
            Err(error) => Err(error),
        };
        if let Err(error) = settled {
            let device = &self.call.device;
            warn!(event = "login.attempt_kept", %device, %error, "an attempt counts although its PIN was not wrong");
        }
    }

    /// Raises the alarm for a failure that made a spray. `user` must exist: other digits may be a PIN.
    async fn alarm(&mut self, spray: &[Kind], user: Option<&Extension>) {
        for kind in spray {
            // A device that tries many extensions is not about the last one.
            let user = user.filter(|_| *kind == Kind::User);
            let (of, device) = (kind.name(), self.call.device.clone());
            warn!(event = "login.spray", of, %device, user = user.map(tracing::field::display),
                "one device tries many extensions, or one extension is tried from many devices");
            let event = Event::Spray { device, user: user.cloned(), of: of.into() };
            self.controller.journal(&self.origin, event).await;
        }
    }

    /// Stores a PIN's record that was made again, with the current pepper or cost. If that fails, the next login tries again.
    async fn rehash(&mut self, user: &Extension, was: PinRecord, is: PinRecord) {
        let by = (Actor::Controller, self.controller.clock.now());
        let change = Change::Rehash(user.clone(), was, is);
        if let Err(error) = commands::change(&*self.controller.store, &self.call.tenant, by, change).await {
            warn!(event = "pin.not_rehashed", %user, %error, "the PIN's record keeps its older pepper or cost for now");
        }
    }
}
