//! Who does not log out himself, on a real FreeSWITCH.

use std::thread;
use std::time::{Duration, Instant};

use super::{Company, SOON, company, open};
use crate::support::check::{all_is_well, broken};

/// Waits until nobody sits anywhere, and store and switch agree on it; how long it took.
fn emptied(company: &Company, within: Duration) -> Duration {
    let began = Instant::now();
    while !company.agreed(SOON).unwrap().is_empty() {
        assert!(began.elapsed() < within, "{:?}\n{}", company.seats(), company.hotdesk.log());
        thread::sleep(Duration::from_millis(50));
    }
    began.elapsed()
}

#[test]
fn a_call_over_the_time_is_not_cut_and_both_its_desks_are_logged_out_after_it() {
    let Some(company) = company() else { return };
    let [desk1, desk2, desk3] = ["desk1", "desk2", "desk3"].map(|desk| company.pbx.phone(desk).unwrap());
    company.log_in(&desk1, "101").unwrap();
    company.log_in(&desk2, "102").unwrap();
    company.log_in(&desk3, "103").unwrap();
    // One who calls, and one who is called.
    desk1.dial("102").unwrap();
    desk2.wait_ringing().unwrap();
    desk2.answer().unwrap();
    desk1.wait_answered().unwrap();
    for desk in ["desk1", "desk2", "desk3"] {
        company.hotdesk.run(&["device", "set", desk, "--leave-after", "1s"]).unwrap();
    }
    let began = Instant::now();
    while company.agreed(SOON).unwrap() != ["101@desk1", "102@desk2"] {
        assert!(began.elapsed() < Duration::from_secs(5), "{:?}", company.seats());
        thread::sleep(Duration::from_millis(50));
    }
    thread::sleep(Duration::from_secs(3));
    assert!(desk1.in_call() && desk2.in_call(), "the call goes on");
    assert_eq!(company.agreed(SOON).unwrap(), ["101@desk1", "102@desk2"], "and so do who have it");
    desk1.hang_up().unwrap();
    let took = emptied(&company, Duration::from_secs(3));
    eprintln!("logged out {took:?} after the call");
    let journal = company.hotdesk.run(&["journal"]).unwrap();
    assert!(journal.contains("102 left desk2, by hotdesk (longest stay)"), "{journal}");
}

#[test]
fn a_phone_that_is_not_registered_is_logged_out_and_a_restart_of_its_switch_does_not_count() {
    let Some(mut company) = company() else { return };
    let desk1 = company.pbx.phone("desk1").unwrap();
    company.log_in(&desk1, "101").unwrap();
    company.hotdesk.run(&["device", "set", "desk1", "--leave-unregistered", "2s"]).unwrap();
    // FreeSWITCH comes back and knows of no phone.
    let mark = company.hotdesk.log().len();
    company.pbx.stop().unwrap();
    std::fs::remove_file(company.pbx.path("db/sofia_reg_internal.db")).unwrap();
    company.pbx.start().unwrap();
    company.hotdesk.wait_for_log(mark, "event=\"table.settled\"").unwrap();
    let contact = company.pbx.api("sofia_contact */desk1@hotdesk.test").unwrap();
    assert!(contact.contains("user_not_registered"), "{contact}");
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

#[test]
fn a_desk_is_logged_out_so_long_after_its_last_call() {
    let Some(company) = company() else { return };
    let [desk1, desk2, desk3] = ["desk1", "desk2", "desk3"].map(|desk| company.pbx.phone(desk).unwrap());
    company.log_in(&desk1, "101").unwrap();
    company.log_in(&desk2, "102").unwrap();
    company.log_in(&desk3, "103").unwrap();
    desk1.dial("102").unwrap();
    desk2.wait_ringing().unwrap();
    desk2.answer().unwrap();
    desk1.wait_answered().unwrap();
    for desk in ["desk1", "desk2", "desk3"] {
        company.hotdesk.run(&["device", "set", desk, "--leave-idle", "5s"]).unwrap();
    }
    thread::sleep(Duration::from_secs(7));
    assert_eq!(company.agreed(SOON).unwrap(), ["101@desk1", "102@desk2"], "who has a call is not idle");
    desk2.hang_up().unwrap();
    let took = emptied(&company, Duration::from_secs(9));
    assert!(took > Duration::from_secs(4), "{took:?}");
}

const ASKS: &str = "[leave]\nat = \"never\"\nstay_call = true\n";

#[test]
fn who_is_called_before_he_leaves_and_presses_one_stays_and_who_does_not_answer_leaves() {
    let Some(mut company) = open("sqlite:hotdesk.db", |_| String::new(), ASKS) else { return };
    all_is_well(&company.hotdesk);
    let (desk1, desk2) = (company.pbx.phone("desk1").unwrap(), company.pbx.phone("desk2").unwrap());
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
    thread::sleep(Duration::from_secs(3));
    assert_eq!(company.agreed(SOON).unwrap(), ["101@desk1"], "his time is over, and he stays");
    let asked = company.hotdesk.log().matches("event=\"leave.asked\"").count();
    assert_eq!(asked, 2, "each once");
    // A phone that says so by itself is not believed: nobody rang it.
    desk2.dial("hotdesk-stay").unwrap();
    desk2.wait_ended_within(Duration::from_secs(20)).unwrap();
    let answered = company.hotdesk.log().matches("event=\"call.answered\"").count();
    assert_eq!(answered, 1, "{}", company.hotdesk.log());

    // Without the right nobody is rung; he leaves as he would have.
    let path = company.pbx.path("conf/freeswitch.xml");
    let right = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, right.replace("value=\"originate ", "value=\"")).unwrap();
    company.pbx.api("reloadxml").unwrap();
    let told = broken(&company.hotdesk);
    assert!(told.contains("our user may not originate: nobody is called to ask whether he stays"), "{told}");
}

#[test]
fn a_call_that_freeswitch_brings_is_asked_just_as_one_that_waits() {
    let listen = |at: std::net::SocketAddr| format!("outbound_listen = \"{at}\"\n");
    let Some(company) = open("sqlite:hotdesk.db", listen, ASKS) else { return };
    let (desk1, desk2) = (company.pbx.phone("desk1").unwrap(), company.pbx.phone("desk2").unwrap());
    company.log_in(&desk1, "101").unwrap();
    company.log_in(&desk2, "102").unwrap();
    for desk in ["desk1", "desk2"] {
        company.hotdesk.run(&["device", "set", desk, "--leave-after", "14s"]).unwrap();
    }
    // A phone cannot make another call of it: who sends it on is still asked.
    desk2.wait_ringing().unwrap();
    desk2.answer().unwrap();
    desk2.wait_audio().unwrap();
    let _ = desk2.transfer("600");
    thread::sleep(Duration::from_secs(1));
    assert!(desk2.in_call() && !company.pbx.log().contains("->600 in context"), "{}", company.pbx.log());
    desk2.press("1");
    desk2.wait_ended_within(Duration::from_secs(20)).unwrap();
    desk1.wait_ringing().unwrap();
    desk1.answer().unwrap();
    desk1.wait_audio().unwrap();
    desk1.press("1");
    desk1.wait_ended_within(Duration::from_secs(20)).unwrap();
    let journal = company.hotdesk.run(&["journal"]).unwrap();
    assert!(journal.contains("101 stays at desk1 until"), "{journal}");
    assert!(journal.contains("102 stays at desk2 until"), "{journal}");
}
