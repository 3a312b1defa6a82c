//! The voicemail lamp of a phone shows what is in the box of who sits there. How it follows him is in the grid.

use std::thread;
use std::time::{Duration, Instant};

use crate::company::{Company, dial};
use crate::support::company::one_touch;
use crate::support::debian::Version;
use crate::support::phone::{Event, PATIENCE, Phone};

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

/// Debian's Asterisk 16 has no voicemail.
#[test]
fn the_lamp_follows_the_box_on_an_asterisk() {
    the_lamp_follows_the_box(Some(Version::Current));
}

#[test]
fn the_lamp_follows_the_box_on_a_freeswitch() {
    the_lamp_follows_the_box(None);
}

fn the_lamp_follows_the_box(version: Option<Version>) {
    let Some(mut company) = Company::open(version, "") else { return };
    let (desk1, desk2) = (company.phone("desk1"), company.phone("desk2"));
    // What a phone is told before anybody is there.
    shows(&desk1, 0);
    company.log_in(&desk1, "101");
    for new in [2, 3, 0, 1] {
        company.messages("101", new);
        shows(&desk1, new);
    }
    company.hotdesk().kill().unwrap();
    company.messages("101", 4);
    company.hotdesk().start().unwrap();
    shows(&desk1, 4);
    // A FreeSWITCH answers both with the phone's own box, which is empty.
    desk1.register().unwrap();
    shows(&desk1, 4);
    if version.is_none() {
        desk1.watch_mailbox("desk1").unwrap();
        shows(&desk1, 4);
    }
    dial(&desk1, &one_touch("101"), &[]);
    desk1.register().unwrap();
    shows(&desk1, 0);
    company.log_in(&desk2, "101");
    shows(&desk2, 4);
    // The other user's box is another one.
    company.log_in(&desk2, "102");
    shows(&desk2, 0);
    let told = desk1.events().all().into_iter().filter(|event| matches!(event, Event::Mailbox(_))).count();
    assert!(told < 30, "{told}");
}
