//! Hotdesk: users log in at any device by dialling a feature code.
//!
//! A controller beside an Asterisk or a FreeSWITCH that already runs. It takes the calls to its feature codes, decides,
//! and keeps a small table *in the switch*: which user is logged in at which device, and the settings of that user's
//! calls. Ordinary calls never touch the controller.
//!
//! One login, as data:
//!
//! | # | data | made by |
//! |--:|---|---|
//! | 1 | a [`Call`](switch::Call): device, dialled string, tenant | [`asterisk::agi::server`], [`freeswitch::calls::parked`] |
//! | 2 | a [`Request`](model::codes::Request) | [`model::codes`] |
//! | 3 | questions and digits | [`controller::conversation`], over [`Caller`](switch::Caller) |
//! | 4 | an approval, or a [`Refusal`](model::login::refusal::Refusal) | [`model::login::policy`], [`model::login::pin`] |
//! | 5 | a [`Transition`](model::login::transition::Transition) | [`Store`](store::Store), in one step |
//! | 6 | the difference between [`Desired`](model::desired::Desired) and actual state | [`model::desired`], [`controller::reconcile`]; [`asterisk::table::astdb`], [`freeswitch::table::mod_db`] |
//! | 7 | a spoken confirmation, once the switch has the rows | [`controller::conversation`] |
//! | 8 | a journal [`Entry`](model::journal::Entry), a log line | [`model::journal`], [`telemetry`] |
//!
//! [`controller::auto_logout`] ends sessions by the rules of [`model::auto_logout`].
//!
//! [`model::settings::self_service`] decides the settings that users change by feature code, each a
//! [`Setting`](model::settings::Setting).
//!
//! [`web`] serves the console to browsers.
//!
//! Imports run downwards only: [`cli`] → [`asterisk`] | [`freeswitch`] | [`web`] → [`controller`] → [`store`] | [`switch`] → [`model`].

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing))]
pub mod asterisk;
pub mod cli;
pub mod config;
pub mod controller;
pub mod freeswitch;
pub mod model;
pub mod store;
pub mod switch;
pub mod telemetry;
pub mod web;
