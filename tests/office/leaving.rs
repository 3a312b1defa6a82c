//! Who does not log out himself, on a real Asterisk.

use std::thread;
use std::time::{Duration, Instant};

use jiff::{ToSpan, Zoned};

use super::{SOON, company, on_both, program};
use crate::support::company::Company;
use crate::support::debian::Version;

on_both! {
    a_call_over_the_time_of_day_is_not_cut_and_its_desk_is_logged_out_after_it
    a_phone_that_is_not_registered_is_logged_out_and_a_restart_of_its_switch_does_not_count
    a_desk_is_logged_out_so_long_after_its_last_call
    who_is_called_before_he_leaves_and_presses_one_stays_and_who_does_not_answer_leaves
}

/// Waits until nobody sits anywhere, and store and switch agree on it; how long it took.
fn emptied(company: &Company, within: Duration) -> Duration {
    let began = Instant::now();
    while !company.agreed(SOON).unwrap().is_empty() {
        assert!(began.elapsed() < within, "{:?}\n{}", company.seats(), company.hotdesk.log());
        thread::sleep(Duration::from_millis(50));
    }
    began.elapsed()
}

fn a_call_over_the_time_of_day_is_not_cut_and_its_desk_is_logged_out_after_it(version: Version) {
    let company = company(version);
    let (desk1, desk2) = (company.pbx.phone("desk1").unwrap(), company.pbx.phone("desk2").unwrap());
    company.log_in(&desk1, "101").unwrap();
    company.log_in(&desk2, "102").unwrap();
    desk1.dial("600").unwrap();
    desk1.wait_answered().unwrap();
    // The next full minute on the clocks of where the desks stand, two hours from ours.
    let zone = "Etc/GMT-2";
    let minute = Zoned::now().in_tz(zone).unwrap().checked_add(63.seconds()).unwrap();
    let at = minute.strftime("%H:%M").to_string();
    for desk in ["desk1", "desk2"] {
        let room = format!("room-of-{desk}");
        company.hotdesk.run(&["location", "set", &room, "--zone", zone, "--leave-at", &at]).unwrap();
    }
    let listed = company.hotdesk.run(&["status"]).unwrap();
    assert!(listed.contains("(time of day)"), "{listed}");
    let began = Instant::now();
    while company.agreed(SOON).unwrap() != ["101@desk1"] {
        assert!(began.elapsed() < Duration::from_secs(90), "{:?}", company.seats());
        thread::sleep(Duration::from_millis(50));
    }
    thread::sleep(Duration::from_secs(3));
    assert!(desk1.in_call(), "the call goes on");
    assert_eq!(company.agreed(SOON).unwrap(), ["101@desk1"], "and so does who has it");
    desk1.hang_up().unwrap();
    let took = emptied(&company, Duration::from_secs(3));
    eprintln!("logged out {took:?} after the call");
    let journal = company.hotdesk.run(&["journal"]).unwrap();
    assert!(journal.contains("101 left desk1, by hotdesk (time of day)"), "{journal}");
}

fn a_phone_that_is_not_registered_is_logged_out_and_a_restart_of_its_switch_does_not_count(version: Version) {
    let mut company = company(version);
    let desk1 = company.pbx.phone("desk1").unwrap();
    company.log_in(&desk1, "101").unwrap();
    company.hotdesk.run(&["device", "set", "desk1", "--leave-unregistered", "2s"]).unwrap();
    // Asterisk comes back and knows of no phone.
    company.pbx.cli("database deltree registrar").unwrap();
    let mark = company.hotdesk.log().len();
    company.pbx.restart().unwrap();
    company.hotdesk.wait_for_log(mark, "event=\"table.settled\"").unwrap();
    let contacts = company.pbx.cli("pjsip show contacts").unwrap();
    assert!(!contacts.contains("desk1"), "{contacts}");
    thread::sleep(Duration::from_secs(6));
    assert_eq!(company.agreed(SOON).unwrap(), ["101@desk1"]);
    // It registers again, and goes: that counts.
    desk1.register().unwrap();
    thread::sleep(Duration::from_secs(4));
    assert_eq!(company.agreed(SOON).unwrap(), ["101@desk1"]);
    desk1.unregister().unwrap();
    let took = emptied(&company, Duration::from_secs(8));
    assert!(took > Duration::from_millis(1500), "{took:?}");
    let journal = company.hotdesk.run(&["journal"]).unwrap();
    assert!(journal.contains("101 left desk1, by hotdesk (phone not registered)"), "{journal}");
}

fn a_desk_is_logged_out_so_long_after_its_last_call(version: Version) {
    let company = company(version);
    let (desk1, desk2) = (company.pbx.phone("desk1").unwrap(), company.pbx.phone("desk2").unwrap());
    company.log_in(&desk1, "101").unwrap();
    company.log_in(&desk2, "102").unwrap();
    desk1.dial("600").unwrap();
    desk1.wait_answered().unwrap();
    for desk in ["desk1", "desk2"] {
        company.hotdesk.run(&["device", "set", desk, "--leave-idle", "5s"]).unwrap();
    }
    thread::sleep(Duration::from_secs(7));
    assert_eq!(company.agreed(SOON).unwrap(), ["101@desk1"], "who has a call is not idle");
    desk1.hang_up().unwrap();
    let took = emptied(&company, Duration::from_secs(9));
    assert!(took > Duration::from_secs(4), "{took:?}");
    let journal = company.hotdesk.run(&["journal"]).unwrap();
    assert!(journal.contains("101 left desk1, by hotdesk (no call for long)"), "{journal}");
}

fn who_is_called_before_he_leaves_and_presses_one_stays_and_who_does_not_answer_leaves(version: Version) {
    let asks = "[leave]\nat = \"never\"\nstay_call = true\n";
    let mut company = Company::open_with(&program(), version, "sqlite:hotdesk.db", asks).unwrap();
    let (desk1, desk2) = (company.pbx.phone("desk1").unwrap(), company.pbx.phone("desk2").unwrap());
    let checked = company.hotdesk.output(&["check"], "").unwrap();
    let checked = String::from_utf8_lossy(&checked.stdout);
    assert!(checked.contains("has phones ring, and no more than that"), "{checked}");
    company.log_in(&desk1, "101").unwrap();
    company.log_in(&desk2, "102").unwrap();
    let mark = company.hotdesk.log().len();
    // They are called when half of it is over.
    for desk in ["desk1", "desk2"] {
        company.hotdesk.run(&["device", "set", desk, "--leave-after", "30s"]).unwrap();
    }
    company.hotdesk.wait_for_log(mark, "event=\"leave.asked\"").unwrap();
    assert_eq!(company.seats().unwrap(), ["101@desk1", "102@desk2"], "it rings before");
    let caller = desk1.wait_ringing().unwrap();
    eprintln!("the call shows {caller:?}");
    desk1.answer().unwrap();
    desk1.wait_audio().unwrap();
    desk1.press("1");
    desk1.wait_ended_within(Duration::from_secs(20)).unwrap();
    let journal = company.hotdesk.run(&["journal"]).unwrap();
    assert!(journal.contains("101 stays at desk1 until"), "{journal}");
    desk2.wait_ringing().unwrap();
    let began = Instant::now();
    while company.agreed(SOON).unwrap() != ["101@desk1"] {
        assert!(began.elapsed() < Duration::from_secs(40), "{:?}", company.seats());
        thread::sleep(Duration::from_millis(50));
    }
    assert!(!desk2.in_call(), "it rings no longer");
    let status = company.hotdesk.run(&["status"]).unwrap();
    eprintln!("{status}{}", company.hotdesk.run(&["journal"]).unwrap());
    thread::sleep(Duration::from_secs(3));
    assert_eq!(company.agreed(SOON).unwrap(), ["101@desk1"], "his time is over, and he stays");
    let asked = company.hotdesk.log().matches("event=\"leave.asked\"").count();
    assert_eq!(asked, 2, "each once");
}
