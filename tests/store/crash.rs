//! kill -9 in the middle loses nothing that was acknowledged, and leaves nothing half done.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::time::Duration;

use hotdesk::desk::id::Revision;
use hotdesk::desk::journal::Event;
use hotdesk::desk::model::Binding;

use super::together::replayed;
use super::*;

on_both_stores! { what_a_killed_controller_was_told_is_there }

const ROUNDS: u32 = 8;
const URL: &str = "HOTDESK_TEST_STORE_URL";
const BASE: &str = "HOTDESK_TEST_STORE_BASE";

/// Not a test: the controller that is killed. Moves people for ever and writes down what it was told.
#[tokio::test]
#[ignore = "run by what_a_killed_controller_was_told_is_there"]
async fn child() {
    let (Ok(url), Ok(base)) = (std::env::var(URL), std::env::var(BASE)) else { return };
    let store = hotdesk::store::open(&url, base.as_ref()).await.unwrap();
    for n in 0_usize.. {
        let (user, device) = (["101", "102", "103"][n % 3], ["desk1", "desk2"][n % 2]);
        let transition = seat(&store, user, device).await;
        for binding in &transition.seated {
            let mut out = std::io::stdout().lock();
            writeln!(out, "\ntold {}", serde_json::to_string(binding).unwrap()).unwrap();
            out.flush().unwrap();
        }
    }
}

async fn what_a_killed_controller_was_told_is_there(place: Place) {
    let store = place.office(3, 2).await;
    let mut told = vec![];
    for round in 0..ROUNDS {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "store::crash::child", "--ignored", "--nocapture"])
            .env(URL, &place.url)
            .env(BASE, &place.base)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let binding = |line: String| serde_json::from_str::<Binding>(line.strip_prefix("told ")?).ok();
        // It is killed in the middle of a move, at another place in its work each time.
        told.extend(lines.by_ref().map_while(Result::ok).filter_map(binding).take(moves_before_kill(round)));
        std::thread::sleep(Duration::from_micros(137 * u64::from(round)));
        child.kill().unwrap();
        child.wait().unwrap();
        told.extend(lines.map_while(Result::ok).filter_map(binding));
    }
    survived(&place, &store, &told).await;
}

fn moves_before_kill(round: u32) -> usize {
    7 + 3 * round as usize
}

/// Every binding that was told is in the journal, and the journal gives who sits where.
async fn survived(place: &Place, before: &Arc<dyn Store>, told: &[Binding]) {
    assert!(told.len() >= (0..ROUNDS).map(moves_before_kill).sum(), "only {} moves", told.len());
    for store in [before, &place.open().await] {
        for binding in told {
            let entry = store.journal(&tenant(), Revision(binding.revision.0 - 1), 1).await.unwrap();
            let Some(Event::Moved { seated, .. }) = entry.first().map(|entry| &entry.event) else {
                panic!("{binding:?} is lost")
            };
            assert_eq!(seated[..], *std::slice::from_ref(binding));
        }
        let office = all(store).await;
        assert!(told.iter().all(|binding| binding.revision <= office.revision));
        assert_eq!(replayed(store).await, seated_set(&office));
    }
    eprintln!("{}: {} moves told, none lost", place.url, told.len());
}

fn seated_set(office: &Office) -> BTreeSet<String> {
    seated(office).into_iter().collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_killed_redis_acknowledged_is_there_when_it_is_back() {
    let mut place = Place::redis();
    let store = place.office(3, 2).await;
    let mut told = vec![];
    for round in 0..ROUNDS {
        let (news, mut moves) = tokio::sync::watch::channel(0);
        let moving = tokio::spawn({
            let store = Arc::clone(&store);
            async move {
                let mut told = vec![];
                for n in 0_usize.. {
                    let (user, device) = (["101", "102", "103"][n % 3], ["desk1", "desk2"][n % 2]);
                    match doing(&store, sit(ext(user), name(device))).await {
                        Ok(transition) => told.extend(transition.seated),
                        Err(StoreError::Away(..)) => break,
                        Err(error) => panic!("{error}"),
                    }
                    news.send_replace(told.len());
                }
                told
            }
        });
        moves.wait_for(|moves| *moves >= moves_before_kill(round)).await.unwrap();
        tokio::time::sleep(Duration::from_micros(137 * u64::from(round))).await;
        let server = place.server.as_mut().unwrap();
        server.kill();
        told.extend(moving.await.unwrap());
        server.restart();
    }
    survived(&place, &store, &told).await;
}
