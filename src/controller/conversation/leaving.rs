//! Logging out: here, and wherever one sits.

use tracing::info;

use super::{Outlived, Stop, speak};
use crate::controller::{Controller, Fault};
use crate::desk::code::Proof;
use crate::desk::id::Extension;
use crate::desk::policy::{Prompt, Refusal};
use crate::desk::seat::Act;
use crate::store::StoreError;
use crate::switch::{Call, Outcome, Phone, Utterance};

impl Controller {
    pub(super) async fn leave(
        &self,
        call: &Call,
        phone: &mut impl Phone,
        user: Extension,
    ) -> Result<Outcome, Stop> {
        self.perform(&self.origin(call), Act::Leave(user.clone(), call.device.clone())).await?;
        info!(event = "logout.done", %user, "logged out");
        stay_empty(phone).await
    }

    /// Logs a user out wherever he sits. He need not sit anywhere: he hears that he is logged out, which is true.
    pub(super) async fn leave_everywhere(
        &self,
        call: &Call,
        phone: &mut impl Phone,
        user: Option<Extension>,
        pin: Proof,
    ) -> Result<Outcome, Stop> {
        let Some(user) = self.identify(call, phone, user, pin, Outlived::Taken).await? else {
            return Ok(Outcome::Refused);
        };
        speak(phone, user.language.as_ref()).await?;
        let user = user.extension;
        match self.perform(&self.origin(call), Act::LeaveAll(user.clone())).await {
            // Removed since he was asked.
            Err(Fault::Store(StoreError::Missing(_))) => {
                return Err(Stop::Refused(Refusal::UserUnknown, Some(user)));
            }
            done => done?,
        };
        info!(event = "logout.done", %user, everywhere = true, "logged out");
        stay_empty(phone).await
    }
}

/// Says of a phone at which nobody sits that he is logged out.
pub(super) async fn stay_empty(phone: &mut impl Phone) -> Result<Outcome, Stop> {
    phone.say(&[Utterance::Prompt(Prompt::LoggedOut)]).await?;
    Ok(Outcome::LoggedOut)
}
