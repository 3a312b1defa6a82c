//! Logins by FreePBX's codes change two rows of its AstDB, and FreePBX follows them.

use std::time::Duration;

use super::{FreePbx, on_both};
use crate::harness::ami::Message;
use crate::harness::debian::Version;
use crate::harness::phone::Phone;

on_both! {
    a_login_and_a_logout_change_two_rows_of_freepbx_only
    a_user_keeps_a_fixed_device_during_a_login_elsewhere
    a_row_changed_by_hand_is_repaired_and_journalled
}

/// Waits for FreePBX's own event of a device that got or lost its user.
fn wait_for_event(freepbx: &FreePbx, mark: usize, event: &str, data: &str) {
    let is_it = |m: &Message| m.is("UserEvent") && m.get("UserEvent") == event && m.get("Data") == data;
    freepbx.ami.wait_from(mark, &format!("{event} {data}"), is_it).unwrap();
}

/// The caller that is shown when `from` calls `user` and `at` rings.
fn shown(from: &Phone, user: &str, at: &Phone) -> (String, String) {
    from.dial(user).unwrap();
    let caller = at.wait_ringing().unwrap();
    from.hang_up().unwrap();
    at.wait_ended().unwrap();
    (caller.from.name, caller.from.number)
}

fn a_login_and_a_logout_change_two_rows_of_freepbx_only(version: Version) {
    let mut freepbx = FreePbx::open(version);
    let [desk1, desk2, carol] = ["2001", "2002", "2003"].map(|device| freepbx.pbx.phone(device).unwrap());
    let owner = ("Bob".to_owned(), "102".to_owned());
    freepbx.differs_only_in(&[]);
    assert!(freepbx.hotdesk.log().contains("repaired=0"), "all was right as it was found");
    assert_eq!(shown(&desk1, "103", &carol), owner);
    // 2002 has no user, so FreePBX does not let it call.
    desk2.dial("103").unwrap();
    assert_eq!(desk2.wait_ended().unwrap().cause, Some(21));

    // A guest at the phone of 102.
    let mark = freepbx.ami.mark();
    freepbx.dial(&desk1, "*11", &["101#", "729154#"]);
    freepbx.differs_only_in(&[
        ("/DEVICE/2001/user", "101"),
        ("/AMPUSER/101/device", "2001"),
        ("/AMPUSER/102/device", ""),
    ]);
    wait_for_event(&freepbx, mark, "UserDeviceRemoved", "102,2001");
    wait_for_event(&freepbx, mark, "UserDeviceAdded", "101,2001");
    assert_eq!(freepbx.hint("101"), "PJSIP/2001&Custom:DND101,CustomPresence:101");
    assert_eq!(freepbx.hint("102"), "&Custom:DND102,CustomPresence:102");
    assert_eq!(shown(&carol, "101", &desk1), ("Carol".to_owned(), "103".to_owned()));
    assert_eq!(shown(&desk1, "103", &carol), ("Alice".to_owned(), "101".to_owned()));

    // The guest moves: the owner is logged in again.
    let mark = freepbx.ami.mark();
    freepbx.log_in(&desk2, "101");
    freepbx.differs_only_in(&[("/DEVICE/2002/user", "101"), ("/AMPUSER/101/device", "2002")]);
    for (event, data) in
        [("UserDeviceRemoved", "101,2001"), ("UserDeviceAdded", "102,2001"), ("UserDeviceAdded", "101,2002")]
    {
        wait_for_event(&freepbx, mark, event, data);
    }
    assert_eq!(shown(&desk1, "103", &carol), owner);
    assert_eq!(shown(&carol, "102", &desk1).1, "103");
    assert_eq!(shown(&desk1, "101", &desk2), owner);

    // The guest logs out: all rows are as before.
    let mark = freepbx.ami.mark();
    freepbx.dial(&desk2, "*12", &[]);
    freepbx.differs_only_in(&[]);
    wait_for_event(&freepbx, mark, "UserDeviceRemoved", "101,2002");
    let events = freepbx.ami.messages();
    assert!(
        !events.iter().any(|m| m.get("UserEvent") == "FreePBXsOwnCode"),
        "its own codes were not reached"
    );
    // The site's own extensions in the context that gets hotdesk's are still there.
    desk1.dial("601").unwrap();
    desk1.wait_answered().unwrap();
    desk1.hang_up().unwrap();
}

fn a_user_keeps_a_fixed_device_during_a_login_elsewhere(version: Version) {
    let mut freepbx = FreePbx::open(version);
    let [desk1, desk2, carol] = ["2001", "2002", "2003"].map(|device| freepbx.pbx.phone(device).unwrap());
    freepbx.log_in(&desk2, "103");
    freepbx.differs_only_in(&[("/DEVICE/2002/user", "103"), ("/AMPUSER/103/device", "2003&2009&2002")]);
    let hint = freepbx.hint("103");
    assert_eq!(hint, "PJSIP/2003&SIP/2009&PJSIP/2002&Custom:DND103,CustomPresence:103");
    desk1.dial("103").unwrap();
    for rings in [&carol, &desk2] {
        rings.wait_ringing().unwrap();
    }
    desk1.hang_up().unwrap();
    for rings in [&carol, &desk2] {
        rings.wait_ended().unwrap();
    }
    // No other user logs in at the fixed device of 103.
    freepbx.dial(&carol, "*11101", &["729154#"]);
    freepbx.dial(&desk2, "*12", &[]);
    freepbx.differs_only_in(&[]);
    assert_eq!(freepbx.hint("103"), "PJSIP/2003&SIP/2009&Custom:DND103,CustomPresence:103");

    // FreePBX's administrator makes 2002 a fixed device: a login there is refused with a prompt.
    freepbx.put("DEVICE", "2002/type", "fixed");
    let mark = freepbx.hotdesk.log().len();
    freepbx.dial(&desk2, "*11101", &["729154#"]);
    freepbx.hotdesk.wait_for_log(mark, "it is of type fixed there").unwrap();
    freepbx.differs_only_in(&[("/DEVICE/2002/type", "fixed")]);
}

fn a_row_changed_by_hand_is_repaired_and_journalled(version: Version) {
    let mut freepbx = FreePbx::open(version);
    freepbx.hotdesk.run(&["login", "101", "2001"]).unwrap();
    let logged_in =
        [("/DEVICE/2001/user", "101"), ("/AMPUSER/101/device", "2001"), ("/AMPUSER/102/device", "")];
    freepbx.differs_only_in(&logged_in);
    // The login is written by now; a later write of it would hide the repair.
    std::thread::sleep(Duration::from_millis(500));
    for (family, key, value) in [
        ("DEVICE", "2001/user", "102"),
        ("DEVICE", "2002/user", "what is this"),
        ("AMPUSER", "101/device", "2002&2009"),
        ("AMPUSER", "103/device", "2001&2003&2009"),
        // Rows that hotdesk does not manage.
        ("DEVICE", "2003/user", "101"),
        ("DEVICE", "2009/user", "102"),
    ] {
        freepbx.put(family, key, value);
    }
    let others = [("/DEVICE/2003/user", "101"), ("/DEVICE/2009/user", "102")];
    let mark = freepbx.hotdesk.log().len();
    freepbx.pbx.cli("module reload app_dial.so").unwrap();
    freepbx.hotdesk.wait_for_log(mark, "event=\"table.reconciled\"").unwrap();
    let mut repaired = [&logged_in[..], &others].concat();
    repaired[1].1 = "2009&2001";
    freepbx.differs_only_in(&repaired);
    let journal = freepbx.hotdesk.run(&["journal"]).unwrap();
    for line in [
        "device 2001 (AstDB DEVICE/2001/user) repaired, was \"102\", is \"101\"",
        "device 2002 (AstDB DEVICE/2002/user) repaired, was \"what is this\", is \"none\"",
        "user 101 (AstDB AMPUSER/101/device) repaired, was \"2002&2009\", is \"2009&2001\"",
        "user 103 (AstDB AMPUSER/103/device) repaired, was \"2001&2003&2009\", is \"2003&2009\"",
    ] {
        assert!(journal.contains(line), "{line}:\n{journal}");
    }
    assert!(!journal.contains("device 2009 (") && !journal.contains("device 2003 ("), "{journal}");
}
