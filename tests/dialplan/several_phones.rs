//! Several phones of one endpoint, and what they register.

use std::time::Duration;

use hotdesk::model::id::Number;

use super::{Switch, on_both, snapshot};
use crate::harness::debian::Version;
use crate::harness::phone::Event;

on_both! {
    a_user_with_a_busy_and_a_ringing_phone_does_not_answer
    a_contact_dials_no_other_number
}

const LONG: Duration = Duration::from_secs(20);

fn a_user_with_a_busy_and_a_ringing_phone_does_not_answer(version: Version) {
    let mut switch = Switch::start(version);
    switch.pbx.share("desk1", "").unwrap();
    let [one, other, bob, trunk, colleague] =
        ["desk1", "desk1", "desk2", "trunk", "colleague"].map(|name| switch.pbx.phone(name).unwrap());
    switch.hold(&snapshot(|extension, user| {
        if extension == "101" {
            user.profile.forward.busy = Number::new("0031").ok();
            user.profile.forward.unanswered = Number::new("102").ok();
        }
    }));
    colleague.dial("101").unwrap();
    one.wait_ringing().unwrap();
    other.wait_ringing().unwrap();
    one.reject(486).unwrap();
    bob.wait_ringing().unwrap();
    assert_eq!(other.wait_ended().unwrap().code, 487);
    bob.reject(486).unwrap();
    colleague.wait_ended_within(LONG).unwrap();
    assert!(!trunk.events().all().iter().any(|event| matches!(event, Event::Ringing(_))));
}

/// A phone may register any address: here one that `Dial` would read as two targets.
fn a_contact_dials_no_other_number(version: Version) {
    let mut switch = Switch::start(version);
    switch.pbx.share("desk1", "contact=sip:x&Local/0031@from-internal\n").unwrap();
    let [trunk, colleague] = ["trunk", "colleague"].map(|name| switch.pbx.phone(name).unwrap());
    switch.hold(&snapshot(|_, _| {}));
    let shown = switch.pbx.cli("pjsip show contacts").unwrap();
    assert!(shown.contains("x&Local/0031@from-internal"), "{shown}");
    colleague.dial("101").unwrap();
    colleague.wait_ended_within(LONG).unwrap();
    assert!(switch.pbx.log().contains("HD_CONTACTS=PJSIP/desk1/sip:x&Local/0031@from-internal"));
    assert!(!trunk.events().all().iter().any(|event| matches!(event, Event::Ringing(_))));
}
