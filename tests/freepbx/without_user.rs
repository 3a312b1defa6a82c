//! Device & User mode: a phone without a user, and a user without a phone.

use super::{FreePbx, on_both};
use crate::harness::debian::Version;
use crate::harness::phone::{Event, PATIENCE};
use crate::harness::wait;

on_both! {
    a_phone_without_a_user_makes_emergency_calls
    a_user_who_is_logged_in_nowhere_is_to_a_queue_what_an_extension_without_a_phone_is
    a_caller_who_waits_for_an_agent_without_a_phone_gets_the_next_login
}

fn a_phone_without_a_user_makes_emergency_calls(version: Version) {
    let freepbx = FreePbx::open(version);
    let [owned, vacant, trunk] = ["2001", "2002", "trunk"].map(|device| freepbx.pbx.phone(device).unwrap());
    // FreePBX itself refuses all else there.
    vacant.dial("0301234567").unwrap();
    assert_eq!(vacant.wait_ended().unwrap().cause, Some(21));
    let shows = |from: &crate::harness::phone::Phone| {
        from.dial("112").unwrap();
        let number = trunk.wait_ringing().unwrap().from.number;
        from.hang_up().unwrap();
        trunk.wait_ended().unwrap();
        number
    };
    assert_eq!([&owned, &vacant].map(shows), ["0205550101", "0205550102"]);
    freepbx.log_in(&vacant, "101");
    assert_eq!(shows(&vacant), "0205550102");
}

/// The queue reads the hint, and it is FreePBX's own.
fn a_user_who_is_logged_in_nowhere_is_to_a_queue_what_an_extension_without_a_phone_is(version: Version) {
    let mut freepbx = FreePbx::open(version);
    let [desk, caller] = ["2002", "2001"].map(|device| freepbx.pbx.phone(device).unwrap());
    // 104 is an extension of FreePBX that Hotdesk does not know.
    let members: String = ["101", "104"]
        .map(|member| format!("member => Local/{member}@from-queue/n,0,{member},hint:{member}@ext-local\n"))
        .concat();
    freepbx.pbx.write("queues.conf", &format!("[700]\nstrategy=ringall\n{members}")).unwrap();
    freepbx.pbx.cli("queue reload all").unwrap();
    freepbx.log_in(&desk, "101");
    caller.dial("700").unwrap();
    desk.wait_ringing().unwrap();
    caller.hang_up().unwrap();
    desk.wait_ended().unwrap();
    freepbx.dial(&desk, "*12", &[]);
    freepbx.differs_only_in(&[]);
    let hints = ["101", "104"].map(|user| freepbx.hint(user).replace(user, ""));
    assert_eq!(hints, ["&Custom:DND,CustomPresence:", "&Custom:DND,CustomPresence:"]);
    for state in ["UNKNOWN", "NOT_INUSE", "INUSE"] {
        for user in ["101", "104"] {
            freepbx.pbx.cli(&format!("devstate change Custom:DND{user} {state}")).unwrap();
        }
        // The state of a member, as the queue shows it.
        let states = || {
            let shown = freepbx.pbx.cli("queue show 700").unwrap();
            let lines: Vec<String> =
                shown.lines().filter(|line| line.contains("from-queue")).map(str::to_owned).collect();
            ["101", "104"].map(|user| {
                let line = lines.iter().find(|line| line.contains(user)).cloned().unwrap_or_default();
                line.split("(ringinuse")
                    .nth(1)
                    .and_then(|rest| rest.split(['(', ')']).nth(2))
                    .unwrap_or("?")
                    .to_owned()
            })
        };
        let same = || {
            let [ours, theirs] = states();
            ours == theirs && ours != "?"
        };
        wait::until(PATIENCE, same, || format!("{state}: {:?}", states()));
    }
}

/// 102's only phone has a guest. 104 is an extension of FreePBX without a phone, which Hotdesk does not know: FreePBX's queue takes it
/// for "Not in use", and so lets a caller wait for it, also with `joinempty=no`.
fn a_caller_who_waits_for_an_agent_without_a_phone_gets_the_next_login(version: Version) {
    let freepbx = FreePbx::open(version);
    let [owned, vacant, caller] = ["2001", "2002", "2003"].map(|device| freepbx.pbx.phone(device).unwrap());
    freepbx.log_in(&owned, "101");
    for agent in ["104", "102"] {
        let member = format!("member => Local/{agent}@from-queue/n,0,{agent},hint:{agent}@ext-local\n");
        let text = format!("[700]\nstrategy=ringall\njoinempty=no\nretry=1\n{member}");
        freepbx.pbx.write("queues.conf", &text).unwrap();
        freepbx.pbx.cli("queue reload all").unwrap();
        let shown = freepbx.pbx.cli("queue show 700").unwrap();
        assert!(
            shown.contains(&format!("Local/{agent}@from-queue/n")) && shown.contains("(Not in use)"),
            "{shown}"
        );
        let mark = freepbx.ami.mark();
        caller.dial("700").unwrap();
        freepbx.ami.wait_from(mark, "the caller waits", |event| event.is("QueueCallerJoin")).unwrap();
        if agent == "104" {
            caller.hang_up().unwrap();
            freepbx.ami.wait_from(mark, "the caller left", |event| event.is("QueueCallerLeave")).unwrap();
        }
    }
    // The queue has tried its agent, and the phone of the guest did not ring; then the agent logs in.
    freepbx.log_in(&vacant, "102");
    vacant.wait_ringing().unwrap();
    vacant.answer().unwrap();
    caller.wait_answered().unwrap();
    caller.hang_up().unwrap();
    vacant.wait_ended().unwrap();
    let events = owned.events().all();
    assert!(!events.iter().any(|event| matches!(event, Event::Ringing(_))), "{events:?}");
}
