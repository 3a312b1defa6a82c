//! Many calls at once: none is lost, memory stays bounded.

use std::thread;
use std::time::{Duration, Instant};

use super::company;

const CALLS: usize = 300;

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
    // FreeSWITCH has none of them left.
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
