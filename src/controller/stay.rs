//! Somebody who is to be logged out by himself says that he stays.

use jiff::Timestamp;

use crate::desk::id::{Revision, TenantId};
use crate::desk::journal::{Actor, Entry, Event};
use crate::desk::model::Binding;
use crate::store::{Note, Noted, Store, StoreError};

/// Notes that `binding` does not end by itself before `until`, and journals it, by which every controller hears of it.
/// Returns whether it is so now: not, if the binding is no more or stays longer already.
///
/// # Errors
/// [`StoreError`] when the store is away.
pub async fn stay(
    store: &dyn Store,
    tenant: &TenantId,
    binding: &Binding,
    until: Timestamp,
    (by, at): (Actor, Timestamp),
) -> Result<bool, StoreError> {
    let Binding { user, device, revision, .. } = binding.clone();
    let note = Note { device: device.clone(), revision, what: Noted::Stays(until) };
    if store.note(tenant, &[note]).await? != [true] {
        return Ok(false);
    }
    let event = Event::Stays { user, device, until };
    let entry =
        Entry { revision: Revision(0), at, tenant: tenant.clone(), by, call: None, code: None, event };
    store.record(&[entry]).await?;
    Ok(true)
}
