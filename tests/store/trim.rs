//! Old entries of the journal are dropped in steps. Each is counted once, and no follower of the journal misses one.

use std::time::{Duration, Instant};

use hotdesk::controller::journal;
use hotdesk::model::journal::daily_counts::{Counted, Counts};
use hotdesk::model::journal::{Entry, Event};
use hotdesk::store::{Trim, Trimmed};

use super::*;

on_each_store! {
    old_entries_become_counts_and_the_newest_stays
    several_who_drop_the_same_count_it_once
    entries_are_dropped_only_from_the_oldest_on_and_never_the_newest
    logins_go_on_while_thousands_are_dropped
}

const DAY: i64 = 24 * 60 * 60;

/// So many days after 2027-01-15, 08:00 UTC.
fn day(days: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + days * DAY).unwrap()
}

fn refused(tenant: &TenantId, at: Timestamp) -> Entry {
    let event = Event::Refused { device: name("desk1"), user: None, reason: "wrong-pin".into() };
    let (tenant, by) = (tenant.clone(), Actor::Device(name("desk1")));
    Entry { revision: Revision(0), at, tenant, by, call: None, code: None, event }
}

async fn record(store: &Arc<dyn Store>, at: Timestamp, times: usize) {
    for few in vec![refused(&tenant(), at); times].chunks(1000) {
        store.record(few).await.unwrap();
    }
}

fn counted(days: &[(&str, Counted, u64)]) -> Counts {
    let mut counts = Counts::default();
    days.iter().for_each(|(day, what, times)| counts.add(day.parse().unwrap(), *what, *times));
    counts
}

async fn old_entries_become_counts_and_the_newest_stays(place: Place) {
    let store = place.open().await;
    let other = TenantId::new("other").unwrap();
    let users = ["101", "102"].map(|who| Change { at: day(0), ..change(What::User(user(who))) });
    let desk = Change { at: day(0), ..change(What::Device(device("desk1"))) };
    for change in users.iter().chain([&desk]) {
        store.change(change).await.unwrap();
    }
    for (who, days) in [("101", 1), ("102", 2)] {
        store
            .change_sessions(&Move { at: day(days), ..request_for(log_in_command(ext(who), name("desk1"))) })
            .await
            .unwrap();
    }
    record(&store, day(3), 2).await;
    store.record(&vec![refused(&other, day(0)); 3]).await.unwrap();
    let (before, snapshot) = (store.journal(&tenant(), Revision(0), 99).await.unwrap(), all(&store).await);
    assert_eq!(journal::trim(&*store, &tenant(), day(0)).await.unwrap(), 0, "none is older");
    assert_eq!(store.trimmed(&tenant()).await.unwrap(), Trimmed::default());

    assert_eq!(journal::trim(&*store, &tenant(), day(2)).await.unwrap(), 4);
    let old = counted(&[("2027-01-15", Counted::Other, 3), ("2027-01-16", Counted::Login, 1)]);
    assert_eq!(store.trimmed(&tenant()).await.unwrap(), Trimmed { upto: Revision(4), counts: old });
    assert_eq!(store.journal(&tenant(), Revision(0), 99).await.unwrap(), before[4..]);
    assert_eq!(store.revision_at(&tenant(), day(0)).await.unwrap(), Revision(5));

    assert_eq!(journal::trim(&*store, &tenant(), day(99)).await.unwrap(), 2, "all but the newest");
    assert_eq!(store.journal(&tenant(), Revision(0), 99).await.unwrap(), before[6..]);
    let whole = counted(&[
        ("2027-01-15", Counted::Other, 3),
        ("2027-01-16", Counted::Login, 1),
        ("2027-01-17", Counted::Login, 1),
        ("2027-01-17", Counted::Logout, 1),
        ("2027-01-18", Counted::Refusal, 2),
    ]);
    assert_eq!(
        journal::counts(&*store, &tenant()).await.unwrap(),
        whole,
        "each entry is counted once, dropped or not"
    );

    assert_eq!(all(&store).await, snapshot, "dropping entries changes no record");
    assert_eq!(
        store.journal(&other, Revision(0), 99).await.unwrap().len(),
        3,
        "the journal of another tenant is not touched"
    );
    record(&store, day(4), 1).await;
    let next = store.journal(&tenant(), Revision(7), 99).await.unwrap();
    assert_eq!(next[0].revision, Revision(8), "numbers go on");
}

async fn several_who_drop_the_same_count_it_once(place: Place) {
    let store = place.open().await;
    record(&store, day(0), 3001).await;
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..6 {
        let store = place.open().await;
        tasks.spawn(async move { journal::trim(&*store, &tenant(), day(1)).await.unwrap() });
    }
    let dropped: usize = tasks.join_all().await.into_iter().sum();
    assert_eq!(dropped, 3000, "the other controllers dropped nothing");
    let Trimmed { upto, counts } = store.trimmed(&tenant()).await.unwrap();
    assert_eq!((upto, counts), (Revision(3000), counted(&[("2027-01-15", Counted::Refusal, 3000)])));
}

async fn entries_are_dropped_only_from_the_oldest_on_and_never_the_newest(place: Place) {
    let store = place.open().await;
    record(&store, day(0), 5).await;
    let counts = counted(&[("2027-01-15", Counted::Refusal, 1)]);
    let trim = |from, upto| {
        let (from, upto) = (Revision(from), Revision(upto));
        Trim { tenant: tenant(), from, upto, counts: counts.clone() }
    };
    for (from, upto) in [(1, 5), (1, 6), (2, 3), (0, 3)] {
        assert!(!store.trim(&trim(from, upto)).await.unwrap(), "{from} to {upto}");
    }
    assert_eq!(store.trimmed(&tenant()).await.unwrap(), Trimmed::default());
    assert_eq!(store.journal(&tenant(), Revision(0), 9).await.unwrap().len(), 5);
    assert!(store.trim(&trim(1, 1)).await.unwrap());
    assert!(!store.trim(&trim(1, 1)).await.unwrap(), "a repeated request drops nothing");
    assert_eq!(store.trimmed(&tenant()).await.unwrap(), Trimmed { upto: Revision(1), counts });
}

async fn logins_go_on_while_thousands_are_dropped(place: Place) {
    let store = place.snapshot(2, 1).await;
    // The entries of this tenant are of today, so the old entries belong to another tenant of the same store.
    let other = TenantId::new("other").unwrap();
    for few in vec![refused(&other, day(0)); 10_001].chunks(1000) {
        store.record(few).await.unwrap();
    }
    let trimming = tokio::spawn({
        let (store, other) = (place.open().await, other.clone());
        async move { journal::trim(&*store, &other, day(1)).await.unwrap() }
    });
    let (mut worst, mut moves) = (Duration::ZERO, 0);
    while !trimming.is_finished() {
        let asked = Instant::now();
        log_in(&store, ["101", "102"][moves % 2], "desk1").await;
        worst = worst.max(asked.elapsed());
        moves += 1;
    }
    assert_eq!(trimming.await.unwrap(), 10_000);
    assert!(moves > 20 && worst < Duration::from_secs(1), "{moves} moves, {worst:?} for the slowest");
    eprintln!("{}: {moves} moves, {worst:?} for the slowest", place.url);
}
