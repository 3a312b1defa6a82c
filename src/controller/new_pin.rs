//! Gives a user a new PIN that an administrator chose or that is made here. Users change their own by phone.

use jiff::Timestamp;

use super::commands;
use super::pins::{Busy, Pins};
use crate::model::command::Change;
use crate::model::directory::change::{DirectoryChange, DirectoryCommand, DirectoryRules};
use crate::model::id::{Extension, TenantId};
use crate::model::journal::Actor;
use crate::model::login::pin::{Pin, PinRecord};
use crate::model::login::weak_pin::weak_pin;
use crate::store::{Store, StoreError};

/// Why a user has no new PIN.
#[derive(Debug, thiserror::Error)]
pub enum NotSet {
    /// Too many PINs are being hashed.
    #[error("too many PINs are being compared or set: try again in a moment")]
    Busy(#[from] Busy),
    /// The system has no random bytes.
    #[error("the system has no random bytes: {0}")]
    Random(#[from] getrandom::Error),
    /// The store refused it, as there is no such user, or failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// It is easy to guess, for this reason.
    #[error("this PIN is too easy to guess: {0}")]
    Weak(&'static str),
}

/// A PIN of six digits for this user that is hard to guess.
///
/// # Errors
/// [`NotSet::Random`].
pub fn made(user: &Extension) -> Result<Pin, NotSet> {
    loop {
        let pin = Pin::from_random(getrandom::u64()?);
        if weak_pin(&pin, user).is_none() {
            return Ok(pin);
        }
    }
}

/// Gives `user` this PIN, unless it is easy to guess.
///
/// # Errors
/// [`NotSet`]; then the PIN is as before, unless the store did not answer.
pub async fn set(
    store: &dyn Store,
    pins: &Pins,
    tenant: &TenantId,
    by: (Actor, Timestamp),
    (user, pin): (&Extension, Pin),
) -> Result<(), NotSet> {
    if let Some(why) = weak_pin(&pin, user) {
        return Err(NotSet::Weak(why));
    }
    let record = pins.record(pin, tenant.clone(), user.clone()).await?.chosen(by.1);
    commands::change(store, tenant, by, change(user.clone(), record)).await?;
    Ok(())
}

/// The change that gives an existing user the PIN of this record.
pub(super) fn change(user: Extension, record: PinRecord) -> Change {
    let changes = vec![DirectoryChange::Pin(user, record)];
    Change::Directory(DirectoryCommand { changes, rules: DirectoryRules::default() })
}
