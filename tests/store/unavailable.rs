//! A Redis that is down: hotdesk reports it at once, and reconnects later.

use std::time::{Duration, Instant};

use super::*;
use crate::harness::process::{self, Signal};

/// How long a command may take without an answer.
const AT_MOST: Duration = Duration::from_millis(2300);

async fn is_unavailable(store: &Arc<dyn Store>) -> String {
    let asked = Instant::now();
    let error = execute(store, log_in_command(ext("101"), name("desk1"))).await.unwrap_err();
    let took = asked.elapsed();
    assert!(took < AT_MOST, "{took:?}");
    assert!(matches!(&error, StoreError::Away(..)), "{error}");
    error.to_string()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hotdesk_reconnects_to_a_redis_that_was_down_for_20_seconds() {
    let mut place = Place::redis();
    let store = place.snapshot(2, 1).await;
    let idle = place.open().await;
    let before = all(&idle).await.revision;
    let waiting = tokio::spawn({
        let idle = Arc::clone(&idle);
        async move { (idle.changed(&tenant(), before, Duration::from_secs(90)).await.unwrap(), Instant::now()) }
    });
    tokio::time::sleep(Duration::from_millis(200)).await;
    place.server.as_mut().unwrap().kill();
    let killed = Instant::now();
    while killed.elapsed() < Duration::from_secs(20) {
        let error = is_unavailable(&store).await;
        assert!(error.contains("127.0.0.1"), "{error}");
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    let asked = Instant::now();
    let patience = Duration::from_millis(100);
    assert!(matches!(store.changed(&tenant(), before, patience).await, Err(StoreError::Away(..))));
    assert!(asked.elapsed() < AT_MOST + patience);
    let newcomer = place.open().await;
    is_unavailable(&newcomer).await;
    assert!(!waiting.is_finished());

    place.server.as_mut().unwrap().restart();
    for store in [&store, &idle, &newcomer] {
        assert_eq!(all(store).await.users.len(), 2, "the first call reconnects");
    }
    let moved = log_in(&newcomer, "102", "desk1").await;
    let acknowledged = Instant::now();
    let (heard, at) = waiting.await.unwrap();
    assert_eq!(heard, moved.revision);
    let after = at.saturating_duration_since(acknowledged);
    assert!(after < Duration::from_secs(2), "{after:?}");

    let (now, tenant) = (moved.revision, tenant());
    let (heard, acknowledged) = tokio::join!(
        async { (idle.changed(&tenant, now, Duration::from_secs(5)).await.unwrap(), Instant::now()) },
        async {
            tokio::time::sleep(Duration::from_millis(100)).await;
            (log_in(&store, "101", "desk1").await.revision, Instant::now())
        }
    );
    assert_eq!(heard.0, acknowledged.0);
    let after = heard.1.saturating_duration_since(acknowledged.1);
    assert!(
        after < Duration::from_millis(300),
        "the change arrives as quickly as before, not after {after:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_does_not_answer_is_unavailable_until_it_answers() {
    let place = Place::redis();
    let store = place.snapshot(1, 1).await;
    let pid = place.server.as_ref().unwrap().pid();
    process::send(Signal::STOP, pid).unwrap();
    is_unavailable(&store).await;
    is_unavailable(&store).await;
    process::send(Signal::CONT, pid).unwrap();
    // Redis now runs the commands that it got while it was stopped. A new login still works.
    log_in(&store, "101", "desk1").await;
    assert_eq!(sessions_of(&all(&store).await), ["101@desk1"]);
}

#[tokio::test]
async fn a_wrong_password_is_reported_without_the_password() {
    let place = Place::redis();
    let port = place.server.as_ref().unwrap().port().to_string();
    let url = format!("redis://hotdesk:s3cret@127.0.0.1:{port}/0");
    let store = hotdesk::store::open(&url, &place.base).await.unwrap();
    let error = store.snapshot(&tenant(), &Scope::All).await.unwrap_err();
    assert!(matches!(&error, StoreError::Broken(..)), "{error:?}");
    let text = format!("{error} {error:?} {:?}", hotdesk::store::Redis::open(&url).unwrap());
    assert!(text.contains(&port) && text.contains("refused the login"), "{text}");
    assert!(!text.contains("s3cret"), "{text}");
}

#[tokio::test]
async fn a_redis_without_tls_is_unavailable_by_a_tls_url() {
    let place = Place::redis();
    let store = hotdesk::store::open(&place.url.replace("redis:", "rediss:"), &place.base).await.unwrap();
    is_unavailable(&store).await;
}

/// A proxy before a Redis. It can lose its connections silently, as a firewall does.
async fn link_to(port: u16) -> (u16, tokio::sync::watch::Sender<bool>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let ours = listener.local_addr().unwrap().port();
    let (lost, lose) = tokio::sync::watch::channel(false);
    tokio::spawn(async move {
        while let Ok((mut near, _)) = listener.accept().await {
            let mut lose = lose.clone();
            lose.mark_unchanged();
            tokio::spawn(async move {
                let mut far = tokio::net::TcpStream::connect(("127.0.0.1", port)).await.unwrap();
                tokio::select! {
                    _ = tokio::io::copy_bidirectional(&mut near, &mut far) => {}
                    // Both ends stay open, and no data passes.
                    _ = lose.changed() => std::future::pending().await,
                }
            });
        }
    });
    (ours, lost)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silently_lost_connection_is_opened_again() {
    let place = Place::redis();
    drop(place.snapshot(2, 1).await);
    let (port, lost) = link_to(place.server.as_ref().unwrap().port()).await;
    let store = hotdesk::store::open(&format!("redis://127.0.0.1:{port}/0"), &place.base).await.unwrap();
    let moved = log_in(&store, "101", "desk1").await;
    let waiting = tokio::spawn({
        let store = Arc::clone(&store);
        async move { store.changed(&tenant(), moved.revision, Duration::from_secs(30)).await }
    });
    tokio::time::sleep(Duration::from_millis(200)).await;
    lost.send_replace(true);
    is_unavailable(&store).await;
    let next = log_in(&store, "102", "desk1").await;
    assert_eq!(waiting.await.unwrap().unwrap(), next.revision);
}

#[tokio::test]
async fn a_redis_that_takes_no_writes_says_why() {
    let place = Place::redis();
    let store = place.snapshot(1, 1).await;
    let client = ::redis::Client::open(place.url.as_str()).unwrap();
    let mut admin = client.get_multiplexed_async_connection().await.unwrap();
    for (command, what) in [
        (vec!["CONFIG", "SET", "maxmemory", "1"], "maxmemory-policy at noeviction"),
        (vec!["CONFIG", "SET", "maxmemory", "0"], ""),
        (vec!["REPLICAOF", "127.0.0.1", "1"], "replica"),
        (vec!["REPLICAOF", "NO", "ONE"], ""),
    ] {
        let mut asked = ::redis::Cmd::new();
        command.iter().for_each(|word| {
            asked.arg(word);
        });
        asked.exec_async(&mut admin).await.unwrap();
        let answer = execute(&store, log_in_command(ext("101"), name("desk1"))).await;
        match answer {
            Ok(_) => assert_eq!(what, "", "{command:?}"),
            Err(error) => {
                assert!(!what.is_empty() && error.to_string().contains(what), "{command:?}: {error}")
            }
        }
    }
}
