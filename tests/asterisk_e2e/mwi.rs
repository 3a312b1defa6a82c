//! MWI on Asterisk only: messages from calls, and registrations without an event.

use std::thread;
use std::time::Duration;

use super::{company, on_both};
use crate::harness::debian::Version;
use crate::harness::phone::{Event, Mailbox, Phone};
use crate::harness::wait;

on_both! {
    a_registration_repeats_the_mwi_and_nothing_else_does
}

fn shows(phone: &Phone, new: u32) {
    let told = phone.wait_mailbox(new > 0).unwrap_or_else(|error| panic!("{new} messages: {error:#}"));
    assert_eq!(told, Mailbox { waiting: new > 0, messages: (new, 0) });
}

/// How many NOTIFYs of its mailbox it got.
fn notifications(phone: &Phone) -> usize {
    phone.events().all().iter().filter(|event| matches!(event, Event::Mailbox(_))).count()
}

#[test]
fn a_new_message_lights_the_mwi_of_the_users_device() {
    let company = company(Version::Current);
    let (desk, colleague) = (company.pbx.phone("desk1").unwrap(), company.pbx.phone("colleague").unwrap());
    company.log_in(&desk, "101").unwrap();
    colleague.dial("101").unwrap();
    desk.wait_ringing().unwrap();
    desk.reject(486).unwrap();
    colleague.wait_answered().unwrap();
    colleague.press("#");
    // The greeting ends and the message has to have some length.
    thread::sleep(Duration::from_secs(2));
    colleague.tone(true);
    thread::sleep(Duration::from_millis(1500));
    colleague.hang_up().unwrap();
    shows(&desk, 1);
}

/// Debian's Asterisk 16 has no voicemail: a box there counts nothing, and the lamp is dark.
fn a_registration_repeats_the_mwi_and_nothing_else_does(version: Version) {
    let company = company(version);
    let desk = company.pbx.phone("desk1").unwrap();
    company.log_in(&desk, "101").unwrap();
    shows(&desk, 0);
    // No NOTIFY follows later, here and after each reload.
    thread::sleep(Duration::from_millis(300));
    let before = notifications(&desk);
    for module in ["app_dial.so", "app_echo.so"] {
        company.pbx.cli(&format!("module reload {module}")).unwrap();
        thread::sleep(Duration::from_millis(300));
    }
    assert_eq!(notifications(&desk), before, "nothing has changed");
    let again = company.pbx.phone("desk1").unwrap();
    shows(&again, 0);
    // A phone that was switched off and on gets it too, although no event of Asterisk reports a renewed registration.
    thread::sleep(Duration::from_secs(23));
    let told = notifications(&again);
    again.register().unwrap();
    let state = || format!("{:?}", again.events().all());
    wait::until(Duration::from_secs(40), || notifications(&again) > told, state);
    // Longer than the period of hotdesk's look at registrations: no further NOTIFY follows.
    thread::sleep(Duration::from_secs(23));
    assert_eq!(notifications(&again), told + 1, "nothing has changed");
}
