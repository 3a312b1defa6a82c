//! The devices that Asterisk knows, and their states.

pub mod endpoints;
pub(in crate::asterisk) mod ring;
pub(in crate::asterisk) mod states;
