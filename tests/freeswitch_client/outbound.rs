//! Calls that FreeSWITCH brings, by its own script: what a connection must be to be taken, and how it is let go.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use hotdesk::controller::Controller;
use hotdesk::controller::clock::Clock;
use hotdesk::controller::pins::Pins;
use hotdesk::freeswitch::calls::outbound::{Server, question};
use hotdesk::freeswitch::calls::taker::Taker;
use hotdesk::model::codes::{Codes, Preset};
use hotdesk::model::id::TenantId;
use hotdesk::model::login::pin::Pepper;
use hotdesk::model::login::token::{Token, proof};
use hotdesk::store;
use tokio::io::{AsyncReadExt, duplex};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::{CORE, Fs};
use crate::harness::records::{pepper, switch};

const CALL: &str = "03b9a780-2844-4ee1-9e44-937e9187ae39";
const DEADLINE: Duration = Duration::from_millis(300);

/// What FreeSWITCH says to `connect`: URL-encoded, and without a Content-Length.
fn connected(changed: (&str, &str)) -> String {
    let headers = [
        ("Event-Name", "CHANNEL_DATA"),
        ("Core-UUID", CORE),
        ("Unique-ID", CALL),
        ("Answer-State", "ringing"),
        ("Caller-Context", "hotdesk@code"),
        ("variable_sip_auth_username", "desk1"),
        ("variable_domain_name", "hotdesk.test"),
        ("variable_hd_dialled", "%2A35%2A101%2A0042"),
        ("variable_last_sched_id", "7"),
        ("Content-Type", "command/reply"),
        ("Reply-Text", "%2BOK%0A"),
        ("Socket-Mode", "async"),
        ("Control", "full"),
    ];
    let value =
        |name: &str, usual: &str| if name == changed.0 { changed.1.to_owned() } else { usual.to_owned() };
    headers.iter().map(|(name, usual)| format!("{name}: {}\n", value(name, usual))).collect::<String>() + "\n"
}

/// A connection that FreeSWITCH made to a controller whose snapshot is empty; finished when the controller is done with it.
async fn brought(tenant: &str) -> (Fs, JoinHandle<()>) {
    let dir = tempfile::tempdir().unwrap();
    let controller = Controller {
        store: store::open("sqlite:hotdesk.db", dir.path()).await.unwrap(),
        pins: Pins::new(pepper()),
        codes: watch::channel(Arc::new(Codes::of(&[Preset::Simmpl]).unwrap().into())).1,
        rules: watch::channel(Arc::default()).1,
        switches: BTreeMap::new(),
        clock: Clock::machine(),
    };
    let server = Server {
        taker: Taker {
            switch: switch("pbx"),
            tenants: vec![TenantId::new(tenant).unwrap()],
            controller: Arc::new(controller),
            name: "pbx1-5f3a90c1/pbx".into(),
        },
        allow: watch::channel(Arc::default()).1,
        deadline: DEADLINE,
        calls: 1,
    };
    let (near, far) = duplex(64 * 1024);
    let call = tokio::spawn(async move {
        let _ = server.serve(near).await;
        drop(dir);
    });
    (Fs { stream: far }, call)
}

/// What is asked until the connection is closed, each answered as a healthy FreeSWITCH does; and whose call it
/// is, by `taker`.
async fn answer(fs: &mut Fs, taker: &str) -> Vec<String> {
    let mut asked = vec![];
    loop {
        let mut bytes = Vec::new();
        while !bytes.ends_with(b"\n\n") {
            match timeout(Duration::from_secs(10), fs.stream.read_u8())
                .await
                .expect("neither asked nor closed")
            {
                Ok(byte) => bytes.push(byte),
                Err(_) => return asked,
            }
        }
        let command = String::from_utf8(bytes).unwrap().trim_end().to_owned();
        match command.split([' ', '\n']).next().unwrap() {
            "api" if command.contains("sched_del") => fs.response("+OK Deleted: 1").await,
            "api" if command.contains("hotdesk_token") => fs.response(Token::of(&pepper()).reveal()).await,
            "api" if command.contains("file_exists") => fs.response("true").await,
            "api" if command.contains("global_getvar") => fs.response("/sounds").await,
            "api" => fs.response("+OK\n").await,
            _ => fs.reply("+OK").await,
        }
        if let Some((_, id)) = command.split_once("Event-UUID: ") {
            let complete = [
                ("Event-Name", "CHANNEL_EXECUTE_COMPLETE"),
                ("Unique-ID", CALL),
                ("Application-UUID", id),
                ("Answer-State", "answered"),
                ("variable_hd_controller", taker),
            ];
            fs.event(&complete, "").await;
        }
        asked.push(command);
    }
}

async fn done(call: JoinHandle<()>) {
    timeout(Duration::from_secs(10), call).await.expect("the call does not end").unwrap();
}

#[tokio::test]
async fn a_call_is_taken_served_and_let_go() {
    let (mut fs, call) = brought("hotdesk.test").await;
    assert_eq!(fs.asked().await, "connect");
    fs.say(connected(("", ""))).await;
    let asked = answer(&mut fs, "ARRAY%3A%3Apbx1-5f3a90c1/pbx|%3Aother").await;
    done(call).await;
    assert!(asked[4].contains("execute-app-arg: hd_controller=pbx1-5f3a90c1/pbx\n"), "{asked:#?}");
    let first: Vec<&str> = asked.iter().take(7).map(String::as_str).collect();
    assert_eq!(
        first[..4],
        ["linger 5", "myevents plain", "api global_getvar hotdesk_token", "api sched_del 7"]
    );
    let hidden = ["sensitive_dtmf true", "hd_dialled"].map(|set| format!("api uuid_setvar {CALL} {set}"));
    assert_eq!(first[5..], hidden);
    assert!(asked.iter().any(|command| command.contains("execute-app-name: playback")), "{asked:#?}");
    assert_eq!(
        *asked.last().unwrap(),
        format!("sendmsg {CALL}\ncall-command: hangup\nhangup-cause: NORMAL_CLEARING")
    );
    assert!(asked.contains(&format!("api uuid_setvar {CALL} hd_result refused")), "{asked:#?}");
}

#[tokio::test]
async fn a_call_that_another_controller_has_is_let_go_untouched() {
    let (mut fs, call) = brought("default").await;
    assert_eq!(fs.asked().await, "connect");
    fs.say(connected(("", ""))).await;
    let asked = answer(&mut fs, "ARRAY%3A%3Aother|%3Apbx1-5f3a90c1/pbx").await;
    assert_eq!(asked[..2], ["linger 5", "myevents plain"]);
    assert!(asked.len() == 5 && asked[4].contains("execute-app-name: push\n"), "{asked:#?}");
    done(call).await;
}

#[tokio::test]
async fn a_call_from_another_dialplan_is_let_go_untouched() {
    for (changed, commands) in [
        (("Socket-Mode", "static"), 0),
        (("Control", "single-channel"), 0),
        (("Caller-Context", "hotdesk@end"), 2),
        (("variable_domain_name", "other.test"), 2),
        (("variable_sip_auth_username", ""), 2),
        (("variable_last_sched_id", ""), 2),
    ] {
        let (mut fs, call) = brought("hotdesk.test").await;
        assert_eq!(fs.asked().await, "connect");
        fs.say(connected(changed)).await;
        let asked = answer(&mut fs, "pbx1-5f3a90c1/pbx").await;
        assert_eq!(asked.len(), commands, "{changed:?}: {asked:?}");
        done(call).await;
    }
}

#[tokio::test]
async fn a_silent_or_invalid_connection_is_closed() {
    let (_fs, call) = brought("default").await;
    timeout(DEADLINE * 10, call).await.expect("it waits longer than a call may be silent").unwrap();
    for nonsense in
        ["GET / HTTP/1.1\r\nHost: x\r\n\r\n", "Content-Type: auth/request\n\n", "Content-Length: -1\n\n"]
    {
        let (mut fs, call) = brought("default").await;
        assert_eq!(fs.asked().await, "connect");
        fs.say(nonsense).await;
        timeout(DEADLINE * 10, call).await.expect(nonsense).unwrap();
    }
    let (fs, call) = brought("default").await;
    drop(fs);
    done(call).await;
}

/// As recorded: the end of the call, a notice that lingers, and the connection's own end.
#[tokio::test]
async fn a_caller_who_hangs_up_ends_the_conversation_while_the_connection_lingers() {
    let (mut fs, call) = brought("default").await;
    assert_eq!(fs.asked().await, "connect");
    fs.say(connected(("", ""))).await;
    for command in ["linger 5", "myevents plain"] {
        assert_eq!(fs.asked().await, command);
        fs.reply("+OK").await;
    }
    assert_eq!(fs.asked().await, "api global_getvar hotdesk_token");
    fs.response(Token::of(&pepper()).reveal()).await;
    assert_eq!(fs.asked().await, "api sched_del 7");
    fs.response("+OK Deleted: 1").await;
    assert!(fs.asked().await.contains("execute-app-name: push"));
    fs.reply("+OK").await;
    fs.event(&[("Event-Name", "CHANNEL_HANGUP"), ("Unique-ID", CALL)], "").await;
    fs.say(format!(
        "Content-Type: text/disconnect-notice\nControlled-Session-UUID: {CALL}\nContent-Disposition: linger\n\
         Channel-Name: sofia/internal/desk1\nLinger-Time: 5\nContent-Length: 0\n\n"
    ))
    .await;
    assert!(answer(&mut fs, "").await.is_empty(), "no caller is left to hear anything");
    done(call).await;
}

#[tokio::test]
async fn a_call_without_the_token_is_refused_before_it_is_taken() {
    let other = Token::of(&Pepper::new([43; 64]));
    for shown in ["-ERR no reply\n", "PRINT-YOUR-OWN", other.reveal()] {
        let (mut fs, call) = brought("hotdesk.test").await;
        assert_eq!(fs.asked().await, "connect");
        fs.say(connected(("", ""))).await;
        for reply in ["linger 5", "myevents plain"] {
            assert_eq!(fs.asked().await, reply);
            fs.reply("+OK").await;
        }
        assert_eq!(fs.asked().await, "api global_getvar hotdesk_token");
        fs.response(shown).await;
        assert_eq!(fs.asked().await, "api sched_del 7");
        fs.response("+OK Deleted: 1").await;
        assert!(answer(&mut fs, "pbx1-5f3a90c1/pbx").await.is_empty(), "{shown}");
        done(call).await;
    }
}

#[tokio::test]
async fn only_hotdesk_itself_answers_the_question_of_the_check() {
    let (mut fs, call) = brought("default").await;
    fs.say(question("1f0e")).await;
    for asked in ["connect", "linger 5", "myevents plain", &format!("api {}", proof(&pepper(), "1f0e"))] {
        assert_eq!(fs.asked().await, asked);
    }
    drop(fs);
    done(call).await;
}
