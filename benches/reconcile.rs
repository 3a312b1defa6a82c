//! 10,000 rows onto a real Asterisk: how long from an empty AstDB to the whole table acknowledged, beside the same
//! `DBPut`s written raw, all in one write, in the same run; then how long a whole comparison takes that finds nothing to do,
//! and one login's rows among the 10,000.

#![allow(clippy::unwrap_used, missing_docs, unreachable_pub)]

#[path = "../tests/support/mod.rs"]
mod support;

mod company;
mod pbx;

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use company::HALF;
use hotdesk::asterisk::astdb::AstDb;
use hotdesk::asterisk::manager::State;
use hotdesk::asterisk::rows;
use hotdesk::desk::id::{DeviceName, Extension, TenantId};
use hotdesk::desk::reach::Reach;
use hotdesk::desk::table::{Key, Lamp, Row, Scope, Table, difference};
use hotdesk::switch::Switch;
use support::asterisk::{ADMIN, Asterisk};
use tokio_util::sync::CancellationToken;

const ROUNDS: usize = 5;

fn table(seated: bool) -> Table {
    let mut table = company::table(seated.then_some(&|n| format!("PJSIP/desk{n}")));
    let seats = (0..HALF).map(|n| Key::Seat(DeviceName::new(format!("desk{n}")).unwrap()));
    table.extend(seats.filter(|_| seated).map(|key| (key, Row::Lamp(Lamp::LIT))));
    table
}

/// The same rows in one write, and the responses counted.
fn raw(pbx: &Asterisk, table: &Table) -> Duration {
    let stream = TcpStream::connect(pbx.ami_address()).unwrap();
    let mut out = stream.try_clone().unwrap();
    let (user, secret) = ADMIN;
    write!(out, "Action: Login\r\nUsername: {user}\r\nSecret: {secret}\r\nEvents: off\r\n\r\n").unwrap();
    let mut lines = BufReader::new(stream).lines();
    while !lines.next().unwrap().unwrap().starts_with("Message: Authentication accepted") {}
    let rows = table.iter().filter_map(|(key, row)| Some((rows::key(key)?, rows::value(row)?)));
    let actions: String = rows
        .map(|(key, value)| format!("Action: DBPut\r\nFamily: hotdesk\r\nKey: {key}\r\nVal: {value}\r\n\r\n"))
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

async fn settle(switch: &AstDb, wanted: &Table) -> (Duration, usize) {
    let began = Instant::now();
    let edits = difference(wanted, &switch.read(&Scope::All, &Table::new()).await.unwrap());
    switch.apply(&edits).await.unwrap();
    (began.elapsed(), edits.len())
}

/// The rows of one user and one desk at a time, out and in again; how long a change takes.
async fn one_by_one(switch: &AstDb, nowhere: &Table, seated: &Table) -> Duration {
    let began = Instant::now();
    for n in 0..200 {
        let (user, device) = (format!("{}", 10_000 + n), format!("desk{n}"));
        let scope =
            Scope::user(&Extension::new(user).unwrap()).and(Scope::device(&DeviceName::new(device).unwrap()));
        for table in [nowhere, seated] {
            let wanted = table.iter().filter(|(key, _)| scope.contains(key));
            let wanted: Table = wanted.map(|(key, row)| (key.clone(), row.clone())).collect();
            let edits = difference(&wanted, &switch.read(&scope, &wanted).await.unwrap());
            assert!(!edits.is_empty());
            switch.apply(&edits).await.unwrap();
        }
    }
    began.elapsed() / 400
}

async fn run() {
    let mut pbx = pbx::asterisk(&Reach::default());
    let stop = CancellationToken::new();
    let manager = pbx::manager(&pbx, &stop).await;
    let mut state = manager.state();
    let switch = Arc::new(AstDb::new(manager, &TenantId::default()));
    let (nowhere, seated) = (table(false), table(true));
    let mut ratios = vec![];
    println!("{} rows onto {}, {ROUNDS} rounds in turn", 2 * HALF, pbx.banner());
    for _ in 0..ROUNDS {
        pbx.cli("database deltree hotdesk").unwrap();
        let floor = raw(&pbx, &nowhere);
        pbx.cli("database deltree hotdesk").unwrap();
        let (ours, edits) = settle(&switch, &nowhere).await;
        assert_eq!(edits, 2 * HALF);
        let (again, none) = settle(&switch, &nowhere).await;
        assert_eq!(none, 0, "what was written is what is read");
        let ratio = ours.as_secs_f64() / floor.as_secs_f64();
        println!("  written {ours:6.1?}   raw {floor:6.1?}   ratio {ratio:.2}   compared again {again:6.1?}");
        ratios.push(ratio);
    }
    ratios.sort_by(f64::total_cmp);
    println!("  median ratio {:.2}", ratios.get(ROUNDS / 2).unwrap());

    let (everybody, edits) = settle(&switch, &seated).await;
    println!("everybody logs in at once: {edits} rows and lamps in {everybody:.1?}");
    let each = one_by_one(&switch, &nowhere, &seated).await;
    println!("one login's rows among them: read, compared and written in {each:.1?}");
    pbx.restart().unwrap();
    state.wait_for(|state| !matches!(state, State::Up(_))).await.unwrap();
    state.wait_for(|state| matches!(state, State::Up(_))).await.unwrap();
    let (restarted, edits) = settle(&switch, &seated).await;
    println!("after a restart of Asterisk, with its AstDB: {edits} differ, found in {restarted:.1?}");
    stop.cancel();
}

fn main() {
    // As a test: that it builds.
    if !std::env::args().any(|arg| arg == "--bench") {
        return;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(run());
}
