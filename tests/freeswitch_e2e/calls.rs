use std::time::Duration;

use hotdesk::model::id::TenantId;

use super::{Switch, contact};
use crate::harness::phone::Event;

const LONG: Duration = Duration::from_secs(20);

#[test]
fn an_emergency_call_shows_the_number_of_the_location() {
    let Some(mut switch) = Switch::start() else { return };
    let (desk, trunk) = (switch.fs.phone("desk1").unwrap(), switch.fs.phone("trunk").unwrap());
    let shown = |number: &str| {
        desk.dial(number).unwrap();
        let caller = trunk.wait_ringing().unwrap();
        trunk.answer().unwrap();
        desk.wait_answered().unwrap();
        desk.hang_up().unwrap();
        trunk.wait_ended().unwrap();
        assert_eq!(caller.asserted.map(|a| a.number), Some(caller.from.number.clone()));
        caller.from.number
    };
    assert_eq!(shown("112"), "desk1", "without a row, as the phone itself is known");
    switch.row("device", "desk1", "|0|0205550101");
    assert_eq!(shown("112"), "0205550101", "without a session");
    assert_eq!(shown("112#"), "0205550101", "with the dial key");
    switch.row("user", "101", &format!("{}|1|101|Alice|1||default||", contact("desk1")));
    switch.row("device", "desk1", "101|1|0205550101");
    assert_eq!(shown("112"), "0205550101", "not hidden, though 101 is anonymous");
    switch.esl.api("unload mod_db").unwrap();
    assert_eq!(shown("112"), "desk1", "without any table");
}

#[test]
fn a_device_without_a_session_is_refused_with_a_prompt() {
    let Some(mut switch) = Switch::start() else { return };
    let desk = switch.fs.phone("desk1").unwrap();
    // no row, a row without a user, and a row of an unknown user
    for row in [None, Some("|0|0205550101"), Some("177|1|")] {
        if let Some(row) = row {
            switch.row("device", "desk1", row);
        }
        desk.dial("102").unwrap();
        let ended = desk.wait_ended_within(LONG).unwrap();
        assert_eq!((ended.code, ended.cause), (403, Some(21)), "{row:?}");
        assert!(ended.heard > Duration::from_secs(1), "{row:?}: {ended:?}");
    }
}

#[test]
fn calls_have_the_identity_and_class_of_their_user() {
    let Some(mut switch) = Switch::start() else { return };
    switch.log_in_users();
    let (alice, bob) = (switch.fs.phone("desk1").unwrap(), switch.fs.phone("desk2").unwrap());
    let (trunk, colleague) = (switch.fs.phone("trunk").unwrap(), switch.fs.phone("colleague").unwrap());

    alice.dial("102").unwrap();
    let caller = bob.wait_ringing().unwrap();
    assert!(caller.from.name.contains("O’Neill, B.V."), "{caller:?}");
    assert_eq!((caller.from.number.as_str(), caller.asserted.map(|a| a.number)), ("101", Some("101".into())));
    alice.hang_up().unwrap();
    bob.wait_ended().unwrap();

    bob.dial("101").unwrap();
    let caller = alice.wait_ringing().unwrap();
    assert!(caller.from.number.eq_ignore_ascii_case("anonymous"), "{caller:?}");
    let invite = alice.last_invite().unwrap();
    assert!(!invite.to_string().contains("31201234567"), "{invite}");
    bob.hang_up().unwrap();
    alice.wait_ended().unwrap();

    // a spoofed From changes nothing
    alice.dial_as("desk2", "0031").unwrap();
    assert_eq!(trunk.wait_ringing().unwrap().from.number, "101");
    alice.hang_up().unwrap();
    trunk.wait_ended().unwrap();
    bob.dial("0031").unwrap();
    let ended = bob.wait_ended_within(LONG).unwrap();
    assert_eq!((ended.code, ended.cause), (404, Some(1)), "without a class, inside only: {ended:?}");
    assert!(ended.heard > Duration::from_secs(1), "{ended:?}");

    for caller in [&trunk, &colleague] {
        caller.dial("101").unwrap();
        let shown = alice.wait_ringing().unwrap().from.number;
        assert_eq!(shown, if caller.name() == "trunk" { "0612345678" } else { "199" });
        caller.hang_up().unwrap();
        alice.wait_ended().unwrap();
    }
    // a group of the site's, by the directory's dial-string
    colleague.dial("700").unwrap();
    alice.wait_ringing().unwrap();
    colleague.hang_up().unwrap();
}

#[test]
fn the_domain_of_the_device_selects_the_tenant() {
    let Some(mut switch) = Switch::start_for(TenantId::new("hotdesk.test").unwrap()) else { return };
    switch.log_in_users();
    let (alice, bob) = (switch.fs.phone("desk1").unwrap(), switch.fs.phone("desk2").unwrap());
    let colleague = switch.fs.phone("colleague").unwrap();
    for dialled in ["102", "101"] {
        let (caller, called) = if dialled == "102" { (&alice, &bob) } else { (&colleague, &alice) };
        caller.dial(dialled).unwrap();
        assert_eq!(called.wait_ringing().unwrap().from.number, if dialled == "102" { "101" } else { "199" });
        caller.hang_up().unwrap();
        called.wait_ended().unwrap();
    }
    colleague.dial("700").unwrap();
    alice.wait_ringing().unwrap();
    colleague.hang_up().unwrap();
}

#[test]
fn an_unanswered_call_ends_with_the_right_code() {
    let Some(mut switch) = Switch::start() else { return };
    switch.log_in_users();
    let (alice, bob) = (switch.fs.phone("desk1").unwrap(), switch.fs.phone("desk2").unwrap());
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
    switch.row("user", "103", &format!("{}|3|103||0||||", contact("desk3")));
    assert_eq!(code("103"), 480, "desk3 is not registered");
    switch.row("user", "103", "|0|103||0||||");
    assert_eq!(code("103"), 480, "103 is nowhere");
    switch.row("user", "103", "|0|103||0|||103|");
    alice.dial("103").unwrap();
    alice.wait_answered().unwrap();
    alice.wait_audio().unwrap();
}

#[test]
fn an_unknown_number_falls_back_and_no_call_loops() {
    let Some(mut switch) = Switch::start() else { return };
    switch.log_in_users();
    let alice = switch.fs.phone("desk1").unwrap();
    alice.dial("600").unwrap();
    alice.wait_answered().unwrap();
    alice.hang_up().unwrap();
    for dialled in ["178", "55555"] {
        alice.dial(dialled).unwrap();
        assert_eq!(alice.wait_ended_within(LONG).unwrap().code, 404, "{dialled}");
    }
    switch.row("user", "101", &format!("{}|1|101||0||circle||", contact("desk1")));
    alice.dial("600").unwrap();
    let ended = alice.wait_ended_within(LONG).unwrap();
    assert_eq!((ended.code, ended.cause), (404, Some(1)), "{ended:?}");
}

#[test]
fn dialled_dialplan_syntax_reaches_nothing() {
    let Some(mut switch) = Switch::start() else { return };
    switch.log_in_users();
    let alice = switch.fs.phone("desk1").unwrap();
    for dialled in
        ["112%20XML%20circle", "600%0A", "$%7Bhostname%7D", "101%20XML%20default", "%2A35$%7Bdomain%7D"]
    {
        alice.dial(dialled).unwrap();
        let ended = alice.wait_ended_within(LONG).unwrap();
        assert_eq!(ended.code, 404, "{dialled}: {ended:?}");
    }
}

#[test]
fn the_blf_of_a_user_follows_calls_and_no_lamp_stays_lit() {
    let Some(mut switch) = Switch::start() else { return };
    switch.log_in_users();
    let (alice, bob) = (switch.fs.phone("desk1").unwrap(), switch.fs.phone("desk2").unwrap());
    let colleague = switch.fs.phone("colleague").unwrap();
    for watched in ["101", "102", "desk1", "desk2"] {
        colleague.watch(watched).unwrap();
    }
    // The first NOTIFY comes half a second later, and during a call it would show the device as well.
    for watched in ["101", "102", "desk1", "desk2"] {
        colleague.wait_lamp(watched, "terminated").unwrap();
    }
    alice.dial("102").unwrap();
    bob.wait_ringing().unwrap();
    colleague.wait_lamp("102", "early").unwrap();
    bob.answer().unwrap();
    alice.wait_answered().unwrap();
    colleague.wait_lamp("101", "confirmed").unwrap();
    colleague.wait_lamp("102", "confirmed").unwrap();
    alice.hang_up().unwrap();
    bob.wait_ended().unwrap();
    colleague.wait_lamp("101", "terminated").unwrap();
    // No lamp follows later.
    std::thread::sleep(Duration::from_secs(1));
    let told = colleague.events().all();
    let lit = |event: &&Event| matches!(event, Event::Lamp(lamp) if lamp.extension.starts_with("desk") && lamp.state != "terminated");
    assert_eq!(told.iter().find(lit), None, "the lamp of a device was lit");
    for user in ["101", "102"] {
        let of = |event: &&Event| matches!(event, Event::Lamp(lamp) if lamp.extension == user);
        let last = told.iter().rev().find(of);
        assert!(matches!(last, Some(Event::Lamp(lamp)) if lamp.state == "terminated"), "{last:?}");
    }
}

/// As a REFER does: without a context, so that the channel's own say where it goes.
#[test]
fn a_transfer_has_the_class_of_the_transferring_user() {
    let Some(mut switch) = Switch::start() else { return };
    switch.log_in_users();
    let (alice, bob) = (switch.fs.phone("desk1").unwrap(), switch.fs.phone("desk2").unwrap());
    let trunk = switch.fs.phone("trunk").unwrap();
    switch.esl.command("event plain CHANNEL_BRIDGE").unwrap();
    for (whose, number, goes) in [("-bleg", "0031", true), ("", "0031", false), ("-bleg", "*35", false)] {
        alice.dial("102").unwrap();
        bob.wait_ringing().unwrap();
        bob.answer().unwrap();
        alice.wait_answered().unwrap();
        let uuid = switch.esl.wait_for("CHANNEL_BRIDGE").unwrap()["Bridge-A-Unique-ID"].clone();
        switch.esl.api(&format!("uuid_transfer {uuid} {whose} {number}")).unwrap();
        if goes {
            trunk.wait_ringing().unwrap(); // 101 sent 102's phone outside, as 101 may
            assert!(bob.in_call());
            trunk.reject(486).unwrap();
        }
        // 102 may not, and a transfer logs no user in
        for phone in [&alice, &bob] {
            phone.wait_ended_within(LONG).unwrap();
        }
        assert!(!trunk.in_call() && !switch.fs.debug_log().contains("XML[*35@hotdesk@code]"));
    }
}
