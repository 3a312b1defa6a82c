use std::time::Duration;

use super::super::{Switch, contact};

const LONG: Duration = Duration::from_secs(20);

#[test]
fn a_busy_or_unanswered_call_is_forwarded() {
    let Some(mut switch) = Switch::start() else { return };
    let (alice, bob, trunk) = (switch.phone("desk1"), switch.phone("desk2"), switch.phone("trunk"));
    let colleague = switch.phone("colleague");
    switch.log_in("101", "desk1", "default", ["", "0031", "102", "", "", ""]);
    switch.log_in("102", "desk2", "", ["", "", "", "", "", ""]);

    for refuses in [486, 603] {
        colleague.dial("101").unwrap();
        alice.wait_ringing().unwrap();
        alice.reject(refuses).unwrap();
        assert_eq!(trunk.wait_ringing().unwrap().from.number, "199", "busy, by {refuses}");
        colleague.hang_up().unwrap();
        trunk.wait_ended().unwrap();
    }
    colleague.dial("101").unwrap();
    alice.wait_ringing().unwrap();
    bob.wait_ringing().unwrap();
    alice.wait_ended().unwrap();
    colleague.hang_up().unwrap();
    bob.wait_ended().unwrap();
    // The device is not registered.
    alice.unregister().unwrap();
    colleague.dial("101").unwrap();
    bob.wait_ringing().unwrap();
    colleague.hang_up().unwrap();
    bob.wait_ended().unwrap();

    // A user without outside calls cannot forward there either, and no call loops.
    let carol = switch.phone("desk3");
    switch.log_in("103", "desk3", "", ["", "", "102", "", "", ""]);
    switch.profile("102", ["", "0031", "103", "", "", ""]);
    colleague.dial("102").unwrap();
    bob.wait_ringing().unwrap();
    bob.reject(486).unwrap();
    assert_eq!(colleague.wait_ended_within(LONG).unwrap().code, 404);
    colleague.dial("102").unwrap();
    for rings in [&bob, &carol, &bob, &carol] {
        rings.wait_ringing().unwrap();
        rings.wait_ended().unwrap();
    }
    assert_eq!(colleague.wait_ended().unwrap().code, 480);
    assert!(!bob.in_call());
}

/// As the table makes it: a user's row without anything to ring, and what a directory's `dial-string` reads.
#[test]
fn dnd_rings_no_device_and_forwards_calls() {
    let Some(mut switch) = Switch::start() else { return };
    let (alice, trunk, colleague) = (switch.phone("desk1"), switch.phone("trunk"), switch.phone("colleague"));
    switch.log_in("101", "desk1", "default", ["", "", "0031", "", "", ""]);
    switch.row("user", "101", "|0|101||0||default||busy|");
    switch.row("lamp", "101", "error/user_busy");
    for (number, hears) in [("101", 486), ("700", 486)] {
        colleague.dial(number).unwrap();
        assert_eq!(colleague.wait_ended().unwrap().code, hears, "{number}, do not disturb");
    }
    // Each call, at once; a group of the site's does not follow.
    switch.row("user", "101", "|0|101||0||default||0031|");
    switch.esl.api("db delete/hotdesk-lamp-default/101").unwrap();
    colleague.dial("101").unwrap();
    trunk.wait_ringing().unwrap();
    colleague.hang_up().unwrap();
    trunk.wait_ended().unwrap();
    colleague.dial("700").unwrap();
    assert_eq!(colleague.wait_ended().unwrap().code, 480);
    assert!(!alice.in_call());
}

#[test]
fn sequential_ring_targets_ring_one_after_the_other() {
    let Some(mut switch) = Switch::start() else { return };
    let phones = ["desk1", "desk2", "desk3"].map(|name| switch.phone(name));
    let [first, second, third] = &phones;
    let colleague = switch.phone("colleague");
    let then = [contact("desk2"), contact("desk3")].join("&");
    switch.log_in("101", "desk1", "default", [&then, "", "", "", "", ""]);
    colleague.dial("101").unwrap();
    first.wait_ringing().unwrap();
    assert!(!second.in_call() && !third.in_call());
    second.wait_ringing().unwrap();
    first.wait_ended().unwrap();
    second.reject(486).unwrap();
    third.wait_ringing().unwrap();
    third.answer().unwrap();
    colleague.wait_answered().unwrap();
    assert_eq!(super::reached(&colleague).number, "101");
    colleague.hang_up().unwrap();
    third.wait_ended().unwrap();
    // A device that did not answer counts for more than a busy one.
    switch.profile("101", [&then, "103", "102", "", "", ""]);
    switch.row("user", "102", "|0|102||0||||busy|");
    second.unregister().unwrap();
    colleague.dial("101").unwrap();
    third.wait_ringing().unwrap();
    third.reject(486).unwrap();
    assert_eq!(colleague.wait_ended_within(LONG).unwrap().code, 486, "102 is busy, and 103 is unknown");
}
