use super::{Switch, on_both};
use crate::harness::ami::Ami;
use crate::harness::debian::Version;
use crate::harness::phone::Phone;

on_both! {
    our_manager_user_may_what_it_must_and_hears_no_pin
    a_lamp_follows_its_user_through_a_reload_and_a_restart
}

const CANARY: &str = "80246197";

fn ours(switch: &Switch) -> Ami {
    Ami::login(switch.pbx.ami_address(), "hotdesk", super::SECRET).unwrap()
}

fn our_manager_user_may_what_it_must_and_hears_no_pin(version: Version) {
    let mut switch = Switch::start(version);
    let mut ami = ours(&switch);
    ami.wait("that it has booted", |m| m.is("FullyBooted")).unwrap();
    switch.log_in_two_users();
    let rows = ami.list("DBGetTree", &[("Family", "hotdesk")]).unwrap();
    assert_eq!(rows.len(), 4, "{rows:?}");

    let desk = switch.pbx.phone("desk1").unwrap();
    desk.dial(&format!("*35*101*{CANARY}")).unwrap();
    desk.wait_audio().unwrap();
    desk.hang_up().unwrap();
    hint(&mut ami, "101", "PJSIP/desk2");
    let lamps = ami.list("ExtensionStateList", &[]).unwrap();
    assert!(lamps.iter().any(|m| m.get("Hint") == "PJSIP/desk2"), "{lamps:?}");
    switch.pbx.cli("module reload pbx_config.so").unwrap();
    ami.wait("a reload", |m| m.is("Reload")).unwrap();
    let refused = ami.act("Command", &[("Command", "core show version")]).unwrap();
    assert_eq!(refused.get("Response"), "Error");

    let seen = |ami: &Ami| ami.messages().iter().any(|m| m.0.iter().any(|(_, value)| value.contains(CANARY)));
    assert!(seen(&switch.ami), "an unfiltered user does hear it, or this test shows nothing");
    assert!(!seen(&ami), "{:?}", ami.messages());
    assert!(!ami.messages().iter().any(|m| m.is("Newchannel")));
    switch.pbx.stop().unwrap();
    ami.wait("the shutdown", |m| m.is("Shutdown")).unwrap();
}

/// 101 at desk1, then at desk2; the watcher subscribes once.
fn a_lamp_follows_its_user_through_a_reload_and_a_restart(version: Version) {
    let mut switch = Switch::start(version);
    let [one, two, colleague] = ["desk1", "desk2", "colleague"].map(|name| switch.pbx.phone(name).unwrap());
    colleague.watch("101").unwrap();
    colleague.wait_lamp("101", "terminated").unwrap();

    let mut ami = ours(&switch);
    switch.log_in_two_users();
    hint(&mut ami, "101", "PJSIP/desk1");
    lamp_shows_a_call_of(&one, &colleague);

    switch.row("device/desk1", "|0|");
    switch.row("device/desk2", "101|3|");
    switch.row("user/101", "PJSIP/desk2|3|101||0||from-internal|");
    hint(&mut ami, "101", "PJSIP/desk2");
    lamp_shows_a_call_of(&two, &colleague);
    switch.pbx.cli("dialplan reload").unwrap();
    lamp_shows_a_call_of(&two, &colleague);
    switch.pbx.restart().unwrap();
    lamp_shows_a_call_of(&two, &colleague);

    // a separate hint for the lamp does not prevent calls to the user
    colleague.dial("101").unwrap();
    two.wait_ringing().unwrap();
}

fn hint(ami: &mut Ami, user: &str, watches: &str) {
    let headers = [
        ("Context", "hotdesk-hints"),
        ("Extension", user),
        ("Priority", "hint"),
        ("Application", watches),
        ("Replace", "yes"),
    ];
    let answer = ami.act("DialplanExtensionAdd", &headers).unwrap();
    assert_eq!(answer.get("Response"), "Success", "{answer:?}");
}

fn lamp_shows_a_call_of(phone: &Phone, watcher: &Phone) {
    phone.dial("600").unwrap();
    phone.wait_answered().unwrap();
    watcher.wait_lamp("101", "confirmed").unwrap();
    phone.hang_up().unwrap();
    let lamp = watcher.wait_lamp("101", "terminated").unwrap();
    assert_eq!(lamp.subscription, "active", "it was never given up");
}
