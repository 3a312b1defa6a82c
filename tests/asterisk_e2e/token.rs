//! A process that reaches the FastAGI port is not yet Asterisk: a call must show the token of the dialplan.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{SOON, company, on_both};
use crate::harness::check::{all_is_well, broken};
use crate::harness::company::{Company, one_touch};
use crate::harness::debian::Version;
use crate::harness::process::Signal;
use crate::harness::wait;

on_both! {
    another_process_of_this_machine_reads_and_changes_nothing
    check_says_that_a_dialplan_has_no_token_or_another
    the_token_is_in_no_file_of_asterisk_but_the_dialplan
}

/// What a process that knows the names of the devices can say.
fn pretend(agi: SocketAddr, device: &str, dialled: &str) -> Vec<String> {
    let stream = TcpStream::connect(agi).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let mut out = stream.try_clone().unwrap();
    let environment = format!(
        "agi_network: yes\nagi_network_script: hotdesk\nagi_channel: PJSIP/{device}-0001\nagi_uniqueid: 1795283486.9\n\
         agi_threadid: 1\nagi_arg_1: {device}\nagi_arg_2: 127.0.0.1:5060\n\n"
    );
    out.write_all(environment.as_bytes()).unwrap();
    let mut commands = vec![];
    for command in BufReader::new(stream).lines().map_while(Result::ok) {
        let reply = if command.starts_with("GET FULL") {
            format!("200 result=1 ({dialled})\n")
        } else {
            "200 result=1\n".into()
        };
        commands.push(command);
        if out.write_all(reply.as_bytes()).is_err() {
            break;
        }
    }
    commands
}

fn another_process_of_this_machine_reads_and_changes_nothing(version: Version) {
    let company = company(version);
    let desk1 = company.pbx.phone("desk1").unwrap();
    company.log_in(&desk1, "101").unwrap();
    let (sessions, journal) =
        (company.sessions().unwrap(), company.hotdesk.run(&["journal", "--json"]).unwrap());
    for dialled in ["*35", "*35*101", "*35*102*00000000", "|*35", "Custom:0|*35", "Custom:|*34"] {
        for device in ["desk1", "desk2", "desk3"] {
            let commands = pretend(company.agi(), device, dialled);
            assert!(commands.len() <= 2 && !commands.contains(&"ANSWER".into()), "{commands:?}");
        }
    }
    assert_eq!(company.sessions().unwrap(), sessions);
    assert_eq!(company.hotdesk.run(&["journal", "--json"]).unwrap(), journal);
    assert_eq!(company.hotdesk.run(&["lockout", "list", "--json"]).unwrap().trim(), "[]");
    let log = company.hotdesk.log();
    let refused: Vec<&str> = log.lines().filter(|line| line.contains("agi.not_the_switch")).collect();
    let [refused] = refused[..] else { panic!("once a minute, not {refused:#?}") };
    assert!(refused.contains("peer=127.0.0.1:") && refused.contains("hotdesk dialplan install"), "{refused}");
    // Asterisk itself is served as before.
    company.dial_code(&desk1, "*35*101", &[]).unwrap();
    assert!(company.agreed(SOON).unwrap().is_empty());
}

fn reprint(company: &Company, change: impl Fn(&str) -> String) {
    let printed = company.hotdesk.run(&["dialplan", "asterisk"]).unwrap();
    company.pbx.write("hotdesk.conf", &change(&printed)).unwrap();
    company.pbx.cli("dialplan reload").unwrap();
}

fn check_says_that_a_dialplan_has_no_token_or_another(version: Version) {
    let mut company = company(version);
    for user in ["101", "102", "103"] {
        company.hotdesk.run(&["user", "set", user, "--mailbox", ""]).unwrap();
    }
    let desk1 = company.pbx.phone("desk1").unwrap();
    let token = company.hotdesk.token();
    let refused = "Hotdesk refuses its calls, and callers hear \"not available\"";
    let hint = format!("exten => token,hint,Custom:{token}\n");
    for (is, found) in [
        (String::new(), format!("it has no token: {refused}")),
        (hint.replace(&token, "PRINT-YOUR-OWN"), format!("it has another token: {refused}")),
    ] {
        reprint(&company, |printed| printed.replace(&hint, &is));
        assert_eq!(broken(&company.hotdesk), format!("dialplan of switch pbx: {found}"));
        desk1.dial(&one_touch("101")).unwrap();
        let ended = desk1.wait_ended_within(Duration::from_secs(20)).unwrap();
        assert!(
            ended.heard > Duration::from_millis(500),
            "the caller hears that it is not available: {ended:?}"
        );
        assert!(company.sessions().unwrap().is_empty());
    }
    reprint(&company, str::to_owned);
    all_is_well(&company.hotdesk);

    // After a rotation the calls of the old print are taken, until its pepper is gone.
    company.hotdesk.run(&["pepper", "rotate"]).unwrap();
    let mark = company.hotdesk.log().len();
    company.hotdesk.signal(Signal::HUP).unwrap();
    company.hotdesk.wait_for_log(mark, "reload.done").unwrap();
    assert_ne!(company.hotdesk.token(), token);
    company.log_in(&desk1, "101").unwrap();
    let said = company.hotdesk.run(&["check"]).unwrap();
    assert!(said.contains("note   dialplan of switch pbx: it has the token of the older pepper "), "{said}");
    reprint(&company, str::to_owned);
    let said = company.hotdesk.run(&["check"]).unwrap();
    assert!(said.contains("ok     dialplan of switch pbx: is the one"), "{said}");
    company.dial_code(&desk1, "*35*101", &[]).unwrap();
    let logged_out = || company.sessions().unwrap().is_empty();
    wait::until(SOON, logged_out, || "the logout with the new token".into());
}

/// The files below `folder` that hold `text`.
fn holding(folder: &Path, text: &str, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            holding(&path, text, found);
        } else if fs::read(&path).is_ok_and(|it| it.windows(text.len()).any(|part| part == text.as_bytes())) {
            found.push(path);
        }
    }
}

fn the_token_is_in_no_file_of_asterisk_but_the_dialplan(version: Version) {
    let company = company(version);
    company.pbx.cli("core set verbose 10").unwrap();
    company.pbx.cli("dialplan reload").unwrap();
    let desk1 = company.pbx.phone("desk1").unwrap();
    let mut ami = company.pbx.ami().unwrap();
    company.log_in(&desk1, "101").unwrap();
    company.dial_code(&desk1, "*35*101", &[]).unwrap();
    let (token, mut found) = (company.hotdesk.token(), vec![]);
    holding(&company.pbx.path("."), &token, &mut found);
    let names: Vec<_> = found.iter().map(|path| path.file_name().unwrap()).collect();
    assert_eq!(names, ["hotdesk.conf"], "{found:?}");
    let channels = ami.act("Command", &[("Command", "core show channels concise")]).unwrap();
    assert!(!format!("{channels:?}").contains(&token));
}
