use std::io::{BufRead, BufReader};
use std::process::Stdio;

use serde_json::json;

use super::Desk;

#[test]
fn a_login_reports_its_sessions_and_status_shows_them() {
    let desk = Desk::furnished();
    assert_eq!(desk.noted("status"), (String::new(), "hotdesk: no user is logged in\n".into()));
    assert_eq!(desk.json("status --json"), json!([]));
    assert_eq!(desk.ok("login 101 desk1"), "user 101 is logged in at desk1\n");
    assert_eq!(desk.ok("login 102 desk2"), "user 102 is logged in at desk2\n");
    assert_eq!(
        desk.ok("login 101 desk2"),
        "user 101 is logged in at desk2; logged out at desk1; user 102 is logged out\n"
    );
    assert_eq!(desk.ok("login 101 desk2"), "user 101 is logged in at desk2 already\n");
    let status = desk.json("status --json");
    let session = status[0].as_object().unwrap();
    assert_eq!(status.as_array().unwrap().len(), 1);
    assert_eq!((&session["device"], &session["user"]), (&json!("desk2"), &json!("101")));
    assert!(
        session["since"].as_str().unwrap().parse::<jiff::Timestamp>().is_ok() && session["revision"].is_u64()
    );
    assert_eq!(session["auto_logout"]["why"], "time-of-day", "at 23:00, as nothing else is configured");
    assert_eq!(session.len(), 5);
    assert_eq!(desk.ok("logout 101"), "user 101 is logged out at desk2\n");
    assert_eq!(desk.ok("logout 101"), "user 101 is not logged in\n");
    assert_eq!(desk.ok("logout --device desk2"), "no user is logged in at desk2\n");
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
fn a_login_that_is_not_allowed_is_refused_with_the_reason() {
    let desk = Desk::furnished();
    desk.ok("user add 103 --no-hotdesk");
    desk.ok("device add lift --switch pbx --dial PJSIP/lift --no-hotdesk");
    for (args, says) in [
        ("login 999 desk1", "there is no user 999"),
        ("login 101 desk9", "there is no device desk9"),
        ("login 103 desk1", "user 103 may not hotdesk"),
        ("login 101 lift", "device lift is not for hotdesking"),
        ("logout 999", "there is no user 999"),
        ("logout --device desk9", "there is no device desk9"),
    ] {
        assert!(desk.fails(args).contains(says), "{args}");
    }
    assert_eq!(desk.json("status --json"), json!([]));
}

#[test]
fn a_change_that_ends_a_session_reports_the_logout() {
    let desk = Desk::furnished();
    desk.ok("login 101 desk1");
    assert!(desk.ok("user set 101 --no-hotdesk").contains("logged out at desk1"));
    desk.ok("login 102 desk1");
    assert!(desk.ok("device set desk1 --no-hotdesk").contains("user 102 is logged out there"));
    desk.ok("login 102 desk2");
    assert!(desk.ok("device remove desk2").contains("user 102 is logged out there"));
    assert!(desk.ok("user remove 102").contains("removed"));
    assert_eq!(desk.json("status --json"), json!([]));
}

#[test]
fn the_journal_names_who_did_it_and_can_be_read_from_a_time_on() {
    let desk = Desk::furnished();
    desk.ok("login 101 desk1");
    let journal = desk.ok("journal");
    assert!(journal.ends_with("101 logged in at desk1, by tester (command line)\n"), "{journal}");
    assert_eq!(desk.ok("journal --since 1h"), journal);
    assert_eq!(desk.ok("journal --since 2999-01-01"), "");
    let entries: Vec<serde_json::Value> =
        desk.ok("journal --json").lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(entries.len(), 6);
    assert!(entries.iter().enumerate().all(|(n, entry)| entry["revision"] == n + 1));
    assert_eq!(entries[5]["event"], "sessions_changed");
    assert_eq!(entries[5]["by"], json!({"command": "tester"}));
}

#[test]
fn the_journal_says_which_fields_changed_from_what_to_what() {
    let desk = Desk::furnished();
    desk.ok("user set 101 --class inside --language nl --recording always");
    desk.ok("user set 101 --class outside --name Anna");
    desk.ok("user set 101 --forward-busy 0612345678");
    desk.ok("device set desk1 --owner 102 --auto-logout-idle 45m");
    desk.ok("location set ams --emergency-caller-id 0202");
    std::fs::write(desk.path("users.csv"), "extension,forward-busy,dnd\n101,0687654321,on\n").unwrap();
    desk.ok("import users.csv");
    desk.ok("user pin 101 --generate");
    let journal = desk.ok("journal");
    for line in [
        "user 101 added, by tester",
        "location ams added, by tester",
        "device desk1 added, by tester",
        "user 101 changed: class - -> inside, language - -> nl, recording never -> always, by tester",
        "user 101 changed: class inside -> outside, name Ann -> Anna, by tester",
        "101: forwarding when busy on, by tester",
        "device desk1 changed: auto-logout-idle - -> 45m, owner - -> 102, by tester",
        "location ams changed: emergency-caller-id 0201 -> 0202, by tester",
        "user 101 changed: dnd no -> yes, forward-busy a number -> a number, by tester",
        "user 101 has a new PIN, by tester",
    ] {
        assert!(journal.contains(&format!("  {line}")), "{line}: {journal}");
    }
    assert!(!journal.contains("0612345678") && !journal.contains("0687654321"), "{journal}");
    let entries = desk.ok("journal --json");
    let entries = entries.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    let entries: Vec<serde_json::Value> = entries.collect();
    assert_eq!((&entries[0]["added"], &entries[0]["fields"]), (&json!(true), &json!(null)));
    assert_eq!(
        entries[6]["fields"],
        json!([{"field": "class", "from": "inside", "to": "outside"}, {"field": "name", "from": "Ann", "to": "Anna"}])
    );
}

#[test]
fn the_journal_can_be_limited_to_the_last_entries() {
    let desk = Desk::furnished();
    let all = desk.ok("journal");
    let last = |n: usize| -> String {
        let lines: Vec<&str> = all.lines().collect();
        lines[lines.len() - n..].iter().map(|line| format!("{line}\n")).collect()
    };
    assert_eq!(desk.ok("journal --limit 2"), last(2));
    assert_eq!(desk.ok("journal -n 1 --since 1h"), last(1));
    assert_eq!(desk.ok("journal --limit 2 --since 2999-01-01"), "");
    assert_eq!((desk.ok("journal --limit 0"), desk.ok("journal --limit 99")), (String::new(), all.clone()));
    let wrong = desk.run("journal --limit some");
    assert!(wrong.code == 2 && wrong.err.contains("use a whole number, for example 20"), "{wrong:?}");
}

#[test]
fn times_are_local_in_text_and_take_part_in_since_and_rfc_3339_in_json() {
    let desk = Desk::furnished();
    desk.ok("login 101 desk1");
    let here = |args: &[&str]| {
        let said = desk.command().args(args).env("TZ", "Asia/Tokyo").output().unwrap();
        assert!(said.status.success(), "{said:?}");
        String::from_utf8(said.stdout).unwrap()
    };
    let journal = here(&["journal", "--limit", "1"]);
    let (time, _) = journal.split_once("  ").unwrap();
    let (local, zone) = time.rsplit_once(' ').unwrap();
    assert_eq!(zone, "JST");
    let entry: serde_json::Value = serde_json::from_str(&here(&["journal", "-n", "1", "--json"])).unwrap();
    let at: jiff::Timestamp = entry["at"].as_str().unwrap().parse().unwrap();
    let tokyo = jiff::tz::TimeZone::get("Asia/Tokyo").unwrap();
    assert_eq!(local, at.to_zoned(tokyo).strftime("%Y-%m-%d %H:%M:%S").to_string());
    assert!(here(&["journal", "--since", time]).ends_with(&journal));
    assert!(here(&["status"]).contains(time), "{}", here(&["status"]));
    desk.ok("extend 101 --for 10m");
    let until = here(&["journal", "-n", "1"]);
    assert!(until.contains("postponed until ") && until.contains(" JST, by tester"), "{until}");
}

#[test]
fn the_journal_is_followed_as_it_grows() {
    let desk = Desk::furnished();
    let mut follower = desk.command().args(["journal", "--follow"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(follower.stdout.take().unwrap()).lines().map(Result::unwrap);
    assert_eq!(lines.by_ref().take(5).filter(|line| line.contains(" added, by tester")).count(), 5);
    for (args, says) in
        [("login 101 desk1", "101 logged in at desk1"), ("logout 101", "101 logged out at desk1")]
    {
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
