//! A reload that cannot be carried out changes nothing.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::{company, on_both};
use crate::harness::debian::Version;
use crate::harness::process::Signal;

on_both! { a_reload_without_the_pepper_is_refused_and_pins_stay_right }

fn names(folder: &Path) -> BTreeSet<String> {
    let files = fs::read_dir(folder).unwrap();
    files.map(|file| file.unwrap().file_name().to_string_lossy().into_owned()).collect()
}

fn a_reload_without_the_pepper_is_refused_and_pins_stay_right(version: Version) {
    let mut company = company(version);
    let folder = tempfile::tempdir().unwrap();
    let (pepper, copy) = (company.hotdesk.path("hotdesk.pepper"), folder.path().join("copy"));
    fs::copy(&pepper, &copy).unwrap();
    fs::remove_file(&pepper).unwrap();
    let (before, mark) = (names(company.hotdesk.folder()), company.hotdesk.log().len());
    company.hotdesk.configure("[login]\nmultiple_logins = \"refuse\"\n").unwrap();
    company.hotdesk.signal(Signal::HUP).unwrap();
    company.hotdesk.wait_for_log(mark, "event=\"reload.refused\"").unwrap();

    let desks = ["desk1", "desk2"].map(|desk| company.pbx.phone(desk).unwrap());
    for desk in &desks {
        // The rest of the new configuration is not in force either: the user may log in at another device.
        company.log_in(desk, "101").unwrap();
    }
    // The end of the reload would be logged before the stop.
    company.hotdesk.stop().unwrap();
    let log = company.hotdesk.log();
    assert!(!log[mark..].contains("event=\"reload.done\""), "{log}");
    let new: Vec<String> = names(company.hotdesk.folder()).difference(&before).cloned().collect();
    assert_eq!(new, [""; 0]);

    fs::copy(&copy, &pepper).unwrap();
    company.hotdesk.start().unwrap();
    let mark = company.hotdesk.log().len();
    company.hotdesk.signal(Signal::HUP).unwrap();
    company.hotdesk.wait_for_log(mark, "event=\"reload.done\"").unwrap();
}
