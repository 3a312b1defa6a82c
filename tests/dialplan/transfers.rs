//! Transfers: the caller ID, and where a device may transfer a call to.

use std::time::Duration;

use super::{Switch, on_both};
use crate::harness::debian::Version;
use crate::harness::phone::Phone;
use crate::harness::wait;

on_both! { a_transferred_call_keeps_its_caller_and_goes_where_the_phone_may_send_it }

fn a_transferred_call_keeps_its_caller_and_goes_where_the_phone_may_send_it(version: Version) {
    let mut switch = Switch::start(version);
    switch.log_in_two_users();
    let phone = |name: &str| switch.pbx.phone(name).unwrap();
    let (alice, bob, trunk, colleague) = (phone("desk1"), phone("desk2"), phone("trunk"), phone("colleague"));
    alice.auto_answer(true);
    bob.auto_answer(true);

    // from desk1 to 102, and out again by 101's class
    colleague.dial("101").unwrap();
    colleague.wait_answered().unwrap();
    transfer(&mut switch, "desk1", "102");
    assert_eq!(bob.wait_ringing().unwrap().from.number, "199");
    hang_up(&colleague, &bob);
    colleague.dial("101").unwrap();
    colleague.wait_answered().unwrap();
    transfer(&mut switch, "desk1", "0031");
    assert_eq!(trunk.wait_ringing().unwrap().from.number, "199");
    hang_up(&colleague, &trunk);

    // 102 has no class
    colleague.dial("102").unwrap();
    colleague.wait_answered().unwrap();
    transfer(&mut switch, "desk2", "0031");
    assert_eq!(colleague.wait_ended_within(Duration::from_secs(20)).unwrap().cause, Some(1));

    // 102 cannot log 101 out at desk1 by a transfer of their call to the code
    alice.dial("102").unwrap();
    alice.wait_answered().unwrap();
    let controller = wait::listen(switch.pbx.agi());
    transfer(&mut switch, "desk2", "*35");
    assert_eq!(alice.wait_ended_within(Duration::from_secs(20)).unwrap().cause, Some(41));
    controller.set_nonblocking(true).unwrap();
    assert_eq!(controller.accept().unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
}

/// Transfers as a REFER from the phone does.
fn transfer(switch: &mut Switch, phone: &str, to: &str) {
    let channels = switch.pbx.cli("core show channels concise").unwrap();
    let prefix = format!("PJSIP/{phone}-");
    let channel = channels.split(['!', '\n']).find(|word| word.starts_with(&prefix)).unwrap();
    let headers = [("Channel", channel), ("Context", "hotdesk"), ("Exten", to)];
    let answer = switch.ami.act("BlindTransfer", &headers).unwrap();
    assert_eq!(answer.get("Response"), "Success", "{answer:?}");
}

fn hang_up(caller: &Phone, called: &Phone) {
    caller.hang_up().unwrap();
    called.wait_ended().unwrap();
}
