use std::time::{Duration, Instant};

use hotdesk::desk::id::Revision;

use super::*;

on_both_stores! {
    another_handle_hears_of_a_move_at_once
    what_has_happened_already_is_told_without_waiting
    waiting_ends_when_patience_does
}

async fn another_handle_hears_of_a_move_at_once(place: Place) {
    let store = place.office(2, 1).await;
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
        let moved = seat(&store, ["101", "102"][n % 2], "desk1").await;
        let acknowledged = Instant::now();
        let (revision, heard) = waiting.await.unwrap();
        assert_eq!(revision, moved.revision);
        worst = worst.max(heard.saturating_duration_since(acknowledged));
        after = revision;
    }
    assert!(worst < Duration::from_millis(300), "{worst:?}");
    eprintln!("{}: heard after {worst:?} at the latest", place.url);
}

async fn what_has_happened_already_is_told_without_waiting(place: Place) {
    let store = place.office(1, 1).await;
    let now = all(&store).await.revision;
    let asked = Instant::now();
    assert_eq!(store.changed(&tenant(), Revision(0), Duration::from_secs(9)).await.unwrap(), now);
    assert!(asked.elapsed() < Duration::from_secs(2));
}

async fn waiting_ends_when_patience_does(place: Place) {
    let store = place.office(1, 1).await;
    let now = all(&store).await.revision;
    let asked = Instant::now();
    assert_eq!(store.changed(&tenant(), now, Duration::from_millis(400)).await.unwrap(), now);
    let waited = asked.elapsed();
    assert!(waited >= Duration::from_millis(390) && waited < Duration::from_secs(2), "{waited:?}");
}
