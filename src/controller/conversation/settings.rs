//! Something of his own that whoever sits at a phone wants otherwise: no question is asked, he sits there.

use tracing::info;

use super::{Stop, speak};
use crate::controller::{Controller, Fault};
use crate::desk::code::{Action, Codes, Operand};
use crate::desk::model::{Office, User};
use crate::desk::policy::Refusal;
use crate::desk::wish::{Granted, grant};
use crate::store::StoreError;
use crate::switch::{Call, Outcome, Phone, Utterance};

impl Controller {
    pub(super) async fn set_for(
        &self,
        call: &Call,
        phone: &mut impl Phone,
        (does, operand): (Action, Option<Operand>),
        codes: &Codes,
        office: &Office,
    ) -> Result<Outcome, Stop> {
        // A guest; or the owner, unless he sits elsewhere.
        let here = office.user_at(&call.device).and_then(|user| office.users.get(user));
        let user: &User = here.ok_or(Stop::Refused(Refusal::NobodyHere, None))?;
        let extension = &user.extension;
        speak(phone, user.language.as_ref()).await?;
        let Granted { settings, says, number } = grant(does, operand, user, office, codes)
            .map_err(|refusal| Stop::Refused(refusal, Some(extension.clone())))?;
        match self.set(&self.origin(call), extension, &settings).await {
            // Removed since he dialled.
            Err(Fault::Store(StoreError::Missing(_))) => {
                return Err(Stop::Refused(Refusal::UserUnknown, Some(extension.clone())));
            }
            done => done?,
        }
        for setting in &settings {
            info!(event = "setting.changed", user = %extension, %setting, "a user set something himself");
        }
        let words = [Some(Utterance::Prompt(says)), number.map(Utterance::Number)];
        phone.say(&words.into_iter().flatten().collect::<Vec<_>>()).await?;
        Ok(Outcome::Set)
    }
}
