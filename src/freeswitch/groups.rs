//! The members of groups that ring all at once, in `mod_db`: a realm for each group, a row for each member that it rings.
//!
//! | realm | key | value |
//! |---|---|---|
//! | `hotdesk-group-<group>@<tenant>` | `loopback/<extension>/hotdesk-ring` | `1` |
//!
//! The key is what rings him, see [`dialplan`](super::dialplan). Who pauses has no row: nobody but us pauses in such a group,
//! so that he does is not to be read.

use crate::desk::id::{Extension, GroupName, TenantId};

/// The context where a user is rung and nothing else.
const RING: &str = "hotdesk-ring";

/// What those are told who are rung for a caller, as it stands within braces, and is expanded on his call: his company, where
/// he may send the call on to, and which call it is.
pub(super) const CALLER: &str = "domain_name=${domain_name},hd_context=${hd_context},hd_ring_for=${uuid}";

/// What a group or a queue calls to reach a user.
pub(super) fn endpoint(user: &Extension) -> String {
    format!("loopback/{user}/{RING}")
}

/// The user that is called so, if he is one of ours.
pub(super) fn user(endpoint: &str) -> Option<Extension> {
    let user = endpoint.strip_prefix("loopback/")?.strip_suffix(RING)?.strip_suffix('/')?;
    Extension::new(user).ok()
}

/// Where a group's members stand.
pub(super) fn realm(group: &GroupName, tenant: &TenantId) -> String {
    format!("hotdesk-group-{group}@{tenant}")
}

/// The key of a member as `db` is told it, which takes a slash outside quotes for the key's end.
pub(super) fn key(user: &Extension) -> String {
    quoted(&endpoint(user))
}

/// Any key of such a realm.
pub(super) fn quoted(key: &str) -> String {
    format!("'{key}'")
}
