//! Where the calls of a user go who is nowhere.

use super::{Switch, on_both};
use crate::support::debian::Version;

on_both! {
    the_calls_of_who_is_nowhere_go_where_he_wants_them_as_far_as_he_may_call
}

fn the_calls_of_who_is_nowhere_go_where_he_wants_them_as_far_as_he_may_call(version: Version) {
    let mut switch = Switch::start(version);
    switch.seat();
    let [desk, bob, trunk] = ["desk1", "desk2", "trunk"].map(|name| switch.pbx.phone(name).unwrap());
    let away = |switch: &mut Switch, user: &str, class: &str, mailbox: &str, away: &str| {
        switch.row(&format!("user/{user}"), &format!("|0|{user}||0||{class}|{mailbox}|{away}"));
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
    away(&mut switch, "103", "", "103", "");
    answered_by_the_mailbox();
    away(&mut switch, "103", "", "", "");
    assert_eq!(code(), 480);
    away(&mut switch, "103", "", "103", "busy");
    assert_eq!(code(), 486);
    // By his class, whoever calls; the caller is shown as ever.
    away(&mut switch, "103", "from-internal", "103", "0031");
    bob.dial("103").unwrap();
    assert_eq!(trunk.wait_ringing().unwrap().from.number, "anonymous");
    bob.hang_up().unwrap();
    trunk.wait_ended().unwrap();
    away(&mut switch, "103", "", "103", "0031");
    answered_by_the_mailbox();
    // Who sits at a phone is called there.
    away(&mut switch, "103", "", "", "102");
    desk.dial("103").unwrap();
    assert_eq!(bob.wait_ringing().unwrap().from.number, "101");
    desk.hang_up().unwrap();
    bob.wait_ended().unwrap();
    // Not round and round.
    away(&mut switch, "103", "", "", "104");
    away(&mut switch, "104", "", "", "103");
    assert_eq!(code(), 480);
}
