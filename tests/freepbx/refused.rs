//! Users and devices that a FreePBX does not have, or not for logins.

use super::{FreePbx, on_both};
use crate::harness::check::broken;
use crate::harness::debian::Version;
use crate::harness::wait;

on_both! {
    a_login_that_freepbx_refuses_is_reported_and_changes_nothing
    a_user_who_was_deleted_in_freepbx_is_named_once_and_leaves_the_phone_to_its_owner
}

fn a_login_that_freepbx_refuses_is_reported_and_changes_nothing(version: Version) {
    let mut freepbx = FreePbx::open(version);
    freepbx.hotdesk.run(&["user", "add", "104", "--name", "Dave"]).unwrap();
    let strange =
        ["device", "add", "2007", "--switch", "pbx", "--dial", "PJSIP/2007", "--location", "cid-0205550101"];
    freepbx.hotdesk.run(&strange).unwrap();
    freepbx.put("DEVICE", "2002/type", "fixed");
    for (user, device, why) in [
        (
            "104",
            "2001",
            "user 104: FreePBX: it has no such user: add the user there, or: hotdesk user remove 104",
        ),
        (
            "101",
            "2007",
            "device 2007: FreePBX: it has no such device: add it in FreePBX, or: hotdesk device remove 2007",
        ),
        (
            "101",
            "2002",
            "device 2002: FreePBX: it is of type fixed there, and 2002 is not its default user: make it adhoc",
        ),
    ] {
        let output = freepbx.hotdesk.output(&["login", user, device], "").unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.code() == Some(1) && said.contains(why), "{why}: {said}");
    }
    assert_eq!(freepbx.hotdesk.run(&["status", "--json"]).unwrap().trim(), "[]", "nothing was changed");
    freepbx.differs_only_in(&[("/DEVICE/2002/type", "fixed")]);
}

fn a_user_who_was_deleted_in_freepbx_is_named_once_and_leaves_the_phone_to_its_owner(version: Version) {
    let mut freepbx = FreePbx::open(version);
    freepbx.hotdesk.run(&["login", "101", "2001"]).unwrap();
    freepbx.hotdesk.run(&["login", "103", "2002"]).unwrap();
    freepbx.differs_only_in(&[
        ("/DEVICE/2001/user", "101"),
        ("/AMPUSER/101/device", "2001"),
        ("/AMPUSER/102/device", ""),
        ("/DEVICE/2002/user", "103"),
        ("/AMPUSER/103/device", "2003&2009&2002"),
    ]);
    freepbx.pbx.cli("database deltree AMPUSER 101").unwrap();
    let mark = freepbx.hotdesk.log().len();
    freepbx.reload();
    let is_owners = || freepbx.row("DEVICE", "2001/user").as_deref() == Some("102");
    wait::until(super::SOON, is_owners, || format!("{:#?}", freepbx.rows()));
    assert_eq!(freepbx.row("AMPUSER", "102/device").as_deref(), Some("2001"));
    assert_eq!(freepbx.row("DEVICE", "2002/user").as_deref(), Some("103"), "others are not disturbed");
    for _ in 0..3 {
        freepbx.reload();
    }
    let log = freepbx.hotdesk.log();
    let refused: Vec<&str> = log[mark..].lines().filter(|line| line.contains("user 101: FreePBX")).collect();
    assert_eq!(refused.len(), 1, "{log}");
    assert!(refused[0].contains("event=\"table.refused\""), "{refused:?}");
    let wrong = broken(&freepbx.hotdesk);
    let table = "table of switch pbx: the switch refused user 101: FreePBX: it has no such user";
    assert!(wrong.contains(table) && !wrong.contains("within a minute"), "{wrong}");
    let explained = freepbx.hotdesk.run(&["explain", "101"]).unwrap();
    assert!(explained.contains("REFUSED: the switch refused user 101"), "{explained}");
    assert!(!explained.contains("within a minute"), "{explained}");
    freepbx.hotdesk.run(&["user", "remove", "101"]).unwrap();
    assert!(!broken(&freepbx.hotdesk).contains("table"), "{}", broken(&freepbx.hotdesk));
}
