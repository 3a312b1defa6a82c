//! The short list of a device without a session.

use super::{Switch, on_both};
use crate::harness::debian::Version;

on_both! {
    a_device_without_a_session_calls_the_numbers_of_its_short_list
}

fn a_device_without_a_session_calls_the_numbers_of_its_short_list(version: Version) {
    let mut switch = Switch::start(version);
    switch.log_in_two_users();
    let [desk, bob, colleague] = ["desk3", "desk2", "colleague"].map(|name| switch.pbx.phone(name).unwrap());
    let refused = |number: &str| {
        desk.dial(number).unwrap();
        assert_eq!(desk.wait_ended().unwrap().code, 403, "{number}");
    };
    // Without a class the device calls users only.
    switch.row("device/desk3", "|0|0205550103|112|PJSIP/desk3|102&0031|");
    desk.dial("102").unwrap();
    let caller = bob.wait_ringing().unwrap();
    assert_eq!((caller.from.number.as_str(), caller.from.name.as_str()), ("0205550103", "desk3"));
    desk.hang_up().unwrap();
    bob.wait_ended().unwrap();
    desk.dial("0031").unwrap();
    assert_eq!(desk.wait_ended().unwrap().code, 404, "no user, and the device may not call outside");
    for number in ["101", "10", "1020", "200", "102*"] {
        refused(number);
    }
    switch.row("device/desk3", "|0|0205550103|112|PJSIP/desk3|200|first-aid");
    refused("102");
    desk.dial("200").unwrap();
    assert_eq!(colleague.wait_ringing().unwrap().from.number, "0205550103");
    desk.hang_up().unwrap();
    colleague.wait_ended().unwrap();
    // A user who is logged in there has their own class, and not the short list.
    switch.row("device/desk3", "102|3|0205550103|112|PJSIP/desk3|200|first-aid");
    desk.dial("200").unwrap();
    assert_eq!(desk.wait_ended().unwrap().code, 404);
}
