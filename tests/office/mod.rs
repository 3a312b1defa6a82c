//! A whole company: real phones on a real Asterisk, a real hotdesk beside it.

mod away;
mod canary;
mod check;
mod crash;
mod emergency;
mod explain;
mod lamps;
mod leaving;
mod load;
mod login;
mod mwi;
mod patience;
mod policies;
mod queues;
mod refusals;
mod stop;
mod table;

use std::path::PathBuf;
use std::time::Duration;

use crate::support::company::Company;
use crate::support::debian::Version;
use crate::support::each::on_both;

/// How long store and switch may take to agree.
const SOON: Duration = Duration::from_secs(2);

/// What starts the hotdesk that was built with this suite.
fn program() -> Vec<PathBuf> {
    vec![env!("CARGO_BIN_EXE_hotdesk").into()]
}

fn company(version: Version) -> Company {
    Company::open(&program(), version, "sqlite:hotdesk.db").unwrap()
}
