//! `hotdesk lockout` and `hotdesk pepper`.

use std::fs;

use hotdesk::model::login::pin::Pepper;
use jiff::Timestamp;
use serde_json::json;

use super::{Desk, mode};
use crate::harness::failures;

/// Failures, as a controller counts them.
fn fail(desk: &Desk, user: &str, device: &str, times: usize, at: Timestamp) {
    failures::fail(&desk.path(""), (user, device), times, at);
}

#[test]
fn lockouts_are_listed_with_their_failures_and_end_and_can_be_cleared() {
    let desk = Desk::furnished();
    assert_eq!(desk.noted("lockout list"), (String::new(), "hotdesk: there is no lockout\n".into()));
    desk.ok("user pin 101 --generate");
    let now = Timestamp::from_second(Timestamp::now().as_second()).unwrap();
    let hour = jiff::SignedDuration::from_hours(1);
    fail(&desk, "101", "desk1", 5, now);
    fail(&desk, "86420975", "desk1", 5, now);
    for n in 0..60 {
        fail(&desk, "102", "desk2", 1, now - hour * (60 - n));
    }
    let until = now + jiff::SignedDuration::from_mins(15);
    let shown = until.strftime("%Y-%m-%d %H:%M:%S UTC").to_string();
    let listed = desk.json("lockout list --json");
    let has = |wanted: serde_json::Value| listed.as_array().unwrap().contains(&wanted);
    assert!(has(json!({"user": "101", "device": null, "failures": 5, "until": until})), "{listed}");
    assert!(has(json!({"user": null, "device": null, "failures": 5, "until": until})), "{listed}");
    assert!(has(json!({"user": "102", "device": null, "failures": 50, "until": null})), "{listed}");
    assert!(has(json!({"user": null, "device": "desk1", "failures": 10, "until": until})), "{listed}");
    assert_eq!(listed.as_array().unwrap().len(), 4);
    let table = desk.ok("lockout list");
    assert!(table.contains(&format!("device desk1          10        {shown}\n")), "{table}");
    assert!(table.contains(&format!("user 101              5         {shown}\n")), "{table}");
    assert!(table.contains("user 102              50        cleared by an administrator\n"), "{table}");
    assert!(!table.contains("86420975"));

    assert_eq!(desk.ok("lockout clear 102"), "lockout of user 102 cleared\n");
    assert_eq!(desk.ok("lockout clear --device desk1"), "lockout of device desk1 cleared\n");
    assert_eq!(desk.json("lockout list --json").as_array().unwrap().len(), 2);
    assert_eq!(desk.ok("lockout clear --all"), "all lockouts cleared\n");
    assert_eq!(desk.noted("lockout list"), (String::new(), "hotdesk: there is no lockout\n".into()));
    let journal = desk.ok("journal");
    for told in ["lockout of user 102 ended", "lockout of device desk1 ended", "all lockouts ended"] {
        assert!(journal.contains(&format!("{told}, by tester (command line)\n")), "{journal}");
    }
    assert!(desk.fails("lockout clear 999").contains("there is no user 999"));
    assert!(desk.fails("lockout clear --device desk9").contains("there is no device desk9"));
    assert_eq!((desk.run("lockout clear").code, desk.run("lockout clear 101 --all").code), (2, 2));
}

#[test]
fn a_rotated_pepper_leaves_the_old_one_beside_it_until_no_pin_needs_it() {
    let desk = Desk::furnished();
    desk.ok("user pin 101 --generate");
    let old = fs::read(desk.path("hotdesk.pepper")).unwrap();
    let (done, note) = desk.noted("pepper rotate");
    assert!(
        done.contains("hotdesk.pepper is the pepper ") && note.contains("hotdesk reload"),
        "{done}{note}"
    );
    assert_ne!(fs::read(desk.path("hotdesk.pepper")).unwrap(), old);
    let name = Pepper::new(old.as_slice().try_into().unwrap()).name().to_owned();
    let beside = desk.path(&format!("hotdesk.pepper.{name}"));
    assert_eq!((fs::read(&beside).unwrap(), mode(&beside)), (old, 0o600));
    let check = desk.run("check").out;
    assert!(check.contains("ok     pepper: ") && check.contains("fits 0 PINs"), "{check}");
    assert!(check.contains(&format!("note   pepper {name}: the PINs of 1 users still need")), "{check}");
    desk.ok("user pin 101 --generate");
    let check = desk.run("check").out;
    assert!(check.contains(&format!("note   pepper {name}: no PIN of the tenant default needs")), "{check}");
    fs::remove_file(&beside).unwrap();
    assert!(desk.run("check").out.contains("fits all 1 PINs"));
}

#[test]
fn with_several_controllers_the_next_pepper_is_made_and_copied_first() {
    let desk = Desk::furnished();
    desk.ok("user pin 101 --generate");
    let (file, note) = desk.noted("pepper add");
    let file = file.trim_end();
    let name = file.rsplit_once('.').unwrap().1;
    assert!(note.contains(&format!("hotdesk pepper rotate {name}")), "{note}");
    assert!(desk.run("check").out.contains("fits 1 PINs"));
    desk.noted(&format!("pepper rotate {name}"));
    assert_eq!(fs::read(desk.path("hotdesk.pepper")).unwrap(), fs::read(file).unwrap());
    assert!(
        desk.fails("pepper rotate 0123456789abcdef")
            .contains("hotdesk.pepper.0123456789abcdef cannot be read")
    );
}

#[test]
fn a_refused_login_names_the_command_that_makes_room() {
    let desk = Desk::furnished();
    desk.ok("login 101 desk1");
    desk.configure("[login]\nmultiple_logins = \"refuse\"\n[[switch]]\n");
    assert!(desk.fails("login 101 desk2").contains("hotdesk logout 101"));
    desk.configure("[login]\nmultiple_logins = \"keep\"\ntake_over = false\n[[switch]]\n");
    assert!(desk.fails("login 102 desk1").contains("hotdesk logout --device desk1"));
    assert_eq!(desk.ok("login 101 desk2"), "user 101 is logged in at desk2\n");
    assert!(desk.ok("user list").contains("desk1 and desk2"));
    assert_eq!(desk.json("user show 101 --json")["devices"], json!(["desk1", "desk2"]));
    assert_eq!(desk.ok("logout 101"), "user 101 is logged out at desk1; user 101 is logged out at desk2\n");
}
