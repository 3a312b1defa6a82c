use jiff::Timestamp;

use super::Desk;

#[test]
fn rules_are_set_shown_and_taken_away() {
    let desk = Desk::furnished();
    desk.ok("device set desk1 --leave-at 22:00 --leave-days mon-fri --leave-idle 45m --leave-after 8h");
    let shown = desk.ok("device show desk1");
    assert!(shown.contains("at 22:00, on mon-fri, after 8h, idle 45m"), "{shown}");
    assert_eq!(desk.json("device show desk1 --json")["leave"]["idle"], "45m");
    let unset = desk.run_with(&["device", "set", "desk1", "--leave-at", "", "--leave-days", ""], "");
    assert_eq!(unset.code, 0, "{unset:?}");
    let leaves = |line: &str| line.starts_with("leaves ") && line.ends_with("  after 8h, idle 45m");
    assert!(desk.ok("device show desk1").lines().any(leaves));
    assert!(desk.ok("device set desk1 --leave-idle 45m").contains("is so already"));
    desk.ok("device set desk1 --leave-never");
    assert!(desk.ok("device show desk1").contains("never"));
    desk.ok("user set 101 --leave-never --leave-after 2h");
    assert!(desk.ok("user show 101").contains("after 2h"));
    desk.ok("location set ams --leave-unregistered 30m");
    assert!(desk.ok("location show ams").contains("unregistered 30m"));
    for (args, says) in [
        ("device set desk1 --leave-at 25:00", "a time of day"),
        ("device set desk1 --leave-days monday", "days of the week"),
        ("user set 101 --leave-idle 0s", "a span of time"),
    ] {
        let said = desk.run(args);
        assert!(said.code == 2 && said.err.contains(says), "{args}: {said:?}");
    }
}

#[test]
fn the_status_says_when_each_leaves_and_why_by_the_narrowest_rule() {
    let desk = Desk::furnished();
    desk.ok("login 101 desk1");
    desk.ok("login 102 desk2");
    desk.ok("location set ams --leave-at never --leave-after 9h");
    desk.ok("user set 101 --leave-after 8h");
    let hours = |seat: &serde_json::Value| {
        let at = |at: &serde_json::Value| at.as_str().unwrap().parse::<Timestamp>().unwrap();
        at(&seat["leaves"]["at"]).duration_since(at(&seat["since"])).as_hours()
    };
    let status = desk.json("status --json");
    assert_eq!((hours(&status[0]), hours(&status[1])), (8, 9));
    assert_eq!(status[0]["leaves"]["why"], "longest-stay");
    assert!(desk.ok("status").contains("(longest stay)"));
    let stays = desk.ok("stay 101 --for 90m");
    assert!(stays.starts_with("101 stays at desk1 until "), "{stays}");
    let longer = desk.json("status --json");
    assert_eq!((hours(&longer[0]), hours(&longer[1])), (9, 9), "eight hours and an hour and a half");
    assert!(desk.ok("journal").contains("101 stays at desk1 until 20"));
    desk.ok("user set 102 --leave-never");
    assert_eq!(desk.ok("stay 102"), "102 is not going to be logged out at desk2\n");
    desk.ok("user set 103 --name Carol");
    assert_eq!(desk.fails("stay 103"), "hotdesk: 103 is not logged in\n");
    assert_eq!(desk.json("status --json")[1]["leaves"], serde_json::Value::Null);
}
