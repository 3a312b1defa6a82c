use super::super::{Switch, contact};
use super::reached;

#[test]
fn a_caller_sees_the_called_user_and_not_the_device() {
    let Some(mut switch) = Switch::start() else { return };
    let (alice, bob, colleague) = (switch.phone("desk1"), switch.phone("desk2"), switch.phone("colleague"));
    let trunk = switch.phone("trunk");
    switch.log_in("101", "desk1", "default", ["", "", "", "", "", "sales"]);
    switch.log_in("102", "desk2", "default", ["", "", "", "", "", ""]);
    let shown = |number: &str, called: &crate::harness::phone::Phone| {
        colleague.dial(number).unwrap();
        called.wait_ringing().unwrap();
        called.answer().unwrap();
        colleague.wait_answered().unwrap();
        let who = reached(&colleague);
        colleague.hang_up().unwrap();
        called.wait_ended().unwrap();
        (who.name, who.number)
    };
    assert_eq!(shown("101", &alice), ("Name of 101, B.V.".into(), "101".into()));
    assert_eq!(shown("102", &bob), ("Name of 102, B.V.".into(), "102".into()));
    switch.row("user", "102", &format!("{}|1|+31201234567|Bob|1||default|||", contact("desk2")));
    assert_eq!(shown("102", &bob), ("102".into(), "102".into()), "an anonymous user shows no name");

    // The caller transfers the called user, who is shown with the user's own identity.
    alice.dial("102").unwrap();
    bob.wait_ringing().unwrap();
    bob.answer().unwrap();
    alice.wait_answered().unwrap();
    super::talk(&alice, &bob);
    alice.transfer("0031").unwrap();
    let from = trunk.wait_ringing().unwrap().from;
    assert_eq!((from.name.as_str(), from.number.as_str()), ("102", "102"));
    trunk.answer().unwrap();
    super::talk(&bob, &trunk);
}

#[test]
fn only_an_anonymous_caller_asks_the_trunk_for_privacy() {
    let Some(mut switch) = Switch::start() else { return };
    let (alice, bob, trunk) = (switch.phone("desk1"), switch.phone("desk2"), switch.phone("trunk"));
    switch.log_in("101", "desk1", "default", ["", "", "", "", "", ""]);
    switch.log_in("102", "desk2", "default", ["", "", "", "", "", ""]);
    switch.row("user", "102", &format!("{}|1|+31201234567|Bob|1||default|||", contact("desk2")));
    for (phone, shows, privacy) in [(&alice, "101", "none"), (&bob, "anonymous", "id")] {
        phone.dial("0031").unwrap();
        let caller = trunk.wait_ringing().unwrap();
        let invite = trunk.last_invite().unwrap();
        assert_eq!(caller.from.number, shows);
        assert_eq!(invite.header("Privacy"), privacy, "{invite}");
        phone.hang_up().unwrap();
        trunk.wait_ended().unwrap();
    }
}

/// Both legs of a call in the CDRs: the caller and the called user. A forwarded call is on the account of the user who forwards.
#[test]
fn call_records_name_users_and_not_devices() {
    let Some(mut switch) = Switch::start() else { return };
    let (alice, bob, trunk) = (switch.phone("desk1"), switch.phone("desk2"), switch.phone("trunk"));
    switch.log_in("101", "desk1", "default", ["", "", "", "", "", ""]);
    switch.log_in("102", "desk2", "default", ["", "0031", "", "", "project-x", ""]);
    let mut esl = switch.fs.esl().unwrap();
    esl.command("event plain CHANNEL_HANGUP_COMPLETE").unwrap();
    let mut accounts = |direction: &str| {
        let ended = esl.wait(|event| event["Call-Direction"] == direction).unwrap();
        ended.get("variable_accountcode").cloned().unwrap_or_default()
    };
    alice.dial("102").unwrap();
    bob.wait_ringing().unwrap();
    bob.answer().unwrap();
    alice.wait_answered().unwrap();
    alice.hang_up().unwrap();
    bob.wait_ended().unwrap();
    let mut both = [accounts("inbound"), String::new()];
    alice.dial("102").unwrap();
    bob.wait_ringing().unwrap();
    bob.reject(486).unwrap();
    both[1] = accounts("outbound");
    assert_eq!(both, ["101", "project-x"]);
    trunk.wait_ringing().unwrap();
    alice.hang_up().unwrap();
    trunk.wait_ended().unwrap();
    assert_eq!(accounts("inbound"), "project-x", "102 forwarded it");
    assert!(switch.fs.cdrs().contains("\"project-x\""), "{}", switch.fs.cdrs());
}

#[test]
fn prompts_have_the_language_of_the_user() {
    let Some(mut switch) = Switch::start() else { return };
    let alice = switch.phone("desk1");
    switch.log_in("101", "desk1", "default", ["", "", "", "", "", ""]);
    switch.row("user", "103", "|0|103||0|||103|");
    switch.esl.command("event plain CHANNEL_EXECUTE").unwrap();
    for (language, spoken) in [("de", "de"), ("fr", "en"), ("", "en")] {
        switch.row("user", "101", &format!("{}|1|101|Alice|0|{language}|default|||", contact("desk1")));
        alice.dial("103").unwrap();
        alice.wait_answered().unwrap();
        alice.wait_audio().unwrap();
        let greeted = switch.esl.wait(|event| event["Application"] == "voicemail").unwrap();
        let uuid = &greeted["Unique-ID"];
        let set = switch.esl.api(&format!("uuid_getvar {uuid} default_language")).unwrap();
        assert_eq!(if set == "_undef_" { "en" } else { &set }, spoken, "{language}");
        alice.hang_up().unwrap();
        let tone = if spoken == "de" { "850" } else { "425" };
        let said = format!("Handle play-file:[tone_stream://%(1000,0,{tone})] ({spoken}:en)");
        assert!(switch.fs.debug_log().contains(&said), "{language}: {said}");
    }
}
