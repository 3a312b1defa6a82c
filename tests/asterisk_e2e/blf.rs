//! BLF on Asterisk only: hints, and a custom device state that an administrator may change by hand.

use std::thread;
use std::time::Duration;

use hotdesk::model::settings::Setting;

use super::{SOON, company, on_both};
use crate::harness::company::Company;
use crate::harness::debian::Version;
use crate::harness::phone::Phone;

on_both! {
    a_hint_appears_with_the_first_watcher_and_shows_the_state
    a_blf_changed_by_hand_is_repaired_and_a_restart_keeps_hints
}

/// So that a login costs an Asterisk with 10,000 users no more than one with 100.
fn a_hint_appears_with_the_first_watcher_and_shows_the_state(version: Version) {
    let company = company(version);
    let (desk1, desk2) = (company.pbx.phone("desk1").unwrap(), company.pbx.phone("desk2").unwrap());
    let colleague = company.pbx.phone("colleague").unwrap();
    company.log_in(&desk1, "101").unwrap();
    company.hotdesk.set("102", Setting::DoNotDisturb(true)).unwrap();
    company.log_in(&desk2, "102").unwrap();
    assert_eq!(company.agreed(SOON).unwrap(), ["101@desk1", "102@desk2"]);
    let hints = company.pbx.ami().unwrap().list("ExtensionStateList", &[]).unwrap();
    assert!(hints.iter().all(|hint| hint.get("Context") != "hotdesk-hints"), "{hints:?}");

    for (watched, shows) in [("101", "terminated"), ("102", "confirmed"), ("device+desk1", "confirmed")] {
        colleague.watch(watched).unwrap();
        colleague.wait_lamp(watched, shows).unwrap();
    }
    lit_by(&colleague, &desk1);
    // And follows from then on.
    company.log_in(&desk2, "101").unwrap();
    lit_by(&colleague, &desk2);
    colleague.wait_lamp("device+desk1", "terminated").unwrap();
}

/// A call at `desk` lights the lamp, and its end darkens it.
fn lit_by(colleague: &Phone, desk: &Phone) {
    desk.dial("600").unwrap();
    desk.wait_answered().unwrap();
    colleague.wait_lamp("101", "confirmed").unwrap();
    desk.hang_up().unwrap();
    colleague.wait_lamp("101", "terminated").unwrap();
}

fn a_blf_changed_by_hand_is_repaired_and_a_restart_keeps_hints(version: Version) {
    let mut company = company(version);
    let (desk1, colleague) = (company.pbx.phone("desk1").unwrap(), company.pbx.phone("colleague").unwrap());
    company.log_in(&desk1, "101").unwrap();
    ["101", "device+desk1"].iter().for_each(|key| colleague.watch(key).unwrap());
    company.hotdesk.set("101", Setting::DoNotDisturb(true)).unwrap();
    colleague.wait_lamp("101", "confirmed").unwrap();
    let mark = company.hotdesk.log().len();
    company.pbx.cli("devstate change Custom:hotdesk_on NOT_INUSE").unwrap();
    colleague.wait_lamp("101", "terminated").unwrap();
    company.pbx.cli("module reload app_dial.so").unwrap();
    company.hotdesk.wait_for_log(mark, "repaired=1").unwrap();
    colleague.wait_lamp("101", "confirmed").unwrap();
    // Asterisk writes AstDB once a second, and no event says so.
    thread::sleep(Duration::from_millis(1500));
    let mark = company.hotdesk.log().len();
    company.pbx.restart().unwrap();
    company.hotdesk.wait_reconnected(mark).unwrap();
    for hint in ["101", "device+desk1"] {
        assert_eq!(state(&company, hint), "INUSE", "{hint}");
    }
}

/// What a hint says now.
fn state(company: &Company, extension: &str) -> String {
    let asked = [("Exten", extension), ("Context", "hotdesk-hints")];
    let answer = company.pbx.ami().unwrap().act("ExtensionState", &asked).unwrap();
    let state = answer.get("StatusText").to_uppercase();
    if state == "BUSY" { "INUSE".into() } else { state }
}
