//! The controller: logs users in and out, and reconciles the switches.

pub mod accounts;
pub mod administer;
pub mod auto_logout;
pub mod check;
pub mod clock;
pub mod commands;
pub mod conversation;
pub mod desks;
mod device_events;
pub mod emergency;
pub mod explain;
mod feed;
pub mod hold;
pub mod journal;
pub mod journal_search;
pub(crate) mod listening;
pub mod lockouts;
pub mod new_pin;
pub mod outage;
pub mod pepper;
mod perform;
pub mod pins;
mod queue_pauses;
pub mod reconcile;

pub use commands::request_id;
pub use perform::Controller;
