//! The only entry for changes: calls, timers, imports and the command line commit their commands here.

use jiff::Timestamp;

use crate::model::command::{Change, Command, Outcome};
use crate::model::directory::Session;
use crate::model::id::{RequestId, TenantId};
use crate::model::journal::Actor;
use crate::model::schedule::Span;
use crate::store::{Store, StoreError};

/// Commits a change that no call requested.
///
/// # Errors
/// [`StoreError`], and then nothing has changed, unless the store did not answer.
pub async fn change(
    store: &dyn Store,
    tenant: &TenantId,
    (by, at): (Actor, Timestamp),
    change: Change,
) -> Result<Outcome, StoreError> {
    commit(store, &Command::new(request_id()?, tenant.clone(), by, at, change)).await
}

/// Commits a command. A store that did not answer may have carried it out, so it gets the command again with the same id.
pub async fn commit(store: &dyn Store, command: &Command) -> Result<Outcome, StoreError> {
    match store.commit(command).await {
        Err(StoreError::Away(..)) => store.commit(command).await,
        done => done,
    }
}

/// Postpones the automatic logout of `session`, which is due at `due`, by `span` from then or from now, whichever is later.
/// Returns the new time; none if the session has ended or is postponed longer already.
///
/// # Errors
/// [`StoreError`]; then nothing has changed.
pub async fn postpone(
    store: &dyn Store,
    tenant: &TenantId,
    session: &Session,
    (due, span): (Timestamp, Span),
    (by, at): (Actor, Timestamp),
) -> Result<Option<Timestamp>, StoreError> {
    let until = span.after(due.max(at));
    Ok(extend(store, tenant, session, until, (by, at)).await?.then_some(until))
}

/// Postpones the automatic logout of `session` to `until` and journals it, so every controller follows. Returns
/// whether it is postponed: not if the session has ended or is postponed longer already.
pub async fn extend(
    store: &dyn Store,
    tenant: &TenantId,
    session: &Session,
    until: Timestamp,
    by: (Actor, Timestamp),
) -> Result<bool, StoreError> {
    let extended = Change::Extend(session.clone(), until);
    Ok(change(store, tenant, by, extended).await? == Outcome::Extended(true))
}

/// An id for one command: 128 random bits, if the system has any.
pub fn request_id() -> Result<RequestId, StoreError> {
    let mut bits = [0; 16];
    getrandom::fill(&mut bits).map_err(|e| StoreError::Broken("(request id)".into(), e.to_string()))?;
    Ok(RequestId::from_bits(u128::from_ne_bytes(bits)))
}

/// The time now to the millisecond, as the store keeps it.
pub fn now() -> Timestamp {
    let now = Timestamp::now();
    Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now)
}
