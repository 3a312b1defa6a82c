//! Logs users in and out for an administrator, without a PIN: moves, takes back and postpones sessions.

use futures_util::future::join_all;
use jiff::{SignedDuration, Timestamp};

use super::Controller;
use super::check::Comparison;
use super::commands;
use crate::model::command::Change;
use crate::model::desired::{Desired, DesiredDevice, DesiredUser, Subjects};
use crate::model::directory::{Device, Session};
use crate::model::id::{DeviceName, Extension, Revision, SwitchName, TenantId};
use crate::model::journal::{Actor, Event};
use crate::model::login::refusal::Refusal;
use crate::model::login::transition::{SessionCommand, Transition};
use crate::model::schedule::Span;
use crate::store::StoreError;
use crate::switch::{Switch, SwitchError};

/// How long after a login or logout its operator can undo it.
const UNDO_WITHIN: SignedDuration = SignedDuration::from_secs(60);

/// What became of it.
#[derive(Clone, Debug)]
pub struct Administered {
    /// The sessions that ended and began.
    pub transition: Transition,
    /// The switches that have not acknowledged it yet. They get it as soon as possible.
    pub waiting: Vec<SwitchName>,
}

impl Controller {
    /// Logs a user in at a device.
    ///
    /// # Errors
    /// [`StoreError`]; a refusal is in it, and then nothing has changed.
    pub async fn log_in(
        &self,
        tenant: &TenantId,
        by: Actor,
        user: Extension,
        device: DeviceName,
    ) -> Result<Administered, StoreError> {
        let rules = self.rules_of(tenant).login;
        self.administer(tenant, by, SessionCommand::LogIn(user, device, rules)).await
    }

    /// Ends this session, unless it has ended already: then nothing changes, also if another user is there now.
    ///
    /// # Errors
    /// [`StoreError`]; then nothing has changed.
    pub async fn end(
        &self,
        tenant: &TenantId,
        by: Actor,
        session: Session,
    ) -> Result<Administered, StoreError> {
        self.administer(tenant, by, SessionCommand::Expire(session)).await
    }

    /// Moves this session to another desk.
    ///
    /// # Errors
    /// [`StoreError`]; a refusal is in it, and then nothing has changed.
    pub async fn move_to(
        &self,
        tenant: &TenantId,
        by: Actor,
        session: Session,
        device: DeviceName,
    ) -> Result<Administered, StoreError> {
        let rules = self.rules_of(tenant).login;
        self.administer(tenant, by, SessionCommand::Move(session, device, rules)).await
    }

    /// Undoes the whole transition of this revision, which `by` made within the last minute.
    ///
    /// # Errors
    /// [`StoreError`]; a refusal is in it when there is none, or someone has logged in or out at one of its desks since.
    /// Then nothing has changed.
    pub async fn undo_of(
        &self,
        tenant: &TenantId,
        by: Actor,
        revision: Revision,
    ) -> Result<Administered, StoreError> {
        let before = Revision(revision.0.saturating_sub(1));
        let entry = self.store.journal(tenant, before, 1).await?.into_iter().next();
        let fresh = |at| self.clock.now().duration_since(at) <= UNDO_WITHIN;
        let own =
            entry.filter(|entry| entry.revision == revision && entry.by.is_same(&by) && fresh(entry.at));
        let Some(Event::SessionsChanged { ended, begun, undo: false }) = own.map(|entry| entry.event) else {
            return Err(StoreError::Refused(Refusal::NothingToUndo));
        };
        let most = self.rules_of(tenant).login.multiple_logins.most();
        let done = Transition { revision, ended, begun };
        self.administer(tenant, by, done.inverse(most, true)).await
    }

    /// Postpones the automatic logout of this session by the tenant's time. Returns the new time; none if the session has
    /// ended already.
    ///
    /// # Errors
    /// [`StoreError`]; then nothing has changed.
    pub async fn postpone(
        &self,
        tenant: &TenantId,
        by: Actor,
        session: &Session,
        (due, span): (Timestamp, Span),
    ) -> Result<Option<Timestamp>, StoreError> {
        commands::postpone(&*self.store, tenant, session, (due, span), (by, self.clock.now())).await
    }

    /// Carries out `command` in the store, then waits for the switches of the tenant. It stays if one does not acknowledge it.
    async fn administer(
        &self,
        tenant: &TenantId,
        by: Actor,
        command: SessionCommand,
    ) -> Result<Administered, StoreError> {
        let change = Change::Session(command);
        let done = commands::change(&*self.store, tenant, (by, self.clock.now()), change).await?;
        let transition = done.into_transition();
        if transition.is_empty() {
            return Ok(Administered { transition, waiting: vec![] });
        }
        let (about, revision) = (transition.touches(), Some(transition.revision));
        let of_tenant = self.switches.iter().filter(|((_, of), _)| of == tenant);
        let reconciled = of_tenant.map(async |((name, _), switch)| {
            switch.reconcile(about.clone(), revision).await.is_err().then(|| name.clone())
        });
        let waiting = join_all(reconciled).await.into_iter().flatten().collect();
        Ok(Administered { transition, waiting })
    }
}

/// Why a switch cannot have the user of a login at the device, and what to do about it; none, if it can.
///
/// # Errors
/// [`SwitchError`] when the switch cannot be asked.
pub async fn refusal(
    switch: &dyn Switch,
    user: &Extension,
    device: &Device,
) -> Result<Option<String>, SwitchError> {
    let is = DesiredDevice {
        user: Some(user.clone()),
        revision: Revision(1),
        ..DesiredDevice::of(device.dial.clone())
    };
    let desired = Desired {
        devices: [(device.name.clone(), is)].into(),
        users: [(user.clone(), Box::new(DesiredUser::of(user.clone())))].into(),
        whole: false,
    };
    let subjects =
        Subjects { users: [user.clone()].into(), devices: [device.name.clone()].into(), others: false };
    let reading = switch.read(&subjects).await?;
    Ok(Comparison::of(switch, &desired, reading).refused.into_iter().next().map(|(_, why)| why))
}
