//! Changes a setting of the device's user by code, without a question: the user is logged in there.

use tracing::info;

use super::steps::{Conversation, Stop};
use crate::model::codes::{Action, Codes, Operand};
use crate::model::directory::{Snapshot, User};
use crate::model::login::refusal::Refusal;
use crate::model::settings::self_service::{Granted, grant};
use crate::switch::{Caller, Outcome, Utterance};

impl<P: Caller> Conversation<'_, P> {
    pub(super) async fn set_for(
        &mut self,
        (action, operand): (Action, Option<Operand>),
        codes: &Codes,
        snapshot: &Snapshot,
    ) -> Result<Outcome, Stop> {
        // A guest, or the owner who is not logged in elsewhere.
        let here = snapshot.user_at(&self.call.device).and_then(|user| snapshot.users.get(user));
        let user: &User = here.ok_or(Stop::Refused(Refusal::NoUserHere, None))?;
        let extension = &user.extension;
        self.speak(user.language.as_ref()).await?;
        let Granted { settings, says, number } = grant(action, operand, user, snapshot, codes)
            .map_err(|refusal| Stop::Refused(refusal, Some(extension.clone())))?;
        let done = self.controller.set(&self.origin, extension, &settings).await;
        done.map_err(|fault| Stop::about(extension, fault))?;
        for setting in &settings {
            info!(event = "setting.changed", user = %extension, %setting, "a user changed a setting");
        }
        let words = [Some(Utterance::Prompt(says)), number.map(Utterance::Number)];
        self.phone.say(&words.into_iter().flatten().collect::<Vec<_>>()).await?;
        Ok(Outcome::Set)
    }
}
