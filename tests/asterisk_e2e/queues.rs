//! A queue's calls reach a member at the current device. Pauses last over moves, logouts and restarts.

use super::{SOON, on_both, program};
use crate::harness::ami::Ami;
use crate::harness::company::Company;
use crate::harness::debian::Version;
use crate::harness::wait;

on_both! {
    a_queue_reaches_its_member_at_the_current_device_and_keeps_pauses
}

const GROUPS: &str = "[[group]]\nname = \"sales\"\nkind = \"queue\"\nnumber = \"500\"\n";

fn company(version: Version) -> Company {
    Company::open_with(&program(), version, "sqlite:hotdesk.db", GROUPS).unwrap()
}

/// The members of the queue, with `paused` behind those that are.
fn members(ami: &mut Ami) -> Vec<String> {
    let found = ami.list("QueueStatus", &[("Queue", "sales")]).unwrap();
    let of_queue = found.iter().filter(|event| event.get("Event") == "QueueMember");
    of_queue
        .map(|member| {
            format!("{}{}", member.get("Name"), if member.get("Paused") == "1" { " paused" } else { "" })
        })
        .collect()
}

/// Waits until the queue has just these.
fn wait_for(ami: &mut Ami, expected: &[&str]) {
    let mut found = vec![];
    let same = || {
        found = members(ami);
        Ok((found == expected).then_some(()))
    };
    let result = wait::find(SOON, same, String::new);
    assert!(result.is_ok(), "{found:?}, not {expected:?}");
}

fn a_queue_reaches_its_member_at_the_current_device_and_keeps_pauses(version: Version) {
    let mut company = company(version);
    let mut ami = company.pbx.ami().unwrap();
    let [desk1, desk2, colleague] =
        ["desk1", "desk2", "colleague"].map(|name| company.pbx.phone(name).unwrap());
    company.hotdesk.run(&["user", "set", "101", "--groups", "sales"]).unwrap();
    company.hotdesk.run(&["user", "group", "101", "sales", "in"]).unwrap();
    wait_for(&mut ami, &[]);
    company.log_in(&desk1, "101").unwrap();
    wait_for(&mut ami, &["101"]);
    let queue_rings = |desk: &crate::harness::phone::Phone| {
        colleague.dial("700").unwrap();
        desk.wait_ringing().unwrap();
        desk.answer().unwrap();
        colleague.hang_up().unwrap();
        desk.wait_ended().unwrap();
    };
    queue_rings(&desk1);
    company.log_in(&desk2, "101").unwrap();
    wait_for(&mut ami, &["101"]);
    queue_rings(&desk2);

    // A pause by hotdesk and a pause by another program both last.
    company.hotdesk.run(&["user", "group", "101", "sales", "pause"]).unwrap();
    wait_for(&mut ami, &["101 paused"]);
    company.log_in(&desk1, "101").unwrap();
    wait_for(&mut ami, &["101 paused"]);
    let mark = company.hotdesk.log().len();
    let member = [("Queue", "sales"), ("Interface", "Local/101@hotdesk-ring/n"), ("Paused", "false")];
    assert_eq!(ami.act("QueuePause", &member).unwrap().get("Response"), "Success");
    company.hotdesk.wait_for_log(mark, "queue.pause_kept").unwrap();
    wait_for(&mut ami, &["101"]);
    let mark = company.hotdesk.log().len();
    let member = [("Queue", "sales"), ("Interface", "Local/101@hotdesk-ring/n"), ("Paused", "true")];
    assert_eq!(ami.act("QueuePause", &member).unwrap().get("Response"), "Success");
    company.hotdesk.wait_for_log(mark, "queue.pause_kept").unwrap();
    company.hotdesk.run(&["logout", "101"]).unwrap();
    wait_for(&mut ami, &[]);
    company.log_in(&desk2, "101").unwrap();
    wait_for(&mut ami, &["101 paused"]);

    // A restart of the switch forgets its members; they are put back.
    let mark = company.hotdesk.log().len();
    company.pbx.restart().unwrap();
    company.hotdesk.wait_reconnected(mark).unwrap();
    let mut ami = company.pbx.ami().unwrap();
    wait_for(&mut ami, &["101 paused"]);

    // Another program adds a user who is no member: the next reconciliation removes that user.
    let member = [("Queue", "sales"), ("Interface", "Local/102@hotdesk-ring/n")];
    assert_eq!(ami.act("QueueAdd", &member).unwrap().get("Response"), "Success");
    let mark = company.hotdesk.log().len();
    company.pbx.cli("module reload app_dial.so").unwrap();
    company.hotdesk.wait_for_log(mark, "repaired=1").unwrap();
    wait_for(&mut ami, &["101 paused"]);
}
