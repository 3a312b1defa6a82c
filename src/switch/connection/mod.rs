//! One connection to a switch's control port, for any protocol: AMI and ESL today.
//!
//! | file | what it does |
//! |---|---|
//! | [`state`] | the state of a connection, and how one ends |
//! | [`backoff`] | how long to wait before connecting again |
//! | [`wire`] | a stream with its decoder, as a login needs it |
//! | [`protocol`] | what a protocol defines: login, framing, matching answers to commands, ping |
//! | [`events`] | raw events, for features that subscribe to them |
//! | [`session`] | one connection that is logged in: the window of commands, deadlines, late answers, ping |
//! | `outage` | logs that a switch is down or up again |
//! | [`handle`] | the handle for features: commands and answers, and the task that keeps the connection |
//!
//! No feature is named here or in a protocol: features subscribe to raw events and send commands.

pub mod backoff;
pub mod events;
pub mod handle;
pub(crate) mod outage;
pub mod protocol;
pub mod session;
pub mod state;
pub mod wire;
