//! How long a caller has for an entry, and what asks for it where Asterisk has no sounds.

use std::thread;
use std::time::Duration;

use super::{SOON, company, on_both};
use crate::harness::company::pin;
use crate::harness::debian::Version;

on_both! {
    slow_keying_has_the_documented_time
    tones_replace_missing_prompts
}

/// 7 s until the first digit and 4 s until each next one; Asterisk's defaults are 6 s and 2 s.
fn slow_keying_has_the_documented_time(version: Version) {
    let company = company(version);
    let desk1 = company.pbx.phone("desk1").unwrap();
    desk1.dial("*35*101").unwrap();
    desk1.wait_audio().unwrap();
    desk1.wait_silence().unwrap();
    // Between the time-outs of Asterisk and those of hotdesk.
    thread::sleep(Duration::from_millis(6_400));
    let (first, rest) = pin("101").split_at(3);
    desk1.press(first);
    thread::sleep(Duration::from_millis(3_000));
    desk1.press(&format!("{rest}#"));
    desk1.wait_ended().unwrap();
    assert_eq!(company.agreed(SOON).unwrap(), ["101@desk1"]);
}

fn tones_replace_missing_prompts(version: Version) {
    let company = company(version);
    std::fs::rename(company.pbx.path("data/sounds"), company.pbx.path("data/none")).unwrap();
    let desk1 = company.pbx.phone("desk1").unwrap();
    desk1.dial("*35").unwrap();
    for entry in ["55*101#", &format!("{}#", pin("101"))] {
        desk1.wait_audio().unwrap();
        desk1.press(entry);
        desk1.wait_silence().unwrap();
    }
    let ended = desk1.wait_ended().unwrap();
    assert!(
        ended.heard > Duration::from_millis(900),
        "two questions and a confirmation, as tones: {ended:?}"
    );
    assert_eq!(company.agreed(SOON).unwrap(), ["101@desk1"]);
}
