//! Automatic logout at a time of day.

use std::thread;
use std::time::Duration;

use jiff::{ToSpan, Zoned};

use super::{SOON, company, on_both};
use crate::harness::company::Company;
use crate::harness::debian::Version;
use crate::harness::wait;

on_both! {
    a_call_delays_the_automatic_logout_at_a_time_of_day
}

/// Waits until no user is logged in and store and switch agree. Returns how long it took.
fn emptied(company: &Company, within: Duration) -> Duration {
    let state = || format!("{:?}\n{}", company.sessions(), company.hotdesk.log());
    wait::until(within, || company.agreed(SOON).unwrap().is_empty(), state)
}

fn a_call_delays_the_automatic_logout_at_a_time_of_day(version: Version) {
    let company = company(version);
    let (desk1, desk2) = (company.pbx.phone("desk1").unwrap(), company.pbx.phone("desk2").unwrap());
    company.log_in(&desk1, "101").unwrap();
    company.log_in(&desk2, "102").unwrap();
    desk1.dial("600").unwrap();
    desk1.wait_answered().unwrap();
    // The next full minute at the location of the devices, which is two hours from the time zone of the machine.
    let zone = "Etc/GMT-2";
    let minute = Zoned::now().in_tz(zone).unwrap().checked_add(63.seconds()).unwrap();
    let at = minute.strftime("%H:%M").to_string();
    for desk in ["desk1", "desk2"] {
        let room = format!("room-of-{desk}");
        company.hotdesk.run(&["location", "set", &room, "--zone", zone, "--auto-logout-at", &at]).unwrap();
    }
    let listed = company.hotdesk.run(&["status"]).unwrap();
    assert!(listed.contains("(time of day)"), "{listed}");
    let remains = || company.agreed(SOON).unwrap() == ["101@desk1"];
    wait::until(Duration::from_secs(90), remains, || format!("{:?}", company.sessions()));
    // No logout follows later.
    thread::sleep(Duration::from_secs(3));
    assert!(desk1.in_call(), "the call goes on");
    assert_eq!(company.agreed(SOON).unwrap(), ["101@desk1"], "and so does its session");
    desk1.hang_up().unwrap();
    let took = emptied(&company, Duration::from_secs(3));
    eprintln!("logged out {took:?} after the call");
    let journal = company.hotdesk.run(&["journal"]).unwrap();
    assert!(journal.contains("101 logged out at desk1, by hotdesk (time of day)"), "{journal}");
}
