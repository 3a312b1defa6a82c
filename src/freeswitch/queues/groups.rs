//! The members of groups that ring all at once, in `mod_db`: a realm for each group, a row for each member that it rings.
//!
//! | realm | key | value |
//! |---|---|---|
//! | `hotdesk-group-<group>@<tenant>` | `loopback/<extension>/hotdesk@ring` | `1` |
//!
//! `bridge` takes the key, see [`dialplan`](crate::freeswitch::dialplan). A member who paused has no row. Only Hotdesk pauses
//! members of such a group, so there is no pause to read.

use crate::model::id::{Extension, GroupName, TenantId};

/// The context where a user is rung and nothing else.
const RING: &str = "hotdesk@ring";

/// Variables for the calls to the members, in braces and expanded on the call of the caller: the domain of the caller, the
/// context for forwarding, and the id of the call.
pub(crate) const CALLER: &str = "domain_name=${domain_name},hd_context=${hd_context},hd_ring_for=${uuid}";

/// The endpoint by which a group or a queue calls a user.
pub(crate) fn endpoint(user: &Extension) -> String {
    format!("loopback/{user}/{RING}")
}

/// The user that is called by this endpoint, if Hotdesk keeps the member.
pub(crate) fn user(endpoint: &str) -> Option<Extension> {
    let user = endpoint.strip_prefix("loopback/")?.strip_suffix(RING)?.strip_suffix('/')?;
    Extension::new(user).ok()
}

pub(crate) fn realm(group: &GroupName, tenant: &TenantId) -> String {
    format!("hotdesk-group-{group}@{tenant}")
}

/// The key of a member as the `db` command takes it: a slash outside quotes would end the key.
pub(crate) fn key(user: &Extension) -> String {
    quoted(&endpoint(user))
}

pub(crate) fn quoted(key: &str) -> String {
    format!("'{key}'")
}
