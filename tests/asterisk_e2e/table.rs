//! The switch's table is true: what the command line changes reaches it, and what others change in it does not last.

use std::thread;
use std::time::Duration;

use super::{SOON, company, on_both};
use crate::harness::debian::Version;
use crate::harness::wait;

on_both! {
    a_command_reaches_the_switch_within_300_ms
    a_row_changed_by_hand_is_repaired_and_journalled
}

fn a_command_reaches_the_switch_within_300_ms(version: Version) {
    let company = company(version);
    let mut ami = company.pbx.ami().unwrap();
    for desk in ["desk1", "desk2", "desk1"] {
        company.hotdesk.run(&["login", "101", desk]).unwrap();
        let place = format!("device/{desk}");
        let logged_in = |ami: &mut crate::harness::ami::Ami| {
            let rows = ami.list("DBGetTree", &[("Family", "hotdesk"), ("Key", &place)]).unwrap();
            rows.iter().any(|row| row.get("Val").starts_with("101|"))
        };
        let missing = || format!("the row of {desk} is missing");
        wait::until(Duration::from_millis(300), || logged_in(&mut ami), missing);
    }
    company.hotdesk.run(&["logout", "101"]).unwrap();
    assert!(company.agreed(SOON).unwrap().is_empty());
}

fn a_row_changed_by_hand_is_repaired_and_journalled(version: Version) {
    let mut company = company(version);
    company.hotdesk.run(&["login", "101", "desk1"]).unwrap();
    company.agreed(SOON).unwrap();
    // The login is written by now; a later write of it would hide the repair.
    thread::sleep(Duration::from_millis(500));
    let mut ami = company.pbx.ami().unwrap();
    for (key, value) in [
        ("device/desk1", "102|1|||PJSIP/desk1||||"),
        ("user/102", "what is this"),
        ("user/999", "1|2"),
        ("x/y", "z"),
    ] {
        let put = ami.act("DBPut", &[("Family", "hotdesk"), ("Key", key), ("Val", value)]).unwrap();
        assert_eq!(put.get("Response"), "Success");
    }
    let mark = company.hotdesk.log().len();
    company.pbx.cli("module reload app_dial.so").unwrap();
    company.hotdesk.wait_for_log(mark, "repaired=4").unwrap();
    assert_eq!(company.agreed(SOON).unwrap(), ["101@desk1"]);
    let left = ami.list("DBGetTree", &[("Family", "hotdesk")]).unwrap();
    assert_eq!(left.len(), 7, "three desks, three users and the mark of the store: {left:?}");
    let journal = company.hotdesk.run(&["journal"]).unwrap();
    for told in [
        "device desk1 (AstDB hotdesk/device/desk1) repaired, was user 102, revision 1, ",
        "user 102 (AstDB hotdesk/user/102) repaired, was \"what is this\", is ",
        "user 999 (AstDB hotdesk/user/999) repaired, was \"1|2\", is missing",
        "AstDB hotdesk/x/y repaired, was \"z\", is missing",
    ] {
        assert!(journal.contains(told), "{told}:\n{journal}");
    }
}
