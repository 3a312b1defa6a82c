//! `hotdesk check`: all is well with a company as it is opened, and whatever breaks is named, alone, with what to do.

use std::fs;
use std::time::{Duration, Instant};

use super::{SOON, company, on_both};
use crate::support::company::Company;
use crate::support::debian::Version;

on_both! {
    what_breaks_in_the_switch_is_named
    what_is_away_is_named
}

/// What was said of one thing that was looked at.
type Said = (String, String, Option<String>);

/// A company with which all is well. Debian's Asterisk 16 comes without voicemail: there nobody has a mailbox.
fn well(version: Version) -> Company {
    let company = company(version);
    if version == Version::V16 {
        let broken = broken(&company);
        assert!(broken.contains("modules of switch pbx: not loaded: app_voicemail"), "{broken}");
        for user in ["101", "102", "103"] {
            company.hotdesk.run(&["user", "set", user, "--mailbox", ""]).unwrap();
        }
    }
    all_is_well(&company);
    company
}

/// Each thing, whether it is well, how it is and what to do.
fn findings(company: &Company) -> (Option<i32>, Vec<(bool, Said)>) {
    let output = company.hotdesk.output(&["check", "--json"], "").unwrap();
    let findings: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let text = |value: &serde_json::Value| value.as_str().map(str::to_owned);
    let findings = findings.as_array().unwrap().iter().map(|finding| {
        let said = (text(&finding["check"]).unwrap(), text(&finding["found"]).unwrap(), text(&finding["do"]));
        (finding["ok"].as_bool().unwrap(), said)
    });
    (output.status.code(), findings.collect())
}

fn all_is_well(company: &Company) {
    let (code, findings) = findings(company);
    assert!(code == Some(0) && findings.iter().all(|(ok, said)| *ok && said.2.is_none()), "{findings:#?}");
}

/// What is wrong, one a line; each with what to do.
fn broken(company: &Company) -> String {
    let (code, findings) = findings(company);
    let wrong = findings.into_iter().filter(|(ok, _)| !ok).map(|(_, (check, found, remedy))| {
        assert!(remedy.is_some_and(|remedy| !remedy.is_empty()), "{check}: what is to be done?");
        format!("{check}: {found}")
    });
    let wrong = wrong.collect::<Vec<_>>().join("\n");
    assert_eq!(code, Some(i32::from(!wrong.is_empty())), "{wrong}");
    wrong
}

/// Replaces `was` in a file of the switch, reloads, sees that this and nothing else is told, and puts it back.
fn with(company: &Company, file: &str, (was, is): (&str, &str), reload: &str, told: &str) {
    let before = fs::read_to_string(company.pbx.path(&format!("etc/{file}"))).unwrap();
    assert!(before.contains(was), "{file} has no {was}:\n{before}");
    company.pbx.write(file, &before.replacen(was, is, 1)).unwrap();
    company.pbx.cli(reload).unwrap();
    assert_eq!(broken(company), told);
    company.pbx.write(file, &before).unwrap();
    company.pbx.cli(reload).unwrap();
}

fn what_breaks_in_the_switch_is_named(version: Version) {
    let company = well(version);
    let conf = "extensions.conf";
    with(
        &company,
        conf,
        ("#include hotdesk.conf", ""),
        "dialplan reload",
        "dialplan of switch pbx: hotdesk.conf is not in it",
    );
    with(
        &company,
        "hotdesk.conf",
        ("exten => _1[02-9]X,1,", "exten => _2XX,1,"),
        "dialplan reload",
        // The text that is loaded still names the version it was printed as.
        "dialplan of switch pbx: it is loaded in part; it lacks the users 1[02-9]X",
    );
    let toml = fs::read_to_string(company.hotdesk.path("hotdesk.toml")).unwrap();
    fs::write(company.hotdesk.path("hotdesk.toml"), toml.replace("[\"1XX\"]", "[\"1XX\", \"2XX\"]")).unwrap();
    assert_eq!(
        broken(&company),
        "dialplan of switch pbx: it is not the one that this configuration prints; it lacks the users 2XX, the lamps of 2XX"
    );
    fs::write(company.hotdesk.path("hotdesk.toml"), toml).unwrap();
    with(
        &company,
        conf,
        ("exten => 112,", "exten => 113,"),
        "dialplan reload",
        "emergency numbers of switch pbx: the context emergency does not know 112: nobody would answer",
    );
    with(
        &company,
        conf,
        ("[from-internal]", "[from-outside]"),
        "dialplan reload",
        "class from-internal on switch pbx: there is no such context, so 3 users can call nobody",
    );
    with(
        &company,
        "pjsip.conf",
        ("auth=desk2\ncontext=hotdesk", "auth=desk2\ncontext=from-internal"),
        "module reload res_pjsip.so",
        "phone desk2: its endpoint has context = from-internal: codes and the user's identity do not work there",
    );
    company.hotdesk.add_desk("desk9", "0205550109").unwrap();
    assert_eq!(broken(&company), "phone desk9: switch pbx has no PJSIP endpoint of this name");
    company.hotdesk.run(&["device", "remove", "desk9"]).unwrap();

    let modules = if version == Version::V16 { &["app_exec"][..] } else { &["app_exec", "app_voicemail"] };
    for module in modules {
        company.pbx.cli(&format!("module unload {module}.so")).unwrap();
        assert_eq!(broken(&company), format!("modules of switch pbx: not loaded: {module}"));
        company.pbx.cli(&format!("module load {module}.so")).unwrap();
    }
    // What says whether something is in the dialplan is itself a module.
    company.pbx.cli("module unload func_dialplan.so").unwrap();
    assert_eq!(broken(&company), "modules of switch pbx: not loaded: func_dialplan");
    company.pbx.cli("module load func_dialplan.so").unwrap();

    let write = "write = system,call,user";
    with(
        &company,
        "manager.conf",
        (write, "write = system,user"),
        "manager reload",
        "rights of switch pbx: our user may not ExtensionState, ExtensionStateList, Getvar",
    );
    let manager = fs::read_to_string(company.pbx.path("etc/manager.conf")).unwrap();
    company.pbx.write("manager.conf", &manager.replace(write, "write = system,call,user,command")).unwrap();
    company.pbx.cli("manager reload").unwrap();
    let said = company.hotdesk.run(&["check"]).unwrap();
    assert!(said.contains("note   rights of switch pbx: our user may also Command, and whoever"), "{said}");
    assert!(said.ends_with("all is well\n"), "{said}");
    company.pbx.write("manager.conf", &manager).unwrap();
    company.pbx.cli("manager reload").unwrap();
    all_is_well(&company);
}

fn what_is_away_is_named(version: Version) {
    let mut company = well(version);
    // A login that is under way is no difference.
    company.hotdesk.run(&["login", "101", "desk1"]).unwrap();
    all_is_well(&company);

    let secret = company.hotdesk.path("ami.secret");
    let right = fs::read(&secret).unwrap();
    fs::write(&secret, "wrong").unwrap();
    let (began, said) = (Instant::now(), broken(&company));
    assert!(began.elapsed() < Duration::from_secs(6), "{:?}", began.elapsed());
    let refused = "login of switch pbx: Asterisk refused the login of user hotdesk: Authentication failed.";
    assert!(said.starts_with(refused) && !said.contains('\n'), "{said}");
    fs::write(&secret, right).unwrap();

    company.agreed(SOON).unwrap();
    company.hotdesk.stop().unwrap();
    let nobody = format!("calls of switch pbx: nobody takes them at {}", company.agi());
    let said = broken(&company);
    assert!(said.starts_with(&nobody) && !said.contains('\n'), "{said}");

    let mut ami = company.pbx.ami().unwrap();
    for (key, value) in [("device/desk1", "102|1|0205550101"), ("x/y", "z")] {
        let put = ami.act("DBPut", &[("Family", "hotdesk"), ("Key", key), ("Val", value)]).unwrap();
        assert_eq!(put.get("Response"), "Success");
    }
    let said = broken(&company);
    let lines: Vec<&str> = said.lines().collect();
    assert!(lines.len() == 2 && lines[0].starts_with(&nobody), "{said}");
    assert_eq!(
        lines[1],
        "table of switch pbx: device desk1 is 102 and should be 101; unknown \"x/y\" is \"z\" and should be missing"
    );
    for n in 0..12 {
        let key = format!("x/{n}");
        ami.act("DBPut", &[("Family", "hotdesk"), ("Key", &key), ("Val", "z")]).unwrap();
    }
    assert!(broken(&company).ends_with("; and 4 more"), "{}", broken(&company));

    company.hotdesk.start().unwrap();
    all_is_well(&company);
    company.pbx.stop().unwrap();
    let said = broken(&company);
    let away = format!("login of switch pbx: {} cannot be reached", company.pbx.ami_address());
    assert!(said.starts_with(&away) && !said.contains('\n'), "{said}");
}
