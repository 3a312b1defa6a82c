//! `kill -9` loses no acknowledged change, and leaves no change half done.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use hotdesk::model::directory::Session;
use hotdesk::model::id::Revision;
use hotdesk::model::journal::Event;

use super::together::replayed;
use super::*;
use crate::harness::process::Process;

on_each_kept_store! { what_the_store_acknowledged_to_a_killed_login_is_kept }

/// How often a program is killed, and within which time. Each takes about as long as a login.
const KILLS: usize = 200;
const ENOUGH: Duration = Duration::from_secs(30);
/// How many of them must have ended before they were killed, and how many must not.
const AT_LEAST: usize = 10;
/// How often Redis is killed.
const ROUNDS: u32 = 8;

async fn what_the_store_acknowledged_to_a_killed_login_is_kept(place: Place) {
    let store = place.snapshot(3, 2).await;
    let switch = "[[switch]]\nname = \"pbx\"\nami = \"127.0.0.1:1\"\n";
    let config = format!("[store]\nurl = \"{}\"\n{switch}", place.url);
    fs::write(place.base.join("hotdesk.toml"), config).unwrap();
    let log_in = |n: usize| {
        let (user, device) = (["101", "102", "103"][n % 3], ["desk1", "desk2"][n % 2]);
        let mut command = Command::new(env!("CARGO_BIN_EXE_hotdesk"));
        command.current_dir(&place.base).env_clear().args(["login", user, device]).stdin(Stdio::null());
        (user, device, command)
    };
    let longest = (0..3).map(|n| {
        let began = Instant::now();
        assert!(log_in(n).2.stdout(Stdio::null()).status().unwrap().success());
        began.elapsed()
    });
    let longest = longest.max().unwrap();

    let (mut acknowledged, mut cut, began) = (vec![], 0, Instant::now());
    for n in (3..).take(KILLS).take_while(|_| began.elapsed() < ENOUGH) {
        let (user, device, mut command) = log_in(n);
        let said = place.base.join("said");
        command.stdout(File::create(&said).unwrap()).stderr(Stdio::null());
        let mut login = Process::spawn(&mut command).unwrap();
        // The kill comes at any step of it. A part of them ends before.
        let part = getrandom::u32().unwrap() % 1000;
        std::thread::sleep(longest * part / 800);
        login.kill().unwrap();
        let said = fs::read_to_string(&said).unwrap();
        if said.starts_with(&format!("user {user} is logged in at {device}")) {
            let snapshot = all(&store).await;
            let session = snapshot.sessions.get(&name(device)).filter(|session| session.user == ext(user));
            acknowledged.push(session.unwrap_or_else(|| panic!("{said} is lost: {snapshot:?}")).clone());
        } else {
            assert_eq!(said, "");
            cut += 1;
        }
    }
    eprintln!("{}: {cut} logins were cut short", place.url);
    assert!(acknowledged.len() >= AT_LEAST && cut >= AT_LEAST, "{} and {cut}", acknowledged.len());
    survived(&place, &store, &acknowledged).await;
}

fn moves_before_kill(round: u32) -> usize {
    7 + 3 * round as usize
}

/// Every acknowledged session is in the journal, and the journal gives the sessions of the snapshot.
async fn survived(place: &Place, before: &Arc<dyn Store>, acknowledged: &[Session]) {
    for store in [before, &place.open().await] {
        for session in acknowledged {
            let entry = store.journal(&tenant(), Revision(session.revision.0 - 1), 1).await.unwrap();
            let Some(Event::SessionsChanged { begun, .. }) = entry.first().map(|entry| &entry.event) else {
                panic!("{session:?} is lost")
            };
            assert_eq!(begun[..], *std::slice::from_ref(session));
        }
        let snapshot = all(store).await;
        assert!(acknowledged.iter().all(|session| session.revision <= snapshot.revision));
        assert_eq!(replayed(store).await, session_set(&snapshot));
    }
    eprintln!("{}: {} sessions acknowledged, none lost", place.url, acknowledged.len());
}

fn session_set(snapshot: &Snapshot) -> BTreeSet<String> {
    sessions_of(snapshot).into_iter().collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_killed_redis_acknowledged_is_kept_after_its_restart() {
    let mut place = Place::redis();
    let store = place.snapshot(3, 2).await;
    let mut acknowledged = vec![];
    for round in 0..ROUNDS {
        let (news, mut moves) = tokio::sync::watch::channel(0);
        let moving = tokio::spawn({
            let store = Arc::clone(&store);
            async move {
                let mut acknowledged = vec![];
                for n in 0_usize.. {
                    let (user, device) = (["101", "102", "103"][n % 3], ["desk1", "desk2"][n % 2]);
                    match execute(&store, log_in_command(ext(user), name(device))).await {
                        Ok(transition) => acknowledged.extend(transition.begun),
                        Err(StoreError::Away(..)) => break,
                        Err(error) => panic!("{error}"),
                    }
                    news.send_replace(acknowledged.len());
                }
                acknowledged
            }
        });
        moves.wait_for(|moves| *moves >= moves_before_kill(round)).await.unwrap();
        tokio::time::sleep(Duration::from_micros(137 * u64::from(round))).await;
        let server = place.server.as_mut().unwrap();
        server.kill();
        acknowledged.extend(moving.await.unwrap());
        server.restart();
    }
    let least = (0..ROUNDS).map(moves_before_kill).sum();
    assert!(acknowledged.len() >= least, "only {} moves", acknowledged.len());
    survived(&place, &store, &acknowledged).await;
}
