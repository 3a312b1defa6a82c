//! Several controllers on one Redis, and what was due while none was up.

use std::collections::BTreeSet;

use super::*;
use crate::store::Place;

const DESKS: usize = 1000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_missed_while_nobody_was_up_ends_once_whichever_of_two_controllers_is_first() {
    let place = Place::redis();
    let stores = [place.open().await, place.open().await];
    let mut sitting = vec![];
    for n in 0..DESKS {
        let (extension, desk) = (format!("{}", 1000 + n), format!("desk{n}"));
        change(&stores[0], What::User(user(&extension, "Somebody"))).await;
        change(&stores[0], What::Device(Device { location: None, ..device(&desk) })).await;
        sit(&stores[0], &extension, &desk, at("2026-11-18T09:00")).await;
        sitting.push(extension);
    }
    // One more came after the time: he stays.
    change(&stores[0], What::User(user("101", "Late"))).await;
    change(&stores[0], What::Device(Device { location: None, ..device("late") })).await;
    sit(&stores[0], "101", "late", at("2026-11-18T23:30")).await;

    let (_clock, told) = watch::channel(at("2026-11-19T08:00"));
    let (_settings, rules) = watch::channel(settings("at = '23:00'"));
    let stop = CancellationToken::new();
    let _guard = stop.clone().drop_guard();
    let began = std::time::Instant::now();
    for store in &stores {
        let floor: Arc<dyn Switch> = Arc::new(Floor {
            clock: told.clone(),
            started: Mutex::new(at("2026-11-01T00:00")),
            away: Mutex::new(false),
            doing: Mutex::default(),
            rung: Mutex::default(),
            stirs: broadcast::Sender::new(16),
            unsettled: watch::Sender::new(0),
        });
        let timers = Timers {
            tenant: TenantId::default(),
            store: store.clone(),
            switches: BTreeMap::from([(switch("pbx"), floor)]),
            settings: rules.clone(),
            clock: Clock::Told(told.clone()),
        };
        timers.start(stop.clone());
    }
    let wait = async {
        while seats(&stores[0]).await != ["101@late"] {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(120), wait).await.unwrap();
    eprintln!("{DESKS} bindings ended in {:?}", began.elapsed());
    // Nothing comes after it, either.
    tokio::time::sleep(QUIET).await;
    let journal = stores[1].journal(&TenantId::default(), Revision(0), 100_000).await.unwrap();
    let left: Vec<String> = journal
        .into_iter()
        .filter_map(|entry| match (entry.by, entry.event) {
            (Actor::Timer(Why::TimeOfDay), Event::Moved { removed, .. }) => Some(removed),
            (Actor::Timer(why), event) => panic!("{why:?} {event:?}"),
            _ => None,
        })
        .flat_map(|removed| removed.into_iter().map(|binding| binding.user.to_string()))
        .collect();
    assert_eq!(left.len(), DESKS, "each once");
    assert_eq!(left.into_iter().collect::<BTreeSet<_>>(), sitting.into_iter().collect::<BTreeSet<_>>());
}
