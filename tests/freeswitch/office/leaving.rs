//! Who is asked whether he stays, where FreeSWITCH is not as an Asterisk.

use std::thread;
use std::time::Duration;

use super::open;
use crate::support::check::broken;

const ASKS: &str = "[leave]\nat = \"never\"\nstay_call = true\n";

#[test]
fn without_the_right_nobody_is_rung_which_check_tells() {
    let Some(company) = open("sqlite:hotdesk.db", |_| String::new(), ASKS) else { return };
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
