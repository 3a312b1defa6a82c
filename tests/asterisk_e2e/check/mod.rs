//! `hotdesk check` has no findings on a new company. Each fault is one finding with its remedy.

mod calls;
mod listener;

use std::fs;
use std::time::{Duration, Instant};

use super::{SOON, company, on_both};
use crate::harness::check::{all_is_well, broken};
use crate::harness::company::Company;
use crate::harness::debian::Version;

on_both! {
    check_names_each_fault_of_the_switch
    what_a_record_names_and_the_switch_lacks_is_said_at_once
    check_names_what_is_not_reachable
}

/// A company without findings. Debian's Asterisk 16 comes without voicemail: there no user has a mailbox.
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

/// Replaces `was` in a file of the switch, reloads, expects this one finding, and restores the file.
fn with(company: &Company, file: &str, (was, is): (&str, &str), reload: &str, told: &str) {
    let before = fs::read_to_string(company.pbx.path(&format!("etc/{file}"))).unwrap();
    assert!(before.contains(was), "{file} has no {was}:\n{before}");
    company.pbx.write(file, &before.replacen(was, is, 1)).unwrap();
    company.pbx.cli(reload).unwrap();
    assert_eq!(broken(&company.hotdesk), told);
    company.pbx.write(file, &before).unwrap();
    company.pbx.cli(reload).unwrap();
}

fn check_names_each_fault_of_the_switch(version: Version) {
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
        "dialplan of switch pbx: it is not the one that this configuration prints; it lacks the users 2XX, the BLFs of 2XX"
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
        "emergency numbers of switch pbx: the context emergency does not know 112: such calls fail",
    );
    with(
        &company,
        conf,
        ("[from-internal]", "[from-outside]"),
        "dialplan reload",
        "class from-internal on switch pbx: there is no such context, so 3 users cannot make calls",
    );
    with(
        &company,
        "pjsip.conf",
        ("auth=desk2\ncontext=hotdesk", "auth=desk2\ncontext=from-internal"),
        "module reload res_pjsip.so",
        "phone desk2: its endpoint has context = from-internal: codes and the user's identity do not work there\n\
         ? emergency call from desk2: its endpoint has context = from-internal: whatever that does, Hotdesk's dialplan does not",
    );
    company.hotdesk.add_desk("desk9", "0205550109").unwrap();
    // Whatever it is dialled by: no row is read for it.
    let sip = "device desk9: SIP/desk9 cannot be dialled: switch pbx has not loaded chan_sip\n";
    for (dial, more) in [("PJSIP/desk9", ""), ("SIP/desk9", sip)] {
        company.hotdesk.run(&["device", "set", "desk9", "--dial", dial]).unwrap();
        assert_eq!(
            broken(&company.hotdesk),
            format!(
                "phone desk9: switch pbx has no PJSIP endpoint of this name\n{more}\
                 emergency call from desk9: there is no PJSIP endpoint of this name, so a call from this device reads no row \
                 and shows what its channel has"
            )
        );
    }
    company.hotdesk.run(&["device", "remove", "desk9"]).unwrap();
    company.hotdesk.run(&["user", "set", "101", "--recording", "always"]).unwrap();
    assert_eq!(
        broken(&company.hotdesk),
        "recording of switch pbx: 1 users want their calls recorded, and no context does that"
    );
    company.hotdesk.run(&["user", "set", "101", "--recording", "never"]).unwrap();

    let modules = if version == Version::V16 { &["app_exec"][..] } else { &["app_exec", "app_voicemail"] };
    for module in modules {
        company.pbx.cli(&format!("module unload {module}.so")).unwrap();
        assert_eq!(broken(&company.hotdesk), format!("modules of switch pbx: not loaded: {module}"));
        company.pbx.cli(&format!("module load {module}.so")).unwrap();
    }
    // What says whether something is in the dialplan is itself a module.
    company.pbx.cli("module unload func_dialplan.so").unwrap();
    assert_eq!(
        broken(&company.hotdesk),
        "modules of switch pbx: not loaded: func_dialplan\n\
         ? dialplan of switch pbx: could not be looked at: func_dialplan is not loaded"
    );
    company.pbx.cli("module load func_dialplan.so").unwrap();

    let write = "write = system,call,user,reporting";
    with(
        &company,
        "manager.conf",
        (write, "write = system,user"),
        "manager reload",
        "rights of switch pbx: Hotdesk's user may not ExtensionState, ExtensionStateList, Getvar\n\
         ? table of switch pbx: could not be read: \"Hotdesk's user may not ExtensionState, ExtensionStateList, Getvar\"",
    );
    let manager = fs::read_to_string(company.pbx.path("etc/manager.conf")).unwrap();
    company.pbx.write("manager.conf", &manager.replace(write, "write = system,call,user,command")).unwrap();
    company.pbx.cli("manager reload").unwrap();
    assert_eq!(
        broken(&company.hotdesk),
        "? emergency numbers of switch pbx: cannot tell where emergency calls go: Hotdesk's user may not read the dialplan\n\
         ? codes of switch pbx: cannot tell whether a code hides a number of the site: Hotdesk's user may not read the dialplan\n\
         ? calls to users of switch pbx: cannot tell whether they reach Hotdesk: Hotdesk's user may not read the dialplan"
    );
    let said = company.hotdesk.output(&["check"], "").unwrap();
    let said = String::from_utf8(said.stdout).unwrap();
    assert!(
        said.contains("note   rights of switch pbx: Hotdesk's user may also Command: a stolen secret"),
        "{said}"
    );
    assert!(said.ends_with(" checks could not be made\n"), "{said}");
    company.pbx.write("manager.conf", &manager).unwrap();
    company.pbx.cli("manager reload").unwrap();
    all_is_well(&company.hotdesk);
    queues(&company);
    company.hotdesk.configure("[auto_logout]\nextend_call = true\n").unwrap();
    assert_eq!(
        broken(&company.hotdesk),
        "rights of switch pbx: Hotdesk's user may not Originate: no device rings to ask its user to extend the session"
    );
}

/// A queue that is not there, one that may not be changed, groups that are spelled alike.
fn queues(company: &Company) {
    let queue = |name: &str| format!("[[group]]\nname = \"{name}\"\nkind = \"queue\"\n");
    company.hotdesk.configure(&(queue("sales") + &queue("nowhere"))).unwrap();
    let text = company.hotdesk.run(&["dialplan", "asterisk"]).unwrap();
    company.pbx.write("hotdesk.conf", &text).unwrap();
    company.pbx.cli("dialplan reload").unwrap();
    let may_not = "Hotdesk's user may not QueueAdd, QueuePause, QueueRemove: the queues get no members";
    assert_eq!(broken(&company.hotdesk), format!("queues of switch pbx: {may_not}"));
    let manager = fs::read_to_string(company.pbx.path("etc/manager.conf")).unwrap();
    company
        .pbx
        .write("manager.conf", &manager.replace("system,call,user", "system,call,user,agent"))
        .unwrap();
    company.pbx.cli("manager reload").unwrap();
    let none = "there is none, so a user who signs in to it gets none of its calls";
    assert_eq!(broken(&company.hotdesk), format!("queue nowhere on switch pbx: {none}"));
    company.hotdesk.configure("").unwrap();
    company.hotdesk.run(&["user", "set", "101", "--groups", "rack,pack"]).unwrap();
    let unknown = "user 101: no [[group]] is named pack or rack: no call rings for it";
    assert_eq!(
        broken(&company.hotdesk),
        format!(
            "groups of user 101: pack, rack are spelled alike on a phone, so the user can sign in to none of them by a code\n{unknown}"
        )
    );
    company.hotdesk.run(&["user", "set", "101", "--groups", ""]).unwrap();
}

/// Each mistake is a warning at once, a line of the check, and with --strict an error that changes nothing.
fn what_a_record_names_and_the_switch_lacks_is_said_at_once(version: Version) {
    let mut company = well(version);
    let desk9 = ["device", "add", "desk9", "--switch", "pbx", "--location", "room-of-desk1", "--dial"];
    let device = |dial: &'static str, more: &[&'static str]| [&desk9[..], &[dial], more].concat();
    let lift = ["--no-hotdesk"];
    let mut table = vec![
        (device("PJSIP/desk9", &[]), "phone desk9: switch pbx has no PJSIP endpoint of this name"),
        (
            device("SIP/desk9", &lift),
            "device desk9: SIP/desk9 cannot be dialled: switch pbx has not loaded chan_sip",
        ),
        (
            device("PJSIP/061@nowhere", &lift),
            "device desk9: PJSIP/061@nowhere cannot be dialled: switch pbx has no PJSIP endpoint nowhere",
        ),
        (vec!["user", "set", "101", "--groups", "packing"], "user 101: no [[group]] is named packing"),
        (vec!["user", "set", "101", "--language", "fr"], "user 101: Hotdesk has no prompts in fr"),
        (
            vec!["user", "set", "101", "--caller-id", "112"],
            "user 101: its caller ID 112 is an emergency number",
        ),
        (
            vec!["location", "set", "room-of-desk1", "--emergency-caller-id", "112"],
            "location room-of-desk1: its emergency caller ID 112 is itself an emergency number",
        ),
        (
            vec!["location", "set", "room-of-desk1", "--language", "fr"],
            "location room-of-desk1: Hotdesk has no prompts in fr",
        ),
    ];
    if version != Version::V16 {
        table.push((
            vec!["user", "set", "101", "--mailbox", "999"],
            "user 101: switch pbx has no mailbox 999",
        ));
    }
    let undo = [
        &["user", "set", "101", "--groups", "", "--language", "", "--caller-id", ""][..],
        &["location", "set", "room-of-desk1", "--emergency-caller-id", "0205550101", "--language", ""],
    ];
    for (args, says) in table {
        let said = |args: &[&str]| {
            let output = company.hotdesk.output(args, "").unwrap();
            (output.status.success(), String::from_utf8(output.stderr).unwrap())
        };
        let before = company.hotdesk.run(&["journal", "--json"]).unwrap();
        let (done, refused) = said(&[&args[..], &["--strict"]].concat());
        assert!(!done && refused.starts_with(&format!("hotdesk: {says}")), "{args:?}: {refused}");
        assert_eq!(company.hotdesk.run(&["journal", "--json"]).unwrap(), before, "nothing was changed");
        let (done, warned) = said(&args);
        assert!(done && warned.starts_with(&format!("hotdesk: {says}")), "{args:?}: {warned}");
        assert!(broken(&company.hotdesk).contains(says), "{args:?}: {}", broken(&company.hotdesk));
        for undo in undo {
            company.hotdesk.run(undo).unwrap();
        }
        if args.contains(&"--mailbox") {
            company.hotdesk.run(&["user", "set", "101", "--mailbox", "101"]).unwrap();
        }
        let _ = company.hotdesk.run(&["device", "remove", "desk9"]);
    }
    let fine = device("PJSIP/061@trunk&Local/1@x", &["--no-hotdesk", "--strict"]);
    let output = company.hotdesk.output(&fine, "").unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");

    // A switch that cannot be asked is a note, also with --strict.
    company.pbx.stop().unwrap();
    let output =
        company.hotdesk.output(&["device", "set", "desk9", "--dial", "PJSIP/desk8", "--strict"], "").unwrap();
    let noted = String::from_utf8(output.stderr).unwrap();
    assert!(
        output.status.success() && noted.starts_with("hotdesk: pbx could not be asked whether this exists: "),
        "{noted}"
    );
}

fn check_names_what_is_not_reachable(version: Version) {
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
    let unread = "\n? table of switch pbx: could not be read: \"Asterisk refused the login";
    assert!(said.starts_with(refused) && said.contains(unread) && said.lines().count() == 2, "{said}");
    fs::write(&secret, right).unwrap();

    company.agreed(SOON).unwrap();
    company.hotdesk.stop().unwrap();
    let calls = format!("calls of switch pbx: no controller takes them at {}", company.agi());
    let said = broken(&company.hotdesk);
    assert!(said.starts_with(&calls) && !said.contains('\n'), "{said}");

    let mut ami = company.pbx.ami().unwrap();
    for (key, value) in [("device/desk1", "102|1|0205550101||PJSIP/desk1||||"), ("x/y", "z")] {
        let put = ami.act("DBPut", &[("Family", "hotdesk"), ("Key", key), ("Val", value)]).unwrap();
        assert_eq!(put.get("Response"), "Success");
    }
    let said = broken(&company.hotdesk);
    let lines: Vec<&str> = said.lines().collect();
    assert!(lines.len() == 2 && lines[0].starts_with(&calls), "{said}");
    let differs = "table of switch pbx: device desk1 (AstDB hotdesk/device/desk1) is user 102, revision 1";
    assert!(
        lines[1].starts_with(differs) && lines[1].contains(" and should be user 101, revision "),
        "{said}"
    );
    assert!(lines[1].ends_with("; AstDB hotdesk/x/y is \"z\" and should be missing"), "{said}");
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
    let unread = "\n? table of switch pbx: could not be read: ";
    assert!(said.starts_with(&away) && said.contains(unread) && said.lines().count() == 2, "{said}");
}
