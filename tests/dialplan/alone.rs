//! A phone with nobody at it, and its short list.

use super::{Switch, on_both};
use crate::support::debian::Version;

on_both! {
    what_stands_on_its_short_list_can_be_called_from_an_empty_desk
}

fn what_stands_on_its_short_list_can_be_called_from_an_empty_desk(version: Version) {
    let mut switch = Switch::start(version);
    switch.seat();
    let [desk, bob, colleague] = ["desk3", "desk2", "colleague"].map(|name| switch.pbx.phone(name).unwrap());
    let refused = |number: &str| {
        desk.dial(number).unwrap();
        assert_eq!(desk.wait_ended().unwrap().code, 403, "{number}");
    };
    // Without a class it calls users alone.
    switch.row("device/desk3", "|0|0205550103|112|PJSIP/desk3|102&0031|");
    desk.dial("102").unwrap();
    let caller = bob.wait_ringing().unwrap();
    assert_eq!((caller.from.number.as_str(), caller.from.name.as_str()), ("0205550103", "desk3"));
    desk.hang_up().unwrap();
    bob.wait_ended().unwrap();
    desk.dial("0031").unwrap();
    assert_eq!(desk.wait_ended().unwrap().code, 404, "nobody's, and it may not call outside");
    for number in ["101", "10", "1020", "200", "102*"] {
        refused(number);
    }
    switch.row("device/desk3", "|0|0205550103|112|PJSIP/desk3|200|first-aid");
    refused("102");
    desk.dial("200").unwrap();
    assert_eq!(colleague.wait_ringing().unwrap().from.number, "0205550103");
    desk.hang_up().unwrap();
    colleague.wait_ended().unwrap();
    // Whoever sits there calls as he may, and nothing else.
    switch.row("device/desk3", "102|3|0205550103|112|PJSIP/desk3|200|first-aid");
    desk.dial("200").unwrap();
    assert_eq!(desk.wait_ended().unwrap().code, 404);
}
