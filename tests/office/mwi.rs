//! What only an Asterisk has of voicemail lamps: messages that are left by a call, and registrations that no event tells of.

use std::thread;
use std::time::{Duration, Instant};

use super::{company, on_both};
use crate::support::debian::Version;
use crate::support::phone::{Event, Mailbox, Phone};

on_both! {
    a_phone_is_told_again_when_it_registers_and_not_twice_the_same_else
}

fn shows(phone: &Phone, new: u32) {
    let told = phone.wait_mailbox(new > 0).unwrap_or_else(|error| panic!("{new} messages: {error:#}"));
    assert_eq!(told, Mailbox { waiting: new > 0, messages: (new, 0) });
}

/// How often it was told anything.
fn times_told(phone: &Phone) -> usize {
    phone.events().all().iter().filter(|event| matches!(event, Event::Mailbox(_))).count()
}

#[test]
fn a_message_that_somebody_leaves_lights_the_lamp_where_he_sits() {
    let company = company(Version::Current);
    let (desk, colleague) = (company.pbx.phone("desk1").unwrap(), company.pbx.phone("colleague").unwrap());
    company.log_in(&desk, "101").unwrap();
    colleague.dial("101").unwrap();
    desk.wait_ringing().unwrap();
    desk.reject(486).unwrap();
    colleague.wait_answered().unwrap();
    colleague.press("#");
    thread::sleep(Duration::from_secs(2));
    colleague.tone(true);
    thread::sleep(Duration::from_millis(1500));
    colleague.hang_up().unwrap();
    shows(&desk, 1);
}

/// Debian's Asterisk 16 has no voicemail: a box there counts nothing, and the lamp is dark.
fn a_phone_is_told_again_when_it_registers_and_not_twice_the_same_else(version: Version) {
    let company = company(version);
    let desk = company.pbx.phone("desk1").unwrap();
    company.log_in(&desk, "101").unwrap();
    shows(&desk, 0);
    thread::sleep(Duration::from_millis(300));
    let before = times_told(&desk);
    for module in ["app_dial.so", "app_echo.so"] {
        company.pbx.cli(&format!("module reload {module}")).unwrap();
        thread::sleep(Duration::from_millis(300));
    }
    assert_eq!(times_told(&desk), before, "nothing has changed");
    let again = company.pbx.phone("desk1").unwrap();
    shows(&again, 0);
    // A phone that was switched off and on is told too, though Asterisk tells nobody of a registration that is renewed.
    thread::sleep(Duration::from_secs(23));
    let told = times_told(&again);
    again.register().unwrap();
    let deadline = Instant::now() + Duration::from_secs(40);
    while times_told(&again) == told {
        assert!(Instant::now() < deadline, "{:?}", again.events().all());
        thread::sleep(Duration::from_millis(100));
    }
    thread::sleep(Duration::from_secs(23));
    assert_eq!(times_told(&again), told + 1, "nothing has changed");
}
