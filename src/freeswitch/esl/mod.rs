//! The event socket (ESL): the codec, the commands, what the protocol says of itself, and the client that stays connected.

pub mod client;
pub mod codec;
pub mod command;
pub mod event;
mod login;
mod protocol;
pub mod rights;
