//! Logging in and out with each length of the code, and what the phone is from then on.

use std::time::Duration;

use super::{SOON, company, on_both};
use crate::support::company::{one_touch, pin};
use crate::support::debian::Version;

on_both! {
    one_touch_makes_the_phone_his
}

fn one_touch_makes_the_phone_his(version: Version) {
    let company = company(version);
    let (desk1, desk2) = (company.pbx.phone("desk1").unwrap(), company.pbx.phone("desk2").unwrap());
    let colleague = company.pbx.phone("colleague").unwrap();
    let heard = company.dial_code(&desk1, &one_touch("101")).unwrap();
    assert!(heard > Duration::from_secs(1), "the confirmation is spoken, with the extension: {heard:?}");
    assert_eq!(company.agreed(SOON).unwrap(), ["101@desk1"]);

    // A call to 101 rings there.
    colleague.dial("101").unwrap();
    let caller = desk1.wait_ringing().unwrap();
    assert_eq!(caller.from.number, "199");
    desk1.answer().unwrap();
    colleague.wait_answered().unwrap();
    colleague.hang_up().unwrap();
    desk1.wait_ended().unwrap();

    // A call from there shows him.
    company.dial_code(&desk2, &one_touch("102")).unwrap();
    desk1.dial("102").unwrap();
    let caller = desk2.wait_ringing().unwrap();
    assert_eq!((caller.from.name.as_str(), caller.from.number.as_str()), ("Alice", "101"));
    let asserted = caller.asserted.unwrap();
    assert_eq!((asserted.name.as_str(), asserted.number.as_str()), ("Alice", "101"));
    desk1.hang_up().unwrap();
    let _ = pin("101");
}
