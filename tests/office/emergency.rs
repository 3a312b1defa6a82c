//! Help is called from an empty desk while everything of ours is away, and the call back finds the desk.

use std::time::Duration;

use super::{SOON, on_both, program};
use crate::support::company::Company;
use crate::support::debian::Version;
use crate::support::redis::RedisServer;

on_both! {
    with_hotdesk_and_redis_killed_help_is_called_and_calls_back
}

fn with_hotdesk_and_redis_killed_help_is_called_and_calls_back(version: Version) {
    let mut redis = RedisServer::start();
    let mut company = Company::open(&program(), version, &redis.url()).unwrap();
    let phone = |company: &Company, name: &str| company.pbx.phone(name).unwrap();
    let (desk1, desk2) = (phone(&company, "desk1"), phone(&company, "desk2"));
    let trunk = phone(&company, "trunk");
    company.log_in(&desk2, "102").unwrap();
    assert_eq!(company.agreed(SOON).unwrap(), ["102@desk2"]);

    // What would be sent is what the switch's rows say.
    let list = company.hotdesk.run(&["check", "--emergency"]).unwrap();
    assert!(
        list.contains("emergency call from desk1: room-of-desk1, no address: 112 would show 0205550101"),
        "{list}"
    );
    let mut ami = company.pbx.ami().unwrap();
    let gone = [("Family", "hotdesk"), ("Key", "device/desk3")];
    company.hotdesk.kill().unwrap();
    ami.act("DBDel", &gone).unwrap();
    let missing = company.hotdesk.output(&["check", "--emergency"], "").unwrap();
    let said = String::from_utf8(missing.stdout).unwrap();
    assert_eq!(missing.status.code(), Some(1), "{said}");
    assert!(
        said.contains("WRONG  emergency call from desk3: room-of-desk3, no address: the switch has no row"),
        "{said}"
    );

    redis.kill();
    desk1.dial("112").unwrap();
    assert_eq!(trunk.wait_ringing().unwrap().from.number, "0205550101");
    trunk.answer().unwrap();
    desk1.wait_answered().unwrap();
    desk1.hang_up().unwrap();
    trunk.wait_ended().unwrap();
    trunk.dial("0031205550101").unwrap();
    desk1.wait_ringing().unwrap();
    desk1.answer().unwrap();
    trunk.wait_answered().unwrap();
    trunk.hang_up().unwrap();
    desk1.wait_ended().unwrap();

    // Somebody sits down there meanwhile: it is still the desk that called.
    redis.restart();
    company.hotdesk.start().unwrap();
    std::thread::sleep(Duration::from_millis(200));
    company.log_in(&desk1, "102").unwrap();
    trunk.dial("0205550101").unwrap();
    desk1.wait_ringing().unwrap();
    assert!(!desk2.in_call());
    trunk.hang_up().unwrap();
    desk1.wait_ended().unwrap();
}
