//! Carries out commands in the store, and waits until the switch has acknowledged them.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::watch;
use tracing::error;

use super::clock::Clock;
use super::commands::{self, request_id};
use super::pins::{self, Pins};
use super::reconcile::{NotReconciled, Reconciler};
use crate::model::codes::Book;
use crate::model::command::{Change, Command};
use crate::model::desired::Scope;
use crate::model::id::{Extension, SwitchName, TenantId};
use crate::model::journal::{Actor, Event};
use crate::model::label::Label;
use crate::model::login::limits::{LoginLimits, TenantLimits};
use crate::model::login::lockout::Guess;
use crate::model::login::transition::{SessionCommand, Transition};
use crate::model::settings::{Setting, SettingsCommand};
use crate::store::{Store, StoreError};

/// What is needed to answer a call: the store, the switches and the codes.
pub struct Controller {
    /// The store.
    pub store: Arc<dyn Store>,
    /// Compares PINs.
    pub pins: Pins,
    /// The limits of logins and PINs; a reload replaces them.
    pub rules: watch::Receiver<Arc<TenantLimits>>,
    /// The codes of each tenant; a reload replaces them.
    pub codes: watch::Receiver<Arc<Book>>,
    /// Each switch with each of its tenants, reconciled by a task.
    pub switches: BTreeMap<(SwitchName, TenantId), Reconciler>,
    /// The clock.
    pub clock: Clock,
}

/// Why a command could not be carried out now.
#[derive(Debug, thiserror::Error)]
pub(super) enum Fault {
    #[error(transparent)]
    Pins(#[from] pins::Busy),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Switch(#[from] NotReconciled),
    #[error("no [[switch]] {0} with the tenant {1} is configured")]
    Unknown(SwitchName, TenantId),
}

#[derive(Clone, Debug)]
pub(super) struct Origin {
    pub(super) tenant: TenantId,
    /// The switch that must acknowledge before the caller hears the result.
    pub(super) switch: SwitchName,
    pub(super) by: Actor,
    pub(super) call: Option<Label>,
    /// The code, as written in the configuration.
    pub(super) code: Option<String>,
}

impl Controller {
    /// Carries out `command` in the store, then in the switch of `origin`. Undoes it if the switch does not acknowledge:
    /// after a [`Fault`] nothing has changed, or the change will be undone soon.
    ///
    /// Forgives `attempt`, whose PIN was right, in the same commit.
    pub(super) async fn perform(
        &self,
        origin: &Origin,
        command: SessionCommand,
        attempt: Option<Guess>,
    ) -> Result<Transition, Fault> {
        let place = (origin.switch.clone(), origin.tenant.clone());
        let switch = self.switches.get(&place).ok_or(Fault::Unknown(place.0, place.1))?;
        let about = command.scope();
        let change = match attempt {
            Some(guess) => Change::Identified(guess, command),
            None => Change::Session(command),
        };
        let done = self.move_sessions(origin, change).await?;
        // Nothing changed, but an earlier command of the same users may still wait for the switch.
        let (about, change) =
            if done.is_empty() { (about, None) } else { (done.touches(), Some(done.revision)) };
        match switch.reconcile(about, change).await {
            Ok(()) => Ok(done),
            Err(fault) => {
                self.undo(origin, done).await;
                Err(fault.into())
            }
        }
    }

    /// Changes settings of a user in the store, one after the other, then in the switch of `origin`. If the switch
    /// does not acknowledge, the settings are kept, and the switch gets them as soon as possible. Without settings:
    /// waits until the switch has the current ones.
    pub(super) async fn set(
        &self,
        origin: &Origin,
        user: &Extension,
        settings: &[Setting],
    ) -> Result<(), Fault> {
        let place = (origin.switch.clone(), origin.tenant.clone());
        let switch = self.switches.get(&place).ok_or(Fault::Unknown(place.0, place.1))?;
        if !settings.is_empty() {
            let (user, settings) = (user.clone(), settings.to_vec());
            // The destinations that a code may forward to were checked when the code was read.
            let change = SettingsCommand { user, settings, emergency_numbers: vec![] };
            commands::commit(&*self.store, &self.command(origin, Change::Settings(change))?).await?;
        }
        Ok(switch.reconcile(Scope::user(user), None).await?)
    }

    /// An error if the switch with this tenant is held: then nothing is changed in the store for it either.
    pub(super) fn is_free(&self, switch: &SwitchName, tenant: &TenantId) -> Result<(), Fault> {
        let held = self.switches.get(&(switch.clone(), tenant.clone())).map(Reconciler::held);
        match held.and_then(|held| held.borrow().clone()) {
            Some(why) => Err(Fault::Switch(NotReconciled::Held(why))),
            None => Ok(()),
        }
    }

    pub(super) fn rules_of(&self, tenant: &TenantId) -> LoginLimits {
        self.rules.borrow().of(tenant)
    }

    async fn move_sessions(&self, origin: &Origin, change: Change) -> Result<Transition, StoreError> {
        let command = self.command(origin, change)?;
        Ok(commands::commit(&*self.store, &command).await?.into_transition())
    }

    pub(super) fn command(&self, origin: &Origin, change: Change) -> Result<Command, StoreError> {
        let Origin { tenant, by, call, code, .. } = origin.clone();
        Ok(Command { request: request_id()?, tenant, by, call, code, at: self.clock.now(), change })
    }

    async fn undo(&self, origin: &Origin, done: Transition) {
        let most = self.rules_of(&origin.tenant).login.multiple_logins.most();
        if let Err(error) = self.move_sessions(origin, Change::Session(done.inverse(most, false))).await {
            error!(event = "login.not_undone", call = origin.call.as_ref().map(tracing::field::display), %error,
                "the switch is reconciled when it and the store are back");
        }
    }

    /// Journals a refusal. A failure to do so is logged, and the caller hears the same.
    pub(super) async fn journal(&self, origin: &Origin, event: Event) {
        let entry = async {
            commands::commit(&*self.store, &self.command(origin, Change::Record(vec![event]))?).await
        };
        if let Err(error) = entry.await {
            error!(event = "journal.failed", %error, "a journal entry is lost");
        }
    }
}
