//! `hotdesk check` has no findings on a new company. Each fault is one finding with its remedy.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::{Company, SOON, company};
use crate::harness::check::{all_is_well, broken};
use crate::harness::freeswitch::binding::Question;

/// The site's own configuration.
const SITE: &str = "conf/freeswitch.xml";

/// Replaces `was` in a file of the switch, reloads, expects this one finding, and restores the file.
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
fn check_names_each_fault_of_the_switch() {
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
        "emergency numbers of switch pbx: the context emergency does not know 112: such calls fail",
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
        "emergency numbers of switch pbx: there is no context emergency: such calls fail",
    );
    with(
        &company,
        SITE,
        ("<context name=\"default\">", "<context name=\"office\">"),
        "class default on switch pbx: there is no such context, so 3 users cannot make calls",
    );
    let user = |context| format!("<variable name=\"user_context\" value=\"{context}\"/>");
    with(
        &company,
        SITE,
        // the first is desk1's
        (&user("hotdesk@desk"), &user("default")),
        "phone desk1: its user_context is default: codes and the user's identity do not work there\n\
         ? emergency call from desk1: its user_context is default: whatever that does, Hotdesk's dialplan does not",
    );
    company.hotdesk.add_desk("desk99", "0205550109").unwrap();
    assert_eq!(
        broken(&company.hotdesk),
        "phone desk99: the directory of switch pbx has no user desk99@hotdesk.test\n\
         ? emergency call from desk99: its user_context is not set, or there is no such user: whatever that does, Hotdesk's \
         dialplan does not"
    );
    company.hotdesk.run(&["device", "remove", "desk99"]).unwrap();

    for module in ["mod_tone_stream", "mod_voicemail", "mod_db"] {
        company.pbx.api(&format!("unload {module}")).unwrap();
        let table = match module {
            "mod_db" => {
                "\n? emergency calls of switch pbx: could not be read: \"the switch refused mod_db: db Command not found!\"\n\
                 ? table of switch pbx: could not be read: mod_db: \"db Command not found!\""
            }
            _ => "",
        };
        assert_eq!(broken(&company.hotdesk), format!("modules of switch pbx: not loaded: {module}{table}"));
        company.pbx.api(&format!("load {module}")).unwrap();
    }
    company.agreed(SOON).unwrap();
    all_is_well(&company.hotdesk);
}

#[test]
fn check_notes_possible_improvements() {
    let Some(company) = company() else { return };
    company.hotdesk.run(&["user", "set", "101", "--class", "circle"]).unwrap();
    noted(&company, "note   class circle on switch pbx: its users cannot call other users\n");
    company.hotdesk.run(&["user", "set", "101", "--class", "default"]).unwrap();

    let sound = |name: &str| company.pbx.path(&format!("sounds/hotdesk/{name}.wav"));
    fs::remove_file(sound("nl/enter-pin")).unwrap();
    all_is_well(&company.hotdesk);
    company.hotdesk.run(&["user", "set", "101", "--language", "nl"]).unwrap();
    noted(&company, "lacks hotdesk/nl/enter-pin.wav: callers hear English, or a stock sound\n");
    fs::remove_file(sound("en/enter-pin")).unwrap();
    let said = broken(&company.hotdesk);
    assert!(said.starts_with("sounds of switch pbx: ") && !said.contains('\n'), "{said}");
    assert!(said.ends_with("enter-pin.wav, and stock sounds are missing too: callers hear beeps"), "{said}");
}

#[test]
fn check_finds_the_context_that_records_calls_or_says_that_it_is_missing() {
    let Some(company) = company() else { return };
    company.hotdesk.run(&["user", "set", "101", "--recording", "always"]).unwrap();
    let found = |context: &str| {
        let key =
            if context.is_empty() { String::new() } else { format!("recording_context = \"{context}\"\n") };
        company.hotdesk.configure(&format!("[dialplan]\nusers = [\"1XX\"]\n{key}")).unwrap();
        let printed = company.hotdesk.run(&["dialplan", "freeswitch"]).unwrap();
        fs::write(company.pbx.path("conf/dialplan/hotdesk.xml"), printed).unwrap();
        company.pbx.api("reloadxml").unwrap();
        broken(&company.hotdesk)
    };
    assert_eq!(
        found(""),
        "recording of switch pbx: 1 users want their calls recorded, and no context does that"
    );
    assert_eq!(found("archive"), "recording of switch pbx: there is no context archive: no call is recorded");
    assert_eq!(found("recording"), "");
    let said = company.hotdesk.run(&["check"]).unwrap();
    assert!(said.contains("the context recording records calls of 1 users"), "{said}");
}

#[test]
fn check_names_what_is_not_reachable() {
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
    let unread = "\n? table of switch pbx: could not be read: \"FreeSWITCH refused the password.";
    assert!(said.starts_with(refused) && said.contains(unread) && said.lines().count() == 2, "{said}");
    fs::write(&secret, right).unwrap();

    company.agreed(SOON).unwrap();
    company.hotdesk.stop().unwrap();
    let calls =
        "calls of switch pbx: no controller takes them: a caller who dials a code hears \"not available\"";
    assert_eq!(broken(&company.hotdesk), calls);

    let mut esl = company.pbx.esl().unwrap();
    let mut db = |command: &str| assert_eq!(esl.api(&format!("db {command}")).unwrap(), "+OK");
    db("insert/hotdesk-device-default/desk1/102|1|0205550101||${sofia_contact(*/desk1@hotdesk.test)}||||");
    db("insert/hotdesk-lamp-default/x/z");
    let said = broken(&company.hotdesk);
    let table =
        "table of switch pbx: device desk1 (mod_db hotdesk-device-default/desk1) is user 102, revision 1";
    assert!(said.starts_with(&format!("{calls}\n{table}")), "{said}");
    assert!(said.contains("mod_db hotdesk-lamp-default/x is \"z\" and should be missing"), "{said}");
    assert_eq!(said.lines().count(), 2, "{said}");
    for n in 0..12 {
        db(&format!("insert/hotdesk-lamp-default/x{n}/z"));
    }
    assert!(broken(&company.hotdesk).contains("; and 4 more; not kept by this switch: BLF of devices"));

    company.hotdesk.start().unwrap();
    all_is_well(&company.hotdesk);
    company.pbx.stop().unwrap();
    let said = broken(&company.hotdesk);
    let away = format!("login of switch pbx: {} cannot be reached", company.pbx.esl_address());
    let unread = "\n? table of switch pbx: could not be read: ";
    assert!(said.starts_with(&away) && said.contains(unread) && said.lines().count() == 2, "{said}");
}

#[test]
fn check_follows_an_emergency_call_to_the_trunk() {
    let Some(company) = company() else { return };
    let said = company.hotdesk.run(&["check"]).unwrap();
    assert!(said.contains("112 leaves by user/trunk@hotdesk.test"), "{said}");
    assert!(said.contains("ok     emergency call from desk1: "), "{said}");
    let was = r#"<condition field="destination_number" expression="^11[02]$">
    <action application="bridge" data="user/trunk@hotdesk.test"/>"#;
    let number = |expression: &str, actions: &str| {
        format!("<condition field=\"destination_number\" expression=\"{expression}\">{actions}")
    };
    let bridge = |data: &str| format!("<action application=\"bridge\" data=\"{data}\"/>");
    for (is, found) in [
        (number("^(11[02])$", &bridge("sofia/gateway/prov/$1")), ""),
        (number("^1(1[02])$", &bridge("{a=b}sofia/gateway/prov/0${destination_number}")), ""),
        (
            number("^1(1[02])$", &bridge("sofia/gateway/prov/$1")),
            "112 leaves as 12, at extension help of emergency: bridge sofia/gateway/prov/12",
        ),
        (
            number("^11[02]$", "<action application=\"transfer\" data=\"112 XML hotdesk@desk\"/>"),
            "112 does not leave: it leads back to Hotdesk's own context hotdesk@desk",
        ),
        (
            number("^11[02]$", "<action application=\"hangup\" data=\"CALL_REJECTED\"/>"),
            "112 does not leave: it ends at hangup CALL_REJECTED in extension help of emergency",
        ),
        (
            number("^11[02]$", "<action application=\"lua\" data=\"out.lua\"/>"),
            "? 112 cannot be followed further than lua out.lua in extension help of emergency",
        ),
        (
            number("^11[02]$", &bridge("sofia/gateway/prov/${to}")),
            "? 112 leaves by bridge sofia/gateway/prov/${to} in extension help of emergency: the number is not known before \
             a call",
        ),
        (
            format!(
                "<condition field=\"${{night}}\" expression=\"^1$\"/>{}",
                number("^11[02]$", &bridge("user/trunk@hotdesk.test"))
            ),
            "? 112 cannot be followed: whether extension help of emergency takes it depends on ${night}",
        ),
    ] {
        let told = match found.strip_prefix("? ") {
            _ if found.is_empty() => String::new(),
            Some(unknown) => format!("? emergency numbers of switch pbx: {unknown}"),
            None => format!("emergency numbers of switch pbx: {found}"),
        };
        with(&company, SITE, (was, &is), &told);
    }
}

/// Until `takes` the program knows nothing; then it takes each call, whatever its context, and still knows no context that is
/// asked for without a call.
#[test]
fn check_calls_the_dialplan_where_a_module_may_answer_for_it() {
    let unread = |what: &str| {
        format!(
            "? {what} of switch pbx: mod_xml_curl answers for the dialplan, and to calls only: the contexts of the site \
             cannot be read"
        )
    };
    let unread = ["emergency numbers", "classes and codes", "calls to users"].map(unread).join("\n");
    let denied = "? dialplan of calls of switch pbx: mod_xml_curl answers for the dialplan, so only a call tells what a \
                  call gets: -ERR permission denied\n";
    for (more, found) in [("", denied), ("[auto_logout]\nextend_call = true\n", "")] {
        let Some(company) = super::company_configured(more) else { return };
        let takes = Arc::new(AtomicBool::new(false));
        let taken = takes.clone();
        let program = move |question: &Question| {
            let context = question.get("Caller-Context");
            (taken.load(Ordering::Relaxed) && !context.is_empty()).then(|| {
                format!(
                    "<section name=\"dialplan\"><context name=\"{context}\"><extension name=\"any\"><condition>\
                     <action application=\"hangup\" data=\"USER_BUSY\"/></condition></extension></context></section>"
                )
            })
        };
        company.pbx.bind("dialplan", program).unwrap();
        assert_eq!(broken(&company.hotdesk), format!("{found}{unread}"));
        if found.is_empty() {
            let said = company.hotdesk.output(&["check"], "").unwrap();
            let said = String::from_utf8(said.stdout).unwrap();
            assert!(
                said.contains(
                    "ok     dialplan of switch pbx: a call gets the one that this configuration prints"
                ),
                "{said}"
            );
            takes.store(true, Ordering::Relaxed);
            assert_eq!(
                broken(&company.hotdesk),
                format!(
                    "dialplan of switch pbx: mod_xml_curl answers for the dialplan, and a call does not get the dialplan \
                     that this configuration prints: it ends with USER_BUSY\n{unread}"
                )
            );
        }
    }
}

/// A context like vanilla's: its own extensions come before that of Hotdesk.
const VANILLA: &str = r#"
<context name="vanilla">
  <extension name="unloop"><condition field="${unroll_loops}" expression="^true$">
    <action application="deflect" data="${destination_number}"/>
  </condition></extension>
  <extension name="Local_Extension"><condition field="destination_number" expression="^(101)$">
    <action application="set" data="dialed_extension=$1"/>
    <action application="bridge" data="user/101@hotdesk.test"/>
  </condition></extension>
  <extension name="old_phone"><condition field="destination_number" expression="^(102)$">
    <action application="bridge" data="user/colleague@hotdesk.test"/>
  </condition></extension>
  <extension name="script"><condition field="destination_number" expression="^103$">
    <action application="lua" data="where.lua"/>
  </condition></extension>
  <X-PRE-PROCESS cmd="include" data="dialplan/default/*.xml"/>
</context>
"#;

#[test]
fn check_names_users_whose_calls_the_site_takes_first() {
    let Some(company) = super::company_at("", VANILLA) else { return };
    let said = company.hotdesk.run(&["check"]).unwrap();
    assert!(
        said.contains("ok     calls to users of switch pbx: reach Hotdesk from every context: default"),
        "{said}"
    );
    company.hotdesk.run(&["user", "set", "103", "--class", "vanilla"]).unwrap();
    let from = "calls to users from vanilla on switch pbx: ";
    let lua = "103: cannot be followed further than lua where.lua in extension script of vanilla";
    let colleague =
        "102 are reached past Hotdesk: extension old_phone of vanilla: bridge user/colleague@hotdesk.test";
    assert_eq!(broken(&company.hotdesk), format!("{from}{colleague}\n? {from}{lua}"));
    let said = String::from_utf8(company.hotdesk.output(&["check"], "").unwrap().stdout).unwrap();
    let login = "101 are taken by extension Local_Extension of vanilla: bridge user/101@hotdesk.test: the dial-string";
    assert!(said.contains(&format!("note   {from}{login}")), "{said}");
    let explained = company.hotdesk.run(&["explain", "102"]).unwrap();
    assert!(explained.contains(colleague) && !explained.contains("where.lua"), "{explained}");
}
