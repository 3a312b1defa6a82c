//! Whether he stays who is to be logged out by himself: his phone rang, and he answered.

use std::time::Duration;

use jiff::Timestamp;
use tracing::info;

use super::{Stop, speak};
use crate::controller::Controller;
use crate::controller::stay::stay;
use crate::desk::policy::Prompt;
use crate::desk::table::Scope;
use crate::switch::{Call, Digits, Outcome, Phone, Utterance};

/// How the one key is taken.
const KEY: Digits = Digits { first: Duration::from_secs(7), next: Duration::from_secs(4), most: 1 };

impl Controller {
    /// Asks who sits here whether he stays until then. Any key but 1, and none, leaves it as it is.
    pub(super) async fn stays(
        &self,
        call: &Call,
        phone: &mut impl Phone,
        until: Timestamp,
    ) -> Result<Outcome, Stop> {
        let office = self.greet(call, phone).await?;
        let Some(binding) = office.bindings.get(&call.device) else {
            return super::stay_empty(phone).await;
        };
        let user = &binding.user;
        speak(phone, office.users.get(user).and_then(|user| user.language.as_ref())).await?;
        if phone.ask(Prompt::PressOneToStay, &KEY).await?.0.as_str() != "1" {
            return Ok(Outcome::Told);
        }
        let by = (self.origin(call).by, self.clock.now());
        if stay(self.store.as_ref(), &call.tenant, binding, until, by).await? {
            info!(event = "stay.done", %user, %until, "stays");
        }
        // He may have left meanwhile, by another's hand.
        let office = self.store.office(&call.tenant, &Scope::device(&call.device)).await?;
        if office.bindings.get(&call.device).map(|now| now.revision) != Some(binding.revision) {
            return super::stay_empty(phone).await;
        }
        phone.say(&[Utterance::Prompt(Prompt::LoggedIn), Utterance::Extension(user.clone())]).await?;
        Ok(Outcome::Told)
    }
}
