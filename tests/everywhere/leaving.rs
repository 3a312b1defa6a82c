//! Who does not log out himself.

use std::thread;
use std::time::{Duration, Instant};

use crate::company::Company;
use crate::support::check::all_is_well;
use crate::support::debian::Version;
use crate::support::each::on_each;

on_each! {
    a_call_over_the_time_is_not_cut_and_both_its_desks_are_logged_out_after_it
    a_phone_that_is_not_registered_is_logged_out_and_a_restart_of_its_switch_does_not_count
    a_desk_is_logged_out_so_long_after_its_last_call
    who_is_called_before_he_leaves_and_presses_one_stays_and_who_does_not_answer_leaves
}

/// Waits until these sit where they do, and store and switch agree on it; how long it took.
fn becomes(company: &Company, seats: &[&str], within: Duration) -> Duration {
    let began = Instant::now();
    while company.seats() != seats {
        assert!(began.elapsed() < within, "{:?} and not {seats:?}", company.seats());
        thread::sleep(Duration::from_millis(50));
    }
    began.elapsed()
}

/// Sets how these desks are logged out.
fn rule(company: &Company, desks: &[&str], flag: &str, value: &str) {
    desks.iter().for_each(|desk| drop(company.run(&["device", "set", desk, flag, value])));
}

fn a_call_over_the_time_is_not_cut_and_both_its_desks_are_logged_out_after_it(version: Option<Version>) {
    let Some(company) = Company::open(version, "") else { return };
    let [desk1, desk2, desk3] = ["desk1", "desk2", "desk3"].map(|desk| company.phone(desk));
    company.log_in(&desk1, "101");
    company.log_in(&desk2, "102");
    company.log_in(&desk3, "103");
    // One who calls, and one who is called.
    desk1.dial("102").unwrap();
    desk2.wait_ringing().unwrap();
    desk2.answer().unwrap();
    desk1.wait_answered().unwrap();
    rule(&company, &["desk1", "desk2", "desk3"], "--leave-after", "1s");
    becomes(&company, &["101@desk1", "102@desk2"], Duration::from_secs(5));
    thread::sleep(Duration::from_secs(3));
    assert!(desk1.in_call() && desk2.in_call(), "the call goes on");
    assert_eq!(company.seats(), ["101@desk1", "102@desk2"], "and so do who have it");
    desk1.hang_up().unwrap();
    let took = becomes(&company, &[], Duration::from_secs(3));
    eprintln!("logged out {took:?} after the call");
    let journal = company.run(&["journal"]);
    assert!(journal.contains("102 left desk2, by hotdesk (longest stay)"), "{journal}");
}

fn a_phone_that_is_not_registered_is_logged_out_and_a_restart_of_its_switch_does_not_count(
    version: Option<Version>,
) {
    let Some(mut company) = Company::open(version, "") else { return };
    let desk1 = company.phone("desk1");
    company.log_in(&desk1, "101");
    rule(&company, &["desk1"], "--leave-unregistered", "2s");
    // The switch comes back and knows of no phone.
    company.restart_switch_without_phones();
    thread::sleep(Duration::from_secs(6));
    assert_eq!(company.seats(), ["101@desk1"]);
    // It registers again, and goes: that counts.
    desk1.register().unwrap();
    thread::sleep(Duration::from_secs(4));
    assert_eq!(company.seats(), ["101@desk1"]);
    desk1.unregister().unwrap();
    let took = becomes(&company, &[], Duration::from_secs(8));
    assert!(took > Duration::from_millis(1500), "{took:?}");
    let journal = company.run(&["journal"]);
    assert!(journal.contains("101 left desk1, by hotdesk (phone not registered)"), "{journal}");
}

fn a_desk_is_logged_out_so_long_after_its_last_call(version: Option<Version>) {
    let Some(company) = Company::open(version, "") else { return };
    let [desk1, desk2, desk3] = ["desk1", "desk2", "desk3"].map(|desk| company.phone(desk));
    company.log_in(&desk1, "101");
    company.log_in(&desk2, "102");
    company.log_in(&desk3, "103");
    desk1.dial("102").unwrap();
    desk2.wait_ringing().unwrap();
    desk2.answer().unwrap();
    desk1.wait_answered().unwrap();
    rule(&company, &["desk1", "desk2", "desk3"], "--leave-idle", "5s");
    thread::sleep(Duration::from_secs(7));
    assert_eq!(company.seats(), ["101@desk1", "102@desk2"], "who has a call is not idle");
    desk2.hang_up().unwrap();
    let took = becomes(&company, &[], Duration::from_secs(9));
    assert!(took > Duration::from_secs(4), "{took:?}");
    let journal = company.run(&["journal"]);
    assert!(journal.contains("101 left desk1, by hotdesk (no call for long)"), "{journal}");
}

fn who_is_called_before_he_leaves_and_presses_one_stays_and_who_does_not_answer_leaves(
    version: Option<Version>,
) {
    let asks = "[leave]\nat = \"never\"\nstay_call = true\n";
    let Some(mut company) = Company::open(version, asks) else { return };
    if version == Some(Version::V16) {
        // Debian's has no voicemail, which is told besides.
        ["101", "102", "103"]
            .iter()
            .for_each(|user| drop(company.run(&["user", "set", user, "--mailbox", ""])));
    }
    all_is_well(company.hotdesk());
    let (desk1, desk2) = (company.phone("desk1"), company.phone("desk2"));
    company.log_in(&desk1, "101");
    company.log_in(&desk2, "102");
    let mark = company.hotdesk().log().len();
    // They are called when half of it is over.
    rule(&company, &["desk1", "desk2"], "--leave-after", "30s");
    company.hotdesk().wait_for_log(mark, "event=\"leave.asked\"").unwrap();
    assert_eq!(company.seats(), ["101@desk1", "102@desk2"], "it rings before");
    let caller = desk1.wait_ringing().unwrap();
    eprintln!("the call shows {caller:?}");
    desk1.answer().unwrap();
    desk1.wait_audio().unwrap();
    desk1.press("1");
    desk1.wait_ended_within(Duration::from_secs(20)).unwrap();
    let journal = company.run(&["journal"]);
    assert!(journal.contains("101 stays at desk1 until"), "{journal}");
    desk2.wait_ringing().unwrap();
    becomes(&company, &["101@desk1"], Duration::from_secs(40));
    assert!(!desk2.in_call(), "it rings no longer");
    thread::sleep(Duration::from_secs(3));
    assert_eq!(company.seats(), ["101@desk1"], "his time is over, and he stays");
    let asked = company.hotdesk().log().matches("event=\"leave.asked\"").count();
    assert_eq!(asked, 2, "each once");
    // A phone that says so by itself is not believed: nobody rang it.
    desk2.dial("hotdesk-stay").unwrap();
    desk2.wait_ended_within(Duration::from_secs(20)).unwrap();
    let answered = company.hotdesk().log().matches("event=\"call.answered\"").count();
    assert_eq!(answered, 1, "{}", company.hotdesk().log());
}
