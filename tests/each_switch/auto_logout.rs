//! Automatic logout: after a time, when idle, when unregistered, and the warning call before it.

use std::thread;
use std::time::Duration;

use crate::company::Company;
use crate::harness::check::all_is_well;
use crate::harness::debian::Version;
use crate::harness::each::on_each;
use crate::harness::wait;

on_each! {
    a_call_delays_the_automatic_logout_of_both_ends
    an_unregistered_device_is_logged_out_but_not_by_a_switch_restart
    an_idle_device_is_logged_out_after_its_last_call
    pressing_1_in_the_warning_call_extends_the_session
}

/// Waits until these are the sessions in store and switch. Returns how long it took.
pub(super) fn becomes(company: &Company, sessions: &[&str], within: Duration) -> Duration {
    let state = || format!("{:?} and not {sessions:?}", company.sessions());
    wait::until(within, || company.sessions() == sessions, state)
}

/// Sets a rule of automatic logout for these devices.
pub(super) fn rule(company: &Company, desks: &[&str], flag: &str, value: &str) {
    desks.iter().for_each(|desk| drop(company.run(&["device", "set", desk, flag, value])));
}

fn a_call_delays_the_automatic_logout_of_both_ends(version: Option<Version>) {
    let Some(company) = Company::open(version, "") else { return };
    let [desk1, desk2, desk3] = ["desk1", "desk2", "desk3"].map(|desk| company.phone(desk));
    company.log_in(&desk1, "101");
    company.log_in(&desk2, "102");
    company.log_in(&desk3, "103");
    // A caller and a called user.
    desk1.dial("102").unwrap();
    desk2.wait_ringing().unwrap();
    desk2.answer().unwrap();
    desk1.wait_answered().unwrap();
    rule(&company, &["desk1", "desk2", "desk3"], "--auto-logout-after", "1s");
    becomes(&company, &["101@desk1", "102@desk2"], Duration::from_secs(5));
    // No logout follows while the call is up.
    thread::sleep(Duration::from_secs(3));
    assert!(desk1.in_call() && desk2.in_call(), "the call goes on");
    assert_eq!(company.sessions(), ["101@desk1", "102@desk2"], "and so do its sessions");
    desk1.hang_up().unwrap();
    let took = becomes(&company, &[], Duration::from_secs(3));
    eprintln!("logged out {took:?} after the call");
    let journal = company.run(&["journal"]);
    assert!(journal.contains("102 logged out at desk2, by hotdesk (longest stay)"), "{journal}");
}

fn an_unregistered_device_is_logged_out_but_not_by_a_switch_restart(version: Option<Version>) {
    let Some(mut company) = Company::open(version, "") else { return };
    let desk1 = company.phone("desk1");
    company.log_in(&desk1, "101");
    rule(&company, &["desk1"], "--auto-logout-unregistered", "2s");
    // The switch starts again without registrations.
    company.restart_switch_without_phones();
    // Longer than the rule allows: no logout follows.
    thread::sleep(Duration::from_secs(6));
    assert_eq!(company.sessions(), ["101@desk1"]);
    // The device registers again and unregisters: that counts.
    desk1.register().unwrap();
    // A registered device is not logged out either.
    thread::sleep(Duration::from_secs(4));
    assert_eq!(company.sessions(), ["101@desk1"]);
    desk1.unregister().unwrap();
    let took = becomes(&company, &[], Duration::from_secs(8));
    assert!(took > Duration::from_millis(1500), "{took:?}");
    let journal = company.run(&["journal"]);
    assert!(journal.contains("101 logged out at desk1, by hotdesk (phone not registered)"), "{journal}");
}

fn an_idle_device_is_logged_out_after_its_last_call(version: Option<Version>) {
    let Some(company) = Company::open(version, "") else { return };
    let [desk1, desk2, desk3] = ["desk1", "desk2", "desk3"].map(|desk| company.phone(desk));
    company.log_in(&desk1, "101");
    company.log_in(&desk2, "102");
    company.log_in(&desk3, "103");
    desk1.dial("102").unwrap();
    desk2.wait_ringing().unwrap();
    desk2.answer().unwrap();
    desk1.wait_answered().unwrap();
    rule(&company, &["desk1", "desk2", "desk3"], "--auto-logout-idle", "5s");
    // Longer than the rule allows: no logout follows during a call.
    thread::sleep(Duration::from_secs(7));
    assert_eq!(company.sessions(), ["101@desk1", "102@desk2"], "a user in a call is not idle");
    desk2.hang_up().unwrap();
    let took = becomes(&company, &[], Duration::from_secs(9));
    assert!(took > Duration::from_secs(4), "{took:?}");
    let journal = company.run(&["journal"]);
    assert!(journal.contains("101 logged out at desk1, by hotdesk (no call for long)"), "{journal}");
}

fn pressing_1_in_the_warning_call_extends_the_session(version: Option<Version>) {
    let asks = "[auto_logout]\nat = \"never\"\nextend_call = true\n";
    let Some(mut company) = Company::open(version, asks) else { return };
    if version == Some(Version::V16) {
        // Debian's Asterisk 16 has no voicemail, which would be a further finding.
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
    rule(&company, &["desk1", "desk2"], "--auto-logout-after", "30s");
    company.hotdesk().wait_for_log(mark, "event=\"auto_logout.asked\"").unwrap();
    assert_eq!(company.sessions(), ["101@desk1", "102@desk2"], "it rings before");
    let caller = desk1.wait_ringing().unwrap();
    eprintln!("the call shows {caller:?}");
    desk1.answer().unwrap();
    desk1.wait_audio().unwrap();
    desk1.press("1");
    desk1.wait_ended_within(Duration::from_secs(20)).unwrap();
    let journal = company.run(&["journal"]);
    assert!(journal.contains("automatic logout of 101 at desk1 postponed until"), "{journal}");
    desk2.wait_ringing().unwrap();
    becomes(&company, &["101@desk1"], Duration::from_secs(40));
    assert!(!desk2.in_call(), "it rings no longer");
    // No logout follows later.
    thread::sleep(Duration::from_secs(3));
    assert_eq!(company.sessions(), ["101@desk1"], "the time is over, and the session goes on");
    let asked = company.hotdesk().log().matches("event=\"auto_logout.asked\"").count();
    assert_eq!(asked, 2, "each once");
    // A device cannot extend a session by dialling the extension itself: it was not called.
    desk2.dial("hotdesk-extend").unwrap();
    desk2.wait_ended_within(Duration::from_secs(20)).unwrap();
    let answered = company.hotdesk().log().matches("event=\"call.answered\"").count();
    assert_eq!(answered, 1, "{}", company.hotdesk().log());
}
