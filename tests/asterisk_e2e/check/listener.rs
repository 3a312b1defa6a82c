//! Whether the check asks the right one: what answers at the address of Hotdesk, and an Asterisk that does not let it log in.

use std::fs;
use std::io::Write as _;
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};

use super::well;
use crate::asterisk_e2e::on_both;
use crate::harness::check::{all_is_well, broken};
use crate::harness::debian::Version;
use crate::harness::process::Signal;
use crate::harness::wait;

on_both! {
    checks_are_not_logged_as_strangers
    check_recognizes_who_listens_for_calls
    check_does_not_know_what_an_asterisk_of_one_login_does
}

/// Where Hotdesk takes calls from the switch alone, the check does not connect, and no stranger is logged.
fn checks_are_not_logged_as_strangers(version: Version) {
    let mut company = well(version);
    let (log, agi) = (company.hotdesk.log(), company.agi());
    company.hotdesk.configure("agi_allow = [\"192.0.2.7/32\"]\n").unwrap();
    company.hotdesk.signal(Signal::HUP).unwrap();
    company.hotdesk.wait_for_log(log.len(), "reload.done").unwrap();
    assert_eq!(
        broken(&company.hotdesk),
        format!(
            "? calls of switch pbx: cannot tell whether Hotdesk listens at {agi} (agi_listen): this machine is not \
                 allowed to connect, so it was not asked"
        )
    );
    company.hotdesk.stop().unwrap();
    let down = broken(&company.hotdesk);
    assert!(
        down.contains(&format!("calls of switch pbx: no controller takes them at {agi} (the port is free)")),
        "{down}"
    );
    let log = company.hotdesk.log();
    assert!(!log.contains("listener.not_allowed") && !log.contains("agi.not_the_switch"), "{log}");
}

/// Answers each connection with `greeting`, and closes it.
fn listen(at: SocketAddr, greeting: &'static str) -> (Arc<AtomicBool>, JoinHandle<()>) {
    let listener = wait::listen(at);
    let stop = Arc::new(AtomicBool::new(false));
    let stopped = stop.clone();
    let thread = thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            if stopped.load(Ordering::Relaxed) {
                return;
            }
            let mut stream = stream;
            let _ = stream.write_all(greeting.as_bytes());
        }
    });
    (stop, thread)
}

fn check_recognizes_who_listens_for_calls(version: Version) {
    let mut company = well(version);
    company.hotdesk.stop().unwrap();
    let agi = company.agi();
    for (greeting, said) in [
        ("VERBOSE \"FreePBX\" 1\n", "it answered \"VERBOSE \\\"FreePBX\\\" 1\""),
        ("SSH-2.0-OpenSSH_9.2\r\n", "it answered \"SSH-2.0-OpenSSH_9.2\""),
        ("", "it closed the connection"),
        ("NOOP \"hotdesk-0123456789abcdef0123456789abcdef\"\n", ""),
    ] {
        let (stop, thread) = listen(agi, greeting);
        let told = broken(&company.hotdesk);
        let expected = match said {
            "" => format!(
                "calls of switch pbx: the Hotdesk that answers at {agi} (agi_listen) has another pepper"
            ),
            said => format!("calls of switch pbx: what listens at {agi} (agi_listen) is not Hotdesk: {said}"),
        };
        assert!(told.starts_with(&expected) && !told.contains('\n'), "{told}");
        stop.store(true, Ordering::Relaxed);
        let _ = TcpStream::connect(agi);
        thread.join().unwrap();
    }
    wait::free(agi);
    company.hotdesk.start().unwrap();
    all_is_well(&company.hotdesk);
}

fn check_does_not_know_what_an_asterisk_of_one_login_does(version: Version) {
    let company = well(version);
    let manager = fs::read_to_string(company.pbx.path("etc/manager.conf")).unwrap();
    let one = manager.replacen("[hotdesk]\n", "[hotdesk]\nallowmultiplelogin = no\n", 1);
    assert_ne!(one, manager);
    company.pbx.write("manager.conf", &one).unwrap();
    company.pbx.cli("manager reload").unwrap();
    let said = broken(&company.hotdesk);
    let lines: Vec<&str> = said.lines().collect();
    assert!(
        lines.len() == 2
            && lines[0].starts_with("? login of switch pbx: Asterisk refused the login of user hotdesk: "),
        "{said}"
    );
    assert!(lines[0].contains("Login Already In Use") && !lines[0].contains("secret"), "{said}");
    assert!(lines[1].starts_with("? table of switch pbx: could not be read"), "{said}");
    // The controller itself goes on.
    company.log_in(&company.pbx.phone("desk1").unwrap(), "101").unwrap();
}
