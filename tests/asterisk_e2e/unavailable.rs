//! Calls and codes with a controller that does not answer, and with a store that is down.

use std::time::{Duration, Instant};

use super::{SOON, company, on_both, program};
use crate::harness::company::{Company, one_touch};
use crate::harness::debian::Version;
use crate::harness::redis::RedisServer;
use crate::harness::wait;

on_both! {
    a_silent_controller_does_not_block_a_call
    a_device_without_a_session_speaks_the_language_of_its_location
}

fn a_device_without_a_session_speaks_the_language_of_its_location(version: Version) {
    let mut company = company(version);
    let desk1 = company.pbx.phone("desk1").unwrap();
    company.hotdesk.run(&["location", "set", "room-of-desk1", "--language", "de"]).unwrap();
    let row = || company.pbx.cli("database get hotdesk/device desk1").unwrap();
    wait::until(SOON, || row().contains("|de"), row);
    let played = |log: &str| -> Vec<String> {
        let played = log.split("Playing '").skip(1).map(|rest| rest.lines().next().unwrap());
        played.map(|line| line.replace('\'', "")).collect()
    };
    let ours = |prompt: &str, language: &str| {
        let (prompt, language) = (format!("hotdesk/{prompt}."), format!("(language {language})"));
        move |line: &String| line.starts_with(&prompt) && line.contains(&language)
    };
    // Prompts of the dialplan, and prompts of the controller.
    let mark = company.pbx.log().len();
    desk1.dial("102").unwrap();
    desk1.wait_ended().unwrap();
    let log = company.pbx.log();
    assert!(played(&log[mark..]).iter().any(ours("not-allowed-here", "de")), "{}", &log[mark..]);
    let mark = log.len();
    company.dial_code(&desk1, "*35*199*836152", &[]).unwrap();
    let log = company.pbx.log();
    assert!(played(&log[mark..]).iter().any(ours("not-accepted", "de")), "{}", &log[mark..]);
    let mark = log.len();
    company.hotdesk.stop().unwrap();
    desk1.dial("*35").unwrap();
    desk1.wait_ended().unwrap();
    let log = company.pbx.log();
    assert!(played(&log[mark..]).iter().any(ours("not-available", "de")), "{}", &log[mark..]);
}

fn a_silent_controller_does_not_block_a_call(version: Version) {
    let mut company = company(version);
    let (desk1, trunk) = (company.pbx.phone("desk1").unwrap(), company.pbx.phone("trunk").unwrap());
    company.hotdesk.stop().unwrap();
    // It accepts the call and sends nothing.
    let listener = wait::listen(company.agi());
    let began = Instant::now();
    desk1.dial(&one_touch("101")).unwrap();
    let _taken = listener.accept().unwrap();
    desk1.wait_audio().unwrap();
    let waited = began.elapsed();
    assert!(waited < Duration::from_secs(4), "the caller waited {waited:?}");
    let ended = desk1.wait_ended().unwrap();
    assert!(ended.heard > Duration::from_millis(500), "a prompt says that it is not available: {ended:?}");
    // Emergency calls do not need the controller.
    desk1.dial("112").unwrap();
    assert_eq!(trunk.wait_ringing().unwrap().from.number, "0205550101");
    trunk.answer().unwrap();
    desk1.wait_answered().unwrap();
    desk1.hang_up().unwrap();
}

#[test]
fn without_redis_calls_work_and_codes_are_unavailable() {
    let mut redis = RedisServer::start();
    let company = Company::open(&program(), Version::Current, &redis.url()).unwrap();
    let (desk1, desk2) = (company.pbx.phone("desk1").unwrap(), company.pbx.phone("desk2").unwrap());
    company.log_in(&desk1, "101").unwrap();
    company.log_in(&desk2, "102").unwrap();
    assert_eq!(company.agreed(SOON).unwrap(), ["101@desk1", "102@desk2"]);

    redis.kill();
    let began = Instant::now();
    desk2.dial(&one_touch("101")).unwrap();
    desk2.wait_audio().unwrap();
    assert!(began.elapsed() < Duration::from_secs(4), "the caller waited {:?}", began.elapsed());
    desk2.wait_ended().unwrap();
    desk1.dial("102").unwrap();
    assert_eq!(desk2.wait_ringing().unwrap().from.number, "101");
    desk1.hang_up().unwrap();
    desk2.wait_ended().unwrap();

    redis.restart();
    let logged_in = || company.log_in(&desk2, "101").is_ok();
    wait::until(Duration::from_secs(20), logged_in, || "hotdesk does not use Redis again".to_owned());
    assert_eq!(company.agreed(SOON).unwrap(), ["101@desk2"]);
}
