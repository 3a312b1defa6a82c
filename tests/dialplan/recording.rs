//! Which calls are recorded, by a context of the site's that calls MixMonitor.

use std::collections::BTreeSet;
use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use hotdesk::model::directory::profile::Recording;
use hotdesk::model::id::GroupName;

use super::{Switch, on_both, snapshot};
use crate::harness::debian::Version;
use crate::harness::phone::Phone;

on_both! {
    calls_are_recorded_for_those_who_want_it_and_no_others
    a_user_records_on_demand_by_a_key_in_calls_both_ways
    a_call_that_was_picked_up_is_recorded_as_who_has_it_wants
}

/// What was recorded since it was asked last, soon after a call.
fn recorded(switch: &Switch) -> BTreeSet<String> {
    let folder = switch.pbx.path("spool/monitor");
    thread::sleep(Duration::from_millis(300));
    let Ok(files) = fs::read_dir(&folder) else { return BTreeSet::new() };
    let files: Vec<_> = files.map(Result::unwrap).collect();
    let names = files.iter().map(|file| {
        // MixMonitor writes in the background: 44 bytes are a header alone.
        let deadline = Instant::now() + Duration::from_secs(5);
        while fs::metadata(file.path()).unwrap().len() <= 44 {
            assert!(Instant::now() < deadline, "{:?} is empty", file.path());
            thread::sleep(Duration::from_millis(20));
        }
        let name = file.file_name().into_string().unwrap();
        fs::remove_file(file.path()).unwrap();
        name.trim_end_matches(".wav").to_owned()
    });
    names.collect()
}

/// A call that both hear something of; meanwhile `keys` are pressed by `by`.
fn talk(caller: &Phone, number: &str, called: &Phone, keys: Option<&Phone>) {
    caller.dial(number).unwrap();
    called.wait_ringing().unwrap();
    called.answer().unwrap();
    caller.wait_answered().unwrap();
    if let Some(phone) = keys {
        phone.press("*3");
        thread::sleep(Duration::from_millis(1200));
    }
    caller.tone(true);
    called.wait_audio().unwrap();
    thread::sleep(Duration::from_millis(300));
    caller.tone(false);
    caller.hang_up().unwrap();
    called.wait_ended().unwrap();
}

fn calls_are_recorded_for_those_who_want_it_and_no_others(version: Version) {
    let mut switch = Switch::start(version);
    let phone = |name: &str| switch.pbx.phone(name).unwrap();
    let [alice, bob, carol, trunk, colleague] =
        [phone("desk1"), phone("desk2"), phone("desk3"), phone("trunk"), phone("colleague")];
    switch.hold(&snapshot(|extension, user| {
        user.profile.recording = match extension {
            "101" => Recording::Always,
            "102" => Recording::Inbound,
            _ => Recording::Outbound,
        }
    }));
    let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>();
    for (caller, number, called, files) in [
        (&alice, "0031", &trunk, &["101-outbound-0031"][..]),
        (&bob, "0031", &trunk, &[]),
        (&carol, "0031", &trunk, &["103-outbound-0031"]),
        (&colleague, "101", &alice, &["101-inbound-199"]),
        (&colleague, "102", &bob, &["102-inbound-199"]),
        (&colleague, "103", &carol, &[]),
        // Each end has its own.
        (&alice, "102", &bob, &["101-outbound-102", "102-inbound-101"]),
        (&bob, "103", &carol, &[]),
    ] {
        talk(caller, number, called, None);
        assert_eq!(recorded(&switch), set(files), "{} calls {number}", caller.name());
    }
    // A call that is not answered leaves nothing, and a site without that context its calls.
    colleague.dial("101").unwrap();
    alice.wait_ringing().unwrap();
    colleague.hang_up().unwrap();
    alice.wait_ended().unwrap();
    assert_eq!(recorded(&switch), set(&[]));
    switch.pbx.cli("dialplan remove context recording").unwrap();
    talk(&colleague, "101", &alice, None);
    talk(&alice, "102", &bob, None);
    assert_eq!(recorded(&switch), set(&[]));
}

fn a_user_records_on_demand_by_a_key_in_calls_both_ways(version: Version) {
    let mut switch = Switch::start(version);
    let phone = |name: &str| switch.pbx.phone(name).unwrap();
    let [alice, bob, trunk] = [phone("desk1"), phone("desk2"), phone("trunk")];
    switch.hold(&snapshot(|extension, user| {
        if extension == "101" {
            user.profile.recording = Recording::OnDemand;
        }
    }));
    // In a call to the user, and in one that the site's own Dial makes. Not when the other end presses the key, and not without it.
    for (caller, number, called, presses, files) in [
        (&bob, "101", &alice, Some(&alice), 1),
        (&alice, "0031", &trunk, Some(&alice), 1),
        (&bob, "101", &alice, Some(&bob), 0),
        (&alice, "102", &bob, None, 0),
    ] {
        talk(caller, number, called, presses);
        let names = recorded(&switch);
        assert_eq!(names.len(), files, "{} calls {number}: {names:?}", caller.name());
    }
}

fn a_call_that_was_picked_up_is_recorded_as_who_has_it_wants(version: Version) {
    let mut switch = Switch::start(version);
    let phone = |name: &str| switch.pbx.phone(name).unwrap();
    let [alice, bob, colleague] = [phone("desk1"), phone("desk2"), phone("colleague")];
    for (recorded_user, file) in [("101", None), ("102", Some("102-inbound-199"))] {
        switch.hold(&snapshot(|extension, user| {
            user.profile.pickup = GroupName::new("sales").ok();
            if extension == recorded_user {
                user.profile.recording = Recording::Always;
            }
        }));
        colleague.dial("101").unwrap();
        alice.wait_ringing().unwrap();
        bob.dial("*7").unwrap();
        bob.wait_answered().unwrap();
        colleague.wait_answered().unwrap();
        colleague.tone(true);
        bob.wait_audio().unwrap();
        thread::sleep(Duration::from_millis(300));
        colleague.hang_up().unwrap();
        bob.wait_ended().unwrap();
        let mut names = recorded(&switch);
        // The user's call to the code is recorded, too.
        names.remove("102-outbound-*7");
        assert_eq!(names.into_iter().next().as_deref(), file, "{recorded_user} is recorded");
    }
}
