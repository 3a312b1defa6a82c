//! Changing one's PIN by phone: the old one, then twice the new one.

use tracing::info;

use super::{Outlived, Stop, TRIES, entered, speak};
use crate::controller::Controller;
use crate::desk::code::Proof;
use crate::desk::guessable::guessable;
use crate::desk::id::Extension;
use crate::desk::journal::Actor;
use crate::desk::pin::Pin;
use crate::desk::policy::{Prompt, Refusal};
use crate::store::{Change, StoreError, What};
use crate::switch::{Call, Outcome, Phone, Utterance};

impl Controller {
    /// Of whoever is named or, if nobody is, of who says so.
    pub(super) async fn change_pin(
        &self,
        call: &Call,
        phone: &mut impl Phone,
        user: Option<Extension>,
    ) -> Result<Outcome, Stop> {
        let Some(user) = self.identify(call, phone, user, Proof::Asked, Outlived::Taken).await? else {
            return Ok(Outcome::Refused);
        };
        speak(phone, user.language.as_ref()).await?;
        for _ in 0..TRIES {
            if let Some(new) = self.chosen(call, phone, &user.extension).await? {
                self.replace_pin(call, new, &user.extension).await?;
                info!(event = "pin.changed", user = %user.extension, "a user chose another PIN");
                phone.say(&[Utterance::Prompt(Prompt::PinChanged)]).await?;
                return Ok(Outcome::PinChanged);
            }
            self.refuse(call, Refusal::PinUnfit, Some(user.extension.clone())).await;
            phone.say(&[Utterance::Prompt(Refusal::PinUnfit.prompt())]).await?;
        }
        Ok(Outcome::Refused)
    }

    /// A PIN that was entered twice, is hard to guess, and another than before. One that cannot be is not asked for
    /// once more.
    async fn chosen(
        &self,
        call: &Call,
        phone: &mut impl Phone,
        user: &Extension,
    ) -> Result<Option<Pin>, Stop> {
        let Ok(new) = Pin::new(&entered(phone, Prompt::NewPin).await?.0) else { return Ok(None) };
        if guessable(&new, user).is_some() {
            return Ok(None);
        }
        let record = self.store.pin(&call.tenant, user).await?;
        if self.pins.compare(record, new.clone(), call.tenant.clone(), user.clone()).await?.matches {
            return Ok(None);
        }
        let again = entered(phone, Prompt::NewPinAgain).await?;
        Ok((*again.0 == new.reveal()).then_some(new))
    }

    async fn replace_pin(&self, call: &Call, new: Pin, user: &Extension) -> Result<(), Stop> {
        let at = self.clock.now();
        let record = self.pins.record(new, call.tenant.clone(), user.clone()).await?.chosen(at);
        let change = Change {
            tenant: call.tenant.clone(),
            what: What::Pin(user.clone(), record),
            by: Actor::Phone(call.device.clone()),
            at,
        };
        match self.store.change(&change).await {
            // Removed since he was asked.
            Err(StoreError::Missing(_)) => Err(Stop::Refused(Refusal::UserUnknown, Some(user.clone()))),
            done => Ok(done.map(drop)?),
        }
    }
}
