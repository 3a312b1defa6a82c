//! Reads, compares and writes 10,000 rows in the `mod_db` of a real FreeSWITCH, until all are acknowledged. In the same run,
//! the floor: the same `db insert`s in one raw write. Then a comparison of the whole table that finds no difference, and the
//! rows of one login among the 10,000.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, missing_docs, unreachable_pub)]

#[path = "../tests/harness/mod.rs"]
mod harness;

mod company;

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use company::HALF;
use harness::freeswitch::{FreeSwitch, Install, PASSWORD, Site, installed};
use hotdesk::freeswitch::esl::client::{Client, Settings, State};
use hotdesk::freeswitch::table::mod_db::FreeSwitchSwitch;
use hotdesk::freeswitch::table::rows;
use hotdesk::model::desired::{Desired, Records, difference};
use hotdesk::model::id::{SwitchName, TenantId};
use hotdesk::switch::Switch;
use tokio_util::sync::CancellationToken;
use zeroize::Zeroizing;

const ROUNDS: usize = 5;

/// The same rows in one write, and the answers counted.
fn raw(fs: &FreeSwitch, desired: &Desired) -> Duration {
    let stream = TcpStream::connect(fs.esl_address()).unwrap();
    let mut out = stream.try_clone().unwrap();
    let mut lines = BufReader::new(stream).lines();
    write!(out, "auth {PASSWORD}\n\n").unwrap();
    while !lines.next().unwrap().unwrap().starts_with("Reply-Text: +OK accepted") {}
    let tenant = TenantId::default();
    let table = rows::project(&tenant, desired);
    let inserts: String =
        table.iter().map(|(key, value)| format!("api db insert/{}/{value}\n\n", key.name)).collect();
    let began = Instant::now();
    let writing = std::thread::spawn(move || out.write_all(inserts.as_bytes()).unwrap());
    for _ in 0..table.len() {
        // No line break ends what was said before.
        while !lines.next().unwrap().unwrap().ends_with("Content-Type: api/response") {}
    }
    writing.join().unwrap();
    began.elapsed()
}

async fn reconcile(switch: &FreeSwitchSwitch, desired: &Desired) -> (Duration, usize) {
    let began = Instant::now();
    let reading = switch.read(&company::subjects(desired)).await.unwrap();
    let edits = difference(&switch.project(desired, &reading.records), &reading);
    switch.apply(&edits).await.unwrap();
    (began.elapsed(), edits.len())
}

/// Takes all records out.
async fn empty(switch: &FreeSwitchSwitch, known: &Desired) {
    let all = company::subjects(known);
    let edits = difference(&Records::new(), &switch.read(&all).await.unwrap());
    switch.apply(&edits).await.unwrap();
    assert!(switch.read(&all).await.unwrap().records.is_empty());
}

/// The records of one user and one device at a time, out and in again; how long a change takes.
async fn one_by_one(
    switch: &FreeSwitchSwitch,
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
async fn run(install: &Install, short: bool) {
    let rounds = if short { 1 } else { ROUNDS };
    let fs = Site::new().unwrap().start(install).unwrap();
    let stop = CancellationToken::new();
    let settings = Settings {
        user: None,
        name: SwitchName::default(),
        address: fs.esl_address().to_string(),
        password: Zeroizing::new(PASSWORD.into()),
        deadline: Duration::from_secs(20),
        events: vec![],
        filters: vec![],
    };
    let (client, connection) = Client::new(settings, stop.clone());
    tokio::spawn(connection);
    client.state().wait_for(|state| matches!(state, State::Up(_))).await.unwrap();
    let switch = FreeSwitchSwitch::new(client, TenantId::default());
    let logged_in = company::desired(Some(&|n| format!("user/desk{n}@hotdesk.test")));
    let nowhere = company::desired(None);
    let mut ratios = vec![];
    println!("{} rows onto {}, {rounds} rounds in turn", 2 * HALF, fs.banner());
    for _ in 0..rounds {
        empty(&switch, &nowhere).await;
        let floor = raw(&fs, &nowhere);
        empty(&switch, &nowhere).await;
        let (took, edits) = reconcile(&switch, &nowhere).await;
        assert_eq!(edits, 2 * HALF);
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
    stop.cancel();
}

fn main() {
    let has = |option: &str| std::env::args().any(|arg| arg == option);
    let Some(install) = installed() else {
        println!("NOT MEASURED: no FreeSWITCH was found, and mod_db is nowhere else");
        return;
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(run(&install, has("--short") || !has("--bench")));
}
