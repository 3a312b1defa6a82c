//! What only an Asterisk has of lamps: hints, and a device state of ours that somebody may change by hand.

use std::thread;
use std::time::Duration;

use hotdesk::desk::setting::Setting;

use super::{SOON, company, on_both};
use crate::support::company::Company;
use crate::support::debian::Version;
use crate::support::phone::Phone;

on_both! {
    a_lamp_that_nobody_watched_has_no_hint_and_shows_the_first_who_does_what_is_so
    a_lamp_that_was_changed_by_hand_is_put_right_and_a_restart_keeps_hints
}

/// So that a login costs an Asterisk with 10,000 users no more than one with 100.
fn a_lamp_that_nobody_watched_has_no_hint_and_shows_the_first_who_does_what_is_so(version: Version) {
    let company = company(version);
    let (desk1, desk2) = (company.pbx.phone("desk1").unwrap(), company.pbx.phone("desk2").unwrap());
    let colleague = company.pbx.phone("colleague").unwrap();
    company.log_in(&desk1, "101").unwrap();
    company.hotdesk.set("102", Setting::DoNotDisturb(true)).unwrap();
    company.log_in(&desk2, "102").unwrap();
    assert_eq!(company.agreed(SOON).unwrap(), ["101@desk1", "102@desk2"]);
    let hints = company.pbx.ami().unwrap().list("ExtensionStateList", &[]).unwrap();
    assert!(hints.iter().all(|hint| hint.get("Context") != "hotdesk-hints"), "{hints:?}");

    for (watched, shows) in [("101", "terminated"), ("102", "confirmed"), ("seat+desk1", "confirmed")] {
        colleague.watch(watched).unwrap();
        colleague.wait_lamp(watched, shows).unwrap();
    }
    lit_by(&colleague, &desk1);
    // And follows from then on.
    company.log_in(&desk2, "101").unwrap();
    lit_by(&colleague, &desk2);
    colleague.wait_lamp("seat+desk1", "terminated").unwrap();
}

/// A call at `desk` lights the lamp, and its end darkens it.
fn lit_by(colleague: &Phone, desk: &Phone) {
    desk.dial("600").unwrap();
    desk.wait_answered().unwrap();
    colleague.wait_lamp("101", "confirmed").unwrap();
    desk.hang_up().unwrap();
    colleague.wait_lamp("101", "terminated").unwrap();
}

fn a_lamp_that_was_changed_by_hand_is_put_right_and_a_restart_keeps_hints(version: Version) {
    let mut company = company(version);
    let (desk1, colleague) = (company.pbx.phone("desk1").unwrap(), company.pbx.phone("colleague").unwrap());
    company.log_in(&desk1, "101").unwrap();
    ["101", "seat+desk1"].iter().for_each(|key| colleague.watch(key).unwrap());
    company.hotdesk.set("101", Setting::DoNotDisturb(true)).unwrap();
    colleague.wait_lamp("101", "confirmed").unwrap();
    let mark = company.hotdesk.log().len();
    company.pbx.cli("devstate change Custom:hotdesk_on NOT_INUSE").unwrap();
    colleague.wait_lamp("101", "terminated").unwrap();
    company.pbx.cli("module reload app_dial.so").unwrap();
    company.hotdesk.wait_for_log(mark, "repaired=1").unwrap();
    colleague.wait_lamp("101", "confirmed").unwrap();
    // AstDB is written once a second.
    thread::sleep(Duration::from_millis(1500));
    let mark = company.hotdesk.log().len();
    company.pbx.restart().unwrap();
    company.hotdesk.wait_for_log(mark, "event=\"table.settled\"").unwrap();
    for hint in ["101", "seat+desk1"] {
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
