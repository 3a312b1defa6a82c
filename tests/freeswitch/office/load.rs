//! Many calls at once: none is lost, memory stays bounded.

use std::thread;
use std::time::{Duration, Instant};

use super::{Company, company};

const CALLS: usize = 300;
/// How much a flood of events may add to what hotdesk takes, in KiB.
const GROWTH: u64 = 8 * 1024;

#[test]
fn three_hundred_calls_at_once_are_all_served_in_bounded_memory() {
    let Some(company) = company() else { return };
    let pid = company.hotdesk.pid().unwrap();
    let before = resident(pid);
    let mut esl = company.pbx.esl().unwrap();
    // Calls without a phone. The code is none, so that what is measured is the call and not the PIN's hash.
    let began = Instant::now();
    for _ in 0..CALLS {
        let caller = "{sip_auth_username=desk1,domain_name=hotdesk.test}null/x";
        esl.command(&format!("bgapi originate {caller} *35*1*1*1*1 XML hotdesk")).unwrap();
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
    let Some(company) = company() else { return };
    let pid = company.hotdesk.pid().unwrap();
    // One flood to warm up: what calls take, and what events take that came all at once.
    flooded(&company, 200, 200);
    let before = resident(pid);
    let (took, most) = flooded(&company, 200, 400);
    let after = resident(pid);
    eprintln!(
        "a flood, and 200 calls in it: {took:?}; resident {before} KiB, {most} KiB at the most, {after} KiB then"
    );
    assert!(most <= before + GROWTH, "it took {before} KiB, and {most} KiB in the flood");
    assert!(!company.hotdesk.log().contains("switch.down"), "the connection was kept");
    none_left(&company);
}

/// 50,000 events, half of them such as our connections have asked for, and so many calls in the middle of it; until
/// `served` calls have ended in all. How long it took, and how much memory at the most.
fn flooded(company: &Company, calls: usize, served: usize) -> (Duration, u64) {
    let filler: String = (0..60).map(|n| format!("X-Filler-{n}: {}\n", "x".repeat(30))).collect();
    let ours = format!(
        "sendevent CHANNEL_EXECUTE_COMPLETE\nEvent-Name: CHANNEL_EXECUTE_COMPLETE\nCaller-Context: hotdesk-code\n{}",
        filler.trim_end()
    );
    let others = format!("sendevent MESSAGE_QUERY\nEvent-Name: MESSAGE_QUERY\n{}", filler.trim_end());
    let began = Instant::now();
    let pid = company.hotdesk.pid().unwrap();
    let flood: Vec<_> = [ours, others]
        .into_iter()
        .map(|event| {
            let mut esl = company.pbx.esl().unwrap();
            thread::spawn(move || esl.repeat(&event, 25_000).unwrap())
        })
        .collect();
    let mut esl = company.pbx.esl().unwrap();
    for _ in 0..calls {
        let caller = "{sip_auth_username=desk1,domain_name=hotdesk.test}null/x";
        esl.command(&format!("bgapi originate {caller} *35*1*1*1*1 XML hotdesk")).unwrap();
    }
    let (mut most, mut ended) = (0, 0);
    while ended < served || !flood.iter().all(thread::JoinHandle::is_finished) {
        assert!(began.elapsed() < Duration::from_secs(90), "{ended} of {served} calls were served");
        thread::sleep(Duration::from_millis(20));
        most = most.max(resident(pid));
        ended = company.hotdesk.log().matches("event=\"call.ended\"").count();
    }
    flood.into_iter().for_each(|flood| flood.join().unwrap());
    (began.elapsed(), most)
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
