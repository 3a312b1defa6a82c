//! Members of queues and ring groups.

pub(crate) mod groups;
pub(crate) mod members;
pub(crate) mod membership;
pub(crate) mod mod_callcenter;
