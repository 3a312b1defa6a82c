//! Who does not log out himself, by the time of day.

use std::thread;
use std::time::{Duration, Instant};

use jiff::{ToSpan, Zoned};

use super::{SOON, company, on_both};
use crate::support::company::Company;
use crate::support::debian::Version;

on_both! {
    a_call_over_the_time_of_day_is_not_cut_and_its_desk_is_logged_out_after_it
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
