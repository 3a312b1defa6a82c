//! Hotdesk beside a FusionPBX: a FreeSWITCH whose directory and dialplan come from a database, for every context.

mod documented;
mod site;

use std::sync::atomic::Ordering;

use crate::harness::company::one_touch;
use crate::harness::phone::Phone;
use site::{DOMAINS, FusionPbx};

const ACME: &str = "pbx.example.com";
/// What a check cannot see there.
const UNREAD: [&str; 3] = ["emergency numbers", "classes and codes", "calls to users"];

/// A FusionPBX with the rows of Hotdesk.
fn with_rows(more: &[&str]) -> Option<FusionPbx> {
    let mut fusion = FusionPbx::open()?;
    let rows = fusion.hotdesk.run(&[&["dialplan", "fusionpbx"], more].concat()).unwrap();
    fusion.sql(&rows);
    let once = fusion.dump();
    fusion.sql(&rows);
    assert_eq!(fusion.dump(), once, "the rows may be written again");
    fusion.add_users();
    Some(fusion)
}

/// What is wrong or unknown in a domain, without what a check cannot see.
fn wrong(fusion: &FusionPbx, domain: &str) -> String {
    let said = fusion.hotdesk.output(&["--tenant", domain, "check"], "").unwrap();
    let said = String::from_utf8(said.stdout).unwrap();
    let unread = |line: &str| line.starts_with("?  ") && UNREAD.iter().any(|what| line.contains(what));
    assert_eq!(said.lines().filter(|line| unread(line)).count(), UNREAD.len(), "{said}");
    let wrong = |line: &&str| ["WRONG", "note", "?"].iter().any(|how| line.starts_with(how)) && !unread(line);
    said.lines().filter(wrong).collect::<Vec<_>>().join("\n")
}

fn log_in(fusion: &FusionPbx, domain: &str, desk: &Phone, user: &str) {
    desk.dial(&one_touch(user)).unwrap();
    desk.wait_ended_within(std::time::Duration::from_secs(30)).unwrap();
    assert!(fusion.of(domain, &["status"]).contains(user));
}

/// Calls, and answers at the other end: the number that it saw.
fn reaches(from: &Phone, number: &str, to: &Phone) -> String {
    from.dial(number).unwrap();
    let shown = to.wait_ringing().unwrap().from.number;
    to.answer().unwrap();
    from.wait_answered().unwrap();
    from.hang_up().unwrap();
    to.wait_ended().unwrap();
    shown
}

fn refused(from: &Phone, number: &str) -> u16 {
    from.dial(number).unwrap();
    from.wait_ended().unwrap().code
}

#[test]
fn users_of_a_fusionpbx_log_in_call_and_are_called() {
    let Some(fusion) = with_rows(&[]) else { return };
    let [desk, other, fixed] = ["801", "802", "150"].map(|name| fusion.phone(ACME, name));
    let trunk = fusion.pbx.phone("trunk").unwrap();
    assert_eq!(wrong(&fusion, ACME), "");
    assert_eq!(wrong(&fusion, "globex.test"), "");

    assert_eq!(refused(&desk, "0031"), 403, "a device without a user");
    log_in(&fusion, ACME, &desk, "101");
    assert_eq!(reaches(&desk, "0031", &trunk), "0205550101", "the directory's number of 101");
    let account = trunk.last_invite().unwrap().header("X-Account").to_owned();
    assert_eq!(account, "a-101/101", "FusionPBX takes the call for one of 101");
    // 102 may not call abroad, from this device or another; 101 may from each.
    log_in(&fusion, ACME, &other, "102");
    assert_eq!(refused(&other, "0031"), 404);
    log_in(&fusion, ACME, &desk, "102");
    assert_eq!(refused(&desk, "0031"), 404);
    log_in(&fusion, ACME, &other, "101");
    assert_eq!(reaches(&other, "0031", &trunk), "0205550101");

    // Called by an extension, from outside, and as the member of a ring group.
    assert_eq!(reaches(&fixed, "101", &other), "150");
    assert_eq!(reaches(&fixed, "700", &other), "150");
    assert_eq!(reaches(&trunk, "0205550101", &other), "trunk");
    assert_eq!(reaches(&desk, "101", &other), "102");
}

#[test]
fn an_emergency_call_shows_the_number_of_the_place_and_can_be_called_back() {
    let Some(fusion) = with_rows(&[]) else { return };
    let trunk = fusion.pbx.phone("trunk").unwrap();
    let desks = DOMAINS.map(|(domain, _)| fusion.phone(domain, "801"));
    // The first has a user, and the second none.
    log_in(&fusion, ACME, &desks[0], "101");
    for (desk, (_, shown)) in desks.iter().zip(DOMAINS) {
        assert_eq!(reaches(desk, "112", &trunk), shown);
    }
    for (desk, (_, shown)) in desks.iter().zip(DOMAINS) {
        reaches(&trunk, shown, desk);
    }
    // Any other call from outside goes on to the destinations of FusionPBX.
    reaches(&trunk, "0205550101", &desks[0]);
}

#[test]
fn init_changes_nothing_of_a_fusionpbx_and_names_the_command_for_it() {
    let Some(fusion) = FusionPbx::without_hotdesk() else { return };
    let dir = fusion.pbx.path("conf");
    let before = crate::init::files(&dir);
    let program = [std::path::PathBuf::from(env!("CARGO_BIN_EXE_hotdesk"))];
    let hotdesk = crate::harness::hotdesk::Hotdesk::unconfigured(&program).unwrap();
    let said = hotdesk.output(&["init", "--dir", dir.to_str().unwrap(), "--yes"], "").unwrap();
    let refused = String::from_utf8(said.stderr).unwrap();
    for part in ["nothing was changed", "`hotdesk dialplan fusionpbx` prints the rows", "docs/fusionpbx.md"] {
        assert!(refused.contains(part), "{part}: {refused}");
    }
    assert_eq!(crate::init::files(&dir), before);
}

#[test]
fn check_names_what_a_fusionpbx_lacks() {
    let Some(fusion) = with_rows(&[]) else { return };
    let dial_string = "UPDATE v_default_settings SET default_setting_value";
    fusion.sql(&format!("{dial_string} = replace(default_setting_value, 'hotdesk-lamp-', 'x-')"));
    assert_eq!(
        wrong(&fusion, ACME),
        "WRONG  directory of switch pbx: 101, 102 have a dial-string without the devices of the login: calls by user/EXT ring \
         their own phones only"
    );
    fusion
        .sql(&format!("{dial_string} = replace(default_setting_value, 'select/x-', 'select/hotdesk-lamp-')"));
    assert_eq!(wrong(&fusion, ACME), "");
    fusion.sql(
        "UPDATE v_extensions SET forward_user_not_registered_enabled = 'true' WHERE extension_uuid = 'a-102'",
    );
    assert_eq!(
        wrong(&fusion, ACME),
        "WRONG  directory of switch pbx: 102 have \"forward when not registered\": it also forwards calls while they are logged \
         in at a device"
    );
    fusion.sql("DELETE FROM v_extensions WHERE extension_uuid = 'a-102'");
    assert!(
        wrong(&fusion, ACME)
            .starts_with("WRONG  directory of switch pbx: 102 have no entry in the directory")
    );
    fusion.sql("UPDATE v_extensions SET user_context = 'pbx.example.com' WHERE extension_uuid = 'a-801'");
    assert!(wrong(&fusion, ACME).contains("WRONG  phone 801: its user_context is pbx.example.com"));
}

#[test]
fn a_fusionpbx_that_reads_no_file_has_the_contexts_as_rows() {
    let Some(fusion) = with_rows(&[]) else { return };
    fusion.answers_all.store(true, Ordering::Relaxed);
    let said = wrong(&fusion, ACME);
    assert!(
        said.starts_with("WRONG  dialplan of switch pbx: mod_xml_curl answers for the dialplan, and a call"),
        "{said}"
    );
    fusion.sql(&fusion.hotdesk.run(&["dialplan", "fusionpbx", "--rows"]).unwrap());
    std::fs::remove_file(fusion.pbx.path("conf/dialplan/hotdesk.xml")).unwrap();
    fusion.pbx.api("reloadxml").unwrap();
    assert_eq!(wrong(&fusion, ACME), "");
    let (desk, fixed) = (fusion.phone(ACME, "801"), fusion.phone(ACME, "150"));
    log_in(&fusion, ACME, &desk, "101");
    reaches(&fixed, "101", &desk);
    reaches(&desk, "112", &fusion.pbx.phone("trunk").unwrap());
}
