//! A colleague's lamp on a FreePBX follows the person, through its reload and its restart.

use super::{FreePbx, on_both};
use crate::harness::debian::Version;
use crate::harness::phone::Phone;

on_both! { a_blf_of_freepbx_follows_its_user_through_reload_and_restart }

/// A call at `desk` lights the lamp, and its end darkens it.
fn lit_by(colleague: &Phone, desk: &Phone) {
    desk.dial("602").unwrap();
    desk.wait_answered().unwrap();
    colleague.wait_lamp("101", "confirmed").unwrap();
    desk.hang_up().unwrap();
    colleague.wait_lamp("101", "terminated").unwrap();
}

fn a_blf_of_freepbx_follows_its_user_through_reload_and_restart(version: Version) {
    let mut freepbx = FreePbx::open(version);
    let [desk1, desk2, carol] = ["2001", "2002", "2003"].map(|device| freepbx.pbx.phone(device).unwrap());
    // Subscribed once, before the first login.
    carol.watch("101").unwrap();
    carol.wait_lamp("101", "terminated").unwrap();
    freepbx.log_in(&desk1, "101");
    lit_by(&carol, &desk1);
    freepbx.log_in(&desk2, "101");
    lit_by(&carol, &desk2);
    freepbx.dial(&desk2, "*12", &[]);
    freepbx.log_in(&desk1, "101");
    lit_by(&carol, &desk1);

    // A reload brings back the hints that FreePBX generated before the login.
    let mark = freepbx.hotdesk.log().len();
    freepbx.pbx.cli("dialplan reload").unwrap();
    freepbx.hotdesk.wait_for_log(mark, "event=\"table.reconciled\"").unwrap();
    assert_eq!(freepbx.hint("101"), "PJSIP/2001&Custom:DND101,CustomPresence:101");
    lit_by(&carol, &desk1);

    drop((desk1, desk2, carol));
    // Asterisk writes AstDB once a second, and no event says so.
    std::thread::sleep(std::time::Duration::from_millis(1200));
    let mark = freepbx.hotdesk.log().len();
    freepbx.pbx.restart().unwrap();
    freepbx.hotdesk.wait_reconnected(mark).unwrap();
    freepbx.ami = freepbx.pbx.ami().unwrap();
    freepbx.differs_only_in(&[
        ("/DEVICE/2001/user", "101"),
        ("/AMPUSER/101/device", "2001"),
        ("/AMPUSER/102/device", ""),
    ]);
    let [desk1, carol] = ["2001", "2003"].map(|device| freepbx.pbx.phone(device).unwrap());
    carol.watch("101").unwrap();
    lit_by(&carol, &desk1);
    let journal = freepbx.hotdesk.run(&["journal"]).unwrap();
    assert!(journal.contains("BLF of user 101 (hint 101@ext-local) repaired"), "{journal}");
}
