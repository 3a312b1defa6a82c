//! A group rings all who signed in to it, wherever they sit. How the members of a queue follow is in the grid.

use crate::company::{Company, registered};
use crate::support::check::all_is_well;
use crate::support::debian::Version;
use crate::support::each::on_each;
use crate::support::phone::Phone;

on_each! {
    a_group_rings_who_signed_in_wherever_they_sit
}

fn heard_by(colleague: &Phone, desk: &Phone) {
    desk.tone(true);
    colleague.wait_audio().unwrap();
    desk.tone(false);
    colleague.wait_silence().unwrap();
}

fn a_group_rings_who_signed_in_wherever_they_sit(version: Option<Version>) {
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
    assert_eq!(colleague.wait_ended().unwrap().code, 480, "nobody is anywhere");
    company.log_in(&desk1, "101");
    company.log_in(&desk2, "102");
    company.log_in(&desk3, "103");
    colleague.dial("650").unwrap();
    desk1.wait_ringing().unwrap();
    desk2.wait_ringing().unwrap();
    desk2.answer().unwrap();
    colleague.wait_answered().unwrap();
    // An Asterisk shows who took the call, a FreeSWITCH whom he called.
    let shown = if version.is_some() { "102" } else { "650" };
    assert_eq!(colleague.wait_connected().unwrap().number, shown);
    desk1.wait_ended().unwrap();
    assert!(desk3.last_invite().is_none(), "103 is not in the group");
    heard_by(&colleague, &desk2);
    // Who answered sends it on.
    desk2.transfer("103").unwrap();
    desk3.wait_ringing().unwrap();
    desk3.answer().unwrap();
    heard_by(&colleague, &desk3);
    colleague.hang_up().unwrap();
    desk3.wait_ended().unwrap();

    // 101 is at another desk, 102 pauses; it works without us, too.
    company.log_in(&desk3, "101");
    company.run(&["user", "group", "102", "650", "pause"]);
    company.seats();
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
