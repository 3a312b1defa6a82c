//! Logging in and out with each length of the code, and what the phone is from then on.

use std::time::Duration;

use super::{SOON, company, on_both};
use crate::support::company::{one_touch, pin};
use crate::support::debian::Version;
use crate::support::phone::Phone;

on_both! {
    one_touch_makes_the_phone_his
    any_name_is_shown_as_it_is
    each_length_asks_for_what_is_missing_and_each_logs_out
    a_login_elsewhere_moves_him_and_leaves_the_desk_empty
}

fn one_touch_makes_the_phone_his(version: Version) {
    let company = company(version);
    let (desk1, desk2) = (company.pbx.phone("desk1").unwrap(), company.pbx.phone("desk2").unwrap());
    let colleague = company.pbx.phone("colleague").unwrap();
    let heard = company.dial_code(&desk1, &one_touch("101"), &[]).unwrap();
    assert!(heard > Duration::from_secs(1), "the confirmation is spoken, with the extension: {heard:?}");
    assert_eq!(company.agreed(SOON).unwrap(), ["101@desk1"]);

    // A call to 101 rings there.
    colleague.dial("101").unwrap();
    assert_eq!(desk1.wait_ringing().unwrap().from.number, "199");
    desk1.answer().unwrap();
    colleague.wait_answered().unwrap();
    colleague.hang_up().unwrap();
    desk1.wait_ended().unwrap();

    // A call from there shows him, whatever the phone itself claims to be.
    company.log_in(&desk2, "102").unwrap();
    for claims in ["desk1", "103"] {
        desk1.dial_as(claims, "102").unwrap();
        let caller = desk2.wait_ringing().unwrap();
        assert_eq!((caller.from.name.as_str(), caller.from.number.as_str()), ("Alice", "101"));
        let asserted = caller.asserted.unwrap();
        assert_eq!((asserted.name.as_str(), asserted.number.as_str()), ("Alice", "101"));
        desk1.hang_up().unwrap();
        desk2.wait_ended().unwrap();
    }

    // A number of his own, or none.
    let trunk = company.pbx.phone("trunk").unwrap();
    company.hotdesk.run(&["user", "set", "101", "--caller-id", "0205550777"]).unwrap();
    company.agreed(SOON).unwrap();
    assert_eq!(shown_outside(&desk1, &trunk), "0205550777");
    company.hotdesk.run(&["user", "set", "101", "--anonymous"]).unwrap();
    assert_eq!(shown_outside(&desk1, &trunk), "anonymous");
}

/// What a name may hold and a dialplan, a row, a hint or a header would read as something else.
fn any_name_is_shown_as_it_is(version: Version) {
    const ODD: &str = "${EXTEN} $[1+1] %41+|,;&:=@()[]{}<b>'~\\ \"Zoë\" 李";
    let company = company(version);
    let (desk1, desk2) = (company.pbx.phone("desk1").unwrap(), company.pbx.phone("desk2").unwrap());
    company.hotdesk.run(&["user", "set", "101", "--name", ODD]).unwrap();
    company.log_in(&desk1, "101").unwrap();
    company.log_in(&desk2, "102").unwrap();
    desk1.dial("102").unwrap();
    let caller = desk2.wait_ringing().unwrap();
    assert_eq!((caller.from.name.as_str(), caller.from.number.as_str()), (ODD, "101"));
    desk1.hang_up().unwrap();
    desk2.wait_ended().unwrap();
}

/// What the trunk sees of a call that goes abroad, once a change has had its 300 ms.
fn shown_outside(desk: &Phone, trunk: &Phone) -> String {
    std::thread::sleep(Duration::from_millis(300));
    desk.dial("0031205550000").unwrap();
    let caller = trunk.wait_ringing().unwrap();
    desk.hang_up().unwrap();
    trunk.wait_ended().unwrap();
    caller.from.number
}

fn each_length_asks_for_what_is_missing_and_each_logs_out(version: Version) {
    let company = company(version);
    let desk1 = company.pbx.phone("desk1").unwrap();
    let (extension, secret) = ("101#", format!("{}#", pin("101")));
    for (code, entries) in [
        ("*35", &[extension, secret.as_str()][..]),
        ("*35*101", &[secret.as_str()]),
        (&one_touch("101"), &[]),
    ] {
        company.dial_code(&desk1, code, entries).unwrap();
        assert_eq!(company.agreed(SOON).unwrap(), ["101@desk1"], "{code} logs in");
        let heard = company.dial_code(&desk1, code, &[]).unwrap();
        assert!(heard > Duration::from_millis(400), "it is said that he is logged out: {heard:?}");
        assert!(company.agreed(SOON).unwrap().is_empty(), "{code} logs out");
    }
    // Early digits, a false start, and no `#`: the time-out ends the entry.
    company.dial_code(&desk1, "*35", &["555*101#", pin("101")]).unwrap();
    assert_eq!(company.agreed(SOON).unwrap(), ["101@desk1"]);
    // Another identity in one go.
    company.log_in(&desk1, "102").unwrap();
    assert_eq!(company.agreed(SOON).unwrap(), ["102@desk1"]);
}

fn a_login_elsewhere_moves_him_and_leaves_the_desk_empty(version: Version) {
    let mut company = company(version);
    let (desk1, desk2) = (company.pbx.phone("desk1").unwrap(), company.pbx.phone("desk2").unwrap());
    company.log_in(&desk1, "101").unwrap();
    company.log_in(&desk2, "101").unwrap();
    assert_eq!(company.agreed(SOON).unwrap(), ["101@desk2"]);
    let trunk = company.pbx.phone("trunk").unwrap();
    for hotdesk in ["there", "killed"] {
        if hotdesk == "killed" {
            company.hotdesk.kill().unwrap();
        }
        // The empty desk may not call: it hears why, and is refused.
        desk1.dial("102").unwrap();
        let ended = desk1.wait_ended().unwrap();
        assert_eq!((ended.code, ended.cause), (403, Some(21)), "hotdesk is {hotdesk}");
        assert!(ended.heard > Duration::from_millis(500), "hotdesk is {hotdesk}: {ended:?}");
        // But for help, with the number of the place.
        desk1.dial("112").unwrap();
        assert_eq!(trunk.wait_ringing().unwrap().from.number, "0205550101", "hotdesk is {hotdesk}");
        desk1.hang_up().unwrap();
        trunk.wait_ended().unwrap();
        // And he is called where he sits now.
        trunk.dial("101").unwrap();
        desk2.wait_ringing().unwrap();
        trunk.hang_up().unwrap();
        desk2.wait_ended().unwrap();
    }
    // A code, now that nobody is there to answer it, is answered by the dialplan.
    desk1.dial(&one_touch("101")).unwrap();
    let ended = desk1.wait_ended().unwrap();
    assert!(ended.heard > Duration::from_millis(500), "it is said that it is not available: {ended:?}");
}
