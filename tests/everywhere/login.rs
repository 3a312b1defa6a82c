//! Logging in and out with each length of the code, and what the phone is from then on.

use std::time::Duration;

use crate::company::{Company, dial};
use crate::support::company::{one_touch, pin};
use crate::support::debian::Version;
use crate::support::each::on_each;

on_each! {
    one_touch_makes_the_phone_his
    each_length_asks_for_what_is_missing_and_each_logs_out
    a_login_elsewhere_moves_him_and_leaves_the_desk_empty
}

fn one_touch_makes_the_phone_his(version: Option<Version>) {
    let Some(company) = Company::open(version, "") else { return };
    let [desk1, desk2, colleague] = ["desk1", "desk2", "colleague"].map(|name| company.phone(name));
    let heard = dial(&desk1, &one_touch("101"), &[]);
    assert!(heard > Duration::from_millis(500), "the confirmation is spoken: {heard:?}");
    assert_eq!(company.seats(), ["101@desk1"]);

    // A call to 101 rings there.
    colleague.dial("101").unwrap();
    assert_eq!(desk1.wait_ringing().unwrap().from.number, "199");
    desk1.answer().unwrap();
    colleague.wait_answered().unwrap();
    colleague.hang_up().unwrap();
    desk1.wait_ended().unwrap();

    // A call from there shows him, whatever the phone itself claims to be.
    company.log_in(&desk2, "102");
    for claims in ["desk1", "103"] {
        desk1.dial_as(claims, "102").unwrap();
        let caller = desk2.wait_ringing().unwrap();
        let shown = [Some(caller.from), caller.asserted];
        let shown = shown.iter().flatten().map(|who| (who.name.as_str(), who.number.as_str()));
        assert!(shown.clone().all(|who| who == ("Alice", "101")), "{:?}", shown.collect::<Vec<_>>());
        desk1.hang_up().unwrap();
        desk2.wait_ended().unwrap();
    }
}

fn each_length_asks_for_what_is_missing_and_each_logs_out(version: Option<Version>) {
    let Some(company) = Company::open(version, "") else { return };
    let desk1 = company.phone("desk1");
    for (code, entries) in
        [("*35", &["101", pin("101")][..]), ("*35*101", &[pin("101")]), (&one_touch("101"), &[])]
    {
        dial(&desk1, code, entries);
        assert_eq!(company.seats(), ["101@desk1"], "{code} logs in");
        let heard = dial(&desk1, code, &[]);
        assert!(heard > Duration::from_millis(400), "it is said that he is logged out: {heard:?}");
        assert!(company.seats().is_empty(), "{code} logs out");
    }
    // Early digits, a false start, and no `#`: the time-out ends the entry.
    desk1.dial("*35").unwrap();
    for entry in ["555*101#", pin("101")] {
        desk1.wait_audio().unwrap();
        desk1.press(entry);
        desk1.wait_silence().unwrap();
    }
    desk1.wait_ended_within(Duration::from_secs(60)).unwrap();
    assert_eq!(company.seats(), ["101@desk1"]);
    // Another identity in one go.
    company.log_in(&desk1, "102");
    assert_eq!(company.seats(), ["102@desk1"]);
}

fn a_login_elsewhere_moves_him_and_leaves_the_desk_empty(version: Option<Version>) {
    let Some(mut company) = Company::open(version, "") else { return };
    let [desk1, desk2, trunk] = ["desk1", "desk2", "trunk"].map(|name| company.phone(name));
    company.log_in(&desk1, "101");
    company.log_in(&desk2, "101");
    assert_eq!(company.seats(), ["101@desk2"]);
    for hotdesk in ["there", "killed"] {
        if hotdesk == "killed" {
            company.hotdesk().kill().unwrap();
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
    let ended = desk1.wait_ended_within(Duration::from_secs(20)).unwrap();
    assert!(ended.heard > Duration::from_millis(500), "it is said that it is not available: {ended:?}");
}
