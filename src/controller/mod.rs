//! The acts: log in, log out, keep the switches true.

pub mod clock;
pub mod conversation;
pub mod emergency;
mod failures;
mod feed;
pub mod inspect;
pub mod journal;
mod pauses;
pub mod pepper;
pub mod pins;
pub mod reconcile;
pub mod stay;
pub mod timers;

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::watch;
use tracing::error;

use crate::desk::code::Book;
use crate::desk::id::{CallId, Extension, RequestId, Revision, SwitchName, TenantId};
use crate::desk::journal::{Actor, Entry, Event};
use crate::desk::rules::{Rulebook, Rules};
use crate::desk::seat::{Act, Move, Transition};
use crate::desk::setting::Setting;
use crate::desk::table::Scope;
use crate::store::{Change, Store, StoreError, What};

use clock::Clock;
use pins::Pins;
use reconcile::{Reconciler, Unsettled};

/// What every call is answered with: the truth, the switches that follow it, and the codes.
pub struct Controller {
    /// Where the truth lives.
    pub store: Arc<dyn Store>,
    /// Where PINs are compared.
    pub pins: Pins,
    /// Who may sit where, and how old a PIN may be; a reload replaces them.
    pub rules: watch::Receiver<Arc<Rulebook>>,
    /// The codes that are dialled, of each tenant; a reload replaces them.
    pub codes: watch::Receiver<Arc<Book>>,
    /// The switches with each of their tenants, each kept true by its task.
    pub switches: BTreeMap<(SwitchName, TenantId), Reconciler>,
    /// Which time it is.
    pub clock: Clock,
}

/// Why an act could not be done now.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// PINs cannot be compared.
    #[error(transparent)]
    Pins(#[from] pins::Busy),
    /// The store is away.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The switch did not get its rows.
    #[error(transparent)]
    Switch(#[from] Unsettled),
    /// The switch is none of ours.
    #[error("no switch is called {0} and has the tenant {1}")]
    Unknown(SwitchName, TenantId),
}

/// Who asks for an act, and in which call.
#[derive(Clone, Debug)]
pub struct Origin {
    /// Whose people and phones.
    pub tenant: TenantId,
    /// The switch that must acknowledge before anybody is told.
    pub switch: SwitchName,
    /// Who.
    pub by: Actor,
    /// In which call.
    pub call: Option<CallId>,
    /// By which code, as it is written.
    pub code: Option<String>,
}

impl Controller {
    /// Does `act` in the store, then in the switch that `origin` is on. If the switch does not acknowledge, the
    /// store is moved back: what was not made true was not done.
    ///
    /// # Errors
    /// [`Fault`], and then nothing has changed, or soon will not have.
    pub async fn perform(&self, origin: &Origin, act: Act) -> Result<Transition, Fault> {
        let place = (origin.switch.clone(), origin.tenant.clone());
        let switch = self.switches.get(&place).ok_or(Fault::Unknown(place.0, place.1))?;
        let about = act.scope();
        let done = self.move_people(origin, act).await?;
        // Nothing moved, but who moved them before may still wait for the switch.
        let about = if done.is_empty() { about } else { done.touches() };
        match switch.settle(about).await {
            Ok(()) => Ok(done),
            Err(fault) => {
                self.take_back(origin, done).await;
                Err(fault.into())
            }
        }
    }

    /// Changes settings of a user in the store, one after the other, then in the switch that `origin` is on. If the switch
    /// does not acknowledge, they stand, and the switch follows as soon as it can. Without settings: waits for the switch
    /// to have what others set.
    ///
    /// # Errors
    /// [`Fault`]: not all have changed, or the switch does not have them yet.
    pub async fn set(&self, origin: &Origin, user: &Extension, settings: &[Setting]) -> Result<(), Fault> {
        let place = (origin.switch.clone(), origin.tenant.clone());
        let switch = self.switches.get(&place).ok_or(Fault::Unknown(place.0, place.1))?;
        for setting in settings {
            let (what, tenant) = (What::Setting(user.clone(), setting.clone()), origin.tenant.clone());
            let change = Change { tenant, what, by: origin.by.clone(), at: self.clock.now() };
            self.store.change(&change).await?;
        }
        Ok(switch.settle(Scope::user(user)).await?)
    }

    /// What a tenant allows.
    fn rules_of(&self, tenant: &TenantId) -> Rules {
        self.rules.borrow().of(tenant)
    }

    /// A store that did not answer may have done it all the same: so it is asked again, once, with the same id.
    async fn move_people(&self, origin: &Origin, act: Act) -> Result<Transition, StoreError> {
        let act = Move {
            request: request_id()?,
            tenant: origin.tenant.clone(),
            act,
            by: origin.by.clone(),
            call: origin.call.clone(),
            code: origin.code.clone(),
            at: self.clock.now(),
        };
        match self.store.move_people(&act).await {
            Err(StoreError::Away(..)) => self.store.move_people(&act).await,
            done => done,
        }
    }

    async fn take_back(&self, origin: &Origin, done: Transition) {
        let most = self.rules_of(&origin.tenant).seating.multi.most();
        if let Err(error) = self.move_people(origin, done.inverse(most)).await {
            error!(event = "login.not_taken_back", call = origin.call.as_ref().map(tracing::field::display), %error,
                "the switch will follow the store as soon as both are back");
        }
    }

    /// Journals a refusal. That it could not be journalled is logged, and does not change what the caller hears.
    async fn journal(&self, origin: &Origin, event: Event) {
        let entry = Entry {
            revision: Revision(0),
            at: self.clock.now(),
            tenant: origin.tenant.clone(),
            by: origin.by.clone(),
            call: origin.call.clone(),
            code: origin.code.clone(),
            event,
        };
        if let Err(error) = self.store.record(&[entry]).await {
            error!(event = "journal.failed", %error, "an entry of the journal is lost");
        }
    }
}

/// An id for one act: 128 random bits.
///
/// # Errors
/// When the system has no random bits to give.
pub fn request_id() -> Result<RequestId, StoreError> {
    let bits =
        || getrandom::u64().map_err(|error| StoreError::Broken("(request id)".into(), error.to_string()));
    Ok(RequestId::from_bits(bits()?, bits()?))
}
