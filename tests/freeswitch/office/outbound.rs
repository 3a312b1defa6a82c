//! Calls that FreeSWITCH brings to its controllers, by `socket … async full`.

use std::net::SocketAddr;
use std::thread;
use std::time::{Duration, Instant};

use super::{Company, SOON, company_with};
use crate::support::asterisk::ports::Ports;
use crate::support::check::{all_is_well, broken};
use crate::support::company::{one_touch, pin};
use crate::support::freeswitch::installed;
use crate::support::hotdesk::Hotdesk;
use crate::support::phone::Phone;
use crate::support::redis::RedisServer;

const LONG: Duration = Duration::from_secs(20);

fn listening(at: SocketAddr) -> String {
    format!("outbound_listen = \"{at}\"\n")
}

#[test]
fn logins_logouts_and_refusals_are_as_they_are_by_the_other_way() {
    let Some(company) = company_with("sqlite:hotdesk.db", listening) else { return };
    all_is_well(&company.hotdesk);
    let (desk1, desk2) = (company.pbx.phone("desk1").unwrap(), company.pbx.phone("desk2").unwrap());
    // Logged in, and out, by each length of the code.
    let secret = format!("{}#", pin("101"));
    for (code, entries) in
        [("*35", &["101#", secret.as_str()][..]), ("*35*101", &[secret.as_str()]), (&one_touch("101"), &[])]
    {
        company.dial_code(&desk1, code, entries).unwrap();
        assert_eq!(company.agreed(SOON).unwrap(), ["101@desk1"], "{code} logs in");
        let heard = company.dial_code(&desk1, code, &[]).unwrap();
        assert!(heard > Duration::from_millis(400), "it is said that he is logged out: {heard:?}");
        assert!(company.agreed(SOON).unwrap().is_empty(), "{code} logs out");
    }
    // It is the phone that authenticated, whatever it shows.
    desk1.dial_as("desk2", &one_touch("101")).unwrap();
    desk1.wait_ended_within(LONG).unwrap();
    company.log_in(&desk2, "102").unwrap();
    assert_eq!(company.agreed(SOON).unwrap(), ["101@desk1", "102@desk2"]);
    // Refused.
    company.hotdesk.run(&["device", "set", "desk3", "--no-hotdesk"]).unwrap();
    let desk3 = company.pbx.phone("desk3").unwrap();
    let heard = company.dial_code(&desk3, &one_touch("103"), &[]).unwrap();
    assert!(heard > Duration::from_millis(300), "{heard:?}");
    assert!(company.hotdesk.run(&["journal", "--json"]).unwrap().contains("device-forbidden"));

    // A PIN that was not ended before the caller hung up is no entry.
    let mut esl = company.pbx.esl().unwrap();
    esl.command("event plain ALL").unwrap();
    let mark = company.hotdesk.log().len();
    desk3.hang_up().ok();
    desk1.dial("*35*103").unwrap();
    desk1.wait_audio().unwrap();
    desk1.press(pin("103"));
    thread::sleep(Duration::from_millis(1800));
    desk1.hang_up().unwrap();
    thread::sleep(Duration::from_secs(1));
    assert_eq!(company.agreed(SOON).unwrap(), ["101@desk1", "102@desk2"]);
    let log = company.hotdesk.log()[mark..].to_owned();
    assert!(log.contains("call.gone") && !log.contains("login.") && !log.contains("WARN"), "{log}");
    let done = esl.wait_for("CHANNEL_HANGUP_COMPLETE").unwrap();
    assert!(done.get("variable_hd_entry").is_none_or(|entry| entry.len() < 2));
    assert!(done.values().all(|value| !value.contains(&pin("103")[..4])), "{done:?}");
    let kept: Vec<String> =
        company.pbx.log().lines().filter(|line| line.contains(pin("103"))).map(str::to_owned).collect();
    assert!(kept.iter().all(|line| line.contains("*35*103*")), "{kept:#?}");
    // FreeSWITCH keeps no call, and we no connection.
    let deadline = Instant::now() + Duration::from_secs(10);
    while !company.pbx.api("show channels count").unwrap().contains("0 total") {
        assert!(Instant::now() < deadline);
        thread::sleep(Duration::from_millis(100));
    }
}

/// Two controllers, the second not started yet.
struct Two {
    company: Company,
    second: Hotdesk,
    addresses: [SocketAddr; 2],
    _redis: RedisServer,
    _ports: Ports,
}

fn two() -> Option<Two> {
    installed()?;
    let redis = RedisServer::start();
    let ports = Ports::claim().unwrap();
    let mut first = ports.agi;
    let company = {
        let own = std::cell::Cell::new(first);
        let more = |at: SocketAddr| {
            own.set(at);
            format!("{}outbound_controllers = [\"{at}\", \"{}\"]\n", listening(at), ports.agi)
        };
        let company = company_with(&redis.url(), more)?;
        first = own.get();
        company
    };
    let second = company.hotdesk.second((&listening(first), &listening(ports.agi))).unwrap();
    Some(Two { company, second, addresses: [first, ports.agi], _redis: redis, _ports: ports })
}

/// Dials a code that nobody can answer: it is said soon, and the call is released.
fn not_available(desk: &Phone, within: Duration) {
    desk.dial(&one_touch("103")).unwrap();
    let since = Instant::now();
    desk.wait_audio().unwrap();
    let waited = since.elapsed();
    assert!(waited < within, "heard after {waited:?}");
    let ended = desk.wait_ended_within(LONG).unwrap();
    assert_eq!((ended.code, ended.cause), (503, Some(41)), "{ended:?}");
    assert!(ended.heard > Duration::from_secs(1), "{ended:?}");
}

#[test]
fn the_second_controller_serves_what_the_first_does_not() {
    let Some(Two { mut company, mut second, addresses, _redis, _ports }) = two() else { return };
    second.start().unwrap();
    all_is_well(&company.hotdesk);
    let desk = company.pbx.phone("desk1").unwrap();
    company.log_in(&desk, "101").unwrap();
    assert!(company.hotdesk.log().contains("login.done") && !second.log().contains("call.arrived"));

    // Killed in the middle of a conversation: that one is over at once, and the next is the second's.
    desk.dial("*35*102").unwrap();
    desk.wait_audio().unwrap();
    desk.press(&pin("102")[..3]);
    thread::sleep(Duration::from_millis(300));
    let since = Instant::now();
    company.hotdesk.kill().unwrap();
    let ended = desk.wait_ended_within(LONG).unwrap();
    assert!(
        ended.cause == Some(41) && since.elapsed() < Duration::from_secs(6),
        "{:?} {ended:?}",
        since.elapsed()
    );
    assert!(!second.log().contains("call.arrived"), "a call that somebody had is not taken over");
    company.log_in(&desk, "102").unwrap();
    assert!(second.log().contains("login.done"));
    let said = broken(&second);
    let away = format!("controller {} of switch pbx: does not take calls (Connection refused", addresses[0]);
    assert!(said.starts_with(&away) && !said.contains('\n'), "{said}");

    // With both away it is said at once.
    second.kill().unwrap();
    not_available(&desk, Duration::from_secs(1));
    company.hotdesk.start().unwrap();
    company.log_in(&desk, "101").unwrap();
}

#[test]
fn a_controller_that_hangs_keeps_no_caller_in_silence() {
    let Some(Two { company, mut second, _redis, _ports, .. }) = two() else { return };
    second.start().unwrap();
    let desk = company.pbx.phone("desk1").unwrap();
    company.hotdesk.signal("STOP").unwrap();
    not_available(&desk, Duration::from_millis(2600));
    // It wakes up while "not available" is said, and does not disturb that.
    desk.dial(&one_touch("103")).unwrap();
    desk.wait_audio().unwrap();
    company.hotdesk.signal("CONT").unwrap();
    let ended = desk.wait_ended_within(LONG).unwrap();
    assert!(ended.cause == Some(41) && ended.heard > Duration::from_secs(1), "{ended:?}");
    assert!(company.seats().unwrap().is_empty(), "nobody was logged in by a call that was over");
    company.log_in(&desk, "101").unwrap();
}
