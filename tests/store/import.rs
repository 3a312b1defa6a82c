//! A whole directory in one step.

use std::time::Instant;

use hotdesk::model::journal::Event;
use hotdesk::model::login::pin::{Pin, PinRecord};

use super::*;

use crate::harness::asking::Import;
use hotdesk::model::login::refusal::Refusal;

on_each_store! {
    an_import_is_journalled_change_by_change_and_logs_out_users_without_hotdesking
    an_import_with_one_refused_change_changes_nothing
    ten_thousand_users_come_in_at_once
}

fn import(users: Vec<User>, pins: Vec<(Extension, PinRecord)>, devices: Vec<Device>) -> Import {
    Import {
        tenant: tenant(),
        locations: vec![],
        users,
        pins,
        devices,
        by: Actor::Command("anna".into()),
        at: Timestamp::now(),
    }
}

fn record(user: &str) -> PinRecord {
    PinRecord::make(&Pin::new("4711").unwrap(), &records::pepper(), &tenant(), &ext(user), [1; 16])
}

async fn an_import_is_journalled_change_by_change_and_logs_out_users_without_hotdesking(place: Place) {
    let store = place.snapshot(2, 2).await;
    log_in(&store, "101", "desk1").await;
    log_in(&store, "102", "desk2").await;
    let before = all(&store).await.revision;
    let lift = Device { hotdesk: false, ..owned("103", "desk1") };
    let coming = import(
        vec![user("103"), User { hotdesk: false, ..user("102") }],
        vec![(ext("103"), record("103"))],
        vec![lift.clone()],
    );
    let after = store.import(&coming).await.unwrap();
    assert_eq!(after.0, before.0 + 4);

    let other = place.open().await;
    let snapshot = all(&other).await;
    assert_eq!((snapshot.revision, sessions_of(&snapshot)), (after, vec![]));
    assert_eq!(snapshot.devices[&name("desk1")], lift);
    assert_eq!(other.pin(&tenant(), &ext("103")).await.unwrap(), Some(record("103")));
    let journal = other.journal(&tenant(), before, 10).await.unwrap();
    let events: Vec<Event> = journal.into_iter().map(|entry| entry.event).collect();
    let closed = || field("hotdesk", Some("yes"), Some("no"));
    assert_eq!(
        events,
        [
            Event::UserChanged { user: ext("103"), devices: vec![], fields: vec![], added: true },
            Event::UserChanged {
                user: ext("102"),
                devices: vec![name("desk2")],
                fields: vec![closed()],
                added: false
            },
            Event::PinChanged { user: ext("103") },
            Event::DeviceChanged {
                device: name("desk1"),
                user: Some(ext("101")),
                owners: vec![ext("103")],
                fields: vec![closed(), field("owner", None, Some("103"))],
                added: false
            },
        ]
    );
}

async fn an_import_with_one_refused_change_changes_nothing(place: Place) {
    let store = place.snapshot(1, 1).await;
    let before = all(&store).await;
    let coming = import(
        vec![user("102")],
        vec![(ext("102"), record("102")), (ext("999"), record("999"))],
        vec![device("desk2")],
    );
    let refused = store.import(&coming).await.unwrap_err();
    assert!(
        matches!(&refused, StoreError::Refused(Refusal::Missing(what)) if what.to_string() == "user 999"),
        "{refused:?}"
    );
    assert_eq!(all(&place.open().await).await, before);
    assert_eq!(store.pin(&tenant(), &ext("102")).await.unwrap(), None);
    let nowhere = Device { location: Some(at("ams")), ..device("desk2") };
    let refused = store.import(&import(vec![user("102")], vec![], vec![nowhere.clone()])).await.unwrap_err();
    assert!(
        matches!(&refused, StoreError::Refused(Refusal::Missing(what)) if what.to_string() == "location ams"),
        "{refused:?}"
    );
    assert_eq!(all(&store).await, before);

    let built =
        Import { locations: vec![location("ams", &["112"])], ..import(vec![], vec![], vec![nowhere]) };
    store.import(&built).await.unwrap();
    let after = all(&place.open().await).await;
    assert_eq!(after.emergency_caller_id(&after.devices[&name("desk2")]).unwrap().as_str(), "0201112222");
    assert_eq!(store.import(&import(vec![], vec![], vec![])).await.unwrap(), after.revision);
}

async fn ten_thousand_users_come_in_at_once(place: Place) {
    let store = place.open().await;
    let numbers = || 10_000..20_000;
    let users: Vec<User> = numbers().map(|n| user(&n.to_string())).collect();
    let devices: Vec<Device> =
        numbers().take(2000).map(|n| owned(&n.to_string(), &format!("desk{n}"))).collect();
    // One record for all: making ten thousand takes minutes.
    let one = record("10000");
    let pins = numbers().map(|n| (ext(&n.to_string()), one.clone())).collect();
    let began = Instant::now();
    let after = store.import(&import(users, pins, devices)).await.unwrap();
    eprintln!("22,000 changes in {:?}", began.elapsed());
    assert_eq!(after, Revision(22_000));
    let snapshot = all(&place.open().await).await;
    assert_eq!((snapshot.users.len(), snapshot.devices.len()), (10_000, 2_000));
    assert_eq!(snapshot.user_at(&name("desk11234")), Some(&ext("11234")));
}
