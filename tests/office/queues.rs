//! A queue's calls reach a member where he sits now; what he switched lasts over moves, logouts and restarts.

use std::thread;
use std::time::{Duration, Instant};

use super::{SOON, on_both, program};
use crate::support::ami::Ami;
use crate::support::company::Company;
use crate::support::debian::Version;

on_both! {
    a_queue_reaches_its_member_where_he_sits_now_and_paused_stays_paused
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
    let began = Instant::now();
    while members(ami) != expected {
        assert!(began.elapsed() < SOON, "{:?}, not {expected:?}", members(ami));
        thread::sleep(Duration::from_millis(20));
    }
}

fn a_queue_reaches_its_member_where_he_sits_now_and_paused_stays_paused(version: Version) {
    let mut company = company(version);
    let mut ami = company.pbx.ami().unwrap();
    let [desk1, desk2, colleague] =
        ["desk1", "desk2", "colleague"].map(|name| company.pbx.phone(name).unwrap());
    company.hotdesk.run(&["user", "set", "101", "--groups", "sales"]).unwrap();
    company.hotdesk.run(&["user", "group", "101", "sales", "in"]).unwrap();
    wait_for(&mut ami, &[]);
    company.log_in(&desk1, "101").unwrap();
    wait_for(&mut ami, &["101"]);
    let queue_rings = |desk: &crate::support::phone::Phone| {
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

    // Paused by us, and by somebody else: both last.
    company.hotdesk.run(&["user", "group", "101", "sales", "pause"]).unwrap();
    wait_for(&mut ami, &["101 paused"]);
    company.log_in(&desk1, "101").unwrap();
    wait_for(&mut ami, &["101 paused"]);
    let mark = company.hotdesk.log().len();
    let member = [("Queue", "sales"), ("Interface", "Local/101@hotdesk-ring/n"), ("Paused", "false")];
    assert_eq!(ami.act("QueuePause", &member).unwrap().get("Response"), "Success");
    company.hotdesk.wait_for_log(mark, "pause.kept").unwrap();
    wait_for(&mut ami, &["101"]);
    let mark = company.hotdesk.log().len();
    let member = [("Queue", "sales"), ("Interface", "Local/101@hotdesk-ring/n"), ("Paused", "true")];
    assert_eq!(ami.act("QueuePause", &member).unwrap().get("Response"), "Success");
    company.hotdesk.wait_for_log(mark, "pause.kept").unwrap();
    company.hotdesk.run(&["logout", "--user", "101"]).unwrap();
    wait_for(&mut ami, &[]);
    company.log_in(&desk2, "101").unwrap();
    wait_for(&mut ami, &["101 paused"]);

    // A restart of the switch forgets its members; they are put back.
    let mark = company.hotdesk.log().len();
    company.pbx.restart().unwrap();
    company.hotdesk.wait_for_log(mark, "table.settled").unwrap();
    let mut ami = company.pbx.ami().unwrap();
    wait_for(&mut ami, &["101 paused"]);

    // Whom somebody else put in, the next comparison takes out, though he never was a member.
    let member = [("Queue", "sales"), ("Interface", "Local/102@hotdesk-ring/n")];
    assert_eq!(ami.act("QueueAdd", &member).unwrap().get("Response"), "Success");
    let mark = company.hotdesk.log().len();
    company.pbx.cli("module reload app_dial.so").unwrap();
    company.hotdesk.wait_for_log(mark, "repaired=1").unwrap();
    wait_for(&mut ami, &["101 paused"]);
}
