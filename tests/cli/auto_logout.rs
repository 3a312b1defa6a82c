use jiff::Timestamp;

use super::Desk;

#[test]
fn rules_are_set_shown_and_removed() {
    let desk = Desk::furnished();
    desk.ok("device set desk1 --auto-logout-at 22:00 --auto-logout-days mon-fri --auto-logout-idle 45m --auto-logout-after 8h");
    let shown = desk.ok("device show desk1");
    assert!(shown.contains("at 22:00, on mon-fri, after 8h, idle 45m"), "{shown}");
    assert_eq!(desk.json("device show desk1 --json")["auto_logout"]["idle"], "45m");
    let unset =
        desk.run_with(&["device", "set", "desk1", "--auto-logout-at", "", "--auto-logout-days", ""], "");
    assert_eq!(unset.code, 0, "{unset:?}");
    let rules = |line: &str| line.starts_with("automatic logout ") && line.ends_with("  after 8h, idle 45m");
    assert!(desk.ok("device show desk1").lines().any(rules));
    assert!(desk.ok("device set desk1 --auto-logout-idle 45m").contains("is unchanged"));
    desk.ok("device set desk1 --auto-logout-never");
    assert!(desk.ok("device show desk1").contains("never"));
    desk.ok("user set 101 --auto-logout-never --auto-logout-after 2h");
    assert!(desk.ok("user show 101").contains("after 2h"));
    desk.ok("location set ams --auto-logout-unregistered 30m");
    assert!(desk.ok("location show ams").contains("unregistered 30m"));
    for (args, says) in [
        ("device set desk1 --auto-logout-at 25:00", "a time of day"),
        ("device set desk1 --auto-logout-days monday", "days of the week"),
        ("user set 101 --auto-logout-idle 0s", "a span of time"),
    ] {
        let said = desk.run(args);
        assert!(said.code == 2 && said.err.contains(says), "{args}: {said:?}");
    }
}

#[test]
fn status_shows_when_and_why_each_session_ends_by_the_narrowest_rule() {
    let desk = Desk::furnished();
    desk.ok("login 101 desk1");
    desk.ok("login 102 desk2");
    desk.ok("location set ams --auto-logout-at never --auto-logout-after 9h");
    desk.ok("user set 101 --auto-logout-after 8h");
    let hours = |session: &serde_json::Value| {
        let at = |at: &serde_json::Value| at.as_str().unwrap().parse::<Timestamp>().unwrap();
        at(&session["auto_logout"]["at"]).duration_since(at(&session["since"])).as_hours()
    };
    let status = desk.json("status --json");
    assert_eq!((hours(&status[0]), hours(&status[1])), (8, 9));
    assert_eq!(status[0]["auto_logout"]["why"], "longest-stay");
    assert!(desk.ok("status").contains("(longest stay)"));
    let extended = desk.ok("extend 101 --for 90m");
    assert!(extended.starts_with("user 101 stays logged in at desk1 until "), "{extended}");
    let longer = desk.json("status --json");
    assert_eq!((hours(&longer[0]), hours(&longer[1])), (9, 9), "eight hours and an hour and a half");
    assert!(desk.ok("journal").contains("automatic logout of 101 at desk1 postponed until 20"));
    desk.ok("user set 102 --auto-logout-never");
    assert_eq!(desk.ok("extend 102"), "user 102 has no automatic logout at desk2\n");
    desk.ok("user add 103 --name Carol");
    assert_eq!(desk.fails("extend 103"), "hotdesk: user 103 is not logged in\n");
    assert_eq!(desk.json("status --json")[1]["auto_logout"], serde_json::Value::Null);
}
