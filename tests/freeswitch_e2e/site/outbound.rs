//! Calls that FreeSWITCH brings to its controllers, by `socket … async full`.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use super::{Company, SOON, company_with};
use crate::harness::asterisk::ports::Ports;
use crate::harness::check::{all_is_well, broken};
use crate::harness::company::{one_touch, pin};
use crate::harness::freeswitch::installed;
use crate::harness::hotdesk::Hotdesk;
use crate::harness::phone::Phone;
use crate::harness::process::Signal;
use crate::harness::redis::RedisServer;
use crate::harness::wait;

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
        assert!(heard > Duration::from_millis(400), "a prompt confirms the logout: {heard:?}");
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
    // All digits are keyed after this, and the time-out of the entry has not come yet.
    thread::sleep(Duration::from_millis(1800));
    desk1.hang_up().unwrap();
    // No login follows later.
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
    // FreeSWITCH keeps no call, and hotdesk no connection.
    let channels = || company.pbx.api("show channels count").unwrap();
    wait::until(Duration::from_secs(10), || channels().contains("0 total"), channels);
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

/// Dials a code that no controller answers: a prompt says so soon, and the call ends.
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
    // Keys reach the switch one after the other.
    thread::sleep(Duration::from_millis(300));
    let since = Instant::now();
    company.hotdesk.kill().unwrap();
    let ended = desk.wait_ended_within(LONG).unwrap();
    assert!(
        ended.cause == Some(41) && since.elapsed() < Duration::from_secs(6),
        "{:?} {ended:?}",
        since.elapsed()
    );
    assert!(!second.log().contains("call.arrived"), "a call of the other controller is not taken over");
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
    company.hotdesk.signal(Signal::STOP).unwrap();
    not_available(&desk, Duration::from_millis(2600));
    // It wakes up while "not available" is said, and does not disturb that.
    desk.dial(&one_touch("103")).unwrap();
    desk.wait_audio().unwrap();
    company.hotdesk.signal(Signal::CONT).unwrap();
    let ended = desk.wait_ended_within(LONG).unwrap();
    assert!(ended.cause == Some(41) && ended.heard > Duration::from_secs(1), "{ended:?}");
    assert!(company.sessions().unwrap().is_empty(), "an ended call logged no user in");
    company.log_in(&desk, "101").unwrap();
}

#[test]
fn a_call_without_the_token_is_refused_and_check_says_why() {
    let Some(company) = company_with("sqlite:hotdesk.db", listening) else { return };
    all_is_well(&company.hotdesk);
    let desk = company.pbx.phone("desk1").unwrap();
    company.log_in(&desk, "101").unwrap();
    let (sessions, token) = (company.sessions().unwrap(), company.hotdesk.token());
    // Another process says what FreeSWITCH would say of a call, but does not know the token.
    let toml = std::fs::read_to_string(company.hotdesk.path("hotdesk.toml")).unwrap();
    let (_, at) = toml.split_once("outbound_listen = \"").unwrap();
    let at: SocketAddr = at.split('"').next().unwrap().parse().unwrap();
    let call = "Event-Name: CHANNEL_DATA\nUnique-ID: 03b9a780\nCaller-Context: hotdesk@code\nvariable_hd_dialled: %2A35\n\
                variable_sip_auth_username: desk1\nvariable_domain_name: hotdesk.test\nvariable_last_sched_id: 7\n\
                Content-Type: command/reply\nReply-Text: %2BOK%0A\nSocket-Mode: async\nControl: full\n\n";
    for guess in ["-ERR no reply\n", "PRINT-YOUR-OWN", &token[1..]] {
        let mut stream = TcpStream::connect(at).unwrap();
        stream.set_read_timeout(Some(LONG)).unwrap();
        let mut said = String::new();
        let mut asked = BufReader::new(stream.try_clone().unwrap());
        while asked.read_line(&mut said).is_ok_and(|read| read > 0) {
            let reply = match said.lines().last() {
                Some("connect") => call.to_owned(),
                Some("linger 5" | "myevents plain") => {
                    "Content-Type: command/reply\nReply-Text: +OK\n\n".into()
                }
                Some("api global_getvar hotdesk_token") => {
                    format!("Content-Type: api/response\nContent-Length: {}\n\n{guess}", guess.len())
                }
                Some("api sched_del 7") => {
                    "Content-Type: api/response\nContent-Length: 14\n\n+OK Deleted: 1".into()
                }
                _ => continue,
            };
            // It closes a connection that it does not believe.
            let _ = stream.write_all(reply.as_bytes());
        }
        assert!(said.contains("sched_del 7") && !said.contains("sendmsg"), "{said}");
    }
    assert_eq!(company.sessions().unwrap(), sessions);
    let log = company.hotdesk.log();
    assert_eq!(log.matches("esl.not_the_switch").count(), 1, "once a minute: {log}");

    let file = company.pbx.path("conf/dialplan/hotdesk.xml");
    let printed = std::fs::read_to_string(&file).unwrap();
    let refused = "Hotdesk refuses its calls, and callers hear \"not available\"";
    for (is, found) in
        [(String::new(), "it has no token"), (token.replace('a', "b") + "c", "it has another token")]
    {
        let set = format!("hotdesk_token={token}\"");
        assert!(printed.contains(&set), "{printed}");
        std::fs::write(&file, printed.replace(&set, &format!("hotdesk_token={is}\""))).unwrap();
        company.pbx.api("reloadxml").unwrap();
        assert_eq!(broken(&company.hotdesk), format!("dialplan of switch pbx: {found}: {refused}"));
        not_available(&desk, Duration::from_secs(3));
    }
    std::fs::write(&file, printed).unwrap();
    company.pbx.api("reloadxml").unwrap();
    all_is_well(&company.hotdesk);
    company.dial_code(&desk, "*35*101", &[]).unwrap();
    assert!(company.agreed(SOON).unwrap().is_empty());
    assert!(!company.pbx.log().contains(&token), "the log does not show the token");
}
