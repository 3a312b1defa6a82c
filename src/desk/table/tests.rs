use proptest::prelude::*;

use super::*;
use crate::desk::id::{LocationName, TenantId};
use crate::desk::location::{Location, Zone};
use crate::desk::model::Device;

fn ext(extension: &str) -> Extension {
    Extension::new(extension).unwrap()
}

fn name(device: &str) -> DeviceName {
    DeviceName::new(device).unwrap()
}

fn pbx() -> SwitchName {
    SwitchName::new("pbx").unwrap()
}

/// Three users, three desks on `pbx`, one on `far`; desk3 is 103's own.
fn office(bindings: &[(&str, &str)]) -> Office {
    let mut office = Office::default();
    let ams = LocationName::new("ams").unwrap();
    let mut location = Location::new(TenantId::default(), ams.clone(), Zone::default());
    location.emergency.caller_id = Number::new("0201112222").ok();
    office.locations.insert(ams.clone(), location);
    for user in ["101", "102", "103"] {
        office.users.insert(ext(user), User::new(TenantId::default(), ext(user)));
    }
    for (device, switch) in [("desk1", "pbx"), ("desk2", "pbx"), ("desk3", "pbx"), ("desk4", "far")] {
        office.devices.insert(
            name(device),
            Device {
                tenant: TenantId::default(),
                name: name(device),
                switch: SwitchName::new(switch).unwrap(),
                dial: DialTarget::new(format!("PJSIP/{device}")).unwrap(),
                hotdesk: true,
                location: Some(ams.clone()),
                owner: (device == "desk3").then(|| ext("103")),
                allow_from: vec![],
                may_dial: crate::desk::model::ShortList::default(),
                leave: Default::default(),
            },
        );
    }
    for (n, (user, device)) in bindings.iter().enumerate() {
        let revision = Revision(n as u64 + 1);
        let since = jiff::Timestamp::UNIX_EPOCH;
        office
            .bindings
            .insert(name(device), Binding { user: ext(user), device: name(device), since, revision });
    }
    office
}

fn at(table: &Table, device: &str) -> Option<String> {
    match table.get(&Key::Device(name(device))) {
        Some(Row::Device(row)) => row.user.as_ref().map(ToString::to_string),
        _ => None,
    }
}

fn rings(table: &Table, user: &str) -> Option<String> {
    match table.get(&Key::User(ext(user))) {
        Some(Row::User(row)) => row.dial.as_ref().map(ToString::to_string),
        _ => None,
    }
}

#[test]
fn a_guest_sits_where_he_logged_in_and_the_owner_comes_back() {
    let table = wanted(&office(&[("101", "desk3")]), &pbx(), &Reach::default());
    assert_eq!(at(&table, "desk3").as_deref(), Some("101"));
    assert_eq!(rings(&table, "101").as_deref(), Some("PJSIP/desk3"));
    assert_eq!(rings(&table, "103"), None);
    let table = wanted(&office(&[]), &pbx(), &Reach::default());
    assert_eq!(at(&table, "desk3").as_deref(), Some("103"));
    assert_eq!(rings(&table, "103").as_deref(), Some("PJSIP/desk3"));
    assert_eq!(table.get(&Key::Lamp(ext("103"))), Some(&Row::Lamp(DialTarget::new("PJSIP/desk3").unwrap())));
}

#[test]
fn an_owner_who_sits_elsewhere_leaves_his_own_desk_empty() {
    let table = wanted(&office(&[("103", "desk1")]), &pbx(), &Reach::default());
    assert_eq!((at(&table, "desk1").as_deref(), at(&table, "desk3")), (Some("103"), None));
}

#[test]
fn who_sits_at_several_desks_is_called_at_all_of_them_and_at_as_many_as_fit() {
    let mut several = office(&[("101", "desk3"), ("101", "desk1"), ("102", "desk2")]);
    let table = wanted(&several, &pbx(), &Reach::default());
    assert_eq!((at(&table, "desk1").as_deref(), at(&table, "desk3").as_deref()), (Some("101"), Some("101")));
    assert_eq!(rings(&table, "101").as_deref(), Some("PJSIP/desk1&PJSIP/desk3"));
    let Some(Row::User(row)) = table.get(&Key::User(ext("101"))) else { panic!("{table:?}") };
    assert_eq!(row.revision, Revision(2), "that of his last login");
    for (device, length) in [("desk1", 150), ("desk3", 60)] {
        let long = format!("PJSIP/{}", "x".repeat(length - 6));
        several.devices.get_mut(&name(device)).unwrap().dial = DialTarget::new(long).unwrap();
    }
    assert_eq!(rings(&wanted(&several, &pbx(), &Reach::default()), "101").map(|dial| dial.len()), Some(150));
}

#[test]
fn a_switch_holds_its_own_devices_and_every_user() {
    let table = wanted(&office(&[("101", "desk4")]), &pbx(), &Reach::default());
    assert_eq!(table.get(&Key::Device(name("desk4"))), None);
    assert_eq!(rings(&table, "101"), None);
    let far = wanted(&office(&[("101", "desk4")]), &SwitchName::new("far").unwrap(), &Reach::default());
    assert_eq!(rings(&far, "101").as_deref(), Some("PJSIP/desk4"));
    assert_eq!(far.keys().filter(|key| matches!(key, Key::User(_))).count(), 3);
}

#[test]
fn who_sits_at_another_switchs_device_is_called_there() {
    use crate::desk::reach::Route;
    let far = SwitchName::new("far").unwrap();
    let routes = BTreeMap::from([(far, Route::new("PJSIP/{user}@far").unwrap())]);
    let mut reach = Reach { routes, lamps: false };
    let mut office = office(&[("101", "desk4")]);
    // 103 has a device of his own on each.
    let mut own = office.devices[&name("desk4")].clone();
    (own.name, own.owner) = (name("desk5"), Some(ext("103")));
    office.devices.insert(name("desk5"), own);
    let table = wanted(&office, &pbx(), &reach);
    assert_eq!(rings(&table, "101").as_deref(), Some("PJSIP/101@far"));
    assert_eq!(rings(&table, "102"), None);
    assert_eq!(rings(&table, "103").as_deref(), Some("PJSIP/desk3&PJSIP/103@far"));
    // No lamp watches the trunk.
    let lamp = |table: &Table, user: &str| table.get(&Key::Lamp(ext(user))).map(ToString::to_string);
    assert_eq!(lamp(&table, "101"), None);
    assert_eq!(lamp(&table, "103").as_deref(), Some("PJSIP/desk3"));
    reach.lamps = true;
    let table = wanted(&office, &pbx(), &reach);
    assert_eq!(lamp(&table, "101").as_deref(), Some("PJSIP/101@far"));
    // He moves here: the route is gone.
    office.bindings.clear();
    assert_eq!(rings(&wanted(&office, &pbx(), &reach), "101"), None);
}

#[test]
fn an_empty_desk_still_has_its_emergency_number() {
    let table = wanted(&office(&[]), &pbx(), &Reach::default());
    let Some(Row::Device(row)) = table.get(&Key::Device(name("desk1"))) else { panic!("{table:?}") };
    assert_eq!((row.user.clone(), row.emergency.clone()), (None, Number::new("0201112222").ok()));
    assert_eq!(row.dial.as_str(), "PJSIP/desk1", "and what rings it, for a call back");
}

#[test]
fn a_removed_user_sits_nowhere() {
    let mut office = office(&[("101", "desk1")]);
    office.users.remove(&ext("101"));
    assert_eq!(at(&wanted(&office, &pbx(), &Reach::default()), "desk1"), None);
}

#[test]
fn what_is_not_ours_goes_and_what_is_unreadable_is_written_anew() {
    let wanted = wanted(&office(&[]), &pbx(), &Reach::default());
    let mut seen = wanted.clone();
    seen.insert(Key::Unknown("device/x/y".into()), Row::Unreadable("1".into()));
    seen.insert(Key::User(ext("101")), Row::Unreadable("garbage".into()));
    let edits = difference(&wanted, &seen);
    assert_eq!(edits.len(), 2);
    assert!(edits.iter().any(|e| e.key == Key::User(ext("101")) && e.is.is_some()));
    assert!(edits.iter().any(|e| matches!(e.key, Key::Unknown(_)) && e.is.is_none()));
}

proptest! {
    #[test]
    fn the_difference_applied_gives_what_is_wanted(
        now in proptest::sample::subsequence(vec![("101", "desk1"), ("102", "desk2"), ("103", "desk4")], 0..=3),
        then in proptest::sample::subsequence(vec![("101", "desk2"), ("102", "desk3"), ("103", "desk1")], 0..=3),
    ) {
        let (wanted, mut seen) = (wanted(&office(&now), &pbx(), &Reach::default()), wanted(&office(&then), &pbx(), &Reach::default()));
        for Edit { key, is, .. } in difference(&wanted, &seen) {
            match is {
                Some(row) => seen.insert(key, row),
                None => seen.remove(&key),
            };
        }
        prop_assert_eq!(&seen, &wanted);
        prop_assert_eq!(difference(&wanted, &seen), vec![]);
    }
}
