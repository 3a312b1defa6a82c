use proptest::prelude::*;

use super::*;
use crate::model::directory::location::{Location, Zone};
use crate::model::directory::profile::When;
use crate::model::directory::{Away, Session, Snapshot};
use crate::model::directory::{Device, Kind, User};
use crate::model::id::{DeviceName, DialTarget, Extension, Mailbox, Number, Revision};
use crate::model::id::{LocationName, SwitchName, TenantId};
use crate::model::routes::Routes;
use crate::model::settings::Setting;

fn ext(extension: &str) -> Extension {
    Extension::new(extension).unwrap()
}

fn name(device: &str) -> DeviceName {
    DeviceName::new(device).unwrap()
}

fn desk(device: &str, switch: &str) -> Device {
    let dial = DialTarget::new(format!("PJSIP/{device}")).unwrap();
    Device::new(TenantId::default(), name(device), SwitchName::new(switch).unwrap(), dial)
}

/// Three users, three desks on `pbx`, one on `far`; 103 owns desk3.
fn snapshot(sessions: &[(&str, &str)]) -> Snapshot {
    let mut snapshot = Snapshot::default();
    let ams = LocationName::new("ams").unwrap();
    let mut location = Location::new(TenantId::default(), ams.clone(), Zone::default());
    location.emergency.caller_id = Number::new("0201112222").ok();
    snapshot.locations.insert(ams.clone(), location);
    for user in ["101", "102", "103"] {
        snapshot.users.insert(ext(user), User::new(TenantId::default(), ext(user)));
    }
    for (device, switch) in [("desk1", "pbx"), ("desk2", "pbx"), ("desk3", "pbx"), ("desk4", "far")] {
        snapshot.devices.insert(
            name(device),
            Device {
                location: Some(ams.clone()),
                owner: (device == "desk3").then(|| ext("103")),
                ..desk(device, switch)
            },
        );
    }
    for (n, (user, device)) in sessions.iter().enumerate() {
        let revision = Revision(n as u64 + 1);
        let since = jiff::Timestamp::UNIX_EPOCH;
        snapshot
            .sessions
            .insert(name(device), Session { user: ext(user), device: name(device), since, revision });
    }
    snapshot
}

fn dial(target: &str) -> DialTarget {
    DialTarget::new(target).unwrap()
}

/// 103, who owns desk3, also owns a softphone and a mobile.
fn with_phones(sessions: &[(&str, &str)]) -> Snapshot {
    let mut snapshot = snapshot(sessions);
    for (device, kind) in [("mobile-103", Kind::Mobile), ("soft-103", Kind::Softphone)] {
        let device = Device { owner: Some(ext("103")), hotdesk: false, kind, ..desk(device, "pbx") };
        snapshot.devices.insert(device.name.clone(), device);
    }
    snapshot
}

fn desired(snapshot: &Snapshot) -> Desired {
    wanted(snapshot, &SwitchName::default(), &Routes::default())
}

fn wanted(snapshot: &Snapshot, switch: &SwitchName, routes: &Routes) -> Desired {
    Desired::of(snapshot, &Scope::All, switch, routes)
}

fn blf(desired: &Desired, user: &str) -> Blf {
    desired.users[&ext(user)].blf.clone()
}

fn away(desired: &Desired, user: &str) -> Away {
    desired.users[&ext(user)].away.clone()
}

/// The ring targets of 103 after this change.
fn ring_targets_after(snapshot: &mut Snapshot, setting: Setting) -> Option<String> {
    setting.apply(snapshot.users.get_mut(&ext("103")).unwrap());
    rings(&desired(snapshot), "103").map(str::to_owned)
}

#[test]
fn a_softphone_and_a_mobile_always_ring_and_the_desk_phone_if_switched_on() {
    let mut snapshot = with_phones(&[("103", "desk1")]);
    let table = desired(&snapshot);
    assert_eq!(rings(&table, "103"), Some("PJSIP/desk1&PJSIP/mobile-103&PJSIP/soft-103"));
    assert_eq!((at(&table, "soft-103"), at(&table, "desk3")), (Some("103"), None));
    // A mobile is a trunk to the switch: any call through it would light the BLF.
    assert_eq!(blf(&table, "103").watch, Some(dial("PJSIP/desk1&PJSIP/soft-103")));
    let ring = |device: &str, on| Setting::Ring(name(device), on);
    assert_eq!(
        ring_targets_after(&mut snapshot, ring("soft-103", false)).as_deref(),
        Some("PJSIP/desk1&PJSIP/mobile-103")
    );
    let all = ring_targets_after(&mut snapshot, ring("desk3", true));
    assert_eq!(all.as_deref(), Some("PJSIP/desk1&PJSIP/desk3&PJSIP/mobile-103"));
    assert_eq!(at(&desired(&snapshot), "desk3"), Some("103"));
}

#[test]
fn a_hotdesk_that_was_switched_off_rings_again_with_the_next_login() {
    let mut now = with_phones(&[("101", "desk2"), ("103", "desk1")]);
    let here = now.sessions[&name("desk1")].revision;
    assert_eq!(
        ring_targets_after(&mut now, Setting::RingHotdesk(here, false)).as_deref(),
        Some("PJSIP/mobile-103&PJSIP/soft-103")
    );
    ring_targets_after(&mut now, Setting::Ring(name("mobile-103"), false));
    assert_eq!(ring_targets_after(&mut now, Setting::Ring(name("soft-103"), false)), None);
    // The BLF still shows what the devices do.
    let table = desired(&now);
    assert_eq!(blf(&table, "103").watch, Some(dial("PJSIP/desk1&PJSIP/soft-103")));
    now.sessions.get_mut(&name("desk1")).unwrap().revision = Revision(here.0 + 1);
    assert_eq!(rings(&desired(&now), "103"), Some("PJSIP/desk1"));
}

#[test]
fn with_sequential_ringing_the_first_device_rings_alone_and_the_others_follow() {
    let mut snapshot = with_phones(&[("103", "desk1")]);
    assert_eq!(ring_targets_after(&mut snapshot, Setting::RingInTurn(true)).as_deref(), Some("PJSIP/desk1"));
    let table = desired(&snapshot);
    assert_eq!(table.users[&ext("103")].then, Some(dial("PJSIP/mobile-103&PJSIP/soft-103")));
    let all = dial("PJSIP/desk1&PJSIP/mobile-103&PJSIP/soft-103");
    assert_eq!(blf(&table, "103").rings, Some(all));
}

#[test]
fn dnd_rings_nothing_and_lights_the_blf() {
    let mut snapshot = snapshot(&[("103", "desk1")]);
    assert_eq!(ring_targets_after(&mut snapshot, Setting::DoNotDisturb(true)), None);
    let table = desired(&snapshot);
    let shown = Blf { watch: Some(dial("PJSIP/desk1")), rings: None, lit: true };
    assert_eq!(blf(&table, "103"), shown);
    assert_eq!((at(&table, "desk1"), away(&table, "103")), (Some("103"), Away::Busy));
    let number = Number::new("0201234567").unwrap();
    ring_targets_after(&mut snapshot, Setting::Forward(When::Busy, Some(number.clone())));
    let table = desired(&snapshot);
    assert_eq!(away(&table, "103"), Away::Number(number.clone()));
    assert_eq!(blf(&table, "103"), shown);
    // All calls are forwarded, also calls while the user is busy.
    let other = Number::new("0209999999").unwrap();
    ring_targets_after(&mut snapshot, Setting::Forward(When::Always, Some(other.clone())));
    assert_eq!(away(&desired(&snapshot), "103"), Away::Number(other));
    ring_targets_after(&mut snapshot, Setting::DoNotDisturb(false));
    let lit = |snapshot: &Snapshot| blf(&desired(snapshot), "103").lit;
    assert!(lit(&snapshot), "all calls are forwarded");
    assert_eq!(
        ring_targets_after(&mut snapshot, Setting::Forward(When::Always, None)).as_deref(),
        Some("PJSIP/desk1")
    );
    assert!(!lit(&snapshot), "calls when busy alone are forwarded");
    assert_eq!(desired(&snapshot).users[&ext("103")].busy.clone(), Some(number));
}

#[test]
fn a_device_has_the_mailbox_of_its_user() {
    let mut snapshot = snapshot(&[("101", "desk1")]);
    snapshot.users.get_mut(&ext("101")).unwrap().mailbox = Mailbox::new("101@default").ok();
    let table = desired(&snapshot);
    let mailbox = |device: &str| table.devices[&name(device)].mailbox.clone();
    assert_eq!((mailbox("desk1"), mailbox("desk3")), (Mailbox::new("101@default").ok(), None));
}

fn at<'a>(desired: &'a Desired, device: &str) -> Option<&'a str> {
    desired.devices[&name(device)].user.as_ref().map(Extension::as_str)
}

fn rings<'a>(desired: &'a Desired, user: &str) -> Option<&'a str> {
    desired.users[&ext(user)].dial.as_ref().map(DialTarget::as_str)
}

#[test]
fn a_guest_has_the_device_and_then_the_owner_has_it_again() {
    let table = desired(&snapshot(&[("101", "desk3")]));
    assert_eq!(at(&table, "desk3"), Some("101"));
    assert_eq!(rings(&table, "101"), Some("PJSIP/desk3"));
    assert_eq!(rings(&table, "103"), None);
    let table = desired(&snapshot(&[]));
    assert_eq!(at(&table, "desk3"), Some("103"));
    assert_eq!(rings(&table, "103"), Some("PJSIP/desk3"));
    assert_eq!(blf(&table, "103").rings, Some(dial("PJSIP/desk3")));
}

#[test]
fn an_owner_logged_in_elsewhere_leaves_their_own_device_without_a_user() {
    let table = desired(&snapshot(&[("103", "desk1")]));
    assert_eq!((at(&table, "desk1"), at(&table, "desk3")), (Some("103"), None));
}

#[test]
fn a_user_at_several_devices_is_called_at_those_that_fit() {
    let mut several = snapshot(&[("101", "desk3"), ("101", "desk1"), ("102", "desk2")]);
    let table = desired(&several);
    assert_eq!((at(&table, "desk1"), at(&table, "desk3")), (Some("101"), Some("101")));
    assert_eq!(rings(&table, "101"), Some("PJSIP/desk1&PJSIP/desk3"));
    assert_eq!(table.users[&ext("101")].revision, Revision(2), "that of the last login");
    for (device, length) in [("desk1", 150), ("desk3", 60)] {
        let long = format!("PJSIP/{}", "x".repeat(length - 6));
        several.devices.get_mut(&name(device)).unwrap().dial = DialTarget::new(long).unwrap();
    }
    assert_eq!(rings(&desired(&several), "101").map(|dial| dial.len()), Some(150));
}

#[test]
fn a_switch_holds_its_own_devices_and_every_user() {
    let table = desired(&snapshot(&[("101", "desk4")]));
    assert_eq!(table.devices.get(&name("desk4")), None);
    assert_eq!(rings(&table, "101"), None);
    let far = wanted(&snapshot(&[("101", "desk4")]), &SwitchName::new("far").unwrap(), &Routes::default());
    assert_eq!(rings(&far, "101"), Some("PJSIP/desk4"));
    assert_eq!(far.users.len(), 3);
}

#[test]
fn a_user_at_a_device_of_another_switch_is_called_through_a_route() {
    use crate::model::routes::Route;
    let far = SwitchName::new("far").unwrap();
    let routes = std::collections::BTreeMap::from([(far, Route::new("PJSIP/{user}@far").unwrap())]);
    let routes = Routes { routes, ..Routes::default() };
    let mut snapshot = snapshot(&[("101", "desk4")]);
    // 103 owns a device on each.
    let mut own = snapshot.devices[&name("desk4")].clone();
    (own.name, own.owner) = (name("desk5"), Some(ext("103")));
    snapshot.devices.insert(name("desk5"), own);
    let table = wanted(&snapshot, &SwitchName::default(), &routes);
    assert_eq!(rings(&table, "101"), Some("PJSIP/101@far"));
    assert_eq!(rings(&table, "102"), None);
    assert_eq!(rings(&table, "103"), Some("PJSIP/desk3&PJSIP/103@far"));
    // No BLF watches the trunk, but a directory rings it.
    assert_eq!(blf(&table, "101"), Blf { watch: None, rings: Some(dial("PJSIP/101@far")), lit: false });
    assert_eq!(blf(&table, "103").watch, Some(dial("PJSIP/desk3")));
    // 101 logs out there: the route is gone.
    snapshot.sessions.clear();
    assert_eq!(rings(&wanted(&snapshot, &SwitchName::default(), &routes), "101"), None);
}

#[test]
fn a_device_counts_as_logged_in_by_a_login_and_not_by_its_owner_alone() {
    let lit = |snapshot: &Snapshot| -> Vec<String> {
        let abouts = desired(snapshot).abouts();
        let lit = abouts.iter().filter(|about| matches!(about, About::DeviceBlf(_)));
        lit.map(ToString::to_string).collect()
    };
    assert_eq!(lit(&snapshot(&[])), [""; 0]);
    let logged_in = snapshot(&[("101", "desk1"), ("103", "desk3"), ("102", "desk4")]);
    assert_eq!(lit(&logged_in), ["BLF of device desk1", "BLF of device desk3"]);
}

#[test]
fn a_device_without_a_user_still_has_its_emergency_number() {
    let table = desired(&snapshot(&[]));
    let device = &table.devices[&name("desk1")];
    assert_eq!((device.user.clone(), device.emergency.clone()), (None, Number::new("0201112222").ok()));
    assert_eq!(device.dial.as_str(), "PJSIP/desk1", "and what rings it, for a call back");
}

#[test]
fn a_removed_user_has_no_device() {
    let mut snapshot = snapshot(&[("101", "desk1")]);
    snapshot.users.remove(&ext("101"));
    assert_eq!(at(&desired(&snapshot), "desk1"), None);
}

const PART: Part = Part { name: "rows", needed: true };
const QUEUES: Part = Part { name: "queues", needed: false };

fn key(part: Part, name: &str) -> Key {
    Key { about: About::Other, part, name: name.into() }
}

fn records(of: &[(Part, &str, &str)]) -> Records {
    of.iter().map(|(part, name, value)| (key(*part, name), (*value).to_owned())).collect()
}

#[test]
fn records_that_are_not_desired_are_removed_except_in_a_shared_part() {
    let wanted = records(&[(PART, "a", "1"), (PART, "b", "2")]);
    let mut reading =
        Reading { records: records(&[(PART, "a", "1"), (PART, "x", "9")]), ..Reading::default() };
    let removed = Edit { key: key(PART, "x"), was: Some("9".into()), is: None };
    let added = Edit { key: key(PART, "b"), was: None, is: Some("2".into()) };
    assert_eq!(difference(&wanted, &reading), [added.clone(), removed]);
    reading.shared = true;
    assert_eq!(difference(&wanted, &reading), [added]);
}

#[test]
fn there_is_no_edit_for_a_part_that_could_not_be_read() {
    let wanted = records(&[(PART, "a", "1"), (QUEUES, "b", "2")]);
    let unread = NotReadable { part: QUEUES, why: "Invalid/unknown command".into() };
    let reading = Reading { not_readable: vec![unread], ..Reading::default() };
    let edits = difference(&wanted, &reading);
    assert_eq!(edits, [Edit { key: key(PART, "a"), was: None, is: Some("1".into()) }]);
    assert_eq!(
        reading.not_read(&key(QUEUES, "b")).unwrap().to_string(),
        "queues: \"Invalid/unknown command\""
    );
}

proptest! {
    #[test]
    fn applying_the_difference_gives_the_desired_records(
        wanted in prop::collection::btree_map("[a-e]", "[0-9]", 0..5),
        found in prop::collection::btree_map("[a-e]", "[0-9]", 0..5),
    ) {
        let of = |records: std::collections::BTreeMap<String, String>| -> Records {
            records.into_iter().map(|(name, value)| (key(PART, &name), value)).collect()
        };
        let (wanted, mut reading) = (of(wanted), Reading { records: of(found), ..Reading::default() });
        for Edit { key, is, .. } in difference(&wanted, &reading) {
            match is {
                Some(value) => reading.records.insert(key, value),
                None => reading.records.remove(&key),
            };
        }
        prop_assert_eq!(&reading.records, &wanted);
        prop_assert_eq!(difference(&wanted, &reading), vec![]);
    }
}
