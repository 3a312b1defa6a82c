//! Emergency calls from a device without a session while hotdesk and Redis are down, and the callback to the device.

use std::time::Duration;

use crate::company::Company;
use crate::harness::debian::Version;
use crate::harness::each::on_each;
use crate::harness::phone::Phone;
use crate::harness::redis::RedisServer;

on_each! {
    emergency_calls_and_callbacks_work_without_hotdesk_and_redis
}

/// An emergency call from desk1 is answered behind the trunk, which sees the number of the location.
pub fn help_answers(desk1: &Phone, trunk: &Phone) {
    desk1.dial("112").unwrap();
    assert_eq!(trunk.wait_ringing().unwrap().from.number, "0205550101");
    trunk.answer().unwrap();
    desk1.wait_answered().unwrap();
    desk1.hang_up().unwrap();
    trunk.wait_ended().unwrap();
}

fn emergency_calls_and_callbacks_work_without_hotdesk_and_redis(version: Option<Version>) {
    let mut redis = RedisServer::start();
    let Some(mut company) = Company::open_on(version, &redis.url()) else { return };
    let [desk1, desk2, trunk] = ["desk1", "desk2", "trunk"].map(|name| company.phone(name));
    company.log_in(&desk2, "102");
    assert_eq!(company.sessions(), ["102@desk2"]);

    // The rows of the switch say what an emergency call would show.
    let list = company.run(&["check", "--emergency"]);
    assert!(
        list.contains("emergency call from desk1: room-of-desk1, no address: 112 would show 0205550101"),
        "{list}"
    );
    company.hotdesk().kill().unwrap();
    company.delete_row("desk3");
    let missing = company.hotdesk().output(&["check", "--emergency"], "").unwrap();
    let said = String::from_utf8(missing.stdout).unwrap();
    assert_eq!(missing.status.code(), Some(1), "{said}");
    assert!(
        said.contains("WRONG  emergency call from desk3: room-of-desk3, no address: the switch has no row"),
        "{said}"
    );

    redis.kill();
    help_answers(&desk1, &trunk);
    trunk.dial("0031205550101").unwrap();
    desk1.wait_ringing().unwrap();
    desk1.answer().unwrap();
    trunk.wait_answered().unwrap();
    trunk.hang_up().unwrap();
    desk1.wait_ended().unwrap();

    // A login there in the meantime does not change which device called.
    redis.restart();
    company.hotdesk().start().unwrap();
    std::thread::sleep(Duration::from_millis(200));
    company.log_in(&desk1, "102");
    trunk.dial("0205550101").unwrap();
    desk1.wait_ringing().unwrap();
    assert!(!desk2.in_call());
    trunk.hang_up().unwrap();
    desk1.wait_ended().unwrap();
}
