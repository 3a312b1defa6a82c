//! `hotdesk explain` says why a device behaves as it does, names what was changed in the switch by hand, and what could not be read.

use std::fs;

use super::{SOON, company, on_both, program};
use crate::harness::company::Company;
use crate::harness::debian::Version;

on_both! {
    a_record_that_was_changed_by_hand_is_named_and_its_repair_is_in_the_journal
    nothing_is_claimed_of_records_that_cannot_be_read
}

/// What `explain` and `check` say, whether or not they find faults.
fn both(company: &Company) -> [String; 2] {
    [&["explain", "desk1"][..], &["check"]].map(|command| {
        let output = company.hotdesk.output(command, "").unwrap();
        String::from_utf8(output.stdout).unwrap()
    })
}

/// Of a switch that cannot be asked both say why, and nothing of its records.
fn nothing_is_claimed(company: &Company, why: &str) {
    for told in both(company) {
        assert!(told.contains("could not be read: \"") && told.contains(why), "{why}:\n{told}");
        for claim in ["in sync", "DIFFERS", " is missing", "records differ", "would show"] {
            assert!(!told.contains(claim), "{claim}:\n{told}");
        }
    }
}

fn nothing_is_claimed_of_records_that_cannot_be_read(version: Version) {
    let mut company = Company::open_with(
        &program(),
        version,
        "sqlite:hotdesk.db",
        "[[group]]\nname = \"sales\"\nkind = \"queue\"\n",
    )
    .unwrap();
    company.hotdesk.run(&["user", "set", "101", "--groups", "sales"]).unwrap();
    let desk1 = company.pbx.phone("desk1").unwrap();
    company.log_in(&desk1, "101").unwrap();
    company.agreed(SOON).unwrap();
    for told in both(&company) {
        assert!(told.contains("in sync") && !told.contains("could not be read"), "{told}");
    }
    // A module is missing: only what it keeps is not known, and logins go on.
    for (module, part) in [("app_queue", "app_queue: \""), ("func_devstate", "DEVICE_STATE: \"")] {
        company.pbx.cli(&format!("module unload {module}.so")).unwrap();
        let [explained, checked] = both(&company);
        assert!(checked.contains(&format!("could not be read: {part}")), "{checked}");
        if module == "app_queue" {
            assert!(explained.contains(&format!("could not be read: {part}")), "{explained}");
            assert!(explained.contains("in sync: AstDB hotdesk/device/desk1"), "{explained}");
            assert!(explained.contains("all that could be read is in sync"), "{explained}");
            company.log_in(&company.pbx.phone("desk2").unwrap(), "102").unwrap();
        }
        company.pbx.cli(&format!("module load {module}.so")).unwrap();
    }
    let secret = company.hotdesk.path("ami.secret");
    let right = fs::read(&secret).unwrap();
    fs::write(&secret, "wrong").unwrap();
    nothing_is_claimed(&company, "Authentication failed");
    fs::write(&secret, right).unwrap();
    company.pbx.stop().unwrap();
    nothing_is_claimed(&company, "refused");
}

fn a_record_that_was_changed_by_hand_is_named_and_its_repair_is_in_the_journal(version: Version) {
    let mut company = company(version);
    let desk1 = company.pbx.phone("desk1").unwrap();
    company.log_in(&desk1, "101").unwrap();
    company.agreed(SOON).unwrap();
    let explain = |who: &str| company.hotdesk.run(&["explain", who]).unwrap();
    let told = explain("desk1");
    for words in [
        "desk desk1: PJSIP/desk1 on pbx, at room-of-desk1",
        "is logged in at desk1 since ",
        ", by device desk1, with *35*{ext}*{pin} (revision ",
        "calls from here are those of user 101",
        "calls to the user ring PJSIP/desk1",
        "in sync: AstDB hotdesk/device/desk1",
        "in sync: it holds all that it should",
    ] {
        assert!(told.contains(words), "{words}:\n{told}");
    }
    assert!(!told.contains("DIFFERS"), "{told}");
    assert!(explain("101").contains("is logged in at desk1 since "));
    let unknown = company.hotdesk.run(&["explain", "desk99"]).unwrap_err().to_string();
    assert!(unknown.contains("there is neither a device nor a user desk99"), "{unknown}");

    let mut ami = company.pbx.ami().unwrap();
    let changed = [("Family", "hotdesk"), ("Key", "device/desk1"), ("Val", "102|1|||PJSIP/desk1||||")];
    assert_eq!(ami.act("DBPut", &changed).unwrap().get("Response"), "Success");
    let told = explain("desk1");
    let differs = "DIFFERS: device desk1 (AstDB hotdesk/device/desk1) is user 102, revision 1, ";
    assert!(told.contains(differs) && told.contains("and should be user 101, revision "), "{told}");
    assert!(told.contains("one record differs"), "{told}");

    let mark = company.hotdesk.log().len();
    company.pbx.cli("module reload app_dial.so").unwrap();
    company.hotdesk.wait_for_log(mark, "repaired=1").unwrap();
    let told = company.hotdesk.run(&["explain", "desk1"]).unwrap();
    assert!(
        told.contains("pbx: device desk1 (AstDB hotdesk/device/desk1) repaired, was user 102, revision 1, "),
        "{told}"
    );
    assert!(!told.contains("DIFFERS"), "{told}");
}
