//! Where the calls of a logged-out user go.

use super::{Switch, on_both};
use crate::harness::debian::Version;

on_both! {
    calls_to_a_logged_out_user_go_to_their_destination_as_their_class_allows
}

fn calls_to_a_logged_out_user_go_to_their_destination_as_their_class_allows(version: Version) {
    let mut switch = Switch::start(version);
    switch.log_in_two_users();
    let [desk, bob, trunk] = ["desk1", "desk2", "trunk"].map(|name| switch.pbx.phone(name).unwrap());
    let logged_out = |switch: &mut Switch, user: &str, class: &str, mailbox: &str, logged_out: &str| {
        switch.row(&format!("user/{user}"), &format!("|0|{user}||0||{class}|{mailbox}|{logged_out}"));
    };
    let code = || {
        desk.dial("103").unwrap();
        desk.wait_ended().unwrap().code
    };
    // Debian's Asterisk 16 comes without app_voicemail.
    let voicemail = switch.pbx.cli("core show application VoiceMail").unwrap().contains("Leave");
    let answered_by_the_mailbox = || {
        if !voicemail {
            return assert_eq!(code(), 480);
        }
        desk.dial("103").unwrap();
        desk.wait_answered().unwrap();
        desk.hang_up().unwrap();
    };
    logged_out(&mut switch, "103", "", "103", "");
    answered_by_the_mailbox();
    logged_out(&mut switch, "103", "", "", "");
    assert_eq!(code(), 480);
    logged_out(&mut switch, "103", "", "103", "busy");
    assert_eq!(code(), 486);
    // By the class of the called user, for any caller. The caller ID is still the caller's.
    logged_out(&mut switch, "103", "from-internal", "103", "0031");
    bob.dial("103").unwrap();
    assert_eq!(trunk.wait_ringing().unwrap().from.number, "anonymous");
    bob.hang_up().unwrap();
    trunk.wait_ended().unwrap();
    logged_out(&mut switch, "103", "", "103", "0031");
    answered_by_the_mailbox();
    // A destination that is a logged-in user rings at the device of that user.
    logged_out(&mut switch, "103", "", "", "102");
    desk.dial("103").unwrap();
    assert_eq!(bob.wait_ringing().unwrap().from.number, "101");
    desk.hang_up().unwrap();
    bob.wait_ended().unwrap();
    // Two destinations that name each other make no loop.
    logged_out(&mut switch, "103", "", "", "104");
    logged_out(&mut switch, "104", "", "", "103");
    assert_eq!(code(), 480);
}
