//! A whole conversation with what a FreeSWITCH 1.10.12 sent in one: every command as it was, byte for byte.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use hotdesk::controller::Controller;
use hotdesk::controller::clock::Clock;
use hotdesk::controller::pins::Pins;
use hotdesk::freeswitch::calls::parked::{Calls, EVENTS, PARKED, filters};
use hotdesk::freeswitch::calls::taker::Taker;
use hotdesk::freeswitch::esl::client::{Client, Settings};
use hotdesk::model::codes::{Codes, Preset};
use hotdesk::model::id::TenantId;
use hotdesk::model::journal::Event;
use hotdesk::store;
use tokio::io::duplex;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use zeroize::Zeroizing;

use super::{DEADLINE, Fs};
use crate::harness::records::{furnish, journal, pepper, switch};

/// When calls are looked for is not the conversation's.
const LOOK: &str = "api show channels as json";

/// A command, what was answered, and what came before the next answer.
struct Turn {
    command: String,
    answer: String,
    then: String,
}

/// What was said before the first command, and the rest turn by turn.
fn recorded(name: &str) -> (String, VecDeque<Turn>) {
    let path =
        |way: &str| format!("{}/tests/fixtures/freeswitch/{name}.{way}.raw", env!("CARGO_MANIFEST_DIR"));
    let sent = std::fs::read_to_string(path("send")).unwrap();
    let received = std::fs::read_to_string(path("recv")).unwrap();
    let mut commands = sent.split_terminator("\n\n").map(str::trim_end);
    let (mut first, mut turns) = (String::new(), VecDeque::<Turn>::new());
    let mut rest = received.as_str();
    while !rest.is_empty() {
        let head = rest.find("\n\n").unwrap() + 2;
        let length = rest[..head].lines().find_map(|line| line.strip_prefix("Content-Length: "));
        let (frame, after) = rest.split_at(head + length.map_or(0, |length| length.parse().unwrap()));
        let is_answer = ["command/reply", "api/response"].iter().any(|kind| frame[..head].contains(kind));
        match turns.back_mut() {
            _ if is_answer => turns.push_back(Turn {
                command: commands.next().unwrap().into(),
                answer: frame.into(),
                then: String::new(),
            }),
            Some(turn) => turn.then += frame,
            None => first += frame,
        }
        rest = after;
    }
    assert_eq!(commands.next(), None);
    (first, turns)
}

/// The id that a command gives to its application.
fn id(command: &str) -> Option<&str> {
    command.lines().find_map(|line| line.strip_prefix("Event-UUID: "))
}

#[tokio::test]
async fn a_recorded_conversation_takes_the_same_commands_and_makes_the_same_of_it() {
    let dir = tempfile::tempdir().unwrap();
    let store = store::open("sqlite:hotdesk.db", dir.path()).await.unwrap();
    furnish(&store).await;
    let (near, far) = duplex(1024 * 1024);
    let near = std::sync::Mutex::new(Some(near));
    let settings = Settings {
        name: switch("fs"),
        address: "fs:8021".into(),
        user: None,
        password: Zeroizing::new("esl-password-of-the-test".into()),
        deadline: DEADLINE,
        // One more was asked for when it was recorded.
        events: [PARKED[0], EVENTS[0], "CHANNEL_HANGUP", EVENTS[1], EVENTS[2]].to_vec(),
        filters: filters(),
    };
    let stop = CancellationToken::new();
    let (client, connection) = Client::over(settings, stop.clone(), move || {
        let again = || std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
        std::future::ready(near.lock().unwrap().take().ok_or_else(again))
    });
    let events = client.subscribe();
    tokio::spawn(connection);
    let controller = Controller {
        store: store.clone(),
        pins: Pins::new(pepper()),
        codes: watch::channel(Arc::new(Codes::of(&[Preset::Simmpl]).unwrap().into())).1,
        rules: watch::channel(Arc::default()).1,
        switches: BTreeMap::new(),
        clock: Clock::machine(),
    };
    let (switch, tenants) = (switch("fs"), vec![TenantId::default()]);
    let taker = Taker { switch, tenants, controller: Arc::new(controller), name: "office-0001/pbx".into() };
    let calls = Calls { taker, waiting: client.clone(), client, calls: 9 };
    let serving = tokio::spawn(calls.run(events, stop.clone().into()));

    let mut fs = Fs { stream: far };
    let (first, mut turns) = recorded("k1_asked_key_by_key");
    let no_channels = turns.iter().find(|turn| turn.command == LOOK).unwrap().answer.clone();
    fs.say(first).await;
    while let Some(mut turn) = turns.pop_front() {
        if turn.command == LOOK {
            fs.say(&turn.then).await;
            continue;
        }
        let asked = loop {
            let asked = fs.asked().await;
            if asked != LOOK {
                break asked;
            }
            fs.say(&no_channels).await;
        };
        // Ids are fresh each time, and of one length.
        if let (Some(ours), Some(theirs)) = (id(&asked), id(&turn.command)) {
            turn.then = turn.then.replace(theirs, ours);
            for later in &mut turns {
                later.then = later.then.replace(theirs, ours);
            }
            turn.command = turn.command.replace(theirs, ours);
        }
        assert_eq!(asked, turn.command);
        fs.say(turn.answer + &turn.then).await;
    }
    stop.cancel();
    serving.await.unwrap();

    let entries = journal(&store).await;
    let refused: Vec<_> =
        entries.iter().filter(|entry| matches!(entry.event, Event::Refused { .. })).collect();
    assert_eq!(refused.len(), 2, "{entries:?}");
    let text = format!("{refused:?}");
    assert!(text.contains("desk1") && text.contains("101") && !text.contains("desk2"), "{text}");
}
