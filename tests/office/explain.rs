//! `hotdesk explain` says why a phone behaves as it does, and names what somebody changed in the switch by hand.

use super::{SOON, company, on_both};
use crate::support::debian::Version;

on_both! {
    a_row_that_somebody_changed_by_hand_is_named_and_its_repair_is_in_the_journal
}

fn a_row_that_somebody_changed_by_hand_is_named_and_its_repair_is_in_the_journal(version: Version) {
    let mut company = company(version);
    let desk1 = company.pbx.phone("desk1").unwrap();
    company.log_in(&desk1, "101").unwrap();
    company.agreed(SOON).unwrap();
    let explain = |who: &str| company.hotdesk.run(&["explain", who]).unwrap();
    let told = explain("desk1");
    for words in [
        "desk desk1: PJSIP/desk1 on pbx, at room-of-desk1",
        "sits at desk1 since ",
        ", by phone desk1, with *35*{ext}*{pin} (revision ",
        "calls from here are 101's",
        "calls to him ring PJSIP/desk1",
        "it holds just that",
        "101 sits at desk1, by phone desk1",
    ] {
        assert!(told.contains(words), "{words}:\n{told}");
    }
    assert!(!told.contains("DIFFERS"), "{told}");
    assert!(explain("101").contains("sits at desk1 since "));
    let unknown = company.hotdesk.run(&["explain", "desk99"]).unwrap_err().to_string();
    assert!(unknown.contains("there is neither a device nor a user desk99"), "{unknown}");

    let mut ami = company.pbx.ami().unwrap();
    let changed = [("Family", "hotdesk"), ("Key", "device/desk1"), ("Val", "102|1|||PJSIP/desk1||||")];
    assert_eq!(ami.act("DBPut", &changed).unwrap().get("Response"), "Success");
    let told = explain("desk1");
    assert!(told.contains("DIFFERS: the switch has: calls from here are 102's, by revision 1"), "{told}");
    assert!(told.contains("one row differs"), "{told}");

    let mark = company.hotdesk.log().len();
    company.pbx.cli("module reload app_dial.so").unwrap();
    company.hotdesk.wait_for_log(mark, "repaired=1").unwrap();
    let told = company.hotdesk.run(&["explain", "desk1"]).unwrap();
    assert!(told.contains("pbx: device desk1 repaired, was 102, is 101, by hotdesk"), "{told}");
    assert!(!told.contains("DIFFERS"), "{told}");
}
