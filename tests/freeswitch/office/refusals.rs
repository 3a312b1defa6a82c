//! Who may not hears the same whatever the reason, and changes nothing.

use std::time::Duration;

use super::{Company, SOON, company};
use crate::support::company::{one_touch, pin};
use crate::support::phone::Phone;

#[test]
fn every_refusal_sounds_the_same_and_changes_nothing() {
    let Some(company) = company() else { return };
    company.hotdesk.run(&["user", "set", "103", "--no-hotdesk"]).unwrap();
    company.hotdesk.run(&["device", "set", "desk3", "--no-hotdesk"]).unwrap();
    company.hotdesk.run(&["device", "set", "desk2", "--allow-from", "192.0.2.0/24"]).unwrap();
    let phone = |desk: &str| company.pbx.phone(desk).unwrap();
    let (desk1, desk2, desk3) = (phone("desk1"), phone("desk2"), phone("desk3"));

    let secret = format!("{}#", pin("103"));
    let heards = [
        three_tries(&company, &desk1, "*35*102", "000000#"),
        three_tries(&company, &desk1, "*35*199", "000000#"),
        three_tries(&company, &desk1, "*35*103", &secret),
    ];
    let (least, most) = (heards.iter().min().unwrap(), heards.iter().max().unwrap());
    assert!(
        *most - *least < Duration::from_millis(400),
        "wrong, unknown and not allowed sound alike: {heards:?}"
    );
    // A place that is not for it says so at once, and asks nothing.
    let refused = [
        company.dial_code(&desk2, &one_touch("101"), &[]).unwrap(),
        company.dial_code(&desk3, &one_touch("101"), &[]).unwrap(),
    ];
    assert!(
        refused.iter().all(|heard| *heard > Duration::from_millis(300) && *heard < *least),
        "{refused:?}"
    );
    assert!(company.agreed(SOON).unwrap().is_empty());
    let journal = company.hotdesk.run(&["journal", "--json"]).unwrap();
    for reason in ["pin-wrong", "user-unknown", "user-forbidden", "network-forbidden", "device-forbidden"] {
        assert!(journal.contains(reason), "{reason} is journalled:\n{journal}");
    }
}

/// Enters the same wrong digits three times; how much was heard. There is no fourth question.
fn three_tries(company: &Company, phone: &Phone, code: &str, entry: &str) -> Duration {
    phone.dial(code).unwrap();
    for _ in 0..3 {
        phone.wait_audio().unwrap();
        phone.press(entry);
        phone.wait_silence().unwrap();
    }
    let ended = phone.wait_ended().unwrap();
    assert!(company.seats().unwrap().is_empty());
    ended.heard
}
