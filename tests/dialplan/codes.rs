use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use super::{Switch, on_both};
use crate::harness::debian::Version;
use crate::harness::phone::Phone;
use crate::harness::wait;

on_both! {
    a_prompt_says_that_a_stopped_hung_or_killed_controller_is_not_available
    a_code_leaves_no_pin_behind
    a_reload_in_the_middle_of_a_code_changes_nothing
    a_caller_cannot_forge_the_arguments_of_the_controller
}

/// The PIN to look for.
const CANARY: &str = "80246197";
const LONG: Duration = Duration::from_secs(20);

/// A controller's end of one call: the environment is read, the time-out lengthened.
pub struct Session(BufReader<TcpStream>);

impl Session {
    pub fn accept(listener: &TcpListener) -> (Self, Vec<String>) {
        let mut session = Self(BufReader::new(listener.accept().unwrap().0));
        let mut environment = vec![];
        loop {
            let line = session.line();
            if line.is_empty() {
                break;
            }
            environment.push(line);
        }
        assert_eq!(session.command("SET VARIABLE TIMEOUT(absolute) 120"), "200 result=1");
        (session, environment)
    }

    pub fn command(&mut self, command: &str) -> String {
        self.0.get_mut().write_all(format!("{command}\n").as_bytes()).unwrap();
        self.line()
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).unwrap();
        line.trim_end_matches('\n').to_owned()
    }
}

fn dial(phone: &Phone) -> Instant {
    phone.dial(&format!("*35*101*{CANARY}#")).unwrap();
    Instant::now()
}

/// How long after `since` something is heard in the call, which must then end by itself as a failure.
fn heard_after(phone: &Phone, since: Instant) -> Duration {
    phone.wait_audio().unwrap();
    let waited = since.elapsed();
    let ended = phone.wait_ended_within(LONG).unwrap();
    assert!(ended.heard > Duration::from_millis(500), "{ended:?}");
    assert_eq!(ended.cause, Some(41), "{ended:?}");
    waited
}

fn a_prompt_says_that_a_stopped_hung_or_killed_controller_is_not_available(version: Version) {
    let switch = Switch::start(version);
    let desk = switch.pbx.phone("desk1").unwrap();
    let away = heard_after(&desk, dial(&desk));
    assert!(away < Duration::from_secs(1), "refused, and heard after {away:?}");

    let listener = wait::listen(switch.pbx.agi());
    let dialled = dial(&desk);
    let (mut silent, _) = listener.accept().unwrap();
    let hung = heard_after(&desk, dialled);
    assert!(hung > Duration::from_millis(1500) && hung < Duration::from_secs(4), "heard after {hung:?}");

    // a caller who does not wait for that leaves nothing behind
    dial(&desk);
    let _hung = listener.accept().unwrap();
    desk.hang_up().unwrap();
    let deadline = Instant::now() + Duration::from_secs(5);
    while !switch.pbx.cli("core show channels count").unwrap().contains("0 active channels") {
        assert!(Instant::now() < deadline, "a channel is left");
    }

    dial(&desk);
    let (mut dies, _) = Session::accept(&listener);
    assert_eq!(dies.command("ANSWER"), "200 result=0");
    drop(dies);
    heard_after(&desk, Instant::now());
    let mut rest = String::new();
    let _ = silent.read_to_string(&mut rest);
    assert!(rest.contains("agi_arg_1: desk1\n"), "{rest}");
}

fn a_code_leaves_no_pin_behind(version: Version) {
    let switch = Switch::start(version);
    let desk = switch.pbx.phone("desk1").unwrap();
    let listener = wait::listen(switch.pbx.agi());
    // one that succeeds, one that fails, one in which the caller hangs up
    for outcome in [Some("logged-in"), None, Some("gone")] {
        dial(&desk);
        let (mut session, environment) = Session::accept(&listener);
        assert!(!environment.iter().any(|line| line.contains(CANARY)), "{environment:?}");
        session.command("ANSWER"); // Asterisk keeps no record of a call that is not answered
        let dialled = session.command("GET FULL VARIABLE ${HD_DIALLED}");
        assert_eq!(dialled, format!("200 result=1 (*35*101*{CANARY}#)"));
        match outcome {
            Some("gone") => drop(desk.hang_up().unwrap()),
            Some(result) => drop(session.command(&format!("SET VARIABLE HD_RESULT {result}"))),
            None => {}
        }
        drop(session);
        if outcome != Some("gone") {
            desk.wait_ended_within(LONG).unwrap();
        }
    }
    let deadline = Instant::now() + Duration::from_secs(5);
    while switch.pbx.cdrs().lines().count() < 3 {
        assert!(Instant::now() < deadline, "{}", switch.pbx.cdrs());
        thread::sleep(Duration::from_millis(20));
    }
    let cdrs = switch.pbx.cdrs();
    assert!(!cdrs.contains(CANARY), "{cdrs}");
    assert!(cdrs.lines().all(|cdr| cdr.contains("\"*35\"") && cdr.contains("\"desk1\"")), "{cdrs}");
}

fn a_reload_in_the_middle_of_a_code_changes_nothing(version: Version) {
    let switch = Switch::start(version);
    let desk = switch.pbx.phone("desk1").unwrap();
    let listener = wait::listen(switch.pbx.agi());
    dial(&desk);
    let (mut session, _) = Session::accept(&listener);
    session.command("ANSWER");
    switch.pbx.cli("dialplan reload").unwrap();
    session.command("SET VARIABLE HD_RESULT logged-out");
    drop(session);
    let ended = desk.wait_ended().unwrap();
    assert_eq!((ended.code, ended.heard), (200, Duration::ZERO), "{ended:?}");
}

fn a_caller_cannot_forge_the_arguments_of_the_controller(version: Version) {
    let switch = Switch::start(version);
    let desk = switch.pbx.phone("desk1").unwrap();
    let listener = wait::listen(switch.pbx.agi());
    // Asterisk takes a line break in what is dialled, and in a number shown.
    desk.dial_as("x%0Aagi_arg_1%3A%20desk2", "*35*1;x=%0Aagi_arg_1%3A%20desk2").unwrap();
    let (mut session, environment) = Session::accept(&listener);
    let devices: Vec<_> = environment.iter().filter(|line| line.starts_with("agi_arg_1")).collect();
    assert_eq!(devices, ["agi_arg_1: desk1"], "{environment:?}");
    assert!(!environment.iter().any(|line| line.contains("desk2")), "{environment:?}");
    assert!(environment.iter().any(|line| line.starts_with("agi_arg_2: 127.0.0.1:")), "{environment:?}");
    assert_eq!(session.command("GET FULL VARIABLE ${HD_DIALLED}"), "200 result=1 (*35*1)");
    assert_eq!(session.command("NOOP"), "200 result=0");
}
