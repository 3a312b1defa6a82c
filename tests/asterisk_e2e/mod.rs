//! A whole company: real phones on a real Asterisk, a real hotdesk beside it.

mod auto_logout;
mod blf;
mod check;
mod entry_timeouts;
mod explain;
mod login;
mod mwi;
mod once;
mod policies;
mod queues;
mod refusals;
mod reload;
mod stop;
mod table;
mod token;
mod unavailable;

use std::path::PathBuf;
use std::time::Duration;

use crate::harness::company::Company;
use crate::harness::debian::Version;
use crate::harness::each::on_both;

/// How long store and switch may take to agree.
const SOON: Duration = Duration::from_secs(2);

/// What starts the hotdesk that was built with this suite.
fn program() -> Vec<PathBuf> {
    vec![env!("CARGO_BIN_EXE_hotdesk").into()]
}

fn company(version: Version) -> Company {
    Company::open(&program(), version, "sqlite:hotdesk.db").unwrap()
}
