use std::io::{BufRead, BufReader};
use std::process::Stdio;

use serde_json::json;

use super::Desk;

#[test]
fn a_login_says_what_happened_and_status_shows_it() {
    let desk = Desk::furnished();
    assert_eq!(desk.ok("status"), "nobody is logged in\n");
    assert_eq!(desk.json("status --json"), json!([]));
    assert_eq!(desk.ok("login 101 desk1"), "101 sits at desk1 now\n");
    assert_eq!(desk.ok("login 102 desk2"), "102 sits at desk2 now\n");
    assert_eq!(desk.ok("login 101 desk2"), "101 sits at desk2 now; left desk1; 102 was logged out\n");
    assert_eq!(desk.ok("login 101 desk2"), "101 sits at desk2 already\n");
    let status = desk.json("status --json");
    let seat = status[0].as_object().unwrap();
    assert_eq!(status.as_array().unwrap().len(), 1);
    assert_eq!((&seat["device"], &seat["user"]), (&json!("desk2"), &json!("101")));
    assert!(seat["since"].as_str().unwrap().parse::<jiff::Timestamp>().is_ok() && seat["revision"].is_u64());
    assert_eq!(seat.len(), 4);
    assert_eq!(desk.ok("logout --user 101"), "101 was logged out at desk2\n");
    assert_eq!(desk.ok("logout --user 101"), "101 is not logged in\n");
    assert_eq!(desk.ok("logout --device desk2"), "nobody is logged in at desk2\n");
}

#[test]
fn status_is_sorted_by_device() {
    let desk = Desk::furnished();
    desk.ok("login 101 desk2");
    desk.ok("login 102 desk1");
    let status = desk.json("status --json");
    assert_eq!((&status[0]["device"], &status[1]["device"]), (&json!("desk1"), &json!("desk2")));
}

#[test]
fn who_may_not_sit_there_is_refused_with_the_reason_and_nothing_moves() {
    let desk = Desk::furnished();
    desk.ok("user set 103 --no-hotdesk");
    desk.ok("device set lift --switch pbx --dial PJSIP/lift --no-hotdesk");
    for (args, says) in [
        ("login 999 desk1", "there is no user 999"),
        ("login 101 desk9", "there is no device desk9"),
        ("login 103 desk1", "user 103 may not hotdesk"),
        ("login 101 lift", "device lift is not for hotdesking"),
        ("logout --user 999", "there is no user 999"),
        ("logout --device desk9", "there is no device desk9"),
    ] {
        assert!(desk.fails(args).contains(says), "{args}");
    }
    assert_eq!(desk.json("status --json"), json!([]));
}

#[test]
fn who_is_changed_or_removed_while_he_sits_is_said_to_be_logged_out() {
    let desk = Desk::furnished();
    desk.ok("login 101 desk1");
    assert!(desk.ok("user set 101 --no-hotdesk").contains("logged out at desk1"));
    desk.ok("login 102 desk1");
    assert!(desk.ok("device set desk1 --no-hotdesk").contains("102 logged out there"));
    desk.ok("login 102 desk2");
    assert!(desk.ok("device remove desk2").contains("102 logged out there"));
    assert!(desk.ok("user remove 102").contains("removed"));
    assert_eq!(desk.json("status --json"), json!([]));
}

#[test]
fn the_journal_names_who_did_it_and_can_be_read_from_a_time_on() {
    let desk = Desk::furnished();
    desk.ok("login 101 desk1");
    let journal = desk.ok("journal");
    assert!(journal.ends_with("101 sits at desk1, by tester (command line)\n"), "{journal}");
    assert_eq!(desk.ok("journal --since 1h"), journal);
    assert_eq!(desk.ok("journal --since 2999-01-01"), "");
    let entries: Vec<serde_json::Value> =
        desk.ok("journal --json").lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(entries.len(), 6);
    assert!(entries.iter().enumerate().all(|(n, entry)| entry["revision"] == n + 1));
    assert_eq!(entries[5]["event"], "moved");
    assert_eq!(entries[5]["by"], json!({"command": "tester"}));
}

#[test]
fn the_journal_is_followed_as_it_grows() {
    let desk = Desk::furnished();
    let mut follower = desk.command().args(["journal", "--follow"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(follower.stdout.take().unwrap()).lines().map(Result::unwrap);
    assert_eq!(lines.by_ref().take(5).filter(|line| line.contains("changed")).count(), 5);
    for (args, says) in [("login 101 desk1", "101 sits at desk1"), ("logout --user 101", "101 left desk1")] {
        desk.ok(args);
        let line = lines.next().unwrap();
        assert!(line.contains(says), "{line}");
    }
    follower.kill().unwrap();
    follower.wait().unwrap();
}

#[test]
fn a_reader_that_has_seen_enough_is_no_error() {
    let desk = Desk::furnished();
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let done = desk.command().arg("journal").stdout(writer).stderr(Stdio::piped()).output().unwrap();
    assert_eq!((done.status.code(), done.stderr.as_slice()), (Some(0), &b""[..]));
}
