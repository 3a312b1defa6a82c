//! Hotdesk: sit down at any phone, dial a code, and it is yours.
//!
//! A controller beside an Asterisk or a FreeSWITCH that already runs. It takes the calls in which people dial a
//! hotdesk code, decides, and keeps a small table *in the switch* true: who sits at which device, and what his calls
//! look like. Ordinary calls never touch it.
//!
//! One login, as data:
//!
//! | # | what it is now | where it becomes that |
//! |--:|---|---|
//! | 1 | a [`Call`](switch::Call): device, dialled string, tenant | [`asterisk::fastagi`], [`freeswitch::calls`] |
//! | 2 | a [`Request`](desk::code::Request) | [`desk::code`] |
//! | 3 | questions and digits | [`controller::conversation`], over [`Phone`](switch::Phone) |
//! | 4 | yes, or a [`Refusal`](desk::policy::Refusal) | [`desk::policy`], [`desk::pin`] |
//! | 5 | a [`Transition`](desk::seat::Transition) | [`Store`](store::Store), in one step |
//! | 6 | a [`Table`](desk::table::Table) wanted, minus one seen | [`desk::table`], [`controller::reconcile`]; [`asterisk::astdb`], [`freeswitch::moddb`] |
//! | 7 | a spoken confirmation, after the switch has the rows | [`controller::conversation`] |
//! | 8 | a journal [`Entry`](desk::journal::Entry), a log line | [`desk::journal`], [`telemetry`] |
//!
//! Who does not log out himself is logged out by [`controller::timers`], when the rules of [`desk::leave`] say so.
//!
//! What a user changes of his own by a code is decided by [`desk::wish`], and kept as a [`Setting`](desk::setting::Setting).
//!
//! Imports run downwards only: [`cli`] → [`asterisk`] | [`freeswitch`] → [`controller`] → [`store`] | [`switch`] → [`desk`].

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing))]

pub mod asterisk;
pub mod cli;
pub mod config;
pub mod controller;
pub mod desk;
pub mod freeswitch;
pub mod store;
pub mod switch;
pub mod telemetry;
