use std::time::{Duration, Instant};

use hotdesk::model::id::Revision;

use super::*;

on_each_store! {
    another_handle_gets_a_change_at_once
    an_earlier_change_is_returned_without_waiting
    waiting_ends_at_the_time_limit
}

async fn another_handle_gets_a_change_at_once(place: Place) {
    let store = place.snapshot(2, 1).await;
    let other = place.open().await;
    let mut after = all(&store).await.revision;
    let mut worst = Duration::ZERO;
    for n in 0..20 {
        let waiting = tokio::spawn({
            let other = Arc::clone(&other);
            async move {
                let revision = other.changed(&tenant(), after, Duration::from_secs(5)).await.unwrap();
                (revision, Instant::now())
            }
        });
        tokio::time::sleep(Duration::from_millis(30)).await;
        assert!(!waiting.is_finished(), "nothing has happened yet");
        let moved = log_in(&store, ["101", "102"][n % 2], "desk1").await;
        let acknowledged = Instant::now();
        let (revision, heard) = waiting.await.unwrap();
        assert_eq!(revision, moved.revision);
        worst = worst.max(heard.saturating_duration_since(acknowledged));
        after = revision;
    }
    assert!(worst < Duration::from_millis(300), "{worst:?}");
    eprintln!("{}: a change arrives within {worst:?}", place.url);
}

async fn an_earlier_change_is_returned_without_waiting(place: Place) {
    let store = place.snapshot(1, 1).await;
    let now = all(&store).await.revision;
    let asked = Instant::now();
    assert_eq!(store.changed(&tenant(), Revision(0), Duration::from_secs(9)).await.unwrap(), now);
    assert!(asked.elapsed() < Duration::from_secs(2));
}

async fn waiting_ends_at_the_time_limit(place: Place) {
    let store = place.snapshot(1, 1).await;
    let now = all(&store).await.revision;
    let asked = Instant::now();
    assert_eq!(store.changed(&tenant(), now, Duration::from_millis(400)).await.unwrap(), now);
    let waited = asked.elapsed();
    assert!(waited >= Duration::from_millis(390) && waited < Duration::from_secs(2), "{waited:?}");
}
