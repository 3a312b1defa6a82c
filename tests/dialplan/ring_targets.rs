//! The ring targets of a user, and call forwarding.

use std::time::Duration;

use hotdesk::model::directory::profile::Profile;
use hotdesk::model::directory::{Kind, Snapshot};
use hotdesk::model::id::{Mailbox, Number};

use super::{Switch, give, on_both, snapshot};
use crate::harness::debian::Version;
use crate::harness::phone::Phone;

on_both! {
    calls_are_forwarded_when_their_user_is_busy_or_does_not_answer
    a_user_with_dnd_or_cfu_is_not_rung
    ring_targets_ring_in_turn_until_one_answers
    a_queue_call_rings_a_user_and_is_not_forwarded
}

const LONG: Duration = Duration::from_secs(20);

/// The snapshot in which 101's profile is as `change` makes it.
fn with_profile(change: impl Fn(&mut Profile)) -> Snapshot {
    snapshot(|extension, user| {
        if extension == "101" {
            change(&mut user.profile);
        }
    })
}

/// The phones of 101 to 103, and a trunk's.
fn phones(switch: &Switch) -> [Phone; 4] {
    ["desk1", "desk2", "desk3", "trunk"].map(|name| switch.pbx.phone(name).unwrap())
}

/// `caller` gives up the call that `called` now has.
fn give_up(caller: &Phone, called: &Phone) {
    caller.hang_up().unwrap();
    called.wait_ended().unwrap();
}

fn calls_are_forwarded_when_their_user_is_busy_or_does_not_answer(version: Version) {
    let mut switch = Switch::start(version);
    let [alice, bob, carol, trunk] = phones(&switch);
    let forwarded = with_profile(|profile| {
        profile.forward.busy = Number::new("0031").ok();
        profile.forward.unanswered = Number::new("103").ok();
    });
    switch.hold(&forwarded);

    bob.dial("101").unwrap();
    alice.wait_ringing().unwrap();
    alice.reject(486).unwrap();
    assert_eq!(trunk.wait_ringing().unwrap().from.number, "102");
    give_up(&bob, &trunk);

    bob.dial("101").unwrap();
    alice.wait_ringing().unwrap();
    let caller = carol.wait_ringing().unwrap();
    assert_eq!((caller.from.name.as_str(), caller.from.number.as_str()), ("Bob", "102"));
    give_up(&bob, &carol);

    // A device that is not registered does not answer either. 103, who is busy and forwards nothing, ends the call.
    let mut gone = forwarded.clone();
    gone.devices.retain(|name, _| name.as_str() != "desk1");
    give(&mut gone, "untrue", Kind::Desk, "101");
    switch.hold(&gone);
    bob.dial("101").unwrap();
    carol.wait_ringing().unwrap();
    carol.reject(486).unwrap();
    assert_eq!(bob.wait_ended_within(LONG).unwrap().code, 486);

    // The forwarding follows the class of the called user, for any caller.
    let mut inside = forwarded;
    inside
        .users
        .values_mut()
        .filter(|user| user.extension.as_str() == "101")
        .for_each(|user| user.class = None);
    switch.hold(&inside);
    bob.dial("101").unwrap();
    alice.wait_ringing().unwrap();
    alice.reject(486).unwrap();
    assert_eq!(bob.wait_ended_within(LONG).unwrap().code, 486);
    assert!(!trunk.in_call());
}

fn a_user_with_dnd_or_cfu_is_not_rung(version: Version) {
    let mut switch = Switch::start(version);
    let [alice, bob, carol, trunk] = phones(&switch);
    switch.hold(&with_profile(|profile| profile.forward.always = Number::new("0031").ok()));
    bob.dial("101").unwrap();
    trunk.wait_ringing().unwrap();
    assert!(!alice.in_call());
    give_up(&bob, &trunk);

    switch.hold(&with_profile(|profile| profile.do_not_disturb = true));
    bob.dial("101").unwrap();
    assert_eq!(bob.wait_ended().unwrap().code, 486);
    switch.hold(&with_profile(|profile| {
        profile.do_not_disturb = true;
        profile.forward.busy = Number::new("103").ok();
    }));
    bob.dial("101").unwrap();
    carol.wait_ringing().unwrap();
    assert!(!alice.in_call());
    give_up(&bob, &carol);
    // The user's own calls go on as before.
    alice.dial("102").unwrap();
    assert_eq!(bob.wait_ringing().unwrap().from.number, "101");
    give_up(&alice, &bob);

    // Debian's Asterisk 16 comes without app_voicemail.
    if version == Version::Current {
        let mut mailbox = with_profile(|profile| profile.do_not_disturb = true);
        mailbox.users.values_mut().for_each(|user| user.mailbox = Mailbox::new("101").ok());
        switch.hold(&mailbox);
        bob.dial("101").unwrap();
        bob.wait_answered().unwrap();
        bob.wait_audio().unwrap();
        assert!(!alice.in_call());
    }
}

fn ring_targets_ring_in_turn_until_one_answers(version: Version) {
    let mut switch = Switch::start(version);
    let [alice, bob, soft, mobile] = phones(&switch);
    // Carol's device is Alice's softphone here.
    let mut in_turn = with_profile(|profile| {
        profile.rings.in_turn = true;
        profile.forward.busy = Number::new("600").ok();
    });
    give(&mut in_turn, "desk3", Kind::Softphone, "101");
    give(&mut in_turn, "trunk", Kind::Mobile, "101");
    switch.hold(&in_turn);

    // One after the other, a second each, and each shows the caller.
    bob.dial("101").unwrap();
    for phone in [&alice, &soft, &mobile] {
        assert_eq!(phone.wait_ringing().unwrap().from.number, "102");
        assert!([&alice, &soft, &mobile].iter().filter(|other| other.in_call()).count() == 1);
        phone.wait_ended().unwrap();
    }
    assert_eq!(bob.wait_ended_within(LONG).unwrap().code, 480, "the devices rang, and none answered");

    // The device that answers has the call, and the others do not ring.
    bob.dial("101").unwrap();
    alice.wait_ringing().unwrap();
    alice.reject(486).unwrap();
    soft.wait_ringing().unwrap();
    soft.answer().unwrap();
    bob.wait_answered().unwrap();
    std::thread::sleep(Duration::from_millis(1500));
    assert!(soft.in_call() && !mobile.in_call());
    soft.hang_up().unwrap();
    assert_eq!(bob.wait_ended().unwrap().code, 200, "the call of the caller ends, too");
    assert!(!mobile.in_call());

    // The user is busy when all devices are.
    bob.dial("101").unwrap();
    for phone in [&alice, &soft, &mobile] {
        phone.wait_ringing().unwrap();
        phone.reject(486).unwrap();
    }
    bob.wait_answered().unwrap();
    bob.hang_up().unwrap();

    // The caller gives up while the second device rings: the third does not ring.
    bob.dial("101").unwrap();
    alice.wait_ringing().unwrap();
    alice.reject(486).unwrap();
    soft.wait_ringing().unwrap();
    give_up(&bob, &soft);
    std::thread::sleep(Duration::from_millis(500));
    assert!(!mobile.in_call());
}

fn a_queue_call_rings_a_user_and_is_not_forwarded(version: Version) {
    let mut switch = Switch::start(version);
    let [alice, bob, carol, _trunk] = phones(&switch);
    switch.hold(&snapshot(|_, user| {
        user.mailbox = Mailbox::new("101").ok();
        user.profile.forward.busy = Number::new("103").ok();
        user.profile.forward.unanswered = Number::new("103").ok();
    }));
    // As app_queue calls a member: a call that the dialplan makes.
    bob.dial("701").unwrap();
    assert_eq!(alice.wait_ringing().unwrap().from.number, "102");
    alice.reject(486).unwrap();
    assert_eq!(bob.wait_ended().unwrap().code, 486);
    bob.dial("701").unwrap();
    alice.wait_ringing().unwrap();
    assert_eq!(bob.wait_ended_within(LONG).unwrap().code, 480);
    bob.dial("701").unwrap();
    alice.wait_ringing().unwrap();
    alice.answer().unwrap();
    bob.wait_answered().unwrap();
    alice.hang_up().unwrap();
    bob.wait_ended().unwrap();
    assert!(!carol.in_call());
}
