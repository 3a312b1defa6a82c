//! Several phones with one account: all of them are the device. They ring together, and it is registered while one of them is.

use std::thread;
use std::time::Duration;

use hotdesk::model::directory::profile::When;
use hotdesk::model::id::Number;
use hotdesk::model::settings::Setting;

use super::auto_logout::{becomes, rule};
use super::mwi::shows;
use crate::company::Company;
use crate::harness::debian::Version;
use crate::harness::each::{on_each, on_switches};
use crate::harness::phone::Phone;

on_each! {
    all_phones_of_a_device_ring_and_one_answers
    a_device_is_registered_while_one_of_its_phones_is
    the_warning_call_rings_all_phones_of_a_device
}

// Debian's Asterisk 16 has no voicemail.
on_switches! {
    { on_the_current_asterisk Some(Version::Current), on_a_freeswitch None, }
    all_phones_of_a_device_show_the_mwi
}

/// 101 is logged in at `desk1`, of which there are two phones.
fn two_phones(company: &mut Company) -> [Phone; 2] {
    company.share("desk1");
    let phones = ["desk1", "desk1"].map(|name| company.phone(name));
    company.log_in(&phones[1], "101");
    phones
}

fn all_phones_of_a_device_ring_and_one_answers(version: Option<Version>) {
    let Some(mut company) = Company::open(version, "") else { return };
    company.run(&["user", "set", "101", "--mailbox", "", "--class", company.outside()]);
    company.hotdesk().set("101", Setting::Forward(When::Busy, Number::new("0031").ok())).unwrap();
    let [one, other] = two_phones(&mut company);
    let [colleague, trunk] = ["colleague", "trunk"].map(|name| company.phone(name));
    colleague.watch("101").unwrap();
    let rings = || {
        colleague.dial("101").unwrap();
        one.wait_ringing().unwrap();
        other.wait_ringing().unwrap();
        colleague.wait_lamp("101", "early").unwrap();
    };
    for (answers, stops) in [(&one, &other), (&other, &one)] {
        rings();
        answers.answer().unwrap();
        colleague.wait_answered().unwrap();
        assert_eq!(stops.wait_ended().unwrap().code, 487);
        colleague.wait_lamp("101", "confirmed").unwrap();
        answers.hang_up().unwrap();
        colleague.wait_ended().unwrap();
        colleague.wait_lamp("101", "terminated").unwrap();
    }
    // A busy phone does not keep the other from ringing; only the user whose phones are all busy is busy.
    rings();
    one.reject(486).unwrap();
    other.answer().unwrap();
    colleague.wait_answered().unwrap();
    colleague.hang_up().unwrap();
    other.wait_ended().unwrap();
    rings();
    other.reject(486).unwrap();
    one.reject(486).unwrap();
    trunk.wait_ringing().unwrap();
    colleague.hang_up().unwrap();
    trunk.wait_ended().unwrap();
    // A call at one of them is the user's.
    other.dial("600").unwrap();
    other.wait_answered().unwrap();
    colleague.wait_lamp("101", "confirmed").unwrap();
    other.hang_up().unwrap();
    colleague.wait_lamp("101", "terminated").unwrap();
}

fn a_device_is_registered_while_one_of_its_phones_is(version: Option<Version>) {
    let Some(mut company) = Company::open(version, "") else { return };
    let [one, other] = two_phones(&mut company);
    rule(&company, &["desk1"], "--auto-logout-unregistered", "2s");
    other.unregister().unwrap();
    // Longer than the rule allows: no logout follows.
    thread::sleep(Duration::from_secs(5));
    assert_eq!(company.sessions(), ["101@desk1"]);
    let colleague = company.phone("colleague");
    colleague.dial("101").unwrap();
    one.wait_ringing().unwrap();
    colleague.hang_up().unwrap();
    one.wait_ended().unwrap();
    one.unregister().unwrap();
    becomes(&company, &[], Duration::from_secs(8));
}

fn the_warning_call_rings_all_phones_of_a_device(version: Option<Version>) {
    let asks = "[auto_logout]\nat = \"never\"\nextend_call = true\n";
    let Some(mut company) = Company::open(version, asks) else { return };
    let [one, other] = two_phones(&mut company);
    rule(&company, &["desk1"], "--auto-logout-after", "20s");
    one.wait_ringing().unwrap();
    other.wait_ringing().unwrap();
    one.answer().unwrap();
    assert_eq!(other.wait_ended().unwrap().code, 487);
    one.wait_audio().unwrap();
    one.press("1");
    one.wait_ended_within(Duration::from_secs(20)).unwrap();
    let journal = company.run(&["journal"]);
    assert!(journal.contains("automatic logout of 101 at desk1 postponed until"), "{journal}");
}

fn all_phones_of_a_device_show_the_mwi(version: Option<Version>) {
    let Some(mut company) = Company::open(version, "") else { return };
    let [one, other] = two_phones(&mut company);
    company.messages("101", 2);
    for phone in [&one, &other] {
        shows(phone, 2);
    }
    let third = company.phone("desk1");
    shows(&third, 2);
    company.messages("101", 0);
    for phone in [&one, &other, &third] {
        shows(phone, 0);
    }
}
