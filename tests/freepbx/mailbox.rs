//! The message waiting lamp of a phone on a FreePBX is that of who sits there.

use std::thread;
use std::time::Duration;

use super::FreePbx;
use crate::support::debian::Version;
use crate::support::phone::{Event, Phone};

/// Something is said to the mailbox of `user`.
fn speak(from: &Phone, user: &str) {
    from.dial(&format!("*97{user}")).unwrap();
    from.wait_answered().unwrap();
    from.tone(true);
    thread::sleep(Duration::from_secs(2));
    from.hang_up().unwrap();
    from.tone(false);
}

/// What the lamp was told last.
fn last(phone: &Phone) -> Option<(bool, (u32, u32))> {
    phone.events().all().into_iter().rev().find_map(|event| match event {
        Event::Mailbox(mailbox) => Some((mailbox.waiting, mailbox.messages)),
        _ => None,
    })
}

/// Debian's Asterisk 16 comes without voicemail.
#[test]
fn the_message_lamp_goes_with_the_user_and_stays_his_over_a_registration() {
    let freepbx = FreePbx::open(Version::Current);
    let [desk1, desk2, carol] = ["2001", "2002", "2003"].map(|device| freepbx.pbx.phone(device).unwrap());
    speak(&carol, "102");
    assert_eq!(desk1.wait_mailbox(true).unwrap().messages, (1, 0), "the owner's, at his phone");
    freepbx.log_in(&desk1, "101");
    assert_eq!(desk1.wait_mailbox(false).unwrap().messages, (0, 0), "the guest has none");
    speak(&carol, "101");
    assert_eq!(desk1.wait_mailbox(true).unwrap().messages, (1, 0));
    freepbx.log_in(&desk2, "101");
    assert_eq!(desk2.wait_mailbox(true).unwrap().messages, (1, 0), "it goes with him");
    thread::sleep(Duration::from_millis(300));
    assert_eq!(last(&desk1), Some((true, (1, 0))), "the owner's again");
    speak(&carol, "101");
    assert_eq!(desk2.wait_mailbox(true).unwrap().messages, (2, 0), "more of his come");

    // Another message for the owner of a phone where a guest sits is none of the guest's; nor is it when the phone registers.
    freepbx.log_in(&desk1, "101");
    assert_eq!(desk2.wait_mailbox(false).unwrap().messages, (0, 0), "dark where he was");
    speak(&carol, "102");
    thread::sleep(Duration::from_secs(1));
    assert_eq!(last(&desk1), Some((true, (2, 0))), "{:?}", desk1.events().all());
    desk1.register().unwrap();
    thread::sleep(Duration::from_secs(1));
    assert_eq!(last(&desk1), Some((true, (2, 0))), "{:?}", desk1.events().all());
    freepbx.dial(&desk1, "*12", &[]);
    thread::sleep(Duration::from_millis(500));
    assert_eq!(last(&desk1), Some((true, (2, 0))), "two of the owner's");
}
