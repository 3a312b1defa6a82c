//! How `hotdesk serve` is stopped in the middle of a conversation.

use std::thread;
use std::time::{Duration, Instant};

use super::{SOON, company};
use crate::harness::company::pin;
use crate::harness::debian::Version;
use crate::harness::process::Signal;

#[test]
fn a_stop_waits_for_conversations_and_a_second_stop_ends_them() {
    let mut company = company(Version::Current);
    let desk1 = company.pbx.phone("desk1").unwrap();
    let mark = company.hotdesk.log().len();
    desk1.dial("*35*101").unwrap();
    desk1.wait_audio().unwrap();
    desk1.wait_silence().unwrap();
    company.hotdesk.signal(Signal::TERM).unwrap();
    company.hotdesk.wait_for_log(mark, "listener.draining").unwrap();
    // Nothing ends the conversation in this time.
    thread::sleep(Duration::from_millis(500));
    assert!(!company.hotdesk.log().contains("serve.stopped"), "the caller has time for the PIN");

    let again = Instant::now();
    company.hotdesk.stop().unwrap();
    let took = again.elapsed();
    assert!(took < Duration::from_millis(1500), "{took:?}");
    let log = company.hotdesk.log();
    for event in ["serve.cut", "listener.cut", "serve.stopped"] {
        assert!(log.contains(&format!("event=\"{event}\"")), "{event}: {log}");
    }
    // The dialplan has the call: it says that it is not available, whatever is keyed now.
    desk1.wait_audio().unwrap();
    desk1.press(&format!("{}#", pin("101")));
    let ended = desk1.wait_ended().unwrap();
    assert!(again.elapsed() < Duration::from_secs(6), "{:?}", again.elapsed());
    assert!(ended.heard > Duration::from_millis(500), "{ended:?}");
    company.hotdesk.start().unwrap();
    assert!(company.agreed(SOON).unwrap().is_empty());
    eprintln!("told again it was down after {took:?}");
}
