//! Changing the own PIN by phone: the old one, then the new one twice.

use tracing::info;

use super::identify::Identified;
use super::steps::{Conversation, Outlived, Stop, TRIES};
use crate::controller::{commands, new_pin};
use crate::model::codes::Proof;
use crate::model::command::Change;
use crate::model::id::Extension;
use crate::model::journal::Actor;
use crate::model::login::pin::Pin;
use crate::model::login::prompt::Prompt;
use crate::model::login::refusal::Refusal;
use crate::model::login::weak_pin::weak_pin;
use crate::switch::{Caller, Outcome};

impl<P: Caller> Conversation<'_, P> {
    /// For the user whose extension was dialled, else for the user who is identified.
    pub(super) async fn change_pin(&mut self, user: Option<Extension>) -> Result<Outcome, Stop> {
        let Identified { user, attempt } = self.identify(user, Proof::Asked, Outlived::Taken).await?;
        if let Some(guess) = attempt {
            self.correct_attempt(Change::Forgive(guess)).await;
        }
        self.speak(user.language.as_ref()).await?;
        let user = user.extension;
        for _ in 0..TRIES {
            if let Some(new) = self.chosen(&user).await? {
                self.replace_pin(new, &user).await?;
                info!(event = "pin.changed", %user, "a user changed the PIN");
                self.say(Prompt::PinChanged).await?;
                return Ok(Outcome::PinChanged);
            }
            self.refuse(Refusal::PinUnfit, Some(user.clone())).await;
            self.say(Refusal::PinUnfit.prompt()).await?;
        }
        Err(Stop::TriesUsed)
    }

    /// A PIN that was entered twice, is hard to guess, and differs from the old one. An unfit PIN is not asked for again.
    async fn chosen(&mut self, user: &Extension) -> Result<Option<Pin>, Stop> {
        let Ok(new) = Pin::new(&self.entered(Prompt::NewPin).await?.0) else { return Ok(None) };
        if weak_pin(&new, user).is_some() {
            return Ok(None);
        }
        let (controller, tenant) = (self.controller, self.call.tenant.clone());
        let record = controller.store.pin(&tenant, user).await?;
        let comparison = controller.pins.compare(record, new.clone(), tenant, user.clone());
        if self.audibly(comparison).await?.matches {
            return Ok(None);
        }
        let again = self.entered(Prompt::NewPinAgain).await?;
        Ok((*again.0 == new.reveal()).then_some(new))
    }

    async fn replace_pin(&mut self, new: Pin, user: &Extension) -> Result<(), Stop> {
        let (controller, tenant) = (self.controller, self.call.tenant.clone());
        let at = controller.clock.now();
        let record =
            self.audibly(controller.pins.record(new, tenant.clone(), user.clone())).await?.chosen(at);
        let change = new_pin::change(user.clone(), record);
        let by = (Actor::Device(self.call.device.clone()), at);
        let done = commands::change(&*controller.store, &tenant, by, change).await;
        done.map(drop).map_err(|fault| Stop::about(user, fault))
    }
}
