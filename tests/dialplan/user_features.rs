//! What else is that of the user at each device: account, name on the display of the caller, voicemail, pickup group.

use std::thread;
use std::time::{Duration, Instant};

use hotdesk::asterisk::dialplan::Settings;
use hotdesk::model::directory::CallerId;
use hotdesk::model::id::{Account, GroupName, Mailbox, Number};

use super::{Switch, on_both, snapshot};
use crate::harness::debian::Version;
use crate::harness::phone::Phone;

on_both! {
    calls_are_accounted_to_users_and_not_to_devices
    the_caller_sees_the_called_user_and_not_a_device
    an_anonymous_caller_shows_the_number_to_trusted_trunks_only
    a_call_is_picked_up_by_the_pickup_group_of_the_called_user
    voicemail_is_that_of_the_logged_in_user
}

const LONG: Duration = Duration::from_secs(20);

fn connect(caller: &Phone, number: &str, called: &Phone) {
    caller.dial(number).unwrap();
    called.wait_ringing().unwrap();
    called.answer().unwrap();
    caller.wait_answered().unwrap();
}

fn hang_up(caller: &Phone, called: &Phone) {
    caller.hang_up().unwrap();
    called.wait_ended().unwrap();
}

fn calls_are_accounted_to_users_and_not_to_devices(version: Version) {
    let mut switch = Switch::start(version);
    let fields = "${CDR(accountcode)},${CDR(peeraccount)},${CDR(dst)},${CDR(channel)}";
    switch.pbx.write("cdr_custom.conf", &format!("[mappings]\nOf.csv => {fields}\n")).unwrap();
    std::fs::create_dir(switch.pbx.path("log/cdr-custom")).unwrap();
    // On Asterisk 22 the second module needs the first. Asterisk 16 has no such module.
    for module in ["res_cdrel_custom", "cdr_custom"] {
        let _ = switch.pbx.cli(&format!("module load {module}.so"));
    }
    switch.hold(&snapshot(|extension, user| {
        if extension == "101" {
            user.profile.account = Account::new("sales-nl").ok();
            user.profile.forward.unanswered = Number::new("0031").ok();
        }
    }));
    let phone = |name: &str| switch.pbx.phone(name).unwrap();
    let [alice, bob, trunk] = [phone("desk1"), phone("desk2"), phone("trunk")];
    let accounted = |begins: &str| {
        let deadline = Instant::now() + Duration::from_secs(5);
        let read = || std::fs::read_to_string(switch.pbx.path("log/cdr-custom/Of.csv")).unwrap_or_default();
        while !read().lines().any(|line| line.starts_with(begins)) {
            assert!(Instant::now() < deadline, "no CDR {begins}: {}", read());
            thread::sleep(Duration::from_millis(20));
        }
    };
    connect(&alice, "0031", &trunk);
    hang_up(&alice, &trunk);
    // The other end has the account of the user, where it has no account itself.
    accounted("sales-nl,sales-nl,0031,PJSIP/desk1-");
    connect(&bob, "101", &alice);
    hang_up(&bob, &alice);
    accounted("102,sales-nl,101,PJSIP/desk2-");
    connect(&trunk, "102", &bob);
    hang_up(&trunk, &bob);
    accounted(",102,102,PJSIP/trunk-");
    assert!(switch.pbx.cdrs().lines().any(|line| line.starts_with("\"sales-nl\",")), "{}", switch.pbx.cdrs());
    // A forwarded call is accounted to the user who forwards it.
    bob.dial("101").unwrap();
    trunk.wait_ringing().unwrap();
    trunk.answer().unwrap();
    bob.wait_answered().unwrap();
    hang_up(&bob, &trunk);
    accounted("sales-nl,sales-nl,0031,PJSIP/desk2-");
}

fn the_caller_sees_the_called_user_and_not_a_device(version: Version) {
    let mut switch = Switch::start(version);
    switch.hold(&snapshot(|_, user| user.profile.pickup = GroupName::new("sales").ok()));
    let phone = |name: &str| switch.pbx.phone(name).unwrap();
    let [alice, bob, colleague, carol] = [phone("desk1"), phone("desk2"), phone("colleague"), phone("desk3")];
    let is = |caller: &Phone, name: &str, number: &str| {
        let seen = caller.wait_connected().unwrap();
        assert_eq!((seen.name.as_str(), seen.number.as_str()), (name, number));
    };
    // While it rings, and after the answer.
    colleague.dial("101").unwrap();
    alice.wait_ringing().unwrap();
    is(&colleague, "Alice", "101");
    alice.answer().unwrap();
    colleague.wait_answered().unwrap();
    is(&colleague, "Alice", "101");
    // Transfers need audio in both directions.
    colleague.tone(true);
    alice.wait_audio().unwrap();
    // After a transfer the display shows the new user.
    alice.transfer("102").unwrap();
    bob.wait_ringing().unwrap();
    alice.hang_up().unwrap();
    bob.answer().unwrap();
    is(&colleague, "Bob", "102");
    hang_up(&colleague, &bob);
    // The same after a pickup. The user who picks up sees the caller.
    colleague.dial("101").unwrap();
    alice.wait_ringing().unwrap();
    is(&colleague, "Alice", "101");
    carol.dial("*7").unwrap();
    colleague.wait_answered().unwrap();
    is(&colleague, "Carol", "103");
    is(&carol, "Colleague", "199");
    hang_up(&colleague, &carol);
}

fn an_anonymous_caller_shows_the_number_to_trusted_trunks_only(version: Version) {
    let mut switch = Switch::start(version);
    switch.hold(&snapshot(|extension, user| {
        if extension == "101" {
            user.caller_id = CallerId::Anonymous;
        }
    }));
    let phone = |name: &str| switch.pbx.phone(name).unwrap();
    let [alice, trunk, careful] = [phone("desk1"), phone("trunk"), phone("careful")];
    alice.dial("0031").unwrap();
    let seen = trunk.wait_ringing().unwrap();
    assert_eq!(seen.from.number, "anonymous");
    // A trusted trunk gets the number, with the request not to show it.
    assert_eq!(seen.asserted.unwrap().number, "101");
    assert!(trunk.last_invite().unwrap().header("Privacy").contains("id"));
    hang_up(&alice, &trunk);
    alice.dial("0132").unwrap();
    let seen = careful.wait_ringing().unwrap();
    assert_eq!((seen.from.number.as_str(), seen.asserted), ("anonymous", None));
    assert!(!careful.last_invite().unwrap().header("Contact").contains("101"));
    hang_up(&alice, &careful);
}

fn a_call_is_picked_up_by_the_pickup_group_of_the_called_user(version: Version) {
    let mut switch = Switch::start(version);
    // The call rings longer than the prompts to others last.
    switch.reload(&Settings { ring: 60, ..switch.settings.clone() });
    switch.hold(&snapshot(|extension, user| {
        user.profile.pickup = GroupName::new(if extension == "103" { "stock" } else { "sales" }).ok();
    }));
    let phone = |name: &str| switch.pbx.phone(name).unwrap();
    let [alice, bob, carol, colleague] = [phone("desk1"), phone("desk2"), phone("desk3"), phone("colleague")];
    colleague.dial("101").unwrap();
    alice.wait_ringing().unwrap();
    // Another pickup group gets nothing, although the endpoints share a call group.
    carol.dial("*7").unwrap();
    let ended = carol.wait_ended_within(LONG).unwrap();
    assert!(ended.code == 480 && ended.heard > Duration::ZERO, "{ended:?}");
    assert!(alice.in_call());
    bob.dial("*7").unwrap();
    bob.wait_answered().unwrap();
    colleague.wait_answered().unwrap();
    alice.wait_ended().unwrap();
    hang_up(&colleague, &bob);
    // A device without a session picks up nothing.
    switch.hold(&snapshot(|_, user| user.profile.pickup = GroupName::new("sales").ok()));
    switch.row("device/desk3", "|0|0205550103|112|PJSIP/desk3|7|first-aid|");
    colleague.dial("101").unwrap();
    alice.wait_ringing().unwrap();
    carol.dial("7").unwrap();
    assert_eq!(carol.wait_ended_within(LONG).unwrap().code, 403);
    // Without pickup groups, no call is picked up.
    switch.hold(&snapshot(|_, _| ()));
    colleague.hang_up().unwrap();
    alice.wait_ended().unwrap();
    colleague.dial("101").unwrap();
    alice.wait_ringing().unwrap();
    bob.dial("*7").unwrap();
    assert_eq!(bob.wait_ended_within(LONG).unwrap().code, 480);
    hang_up(&colleague, &alice);
}

fn voicemail_is_that_of_the_logged_in_user(version: Version) {
    let mut switch = Switch::start(version);
    let boxes = snapshot(|extension, user| {
        if extension != "102" {
            user.mailbox = Mailbox::new(extension).ok();
        }
    });
    switch.hold(&boxes);
    let phone = |name: &str| switch.pbx.phone(name).unwrap();
    let [alice, bob, carol] = [phone("desk1"), phone("desk2"), phone("desk3")];
    // Debian's Asterisk 16 comes without app_voicemail; 102 has no box.
    let is_unavailable = |phone: &Phone| {
        phone.dial("*98").unwrap();
        let ended = phone.wait_ended_within(LONG).unwrap();
        assert!(ended.heard > Duration::from_millis(500), "{ended:?}");
    };
    is_unavailable(&bob);
    if version == Version::V16 {
        is_unavailable(&alice);
    } else {
        let opened = |phone: &Phone, password: Option<&str>| {
            let mark = switch.pbx.log().len();
            phone.dial("*98").unwrap();
            phone.wait_answered().unwrap();
            phone.wait_audio().unwrap();
            if let Some(password) = password {
                phone.press(password);
            }
            let deadline = Instant::now() + LONG;
            let since = || switch.pbx.log().split_off(mark);
            while !since().contains("Playing 'vm-youhave") {
                assert!(Instant::now() < deadline, "{}", since());
                thread::sleep(Duration::from_millis(50));
            }
            phone.hang_up().unwrap();
            since()
        };
        let asked = opened(&alice, Some("1111#"));
        assert!(asked.contains("VoiceMailMain(101") && asked.contains("Playing 'vm-password"), "{asked}");
        let asked = opened(&carol, Some("1111#"));
        assert!(asked.contains("VoiceMailMain(103"), "{asked}");
        switch.reload(&Settings { voicemail_password: false, ..switch.settings.clone() });
        let unasked = opened(&alice, None);
        assert!(!unasked.contains("Playing 'vm-password"), "{unasked}");
    }
    // A device without a session gets no voicemail, even without a password.
    switch.row("device/desk3", "|0|0205550103|112|PJSIP/desk3|98|first-aid|");
    carol.dial("98").unwrap();
    assert_eq!(carol.wait_ended_within(LONG).unwrap().code, 403);
}
