//! The voicemail lamp of a phone shows the box of who sits there.

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use super::{company, on_both};
use crate::support::company::Company;
use crate::support::debian::Version;
use crate::support::phone::{Event, Mailbox, Phone};

on_both! {
    a_phone_is_told_again_when_it_registers_and_not_twice_the_same_else
}

/// Puts so many new messages into a box, in place of those that were there, and has Asterisk see them.
fn fill(company: &Company, user: &str, messages: usize) {
    let inbox = company.pbx.path(&format!("spool/voicemail/default/{user}/INBOX"));
    let _ = fs::remove_dir_all(&inbox);
    fs::create_dir_all(&inbox).unwrap();
    for n in 0..messages {
        fs::write(inbox.join(format!("msg{n:04}.txt")), "[message]\norigmailbox=101\n").unwrap();
        fs::write(inbox.join(format!("msg{n:04}.wav")), "").unwrap();
    }
    let refreshed = company.pbx.ami().unwrap().act("VoicemailRefresh", &[("Mailbox", user)]).unwrap();
    assert_eq!(refreshed.get("Response"), "Success", "{refreshed:?}");
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
fn the_lamp_follows_from_desk_to_desk_through_restarts_and_is_dark_where_nobody_sits() {
    let mut company = company(Version::Current);
    let (desk1, desk2) = (company.pbx.phone("desk1").unwrap(), company.pbx.phone("desk2").unwrap());
    let colleague = company.pbx.phone("colleague").unwrap();
    // What a phone is told before anybody is there.
    shows(&desk1, 0);
    shows(&desk2, 0);
    fill(&company, "101", 2);
    company.log_in(&desk1, "101").unwrap();
    shows(&desk1, 2);
    company.log_in(&desk2, "101").unwrap();
    shows(&desk1, 0);
    shows(&desk2, 2);

    // Somebody leaves him a message.
    colleague.dial("101").unwrap();
    desk2.wait_ringing().unwrap();
    desk2.reject(486).unwrap();
    colleague.wait_answered().unwrap();
    colleague.press("#");
    thread::sleep(Duration::from_secs(2));
    colleague.tone(true);
    thread::sleep(Duration::from_millis(1500));
    colleague.hang_up().unwrap();
    shows(&desk2, 3);
    fill(&company, "101", 0);
    shows(&desk2, 0);
    fill(&company, "101", 1);
    shows(&desk2, 1);

    company.pbx.restart().unwrap();
    shows(&desk2, 1);
    company.hotdesk.kill().unwrap();
    fill(&company, "101", 4);
    company.hotdesk.start().unwrap();
    shows(&desk2, 4);
    company.dial_code(&desk2, "*35", &[]).unwrap();
    shows(&desk2, 0);
    // The other user's box is another one.
    company.log_in(&desk2, "102").unwrap();
    company.log_in(&desk1, "101").unwrap();
    shows(&desk1, 4);
    assert!(times_told(&desk2) < 20, "{}", times_told(&desk2));
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
