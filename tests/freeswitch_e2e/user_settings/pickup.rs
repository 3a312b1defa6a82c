use super::super::Switch;
use super::{reached, talk};

#[test]
fn a_pickup_gives_the_call_to_the_group_member() {
    let Some(mut switch) = Switch::start() else { return };
    let (alice, bob, carol) = (switch.phone("desk1"), switch.phone("desk2"), switch.phone("desk3"));
    let (colleague, trunk) = (switch.phone("colleague"), switch.phone("trunk"));
    switch.log_in("101", "desk1", "default", ["", "", "", "", "alices", "sales"]);
    switch.log_in("102", "desk2", "first-aid", ["", "", "", "", "bobs", "sales"]);
    switch.log_in("103", "desk3", "default", ["", "", "", "", "", "legal"]);
    carol.watch("101").unwrap();
    carol.wait_lamp("101", "terminated").unwrap();
    let mut esl = switch.fs.esl().unwrap();
    esl.command("event plain CHANNEL_HANGUP_COMPLETE").unwrap();

    colleague.dial("101").unwrap();
    alice.wait_ringing().unwrap();
    carol.wait_lamp("101", "early").unwrap();
    carol.dial("*8").unwrap();
    assert_eq!(carol.wait_ended().unwrap().code, 480, "no call of this group waits");
    bob.dial("*8").unwrap();
    bob.wait_answered().unwrap();
    colleague.wait_answered().unwrap();
    assert_eq!(reached(&colleague).number, "101", "the called user");
    alice.wait_ended().unwrap();
    carol.wait_lamp("101", "terminated").unwrap();
    talk(&colleague, &bob);
    // A transfer has the class of the user who picked up, not of the called user.
    bob.transfer("0031").unwrap();
    assert_eq!(colleague.wait_ended().unwrap().code, 200);
    assert!(!trunk.in_call());
    let ended = |event: &crate::harness::freeswitch::esl::Event| {
        event.get("variable_sip_auth_username").is_some_and(|name| name == "desk2")
    };
    assert_eq!(esl.wait(ended).unwrap()["variable_accountcode"], "bobs");
}

#[test]
fn a_pickup_group_does_not_change_busy_and_no_answer() {
    let Some(mut switch) = Switch::start() else { return };
    let (alice, bob, colleague) = (switch.phone("desk1"), switch.phone("desk2"), switch.phone("colleague"));
    switch.log_in("101", "desk1", "default", ["", "", "", "", "", "sales"]);
    switch.log_in("102", "desk2", "default", ["", "", "", "", "", "sales"]);
    let code = |alice_does: &dyn Fn()| {
        colleague.dial("101").unwrap();
        alice_does();
        colleague.wait_ended().unwrap().code
    };
    let rings = || drop(alice.wait_ringing().unwrap());
    assert_eq!(
        code(&|| {
            rings();
            alice.reject(486).unwrap();
        }),
        486
    );
    assert_eq!(code(&rings), 480, "not answered");
    alice.unregister().unwrap();
    assert_eq!(code(&|| {}), 480, "not there");
    bob.dial("*8").unwrap();
    assert_eq!(bob.wait_ended().unwrap().code, 480, "nothing is left to pick up");
}
