//! Conversations that are cut short: by the caller, by the event socket, by a stop of hotdesk.

use std::thread;
use std::time::Duration;

use super::{SOON, company};
use crate::support::company::pin;

const LONG: Duration = Duration::from_secs(20);

#[test]
fn a_pin_that_was_not_ended_before_the_caller_hung_up_is_no_entry() {
    let Some(company) = company() else { return };
    let desk = company.pbx.phone("desk1").unwrap();
    desk.dial("*35*101").unwrap();
    desk.wait_audio().unwrap();
    desk.press(pin("101"));
    thread::sleep(Duration::from_millis(1800));
    desk.hang_up().unwrap();
    thread::sleep(Duration::from_secs(1));
    assert!(company.agreed(SOON).unwrap().is_empty());
    let log = company.hotdesk.log();
    assert!(log.contains("call.gone") && !log.contains("login."), "{log}");
}

#[test]
fn a_call_whose_connection_is_lost_hears_that_it_is_not_available() {
    let Some(mut company) = company() else { return };
    let desk = company.pbx.phone("desk1").unwrap();
    desk.dial("*35").unwrap();
    desk.wait_audio().unwrap();
    let mark = company.hotdesk.log().len();
    company.pbx.esl().unwrap().command("bgapi reload mod_event_socket").ok();
    company.hotdesk.wait_for_log(mark, "esl.released").unwrap();
    let ended = desk.wait_ended_within(LONG).unwrap();
    assert_eq!(ended.cause, Some(41), "{ended:?}");
    company.log_in(&desk, "101").unwrap();
}

#[test]
fn a_stop_lets_a_conversation_end() {
    let Some(mut company) = company() else { return };
    let desk = company.pbx.phone("desk1").unwrap();
    desk.dial("*35*101").unwrap();
    desk.wait_audio().unwrap();
    company.hotdesk.signal("TERM").unwrap();
    desk.press(&format!("{}#", pin("101")));
    let ended = desk.wait_ended_within(LONG).unwrap();
    assert!(ended.heard > Duration::from_millis(500), "{ended:?}");
    assert!(company.hotdesk.log().contains("login.done"));
    company.hotdesk.stop().ok();
    assert_eq!(company.agreed(SOON).unwrap(), ["101@desk1"]);
}
