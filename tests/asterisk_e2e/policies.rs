//! Policies of a company in calls: lockouts after wrong PINs, and several sessions of a user.

use super::{SOON, program};
use crate::harness::company::{Company, one_touch};
use crate::harness::debian::Version;
use crate::harness::phone::Phone;

#[test]
fn five_wrong_pins_lock_a_user_out_and_end_no_session() {
    let company = super::company(Version::Current);
    let [desk1, desk2] = ["desk1", "desk2"].map(|desk| company.pbx.phone(desk).unwrap());
    company.log_in(&desk2, "101").unwrap();
    // Each call ends here once the first wrong PIN was refused.
    for _ in 0..5 {
        desk1.dial("*35*101*000000").unwrap();
        desk1.wait_audio().unwrap();
        desk1.hang_up().unwrap();
    }
    let locked = company.hotdesk.run(&["lockout", "list"]).unwrap();
    assert!(locked.lines().nth(1).is_some_and(|line| line.starts_with("user 101  ")), "{locked}");
    assert_eq!(locked.lines().count(), 2, "{locked}");

    // The right PIN is refused with a prompt. The session goes on, and other users log in.
    let mark = company.pbx.log().len();
    company.dial_code(&desk1, &one_touch("101"), &[]).unwrap();
    assert!(company.pbx.log()[mark..].contains("Playing 'hotdesk/locked"));
    assert_eq!(company.agreed(SOON).unwrap(), ["101@desk2"]);
    company.log_in(&desk1, "102").unwrap();

    company.hotdesk.run(&["lockout", "clear", "101"]).unwrap();
    assert_eq!(company.hotdesk.run(&["lockout", "list"]).unwrap(), "");
    company.log_in(&desk1, "101").unwrap();
    assert_eq!(company.agreed(SOON).unwrap(), ["101@desk1"]);
}

#[test]
fn a_user_with_two_sessions_rings_at_both_and_a_third_ends_the_first() {
    let keep = "[login]\nmultiple_logins = \"keep\"\nkeep = 2\n";
    let company = Company::open_with(&program(), Version::Current, "sqlite:hotdesk.db", keep).unwrap();
    let desks = ["desk1", "desk2", "desk3"].map(|desk| company.pbx.phone(desk).unwrap());
    let colleague = company.pbx.phone("colleague").unwrap();
    let rings = |those: [&Phone; 2]| {
        colleague.dial("101").unwrap();
        those.iter().for_each(|desk| drop(desk.wait_ringing().unwrap()));
        assert_eq!(desks.iter().filter(|desk| desk.in_call()).count(), 2);
        // One answers, and the other stops.
        those[1].answer().unwrap();
        colleague.wait_answered().unwrap();
        those[0].wait_ended().unwrap();
        colleague.hang_up().unwrap();
        those[1].wait_ended().unwrap();
    };
    company.log_in(&desks[0], "101").unwrap();
    company.log_in(&desks[1], "101").unwrap();
    assert_eq!(company.agreed(SOON).unwrap(), ["101@desk1", "101@desk2"]);
    rings([&desks[0], &desks[1]]);
    company.log_in(&desks[2], "101").unwrap();
    assert_eq!(company.agreed(SOON).unwrap(), ["101@desk2", "101@desk3"]);
    rings([&desks[1], &desks[2]]);
}
