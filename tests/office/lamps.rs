//! What only an Asterisk has of lamps: hints, and a device state of ours that somebody may change by hand.

use std::thread;
use std::time::Duration;

use hotdesk::desk::setting::Setting;

use super::{company, on_both};
use crate::support::company::Company;
use crate::support::debian::Version;

on_both! {
    a_lamp_that_was_changed_by_hand_is_put_right_and_a_restart_keeps_hints
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
