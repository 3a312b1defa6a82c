//! `hotdesk check`: all is well with a company as it is opened, and whatever breaks is named, alone, with what to do.

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use super::{SOON, company, on_both};
use crate::support::check::{all_is_well, broken};
use crate::support::company::Company;
use crate::support::debian::Version;

on_both! {
    what_breaks_in_the_switch_is_named
    a_code_that_asterisk_takes_itself_is_named
    what_is_away_is_named
}

/// A company with which all is well. Debian's Asterisk 16 comes without voicemail: there nobody has a mailbox.
fn well(version: Version) -> Company {
    let company = company(version);
    if version == Version::V16 {
        let broken = broken(&company.hotdesk);
        assert!(broken.contains("modules of switch pbx: not loaded: app_voicemail"), "{broken}");
        for user in ["101", "102", "103"] {
            company.hotdesk.run(&["user", "set", user, "--mailbox", ""]).unwrap();
        }
    }
    all_is_well(&company.hotdesk);
    company
}

/// Replaces `was` in a file of the switch, reloads, sees that this and nothing else is told, and puts it back.
fn with(company: &Company, file: &str, (was, is): (&str, &str), reload: &str, told: &str) {
    let before = fs::read_to_string(company.pbx.path(&format!("etc/{file}"))).unwrap();
    assert!(before.contains(was), "{file} has no {was}:\n{before}");
    company.pbx.write(file, &before.replacen(was, is, 1)).unwrap();
    company.pbx.cli(reload).unwrap();
    assert_eq!(broken(&company.hotdesk), told);
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
        broken(&company.hotdesk),
        "dialplan of switch pbx: it is not the one that this configuration prints; it lacks the users 2XX, the lamps of 2XX"
    );
    fs::write(company.hotdesk.path("hotdesk.toml"), toml).unwrap();
    with(
        &company,
        conf,
        ("exten => 600,1,", "exten => _*3[0-5],1,Hangup()\nexten => _*.,1,Hangup()\nexten => 600,1,"),
        "dialplan reload",
        "codes of switch pbx: *35 is the code *35 (toggle, preset simmpl) and _*3[0-5] of from-internal: at a hotdesk \
         phone it is the code",
    );
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
    assert_eq!(broken(&company.hotdesk), "phone desk9: switch pbx has no PJSIP endpoint of this name");
    company.hotdesk.run(&["device", "remove", "desk9"]).unwrap();

    let modules = if version == Version::V16 { &["app_exec"][..] } else { &["app_exec", "app_voicemail"] };
    for module in modules {
        company.pbx.cli(&format!("module unload {module}.so")).unwrap();
        assert_eq!(broken(&company.hotdesk), format!("modules of switch pbx: not loaded: {module}"));
        company.pbx.cli(&format!("module load {module}.so")).unwrap();
    }
    // What says whether something is in the dialplan is itself a module.
    company.pbx.cli("module unload func_dialplan.so").unwrap();
    assert_eq!(broken(&company.hotdesk), "modules of switch pbx: not loaded: func_dialplan");
    company.pbx.cli("module load func_dialplan.so").unwrap();

    let write = "write = system,call,user,reporting";
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
    assert!(said.contains("note   codes of switch pbx: nobody knows whether"), "{said}");
    assert!(said.contains("note   rights of switch pbx: our user may also Command, and whoever"), "{said}");
    assert!(said.ends_with("all is well\n"), "{said}");
    company.pbx.write("manager.conf", &manager).unwrap();
    company.pbx.cli("manager reload").unwrap();
    all_is_well(&company.hotdesk);
    queues(&company);
    company.hotdesk.configure("[leave]\nstay_call = true\n").unwrap();
    assert_eq!(
        broken(&company.hotdesk),
        "rights of switch pbx: our user may not Originate: nobody is called to ask whether he stays"
    );
}

/// A queue that is not there, one that may not be changed, groups that are spelled alike.
fn queues(company: &Company) {
    let queue = |name: &str| format!("[[group]]\nname = \"{name}\"\nkind = \"queue\"\n");
    company.hotdesk.configure(&(queue("sales") + &queue("nowhere"))).unwrap();
    let text = company.hotdesk.run(&["dialplan", "asterisk"]).unwrap();
    company.pbx.write("hotdesk.conf", &text).unwrap();
    company.pbx.cli("dialplan reload").unwrap();
    let may_not = "our user may not QueueAdd, QueuePause, QueueRemove: nobody takes their calls";
    assert_eq!(broken(&company.hotdesk), format!("queues of switch pbx: {may_not}"));
    let manager = fs::read_to_string(company.pbx.path("etc/manager.conf")).unwrap();
    company
        .pbx
        .write("manager.conf", &manager.replace("system,call,user", "system,call,user,agent"))
        .unwrap();
    company.pbx.cli("manager reload").unwrap();
    let none = "there is none, so who signs in to it gets none of its calls";
    assert_eq!(broken(&company.hotdesk), format!("queue nowhere on switch pbx: {none}"));
    company.hotdesk.configure("").unwrap();
    company.hotdesk.run(&["user", "set", "101", "--groups", "rack,pack"]).unwrap();
    assert_eq!(
        broken(&company.hotdesk),
        "groups of user 101: pack, rack are spelled alike on a phone, so he can sign in to none of them by a code"
    );
    company.hotdesk.run(&["user", "set", "101", "--groups", ""]).unwrap();
}

fn a_code_that_asterisk_takes_itself_is_named(version: Version) {
    let company = well(version);
    let desk = company.pbx.phone("desk1").unwrap();
    let asked = || {
        let mark = company.pbx.log().len();
        desk.dial("*35").unwrap();
        let end = Instant::now() + Duration::from_secs(2);
        while desk.in_call() && Instant::now() < end {
            thread::sleep(Duration::from_millis(20));
        }
        let _ = desk.hang_up();
        company.pbx.log()[mark..].contains("hotdesk-code")
    };
    assert!(asked());
    company.pbx.write("features.conf", "[general]\npickupexten = *35\n").unwrap();
    company.pbx.cli("module reload features").unwrap();
    assert_eq!(
        broken(&company.hotdesk),
        "codes of switch pbx: *35 is the code *35 (toggle, preset simmpl), and never gets to us: Asterisk picks up calls \
         by it itself"
    );
    assert!(!asked());
}

fn what_is_away_is_named(version: Version) {
    let mut company = well(version);
    // A login that is under way is no difference.
    company.hotdesk.run(&["login", "101", "desk1"]).unwrap();
    all_is_well(&company.hotdesk);

    let secret = company.hotdesk.path("ami.secret");
    let right = fs::read(&secret).unwrap();
    fs::write(&secret, "wrong").unwrap();
    let (began, said) = (Instant::now(), broken(&company.hotdesk));
    assert!(began.elapsed() < Duration::from_secs(6), "{:?}", began.elapsed());
    let refused = "login of switch pbx: Asterisk refused the login of user hotdesk: Authentication failed.";
    assert!(said.starts_with(refused) && !said.contains('\n'), "{said}");
    fs::write(&secret, right).unwrap();

    company.agreed(SOON).unwrap();
    company.hotdesk.stop().unwrap();
    let nobody = format!("calls of switch pbx: nobody takes them at {}", company.agi());
    let said = broken(&company.hotdesk);
    assert!(said.starts_with(&nobody) && !said.contains('\n'), "{said}");

    let mut ami = company.pbx.ami().unwrap();
    for (key, value) in [("device/desk1", "102|1|0205550101||PJSIP/desk1||||"), ("x/y", "z")] {
        let put = ami.act("DBPut", &[("Family", "hotdesk"), ("Key", key), ("Val", value)]).unwrap();
        assert_eq!(put.get("Response"), "Success");
    }
    let said = broken(&company.hotdesk);
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
    assert!(broken(&company.hotdesk).ends_with("; and 4 more"), "{}", broken(&company.hotdesk));

    company.hotdesk.start().unwrap();
    all_is_well(&company.hotdesk);
    company.pbx.stop().unwrap();
    let said = broken(&company.hotdesk);
    let away = format!("login of switch pbx: {} cannot be reached", company.pbx.ami_address());
    assert!(said.starts_with(&away) && !said.contains('\n'), "{said}");
}
