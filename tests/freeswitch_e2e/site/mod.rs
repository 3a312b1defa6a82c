//! A whole company: real phones on a real FreeSWITCH, a real hotdesk beside it.

mod auto_logout;
mod blf;
mod check;
mod connection_loss;
mod crash;
mod outbound;
mod queues;
mod refusals;
mod removed_user;
mod rights;
mod two_controllers;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

pub use crate::harness::freeswitch::company::{Company, PHONES};

/// How long store and switch may take to agree.
const SOON: Duration = Duration::from_secs(2);

fn company() -> Option<Company> {
    company_with("sqlite:hotdesk.db", |_| String::new())
}

/// One with `more` in its configuration.
fn company_configured(more: &str) -> Option<Company> {
    company_at(more, "")
}

/// The same, with these contexts in its dialplan.
pub fn company_at(more: &str, contexts: &str) -> Option<Company> {
    open_at("sqlite:hotdesk.db", |_| String::new(), more, contexts)
}

/// A company with another store, and more keys of its switch for the port that is left for its calls.
pub fn company_with(store: &str, keys: impl Fn(SocketAddr) -> String) -> Option<Company> {
    open_at(store, keys, "", "")
}

fn open_at(store: &str, keys: impl Fn(SocketAddr) -> String, more: &str, contexts: &str) -> Option<Company> {
    Company::open(&[PathBuf::from(env!("CARGO_BIN_EXE_hotdesk"))], store, keys, more, contexts)
}
