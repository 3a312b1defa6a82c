//! The devices that FreeSWITCH knows, and their states.

pub(crate) mod address;
pub mod endpoints;
pub mod states;
