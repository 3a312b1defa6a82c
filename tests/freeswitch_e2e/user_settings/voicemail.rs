use std::time::Duration;

use super::super::{Switch, contact};

const LONG: Duration = Duration::from_secs(20);

#[test]
fn the_voicemail_code_opens_the_mailbox_of_the_session() {
    let Some(mut switch) = Switch::start() else { return };
    let (desk, colleague) = (switch.phone("desk1"), switch.phone("colleague"));
    switch.esl.command("event plain CHANNEL_EXECUTE").unwrap();
    for (user, mailbox, opens) in [
        ("101", "101", "check default hotdesk.test 101"),
        ("103", "103@hotdesk.test", "check default hotdesk.test 103"),
    ] {
        switch.log_in(user, "desk1", "default", ["", "", "", "", "", ""]);
        switch.row("user", user, &format!("{}|1|{user}|Name|0||default|{mailbox}||", contact("desk1")));
        desk.dial("*97").unwrap();
        desk.wait_answered().unwrap();
        let opened = switch.esl.wait(|event| event["Application"] == "voicemail").unwrap();
        assert_eq!(opened["Application-Data"], opens);
        desk.wait_ended_within(LONG).unwrap();
    }
    // No session; no mailbox; no voicemail module.
    let code = |phone: &crate::harness::phone::Phone| {
        phone.dial("*97").unwrap();
        let ended = phone.wait_ended_within(LONG).unwrap();
        assert!(ended.heard > Duration::from_secs(1), "{ended:?}");
        (ended.code, ended.cause)
    };
    assert_eq!(code(&colleague), (403, Some(21)));
    switch.log_in("101", "desk1", "default", ["", "", "", "", "", ""]);
    assert_eq!(code(&desk).1, Some(41));
    switch.row("user", "101", &format!("{}|1|101|Name|0||default|101||", contact("desk1")));
    switch.esl.api("unload mod_voicemail").unwrap();
    assert_eq!(code(&desk).1, Some(41));
}
