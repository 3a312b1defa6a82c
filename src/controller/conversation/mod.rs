//! The conversation with a caller, from the code to the hang-up. It knows no switch.

mod identify;
mod own_pin;
mod sessions;
mod settings;
mod steps;

use tracing::{Instrument, info, info_span, warn};

use super::Controller;
use crate::model::codes::Proof;
use crate::model::id::Extension;
use crate::model::login::policy::{self, Intent};
use crate::model::login::prompt::Prompt;
use crate::model::login::refusal::Refusal;
use crate::switch::{Call, Caller, Gone, Outcome};
use steps::{Conversation, Stop};

impl Controller {
    /// Serves a caller from the dialled code to the hang-up. The caller always hears the result.
    pub async fn converse(&self, call: Call, phone: impl Caller) {
        let span = info_span!("call", call = %call.id, switch = %call.switch, device = %call.device);
        Conversation::new(self, call, phone).run().instrument(span).await;
    }
}

impl<P: Caller> Conversation<'_, P> {
    async fn run(mut self) {
        let story = match self.call.extend_until {
            Some(until) => {
                info!(event = "call.answered", "the user is asked about the automatic logout");
                self.ask_to_extend(until).await
            }
            None => {
                info!(event = "call.arrived", "a caller dialled a code");
                self.story().await
            }
        };
        let outcome = match story {
            Ok(outcome) => Ok(outcome),
            Err(stop) => self.stopped(stop).await,
        };
        match outcome {
            Ok(outcome) => {
                info!(event = "call.ended", outcome = outcome.name(), "the conversation is over");
                self.phone.end(outcome).await;
            }
            Err(Gone) => {
                info!(event = "call.gone", "the caller hung up");
                self.phone.end(Outcome::Refused).await;
            }
        }
    }

    async fn story(&mut self) -> Result<Outcome, Stop> {
        let book = self.controller.codes.borrow().clone();
        let codes = book.of(&self.call.tenant);
        let request = codes.read(&self.call.dialled.0);
        let named = request.as_ref().filter(|request| matches!(request.pin, Proof::Dialled(_)));
        let snapshot = self.greet(named.and_then(|request| request.user.as_ref())).await?;
        let unknown = || Stop::Refused(Refusal::CodeUnknown, None);
        let request = request.ok_or_else(unknown)?;
        let current = snapshot.sessions.get(&self.call.device).map(|session| &session.user);
        let device = snapshot.devices.get(&self.call.device);
        let from = self.call.from;
        let admitted = |user: &Option<Extension>| {
            policy::admit_device(device, from).map_err(|refusal| Stop::Refused(refusal, user.clone()))
        };
        // A guest, or else the owner.
        let here = current.or(device.and_then(|device| device.owner.as_ref()));
        match policy::intent(request, current) {
            Intent::LogOut(user) => {
                self.speak(snapshot.users.get(&user).and_then(|user| user.language.as_ref())).await?;
                self.log_out(user).await
            }
            Intent::NothingToLogOut => self.say_logged_out().await,
            Intent::Set(does, operand) => self.set_for((does, operand), codes, &snapshot).await,
            Intent::Unserved => Err(unknown()),
            Intent::Tell => self.say_user(here.and_then(|user| snapshot.users.get(user))).await,
            Intent::LogIn { user, pin } => {
                admitted(&user)?;
                self.log_in(user, pin).await
            }
            Intent::LogOutEverywhere { user, pin } => {
                admitted(&user)?;
                self.log_out_everywhere(user, pin).await
            }
            Intent::ChangePin(user) => {
                let user = user.or_else(|| here.cloned());
                admitted(&user)?;
                self.change_pin(user).await
            }
        }
    }

    /// Says the result to a caller whose conversation stopped early.
    async fn stopped(&mut self, stop: Stop) -> Result<Outcome, Gone> {
        let (prompt, outcome) = match stop {
            Stop::Gone => return Err(Gone),
            Stop::TriesUsed => return Ok(Outcome::Refused),
            Stop::Refused(refusal, user) => {
                let prompt = refusal.prompt();
                self.refuse(refusal, user).await;
                (prompt, Outcome::Refused)
            }
            Stop::Unavailable(fault) => {
                warn!(event = "call.unavailable", %fault, "the caller hears that the service is not available");
                (Prompt::NotAvailable, Outcome::Unavailable)
            }
        };
        self.say(prompt).await?;
        Ok(outcome)
    }
}
