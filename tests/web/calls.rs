//! The page Now with real phones: what is dialled changes it, and a logout on it frees the phone.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::now::Feed;
use super::{ON, enter};
use crate::harness::browser::Browser;
use crate::harness::company::{Company, one_touch};
use crate::harness::debian::Version;

/// What a row takes on a quiet machine, from the code that was accepted on; the machine of the tests is seldom quiet.
const QUICK: Duration = Duration::from_millis(300);

#[test]
fn a_code_that_is_dialled_changes_the_open_page_and_a_logout_on_it_frees_the_phone() {
    let program = [PathBuf::from(env!("CARGO_BIN_EXE_hotdesk"))];
    let company = Company::open_with(&program, Version::Current, "sqlite:hotdesk.db", ON).unwrap();
    let mut browser = Browser::of(&company.hotdesk);
    enter(&company.hotdesk, &mut browser, "eva", "operator");
    let mut feed = Feed::open(&mut browser, "/c", None);
    let phone = company.pbx.phone("desk1").unwrap();
    feed.row("desk1", "Free");
    phone.dial(&one_touch("101")).unwrap();
    let done = feed.row("desk1", "Alice");
    let shown = Instant::now();
    assert!(done.data.contains("101"), "{done:?}");
    phone.wait_ended().unwrap();
    // When the store had it: the journal knows.
    let journal = company.hotdesk.run(&["journal", "--json"]).unwrap();
    let entry = journal.lines().rfind(|line| line.contains("sessions_changed")).unwrap();
    let entry: serde_json::Value = serde_json::from_str(entry).unwrap();
    let at: jiff::Timestamp = entry["at"].as_str().unwrap().parse().unwrap();
    let took = jiff::Timestamp::now().duration_since(at).unsigned_abs().saturating_sub(shown.elapsed());
    eprintln!("dialled code → row in the page: {took:?} (on a quiet machine at most {QUICK:?})");
    feed.row("desk1", "Logged in");
    assert_eq!(company.agreed(Duration::from_secs(5)).unwrap(), ["101@desk1"]);
    let page = browser.get("/c");
    let fields = ["form", "back", "device", "user", "session"].map(|name| (name, page.field(name)));
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let out = browser.post("/c/log-out", &fields);
    let to = out.header("location").unwrap_or_default();
    assert!(out.status == 303 && to.starts_with("/c?said=logged-out&undo="), "{to}");
    assert!(company.rows().unwrap().is_empty(), "the switch has acknowledged it");
    feed.row("desk1", "Free");
    // A phone that is switched off.
    phone.unregister().unwrap();
    feed.row("desk1", "Not registered");
    assert_eq!(browser.get("/readyz").text(), "ready\n");
}
