//! The switch's table is true: what the command line changes reaches it, and what others change in it does not last.

use std::thread;
use std::time::{Duration, Instant};

use super::{SOON, company, on_both};
use crate::support::debian::Version;

on_both! {
    the_command_line_reaches_the_switch_within_300_ms
    a_row_that_somebody_changed_is_put_right_and_journalled
}

fn the_command_line_reaches_the_switch_within_300_ms(version: Version) {
    let company = company(version);
    let mut ami = company.pbx.ami().unwrap();
    for desk in ["desk1", "desk2", "desk1"] {
        company.hotdesk.run(&["login", "101", desk]).unwrap();
        let began = Instant::now();
        let place = format!("device/{desk}");
        let seated = |ami: &mut crate::support::ami::Ami| {
            let rows = ami.list("DBGetTree", &[("Family", "hotdesk"), ("Key", &place)]).unwrap();
            rows.iter().any(|row| row.get("Val").starts_with("101|"))
        };
        while !seated(&mut ami) {
            assert!(
                began.elapsed() < Duration::from_millis(300),
                "the row of {desk} is not there after 300 ms"
            );
            thread::sleep(Duration::from_millis(5));
        }
    }
    company.hotdesk.run(&["logout", "--user", "101"]).unwrap();
    assert!(company.agreed(SOON).unwrap().is_empty());
}

fn a_row_that_somebody_changed_is_put_right_and_journalled(version: Version) {
    let mut company = company(version);
    company.hotdesk.run(&["login", "101", "desk1"]).unwrap();
    company.agreed(SOON).unwrap();
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
    assert_eq!(left.len(), 6, "three desks and three users: {left:?}");
    let journal = company.hotdesk.run(&["journal"]).unwrap();
    for told in [
        "device desk1 repaired, was 102, is 101",
        "user 102 repaired",
        "user 999 repaired",
        "\"x/y\" repaired",
    ] {
        assert!(journal.contains(told), "{told}:\n{journal}");
    }
}
