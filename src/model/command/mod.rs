//! Every change is a [`Command`]. [`decide`] is a pure function of the records that a store loaded: it returns the records
//! to write, the events to journal and the outcome, or a [`Refusal`](crate::model::login::refusal::Refusal). A store only
//! loads, calls it and commits.

mod apply;
mod change;
mod decision;
mod directory;
mod loaded;
mod reads;
mod record;

pub use apply::decide;
pub use change::{Change, Command};
pub use decision::{Decision, Outcome, Write};
pub use loaded::Loaded;
pub use reads::{Reads, Set, Source, Step};
pub use record::{Index, Key, Kind, Record, failures_name};
