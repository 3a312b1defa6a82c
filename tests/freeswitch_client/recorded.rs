//! The client against what a FreeSWITCH 1.10.12 sent: the recorded bytes, each answer when its command comes.

use std::time::Duration;

use hotdesk::freeswitch::esl::client::{Client, Settings};
use hotdesk::freeswitch::esl::event::Event;
use hotdesk::model::id::SwitchName;
use hotdesk::switch::connection::events::Subscription;
use tokio_util::sync::CancellationToken;
use zeroize::Zeroizing;

use super::{DEADLINE, Fs, is_up, why_down};

const LONG: Duration = Duration::from_secs(60);

/// A recorded session being played, after the login and the request for events, which are the client's own.
struct Player {
    fs: Fs,
    commands: std::vec::IntoIter<String>,
    bytes: Vec<u8>,
}

impl Player {
    /// Lets a client in, and plays `name` from after its `event` command on.
    async fn start(name: &str) -> (Client, Subscription<Event>, Self) {
        let (near, far) = tokio::io::duplex(4 * 1024 * 1024);
        let near = std::sync::Mutex::new(Some(near));
        let settings = Settings {
            name: SwitchName::new("fs").unwrap(),
            address: "fs:8021".into(),
            user: None,
            password: Zeroizing::new("ClueCon".into()),
            deadline: DEADLINE,
            events: vec![],
            filters: vec![],
        };
        let (client, connection) = Client::over(settings, CancellationToken::new(), move || {
            let again = || std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
            std::future::ready(near.lock().unwrap().take().ok_or_else(again))
        });
        let events = client.subscribe();
        tokio::spawn(connection);
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/freeswitch");
        let bytes = std::fs::read(format!("{folder}/{name}.recv.raw")).unwrap();
        let sent = std::fs::read_to_string(format!("{folder}/{name}.send.raw")).unwrap();
        let commands: Vec<_> = sent.split("\n\n").filter(|c| !c.is_empty()).map(str::to_owned).collect();
        let mut player = Self { fs: Fs { stream: far }, commands: commands.into_iter(), bytes };
        player.play().await;
        player.answer("auth ClueCon").await;
        player.fs.api("version", "FreeSWITCH Version 1.10.12-release-64bit (-release 64bit)\n").await;
        player.fs.api("global_getvar core_uuid", super::CORE).await;
        assert_eq!(player.fs.asked().await, "event plain BACKGROUND_JOB SHUTDOWN");
        assert!(player.commands.next().unwrap().starts_with("event plain "));
        player.take().await;
        player.play().await;
        is_up(&client).await;
        (client, events, player)
    }

    /// Takes the client's next command, which must be the recorded one but for its id, and plays its answer and what came
    /// after it up to the answer of the next.
    async fn answer(&mut self, command: &str) {
        let (asked, recorded) = (self.fs.asked().await, self.commands.next().unwrap());
        assert!(asked.starts_with(command) && recorded.starts_with(command), "{asked} | {recorded}");
        let id = |text: &str| {
            let id =
                text.lines().find_map(|l| l.strip_prefix("Event-UUID: ").or(l.strip_prefix("Job-UUID: ")));
            id.map(str::to_owned)
        };
        // The client's ids are its own; as long as the recorded ones, so that no length changes.
        if let (Some(ours), Some(theirs)) = (id(&asked), id(&recorded)) {
            let text = String::from_utf8(std::mem::take(&mut self.bytes)).unwrap();
            assert!(ours.len() == theirs.len() && text.contains(&theirs));
            self.bytes = text.replace(&theirs, &ours).into_bytes();
        }
        self.take().await;
        self.play().await;
    }

    /// Where the first frame ends, and whether it is an answer.
    fn frame(&self) -> Option<(usize, bool)> {
        let head = self.bytes.windows(2).position(|w| w == b"\n\n")? + 2;
        let text = String::from_utf8_lossy(&self.bytes[..head]);
        let body: usize =
            text.lines().find_map(|l| l.strip_prefix("Content-Length: ")).map_or(0, |n| n.parse().unwrap());
        Some((head + body, text.contains("command/reply") || text.contains("api/response")))
    }

    /// Plays one frame.
    async fn take(&mut self) {
        let (end, _) = self.frame().unwrap();
        let frame: Vec<u8> = self.bytes.drain(..end).collect();
        for piece in frame.chunks(100) {
            self.fs.say(piece).await;
        }
    }

    /// Plays all frames that answer nothing.
    async fn play(&mut self) {
        while self.frame().is_some_and(|(_, is_answer)| !is_answer) {
            self.take().await;
        }
    }
}

/// Takes events up to one with this name.
async fn until(events: &mut Subscription<Event>, name: &str) -> std::sync::Arc<Event> {
    loop {
        let event = super::next(events).await.unwrap();
        if event.name().as_deref() == Some(name) {
            return event;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_recorded_call_is_parked_answered_asked_played_to_and_hung_up() {
    let (client, mut events, mut player) = Player::start("b1_events_plain").await;
    // The recorded job had an id of another length than the client's.
    let job = player.commands.next().unwrap();
    assert!(job.starts_with("bgapi status\nJob-UUID: job-b-1"), "{job}");
    let asked = tokio::spawn({
        let client = client.clone();
        async move { client.api("version").await }
    });
    player.fs.asked().await;
    player.take().await;
    assert!(asked.await.unwrap().is_err(), "a reply is no answer to api");
    player.play().await;

    let parked = until(&mut events, "CHANNEL_PARK").await;
    let call = parked.get("Unique-ID").unwrap().into_owned();
    assert_eq!(parked.get("variable_sip_auth_username").as_deref(), Some("1003"));
    let conversation = tokio::spawn({
        let client = client.clone();
        async move {
            client.api(&format!("uuid_answer {call}")).await.unwrap();
            let entered = client.execute(&call, "play_and_get_digits", "…", LONG).await.unwrap().unwrap();
            let played = client.execute(&call, "playback", "…", LONG).await.unwrap().unwrap();
            let nothing = client.execute(&call, "play_and_get_digits", "…", LONG).await.unwrap().unwrap();
            client.hangup(&call, "NORMAL_CLEARING").await.unwrap();
            (entered, played, nothing)
        }
    });
    player.answer("api uuid_answer").await;
    for _ in 0..3 {
        player.answer("sendmsg").await;
    }
    player.answer("sendmsg").await;
    let (entered, played, nothing) = conversation.await.unwrap();
    assert_eq!(entered.get("variable_hd_pin").as_deref(), Some("4711"));
    assert_eq!(played.get("Application").as_deref(), Some("playback"));
    assert_eq!(
        (nothing.get("variable_hd_pin2"), nothing.get("variable_read_result").as_deref()),
        (None, Some("failure"))
    );

    // The second call hangs up in the middle of the prompt; what comes after it is refused.
    until(&mut events, "CHANNEL_HANGUP_COMPLETE").await;
    let call = until(&mut events, "CHANNEL_PARK").await.get("Unique-ID").unwrap().into_owned();
    let conversation = tokio::spawn({
        let client = client.clone();
        async move {
            client.api(&format!("uuid_answer {call}")).await.unwrap();
            let hung_up = client.execute(&call, "play_and_get_digits", "…", LONG).await;
            let too_late = client.execute(&call, "answer", "", LONG).await;
            (hung_up, too_late)
        }
    });
    player.answer("api uuid_answer").await;
    player.answer("sendmsg").await;
    player.answer("sendmsg").await;
    let (hung_up, too_late) = conversation.await.unwrap();
    assert!(matches!((hung_up, too_late), (Ok(None), Ok(None))));
}

#[tokio::test(start_paused = true)]
async fn a_recorded_shutdown_is_noticed_when_it_is_said() {
    let (client, _events, mut player) = Player::start("f1b_shutdown").await;
    let say_all = std::mem::take(&mut player.bytes);
    let at = |what: &[u8]| say_all.windows(what.len()).position(|w| w == what).unwrap();
    let event = at(b"Event-Name: SHUTDOWN");
    let start = say_all[..event].windows(15).rposition(|w| w == b"Content-Length:").unwrap();
    player.fs.say(&say_all[start..]).await;
    drop(player);
    assert_eq!(why_down(&client).await, "FreeSWITCH is shutting down");
}
