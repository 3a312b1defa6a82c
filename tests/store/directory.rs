use hotdesk::model::desired::Scope;
use hotdesk::model::directory::location::Location;
use hotdesk::model::directory::{CallerId, Device, User};
use hotdesk::model::id::{Number, Revision, TenantId};
use hotdesk::model::journal::{Actor, Entry, Event};
use hotdesk::model::login::pin::{Pepper, Pin, PinRecord};
use hotdesk::store::StoreError;
use jiff::Timestamp;

use super::*;

use crate::harness::asking::What;
use hotdesk::model::login::refusal::Refusal;

on_each_store! {
    a_written_record_is_read_back_unchanged
    a_scope_brings_all_that_its_rows_need_and_no_more
    a_user_or_device_without_hotdesking_is_logged_out_in_the_same_step
    removing_a_user_or_device_ends_its_session
    a_missing_record_cannot_be_changed
    a_location_is_in_the_scope_of_its_devices_and_stays_as_long_as_they_do
    tenants_know_nothing_of_one_another
    the_journal_has_every_change_in_order_without_a_gap
    a_time_gives_a_revision_of_the_journal
}

async fn a_written_record_is_read_back_unchanged(place: Place) {
    let store = place.open().await;
    let rich = User {
        name: "Zoë \"Z\" O'Neill".parse().ok(),
        caller_id: CallerId::Number(Number::new("+31201234567").unwrap()),
        language: "nl".parse().ok(),
        class: "from-internal".parse().ok(),
        mailbox: "101@default".parse().ok(),
        ..user("101")
    };
    let mut desk = owned("101", "desk1");
    desk.allow_from = vec!["192.0.2.0/24".parse().unwrap(), "2001:db8::/32".parse().unwrap()];
    let ams = Location {
        language: "nl".parse().ok(),
        address: "Zoë's \"Huis\", Amsterdam".parse().ok(),
        ..location("ams", &["112"])
    };
    desk.location = Some(ams.name.clone());
    apply(&store, What::Location(location("ams", &[]))).await;
    apply(&store, What::Location(ams.clone())).await;
    apply(&store, What::User(user("101"))).await;
    apply(&store, What::User(rich.clone())).await;
    let last = apply(&store, What::Device(desk.clone())).await;
    let snapshot = all(&place.open().await).await;
    assert_eq!(snapshot.revision, last);
    assert_eq!(snapshot.users.into_values().collect::<Vec<_>>(), [rich]);
    assert_eq!(snapshot.devices.into_values().collect::<Vec<_>>(), [desk]);
    assert_eq!(snapshot.locations.into_values().collect::<Vec<_>>(), [ams]);

    assert_eq!(store.pin(&tenant(), &ext("101")).await.unwrap(), None);
    let record =
        PinRecord::make(&Pin::new("4711").unwrap(), &Pepper::new([7; 64]), &tenant(), &ext("101"), [1; 16]);
    apply(&store, What::Pin(ext("101"), record.clone())).await;
    apply(&store, What::User(user("101"))).await;
    assert_eq!(
        store.pin(&tenant(), &ext("101")).await.unwrap(),
        Some(record),
        "a changed user keeps the PIN"
    );
    apply(&store, What::RemoveUser(ext("101"))).await;
    assert_eq!(store.pin(&tenant(), &ext("101")).await.unwrap(), None);
    apply(&store, What::User(user("101"))).await;
    assert_eq!(store.pin(&tenant(), &ext("101")).await.unwrap(), None, "a new 101 has not the old one's PIN");
}

async fn a_scope_brings_all_that_its_rows_need_and_no_more(place: Place) {
    // 103 owns desk3 and desk5, 104 owns desk4; 101 is logged in at 103's desk3, 103 at 104's desk4, 102 at desk2.
    let store = place.snapshot(5, 2).await;
    for device in [owned("103", "desk3"), owned("104", "desk4"), owned("103", "desk5"), device("desk6")] {
        apply(&store, What::Device(device)).await;
    }
    for (user, device) in [("101", "desk3"), ("102", "desk2"), ("103", "desk4")] {
        log_in(&store, user, device).await;
    }
    let whole = all(&store).await;
    assert_eq!((whole.users.len(), whole.devices.len(), whole.sessions.len()), (5, 6, 3));

    let some = |users: &[&str], devices: &[&str]| Scope::Some {
        users: users.iter().map(|user| ext(user)).collect(),
        devices: devices.iter().map(|device| name(device)).collect(),
    };
    for (scope, users, devices, sessions) in [
        (some(&[], &[]), "", "", ""),
        (some(&["105"], &[]), "105", "", ""),
        (some(&["102"], &[]), "102", "desk2", "102@desk2"),
        (some(&[], &["desk6"]), "", "desk6", ""),
        (some(&["103"], &[]), "103", "desk4 desk5", "103@desk4"),
        (some(&[], &["desk3"]), "101 103", "desk3 desk4 desk5", "101@desk3 103@desk4"),
        (some(&[], &["desk4"]), "103 104", "desk4 desk5", "103@desk4"),
        (some(&["999"], &["nowhere"]), "", "", ""),
        (some(&["105"], &["desk2"]), "102 105", "desk2", "102@desk2"),
    ] {
        let snapshot = store.snapshot(&tenant(), &scope).await.unwrap();
        let of = |names: Vec<String>| names.join(" ");
        assert_eq!(of(snapshot.users.keys().map(ToString::to_string).collect()), users, "users of {scope:?}");
        assert_eq!(
            of(snapshot.devices.keys().map(ToString::to_string).collect()),
            devices,
            "devices of {scope:?}"
        );
        assert_eq!(of(sessions_of(&snapshot)), sessions, "sessions of {scope:?}");
        assert_eq!(snapshot.revision, whole.revision);
    }
}

async fn a_user_or_device_without_hotdesking_is_logged_out_in_the_same_step(place: Place) {
    let store = place.snapshot(2, 2).await;
    log_in(&store, "101", "desk1").await;
    log_in(&store, "102", "desk2").await;
    let barred = apply(&store, What::User(User { hotdesk: false, ..user("101") })).await;
    assert_eq!(sessions_of(&all(&store).await), ["102@desk2"]);
    let closed = apply(&store, What::Device(Device { hotdesk: false, ..device("desk2") })).await;
    assert_eq!(sessions_of(&all(&store).await), [""; 0]);
    let events = store.journal(&tenant(), Revision(barred.0 - 1), 9).await.unwrap();
    let barred_at = Event::UserChanged {
        user: ext("101"),
        devices: vec![name("desk1")],
        fields: vec![field("hotdesk", Some("yes"), Some("no"))],
        added: false,
    };
    assert_eq!(events[0].event, barred_at);
    let closed_at = closed.0 - barred.0;
    assert_eq!(
        events[closed_at as usize].event,
        Event::DeviceChanged {
            device: name("desk2"),
            user: Some(ext("102")),
            owners: vec![],
            fields: vec![field("hotdesk", Some("yes"), Some("no"))],
            added: false,
        }
    );
}

async fn removing_a_user_or_device_ends_its_session(place: Place) {
    let store = place.snapshot(2, 1).await;
    apply(&store, What::Device(owned("102", "desk2"))).await;
    log_in(&store, "101", "desk2").await;
    log_in(&store, "102", "desk1").await;
    let gone = apply(&store, What::RemoveDevice(name("desk2"))).await;
    apply(&store, What::RemoveUser(ext("102"))).await;
    let snapshot = all(&store).await;
    assert_eq!((snapshot.users.len(), snapshot.devices.len(), snapshot.sessions.len()), (1, 1, 0));
    let events = store.journal(&tenant(), Revision(gone.0 - 1), 9).await.unwrap();
    assert_eq!(
        events.into_iter().map(|entry| entry.event).collect::<Vec<_>>(),
        [
            Event::DeviceRemoved { device: name("desk2"), user: Some(ext("101")), owners: vec![ext("102")] },
            Event::UserRemoved { user: ext("102"), devices: vec![name("desk1")] },
        ]
    );
    let scope = Scope::user(&ext("102"));
    apply(&store, What::User(user("102"))).await;
    assert!(
        store.snapshot(&tenant(), &scope).await.unwrap().devices.is_empty(),
        "the user no longer owns the removed device"
    );
}

async fn a_missing_record_cannot_be_changed(place: Place) {
    let store = place.snapshot(1, 1).await;
    let before = all(&store).await.revision;
    let record = PinRecord::of_no_user(Default::default(), &Pepper::new([7; 64]));
    for (what, missing) in [
        (What::Pin(ext("999"), record), "user 999"),
        (What::RemoveUser(ext("999")), "user 999"),
        (What::RemoveDevice(name("desk9")), "device desk9"),
        (What::RemoveLocation(at("ams")), "location ams"),
        (What::Device(Device { location: Some(at("ams")), ..device("desk1") }), "location ams"),
    ] {
        match store.change(&change(what)).await {
            Err(StoreError::Refused(Refusal::Missing(what))) => assert_eq!(what.to_string(), missing),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(all(&store).await.revision, before);
}

async fn a_location_is_in_the_scope_of_its_devices_and_stays_as_long_as_they_do(place: Place) {
    let store = place.snapshot(1, 2).await;
    for place in ["ams", "ber", "lis"] {
        apply(&store, What::Location(location(place, &["112"]))).await;
    }
    for (desk, place) in
        [("desk1", "ber"), ("desk2", "ams"), ("desk3", "ams"), ("desk1", "ams"), ("desk3", "ber")]
    {
        apply(&store, What::Device(Device { location: Some(at(place)), ..device(desk) })).await;
    }
    let of =
        |snapshot: Snapshot| snapshot.locations.into_keys().map(|name| name.to_string()).collect::<Vec<_>>();
    assert_eq!(of(all(&store).await), ["ams", "ber", "lis"]);
    for (scope, places) in [
        (Scope::device(&name("desk1")), vec!["ams"]),
        (Scope::device(&name("desk1")).and(Scope::device(&name("desk3"))), vec!["ams", "ber"]),
        (Scope::user(&ext("101")), vec![]),
    ] {
        assert_eq!(of(store.snapshot(&tenant(), &scope).await.unwrap()), places, "{scope:?}");
    }

    let changed = apply(&store, What::Location(location("ams", &[]))).await;
    let events = store.journal(&tenant(), Revision(changed.0 - 1), 9).await.unwrap();
    let devices = vec![name("desk1"), name("desk2")];
    let fields = vec![field("emergency-numbers", Some("112"), None)];
    let location_changed = Event::LocationChanged { location: at("ams"), devices, fields, added: false };
    assert_eq!(events[0].event, location_changed);
    assert_eq!(events[0].touches(), Scope::device(&name("desk1")).and(Scope::device(&name("desk2"))));

    match store.change(&change(What::RemoveLocation(at("ams")))).await {
        Err(StoreError::Refused(Refusal::LocationInUse(_, devices))) => {
            assert_eq!(devices, [name("desk1"), name("desk2")]);
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(all(&store).await.revision, changed);
    apply(&store, What::RemoveDevice(name("desk1"))).await;
    apply(&store, What::Device(device("desk2"))).await;
    let gone = apply(&store, What::RemoveLocation(at("ams"))).await;
    let events = store.journal(&tenant(), Revision(gone.0 - 1), 9).await.unwrap();
    assert_eq!(events[0].event, Event::LocationRemoved { location: at("ams") });
    assert_eq!(of(all(&store).await), ["ber", "lis"]);
}

async fn tenants_know_nothing_of_one_another(place: Place) {
    let store = place.snapshot(1, 1).await;
    log_in(&store, "101", "desk1").await;
    let other = TenantId::new("other").unwrap();
    assert_eq!(store.snapshot(&other, &Scope::All).await.unwrap(), Snapshot::default());
    let theirs = User::new(other.clone(), ext("101"));
    let change = Change { tenant: other.clone(), ..change(What::User(theirs)) };
    assert_eq!(store.change(&change).await.unwrap(), Revision(1), "each tenant counts for itself");
    assert_eq!(store.snapshot(&other, &Scope::All).await.unwrap().sessions.len(), 0);
    assert_eq!(sessions_of(&all(&store).await), ["101@desk1"]);
}

async fn the_journal_has_every_change_in_order_without_a_gap(place: Place) {
    let store = place.snapshot(2, 1).await;
    apply(&store, What::Device(owned("101", "desk1"))).await;
    apply(&store, What::Device(owned("102", "desk1"))).await;
    let mut asked = request_for(log_in_command(ext("101"), name("desk1")));
    asked.call = Some("pbx-1700000000.42".into());
    asked.by = Actor::Device(name("desk1"));
    let moved = store.change_sessions(&asked).await.unwrap();
    log_in(&store, "101", "desk1").await;
    let refused = Entry {
        revision: Revision::default(),
        at: Timestamp::now(),
        tenant: tenant(),
        by: Actor::Device(name("desk1")),
        call: None,
        code: None,
        event: Event::Refused { device: name("desk1"), user: Some(ext("102")), reason: "pin-wrong".into() },
    };
    store.record(&[refused.clone(), refused.clone()]).await.unwrap();

    let entries = store.journal(&tenant(), Revision(0), 100).await.unwrap();
    let numbers: Vec<u64> = entries.iter().map(|entry| entry.revision.0).collect();
    assert_eq!(numbers, (1..=8).collect::<Vec<_>>());
    let owners = |owners: &[&str], fields: Vec<FieldChange>| Event::DeviceChanged {
        device: name("desk1"),
        user: None,
        owners: owners.iter().map(|owner| ext(owner)).collect(),
        added: fields.is_empty(),
        fields,
    };
    let added = Event::UserChanged { user: ext("101"), devices: vec![], fields: vec![], added: true };
    assert_eq!(entries[0].event, added);
    assert_eq!(entries[0].by, Actor::Command("anna".into()));
    assert_eq!(entries[2].event, owners(&[], vec![]));
    assert_eq!(entries[3].event, owners(&["101"], vec![field("owner", None, Some("101"))]));
    assert_eq!(entries[4].event, owners(&["101", "102"], vec![field("owner", Some("101"), Some("102"))]));
    assert_eq!(
        entries[5],
        Entry {
            revision: moved.revision,
            at: asked.at,
            tenant: tenant(),
            by: asked.by,
            call: asked.call,
            code: asked.code,
            event: Event::SessionsChanged { ended: vec![], begun: moved.begun, undo: false },
        }
    );
    assert_eq!(entries[7], Entry { revision: Revision(8), ..refused });

    let some = store.journal(&tenant(), Revision(2), 3).await.unwrap();
    assert_eq!(some, entries[2..5]);
    assert_eq!(store.journal(&tenant(), Revision(8), 3).await.unwrap(), []);
    assert_eq!(store.journal(&tenant(), Revision(0), 0).await.unwrap(), []);
}

async fn a_time_gives_a_revision_of_the_journal(place: Place) {
    let store = place.open().await;
    let moment = |second: i64| Timestamp::from_second(1_800_000_000 + second).unwrap();
    assert_eq!(store.revision_at(&tenant(), moment(0)).await.unwrap(), Revision(1), "nothing there yet");
    for second in [10, 20, 20, 30, 40] {
        let change = Change { at: moment(second), ..change(What::User(user("101"))) };
        store.change(&change).await.unwrap();
    }
    for (second, revision) in [(0, 1), (10, 1), (11, 2), (20, 2), (21, 4), (40, 5), (41, 6)] {
        assert_eq!(
            store.revision_at(&tenant(), moment(second)).await.unwrap(),
            Revision(revision),
            "{second}"
        );
    }
}
