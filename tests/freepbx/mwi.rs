//! The MWI of a device on FreePBX is that of its user.

use std::thread;
use std::time::Duration;

use super::FreePbx;
use crate::harness::debian::Version;
use crate::harness::phone::{Event, PATIENCE, Phone};
use crate::harness::wait;

/// Something is said to the mailbox of `user`.
fn speak(from: &Phone, user: &str) {
    from.dial(&format!("*97{user}")).unwrap();
    from.wait_answered().unwrap();
    from.tone(true);
    // The length of the message.
    thread::sleep(Duration::from_secs(2));
    from.hang_up().unwrap();
    from.tone(false);
}

/// The last NOTIFY of the mailbox.
fn last(phone: &Phone) -> Option<(bool, (u32, u32))> {
    phone.events().all().into_iter().rev().find_map(|event| match event {
        Event::Mailbox(mailbox) => Some((mailbox.waiting, mailbox.messages)),
        _ => None,
    })
}

/// Debian's Asterisk 16 comes without voicemail.
#[test]
fn the_mwi_follows_the_user_and_survives_a_registration() {
    let freepbx = FreePbx::open(Version::Current);
    let [desk1, desk2, carol] = ["2001", "2002", "2003"].map(|device| freepbx.pbx.phone(device).unwrap());
    speak(&carol, "102");
    assert_eq!(desk1.wait_mailbox(true).unwrap().messages, (1, 0), "the owner's, at the owner's device");
    freepbx.log_in(&desk1, "101");
    assert_eq!(desk1.wait_mailbox(false).unwrap().messages, (0, 0), "the guest has none");
    speak(&carol, "101");
    assert_eq!(desk1.wait_mailbox(true).unwrap().messages, (1, 0));
    freepbx.log_in(&desk2, "101");
    assert_eq!(desk2.wait_mailbox(true).unwrap().messages, (1, 0), "it follows the user");
    let owners = || last(&desk1) == Some((true, (1, 0)));
    wait::until(PATIENCE, owners, || format!("not the owner's again: {:?}", last(&desk1)));
    speak(&carol, "101");
    assert_eq!(desk2.wait_mailbox(true).unwrap().messages, (2, 0), "a further one of the user");

    // A message for the owner does not show while a guest is logged in, not even after a registration.
    freepbx.log_in(&desk1, "101");
    assert_eq!(desk2.wait_mailbox(false).unwrap().messages, (0, 0), "dark at the old device");
    speak(&carol, "102");
    // No other count follows, here and below.
    thread::sleep(Duration::from_secs(1));
    assert_eq!(last(&desk1), Some((true, (2, 0))), "{:?}", desk1.events().all());
    desk1.register().unwrap();
    thread::sleep(Duration::from_secs(1));
    assert_eq!(last(&desk1), Some((true, (2, 0))), "{:?}", desk1.events().all());
    freepbx.dial(&desk1, "*12", &[]);
    thread::sleep(Duration::from_millis(500));
    assert_eq!(last(&desk1), Some((true, (2, 0))), "two of the owner's");
}

/// In Extensions mode a desk has no mailbox: Hotdesk alone lights its lamp, and never that of a user's own phone.
#[test]
fn the_mwi_of_a_desk_is_that_of_its_user() {
    let freepbx = FreePbx::extensions(Version::Current);
    let [desk, own, reception] = ["201", "131", "120"].map(|device| freepbx.pbx.phone(device).unwrap());
    speak(&reception, "131");
    assert_eq!(own.wait_mailbox(true).unwrap().messages, (1, 0), "by Asterisk itself");
    freepbx.log_in(&desk, "131");
    assert_eq!(desk.wait_mailbox(true).unwrap().messages, (1, 0));
    speak(&reception, "131");
    for phone in [&desk, &own] {
        let two = || last(phone) == Some((true, (2, 0)));
        wait::until(PATIENCE, two, || format!("{}: {:?}", phone.name(), last(phone)));
    }
    freepbx.dial(&desk, "*12", &[]);
    assert_eq!(desk.wait_mailbox(false).unwrap().messages, (0, 0), "a desk has no messages");
    let mut told = own.events().all();
    told.retain(|event| matches!(event, Event::Mailbox(mailbox) if mailbox.messages == (2, 0)));
    assert_eq!(told.len(), 1, "Hotdesk sends nothing to a phone that is no desk");
}
