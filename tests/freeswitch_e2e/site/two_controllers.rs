//! Two controllers that both take the calls that wait on one FreeSWITCH.

use std::thread;
use std::time::Duration;

use super::{Company, SOON, company_with};
use crate::harness::check::all_is_well;
use crate::harness::company::{one_touch, pin};
use crate::harness::hotdesk::Hotdesk;
use crate::harness::process::Signal;
use crate::harness::redis::RedisServer;

const LONG: Duration = Duration::from_secs(20);

/// A company with one of the two running, which `hotdesk` is.
fn open() -> Option<(RedisServer, Company, Hotdesk)> {
    crate::harness::freeswitch::installed()?;
    let redis = RedisServer::start();
    let company = company_with(&redis.url(), |_| String::new())?;
    let second = company.hotdesk.second(("", "")).unwrap();
    Some((redis, company, second))
}

#[test]
fn a_second_controller_does_not_disturb_a_pin_entry() {
    let Some((_redis, mut company, mut second)) = open() else { return };
    let desk = company.pbx.phone("desk1").unwrap();
    desk.dial("*35*101").unwrap();
    desk.wait_audio().unwrap();
    let (begin, end) = pin("101").split_at(3);
    desk.press(begin);
    second.start().unwrap();
    second.kill().unwrap();
    second.start().unwrap();
    // It looks for abandoned calls, and once more a second later.
    thread::sleep(Duration::from_millis(1500));
    desk.press(&format!("{end}#"));
    let ended = desk.wait_ended_within(LONG).unwrap();
    assert!(ended.heard > Duration::from_millis(500), "{ended:?}");
    assert_eq!(company.agreed(SOON).unwrap(), ["101@desk1"]);
    assert!(
        company.hotdesk.log().contains("login.done") && !second.log().contains("esl.released"),
        "{}",
        second.log()
    );

    // A call of a killed controller is not touched by the other, and ended by the first one after its restart.
    second.kill().unwrap();
    desk.dial("*35*102").unwrap();
    desk.wait_audio().unwrap();
    company.hotdesk.kill().unwrap();
    second.start().unwrap();
    thread::sleep(Duration::from_millis(2500));
    assert!(desk.in_call() && !second.log().contains("esl.released"));
    let mark = company.hotdesk.log().len();
    company.hotdesk.start().unwrap();
    company.hotdesk.wait_for_log(mark, "esl.released").unwrap();
    assert_eq!(desk.wait_ended_within(LONG).unwrap().cause, Some(41));
}

#[test]
fn one_of_two_controllers_takes_each_call_and_either_is_enough() {
    let Some((_redis, company, mut second)) = open() else { return };
    second.start().unwrap();
    all_is_well(&company.hotdesk);
    let said = company.hotdesk.run(&["check"]).unwrap();
    let takers = said.lines().find_map(|line| line.split_once("calls of switch pbx: taken by ")).unwrap().1;
    assert_eq!(takers.split(", ").filter(|taker| taker.ends_with("/pbx")).count(), 2, "{said}");

    let desk = company.pbx.phone("desk1").unwrap();
    for _ in 0..4 {
        company.log_in(&desk, "101").unwrap();
        company.log_in(&desk, "102").unwrap();
    }
    let arrived = |hotdesk: &Hotdesk| hotdesk.log().matches("call.arrived").count();
    assert_eq!(arrived(&company.hotdesk) + arrived(&second), 8);
    for warned in [&company.hotdesk, &second].map(|hotdesk| hotdesk.log().contains("WARN")) {
        assert!(!warned);
    }

    // A controller that hangs takes no calls and delays none.
    for (hung, other) in [(&company.hotdesk, &second), (&second, &company.hotdesk)] {
        hung.signal(Signal::STOP).unwrap();
        let before = arrived(other);
        desk.dial(&one_touch("103")).unwrap();
        desk.wait_ended_within(LONG).unwrap();
        assert_eq!(arrived(other), before + 1);
        hung.signal(Signal::CONT).unwrap();
    }
}
