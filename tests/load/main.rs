//! Many calls at once. Each test takes the whole machine, so they are a program of their own, one test after the other.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, missing_docs, unreachable_pub)]

mod asterisk;
mod freeswitch;
#[path = "../harness/mod.rs"]
mod harness;

use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

static MACHINE: Mutex<()> = Mutex::new(());

/// The machine, for one test at a time.
fn alone() -> MutexGuard<'static, ()> {
    MACHINE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn program() -> [PathBuf; 1] {
    [env!("CARGO_BIN_EXE_hotdesk").into()]
}

/// Resident memory, in KiB.
fn resident(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}
