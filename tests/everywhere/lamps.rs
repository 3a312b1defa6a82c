//! A colleague's lamp shows the person, wherever he sits; that of a phone, that somebody sits there, and it is a key as well.
//! How they follow from desk to desk and through restarts is in the grid.

use std::thread;
use std::time::{Duration, Instant};

use hotdesk::desk::setting::Setting;

use crate::company::{Company, dial};
use crate::support::company::pin;
use crate::support::debian::Version;
use crate::support::each::on_each;
use crate::support::phone::{Event, PATIENCE, Phone};

on_each! {
    a_lamp_follows_through_a_reload_of_the_dialplan
    a_lamp_is_lit_while_its_user_is_not_to_be_disturbed_whatever_his_calls_do
    the_key_of_a_phone_logs_out_there_and_nowhere_else
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

/// A call at `desk` lights 101's lamp, and its end darkens it.
fn lit_by(colleague: &Phone, desk: &Phone) {
    desk.dial("600").unwrap();
    desk.wait_answered().unwrap();
    colleague.wait_lamp("101", "confirmed").unwrap();
    desk.hang_up().unwrap();
    colleague.wait_lamp("101", "terminated").unwrap();
}

fn a_lamp_follows_through_a_reload_of_the_dialplan(version: Option<Version>) {
    let Some(mut company) = Company::open(version, "") else { return };
    let [desk1, desk2, colleague] = ["desk1", "desk2", "colleague"].map(|name| company.phone(name));
    // Watched before anybody is there, and never again.
    colleague.watch("101").unwrap();
    company.log_in(&desk1, "101");
    lit_by(&colleague, &desk1);
    company.reload_dialplan();
    lit_by(&colleague, &desk1);
    company.log_in(&desk2, "101");
    lit_by(&colleague, &desk2);
}

fn a_lamp_is_lit_while_its_user_is_not_to_be_disturbed_whatever_his_calls_do(version: Option<Version>) {
    let Some(mut company) = Company::open(version, "") else { return };
    let [desk1, desk2, colleague] = ["desk1", "desk2", "colleague"].map(|name| company.phone(name));
    colleague.watch("101").unwrap();
    company.hotdesk().set("101", Setting::DoNotDisturb(true)).unwrap();
    shows(&colleague, "101", "confirmed");
    // Who begins to look now sees it, too.
    let other = company.phone("desk3");
    other.watch("101").unwrap();
    shows(&other, "101", "confirmed");
    for desk in [&desk1, &desk2] {
        company.log_in(desk, "101");
        desk.dial("600").unwrap();
        desk.wait_answered().unwrap();
        desk.hang_up().unwrap();
        shows(&colleague, "101", "confirmed");
    }
    company.hotdesk().kill().unwrap();
    company.hotdesk().set("101", Setting::DoNotDisturb(false)).unwrap();
    shows(&colleague, "101", "confirmed");
    company.hotdesk().start().unwrap();
    shows(&colleague, "101", "terminated");
}

fn the_key_of_a_phone_logs_out_there_and_nowhere_else(version: Option<Version>) {
    let Some(mut company) = Company::open(version, "") else { return };
    let [desk1, desk2, colleague] = ["desk1", "desk2", "colleague"].map(|name| company.phone(name));
    // A key on the phone itself, and one at a colleague's.
    for phone in [&desk1, &colleague] {
        phone.watch("seat+desk1").unwrap();
        shows(phone, "seat+desk1", "terminated");
    }
    let both = |state: &str| {
        shows(&desk1, "seat+desk1", state);
        shows(&colleague, "seat+desk1", state);
    };
    desk2.watch("seat+desk2").unwrap();
    company.log_in(&desk2, "101");
    shows(&desk2, "seat+desk2", "confirmed");

    desk1.dial("seat+desk2").unwrap();
    assert_eq!(desk1.wait_ended().unwrap().code, 403);
    dial(&desk1, "seat+desk1", &["101", pin("101")]);
    both("confirmed");
    assert_eq!(company.seats(), ["101@desk1"]);
    shows(&desk2, "seat+desk2", "terminated");
    dial(&desk1, "seat+desk1", &[]);
    both("terminated");
    assert!(company.seats().is_empty());

    company.log_in(&desk1, "102");
    both("confirmed");
    company.hotdesk().kill().unwrap();
    company.run(&["logout", "--user", "102"]);
    company.hotdesk().start().unwrap();
    both("terminated");
}
