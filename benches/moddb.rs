//! 10,000 rows onto a real FreeSWITCH's `mod_db`: read, compared, written and acknowledged, beside the same `db insert`s
//! written raw, all in one write, in the same run; then how long a whole comparison takes that finds nothing to do, and one
//! login's rows among the 10,000.

#![allow(clippy::unwrap_used, missing_docs, unreachable_pub)]

#[path = "../tests/support/mod.rs"]
mod support;

mod company;

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use company::HALF;
use hotdesk::desk::id::{DeviceName, Extension, SwitchName, TenantId};
use hotdesk::desk::table::{Scope, Table, difference};
use hotdesk::freeswitch::client::{Client, Settings, State};
use hotdesk::freeswitch::moddb::ModDb;
use hotdesk::freeswitch::rows;
use hotdesk::switch::Switch;
use support::freeswitch::{FreeSwitch, Install, PASSWORD, Site, installed};
use tokio_util::sync::CancellationToken;
use zeroize::Zeroizing;

const ROUNDS: usize = 5;

/// The same rows in one write, and the answers counted.
fn raw(fs: &FreeSwitch, table: &Table) -> Duration {
    let stream = TcpStream::connect(fs.esl_address()).unwrap();
    let mut out = stream.try_clone().unwrap();
    let mut lines = BufReader::new(stream).lines();
    write!(out, "auth {PASSWORD}\n\n").unwrap();
    while !lines.next().unwrap().unwrap().starts_with("Reply-Text: +OK accepted") {}
    let tenant = TenantId::default();
    let inserts: String = table
        .iter()
        .map(|(key, row)| {
            let (realm, place) = rows::place(key, &tenant).unwrap();
            format!("api db insert/{realm}/{place}/{}\n\n", rows::value(row).unwrap())
        })
        .collect();
    let began = Instant::now();
    let writing = std::thread::spawn(move || out.write_all(inserts.as_bytes()).unwrap());
    for _ in 0..table.len() {
        // No line break ends what was said before.
        while !lines.next().unwrap().unwrap().ends_with("Content-Type: api/response") {}
    }
    writing.join().unwrap();
    began.elapsed()
}

async fn settle(switch: &ModDb, wanted: &Table) -> (Duration, usize) {
    let began = Instant::now();
    let edits = difference(wanted, &switch.read(&Scope::All, wanted).await.unwrap());
    switch.apply(&edits).await.unwrap();
    (began.elapsed(), edits.len())
}

/// Takes all rows out.
async fn empty(switch: &ModDb, known: &Table) {
    let edits = difference(&Table::new(), &switch.read(&Scope::All, known).await.unwrap());
    switch.apply(&edits).await.unwrap();
    assert!(switch.read(&Scope::All, &Table::new()).await.unwrap().is_empty());
}

/// The rows of one user and one desk at a time, out and in again; how long a change takes.
async fn one_by_one(switch: &ModDb, nowhere: &Table, seated: &Table) -> Duration {
    let began = Instant::now();
    for n in 0..200 {
        let (user, device) = (Extension::new(format!("{}", 10_000 + n)), DeviceName::new(format!("desk{n}")));
        let scope = Scope::user(&user.unwrap()).and(Scope::device(&device.unwrap()));
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

async fn run(install: &Install) {
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
    let (client, _) = Client::start(settings, stop.clone());
    client.state().wait_for(|state| matches!(state, State::Up(_))).await.unwrap();
    let switch = ModDb::new(client, TenantId::default());
    let (nowhere, seated) =
        (company::table(None), company::table(Some(&|n| format!("user/desk{n}@hotdesk.test"))));
    let mut ratios = vec![];
    println!("{} rows onto {}, {ROUNDS} rounds in turn", 2 * HALF, fs.banner());
    for _ in 0..ROUNDS {
        empty(&switch, &nowhere).await;
        let floor = raw(&fs, &nowhere);
        empty(&switch, &nowhere).await;
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
    stop.cancel();
}

fn main() {
    // As a test: that it builds.
    if !std::env::args().any(|arg| arg == "--bench") {
        return;
    }
    let Some(install) = installed() else {
        println!("NOT MEASURED: no FreeSWITCH was found, and mod_db is nowhere else");
        return;
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(run(&install));
}
