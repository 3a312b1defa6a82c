//! The identity of a store's data, and whether the data is still that of before.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::model::id::{StoreId, TenantId};
use crate::model::mark::Mark;

/// What an administrator does about lost data.
const REMEDY: &str = "put the right data back, or say that this is right: hotdesk adopt";

/// A new identity: 128 random bits.
pub(super) fn make() -> Result<StoreId, getrandom::Error> {
    let mut bits = [0; 16];
    getrandom::fill(&mut bits)?;
    Ok(StoreId::from_bits(u128::from_ne_bytes(bits)))
}

/// The newest mark of each tenant that this process has seen.
#[derive(Debug, Default)]
pub(super) struct Seen(Mutex<HashMap<TenantId, Mark>>);

impl Seen {
    /// What data that is read from now on must follow.
    pub(super) fn before(&self, tenant: &TenantId) -> Option<Mark> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(tenant).cloned()
    }

    /// Whether data with the mark `now` follows `before`, which was asked for before the data was read.
    ///
    /// # Errors
    /// What is wrong, for an administrator.
    pub(super) fn check(
        &self,
        tenant: &TenantId,
        before: Option<&Mark>,
        now: Option<&Mark>,
    ) -> Result<(), String> {
        let why = match (before, now) {
            (Some(before), Some(now)) if now.may_follow(before) => None,
            (Some(before), Some(now)) if now.store == before.store => {
                Some(format!("it went back from revision {} to {}", before.revision, now.revision))
            }
            (Some(_), Some(_)) => Some("it has the data of another store".into()),
            (Some(_), None) => Some("it is empty".into()),
            (None, _) => None,
        };
        if let Some(why) = why {
            return Err(format!("{why}; {REMEDY}"));
        }
        if let Some(now) = now {
            let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if seen.get(tenant).is_none_or(|newest| now.may_follow(newest)) {
                seen.insert(tenant.clone(), now.clone());
            }
        }
        Ok(())
    }

    /// Forgets what was seen: the next data is taken as it is.
    pub(super) fn forget(&self, tenant: &TenantId) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(tenant);
    }
}
