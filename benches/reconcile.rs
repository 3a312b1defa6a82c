//! Writes 10,000 rows into the empty AstDB of a real Asterisk, until all are acknowledged. In the same run, the floor: the
//! same `DBPut`s in one raw write. Then a comparison of the whole table that finds no difference, and the rows of one login
//! among the 10,000.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, missing_docs, unreachable_pub)]

#[path = "../tests/harness/mod.rs"]
mod harness;

mod company;
mod pbx;

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use company::HALF;
use harness::asterisk::{ADMIN, Asterisk};
use hotdesk::asterisk::ami::client::State;
use hotdesk::asterisk::namespace::Namespace;
use hotdesk::asterisk::table::astdb::AsteriskSwitch;
use hotdesk::asterisk::table::rows;
use hotdesk::model::desired::{Desired, Records, difference};
use hotdesk::model::id::TenantId;
use hotdesk::model::routes::Routes;
use hotdesk::switch::Switch;
use tokio_util::sync::CancellationToken;

const ROUNDS: usize = 5;

/// The same rows in one write, and the responses counted.
fn raw(pbx: &Asterisk, desired: &Desired) -> Duration {
    let stream = TcpStream::connect(pbx.ami_address()).unwrap();
    let mut out = stream.try_clone().unwrap();
    let (user, secret) = ADMIN;
    write!(out, "Action: Login\r\nUsername: {user}\r\nSecret: {secret}\r\nEvents: off\r\n\r\n").unwrap();
    let mut lines = BufReader::new(stream).lines();
    while !lines.next().unwrap().unwrap().starts_with("Message: Authentication accepted") {}
    let rows = rows::project(&Namespace::of(&TenantId::default()), desired, &Records::new());
    let rows = rows.into_iter().filter(|(key, _)| key.part == rows::ASTDB);
    let actions: String = rows
        .map(|(key, value)| {
            let key = key.name.strip_prefix("hotdesk/").unwrap().to_owned();
            format!("Action: DBPut\r\nFamily: hotdesk\r\nKey: {key}\r\nVal: {value}\r\n\r\n")
        })
        .collect();
    let began = Instant::now();
    let writing = std::thread::spawn(move || out.write_all(actions.as_bytes()).unwrap());
    let mut left = 2 * HALF;
    while left > 0 {
        if lines.next().unwrap().unwrap().starts_with("Response: Success") {
            left -= 1;
        }
    }
    writing.join().unwrap();
    began.elapsed()
}

async fn reconcile(switch: &AsteriskSwitch, desired: &Desired) -> (Duration, usize) {
    let began = Instant::now();
    let reading = switch.read(&company::subjects(desired)).await.unwrap();
    let edits = difference(&switch.project(desired, &reading.records), &reading);
    switch.apply(&edits).await.unwrap();
    (began.elapsed(), edits.len())
}

/// The records of one user and one device at a time, out and in again; how long a change takes.
async fn one_by_one(
    switch: &AsteriskSwitch,
    nowhere: &Desired,
    logged_in: &Desired,
    changes: u32,
) -> Duration {
    let began = Instant::now();
    for n in 0..changes as usize / 2 {
        for desired in [nowhere, logged_in] {
            let (desired, subjects) = company::nth(desired, n);
            let reading = switch.read(&subjects).await.unwrap();
            let edits = difference(&switch.project(&desired, &reading.records), &reading);
            assert!(!edits.is_empty());
            switch.apply(&edits).await.unwrap();
        }
    }
    began.elapsed() / changes
}

/// With `short`, and as a test, one round: that all of it works, not how fast.
async fn run(short: bool) {
    let rounds = if short { 1 } else { ROUNDS };
    let mut pbx = pbx::asterisk(&Routes::default());
    let stop = CancellationToken::new();
    let manager = pbx::manager(&pbx, &stop).await;
    let mut state = manager.state();
    let switch = Arc::new(AsteriskSwitch::new(manager, &TenantId::default()));
    let logged_in = company::desired(Some(&|n| format!("PJSIP/desk{n}")));
    let nowhere = company::desired(None);
    let mut ratios = vec![];
    println!("{} rows onto {}, {rounds} rounds in turn", 2 * HALF, pbx.banner());
    for _ in 0..rounds {
        pbx.cli("database deltree hotdesk").unwrap();
        let floor = raw(&pbx, &nowhere);
        pbx.cli("database deltree hotdesk").unwrap();
        let (took, edits) = reconcile(&switch, &nowhere).await;
        assert!(edits >= 2 * HALF, "{edits} records were written");
        let (again, none) = reconcile(&switch, &nowhere).await;
        assert_eq!(none, 0, "what was written is what is read");
        let ratio = took.as_secs_f64() / floor.as_secs_f64();
        println!("  written {took:6.1?}   raw {floor:6.1?}   ratio {ratio:.2}   compared again {again:6.1?}");
        ratios.push(ratio);
    }
    ratios.sort_by(f64::total_cmp);
    println!("  median ratio {:.2}", ratios.get(rounds / 2).unwrap());

    let (all, edits) = reconcile(&switch, &logged_in).await;
    println!("all users log in at once: {edits} rows and lamps in {all:.1?}");
    let each = one_by_one(&switch, &nowhere, &logged_in, if short { 20 } else { 400 }).await;
    println!("one login's rows among them: read, compared and written in {each:.1?}");
    pbx.restart().unwrap();
    state.wait_for(|state| !matches!(state, State::Up(_))).await.unwrap();
    state.wait_for(|state| matches!(state, State::Up(_))).await.unwrap();
    let (restarted, edits) = reconcile(&switch, &logged_in).await;
    println!("after a restart of Asterisk, with its AstDB: {edits} differ, found in {restarted:.1?}");
    stop.cancel();
}

fn main() {
    let has = |option: &str| std::env::args().any(|arg| arg == option);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(run(has("--short") || !has("--bench")));
}
