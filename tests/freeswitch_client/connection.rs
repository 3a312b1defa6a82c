//! Logging in, staying connected, and noticing when it is another FreeSWITCH.

use std::sync::atomic::Ordering;
use std::time::Duration;

use hotdesk::freeswitch::esl::client::{Client, State};
use hotdesk::switch::SwitchError;
use hotdesk::switch::connection::events::Heard;
use tokio::time::{Instant, sleep};

use super::{CORE, is_up, next, start, up, why_down};

async fn refused(client: &Client) -> String {
    let mut state = client.state();
    match &*state.wait_for(|s| matches!(s, State::Refused(_))).await.unwrap() {
        State::Refused(why) => why.clone(),
        _ => unreachable!(),
    }
}

#[tokio::test(start_paused = true)]
async fn it_logs_in_asks_for_its_events_and_is_up() {
    let (client, _events, mut network) = start();
    assert!(matches!(client.api("status").await, Err(SwitchError::Away(_))));
    let mut fs = network.fs().await;
    fs.let_in().await;
    is_up(&client).await;
    let State::Up(up) = client.state().borrow().clone() else { panic!() };
    assert_eq!((up.freeswitch.as_str(), up.core.as_str()), ("1.10.12-release-64bit", CORE));
    assert_eq!(*client.connections().borrow(), 1);
    network.stop.cancel();
    assert!(matches!(
        &*client.state().wait_for(|s| !matches!(s, State::Up(_))).await.unwrap(),
        State::Down(_)
    ));
}

#[tokio::test(start_paused = true)]
async fn a_wrong_password_is_an_error_and_tried_again_slowly() {
    let (client, _events, mut network) = start();
    let mut fs = network.fs().await;
    fs.say("Content-Type: auth/request\n\n").await;
    fs.asked().await;
    let told = Instant::now();
    fs.reply("-ERR invalid").await;
    let why = refused(&client).await;
    assert!(
        why.starts_with("FreeSWITCH refused the password. Check it against event_socket.conf.xml"),
        "{why}"
    );
    assert!(!format!("{why} {client:?}").contains("ClueCon"));
    assert_eq!(client.api("status").await, Err(SwitchError::Away(why)));
    let mut fs = network.fs().await;
    fs.let_in().await;
    assert!(told.elapsed() >= Duration::from_secs(15), "{:?}", told.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_denied_address_and_another_program_are_different_errors() {
    for (greeting, told) in [
        (
            "Content-Type: text/rude-rejection\nContent-Length: 24\n\nAccess Denied, go away.\n",
            "apply-inbound-acl",
        ),
        ("SSH-2.0-OpenSSH_9.2\r\n\n\n", "check the address and port"),
        ("Content-Type: command/reply\nReply-Text: +OK\n\n", "check the address and port"),
    ] {
        let (client, _events, mut network) = start();
        network.fs().await.say(greeting).await;
        let why = refused(&client).await;
        assert!(why.contains(told), "{why}");
    }
}

#[tokio::test(start_paused = true)]
async fn one_that_does_not_greet_is_given_up() {
    let (client, _events, mut network) = start();
    let began = Instant::now();
    let _fs = network.fs().await;
    let mut state = client.state();
    state
        .wait_for(|s| matches!(s, State::Down(why) if why.contains("ask for the password within 3s")))
        .await
        .unwrap();
    assert_eq!(began.elapsed(), super::DEADLINE);
}

#[tokio::test(start_paused = true)]
async fn pending_commands_fail_at_once_when_the_connection_is_lost_and_it_reconnects() {
    let (client, _events, mut network, mut fs) = up().await;
    let lost = tokio::spawn({
        let client = client.clone();
        async move {
            tokio::join!(
                client.api("a"),
                client.bgapi("b", super::DEADLINE),
                client.execute("u", "c", "", super::DEADLINE)
            )
        }
    });
    for _ in 0..3 {
        fs.asked().await;
    }
    network.down.store(true, Ordering::SeqCst);
    let began = Instant::now();
    drop(fs);
    let (a, b, c) = lost.await.unwrap();
    assert!(matches!(
        (a, b, c.map(drop)),
        (Err(SwitchError::Away(_)), Err(SwitchError::Away(_)), Err(SwitchError::Away(_)))
    ));
    assert!(began.elapsed() < Duration::from_millis(10));
    let mut state = client.state();
    state
        .wait_for(|s| matches!(s, State::Down(why) if why.contains("fs:8021 cannot be reached")))
        .await
        .unwrap();
    sleep(Duration::from_secs(600)).await;
    network.down.store(false, Ordering::SeqCst);
    let began = Instant::now();
    let mut fs = network.fs().await;
    fs.let_in_as("another").await;
    is_up(&client).await;
    assert!(
        began.elapsed() <= Duration::from_secs(1),
        "never more than a second's pause: {:?}",
        began.elapsed()
    );
    let State::Up(up) = client.state().borrow().clone() else { panic!() };
    assert_eq!(up.core, "another", "it was restarted");
    assert_eq!(*client.connections().borrow(), 2, "once for each time it came up");
}

#[tokio::test(start_paused = true)]
async fn a_silent_freeswitch_is_asked_and_then_given_up() {
    let (client, _events, mut network, mut fs) = up().await;
    let began = Instant::now();
    fs.api("global_getvar core_uuid", CORE).await;
    assert_eq!(began.elapsed(), Duration::from_secs(10));
    assert_eq!(fs.asked().await, "api global_getvar core_uuid");
    assert_eq!(why_down(&client).await, "FreeSWITCH did not answer a ping within 13s");
    assert_eq!(began.elapsed(), Duration::from_secs(23));
    let mut fs = network.fs().await;
    fs.let_in().await;
    is_up(&client).await;
}

#[tokio::test(start_paused = true)]
async fn another_core_behind_the_same_connection_is_a_restart() {
    let (client, _events, _network, mut fs) = up().await;
    fs.api("global_getvar core_uuid", "another").await;
    assert_eq!(why_down(&client).await, "FreeSWITCH was restarted");
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_is_down_at_once_and_connects_again_only_when_freeswitch_is_gone() {
    let (client, _events, mut network, mut fs) = up().await;
    let asked = tokio::spawn({
        let client = client.clone();
        async move { client.api("status").await }
    });
    fs.asked().await;
    let began = Instant::now();
    fs.event(&[("Event-Name", "SHUTDOWN")], "").await;
    assert_eq!(why_down(&client).await, "FreeSWITCH is shutting down");
    assert!(matches!(asked.await.unwrap(), Err(SwitchError::Away(_))));
    sleep(Duration::from_secs(2)).await;
    assert!(network.ends.try_recv().is_err(), "it does not knock at one that goes");
    drop(fs);
    let mut fs = network.fs().await;
    fs.let_in().await;
    is_up(&client).await;
    assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_goodbye_and_an_answer_to_nothing_end_the_connection() {
    for (said, why) in [
        (
            "Content-Type: text/disconnect-notice\nContent-Length: 31\n\nThe system is being shut down.\n",
            "FreeSWITCH said: The system is being shut down.",
        ),
        ("Content-Type: command/reply\nReply-Text: +OK\n\n", "FreeSWITCH answered what it was not asked"),
        (
            "Content-Length: -1\n\n",
            "what answers there sent a Content-Length that is not a number, which is not FreeSWITCH's event socket",
        ),
    ] {
        let (client, _events, _network, mut fs) = up().await;
        fs.say(said).await;
        assert_eq!(why_down(&client).await, why);
    }
}

#[tokio::test(start_paused = true)]
async fn a_flood_that_is_not_read_keeps_a_bounded_number_and_calls_for_another_look() {
    let (client, mut events, _network, mut fs) = up().await;
    for i in 0..50_000 {
        fs.event(&[("Event-Name", "CHANNEL_PARK"), ("Unique-ID", &i.to_string())], "").await;
    }
    let asked = tokio::spawn({
        let client = client.clone();
        async move { client.api("show channels as json").await }
    });
    fs.api("show channels as json", "{}").await;
    assert_eq!(asked.await.unwrap(), Ok(Some("{}".into())), "and commands are served meanwhile");
    assert!(matches!(events.next().await, Some(Heard::Missed)));
    for i in 50_000 - 1024..50_000 {
        let Some(Heard::Event(event)) = events.next().await else { panic!("{i}") };
        assert_eq!(event.get("Unique-ID").unwrap(), i.to_string());
    }
    assert!(next(&mut events).await.is_none());
}

#[tokio::test(start_paused = true)]
async fn an_event_that_cannot_be_read_and_each_connect_call_for_another_look() {
    let (client, mut events, mut network, mut fs) = up().await;
    assert!(matches!(events.next().await, Some(Heard::Missed)), "it was connected to");
    let mut late = client.subscribe();
    assert!(matches!(late.next().await, Some(Heard::Missed)), "it was connected to before");
    assert!(next(&mut late).await.is_none());
    fs.say("Content-Length: 4\nContent-Type: text/event-plain\n\nabc\n").await;
    fs.event(&[("Event-Name", "CHANNEL_PARK")], "").await;
    assert!(matches!(events.next().await, Some(Heard::Missed)));
    assert_eq!(next(&mut events).await.unwrap().name().as_deref(), Some("CHANNEL_PARK"));
    drop(fs);
    let mut fs = network.fs().await;
    fs.let_in().await;
    assert!(matches!(events.next().await, Some(Heard::Missed)));
    network.stop.cancel();
    assert!(events.next().await.is_none(), "it ends with the connection");
}
