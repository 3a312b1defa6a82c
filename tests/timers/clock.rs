//! The clock is set, or the machine is suspended: each rule follows the time that passed.

use futures_util::future::join_all;

use super::*;

/// The clock alone: it is set. The clock and the time since the start: the machine was suspended.
const SET: usize = 1;
const SUSPENDED: usize = 2;

/// At 10:00 the clock jumps in one of these ways to the time. 101, who is logged in since 9:00, is logged out at the second
/// time, and not a second earlier.
const JUMPS: [(&str, usize, &str, &str); 13] = [
    ("after = '8h'", SET, "2026-11-18T13:00", "2026-11-18T20:00"),
    ("after = '8h'", SET, "2026-11-18T07:00", "2026-11-18T14:00"),
    ("after = '8h'", SET, "2027-11-18T10:00", "2027-11-18T17:00"),
    ("after = '8h'", SUSPENDED, "2026-11-18T13:00", "2026-11-18T17:00"),
    ("idle = '2h'", SET, "2026-11-18T13:00", "2026-11-18T14:00"),
    ("idle = '2h'", SET, "2026-11-18T07:00", "2026-11-18T08:00"),
    ("idle = '2h'", SUSPENDED, "2026-11-18T13:00", "2026-11-18T14:00"),
    ("unregistered = '30m'", SET, "2026-11-18T13:00", "2026-11-18T13:30"),
    ("unregistered = '30m'", SET, "2026-11-18T07:00", "2026-11-18T07:30"),
    ("unregistered = '30m'", SUSPENDED, "2026-11-18T13:00", "2026-11-18T13:30"),
    // The time of day is that of the clock, after the login by the same clock.
    ("at = '23:00'", SET, "2026-11-19T10:00", "2026-11-19T23:00"),
    ("at = '23:00'", SET, "2026-11-17T22:30", "2026-11-17T23:00"),
    ("at = '23:00'", SUSPENDED, "2026-11-18T22:30", "2026-11-18T23:00"),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_jump_of_the_clock_logs_no_user_out_for_time_that_did_not_pass() {
    join_all(JUMPS.map(async |(rules, clocks, to, end)| {
        let day = Day::begin(rules).await;
        if rules.starts_with("unregistered") {
            day.does("desk1", DeviceState::Gone).await;
            day.does("desk3", DeviceState::Gone).await;
        }
        day.passes(to, clocks).await;
        let before = at(end) - Duration::from_secs(1);
        day.is(&before
            .to_zoned(Zone::new("Europe/Amsterdam").unwrap().rules().clone())
            .datetime()
            .to_string())
            .await;
        assert!(day.sessions().await.contains(&"101@desk1".into()), "{rules}, {to}: not before {end}");
        day.is(end).await;
        let gone = async || !day.sessions().await.contains(&"101@desk1".into());
        let wait = async {
            while !gone().await {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let done = tokio::time::timeout(PATIENCE, wait).await;
        assert!(done.is_ok(), "{rules}, {to}: at {end}");
    }))
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clock_that_is_set_past_the_time_of_day_logs_out_at_once_and_one_that_is_mended_does_not() {
    let day = Day::begin("at = '23:00'").await;
    // To the next day, and back: by mistake.
    day.passes("2026-11-19T10:00", SET).await;
    day.passes("2026-11-18T10:00", SET).await;
    assert_eq!(day.sessions().await, ["101@desk1", "103@desk3"]);
    day.is("2026-11-18T10:01").await;
    assert_eq!(day.sessions().await, ["101@desk1", "103@desk3"]);
    day.passes("2026-11-18T23:30", SET).await;
    // In Lisbon it is not 23:00 yet.
    day.waits_for(&["103@desk3"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_controllers_of_a_machine_mend_once_and_a_later_one_continues() {
    let day = Day::begin("after = '8h'").await;
    let stop = CancellationToken::new();
    let guard = stop.clone().drop_guard();
    day.controller(stop);
    day.quiet().await;
    assert!(extend_by(&day, "2026-11-18T17:30").await);
    day.passes("2026-11-18T13:00", SET).await;
    drop(guard);
    day.controller(CancellationToken::new());
    let snapshot = day.store.observations(&TenantId::default(), &Scope::All).await.unwrap();
    assert_eq!(snapshot[&name("desk1")].began, Some(at("2026-11-18T12:00")));
    assert_eq!(snapshot[&name("desk1")].extended, Some(at("2026-11-18T20:30")));
    // A session that begins after that is as long as others.
    log_in(&day.store, "102", "desk2", at("2026-11-18T13:10")).await;
    day.is("2026-11-18T19:59:59").await;
    assert_eq!(day.sessions().await, ["101@desk1", "102@desk2", "103@desk3"]);
    day.is("2026-11-18T20:00").await;
    day.waits_for(&["101@desk1", "102@desk2"]).await;
    day.is("2026-11-18T20:30").await;
    day.waits_for(&["102@desk2"]).await;
    day.is("2026-11-18T21:10").await;
    day.waits_for(&[]).await;
}

/// An administrator postpones the logout of 101.
async fn extend_by(day: &Day, until: &str) -> bool {
    let snapshot = day.store.snapshot(&TenantId::default(), &Scope::All).await.unwrap();
    let session = &snapshot.sessions[&name("desk1")];
    let by = (Actor::Controller, at("2026-11-18T10:00"));
    extend(&*day.store, &TenantId::default(), session, at(until), by).await.unwrap()
}
