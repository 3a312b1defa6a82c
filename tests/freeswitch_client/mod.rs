//! The client of the event socket against a scripted FreeSWITCH, on time that does not pass by itself, and against the
//! recorded ones.

mod calls;
mod commands;
mod connection;
mod conversation;
mod lamps;
mod line;
mod outbound;
mod phone;
mod recorded;

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use hotdesk::freeswitch::esl::client::{Client, Settings, State};
use hotdesk::freeswitch::esl::event::Event;
use hotdesk::model::id::SwitchName;
use hotdesk::switch::connection::events::{Heard, Subscription};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use zeroize::Zeroizing;

pub const DEADLINE: Duration = Duration::from_secs(3);
pub const CORE: &str = "77935ea6-7ed2-40ae-97a3-f1a6b36e4c3f";

/// FreeSWITCH's end of one connection.
pub struct Fs {
    pub stream: DuplexStream,
}

impl Fs {
    /// The next command, without its empty line.
    pub async fn asked(&mut self) -> String {
        let mut bytes = Vec::new();
        while !bytes.ends_with(b"\n\n") {
            bytes.push(self.stream.read_u8().await.expect("the connection was closed"));
        }
        String::from_utf8(bytes).unwrap().trim_end().to_owned()
    }

    pub async fn say(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.write_all(bytes.as_ref()).await.unwrap();
    }

    pub async fn reply(&mut self, text: &str) {
        self.say(format!("Content-Type: command/reply\nReply-Text: {text}\n\n")).await;
    }

    pub async fn response(&mut self, body: &str) {
        self.say(format!("Content-Type: api/response\nContent-Length: {}\n\n{body}", body.len())).await;
    }

    pub async fn event(&mut self, headers: &[(&str, &str)], body: &str) {
        let mut text: String = headers.iter().map(|(name, value)| format!("{name}: {value}\n")).collect();
        if !body.is_empty() {
            text += &format!("Content-Length: {}\n", body.len());
        }
        text += &format!("\n{body}");
        self.say(format!("Content-Length: {}\nContent-Type: text/event-plain\n\n{text}", text.len())).await;
    }

    /// Answers the next command, which must be `command`, with an API response.
    pub async fn api(&mut self, command: &str, answer: &str) {
        assert_eq!(self.asked().await, format!("api {command}"));
        self.response(answer).await;
    }

    pub async fn let_in(&mut self) {
        self.let_in_as(CORE).await;
    }

    pub async fn let_in_as(&mut self, core: &str) {
        self.say("Content-Type: auth/request\n\n").await;
        assert_eq!(self.asked().await, "auth ClueCon");
        self.reply("+OK accepted").await;
        self.api("version", "FreeSWITCH Version 1.10.12-release-64bit (-release 64bit)\n").await;
        self.api("global_getvar core_uuid", core).await;
        let events = "event plain CHANNEL_PARK CHANNEL_EXECUTE_COMPLETE CHANNEL_HANGUP_COMPLETE BACKGROUND_JOB SHUTDOWN \
                      CUSTOM sofia::register";
        assert_eq!(self.asked().await, events);
        self.reply("+OK event listener enabled plain").await;
        for filter in ["Caller-Context hotdesk", "Event-Name BACKGROUND_JOB", "Event-Name SHUTDOWN"] {
            assert_eq!(self.asked().await, format!("filter {filter}"));
            self.reply("+OK filter added.").await;
        }
    }
}

/// The network: hands over FreeSWITCH's ends, and can be down.
pub struct Network {
    pub ends: mpsc::UnboundedReceiver<DuplexStream>,
    pub down: Arc<AtomicBool>,
    pub stop: CancellationToken,
}

impl Network {
    pub async fn fs(&mut self) -> Fs {
        Fs { stream: timeout(Duration::from_secs(60), self.ends.recv()).await.unwrap().unwrap() }
    }
}

pub fn start() -> (Client, Subscription<Event>, Network) {
    let (tell, ends) = mpsc::unbounded_channel();
    let down = Arc::new(AtomicBool::new(false));
    let stop = CancellationToken::new();
    let settings = Settings {
        name: SwitchName::new("fs").unwrap(),
        address: "fs:8021".into(),
        user: None,
        password: Zeroizing::new("ClueCon".into()),
        deadline: DEADLINE,
        events: vec![
            "sofia::register",
            "CHANNEL_PARK",
            "CHANNEL_EXECUTE_COMPLETE",
            "CHANNEL_HANGUP_COMPLETE",
        ],
        filters: vec![("Caller-Context", "hotdesk".into())],
    };
    let is_down = down.clone();
    let (client, connection) = Client::over(settings, stop.clone(), move || {
        let (near, far) = duplex(64 * 1024);
        let answer = if is_down.load(Ordering::SeqCst) {
            Err(io::Error::from(io::ErrorKind::ConnectionRefused))
        } else {
            tell.send(far).unwrap();
            Ok(near)
        };
        std::future::ready(answer)
    });
    let events = client.subscribe();
    tokio::spawn(connection);
    (client, events, Network { ends, down, stop })
}

pub async fn up() -> (Client, Subscription<Event>, Network, Fs) {
    let (client, events, mut network) = start();
    let mut fs = network.fs().await;
    fs.let_in().await;
    is_up(&client).await;
    (client, events, network, fs)
}

/// The next event; `None` if there is none within a second.
pub async fn next(events: &mut Subscription<Event>) -> Option<Arc<Event>> {
    loop {
        match timeout(Duration::from_secs(1), events.next()).await.ok()?? {
            Heard::Event(event) => return Some(event),
            Heard::Missed => {}
        }
    }
}

pub async fn is_up(client: &Client) {
    let mut state = client.state();
    timeout(Duration::from_secs(60), state.wait_for(|s| matches!(s, State::Up(_)))).await.unwrap().unwrap();
}

/// Why it is down; waits until it is.
pub async fn why_down(client: &Client) -> String {
    let mut state = client.state();
    let state = timeout(Duration::from_secs(60), state.wait_for(|s| !matches!(s, State::Up(_)))).await;
    match &*state.unwrap().unwrap() {
        State::Down(why) | State::Refused(why) => why.clone(),
        State::Up(_) => unreachable!(),
    }
}
