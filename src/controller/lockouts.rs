//! Who is locked out after too many wrong PINs.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use crate::model::desired::Scope;
use crate::model::id::{Extension, TenantId};
use crate::model::login::lockout::{Failures, Kind, Lockout};
use crate::model::login::pin::Alias;
use crate::store::{Store, StoreError};

/// A user or a device that is locked out. Without either: an extension that no user has.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Locked {
    /// The user.
    #[schema(value_type = Option<String>)]
    pub user: Option<Extension>,
    /// The name of the device.
    pub device: Option<String>,
    /// Wrong PINs in a row.
    pub failures: u32,
    /// When it ends; none: only an administrator ends it.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub until: Option<Timestamp>,
}

/// The failures because of which users and devices are locked out, by a device's name or the alias of an extension.
pub type Counted = BTreeMap<(Kind, String), Failures>;

/// Counts those that lock a user or a device out at `now`.
///
/// # Errors
/// [`StoreError`].
pub async fn counted(store: &dyn Store, tenant: &TenantId, now: Timestamp) -> Result<Counted, StoreError> {
    let mut failures = store.failures(tenant).await?;
    failures.retain(|(kind, _), failures| failures.lockout(*kind, now.as_second()).is_some());
    Ok(failures)
}

/// Who that is. Attempts are counted under the `alias` of an extension, so that of each user is computed here; what is left
/// belongs to extensions that no user has.
///
/// # Errors
/// [`StoreError`].
pub async fn named(
    store: &dyn Store,
    tenant: &TenantId,
    (failures, now): (Counted, Timestamp),
    alias: impl Fn(&Extension) -> Alias,
) -> Result<Vec<Locked>, StoreError> {
    if failures.is_empty() {
        return Ok(vec![]);
    }
    let now = now.as_second();
    let users = store.snapshot(tenant, &Scope::All).await?.users;
    let users: BTreeMap<String, Extension> =
        users.into_keys().map(|user| (alias(&user).as_str().to_owned(), user)).collect();
    let known = failures.into_iter().map(|((kind, name), failures)| {
        let until = match failures.lockout(kind, now) {
            Some(Lockout::Until(second)) => Timestamp::from_second(second).ok(),
            _ => None,
        };
        let (user, device) = match kind {
            Kind::User => (users.get(&name).cloned(), None),
            Kind::Device => (None, Some(name)),
        };
        Locked { user, device, failures: failures.in_a_row, until }
    });
    Ok(known.collect())
}
