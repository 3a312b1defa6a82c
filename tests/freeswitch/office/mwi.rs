//! The voicemail lamp of a phone shows the box of who sits there.

use std::thread;
use std::time::{Duration, Instant};

use super::{Company, company};
use crate::support::freeswitch::DOMAIN;
use crate::support::phone::{Event, PATIENCE, Phone};

/// Leaves so many messages for a user.
fn leave(company: &Company, user: &str, messages: usize) {
    let sound = concat!(env!("CARGO_MANIFEST_DIR"), "/dialplan/sounds/en/locked.wav");
    for _ in 0..messages {
        let done = company.pbx.api(&format!("vm_inject {user}@{DOMAIN} {sound}")).unwrap();
        assert!(done.starts_with("+OK"), "{done}");
    }
}

/// Waits until it was told of so many new messages, and of nothing else after that.
fn shows(phone: &Phone, new: u32) {
    let last = || {
        phone.events().all().into_iter().rev().find_map(|event| match event {
            Event::Mailbox(mailbox) => Some(mailbox),
            _ => None,
        })
    };
    let deadline = Instant::now() + PATIENCE;
    let is_so = || last().is_some_and(|told| told.waiting == (new > 0) && told.messages.0 == new);
    while !is_so() {
        assert!(Instant::now() < deadline, "{}: {new} messages: {:?}", phone.name(), phone.events().all());
        thread::sleep(Duration::from_millis(20));
    }
    thread::sleep(Duration::from_millis(500));
    assert!(is_so(), "{}: {new} messages: {:?}", phone.name(), phone.events().all());
}

#[test]
fn the_lamp_follows_from_desk_to_desk_through_restarts_and_is_dark_where_nobody_sits() {
    let Some(mut company) = company() else { return };
    let (desk1, desk2) = (company.pbx.phone("desk1").unwrap(), company.pbx.phone("desk2").unwrap());
    shows(&desk1, 0);
    leave(&company, "101", 2);
    company.log_in(&desk1, "101").unwrap();
    shows(&desk1, 2);
    company.log_in(&desk2, "101").unwrap();
    shows(&desk1, 0);
    shows(&desk2, 2);
    leave(&company, "101", 1);
    shows(&desk2, 3);
    // sofia answers both with the phone's own box, which is empty.
    desk2.register().unwrap();
    shows(&desk2, 3);
    desk2.watch_mailbox("desk2").unwrap();
    shows(&desk2, 3);
    company.pbx.api(&format!("vm_delete 101@{DOMAIN}")).unwrap();
    shows(&desk2, 0);
    leave(&company, "101", 1);
    shows(&desk2, 1);

    let mark = company.hotdesk.log().len();
    company.pbx.restart().unwrap();
    company.hotdesk.wait_for_log(mark, "event=\"table.settled\"").unwrap();
    registered(&desk2);
    shows(&desk2, 1);
    company.hotdesk.kill().unwrap();
    leave(&company, "101", 1);
    company.hotdesk.start().unwrap();
    shows(&desk2, 2);
    company.dial_code(&desk2, "*35", &[]).unwrap();
    shows(&desk2, 0);
    desk2.register().unwrap();
    shows(&desk2, 0);
    company.log_in(&desk2, "102").unwrap();
    registered(&desk1);
    company.log_in(&desk1, "101").unwrap();
    shows(&desk1, 2);
    shows(&desk2, 0);
}

/// Registers once FreeSWITCH takes registrations again.
fn registered(phone: &Phone) {
    let deadline = Instant::now() + 2 * PATIENCE;
    while phone.register().is_err() {
        assert!(Instant::now() < deadline, "{} cannot register", phone.name());
    }
}
