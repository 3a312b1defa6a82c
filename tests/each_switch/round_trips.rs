//! How often a login asks a Redis, and how long it takes when its answers are slow.

use std::time::{Duration, Instant};

use crate::company::Company;
use crate::harness::company::one_touch;
use crate::harness::debian::Version;
use crate::harness::each::on_newest;
use crate::harness::phone::Phone;
use crate::harness::proxy::Proxy;
use crate::harness::redis::RedisServer;
use crate::harness::wait;

on_newest! {
    a_one_touch_login_asks_redis_four_times
}

/// The delay to Redis, in each direction.
const DELAY: Duration = Duration::from_millis(100);

/// Dials the one-touch code of a user; how long after it the first word is heard.
fn first_word(desk: &Phone, user: &str) -> Duration {
    let dialled = Instant::now();
    desk.dial(&one_touch(user)).unwrap();
    desk.wait_audio().unwrap();
    let heard = dialled.elapsed();
    desk.wait_ended_within(Duration::from_secs(60)).unwrap();
    heard
}

fn a_one_touch_login_asks_redis_four_times(version: Option<Version>) {
    let redis = RedisServer::in_memory();
    let proxy = Proxy::before(redis.port());
    let Some(company) = Company::open_on(version, &proxy.url()) else { return };
    let [desk1, desk2] = ["desk1", "desk2"].map(|name| company.phone(name));
    // Redis learns the scripts.
    first_word(&desk1, "101");
    // A user who is not logged in, at a phone without a user; then a user moves to an occupied phone.
    for (desk, user) in [(&desk2, "103"), (&desk1, "103"), (&desk2, "101")] {
        proxy.delay(DELAY);
        proxy.take();
        let far = first_word(desk, user);
        // Each login is read once more by the automatic logout, after the feed has told of it.
        let read = || proxy.count("XRANGE", "") == 1 && proxy.count("EVALSHA", desk.name()) == 5;
        wait::until(Duration::from_secs(5), read, || proxy.take().join("\n"));
        let calls = |times: u32| times * 2 * DELAY;
        // It took nine calls once.
        assert!((calls(4)..calls(9)).contains(&far), "{far:?} with a slow Redis");
        proxy.delay(Duration::ZERO);
        let mut sessions = company.sessions();
        sessions.retain(|session| session.starts_with(user));
        assert_eq!(sessions, [format!("{user}@{}", desk.name())]);
    }
}
