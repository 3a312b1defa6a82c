//! `hotdesk lock` and `hotdesk pepper`.

use std::fs;

use hotdesk::desk::id::{DeviceName, Extension, TenantId};
use hotdesk::desk::pin::Pepper;
use hotdesk::store::Guess;
use jiff::Timestamp;
use serde_json::json;

use super::{Desk, mode};

/// Failures, as a controller counts them.
fn fail(desk: &Desk, user: &str, device: &str, times: usize, at: Timestamp) {
    let key: [u8; 64] = fs::read(desk.path("hotdesk.pepper")).unwrap().try_into().unwrap();
    let tenant = TenantId::default();
    let alias = Pepper::new(key).alias(&tenant, &Extension::new(user).unwrap());
    let guess = Guess { tenant, user: alias, device: DeviceName::new(device).unwrap(), at };
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let store = hotdesk::store::open("sqlite:hotdesk.db", &desk.path("")).await.unwrap();
        for _ in 0..times {
            store.attempt(&guess).await.unwrap();
        }
    });
}

#[test]
fn who_is_locked_is_listed_with_his_failures_and_until_when_and_can_be_unlocked() {
    let desk = Desk::furnished();
    assert_eq!(desk.ok("lock list"), "nobody is locked\n");
    desk.ok("user pin 101 --generate");
    let now = Timestamp::from_second(Timestamp::now().as_second()).unwrap();
    let hour = jiff::SignedDuration::from_hours(1);
    fail(&desk, "101", "desk1", 5, now);
    fail(&desk, "86420975", "desk1", 5, now);
    for n in 0..60 {
        fail(&desk, "102", "desk2", 1, now - hour * (60 - n));
    }
    let until = now + jiff::SignedDuration::from_mins(15);
    let shown = until.strftime("%Y-%m-%dT%H:%M:%S+00:00").to_string();
    let listed = desk.json("lock list --json");
    let has = |wanted: serde_json::Value| listed.as_array().unwrap().contains(&wanted);
    assert!(has(json!({"user": "101", "device": null, "failures": 5, "until": until})), "{listed}");
    assert!(has(json!({"user": null, "device": null, "failures": 5, "until": until})), "{listed}");
    assert!(has(json!({"user": "102", "device": null, "failures": 50, "until": null})), "{listed}");
    assert!(has(json!({"user": null, "device": "desk1", "failures": 10, "until": until})), "{listed}");
    assert_eq!(listed.as_array().unwrap().len(), 4);
    let table = desk.ok("lock list");
    assert!(table.contains(&format!("device desk1                   10        {shown}\n")), "{table}");
    assert!(table.contains(&format!("user 101                       5         {shown}\n")), "{table}");
    assert!(table.contains("user 102                       50        an administrator unlocks\n"), "{table}");
    assert!(!table.contains("86420975"));

    assert_eq!(desk.ok("lock clear 102"), "user 102 is not locked any more\n");
    assert_eq!(desk.ok("lock clear --device desk1"), "device desk1 is not locked any more\n");
    assert_eq!(desk.json("lock list --json").as_array().unwrap().len(), 2);
    assert_eq!(desk.ok("lock clear --all"), "nobody is locked any more\n");
    assert_eq!(desk.ok("lock list"), "nobody is locked\n");
    let journal = desk.ok("journal");
    for told in ["user 102 unlocked", "device desk1 unlocked", "all locks ended"] {
        assert!(journal.contains(&format!("{told}, by tester (command line)\n")), "{journal}");
    }
    assert!(desk.fails("lock clear 999").contains("there is no user 999"));
    assert!(desk.fails("lock clear --device desk9").contains("there is no device desk9"));
    assert_eq!((desk.run("lock clear").code, desk.run("lock clear 101 --all").code), (2, 2));
}

#[test]
fn a_rotated_pepper_leaves_the_old_one_beside_it_until_no_pin_needs_it() {
    let desk = Desk::furnished();
    desk.ok("user pin 101 --generate");
    let old = fs::read(desk.path("hotdesk.pepper")).unwrap();
    let told = desk.ok("pepper rotate");
    assert!(told.contains("SIGHUP"), "{told}");
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
    let told = desk.ok("pepper add");
    let (file, _) = told.split_once(" is made").unwrap();
    let name = file.rsplit_once('.').unwrap().1;
    assert!(desk.run("check").out.contains("fits 1 PINs"));
    desk.ok(&format!("pepper rotate {name}"));
    assert_eq!(fs::read(desk.path("hotdesk.pepper")).unwrap(), fs::read(file).unwrap());
    assert!(
        desk.fails("pepper rotate 0123456789abcdef")
            .contains("hotdesk.pepper.0123456789abcdef cannot be read")
    );
}

#[test]
fn an_administrator_is_told_which_rule_keeps_somebody_from_sitting_there() {
    let desk = Desk::furnished();
    desk.ok("login 101 desk1");
    desk.configure("[login]\nmulti = \"refuse\"\n[[switch]]\n");
    assert!(desk.fails("login 101 desk2").contains("hotdesk logout --user 101"));
    desk.configure("[login]\nmulti = \"keep\"\ntake_over = false\n[[switch]]\n");
    assert!(desk.fails("login 102 desk1").contains("hotdesk logout --device desk1"));
    assert_eq!(desk.ok("login 101 desk2"), "101 sits at desk2 now\n");
    assert!(desk.ok("user list").contains("desk1 and desk2"));
    assert_eq!(desk.json("user show 101 --json")["devices"], json!(["desk1", "desk2"]));
    assert_eq!(desk.ok("logout --user 101"), "101 was logged out at desk1; 101 was logged out at desk2\n");
}
