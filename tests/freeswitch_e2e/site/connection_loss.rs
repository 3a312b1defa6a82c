//! Conversations that are cut short: by the caller, by the event socket, by a stop of hotdesk.

use std::thread;
use std::time::{Duration, Instant};

use super::{Company, SOON, company, company_with};
use crate::harness::company::pin;
use crate::harness::freeswitch::esl::Event;
use crate::harness::process::Signal;

const LONG: Duration = Duration::from_secs(20);

/// No two of its neighbours are a value that a call has by chance.
const PIN: &str = "9753864271";

#[test]
fn a_pin_is_in_no_event_of_the_call_whether_the_caller_ends_it_or_hangs_up_in_its_middle() {
    let Some(company) = company() else { return };
    company.hotdesk.run_with(&["user", "pin", "101"], &format!("{PIN}\n")).unwrap();
    let desk = company.pbx.phone("desk1").unwrap();
    let mut listener = company.pbx.esl().unwrap();
    listener.command("event plain ALL").unwrap();

    // The caller hangs up with the PIN complete but for the final key, and between two keys.
    for keyed in [PIN, "97538"] {
        desk.dial("*35*101").unwrap();
        let call = listener.wait_for("CHANNEL_PARK").unwrap()["Unique-ID"].clone();
        desk.wait_audio().unwrap();
        desk.tap(keyed);
        thread::sleep(Duration::from_millis(if keyed == PIN { 1500 } else { 430 }));
        desk.hang_up().unwrap();
        shows_no_pin(&listener.until_destroyed(&call).unwrap());
    }
    assert!(company.agreed(SOON).unwrap().is_empty(), "half a PIN is no entry");
    let log = company.hotdesk.log();
    assert!(log.contains("call.gone") && !log.contains("login."), "{log}");

    // Both answers in one go, as soon as the first question begins: no key is lost, and a false start is none.
    desk.dial("*35").unwrap();
    let call = listener.wait_for("CHANNEL_PARK").unwrap()["Unique-ID"].clone();
    desk.wait_audio().unwrap();
    desk.tap(&format!("55*101#77*{PIN}#"));
    desk.wait_ended_within(LONG).unwrap();
    shows_no_pin(&listener.until_destroyed(&call).unwrap());
    assert_eq!(company.agreed(SOON).unwrap(), ["101@desk1"]);

    // A later call has its records, and a code has none.
    let other = company.pbx.phone("desk2").unwrap();
    for (form, records) in company.pbx.cdrs_after_a_refused_call(&other).unwrap() {
        assert!(!records.contains("*35") && !records.contains("97538"), "{form}: {records}");
    }
    let log = company.pbx.log();
    assert!(!log.contains("97538"), "{log}");
}

/// No header is two digits of the PIN or more, and none holds most of it.
fn shows_no_pin(events: &[Event]) {
    assert!(events.len() > 20, "{} events", events.len());
    let mut keys = 0;
    for (name, value) in events.iter().flatten() {
        keys += usize::from(name == "variable_hd_entry");
        let by_chance = name == "Event-Sequence" || name.starts_with("variable_rtp_");
        let piece = value.len() > 1 && PIN.contains(value.as_str()) && !by_chance;
        assert!(!piece && !value.contains("97538"), "{name}: {value}");
    }
    assert!(keys > 3, "what is keyed is heard key by key: {keys}");
}

#[test]
fn a_call_hears_not_available_when_the_connection_is_lost() {
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
    company.hotdesk.signal(Signal::TERM).unwrap();
    desk.press(&format!("{}#", pin("101")));
    let ended = desk.wait_ended_within(LONG).unwrap();
    assert!(ended.heard > Duration::from_millis(500), "{ended:?}");
    assert!(company.hotdesk.log().contains("login.done"));
    company.hotdesk.stop().ok();
    assert_eq!(company.agreed(SOON).unwrap(), ["101@desk1"]);
}

#[test]
fn a_second_stop_ends_at_once_and_the_caller_hears_not_available() {
    let Some(parked) = company() else { return };
    cut(parked, "esl");
}

#[test]
fn a_second_stop_ends_at_once_with_an_outbound_socket_too() {
    let listening = |at| format!("outbound_listen = \"{at}\"\n");
    let Some(brought) = company_with("sqlite:hotdesk.db", listening) else { return };
    cut(brought, "listener");
}

fn cut(mut company: Company, events: &str) {
    let desk = company.pbx.phone("desk1").unwrap();
    desk.dial("*35*101").unwrap();
    desk.wait_audio().unwrap();
    desk.wait_silence().unwrap();
    company.hotdesk.signal(Signal::TERM).unwrap();
    company.hotdesk.wait_for_log(0, &format!("{events}.draining")).unwrap();
    let again = Instant::now();
    company.hotdesk.stop().unwrap();
    let took = again.elapsed();
    assert!(took < Duration::from_millis(1500), "{took:?}");
    let log = company.hotdesk.log();
    assert!(log.contains("serve.cut") && log.contains(&format!("{events}.cut")), "{log}");
    let ended = desk.wait_ended_within(LONG).unwrap();
    assert!(
        again.elapsed() < Duration::from_secs(8),
        "not after the dialplan's 120 s: {:?}",
        again.elapsed()
    );
    assert_eq!(ended.cause, Some(41), "{ended:?}");
    eprintln!("told again it was down after {took:?}, and the call over after {:?}", again.elapsed());
}
