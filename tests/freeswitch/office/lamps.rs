//! A colleague's lamp follows the person, wherever he sits.

use std::thread;
use std::time::{Duration, Instant};

use hotdesk::desk::setting::Setting;

use super::{SOON, company};
use crate::support::phone::{Event, PATIENCE, Phone};

#[test]
fn a_lamp_follows_from_desk_to_desk_through_reload_and_restart() {
    let Some(mut company) = company() else { return };
    let (desk1, desk2) = (company.pbx.phone("desk1").unwrap(), company.pbx.phone("desk2").unwrap());
    let colleague = company.pbx.phone("colleague").unwrap();
    // Watched before anybody is there, and never again.
    colleague.watch("101").unwrap();

    company.log_in(&desk1, "101").unwrap();
    lit_by(&colleague, &desk1);
    company.log_in(&desk2, "101").unwrap();
    lit_by(&colleague, &desk2);

    company.pbx.api("reloadxml").unwrap();
    lit_by(&colleague, &desk2);
    company.log_in(&desk1, "101").unwrap();
    lit_by(&colleague, &desk1);

    let mark = company.hotdesk.log().len();
    company.pbx.restart().unwrap();
    company.hotdesk.wait_for_log(mark, "event=\"table.settled\"").unwrap();
    lit_by(&colleague, &desk1);
    company.log_in(&desk2, "101").unwrap();
    lit_by(&colleague, &desk2);
}

#[test]
fn a_lamp_of_the_device_that_was_lit_by_a_look_in_the_middle_of_a_call_is_darkened_after_it() {
    let Some(company) = company() else { return };
    let desk = company.pbx.phone("desk1").unwrap();
    let colleague = company.pbx.phone("colleague").unwrap();
    company.log_in(&desk, "101").unwrap();
    for _ in 0..2 {
        desk.dial("600").unwrap();
        desk.wait_answered().unwrap();
        colleague.watch("desk1").unwrap();
        colleague.wait_lamp("desk1", "confirmed").unwrap();
        desk.hang_up().unwrap();
        colleague.wait_lamp("desk1", "terminated").unwrap();
    }
}

/// A call at `desk` lights the lamp, and its end darkens it.
fn lit_by(colleague: &Phone, desk: &Phone) {
    desk.dial("600").unwrap();
    desk.wait_answered().unwrap();
    colleague.wait_lamp("101", "confirmed").unwrap();
    desk.hang_up().unwrap();
    colleague.wait_lamp("101", "terminated").unwrap();
}

#[test]
fn a_lamp_is_lit_while_its_user_is_not_to_be_disturbed_wherever_he_is() {
    let Some(mut company) = company() else { return };
    let (desk1, desk2) = (company.pbx.phone("desk1").unwrap(), company.pbx.phone("desk2").unwrap());
    let colleague = company.pbx.phone("colleague").unwrap();
    colleague.watch("101").unwrap();
    company.hotdesk.set("101", Setting::DoNotDisturb(true)).unwrap();
    shows(&colleague, "101", "confirmed");
    // Who begins to look now sees it, too.
    let other = company.pbx.phone("desk3").unwrap();
    other.watch("101").unwrap();
    shows(&other, "101", "confirmed");
    for desk in [&desk1, &desk2] {
        company.log_in(desk, "101").unwrap();
        // Nor does it go out with a call of his.
        desk.dial("600").unwrap();
        desk.wait_answered().unwrap();
        desk.hang_up().unwrap();
        shows(&colleague, "101", "confirmed");
    }
    let mark = company.hotdesk.log().len();
    company.pbx.restart().unwrap();
    company.hotdesk.wait_for_log(mark, "event=\"table.settled\"").unwrap();
    shows(&colleague, "101", "confirmed");
    company.hotdesk.kill().unwrap();
    company.hotdesk.set("101", Setting::DoNotDisturb(false)).unwrap();
    company.hotdesk.start().unwrap();
    shows(&colleague, "101", "terminated");
}

#[test]
fn the_lamp_of_a_device_is_lit_while_somebody_sits_there_and_its_key_logs_out() {
    let Some(mut company) = company() else { return };
    let (desk1, desk2) = (company.pbx.phone("desk1").unwrap(), company.pbx.phone("desk2").unwrap());
    let colleague = company.pbx.phone("colleague").unwrap();
    // A key on the phone itself, and one at a colleague's.
    for phone in [&desk1, &colleague] {
        phone.watch("seat+desk1").unwrap();
        shows(phone, "seat+desk1", "terminated");
    }
    let both = |state: &str| {
        shows(&desk1, "seat+desk1", state);
        shows(&colleague, "seat+desk1", state);
    };
    company.log_in(&desk1, "101").unwrap();
    both("confirmed");
    company.log_in(&desk2, "101").unwrap();
    both("terminated");
    desk2.watch("seat+desk2").unwrap();
    shows(&desk2, "seat+desk2", "confirmed");

    // The key is a code at its own phone, and at no other one.
    desk1.dial("seat+desk2").unwrap();
    assert_eq!(desk1.wait_ended().unwrap().code, 403);
    company.dial_code(&desk1, "seat+desk1", &["101#", "729154#"]).unwrap();
    both("confirmed");
    assert_eq!(company.agreed(SOON).unwrap(), ["101@desk1"]);
    shows(&desk2, "seat+desk2", "terminated");
    company.dial_code(&desk1, "seat+desk1", &[]).unwrap();
    both("terminated");
    assert!(company.agreed(SOON).unwrap().is_empty());

    company.log_in(&desk1, "102").unwrap();
    both("confirmed");
    let mark = company.hotdesk.log().len();
    company.pbx.restart().unwrap();
    company.hotdesk.wait_for_log(mark, "event=\"table.settled\"").unwrap();
    both("confirmed");
    company.hotdesk.kill().unwrap();
    company.hotdesk.run(&["logout", "--user", "102"]).unwrap();
    company.hotdesk.start().unwrap();
    both("terminated");
}

/// Waits until a lamp is told to be in `state`, and in no other one after that.
fn shows(phone: &Phone, name: &str, state: &str) {
    let last = || {
        phone.events().all().into_iter().rev().find_map(|event| match event {
            Event::Lamp(lamp) if lamp.extension == name => Some(lamp.state),
            _ => None,
        })
    };
    let deadline = Instant::now() + PATIENCE;
    while last().as_deref() != Some(state) {
        let seen = phone.events().all();
        assert!(Instant::now() < deadline, "{}: {name} is not {state}: {seen:?}", phone.name());
        thread::sleep(Duration::from_millis(20));
    }
    thread::sleep(Duration::from_millis(400));
    assert_eq!(last().as_deref(), Some(state), "{name} at {}: {:?}", phone.name(), phone.events().all());
}
