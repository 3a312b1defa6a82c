//! `hotdesk check`: all is well with a company as it is opened, and whatever breaks is named, alone, with what to do.

use std::fs;
use std::time::{Duration, Instant};

use super::{Company, SOON, company};
use crate::support::check::{all_is_well, broken};

/// The site's own configuration.
const SITE: &str = "conf/freeswitch.xml";

/// Replaces `was` in a file of the switch, reloads, sees that this and nothing else is told, and puts it back.
fn with(company: &Company, file: &str, (was, is): (&str, &str), told: &str) {
    let path = company.pbx.path(file);
    let before = fs::read_to_string(&path).unwrap();
    assert!(before.contains(was), "{file} has no {was}:\n{before}");
    fs::write(&path, before.replacen(was, is, 1)).unwrap();
    company.pbx.api("reloadxml").unwrap();
    assert_eq!(broken(&company.hotdesk), told);
    fs::write(&path, &before).unwrap();
    company.pbx.api("reloadxml").unwrap();
}

/// Sees that this is said, and nothing is wrong.
fn noted(company: &Company, note: &str) {
    let said = company.hotdesk.run(&["check"]).unwrap();
    assert!(said.contains(note), "{said}");
    assert!(said.ends_with("all is well\n"), "{said}");
}

#[test]
fn what_breaks_in_the_switch_is_named() {
    let Some(company) = company() else { return };
    all_is_well(&company.hotdesk);
    let hotdesk_xml = "conf/dialplan/hotdesk.xml";
    with(
        &company,
        SITE,
        ("<X-PRE-PROCESS cmd=\"include\" data=\"dialplan/*.xml\"/>", ""),
        "dialplan of switch pbx: hotdesk.xml is not in it",
    );
    with(
        &company,
        hotdesk_xml,
        ("\"hotdesk-version-", "\"hotdesk-version-0"),
        "dialplan of switch pbx: it is not the one that this configuration prints",
    );
    let toml = fs::read_to_string(company.hotdesk.path("hotdesk.toml")).unwrap();
    fs::write(company.hotdesk.path("hotdesk.toml"), toml.replace("[\"1XX\"]", "[\"1XX\", \"2XX\"]")).unwrap();
    assert_eq!(
        broken(&company.hotdesk),
        "dialplan of switch pbx: it is not the one that this configuration prints"
    );
    fs::write(company.hotdesk.path("hotdesk.toml"), toml).unwrap();
    with(
        &company,
        SITE,
        ("\"^600$\"", "\"^(600|\\*3\\d)$\""),
        "codes of switch pbx: *35 is the code *35 (toggle, preset simmpl) and echo of default: at a hotdesk phone it is \
         the code",
    );
    with(
        &company,
        SITE,
        ("\"^11[02]$\"", "\"^113$\""),
        "emergency numbers of switch pbx: the context emergency does not know 112: nobody would answer",
    );
    for known in [
        r#"<condition field="destination_number" expression="^1(\d\d|xx)$">"#,
        r#"<condition field="${destination_number}" expression="_11X">"#,
        "<condition>",
    ] {
        let was = r#"<condition field="destination_number" expression="^11[02]$">"#;
        with(&company, SITE, (was, known), "");
    }
    with(
        &company,
        SITE,
        ("<context name=\"emergency\">", "<context name=\"help\">"),
        "emergency numbers of switch pbx: there is no context emergency: nobody would answer",
    );
    with(
        &company,
        SITE,
        ("<context name=\"default\">", "<context name=\"office\">"),
        "class default on switch pbx: there is no such context, so 3 users can call nobody",
    );
    let user = |context| format!("<variable name=\"user_context\" value=\"{context}\"/>");
    with(
        &company,
        SITE,
        // the first is desk1's
        (&user("hotdesk"), &user("default")),
        "phone desk1: its user_context is default: codes and the user's identity do not work there",
    );
    company.hotdesk.add_desk("desk99", "0205550109").unwrap();
    assert_eq!(
        broken(&company.hotdesk),
        "phone desk99: the directory of switch pbx has no user desk99@hotdesk.test"
    );
    company.hotdesk.run(&["device", "remove", "desk99"]).unwrap();

    for module in ["mod_tone_stream", "mod_voicemail", "mod_db"] {
        company.pbx.api(&format!("unload {module}")).unwrap();
        assert_eq!(broken(&company.hotdesk), format!("modules of switch pbx: not loaded: {module}"));
        company.pbx.api(&format!("load {module}")).unwrap();
    }
    company.agreed(SOON).unwrap();
    all_is_well(&company.hotdesk);
}

#[test]
fn what_could_be_better_is_noted() {
    let Some(company) = company() else { return };
    company.hotdesk.run(&["user", "set", "101", "--class", "circle"]).unwrap();
    noted(&company, "note   class circle on switch pbx: whoever has it cannot call users\n");
    company.hotdesk.run(&["user", "set", "101", "--class", "default"]).unwrap();

    let sound = |name: &str| company.pbx.path(&format!("sounds/hotdesk/{name}.wav"));
    fs::remove_file(sound("nl/enter-pin")).unwrap();
    all_is_well(&company.hotdesk);
    company.hotdesk.run(&["user", "set", "101", "--language", "nl"]).unwrap();
    noted(&company, "lacks hotdesk/nl/enter-pin.wav: callers hear English, or a stock sound\n");
    fs::remove_file(sound("en/enter-pin")).unwrap();
    let said = broken(&company.hotdesk);
    assert!(said.starts_with("sounds of switch pbx: ") && !said.contains('\n'), "{said}");
    assert!(said.ends_with("enter-pin.wav, and stock sounds for it: callers hear beeps"), "{said}");
}

#[test]
fn what_is_away_is_named() {
    let Some(mut company) = company() else { return };
    // A login that is under way is no difference.
    company.hotdesk.run(&["login", "101", "desk1"]).unwrap();
    all_is_well(&company.hotdesk);

    let (log, journal) = (company.hotdesk.log(), company.hotdesk.run(&["journal"]).unwrap());
    assert!(log.contains("INFO") && !log.contains("WARN") && !log.contains("ERROR"), "{log}");
    assert!(!journal.contains("hotdesk-check"), "{journal}");

    let secret = company.hotdesk.path("esl.secret");
    let right = fs::read(&secret).unwrap();
    fs::write(&secret, "wrong").unwrap();
    let (began, said) = (Instant::now(), broken(&company.hotdesk));
    assert!(began.elapsed() < Duration::from_secs(6), "{:?}", began.elapsed());
    let refused = "login of switch pbx: FreeSWITCH refused the password.";
    assert!(said.starts_with(refused) && !said.contains('\n'), "{said}");
    fs::write(&secret, right).unwrap();

    company.agreed(SOON).unwrap();
    company.hotdesk.stop().unwrap();
    let nobody =
        "calls of switch pbx: nobody takes them: who dials a code hears \"not available\"".to_owned();
    assert_eq!(broken(&company.hotdesk), nobody);

    let mut esl = company.pbx.esl().unwrap();
    let mut db = |command: &str| assert_eq!(esl.api(&format!("db {command}")).unwrap(), "+OK");
    db("insert/hotdesk-device-default/desk1/102|1|0205550101||${sofia_contact(*/desk1@hotdesk.test)}||||");
    db("insert/hotdesk-lamp-default/x/z");
    let said = broken(&company.hotdesk);
    let table = "table of switch pbx: device desk1 is 102 and should be 101; \
                 unknown \"hotdesk-lamp-default/x\" is \"z\" and should be missing";
    assert_eq!(said, format!("{nobody}\n{table}"));
    for n in 0..12 {
        db(&format!("insert/hotdesk-lamp-default/x{n}/z"));
    }
    assert!(broken(&company.hotdesk).ends_with("; and 4 more"), "{}", broken(&company.hotdesk));

    company.hotdesk.start().unwrap();
    all_is_well(&company.hotdesk);
    company.pbx.stop().unwrap();
    let said = broken(&company.hotdesk);
    let away = format!("login of switch pbx: {} cannot be reached", company.pbx.esl_address());
    assert!(said.starts_with(&away) && !said.contains('\n'), "{said}");
}
