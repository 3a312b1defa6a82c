//! Many calls at once: none is lost, memory stays bounded.

use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::{Company, company};
use crate::support::freeswitch::Esl;

const CALLS: usize = 300;
/// Each of these takes all of the machine: one after the other.
static ALONE: Mutex<()> = Mutex::new(());
/// How much a flood of events may add to what hotdesk takes, in KiB.
const GROWTH: u64 = 8 * 1024;
/// What comes between two calls of the flood, by the events' names: such as nobody has asked for, and such as our connection
/// has. FreeSWITCH has one queue for all events and does about 10,000 of these a second; what it tells of a call comes behind
/// them, and is too late after two seconds.
const FLOOD: [(&str, usize); 2] =
    [("CUSTOM\nEvent-Subclass: hotdesk::flood", 225), ("CHANNEL_EXECUTE_COMPLETE", 25)];

#[test]
fn three_hundred_calls_at_once_are_all_served_in_bounded_memory() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let Some(company) = company() else { return };
    let pid = company.hotdesk.pid().unwrap();
    let before = resident(pid);
    let mut esl = company.pbx.esl().unwrap();
    let began = Instant::now();
    for _ in 0..CALLS {
        call(&mut esl);
    }
    let (mut most, mut served) = (before, 0);
    while served < CALLS {
        assert!(began.elapsed() < Duration::from_secs(90), "{served} of {CALLS} calls were served");
        thread::sleep(Duration::from_millis(100));
        most = most.max(resident(pid));
        served = company.hotdesk.log().matches("event=\"call.ended\"").count();
    }
    eprintln!(
        "{CALLS} calls at once in {:?}; resident {before} KiB, then {most} KiB at the most",
        began.elapsed()
    );
    let a_call = most.saturating_sub(before) / CALLS as u64;
    assert!(a_call <= 64, "a call took {a_call} KiB");
    let refused = company.hotdesk.run(&["journal", "--json"]).unwrap().matches("code-unknown").count();
    assert!(refused > 0, "they came as far as the code");
    none_left(&company);
}

#[test]
fn a_flood_of_50_000_events_costs_none_of_200_calls_and_no_memory() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let Some(company) = company() else { return };
    let pid = company.hotdesk.pid().unwrap();
    let mut esl = company.pbx.esl().unwrap();
    // What so many calls at once take is taken before.
    for _ in 0..200 {
        call(&mut esl);
    }
    served(&company, 200);
    let (before, began) = (resident(pid), Instant::now());
    let mut most = before;
    for _ in 0..200 {
        for (event, times) in FLOOD {
            let name = event.lines().next().unwrap();
            // Short ones: FreeSWITCH reads what it is sent byte by byte.
            let event = format!("sendevent {name}\nEvent-Name: {event}\nCaller-Context: hotdesk-code");
            esl.repeat(&event, times).unwrap();
        }
        call(&mut esl);
        most = most.max(resident(pid));
        thread::sleep(Duration::from_millis(30));
    }
    let flood = began.elapsed();
    served(&company, 400);
    let after = resident(pid);
    eprintln!(
        "50,000 events and 200 calls in {flood:?}; resident {before} KiB, {most} KiB at the most, {after} KiB then"
    );
    assert!(
        most.max(after) <= before + GROWTH,
        "resident {before} KiB before the flood, {most} KiB in it, {after} KiB then"
    );
    assert!(!company.hotdesk.log().contains("switch.down"), "the connection was kept");
    none_left(&company);
}

/// A call without a phone. The code is none, so that what is measured is the call and not the PIN's hash.
fn call(esl: &mut Esl) {
    let caller = "{sip_auth_username=desk1,domain_name=hotdesk.test}null/x";
    esl.command(&format!("bgapi originate {caller} *35*1*1*1*1 XML hotdesk")).unwrap();
}

/// Waits until so many calls were served in all.
fn served(company: &Company, calls: usize) {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        let served = company.hotdesk.log().matches("event=\"call.ended\"").count();
        if served == calls {
            return;
        }
        assert!(Instant::now() < deadline, "{served} of {calls} calls were served");
        thread::sleep(Duration::from_millis(100));
    }
}

/// FreeSWITCH has none of the calls left.
fn none_left(company: &Company) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while !company.pbx.api("show channels count").unwrap().contains("0 total") {
        assert!(Instant::now() < deadline, "{}", company.pbx.api("show channels count").unwrap());
        thread::sleep(Duration::from_millis(100));
    }
}

/// Resident memory, in KiB.
fn resident(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}
