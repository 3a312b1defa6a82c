//! A ring group rings its members at their current devices. `feature_matrix` covers the members of queues.

use crate::company::{Company, registered};
use crate::harness::check::all_is_well;
use crate::harness::debian::Version;
use crate::harness::each::on_each;
use crate::harness::phone::Phone;

on_each! {
    a_group_rings_its_members_at_their_current_devices
}

fn heard_by(colleague: &Phone, desk: &Phone) {
    desk.tone(true);
    colleague.wait_audio().unwrap();
    desk.tone(false);
    colleague.wait_silence().unwrap();
}

fn a_group_rings_its_members_at_their_current_devices(version: Option<Version>) {
    let Some(mut company) = Company::open(version, "[[group]]\nname = \"650\"\nkind = \"ring\"\n") else {
        return;
    };
    let [desk1, desk2, desk3, colleague] =
        ["desk1", "desk2", "desk3", "colleague"].map(|name| company.phone(name));
    for user in ["101", "102"] {
        company.run(&["user", "set", user, "--groups", "650"]);
        company.run(&["user", "group", user, "650", "in"]);
    }
    colleague.dial("650").unwrap();
    assert_eq!(colleague.wait_ended().unwrap().code, 480, "no member is logged in");
    company.log_in(&desk1, "101");
    company.log_in(&desk2, "102");
    company.log_in(&desk3, "103");
    colleague.dial("650").unwrap();
    desk1.wait_ringing().unwrap();
    desk2.wait_ringing().unwrap();
    desk2.answer().unwrap();
    colleague.wait_answered().unwrap();
    // Asterisk shows the user who answered, FreeSWITCH the called number.
    let shown = if version.is_some() { "102" } else { "650" };
    assert_eq!(colleague.wait_connected().unwrap().number, shown);
    desk1.wait_ended().unwrap();
    assert!(desk3.last_invite().is_none(), "103 is not in the group");
    heard_by(&colleague, &desk2);
    // The user who answered transfers the call.
    desk2.transfer("103").unwrap();
    desk3.wait_ringing().unwrap();
    desk3.answer().unwrap();
    heard_by(&colleague, &desk3);
    colleague.hang_up().unwrap();
    desk3.wait_ended().unwrap();

    // 101 is at another device, 102 pauses. The group works without hotdesk, too.
    company.log_in(&desk3, "101");
    company.run(&["user", "group", "102", "650", "pause"]);
    company.sessions();
    if version != Some(Version::V16) {
        // Debian's Asterisk 16 comes without the voicemail that the users have.
        all_is_well(company.hotdesk());
    }
    company.hotdesk().stop().unwrap();
    company.restart_switch_alone();
    registered(&colleague);
    let (at1, at2) = (desk1.last_invite().unwrap(), desk2.last_invite().unwrap());
    colleague.dial("650").unwrap();
    desk3.wait_ringing().unwrap();
    desk3.answer().unwrap();
    colleague.wait_answered().unwrap();
    colleague.hang_up().unwrap();
    desk3.wait_ended().unwrap();
    for (desk, before) in [(&desk1, at1), (&desk2, at2)] {
        assert_eq!(desk.last_invite().unwrap().header("Call-ID"), before.header("Call-ID"));
    }
}
