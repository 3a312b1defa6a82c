//! Where calls go, as the check follows them: to users, to codes, to the trunk in an emergency, and to the site's context that records.

use std::fs;
use std::time::Duration;

use super::{well, with};
use crate::asterisk_e2e::on_both;
use crate::harness::check::{all_is_well, broken};
use crate::harness::debian::Version;
use crate::harness::wait;

on_both! {
    check_names_users_who_are_called_past_hotdesk
    check_names_a_code_that_asterisk_uses_itself
    check_follows_an_emergency_call_to_the_trunk
    check_finds_the_context_that_records_calls_or_says_that_it_is_missing
}

/// The site's own extensions take calls to users, or may, or do not.
fn check_names_users_who_are_called_past_hotdesk(version: Version) {
    let company = well(version);
    let said = company.hotdesk.run(&["check"]).unwrap();
    let fine =
        "ok     calls to users of switch pbx: reach Hotdesk from every context: from-internal, from-trunk\n";
    assert!(said.contains(fine), "{said}");
    let echo = "exten => 600,1,";
    let from = "calls to users from from-internal on switch pbx: ";
    for (more, found) in [
        (
            "exten => _1XX,1,Dial(PJSIP/${EXTEN})",
            "101, 102, 103 are reached past Hotdesk: [from-internal] _1XX,1: Dial(PJSIP/101)",
        ),
        (
            "exten => 102,1,Dial(PJSIP/desk2,20)",
            "102 are reached past Hotdesk: [from-internal] 102,1: Dial(PJSIP/desk2,20)",
        ),
        (
            "exten => _X.,1,Dial(PJSIP/${EXTEN}@trunk)",
            "101, 102, 103 are reached past Hotdesk: [from-internal] _X.,1: Dial(PJSIP/101@trunk)",
        ),
        (
            "exten => _1X[13],1,Gosub(ring,s,1(PJSIP/${EXTEN}))\n\n[ring]\nexten => s,1,Dial(${ARG1})\n\n[from-internal](+)",
            "101, 103 are reached past Hotdesk: [ring] s,1: Dial(PJSIP/101)",
        ),
        (
            "exten => 103,1,AGI(where.sh)",
            "? 103: cannot be followed further than [from-internal] 103,1: AGI(where.sh)",
        ),
        // For whatever is left, and it does not dial the number: no call to a user is meant.
        ("exten => _XX.,1,Goto(600,1)\nexten => _1XX,1,Goto(hotdesk-users,${EXTEN},1)", ""),
    ] {
        let before = fs::read_to_string(company.pbx.path("etc/extensions.conf")).unwrap();
        company.pbx.write("extensions.conf", &before.replacen(echo, &format!("{more}\n{echo}"), 1)).unwrap();
        company.pbx.cli("dialplan reload").unwrap();
        let expected = match found.strip_prefix("? ") {
            _ if found.is_empty() => String::new(),
            Some(found) => format!("? {from}{found}"),
            None => format!("{from}{found}"),
        };
        assert_eq!(broken(&company.hotdesk), expected, "{more}");
        let explained = company.hotdesk.run(&["explain", "103"]).unwrap();
        assert_eq!(explained.contains(from), found.contains("103"), "{more}: {explained}");
        company.pbx.write("extensions.conf", &before).unwrap();
    }
    company.pbx.cli("dialplan reload").unwrap();
    // A phone of a context that no class of service is.
    let other = "\n[lobby]\nexten => _1XX,1,Dial(PJSIP/${EXTEN})\n";
    let before = fs::read_to_string(company.pbx.path("etc/extensions.conf")).unwrap();
    company.pbx.write("extensions.conf", &(before + other)).unwrap();
    company.pbx.cli("dialplan reload").unwrap();
    all_is_well(&company.hotdesk);
    with(
        &company,
        "pjsip.conf",
        ("auth=colleague\ncontext=from-internal", "auth=colleague\ncontext=lobby"),
        "module reload res_pjsip.so",
        "calls to users from lobby on switch pbx: 101, 102, 103 are reached past Hotdesk: [lobby] _1XX,1: Dial(PJSIP/101)",
    );
}

fn check_names_a_code_that_asterisk_uses_itself(version: Version) {
    let company = well(version);
    let desk = company.pbx.phone("desk1").unwrap();
    let asked = || {
        let mark = company.pbx.log().len();
        desk.dial("*35").unwrap();
        // A pickup ends at once, a code goes on: the end within 2 s is not part of the test.
        let ended = || Ok((!desk.in_call()).then_some(()));
        let _ = wait::find(Duration::from_secs(2), ended, String::new);
        let _ = desk.hang_up();
        company.pbx.log()[mark..].contains("hotdesk-code")
    };
    assert!(asked());
    company.pbx.write("features.conf", "[general]\npickupexten = *35\n").unwrap();
    company.pbx.cli("module reload features").unwrap();
    assert_eq!(
        broken(&company.hotdesk),
        "codes of switch pbx: *35 is the code *35 (toggle, preset simmpl), and never reaches Hotdesk: Asterisk itself \
         picks up calls with it"
    );
    assert!(!asked());
}

fn check_follows_an_emergency_call_to_the_trunk(version: Version) {
    let company = well(version);
    let dial = "exten => 112,1,Dial(PJSIP/trunk)";
    let said = company.hotdesk.run(&["check"]).unwrap();
    assert!(said.contains("ok     emergency numbers of switch pbx: 112 leaves by PJSIP/trunk\n"), "{said}");
    assert!(said.contains("ok     emergency call from desk1: "), "{said}");
    for (site, found) in [
        ("exten => 112,1,Dial(PJSIP/${EXTEN}@trunk)", ""),
        ("exten => _1XX,1,Set(TO=trunk)\n same => n,Dial(PJSIP/${EXTEN}@${TO})", ""),
        ("include => from-trunk-out\n\n[from-trunk-out]\nexten => _X.,1,Dial(PJSIP/trunk)", ""),
        (
            "exten => 112,1,Dial(PJSIP/${EXTEN:1}@trunk)",
            "112 leaves as 12, at [emergency] 112,1: Dial(PJSIP/12@trunk)",
        ),
        (
            "exten => 112,1,Dial(PJSIP/112@nowhere)",
            "112 does not leave: there is no endpoint nowhere, at [emergency] 112,1: Dial(PJSIP/112@nowhere)",
        ),
        ("exten => 112,1,NoOp()", "112 does not leave: it ends at [emergency] 112,2: Hangup()"),
        (
            "exten => 112,1,Goto(hotdesk,${EXTEN},1)",
            "112 does not leave: it leads back to Hotdesk's own context hotdesk",
        ),
        (
            "exten => 112,1,Gosub(out,s,1)",
            "? 112 cannot be followed further than [emergency] 112,1: Gosub(out,s,1)",
        ),
        (
            "exten => 112,1,Set(CALLERID(num)=0201)\n same => n,Dial(PJSIP/trunk)",
            "? 112 [emergency] 112,1: Set(CALLERID(num)=0201) may change the number that the call shows",
        ),
    ] {
        let told = match found.strip_prefix("? ") {
            _ if found.is_empty() => String::new(),
            Some(unknown) => format!("? emergency numbers of switch pbx: {unknown}"),
            None => format!("emergency numbers of switch pbx: {found}"),
        };
        with(&company, "extensions.conf", (dial, site), "dialplan reload", &told);
    }
}

fn check_finds_the_context_that_records_calls_or_says_that_it_is_missing(version: Version) {
    let company = well(version);
    company.hotdesk.run(&["user", "set", "101", "--recording", "always"]).unwrap();
    let toml = "[dialplan]\nusers = [\"1XX\"]\nrecording_context = \"recording\"\n";
    company.hotdesk.configure(toml).unwrap();
    let printed = company.hotdesk.run(&["dialplan", "asterisk"]).unwrap();
    company.pbx.write("hotdesk.conf", &printed).unwrap();
    company.pbx.cli("dialplan reload").unwrap();
    let missing = "recording of switch pbx: the context recording has no extension s, so no call is recorded; 1 users want it";
    assert_eq!(broken(&company.hotdesk), missing);

    let site = fs::read_to_string(company.pbx.path("etc/extensions.conf")).unwrap();
    let with = |extension: &str| {
        let context = format!("{site}\n[recording]\nexten => {extension},1,Return()\n");
        company.pbx.write("extensions.conf", &context).unwrap();
        company.pbx.cli("dialplan reload").unwrap();
    };
    with("other");
    assert_eq!(broken(&company.hotdesk), missing, "a context without the extension");
    with("s");
    all_is_well(&company.hotdesk);
    let said = company.hotdesk.run(&["check"]).unwrap();
    assert!(said.contains("the context recording is there; 1 users want it"), "{said}");
}
