//! How `hotdesk serve` is stopped in the middle of a conversation.

use std::thread;
use std::time::{Duration, Instant};

use super::{SOON, company};
use crate::support::company::pin;
use crate::support::debian::Version;

#[test]
fn told_to_stop_it_lets_a_conversation_end_and_told_again_it_gives_the_call_back_at_once() {
    let mut company = company(Version::Current);
    let desk1 = company.pbx.phone("desk1").unwrap();
    let mark = company.hotdesk.log().len();
    desk1.dial("*35*101").unwrap();
    desk1.wait_audio().unwrap();
    desk1.wait_silence().unwrap();
    company.hotdesk.signal("TERM").unwrap();
    company.hotdesk.wait_for_log(mark, "door.draining").unwrap();
    thread::sleep(Duration::from_millis(500));
    assert!(!company.hotdesk.log().contains("serve.stopped"), "the caller has time for his PIN");

    let again = Instant::now();
    company.hotdesk.stop().unwrap();
    let took = again.elapsed();
    assert!(took < Duration::from_millis(1500), "{took:?}");
    let log = company.hotdesk.log();
    for event in ["serve.cut", "door.cut", "serve.stopped"] {
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
