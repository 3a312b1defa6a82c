use proptest::prelude::*;

use super::*;
use crate::desk::id::{LocationName, SwitchName, TenantId};
use crate::desk::location::{Location, Zone};
use crate::desk::model::{Device, Kind, User};
use crate::desk::profile::When;
use crate::desk::reach::Reach;
use crate::desk::setting::Setting;

fn ext(extension: &str) -> Extension {
    Extension::new(extension).unwrap()
}

fn name(device: &str) -> DeviceName {
    DeviceName::new(device).unwrap()
}

fn pbx() -> SwitchName {
    SwitchName::new("pbx").unwrap()
}

fn desk(device: &str, switch: &str) -> Device {
    let dial = DialTarget::new(format!("PJSIP/{device}")).unwrap();
    Device::new(TenantId::default(), name(device), SwitchName::new(switch).unwrap(), dial)
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
                location: Some(ams.clone()),
                owner: (device == "desk3").then(|| ext("103")),
                ..desk(device, switch)
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

fn dial(target: &str) -> DialTarget {
    DialTarget::new(target).unwrap()
}

/// 103, who owns desk3, has a softphone and a mobile besides.
fn with_phones(bindings: &[(&str, &str)]) -> Office {
    let mut office = office(bindings);
    for (device, kind) in [("mobile-103", Kind::Mobile), ("soft-103", Kind::Softphone)] {
        let device = Device { owner: Some(ext("103")), hotdesk: false, kind, ..desk(device, "pbx") };
        office.devices.insert(device.name.clone(), device);
    }
    office
}

fn lamp(table: &Table, user: &str) -> Option<Lamp> {
    match table.get(&Key::Lamp(ext(user))) {
        Some(Row::Lamp(lamp)) => Some(lamp.clone()),
        _ => None,
    }
}

fn profile(table: &Table, user: &str) -> ProfileRow {
    match table.get(&Key::Profile(ext(user))) {
        Some(Row::Profile(row)) => row.clone(),
        _ => ProfileRow::default(),
    }
}

fn away(table: &Table, user: &str) -> Away {
    match table.get(&Key::User(ext(user))) {
        Some(Row::User(row)) => row.away.clone(),
        _ => Away::Voicemail,
    }
}

/// What 103 rings at once he changed this.
fn rung_after(office: &mut Office, setting: Setting) -> Option<String> {
    setting.apply(office.users.get_mut(&ext("103")).unwrap());
    rings(&wanted(office, &pbx(), &Reach::default()), "103")
}

#[test]
fn a_softphone_and_a_mobile_ring_wherever_their_owner_sits_and_his_desk_phone_where_he_wants_it() {
    let mut office = with_phones(&[("103", "desk1")]);
    let table = wanted(&office, &pbx(), &Reach::default());
    assert_eq!(rings(&table, "103").as_deref(), Some("PJSIP/desk1&PJSIP/mobile-103&PJSIP/soft-103"));
    assert_eq!((at(&table, "soft-103").as_deref(), at(&table, "desk3")), (Some("103"), None));
    // A mobile is a trunk to the switch: whoever calls through it would light his lamp.
    let watch = dial("PJSIP/desk1&PJSIP/soft-103");
    assert_eq!(lamp(&table, "103"), Some(Lamp::of(watch.clone())));
    assert_eq!(profile(&table, "103").lamp, Some(Lamp::of(watch)));
    let ring = |device: &str, on| Setting::Ring(name(device), on);
    assert_eq!(
        rung_after(&mut office, ring("soft-103", false)).as_deref(),
        Some("PJSIP/desk1&PJSIP/mobile-103")
    );
    let all = rung_after(&mut office, ring("desk3", true));
    assert_eq!(all.as_deref(), Some("PJSIP/desk1&PJSIP/desk3&PJSIP/mobile-103"));
    assert_eq!(at(&wanted(&office, &pbx(), &Reach::default()), "desk3").as_deref(), Some("103"));
}

#[test]
fn a_hotdesk_that_was_switched_off_is_on_again_with_the_next_login_and_all_off_is_nowhere() {
    let mut now = with_phones(&[("101", "desk2"), ("103", "desk1")]);
    let here = now.bindings[&name("desk1")].revision;
    assert_eq!(
        rung_after(&mut now, Setting::RingHotdesk(here, false)).as_deref(),
        Some("PJSIP/mobile-103&PJSIP/soft-103")
    );
    rung_after(&mut now, Setting::Ring(name("mobile-103"), false));
    assert_eq!(rung_after(&mut now, Setting::Ring(name("soft-103"), false)), None);
    // His lamp shows what he does all the same.
    let table = wanted(&now, &pbx(), &Reach::default());
    assert_eq!(lamp(&table, "103"), Some(Lamp::of(dial("PJSIP/desk1&PJSIP/soft-103"))));
    now.bindings.get_mut(&name("desk1")).unwrap().revision = Revision(here.0 + 1);
    assert_eq!(rings(&wanted(&now, &pbx(), &Reach::default()), "103").as_deref(), Some("PJSIP/desk1"));
}

#[test]
fn in_turn_the_first_rings_alone_and_the_others_follow() {
    let mut office = with_phones(&[("103", "desk1")]);
    assert_eq!(rung_after(&mut office, Setting::RingInTurn(true)).as_deref(), Some("PJSIP/desk1"));
    let table = wanted(&office, &pbx(), &Reach::default());
    assert_eq!(profile(&table, "103").then, Some(dial("PJSIP/mobile-103&PJSIP/soft-103")));
    let reach = Reach { lamps: true, ..Reach::default() };
    let all = dial("PJSIP/desk1&PJSIP/mobile-103&PJSIP/soft-103");
    assert_eq!(lamp(&wanted(&office, &pbx(), &reach), "103"), Some(Lamp::of(all)));
}

#[test]
fn who_is_not_to_be_disturbed_rings_nowhere_and_his_lamp_is_lit() {
    let mut office = office(&[("103", "desk1")]);
    assert_eq!(rung_after(&mut office, Setting::DoNotDisturb(true)), None);
    let table = wanted(&office, &pbx(), &Reach::default());
    assert_eq!(lamp(&table, "103"), Some(Lamp { watch: Some(dial("PJSIP/desk1")), busy: true }));
    assert_eq!((at(&table, "desk1").as_deref(), away(&table, "103")), (Some("103"), Away::Busy));
    let number = Number::new("0201234567").unwrap();
    rung_after(&mut office, Setting::Forward(When::Busy, Some(number.clone())));
    let reach = Reach { lamps: true, ..Reach::default() };
    let table = wanted(&office, &pbx(), &reach);
    assert_eq!(away(&table, "103"), Away::Number(number.clone()));
    assert_eq!(lamp(&table, "103"), Some(Lamp { watch: None, busy: true }));
    // Each call goes elsewhere: also those that find him there.
    let other = Number::new("0209999999").unwrap();
    rung_after(&mut office, Setting::Forward(When::Always, Some(other.clone())));
    assert_eq!(away(&wanted(&office, &pbx(), &reach), "103"), Away::Number(other));
    rung_after(&mut office, Setting::DoNotDisturb(false));
    let lit = |office: &Office| lamp(&wanted(office, &pbx(), &Reach::default()), "103").unwrap().busy;
    assert!(lit(&office), "all his calls go elsewhere");
    assert_eq!(rung_after(&mut office, Setting::Forward(When::Always, None)).as_deref(), Some("PJSIP/desk1"));
    assert!(!lit(&office), "he can be reached, though not while he is busy");
    assert_eq!(profile(&wanted(&office, &pbx(), &Reach::default()), "103").busy, Some(number));
}

#[test]
fn a_device_has_the_mailbox_of_who_sits_there() {
    let mut office = office(&[("101", "desk1")]);
    office.users.get_mut(&ext("101")).unwrap().mailbox = Mailbox::new("101@default").ok();
    let table = wanted(&office, &pbx(), &Reach::default());
    let mailbox = |device: &str| match table.get(&Key::Device(name(device))) {
        Some(Row::Device(row)) => row.mailbox.clone(),
        _ => None,
    };
    assert_eq!((mailbox("desk1"), mailbox("desk3")), (Mailbox::new("101@default").ok(), None));
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
    assert_eq!(table.get(&Key::Lamp(ext("103"))), Some(&Row::Lamp(Lamp::of(dial("PJSIP/desk3")))));
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
    let mut reach = Reach { routes, ..Reach::default() };
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
fn the_lamp_of_a_device_is_lit_by_a_login_and_not_by_its_owner_alone() {
    let lit = |office: &Office, reach: &Reach| -> Vec<String> {
        let table = wanted(office, &pbx(), reach);
        assert!(
            table
                .iter()
                .all(|(key, row)| !matches!(key, Key::Seat(_) | Key::Lit) || *row == Row::Lamp(Lamp::LIT))
        );
        let lamps = table.keys().filter(|key| matches!(key, Key::Seat(_) | Key::Lit));
        lamps.map(ToString::to_string).collect()
    };
    let reach = Reach::default();
    assert_eq!(lit(&office(&[]), &reach), ["lamps that are lit"]);
    let seated = office(&[("101", "desk1"), ("103", "desk3"), ("102", "desk4")]);
    assert_eq!(lit(&seated, &reach), ["lamps that are lit", "lamp of desk1", "lamp of desk3"]);
    // A FreeSWITCH is told of them, and keeps no rows.
    assert!(lit(&seated, &Reach { lamps: true, ..reach }).is_empty());
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
