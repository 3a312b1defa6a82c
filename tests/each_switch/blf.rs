//! The BLF of a user follows the sessions. The BLF of a device shows a session there, and its key logs in and out.
//! `feature_matrix` covers moves and restarts.

use std::thread;
use std::time::Duration;

use hotdesk::model::settings::Setting;

use crate::company::{Company, dial};
use crate::harness::company::pin;
use crate::harness::debian::Version;
use crate::harness::each::on_each;
use crate::harness::phone::{Event, PATIENCE, Phone};
use crate::harness::wait;

on_each! {
    a_blf_follows_its_user_through_a_dialplan_reload
    a_blf_is_lit_during_dnd_whatever_calls_do
    a_device_key_logs_out_its_own_device_only
}

/// Waits until a lamp is in `state` and stays in it.
fn shows(phone: &Phone, name: &str, state: &str) {
    let last = || {
        phone.events().all().into_iter().rev().find_map(|event| match event {
            Event::Lamp(lamp) if lamp.extension == name => Some(lamp.state),
            _ => None,
        })
    };
    let seen = || format!("{}: {name} is not {state}: {:?}", phone.name(), phone.events().all());
    wait::until(PATIENCE, || last().as_deref() == Some(state), seen);
    // No other state follows.
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

fn a_blf_follows_its_user_through_a_dialplan_reload(version: Option<Version>) {
    let Some(mut company) = Company::open(version, "") else { return };
    let [desk1, desk2, colleague] = ["desk1", "desk2", "colleague"].map(|name| company.phone(name));
    // Subscribed once, before the first login.
    colleague.watch("101").unwrap();
    company.log_in(&desk1, "101");
    lit_by(&colleague, &desk1);
    company.reload_dialplan();
    lit_by(&colleague, &desk1);
    company.log_in(&desk2, "101");
    lit_by(&colleague, &desk2);
}

fn a_blf_is_lit_during_dnd_whatever_calls_do(version: Option<Version>) {
    let Some(mut company) = Company::open(version, "") else { return };
    let [desk1, desk2, colleague] = ["desk1", "desk2", "colleague"].map(|name| company.phone(name));
    colleague.watch("101").unwrap();
    company.hotdesk().set("101", Setting::DoNotDisturb(true)).unwrap();
    shows(&colleague, "101", "confirmed");
    // A new subscription gets it, too.
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

fn a_device_key_logs_out_its_own_device_only(version: Option<Version>) {
    let Some(mut company) = Company::open(version, "") else { return };
    let [desk1, desk2, colleague] = ["desk1", "desk2", "colleague"].map(|name| company.phone(name));
    // A key on the phone itself, and one at a colleague's.
    for phone in [&desk1, &colleague] {
        phone.watch("device+desk1").unwrap();
        shows(phone, "device+desk1", "terminated");
    }
    let both = |state: &str| {
        shows(&desk1, "device+desk1", state);
        shows(&colleague, "device+desk1", state);
    };
    desk2.watch("device+desk2").unwrap();
    company.log_in(&desk2, "101");
    shows(&desk2, "device+desk2", "confirmed");

    desk1.dial("device+desk2").unwrap();
    assert_eq!(desk1.wait_ended().unwrap().code, 403);
    dial(&desk1, "device+desk1", &["101", pin("101")]);
    both("confirmed");
    assert_eq!(company.sessions(), ["101@desk1"]);
    shows(&desk2, "device+desk2", "terminated");
    dial(&desk1, "device+desk1", &[]);
    both("terminated");
    assert!(company.sessions().is_empty());

    company.log_in(&desk1, "102");
    both("confirmed");
    company.hotdesk().kill().unwrap();
    company.run(&["logout", "102"]);
    company.hotdesk().start().unwrap();
    both("terminated");
}
