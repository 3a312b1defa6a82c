//! Commands and their answers: in order, by job, by application; late, refused, and given up.

use std::time::Duration;

use hotdesk::freeswitch::esl::codec::Said;
use hotdesk::freeswitch::table::mod_db::FreeSwitchSwitch;
use hotdesk::model::directory::Device;
use hotdesk::model::id::{DialTarget, TenantId};
use hotdesk::switch::{Switch, SwitchError};
use jiff::Timestamp;
use tokio::time::Instant;

use super::{DEADLINE, next, up, why_down};
use crate::harness::records::{name, switch};

const LONG: Duration = Duration::from_secs(60);

/// The id that a command gave to its job or application.
fn id(asked: &str, header: &str) -> String {
    asked.lines().find_map(|line| line.strip_prefix(header)).unwrap().trim_start_matches(": ").to_owned()
}

#[tokio::test(start_paused = true)]
async fn commands_are_on_the_wire_together_and_each_gets_its_answer() {
    let (client, _events, _network, mut fs) = up().await;
    let all = tokio::spawn(async move {
        tokio::join!(
            client.api("db select/a/b"),
            client.api("db select/a/c"),
            client.api("db nonsense"),
            client.hangup("u", "NORMAL_CLEARING")
        )
    });
    for expected in [
        "api db select/a/b",
        "api db select/a/c",
        "api db nonsense",
        "sendmsg u\ncall-command: hangup\nhangup-cause: NORMAL_CLEARING",
    ] {
        assert_eq!(fs.asked().await, expected);
    }
    fs.response("1001").await;
    fs.response("-ERR no reply\n").await;
    fs.response("!err!").await;
    fs.reply("-ERR invalid session id [u]").await;
    let (a, b, c, d) = all.await.unwrap();
    assert_eq!((a, b), (Ok(Some("1001".into())), Ok(None)));
    assert_eq!(c, Err(SwitchError::Refused("db".into(), "!err!".into())));
    assert_eq!(d, Ok(()), "that it is over is what was wanted");
}

#[tokio::test(start_paused = true)]
async fn a_late_answer_is_dropped_and_the_next_command_gets_its_own() {
    let (client, _events, _network, mut fs) = up().await;
    let began = Instant::now();
    let late = tokio::spawn({
        let client = client.clone();
        async move { client.api("late").await }
    });
    fs.asked().await;
    assert_eq!(late.await.unwrap(), Err(SwitchError::Late("late".into(), DEADLINE)));
    assert_eq!(began.elapsed(), DEADLINE);
    let cancelled = tokio::spawn({
        let client = client.clone();
        async move { client.api("cancelled").await }
    });
    fs.asked().await;
    cancelled.abort();
    let next = tokio::spawn(async move { client.api("next").await });
    fs.asked().await;
    for answer in ["late", "cancelled", "next"] {
        fs.response(answer).await;
    }
    assert_eq!(next.await.unwrap(), Ok(Some("next".into())));
}

#[tokio::test(start_paused = true)]
async fn ten_thousand_commands_are_all_answered_and_a_refusal_does_not_hide_the_others() {
    let (client, _events, _network, mut fs) = up().await;
    let all: Vec<_> = (0..10_000).map(|i| format!("db insert/hotdesk/{i}/x")).collect();
    let done = tokio::spawn(async move { client.api_all(&all).await });
    for i in 0..10_000 {
        assert_eq!(fs.asked().await, format!("api db insert/hotdesk/{i}/x"));
        fs.response(if i == 5000 { "-ERR full\n" } else { "+OK" }).await;
    }
    let responses = done.await.unwrap().unwrap();
    assert_eq!(responses.len(), 10_000);
    let refused: Vec<_> = (0..10_000).filter(|i| responses[*i].said() != Said::Value("+OK")).collect();
    assert_eq!((refused, responses[5000].said()), (vec![5000], Said::Error("full")));
}

#[tokio::test(start_paused = true)]
async fn a_value_that_would_be_another_command_is_not_sent() {
    let (client, _events, _network, mut fs) = up().await;
    let bad = "db insert/hotdesk/x/4711\n\napi fsctl shutdown";
    for refused in [
        client.api(bad).await.map(drop),
        client.api_all(&["db list/".into(), bad.into()]).await.map(drop),
        client.bgapi(bad, LONG).await.map(drop),
        client.launch(bad).await,
        client.execute("u", "playback", bad, LONG).await.map(drop),
        client.hangup("u u", "x").await,
    ] {
        let Err(SwitchError::Refused(what, why)) = refused else { panic!("{refused:?}") };
        assert!(why.contains("CR, LF") || why.contains("one word"), "{why}");
        assert!(!format!("{what}{why}").contains("4711"));
    }
    let good = tokio::spawn(async move { client.api("good").await });
    fs.api("good", "+OK").await;
    good.await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_device_is_rung_at_its_contact_by_a_job_that_is_not_waited_for() {
    let (client, _events, _network, mut fs) = up().await;
    let until = Timestamp::from_second(1_800_000_000).unwrap();
    let ring = |tenant: &str, dial: &str| {
        let (tenant, dial) = (TenantId::new(tenant).unwrap(), DialTarget::new(dial).unwrap());
        let table = FreeSwitchSwitch::new(client.clone(), tenant.clone());
        let device = Device::new(tenant, name("desk1"), switch("fs"), dial);
        tokio::spawn(async move { table.ring(&device, until).await })
    };
    for (tenant, dial, address, domain) in [
        ("default", "user/1005@hotdesk.test", "1005@hotdesk.test", ""),
        ("a.example", "sofia/gateway/x/5", "desk1@a.example", ",domain_name=a.example"),
    ] {
        let rung = ring(tenant, dial);
        let contact = "sofia/internal/sip:1005@192.0.2.7:5060";
        fs.api(&format!("sofia_contact */{address}"), contact).await;
        let asked = fs.asked().await;
        let (command, job) = asked.split_once("\nJob-UUID: ").unwrap();
        assert_eq!(
            command,
            format!(
                "bgapi originate {{hd_extend_until=1800000000,hd_rung=desk1{domain},ignore_early_media=true,\
                 outbound_redirect_fatal=true}}{contact} hotdesk-extend XML \
                 hotdesk@code Hotdesk Hotdesk 20"
            )
        );
        fs.reply(&format!("+OK Job-UUID: {job}\nJob-UUID: {job}")).await;
        rung.await.unwrap().unwrap();
    }
    // Not there; and not allowed.
    let rung = ring("default", "user/desk1");
    fs.api("sofia_contact */desk1", "error/user_not_registered").await;
    let refused = |why: &str| Err(SwitchError::Refused("originate".into(), why.into()));
    assert_eq!(rung.await.unwrap(), refused("desk1 is not registered"));
    let rung = ring("default", "user/desk1");
    fs.api("sofia_contact */desk1", "sofia/internal/sip:desk1@192.0.2.7:5060").await;
    fs.asked().await;
    fs.reply("-ERR permission denied").await;
    assert_eq!(rung.await.unwrap(), refused("-ERR permission denied"));
}

#[tokio::test(start_paused = true)]
async fn a_job_is_answered_by_its_id_whatever_comes_between() {
    let (client, mut events, _network, mut fs) = up().await;
    let jobs = tokio::spawn({
        let client = client.clone();
        async move {
            tokio::join!(client.bgapi("one", LONG), client.bgapi("two", LONG), client.bgapi("three", LONG))
        }
    });
    let mut ids = vec![];
    for name in ["one", "two", "three"] {
        let asked = fs.asked().await;
        assert!(asked.starts_with(&format!("bgapi {name}\nJob-UUID: ")), "{asked}");
        ids.push(id(&asked, "Job-UUID"));
    }
    assert!(ids.iter().all(|id| id.len() == 36) && ids[0] != ids[1]);
    fs.reply(&format!("+OK Job-UUID: {}\nJob-UUID: {}", ids[0], ids[0])).await;
    fs.reply("+OK").await;
    fs.reply("-ERR no").await;
    for (id, body) in [("another-connections", "x"), (&ids[1], "+OK second\n"), (&ids[0], "-ERR first\n")] {
        fs.event(&[("Event-Name", "BACKGROUND_JOB"), ("Job-UUID", id)], body).await;
    }
    let (one, two, three) = jobs.await.unwrap();
    assert_eq!(one, Err(SwitchError::Refused("one".into(), "first".into())));
    assert_eq!(two, Ok(Some("+OK second".into())));
    assert_eq!(three, Err(SwitchError::Refused("bgapi".into(), "-ERR no".into())));
    assert!(next(&mut events).await.is_none(), "the ends of jobs are not passed on");
}

#[tokio::test(start_paused = true)]
async fn an_application_ends_by_its_id_and_other_ends_are_passed_on() {
    let (client, mut events, _network, mut fs) = up().await;
    let run = tokio::spawn(async move { client.execute("u1", "play_and_get_digits", "2 6 1", LONG).await });
    let asked = fs.asked().await;
    assert!(asked.starts_with("sendmsg u1\ncall-command: execute\nexecute-app-name: play_and_get_digits\nexecute-app-arg: 2 6 1\nevent-lock: true\nEvent-UUID: "), "{asked}");
    fs.reply("+OK").await;
    let complete = |id| {
        [
            ("Event-Name", "CHANNEL_EXECUTE_COMPLETE"),
            ("Unique-ID", "u1"),
            ("Application-UUID", id),
            ("Answer-State", "answered"),
        ]
    };
    fs.event(&complete("the-dialplans-own"), "").await;
    fs.event(&complete(&id(&asked, "Event-UUID")), "").await;
    assert!(run.await.unwrap().unwrap().is_some());
    assert_eq!(
        next(&mut events).await.unwrap().get("Application-UUID").as_deref(),
        Some("the-dialplans-own")
    );
    assert!(next(&mut events).await.is_none());
}

#[tokio::test(start_paused = true)]
async fn a_caller_who_hung_up_has_entered_nothing_whichever_event_says_so() {
    for way in 0..3 {
        let (client, _events, _network, mut fs) = up().await;
        let run = tokio::spawn(async move { client.execute("u1", "play_and_get_digits", "", LONG).await });
        let asked = fs.asked().await;
        let id = id(&asked, "Event-UUID");
        fs.reply(if way == 0 { "-ERR invalid session id [u1]" } else { "+OK" }).await;
        fs.event(&[("Event-Name", "CHANNEL_HANGUP_COMPLETE"), ("Unique-ID", "another")], "").await;
        match way {
            1 => fs.event(&[("Event-Name", "CHANNEL_HANGUP_COMPLETE"), ("Unique-ID", "u1")], "").await,
            2 => {
                let half = [
                    ("Event-Name", "CHANNEL_EXECUTE_COMPLETE"),
                    ("Application-UUID", &*id),
                    ("Answer-State", "hangup"),
                    ("variable_hd_pin", "12"),
                    ("variable_read_result", "success"),
                ];
                fs.event(&half, "").await;
            }
            _ => {}
        }
        assert!(matches!(run.await.unwrap(), Ok(None)), "way {way}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_application_that_does_not_end_is_given_up_and_its_end_falls_into_nothing() {
    let (client, mut events, _network, mut fs) = up().await;
    let run = tokio::spawn({
        let client = client.clone();
        async move { client.execute("u1", "playback", "x", Duration::from_secs(5)).await }
    });
    let asked = fs.asked().await;
    fs.reply("+OK").await;
    assert!(matches!(run.await.unwrap(), Err(SwitchError::Late(what, _)) if what == "playback"));
    fs.event(
        &[("Event-Name", "CHANNEL_EXECUTE_COMPLETE"), ("Application-UUID", &id(&asked, "Event-UUID"))],
        "",
    )
    .await;
    let next = tokio::spawn(async move { client.api("next").await });
    fs.api("next", "+OK").await;
    next.await.unwrap().unwrap();
    assert!(super::next(&mut events).await.is_none());
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_reads_nothing_cannot_hold_more_than_the_deadline() {
    let (client, _events, _network, fs) = up().await;
    let all: Vec<_> = (0..5_000).map(|i| format!("db insert/hotdesk/{i}/{}", "x".repeat(500))).collect();
    assert!(matches!(client.api_all(&all).await, Err(SwitchError::Late(..))));
    assert!(why_down(&client).await.contains("ping"));
    drop(fs);
}
