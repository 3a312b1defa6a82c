//! Many calls at once: none is lost, memory stays bounded.

use std::thread;
use std::time::{Duration, Instant};

use super::{alone, program, resident};
use crate::harness::freeswitch::Esl;
use crate::harness::freeswitch::company::Company;
use crate::harness::wait;

const CALLS: usize = 300;
/// How many of them are served at least. FreeSWITCH has one queue for all events, about 12,000 of so many calls at once: on
/// a slow or busy machine it brings some calls to hotdesk after the two seconds that a call waits.
const SERVED: usize = 200;
/// How much a flood of events may add to what hotdesk takes, in KiB.
const GROWTH: u64 = 8 * 1024;
/// The events between two calls of the flood, by name: some without a subscriber, and some that hotdesk's connection
/// has. FreeSWITCH has one queue for all events and does about 10,000 of these a second; the events of a call come behind
/// them, and are too late after two seconds.
const FLOOD: [(&str, usize); 2] =
    [("CUSTOM\nEvent-Subclass: hotdesk::flood", 225), ("CHANNEL_EXECUTE_COMPLETE", 25)];

#[test]
fn of_three_hundred_calls_at_once_none_is_lost_and_memory_stays_bounded() {
    let _alone = alone();
    let Some(company) = company() else { return };
    let pid = company.hotdesk.pid().unwrap();
    let before = resident(pid);
    let mut esl = company.pbx.esl().unwrap();
    let began = Instant::now();
    for _ in 0..CALLS {
        call(&mut esl);
    }
    let mut most = before;
    let look = || most = most.max(resident(pid));
    wait_none_lost(&company, CALLS, look);
    let served = served(&company);
    eprintln!(
        "{CALLS} calls at once in {:?}, {served} served; resident {before} KiB, then {most} KiB at the most",
        began.elapsed()
    );
    assert!(served >= SERVED, "{served} of {CALLS} calls were served");
    let a_call = most.saturating_sub(before) / CALLS as u64;
    assert!(a_call <= 64, "a call took {a_call} KiB");
    let refused = company.hotdesk.run(&["journal", "--json"]).unwrap().matches("code-unknown").count();
    assert!(refused > 0, "they came as far as the code");
    none_left(&company);
}

#[test]
fn a_flood_of_50_000_events_costs_none_of_200_calls_and_no_memory() {
    let _alone = alone();
    let Some(company) = company() else { return };
    let pid = company.hotdesk.pid().unwrap();
    let mut esl = company.pbx.esl().unwrap();
    // What so many calls at once take is taken before.
    for _ in 0..200 {
        call(&mut esl);
    }
    wait_none_lost(&company, 200, || ());
    let first = served(&company);
    let (before, began) = (resident(pid), Instant::now());
    let mut most = before;
    for _ in 0..200 {
        for (event, times) in FLOOD {
            let name = event.lines().next().unwrap();
            // Short ones: FreeSWITCH reads what it is sent byte by byte.
            let event = format!("sendevent {name}\nEvent-Name: {event}\nCaller-Context: hotdesk@code");
            esl.repeat(&event, times).unwrap();
        }
        call(&mut esl);
        most = most.max(resident(pid));
        // The pace of the flood.
        thread::sleep(Duration::from_millis(30));
    }
    let flood = began.elapsed();
    wait_none_lost(&company, 400, || ());
    assert_eq!(served(&company), first + 200, "in the flood");
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

fn company() -> Option<Company> {
    Company::open(&program(), "sqlite:hotdesk.db", |_| String::new(), "", "")
}

/// A call without a phone. The code is none, so that what is measured is the call and not the PIN's hash.
fn call(esl: &mut Esl) {
    let caller = "{sip_auth_username=desk1,domain_name=hotdesk.test}null/x";
    esl.command(&format!("bgapi originate {caller} *35*1*1*1*1 XML hotdesk@desk")).unwrap();
}

/// How many calls were served in all.
fn served(company: &Company) -> usize {
    company.hotdesk.log().matches("event=\"call.ended\"").count()
}

/// How many callers heard "not available", because hotdesk did not have the call in time.
fn not_available(company: &Company) -> usize {
    company.pbx.debug_log().matches(" to XML[hotdesk-away@hotdesk@code]").count()
}

/// Waits until each of these calls was served or heard "not available", and looks at each try.
fn wait_none_lost(company: &Company, calls: usize, mut look: impl FnMut()) {
    let none_lost = || {
        look();
        served(company) + not_available(company) == calls
    };
    let state = || format!("of {calls}, {} were served and {} not", served(company), not_available(company));
    wait::until(Duration::from_secs(90), none_lost, state);
}

/// Waits until FreeSWITCH has none of the calls left.
fn none_left(company: &Company) {
    let channels = || company.pbx.api("show channels count").unwrap();
    wait::until(Duration::from_secs(10), || channels().contains("0 total"), channels);
}
