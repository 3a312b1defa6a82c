//! A refusal sounds the same for every reason and changes nothing.

use std::time::Duration;

use super::{SOON, company, on_both};
use crate::harness::company::{Company, one_touch, pin};
use crate::harness::debian::Version;
use crate::harness::phone::Phone;

on_both! {
    every_refusal_sounds_the_same_and_changes_nothing
}

fn every_refusal_sounds_the_same_and_changes_nothing(version: Version) {
    let company = company(version);
    company.hotdesk.run(&["user", "set", "103", "--no-hotdesk"]).unwrap();
    company.hotdesk.run(&["device", "set", "desk3", "--no-hotdesk"]).unwrap();
    company.hotdesk.run(&["device", "set", "desk2", "--allow-from", "192.0.2.0/24"]).unwrap();
    let phone = |desk: &str| company.pbx.phone(desk).unwrap();
    let (desk1, desk2, desk3) = (phone("desk1"), phone("desk2"), phone("desk3"));

    let secret = format!("{}#", pin("103"));
    let played = [
        three_tries(&company, &desk1, "*35*102", "000000#"),
        three_tries(&company, &desk1, "*35*199", "000000#"),
        three_tries(&company, &desk1, "*35*103", &secret),
    ];
    let thrice = ["hotdesk/enter-pin", "hotdesk/not-accepted"].repeat(3);
    assert!(
        played.iter().all(|played| *played == thrice),
        "wrong, unknown and not allowed sound alike: {played:?}"
    );
    // A device without hotdesking or from a wrong address is refused at once, without a question.
    let mark = company.pbx.log().len();
    let refused = [
        company.dial_code(&desk2, &one_touch("101"), &[]).unwrap(),
        company.dial_code(&desk3, &one_touch("101"), &[]).unwrap(),
    ];
    assert!(refused.iter().all(|heard| *heard > Duration::from_millis(300)), "{refused:?}");
    let said = ["hotdesk/not-accepted"; 2];
    assert_eq!(played_since(&company, mark), said);
    assert!(company.agreed(SOON).unwrap().is_empty());
    let journal = company.hotdesk.run(&["journal", "--json"]).unwrap();
    for reason in ["pin-wrong", "user-unknown", "user-forbidden", "network-forbidden", "device-forbidden"] {
        assert!(journal.contains(reason), "{reason} is journalled:\n{journal}");
    }
}

/// Enters the same wrong digits three times; what was played. There is no fourth question.
fn three_tries(company: &Company, phone: &Phone, code: &str, entry: &str) -> Vec<String> {
    let mark = company.pbx.log().len();
    phone.dial(code).unwrap();
    for _ in 0..3 {
        phone.wait_audio().unwrap();
        phone.press(entry);
        phone.wait_silence().unwrap();
    }
    phone.wait_ended().unwrap();
    assert!(company.sessions().unwrap().is_empty());
    played_since(company, mark)
}

/// The sounds that Asterisk says it played after `mark` of its log, without their formats.
fn played_since(company: &Company, mark: usize) -> Vec<String> {
    let log = company.pbx.log();
    let sounds = log[mark..].split("Playing '").skip(1).filter_map(|rest| rest.split(['.', '\'']).next());
    sounds.map(str::to_owned).collect()
}
