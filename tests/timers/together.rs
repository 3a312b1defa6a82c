//! Several controllers on one Redis, and logouts that were due while none ran.

use std::collections::BTreeSet;

use super::*;
use crate::store::Place;

const DEVICES: usize = 1000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sessions_that_were_due_while_no_controller_ran_end_once_with_two_controllers() {
    let place = Place::redis();
    let stores = [place.open().await, place.open().await];
    let mut users = vec![];
    for n in 0..DEVICES {
        let (extension, desk) = (format!("{}", 1000 + n), format!("desk{n}"));
        change(&stores[0], What::User(user(&extension, "User"))).await;
        change(&stores[0], What::Device(Device { location: None, ..device(&desk) })).await;
        log_in(&stores[0], &extension, &desk, at("2026-11-18T09:00")).await;
        users.push(extension);
    }
    // One more user logs in after the time and stays.
    change(&stores[0], What::User(user("101", "Late"))).await;
    change(&stores[0], What::Device(Device { location: None, ..device("late") })).await;
    log_in(&stores[0], "101", "late", at("2026-11-18T23:30")).await;

    let (_clock, time) = watch::channel(Moment::at(at("2026-11-19T08:00")));
    let (_settings, rules) = watch::channel(settings("at = '23:00'"));
    let stop = CancellationToken::new();
    let _guard = stop.clone().drop_guard();
    let began = std::time::Instant::now();
    for store in &stores {
        let phones: Arc<dyn Switch> = Arc::new(ToyPhones {
            clock: time.clone(),
            started: Mutex::new(at("2026-11-01T00:00")),
            away: Mutex::new(false),
            doing: Mutex::default(),
            rung: Mutex::default(),
            device_events: broadcast::Sender::new(16),
            in_doubt: watch::Sender::new(0),
        });
        let timers = Timers {
            tenant: TenantId::default(),
            store: store.clone(),
            switches: BTreeMap::from([(switch("pbx"), phones)]),
            held: vec![],
            settings: rules.clone(),
            clock: Clock::told(time.clone()),
        };
        timers.start(stop.clone());
    }
    let wait = async {
        while sessions_of(&stores[0]).await != ["101@late"] {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(120), wait).await.unwrap();
    eprintln!("{DEVICES} sessions ended in {:?}", began.elapsed());
    // No further logout follows.
    tokio::time::sleep(QUIET).await;
    let journal = stores[1].journal(&TenantId::default(), Revision(0), 100_000).await.unwrap();
    let ended_for: Vec<String> = journal
        .into_iter()
        .filter_map(|entry| match (entry.by, entry.event) {
            (Actor::Timer(Why::TimeOfDay), Event::SessionsChanged { ended, .. }) => Some(ended),
            (Actor::Timer(why), event) => panic!("{why:?} {event:?}"),
            _ => None,
        })
        .flat_map(|ended| ended.into_iter().map(|session| session.user.to_string()))
        .collect();
    assert_eq!(ended_for.len(), DEVICES, "each once");
    assert_eq!(ended_for.into_iter().collect::<BTreeSet<_>>(), users.into_iter().collect::<BTreeSet<_>>());
}
