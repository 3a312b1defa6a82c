//! The warning call before an automatic logout, where FreeSWITCH differs from Asterisk.

use std::thread;
use std::time::Duration;

use super::open_at;
use crate::harness::check::broken;

const ASKS: &str = "[auto_logout]\nat = \"never\"\nextend_call = true\n";

#[test]
fn check_names_the_missing_right_for_warning_calls() {
    let Some(company) = open_at("sqlite:hotdesk.db", |_| String::new(), ASKS, "") else { return };
    let path = company.pbx.path("conf/freeswitch.xml");
    let right = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, right.replace("value=\"originate ", "value=\"")).unwrap();
    company.pbx.api("reloadxml").unwrap();
    let wrong = broken(&company.hotdesk);
    assert!(
        wrong.contains("Hotdesk's user may not originate: no device rings to ask its user to extend"),
        "{wrong}"
    );
}

#[test]
fn a_warning_call_works_over_the_outbound_socket() {
    let listen = |at: std::net::SocketAddr| format!("outbound_listen = \"{at}\"\n");
    let Some(company) = open_at("sqlite:hotdesk.db", listen, ASKS, "") else { return };
    let (desk1, desk2) = (company.pbx.phone("desk1").unwrap(), company.pbx.phone("desk2").unwrap());
    company.log_in(&desk1, "101").unwrap();
    company.log_in(&desk2, "102").unwrap();
    for desk in ["desk1", "desk2"] {
        company.hotdesk.run(&["device", "set", desk, "--auto-logout-after", "14s"]).unwrap();
    }
    // A phone cannot transfer the warning call: the question goes on.
    desk2.wait_ringing().unwrap();
    desk2.answer().unwrap();
    desk2.wait_audio().unwrap();
    let _ = desk2.transfer("600");
    // No transfer follows later.
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
    assert!(journal.contains("automatic logout of 101 at desk1 postponed until"), "{journal}");
    assert!(journal.contains("automatic logout of 102 at desk2 postponed until"), "{journal}");
}
