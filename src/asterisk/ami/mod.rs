//! The manager interface (AMI): the codec, what the protocol says of itself, and the client that stays connected.

pub mod client;
pub mod codec;
pub(in crate::asterisk) mod login;
mod protocol;
