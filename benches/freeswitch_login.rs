//! CPU time of the server's thread for a one-touch login on FreeSWITCH, from the parked call to the hang-up. Store and switch
//! are in memory, the PIN hash costs next to nothing, and a scripted peer sends recorded events. In the same run, the floor: a
//! bare client that exchanges the same bytes.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, missing_docs, unreachable_pub)]

mod memory;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use hotdesk::freeswitch::calls::parked::{self, Calls};
use hotdesk::freeswitch::calls::taker::Taker;
use hotdesk::freeswitch::esl::client::{Client, Settings};
use hotdesk::model::id::{SwitchName, TenantId};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_util::sync::CancellationToken;
use zeroize::Zeroizing;

use memory::controller;

/// Calls of a round, and rounds.
const WHOLE: (usize, usize) = (5_000, 5);
/// The same with `--short`, and as a test: that each login succeeds.
const SHORT: (usize, usize) = (100, 1);
/// How long the controller may say nothing; shorter than the silence after which it asks whether we are there.
const PATIENCE: Duration = Duration::from_secs(5);
/// The first one's number; all are of the same length, so that each call is of the same bytes.
const FIRST: usize = 1000;

/// What the controller said in one go, and how many bytes it was answered with.
type Step = (Vec<u8>, usize);

/// FreeSWITCH, as far as a login needs it.
struct Peer {
    stream: TcpStream,
    input: Vec<u8>,
    /// A recorded call's headers, but those that differ from call to call.
    headers: String,
}

impl Peer {
    fn new(stream: TcpStream) -> Self {
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/freeswitch/g4_misc.recv.raw");
        let recorded = std::fs::read_to_string(path).unwrap();
        let events = recorded.split("Content-Type: text/event-plain\n\n");
        let parked = events.into_iter().find(|event| event.starts_with("Event-Name: CHANNEL_PARK")).unwrap();
        let changed =
            ["Event-Name", "Unique-ID", "Caller-Context", "variable_sip_auth_username", "Answer-State"];
        let headers = parked.lines().take_while(|line| !line.is_empty());
        let headers = headers.filter(|line| !changed.contains(&line.split(':').next().unwrap()));
        let headers = headers.map(|line| format!("{line}\n")).collect();
        Self { stream, input: vec![], headers }
    }

    /// The next commands, as they came in one read.
    fn commands(&mut self) -> Vec<String> {
        let mut chunk = [0; 16 * 1024];
        while !self.input.ends_with(b"\n\n") {
            let read = self.stream.read(&mut chunk).expect("the controller says nothing");
            assert!(read > 0, "the controller is gone");
            self.input.extend_from_slice(&chunk[..read]);
        }
        let text = String::from_utf8(std::mem::take(&mut self.input)).unwrap();
        text.split_terminator("\n\n").map(str::to_owned).collect()
    }

    fn event(&self, name: &str, call: usize, more: &str) -> String {
        let event = format!(
            "Event-Name: {name}\nUnique-ID: call-{call}\nCaller-Context: hotdesk@code\nAnswer-State: answered\n\
             variable_sip_auth_username: desk{call}\nvariable_hd_dialled: *35*{}*729154\n\
             variable_last_sched_id: {call}\n{more}{}\n",
            10_000 + call,
            self.headers
        );
        format!("Content-Length: {}\nContent-Type: text/event-plain\n\n{event}", event.len())
    }

    /// What FreeSWITCH says to a command of this call.
    fn answer(&self, command: &str, call: usize) -> String {
        let api =
            |text: &str| format!("Content-Type: api/response\nContent-Length: {}\n\n{text}", text.len());
        let ok = "Content-Type: command/reply\nReply-Text: +OK\n\n";
        let word = command.split([' ', '\n']).nth(1).unwrap_or_default();
        match (command.split(' ').next().unwrap(), word) {
            ("api", "sched_del") => api("+OK Deleted: 1"),
            ("api", "expand") => api("true"),
            ("api", "version") => api("FreeSWITCH Version 1.10.12"),
            ("api", "global_getvar") => api("5c6af189-7488-4835-84f4-a1cadc398c5e"),
            ("api", "show") => api("{\"row_count\":0}"),
            ("api", _) => api("+OK\n"),
            ("sendmsg", _) if command.contains("Event-UUID: ") => {
                let id = command.split("Event-UUID: ").nth(1).unwrap().trim();
                let done = format!("Application-UUID: {id}\nvariable_hd_controller: bench\n");
                ok.to_owned() + &self.event("CHANNEL_EXECUTE_COMPLETE", call, &done)
            }
            _ => ok.to_owned(),
        }
    }

    /// Lets a controller log in, until it has asked for its last event.
    fn let_in(&mut self) {
        self.stream.write_all(b"Content-Type: auth/request\n\n").unwrap();
        let mut looked = false;
        while !looked {
            for command in self.commands() {
                looked |= command.starts_with("api show");
                let answer = self.answer(&command, 0);
                self.stream.write_all(answer.as_bytes()).unwrap();
            }
        }
    }

    /// A call, from its parking to its end; what was said in it.
    fn call(&mut self, call: usize) -> Vec<Step> {
        let parked = self.event("CHANNEL_PARK", call, "");
        self.stream.write_all(parked.as_bytes()).unwrap();
        let mut steps = vec![(vec![], parked.len())];
        let mut logged_in = false;
        loop {
            let commands = self.commands();
            let mut answers = String::new();
            for command in &commands {
                logged_in |= command.ends_with(" hd_result logged-in");
                answers.push_str(&self.answer(command, call));
            }
            self.stream.write_all(answers.as_bytes()).unwrap();
            steps.push((
                commands.iter().flat_map(|c| format!("{c}\n\n").into_bytes()).collect(),
                answers.len(),
            ));
            if commands.iter().any(|command| command.contains("call-command: hangup")) {
                assert!(logged_in, "the login of call {call} failed: {commands:?}");
                return steps;
            }
        }
    }
}

/// Runs `serve` on a thread of its own; CPU seconds of that thread for so many calls, one after the other, and the last one.
fn measure<F: Future<Output = ()>>(
    calls: usize,
    let_in: bool,
    serve: impl FnOnce(SocketAddr, CancellationToken) -> F + Send + 'static,
) -> (f64, Vec<Step>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (tell, told) = mpsc::channel();
    let stop = CancellationToken::new();
    let stopped = stop.clone();
    let server = thread::spawn(move || {
        tell.send(Path::new("/proc").join(std::fs::read_link("/proc/thread-self").unwrap())).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(serve(address, stopped));
    });
    let thread: PathBuf = told.recv().unwrap();
    let mut peer = Peer::new(listener.accept().unwrap().0);
    if let_in {
        peer.let_in();
    }
    let begun = cpu_seconds(&thread);
    let steps: Vec<Step> = (FIRST..FIRST + calls).map(|n| peer.call(n)).last().unwrap();
    let took = cpu_seconds(&thread) - begun;
    stop.cancel();
    drop(peer);
    server.join().unwrap();
    (took, steps)
}

async fn hotdesk(calls: usize, address: SocketAddr, stop: CancellationToken) {
    let (controller, tables) = controller(FIRST + calls).await;
    let switch = SwitchName::default();
    let settings = Settings {
        name: switch.clone(),
        address: address.to_string(),
        user: None,
        password: Zeroizing::new("secret".into()),
        deadline: Duration::from_secs(5),
        events: [&parked::PARKED[..], &parked::EVENTS].concat(),
        filters: parked::filters(),
    };
    let (client, connection) = Client::new(settings, stop.clone());
    let events = client.subscribe();
    tokio::spawn(connection);
    let (tenants, name) = (vec![TenantId::default()], "bench".into());
    let taker = Taker { switch, tenants, controller, name };
    let calls = Calls { taker, waiting: client.clone(), client, calls: parked::CALLS };
    calls.run(events, stop.into()).await;
    tables.cancel();
}

/// The same bytes both ways, and nothing else.
async fn bare(address: SocketAddr, steps: Vec<Step>) {
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let mut input = vec![];
    for (said, answered) in steps.iter().cycle() {
        stream.write_all(said).await.unwrap();
        input.resize(*answered, 0);
        if stream.read_exact(&mut input).await.is_err() {
            return;
        }
    }
}

/// CPU time of a thread.
fn cpu_seconds(thread: &Path) -> f64 {
    let stat = std::fs::read_to_string(thread.join("schedstat")).unwrap();
    stat.split(' ').next().unwrap().parse::<f64>().unwrap() / 1e9
}

fn main() {
    let is = |what: &str| std::env::args().any(|arg| arg == what);
    let (calls, rounds) = if is("--short") || !is("--bench") { SHORT } else { WHOLE };
    println!("one-touch login on FreeSWITCH, {calls} calls, {rounds} rounds in turn");
    let mut ratios = vec![];
    for _ in 0..rounds {
        let (took, steps) = measure(calls, true, move |address, stop| hotdesk(calls, address, stop));
        let said: usize = steps.iter().map(|(said, _)| said.len()).sum();
        let times = steps.len() - 1;
        let (floor, _) = measure(calls, false, |address, _| bare(address, steps));
        let each = |seconds: f64| seconds * 1e6 / calls as f64;
        println!(
            "  hotdesk {:6.1} us   bare client {:6.1} us   ratio {:.2}   ({said} bytes in {times} writes)",
            each(took),
            each(floor),
            took / floor
        );
        ratios.push(took / floor);
    }
    ratios.sort_by(f64::total_cmp);
    println!("  median ratio {:.2}", ratios[rounds / 2]);
}
