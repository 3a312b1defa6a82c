//! Members of queues.

pub(in crate::asterisk) mod members;
pub(in crate::asterisk) mod membership;
