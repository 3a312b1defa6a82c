//! The MWI of a device shows the mailbox of its user. `feature_matrix` covers moves.

use std::thread;
use std::time::Duration;

use crate::company::{Company, dial};
use crate::harness::company::one_touch;
use crate::harness::debian::Version;
use crate::harness::phone::{Event, PATIENCE, Phone};
use crate::harness::wait;

/// Waits until the phone shows so many new messages and goes on showing them.
pub(super) fn shows(phone: &Phone, new: u32) {
    let last = || {
        phone.events().all().into_iter().rev().find_map(|event| match event {
            Event::Mailbox(mailbox) => Some(mailbox),
            _ => None,
        })
    };
    let holds = || last().is_some_and(|told| told.waiting == (new > 0) && told.messages.0 == new);
    let seen = || format!("{}: not {new} messages: {:?}", phone.name(), phone.events().all());
    wait::until(PATIENCE, holds, seen);
    // No other count follows.
    thread::sleep(Duration::from_millis(500));
    assert!(holds(), "{}", seen());
}

/// Debian's Asterisk 16 has no voicemail.
#[test]
fn the_mwi_follows_the_mailbox_on_asterisk() {
    the_mwi_follows_the_mailbox(Some(Version::Current));
}

#[test]
fn the_mwi_follows_the_mailbox_on_freeswitch() {
    the_mwi_follows_the_mailbox(None);
}

fn the_mwi_follows_the_mailbox(version: Option<Version>) {
    let Some(mut company) = Company::open(version, "") else { return };
    let (desk1, desk2) = (company.phone("desk1"), company.phone("desk2"));
    // Before the first login.
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
    // A FreeSWITCH answers both with the device's own mailbox, which is empty.
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
    // Another user has another mailbox.
    company.log_in(&desk2, "102");
    shows(&desk2, 0);
    let told = desk1.events().all().into_iter().filter(|event| matches!(event, Event::Mailbox(_))).count();
    assert!(told < 30, "{told}");
}
