//! The test's FreeSWITCH itself: phones call each other on it, and it comes back.

use crate::harness::freeswitch::{Site, User, installed};

const SITE: &str = r#"<context name="inside">
<extension name="phone"><condition field="destination_number" expression="^([a-z0-9]+)$">
<action application="bridge" data="user/$1@hotdesk.test"/>
</condition></extension>
</context>
"#;

#[test]
fn phones_call_each_other_and_registrations_and_rows_survive() {
    let Some(install) = installed() else { return };
    let user = |name: &str| User::new(name).context("inside");
    let mut switch =
        Site::new().unwrap().user(user("desk1")).user(user("desk2")).dialplan(SITE).start(&install).unwrap();
    let (alice, bob) = (switch.phone("desk1").unwrap(), switch.phone("desk2").unwrap());
    let call = || {
        alice.dial("desk2").unwrap();
        assert_eq!(bob.wait_ringing().unwrap().from.number, "desk1");
        bob.answer().unwrap();
        alice.wait_answered().unwrap();
        alice.tone(true);
        bob.wait_audio().unwrap();
        alice.press("12#");
        bob.wait_keys("12#").unwrap();
        alice.hang_up().unwrap();
        bob.wait_ended().unwrap();
        alice.tone(false);
    };
    call();
    assert_eq!(switch.api("db insert/lab/key/it's a/b").unwrap(), "+OK");
    switch.kill().unwrap();
    switch.start().unwrap();
    call();
    switch.restart().unwrap();
    call();
    assert_eq!(switch.api("db select/lab/key").unwrap(), "it's a/b");
    switch.stop().unwrap();
}
