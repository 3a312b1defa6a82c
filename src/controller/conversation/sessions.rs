//! Logging in, logging out, and postponing the automatic logout.

use jiff::Timestamp;
use tracing::info;

use super::identify::Identified;
use super::steps::{Conversation, DIGITS, Outlived, Stop};
use crate::controller::commands;
use crate::model::codes::Proof;
use crate::model::command::Change;
use crate::model::desired::Scope;
use crate::model::id::Extension;
use crate::model::login::prompt::Prompt;
use crate::model::login::transition::{SessionCommand, Transition};
use crate::switch::{Caller, Digits, Outcome, Utterance};

/// How the key is read that postpones the logout.
const KEY: Digits = Digits { most: 1, ..DIGITS };

impl<P: Caller> Conversation<'_, P> {
    pub(super) async fn log_in(&mut self, user: Option<Extension>, pin: Proof) -> Result<Outcome, Stop> {
        let identified = self.identify(user, pin, Outlived::Refused).await?;
        let user = identified.user.extension.clone();
        let limits = self.controller.rules_of(&self.call.tenant).login;
        let login = SessionCommand::LogIn(user.clone(), self.call.device.clone(), limits);
        let done = self.perform_for(identified, login).await?;
        info!(event = "login.done", %user, revision = %done.revision,
            moved_from = done.moved_from().map(tracing::field::display), "logged in");
        let mut words = vec![Utterance::Prompt(Prompt::LoggedIn), Utterance::Extension(user)];
        if done.moved_from().is_some() {
            words.push(Utterance::Prompt(Prompt::MovedFrom));
        }
        self.phone.say(&words).await?;
        Ok(Outcome::LoggedIn)
    }

    pub(super) async fn log_out(&mut self, user: Extension) -> Result<Outcome, Stop> {
        let command = SessionCommand::LogOut(user.clone(), self.call.device.clone());
        self.controller.perform(&self.origin, command, None).await?;
        info!(event = "logout.done", %user, "logged out");
        self.say_logged_out().await
    }

    /// Logs a user out everywhere. A user without a session also hears that they are logged out, which is true.
    pub(super) async fn log_out_everywhere(
        &mut self,
        user: Option<Extension>,
        pin: Proof,
    ) -> Result<Outcome, Stop> {
        let identified = self.identify(user, pin, Outlived::Taken).await?;
        let user = identified.user.extension.clone();
        self.perform_for(identified, SessionCommand::LogOutEverywhere(user.clone())).await?;
        info!(event = "logout.done", %user, everywhere = true, "logged out");
        self.say_logged_out().await
    }

    /// Performs the command of a user, and speaks the user's language from then on.
    async fn perform_for(
        &mut self,
        Identified { user, attempt }: Identified,
        command: SessionCommand,
    ) -> Result<Transition, Stop> {
        let done = self.controller.perform(&self.origin, command, attempt.clone()).await;
        if let (Err(_), Some(guess)) = (&done, attempt) {
            self.correct_attempt(Change::Forgive(guess)).await;
        }
        self.speak(user.language.as_ref()).await?;
        done.map_err(|fault| Stop::about(&user.extension, fault))
    }

    /// Asks the user of the device whether to postpone the logout to `until`. Any key but 1, and none, changes nothing.
    pub(super) async fn ask_to_extend(&mut self, until: Timestamp) -> Result<Outcome, Stop> {
        let snapshot = self.greet(None).await?;
        let Some(session) = snapshot.sessions.get(&self.call.device) else {
            return self.say_logged_out().await;
        };
        let user = &session.user;
        self.speak(snapshot.users.get(user).and_then(|user| user.language.as_ref())).await?;
        if self.phone.ask(Prompt::PressOneToStay, &KEY).await?.0.as_str() != "1" {
            return Ok(Outcome::Told);
        }
        let by = (self.origin.by.clone(), self.controller.clock.now());
        if commands::extend(&*self.controller.store, &self.call.tenant, session, until, by).await? {
            info!(event = "extend.done", %user, %until, "automatic logout postponed");
        }
        // The session may have ended in the meantime.
        let snapshot = self.snapshot(Scope::device(&self.call.device)).await?;
        if snapshot.sessions.get(&self.call.device).map(|now| now.revision) != Some(session.revision) {
            return self.say_logged_out().await;
        }
        self.phone.say(&[Utterance::Prompt(Prompt::LoggedIn), Utterance::Extension(user.clone())]).await?;
        Ok(Outcome::Told)
    }
}
