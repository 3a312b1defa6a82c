use std::time::Duration;

use super::start;
use crate::harness::asterisk::Asterisk;
use crate::harness::debian::Version;
use crate::harness::phone::{Account, Phone};

#[test]
fn two_phones_talk_to_each_other() {
    two_phones_talk(&start(Version::Current));
}

#[test]
fn two_phones_talk_to_each_other_on_asterisk_16() {
    let pbx = start(Version::V16);
    assert!(pbx.banner().starts_with("Asterisk 16."), "{}", pbx.banner());
    two_phones_talk(&pbx);
}

fn two_phones_talk(pbx: &Asterisk) {
    let (alice, bob) = (pbx.phone("desk1").unwrap(), pbx.phone("desk2").unwrap());
    alice.dial("102").unwrap();
    let caller = bob.wait_ringing().unwrap();
    assert_eq!((caller.from.name.as_str(), caller.from.number.as_str()), ("Alice", "101"));
    assert_eq!(caller.asserted, Some(caller.from));
    bob.answer().unwrap();
    alice.wait_answered().unwrap();

    bob.tone(true);
    alice.wait_audio().unwrap();
    bob.tone(false);
    let lasted = alice.wait_silence().unwrap();
    assert!(lasted < Duration::from_secs(2), "the tone was short, but was heard for {lasted:?}");
    assert!(!alice.recording().is_empty());
    assert!(!bob.recording().is_empty(), "silence is sent, too");

    alice.press("0042#");
    bob.wait_keys("0042#").unwrap();

    let ended = alice.hang_up().unwrap();
    assert_eq!(ended.code, 200);
    assert!(ended.heard > Duration::ZERO);
    assert_eq!(bob.wait_ended().unwrap().code, 200);
    assert!(!alice.in_call() && !bob.in_call());
}

#[test]
fn keys_reach_the_switch_and_come_from_it() {
    let pbx = start(Version::Current);
    let (phone, ami) = (pbx.phone("desk1").unwrap(), pbx.ami().unwrap());
    phone.dial("603").unwrap();
    phone.wait_answered().unwrap();
    phone.press("*1122*0#");
    let read = ami.wait("the keys", |m| m.is("UserEvent") && m.get("UserEvent") == "Keys").unwrap();
    assert_eq!(read.get("Keys"), "*1122*0");
    phone.wait_ended().unwrap();

    phone.dial("604").unwrap();
    phone.wait_answered().unwrap();
    phone.wait_ended().unwrap();
    assert_eq!(phone.keys_heard(), "0159*#");
}

#[test]
fn a_refused_call_has_a_prompt_and_a_cause() {
    let pbx = start(Version::Current);
    let phone = pbx.phone("desk1").unwrap();
    phone.dial("602").unwrap();
    phone.wait_audio().unwrap();
    let ended = phone.wait_ended_within(Duration::from_secs(20)).unwrap();
    assert_eq!((ended.code, ended.cause), (403, Some(21)), "{ended:?}");
    assert!(ended.heard > Duration::from_secs(1), "the prompt is early media: {ended:?}");
    let error = {
        phone.dial("999").unwrap();
        phone.wait_answered().unwrap_err().to_string()
    };
    assert!(error.contains("404"), "{error}");
}

#[test]
fn busy_declined_and_cancelled_calls_end_with_their_codes() {
    let pbx = start(Version::Current);
    let (alice, bob) = (pbx.phone("desk1").unwrap(), pbx.phone("desk2").unwrap());
    alice.dial("102").unwrap();
    bob.wait_ringing().unwrap();
    bob.reject(486).unwrap();
    assert_eq!(alice.wait_ended().unwrap().code, 486);

    alice.dial("102").unwrap();
    bob.wait_ringing().unwrap();
    assert_eq!(alice.hang_up().unwrap().code, 487);
    assert_eq!(bob.wait_ended().unwrap().code, 487);

    // Cancelled before anything came back, and answered at the moment of the cancel.
    for _ in 0..3 {
        bob.auto_answer(true);
        alice.dial("102").unwrap();
        alice.hang_up().unwrap();
        bob.auto_answer(false);
    }
    alice.dial("102").unwrap();
    assert_eq!(bob.wait_ringing().unwrap().from.number, "101");
}

#[test]
fn a_blf_follows_its_phone() {
    let pbx = start(Version::Current);
    let (phone, watcher) = (pbx.phone("desk1").unwrap(), pbx.phone("watcher").unwrap());
    watcher.watch("101").unwrap();
    watcher.wait_lamp("101", "terminated").unwrap();
    phone.dial("600").unwrap();
    phone.wait_answered().unwrap();
    watcher.wait_lamp("101", "confirmed").unwrap();
    phone.hang_up().unwrap();
    let lamp = watcher.wait_lamp("101", "terminated").unwrap();
    assert_eq!(lamp.subscription, "active");
    let refused = watcher.watch("199").unwrap_err().to_string();
    assert!(refused.contains("404"), "{refused}");
}

#[test]
fn the_phone_sees_its_mwi() {
    let pbx = start(Version::Current);
    let (phone, mut ami) = (pbx.phone("desk1").unwrap(), pbx.ami().unwrap());
    let mut notify = |state: &str, count: &str| {
        let (state, count) =
            (format!("Content=Messages-Waiting: {state}"), format!("Content=Voice-Message: {count}"));
        let headers = [
            ("Endpoint", "desk1"),
            ("Variable", "Event=message-summary"),
            ("Variable", "Content-Type=application/simple-message-summary"),
            ("Variable", state.as_str()),
            ("Variable", count.as_str()),
        ];
        let answer = ami.act("PJSIPNotify", &headers).unwrap();
        assert_eq!(answer.get("Response"), "Success", "{answer:?}");
    };
    notify("yes", "3/1 (0/0)");
    assert_eq!(phone.wait_mailbox(true).unwrap().messages, (3, 1));
    notify("no", "0/4 (0/0)");
    assert_eq!(phone.wait_mailbox(false).unwrap().messages, (0, 4));
}

#[test]
fn a_wrong_password_is_refused_and_a_false_from_changes_no_identity() {
    let pbx = start(Version::Current);
    let stranger = Account { password: "guessed".to_owned(), ..pbx.account("desk1") };
    let refused = Phone::new(stranger).unwrap().register().unwrap_err().to_string();
    assert!(refused.contains("refused to register it with 401"), "{refused}");

    let (phone, ami) = (pbx.phone("watcher").unwrap(), pbx.ami().unwrap());
    phone.dial_as("555", "605").unwrap();
    assert_eq!(phone.wait_ended().unwrap().code, 486);
    let shown = ami.wait("the call", |m| m.get("UserEvent") == "Shown").unwrap();
    assert_eq!((shown.get("Endpoint"), shown.get("Number")), ("watcher", "555"));
}
