//! A colleague's lamp follows the person, wherever he sits.

use std::thread;
use std::time::Duration;

use hotdesk::desk::setting::Setting;

use super::{SOON, company, on_both};
use crate::support::company::Company;
use crate::support::debian::Version;
use crate::support::phone::{PATIENCE, Phone};

on_both! {
    a_lamp_follows_from_desk_to_desk_through_reload_and_restart
    a_lamp_that_nobody_watched_has_no_hint_and_shows_the_first_who_does_what_is_so
    a_lamp_is_lit_while_its_user_is_not_to_be_disturbed_wherever_he_is
    the_lamp_of_a_device_is_lit_while_somebody_sits_there_and_its_key_logs_out
}

fn a_lamp_follows_from_desk_to_desk_through_reload_and_restart(version: Version) {
    let mut company = company(version);
    let (desk1, desk2) = (company.pbx.phone("desk1").unwrap(), company.pbx.phone("desk2").unwrap());
    let colleague = company.pbx.phone("colleague").unwrap();
    // Watched before anybody is there, and never again.
    colleague.watch("101").unwrap();
    colleague.wait_lamp("101", "terminated").unwrap();

    company.log_in(&desk1, "101").unwrap();
    lit_by(&colleague, &desk1);
    company.log_in(&desk2, "101").unwrap();
    lit_by(&colleague, &desk2);

    let mark = company.hotdesk.log().len();
    company.pbx.cli("dialplan reload").unwrap();
    company.hotdesk.wait_for_log(mark, "event=\"table.settled\"").unwrap();
    lit_by(&colleague, &desk2);
    company.log_in(&desk1, "101").unwrap();
    lit_by(&colleague, &desk1);

    drop((desk1, desk2));
    let mark = company.hotdesk.log().len();
    company.pbx.restart().unwrap();
    company.hotdesk.wait_for_log(mark, "event=\"table.settled\"").unwrap();
    let (desk1, desk2) = (company.pbx.phone("desk1").unwrap(), company.pbx.phone("desk2").unwrap());
    lit_by(&colleague, &desk1);
    company.log_in(&desk2, "101").unwrap();
    lit_by(&colleague, &desk2);
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

fn a_lamp_is_lit_while_its_user_is_not_to_be_disturbed_wherever_he_is(version: Version) {
    let mut company = company(version);
    let (desk1, desk2) = (company.pbx.phone("desk1").unwrap(), company.pbx.phone("desk2").unwrap());
    let colleague = company.pbx.phone("colleague").unwrap();
    colleague.watch("101").unwrap();
    colleague.wait_lamp("101", "terminated").unwrap();
    company.hotdesk.set("101", Setting::DoNotDisturb(true)).unwrap();
    colleague.wait_lamp("101", "confirmed").unwrap();
    // Who begins to look now sees it, too.
    let other = company.pbx.phone("desk3").unwrap();
    other.watch("101").unwrap();
    other.wait_lamp("101", "confirmed").unwrap();
    for desk in [&desk1, &desk2] {
        company.log_in(desk, "101").unwrap();
        // Nor does it go out with a call of his.
        desk.dial("600").unwrap();
        desk.wait_answered().unwrap();
        desk.hang_up().unwrap();
        assert_eq!(state(&company, "101"), "INUSE");
    }
    // A state that somebody changed by hand is put right, and a restart keeps it.
    let mark = company.hotdesk.log().len();
    company.pbx.cli("devstate change Custom:hotdesk_on NOT_INUSE").unwrap();
    colleague.wait_lamp("101", "terminated").unwrap();
    company.pbx.cli("module reload app_dial.so").unwrap();
    company.hotdesk.wait_for_log(mark, "repaired=1").unwrap();
    colleague.wait_lamp("101", "confirmed").unwrap();
    thread::sleep(Duration::from_millis(1500));
    let mark = company.hotdesk.log().len();
    company.pbx.restart().unwrap();
    company.hotdesk.wait_for_log(mark, "event=\"table.settled\"").unwrap();
    assert_eq!(state(&company, "101"), "INUSE");
    company.hotdesk.kill().unwrap();
    company.hotdesk.set("101", Setting::DoNotDisturb(false)).unwrap();
    assert_eq!(state(&company, "101"), "INUSE");
    company.hotdesk.start().unwrap();
    colleague.wait_lamp("101", "terminated").unwrap();
}

fn the_lamp_of_a_device_is_lit_while_somebody_sits_there_and_its_key_logs_out(version: Version) {
    let mut company = company(version);
    let (desk1, desk2) = (company.pbx.phone("desk1").unwrap(), company.pbx.phone("desk2").unwrap());
    let colleague = company.pbx.phone("colleague").unwrap();
    // A key on the phone itself, and one at a colleague's.
    for phone in [&desk1, &colleague] {
        phone.watch("seat+desk1").unwrap();
        phone.wait_lamp("seat+desk1", "terminated").unwrap();
    }
    let both = |state: &str| {
        desk1.wait_lamp("seat+desk1", state).unwrap();
        colleague.wait_lamp("seat+desk1", state).unwrap();
    };
    company.log_in(&desk1, "101").unwrap();
    both("confirmed");
    company.log_in(&desk2, "101").unwrap();
    both("terminated");
    desk2.watch("seat+desk2").unwrap();
    desk2.wait_lamp("seat+desk2", "confirmed").unwrap();

    // The key is a code at its own phone, and at no other one.
    desk1.dial("seat+desk2").unwrap();
    assert_eq!(desk1.wait_ended_within(PATIENCE).unwrap().code, 403);
    assert_eq!(
        company.dial_code(&desk1, "seat+desk1", &["101#", "729154#"]).map(drop).map_err(|e| e.to_string()),
        Ok(())
    );
    both("confirmed");
    assert_eq!(company.agreed(SOON).unwrap(), ["101@desk1"]);
    desk2.wait_lamp("seat+desk2", "terminated").unwrap();
    company.dial_code(&desk1, "seat+desk1", &[]).unwrap();
    both("terminated");
    assert!(company.agreed(SOON).unwrap().is_empty());

    company.log_in(&desk1, "102").unwrap();
    both("confirmed");
    thread::sleep(Duration::from_millis(1500));
    let mark = company.hotdesk.log().len();
    company.pbx.restart().unwrap();
    company.hotdesk.wait_for_log(mark, "event=\"table.settled\"").unwrap();
    assert_eq!(state(&company, "seat+desk1"), "INUSE");
    company.hotdesk.kill().unwrap();
    company.hotdesk.run(&["logout", "--user", "102"]).unwrap();
    company.hotdesk.start().unwrap();
    both("terminated");
}

/// What a hint says now.
fn state(company: &Company, extension: &str) -> String {
    let asked = [("Exten", extension), ("Context", "hotdesk-hints")];
    let answer = company.pbx.ami().unwrap().act("ExtensionState", &asked).unwrap();
    let state = answer.get("StatusText").to_uppercase();
    if state == "BUSY" { "INUSE".into() } else { state }
}
