use hotdesk::desk::id::{Number, Revision, TenantId};
use hotdesk::desk::journal::{Actor, Entry, Event};
use hotdesk::desk::location::Location;
use hotdesk::desk::model::{CallerId, Device, User};
use hotdesk::desk::pin::{Pepper, Pin, PinRecord};
use hotdesk::desk::table::Scope;
use hotdesk::store::{StoreError, What};
use jiff::Timestamp;

use super::*;

on_both_stores! {
    what_was_put_comes_back_as_it_was
    a_scope_brings_all_that_its_rows_need_and_no_more
    who_may_no_longer_hotdesk_is_logged_out_in_the_same_step
    what_is_removed_takes_its_binding_along
    what_does_not_exist_cannot_be_changed
    a_location_comes_with_what_stands_there_and_stays_as_long
    tenants_know_nothing_of_one_another
    the_journal_has_every_change_in_order_without_a_gap
    a_moment_in_time_is_a_place_in_the_journal
}

async fn what_was_put_comes_back_as_it_was(place: Place) {
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
    put(&store, What::Location(location("ams", &[]))).await;
    put(&store, What::Location(ams.clone())).await;
    put(&store, What::User(user("101"))).await;
    put(&store, What::User(rich.clone())).await;
    let last = put(&store, What::Device(desk.clone())).await;
    let office = all(&place.open().await).await;
    assert_eq!(office.revision, last);
    assert_eq!(office.users.into_values().collect::<Vec<_>>(), [rich]);
    assert_eq!(office.devices.into_values().collect::<Vec<_>>(), [desk]);
    assert_eq!(office.locations.into_values().collect::<Vec<_>>(), [ams]);

    assert_eq!(store.pin(&tenant(), &ext("101")).await.unwrap(), None);
    let record =
        PinRecord::make(&Pin::new("4711").unwrap(), &Pepper::new([7; 64]), &tenant(), &ext("101"), [1; 16]);
    put(&store, What::Pin(ext("101"), record.clone())).await;
    put(&store, What::User(user("101"))).await;
    assert_eq!(
        store.pin(&tenant(), &ext("101")).await.unwrap(),
        Some(record),
        "a user's PIN stays when he changes"
    );
    put(&store, What::RemoveUser(ext("101"))).await;
    assert_eq!(store.pin(&tenant(), &ext("101")).await.unwrap(), None);
    put(&store, What::User(user("101"))).await;
    assert_eq!(store.pin(&tenant(), &ext("101")).await.unwrap(), None, "a new 101 has not the old one's PIN");
}

async fn a_scope_brings_all_that_its_rows_need_and_no_more(place: Place) {
    // 103 owns desk3 and desk5, 104 owns desk4; 101 sits at 103's desk3, 103 at 104's desk4, 102 at desk2.
    let store = place.office(5, 2).await;
    for device in [owned("103", "desk3"), owned("104", "desk4"), owned("103", "desk5"), device("desk6")] {
        put(&store, What::Device(device)).await;
    }
    for (user, device) in [("101", "desk3"), ("102", "desk2"), ("103", "desk4")] {
        seat(&store, user, device).await;
    }
    let whole = all(&store).await;
    assert_eq!((whole.users.len(), whole.devices.len(), whole.bindings.len()), (5, 6, 3));

    let some = |users: &[&str], devices: &[&str]| Scope::Some {
        users: users.iter().map(|user| ext(user)).collect(),
        devices: devices.iter().map(|device| name(device)).collect(),
    };
    for (scope, users, devices, bindings) in [
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
        let office = store.office(&tenant(), &scope).await.unwrap();
        let of = |names: Vec<String>| names.join(" ");
        assert_eq!(of(office.users.keys().map(ToString::to_string).collect()), users, "users of {scope:?}");
        assert_eq!(
            of(office.devices.keys().map(ToString::to_string).collect()),
            devices,
            "devices of {scope:?}"
        );
        assert_eq!(of(seated(&office)), bindings, "bindings of {scope:?}");
        assert_eq!(office.revision, whole.revision);
    }
}

async fn who_may_no_longer_hotdesk_is_logged_out_in_the_same_step(place: Place) {
    let store = place.office(2, 2).await;
    seat(&store, "101", "desk1").await;
    seat(&store, "102", "desk2").await;
    let barred = put(&store, What::User(User { hotdesk: false, ..user("101") })).await;
    assert_eq!(seated(&all(&store).await), ["102@desk2"]);
    let closed = put(&store, What::Device(Device { hotdesk: false, ..device("desk2") })).await;
    assert_eq!(seated(&all(&store).await), [""; 0]);
    let events = store.journal(&tenant(), Revision(barred.0 - 1), 9).await.unwrap();
    assert_eq!(events[0].event, Event::UserChanged { user: ext("101"), devices: vec![name("desk1")] });
    let closed_at = closed.0 - barred.0;
    assert_eq!(
        events[closed_at as usize].event,
        Event::DeviceChanged { device: name("desk2"), user: Some(ext("102")), owners: vec![] }
    );
}

async fn what_is_removed_takes_its_binding_along(place: Place) {
    let store = place.office(2, 1).await;
    put(&store, What::Device(owned("102", "desk2"))).await;
    seat(&store, "101", "desk2").await;
    seat(&store, "102", "desk1").await;
    let gone = put(&store, What::RemoveDevice(name("desk2"))).await;
    put(&store, What::RemoveUser(ext("102"))).await;
    let office = all(&store).await;
    assert_eq!((office.users.len(), office.devices.len(), office.bindings.len()), (1, 1, 0));
    let events = store.journal(&tenant(), Revision(gone.0 - 1), 9).await.unwrap();
    assert_eq!(
        events.into_iter().map(|entry| entry.event).collect::<Vec<_>>(),
        [
            Event::DeviceRemoved { device: name("desk2"), user: Some(ext("101")), owners: vec![ext("102")] },
            Event::UserRemoved { user: ext("102"), devices: vec![name("desk1")] },
        ]
    );
    let scope = Scope::user(&ext("102"));
    put(&store, What::User(user("102"))).await;
    assert!(
        store.office(&tenant(), &scope).await.unwrap().devices.is_empty(),
        "he owns what is gone no more"
    );
}

async fn what_does_not_exist_cannot_be_changed(place: Place) {
    let store = place.office(1, 1).await;
    let before = all(&store).await.revision;
    let record = PinRecord::nobody(Default::default(), &Pepper::new([7; 64]));
    for (what, missing) in [
        (What::Pin(ext("999"), record), "user 999"),
        (What::RemoveUser(ext("999")), "user 999"),
        (What::RemoveDevice(name("desk9")), "device desk9"),
        (What::RemoveLocation(at("ams")), "location ams"),
        (What::Device(Device { location: Some(at("ams")), ..device("desk1") }), "location ams"),
    ] {
        match store.change(&change(what)).await {
            Err(StoreError::Missing(what)) => assert_eq!(what, missing),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(all(&store).await.revision, before);
}

async fn a_location_comes_with_what_stands_there_and_stays_as_long(place: Place) {
    let store = place.office(1, 2).await;
    for place in ["ams", "ber", "lis"] {
        put(&store, What::Location(location(place, &["112"]))).await;
    }
    for (desk, place) in
        [("desk1", "ber"), ("desk2", "ams"), ("desk3", "ams"), ("desk1", "ams"), ("desk3", "ber")]
    {
        put(&store, What::Device(Device { location: Some(at(place)), ..device(desk) })).await;
    }
    let of = |office: Office| office.locations.into_keys().map(|name| name.to_string()).collect::<Vec<_>>();
    assert_eq!(of(all(&store).await), ["ams", "ber", "lis"]);
    for (scope, places) in [
        (Scope::device(&name("desk1")), vec!["ams"]),
        (Scope::device(&name("desk1")).and(Scope::device(&name("desk3"))), vec!["ams", "ber"]),
        (Scope::user(&ext("101")), vec![]),
    ] {
        assert_eq!(of(store.office(&tenant(), &scope).await.unwrap()), places, "{scope:?}");
    }

    let changed = put(&store, What::Location(location("ams", &[]))).await;
    let events = store.journal(&tenant(), Revision(changed.0 - 1), 9).await.unwrap();
    let devices = vec![name("desk1"), name("desk2")];
    assert_eq!(events[0].event, Event::LocationChanged { location: at("ams"), devices });
    assert_eq!(events[0].touches(), Scope::device(&name("desk1")).and(Scope::device(&name("desk2"))));

    match store.change(&change(What::RemoveLocation(at("ams")))).await {
        Err(StoreError::InUse(by)) => assert_eq!(by, "devices desk1, desk2 stand"),
        other => panic!("{other:?}"),
    }
    assert_eq!(all(&store).await.revision, changed);
    put(&store, What::RemoveDevice(name("desk1"))).await;
    put(&store, What::Device(device("desk2"))).await;
    let gone = put(&store, What::RemoveLocation(at("ams"))).await;
    let events = store.journal(&tenant(), Revision(gone.0 - 1), 9).await.unwrap();
    assert_eq!(events[0].event, Event::LocationRemoved { location: at("ams") });
    assert_eq!(of(all(&store).await), ["ber", "lis"]);
}

async fn tenants_know_nothing_of_one_another(place: Place) {
    let store = place.office(1, 1).await;
    seat(&store, "101", "desk1").await;
    let other = TenantId::new("other").unwrap();
    assert_eq!(store.office(&other, &Scope::All).await.unwrap(), Office::default());
    let theirs = User::new(other.clone(), ext("101"));
    let change = Change { tenant: other.clone(), ..change(What::User(theirs)) };
    assert_eq!(store.change(&change).await.unwrap(), Revision(1), "each tenant counts for itself");
    assert_eq!(store.office(&other, &Scope::All).await.unwrap().bindings.len(), 0);
    assert_eq!(seated(&all(&store).await), ["101@desk1"]);
}

async fn the_journal_has_every_change_in_order_without_a_gap(place: Place) {
    let store = place.office(2, 1).await;
    put(&store, What::Device(owned("101", "desk1"))).await;
    put(&store, What::Device(owned("102", "desk1"))).await;
    let mut asked = act(sit(ext("101"), name("desk1")));
    asked.call = "pbx-1700000000.42".parse().ok();
    asked.by = Actor::Phone(name("desk1"));
    let moved = store.move_people(&asked).await.unwrap();
    seat(&store, "101", "desk1").await;
    let refused = Entry {
        revision: Revision::default(),
        at: Timestamp::now(),
        tenant: tenant(),
        by: Actor::Phone(name("desk1")),
        call: None,
        code: None,
        event: Event::Refused { device: name("desk1"), user: Some(ext("102")), reason: "pin-wrong".into() },
    };
    store.record(&[refused.clone(), refused.clone()]).await.unwrap();

    let entries = store.journal(&tenant(), Revision(0), 100).await.unwrap();
    let numbers: Vec<u64> = entries.iter().map(|entry| entry.revision.0).collect();
    assert_eq!(numbers, (1..=8).collect::<Vec<_>>());
    let owners = |device: &str, owners: &[&str]| Event::DeviceChanged {
        device: name(device),
        user: None,
        owners: owners.iter().map(|owner| ext(owner)).collect(),
    };
    assert_eq!(entries[0].event, Event::UserChanged { user: ext("101"), devices: vec![] });
    assert_eq!(entries[0].by, Actor::Command("anna".into()));
    assert_eq!(entries[2].event, owners("desk1", &[]));
    assert_eq!(entries[3].event, owners("desk1", &["101"]));
    assert_eq!(entries[4].event, owners("desk1", &["101", "102"]));
    assert_eq!(
        entries[5],
        Entry {
            revision: moved.revision,
            at: asked.at,
            tenant: tenant(),
            by: asked.by,
            call: asked.call,
            code: asked.code,
            event: Event::Moved { removed: vec![], seated: moved.seated, undo: false },
        }
    );
    assert_eq!(entries[7], Entry { revision: Revision(8), ..refused });

    let some = store.journal(&tenant(), Revision(2), 3).await.unwrap();
    assert_eq!(some, entries[2..5]);
    assert_eq!(store.journal(&tenant(), Revision(8), 3).await.unwrap(), []);
    assert_eq!(store.journal(&tenant(), Revision(0), 0).await.unwrap(), []);
}

async fn a_moment_in_time_is_a_place_in_the_journal(place: Place) {
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
