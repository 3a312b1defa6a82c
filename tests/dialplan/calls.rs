use std::time::Duration;

use super::{Switch, on_both};
use crate::harness::debian::Version;

on_both! {
    a_call_from_a_device_without_a_session_is_refused_with_a_prompt
    calls_have_the_caller_id_and_class_of_their_user
    a_call_that_no_phone_takes_ends_as_it_should
    an_unknown_number_goes_to_the_fallback_context_once_and_no_call_loops
}

const LONG: Duration = Duration::from_secs(20);

fn a_call_from_a_device_without_a_session_is_refused_with_a_prompt(version: Version) {
    let mut switch = Switch::start(version);
    let desk = switch.pbx.phone("desk1").unwrap();
    // no row, a row without a user, and the row of an unknown user
    for row in [None, Some("|0|0205550101"), Some("177|1|")] {
        if let Some(row) = row {
            switch.row("device/desk1", row);
        }
        desk.dial("102").unwrap();
        let ended = desk.wait_ended_within(LONG).unwrap();
        assert_eq!((ended.code, ended.cause), (403, Some(21)), "{row:?}");
        assert!(ended.heard > Duration::from_secs(1), "{row:?}: {ended:?}");
    }
}

fn calls_have_the_caller_id_and_class_of_their_user(version: Version) {
    let mut switch = Switch::start(version);
    switch.log_in_two_users();
    let (alice, bob) = (switch.pbx.phone("desk1").unwrap(), switch.pbx.phone("desk2").unwrap());
    let trunk = switch.pbx.phone("trunk").unwrap();

    alice.dial("102").unwrap();
    let caller = bob.wait_ringing().unwrap();
    assert!(caller.from.name.contains("O'Neill, B.V."), "{caller:?}");
    assert_eq!((caller.from.number.as_str(), caller.asserted.as_ref()), ("101", Some(&caller.from)));
    alice.hang_up().unwrap();
    bob.wait_ended().unwrap();

    bob.dial("101").unwrap();
    let caller = alice.wait_ringing().unwrap();
    assert!(caller.from.number.eq_ignore_ascii_case("anonymous"), "{caller:?}");
    bob.hang_up().unwrap();
    alice.wait_ended().unwrap();

    alice.dial("0031").unwrap();
    assert_eq!(trunk.wait_ringing().unwrap().from.number, "101");
    alice.hang_up().unwrap();
    trunk.wait_ended().unwrap();
    bob.dial("0031").unwrap();
    let ended = bob.wait_ended_within(LONG).unwrap();
    assert_eq!((ended.code, ended.cause), (404, Some(1)), "without a class, inside only: {ended:?}");
    assert!(ended.heard > Duration::from_secs(1), "{ended:?}");

    trunk.dial("101").unwrap();
    assert_eq!(alice.wait_ringing().unwrap().from.number, "0612345678");
    trunk.hang_up().unwrap();
}

fn a_call_that_no_phone_takes_ends_as_it_should(version: Version) {
    let mut switch = Switch::start(version);
    switch.log_in_two_users();
    let (alice, bob) = (switch.pbx.phone("desk1").unwrap(), switch.pbx.phone("desk2").unwrap());
    let code = |dialled: &str| {
        alice.dial(dialled).unwrap();
        alice.wait_ended_within(LONG).unwrap().code
    };
    assert_eq!(code("102"), 480, "rings for two seconds without an answer");
    bob.wait_ended().unwrap();
    std::thread::scope(|scope| {
        let declined = scope.spawn(|| {
            bob.wait_ringing().unwrap();
            bob.reject(486).unwrap();
        });
        assert_eq!(code("102"), 486);
        declined.join().unwrap();
    });
    switch.row("user/103", "PJSIP/desk3|3|103||0|||");
    assert_eq!(code("103"), 480, "desk3 is not registered");
    switch.row("user/103", "|0|103||0|||");
    assert_eq!(code("103"), 480, "103 is logged out");

    // Debian's Asterisk 16 comes without app_voicemail: then a mailbox changes nothing.
    switch.row("user/103", "|0|103||0|||103@default");
    let voicemail = switch.pbx.cli("core show application VoiceMail").unwrap().contains("Leave");
    assert_eq!(voicemail, version == Version::Current, "which Asterisk has voicemail has changed");
    if voicemail {
        alice.dial("103").unwrap();
        alice.wait_answered().unwrap();
        alice.wait_audio().unwrap();
    } else {
        assert_eq!(code("103"), 480);
    }
}

fn an_unknown_number_goes_to_the_fallback_context_once_and_no_call_loops(version: Version) {
    let mut switch = Switch::start(version);
    switch.log_in_two_users();
    let alice = switch.pbx.phone("desk1").unwrap();
    let invalid = |dialled: &str| {
        alice.dial(dialled).unwrap();
        let ended = alice.wait_ended_within(LONG).unwrap();
        assert_eq!((ended.code, ended.cause), (404, Some(1)), "{dialled}: {ended:?}");
        assert!(ended.heard > Duration::from_secs(1), "{dialled}: {ended:?}");
    };
    alice.dial("177").unwrap();
    alice.wait_answered().unwrap();
    alice.hang_up().unwrap();
    invalid("178"); // no user, and known to the fallback only through the extensions that it includes
    invalid("55555");
    switch.row("user/101", "PJSIP/desk1|1|101||0||circle|");
    invalid("600");
}
