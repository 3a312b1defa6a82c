//! The server on a real socket: allowed addresses, the limit of calls, and how it stops.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hotdesk::asterisk::agi::caller::question;
use hotdesk::asterisk::agi::server::Server;
use hotdesk::controller::Controller;
use hotdesk::controller::clock::Clock;
use hotdesk::controller::pins::Pins;
use hotdesk::model::codes::Codes;
use hotdesk::model::id::TenantId;
use hotdesk::model::login::pin::Pepper;
use hotdesk::model::login::token::proof;
use hotdesk::store;
use hotdesk::switch::listener::Closing;
use ipnet::IpNet;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::{Asterisk, ENVIRONMENT, well};
use crate::harness::records::{pepper, switch};

struct Running {
    at: SocketAddr,
    allow: watch::Sender<Arc<Vec<IpNet>>>,
    closing: Closing,
    server: JoinHandle<()>,
    _dir: tempfile::TempDir,
}

/// A server that lets 127.0.0.1 in.
async fn start(calls: usize) -> Running {
    let dir = tempfile::tempdir().unwrap();
    let controller = Controller {
        store: store::open("sqlite:hotdesk.db", dir.path()).await.unwrap(),
        pins: Pins::new(pepper()),
        codes: watch::channel(Arc::new(Codes::default().into())).1,
        rules: watch::channel(Arc::default()).1,
        switches: BTreeMap::new(),
        clock: Clock::machine(),
    };
    let (allow, allowed) = watch::channel(Arc::new(vec!["127.0.0.1/32".parse().unwrap()]));
    let server = Server {
        switch: switch("pbx"),
        tenants: vec![TenantId::default()],
        allow: allowed,
        controller: Arc::new(controller),
        calls,
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (at, closing) = (listener.local_addr().unwrap(), Closing::default());
    let server = tokio::spawn(server.run(listener, closing.clone()));
    Running { at, allow, closing, server, _dir: dir }
}

impl Running {
    /// A call from this address, as far as its first command; `None` when it is turned away.
    async fn call(&self, from: &str) -> Option<Asterisk<TcpStream>> {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(SocketAddr::new(from.parse().unwrap(), 0)).unwrap();
        let mut call = Asterisk::new(socket.connect(self.at).await.ok()?);
        call.say(ENVIRONMENT).await;
        let first =
            timeout(Duration::from_secs(10), call.command()).await.expect("neither taken nor turned away")?;
        assert!(first.contains("TIMEOUT(absolute)"), "{first}");
        call.say(&well(&first)).await.then_some(call)
    }
}

/// Plays a call of an unknown device to its end. Returns the last command.
async fn finish(mut call: Asterisk<TcpStream>) -> String {
    let mut last = String::new();
    while let Some(command) = timeout(Duration::from_secs(10), call.command()).await.expect("the call hangs")
    {
        call.say(&well(&command)).await;
        last = command;
    }
    last
}

const REFUSED: &str = "SET VARIABLE \"HD_RESULT\" \"refused\"";

#[tokio::test]
async fn only_allowed_addresses_are_let_in_and_a_reload_changes_them() {
    let running = start(8).await;
    assert_eq!(finish(running.call("127.0.0.1").await.unwrap()).await, REFUSED);
    assert!(running.call("127.0.0.2").await.is_none());
    running.allow.send_replace(Arc::new(vec!["127.0.0.2/31".parse().unwrap()]));
    assert_eq!(finish(running.call("127.0.0.2").await.unwrap()).await, REFUSED);
    assert!(running.call("127.0.0.1").await.is_none());
}

#[tokio::test]
async fn one_call_too_many_is_turned_away_until_another_has_ended() {
    let running = start(2).await;
    let (first, second) =
        (running.call("127.0.0.1").await.unwrap(), running.call("127.0.0.1").await.unwrap());
    assert!(running.call("127.0.0.1").await.is_none());
    assert_eq!(finish(first).await, REFUSED);
    let third = timeout(Duration::from_secs(10), async {
        loop {
            if let Some(call) = running.call("127.0.0.1").await {
                return call;
            }
        }
    });
    assert_eq!(finish(third.await.expect("the first call's place stays taken")).await, REFUSED);
    assert_eq!(finish(second).await, REFUSED);
}

#[tokio::test]
async fn at_a_stop_a_call_goes_on_to_its_end_and_no_new_one_is_taken() {
    let running = start(8).await;
    let call = running.call("127.0.0.1").await.unwrap();
    running.closing.begun.cancel();
    while running.call("127.0.0.1").await.is_some() {}
    assert!(!running.server.is_finished(), "it waits for the call");
    assert_eq!(finish(call).await, REFUSED);
    timeout(Duration::from_secs(10), running.server).await.expect("it does not end").unwrap();
}

#[tokio::test]
async fn at_a_cut_calls_under_way_are_hung_up_on_and_nothing_is_waited_for() {
    let running = start(8).await;
    let mut call = running.call("127.0.0.1").await.unwrap();
    running.closing.begun.cancel();
    running.closing.cut.cancel();
    timeout(Duration::from_secs(1), running.server).await.expect("it waits").unwrap();
    let left = timeout(Duration::from_secs(1), async { while call.command().await.is_some() {} });
    left.await.expect("the connection stays open");
}

#[tokio::test]
async fn only_hotdesk_itself_answers_the_question_of_the_check() {
    let running = start(8).await;
    for (own, what) in [(pepper(), true), (Pepper::new([43; 64]), false)] {
        let mut asked = Asterisk::new(TcpStream::connect(running.at).await.unwrap());
        asked.say(&question("1f0e")).await;
        let answer = timeout(Duration::from_secs(10), asked.command()).await.unwrap().unwrap();
        assert_eq!(answer == format!("NOOP \"{}\"", proof(&own, "1f0e")), what, "{answer}");
        assert!(timeout(Duration::from_secs(10), asked.command()).await.unwrap().is_none());
    }
}
