//! CPU time of the server's thread for a one-touch login over FastAGI, from the accepted connection to the result. Store and
//! switch are in memory, and the PIN hash costs next to nothing. In the same run, the floor: a bare server that exchanges the
//! same lines. Apart from that, PIN hashes a second.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, missing_docs, unreachable_pub)]

mod memory;

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use hotdesk::asterisk::agi::server::{self, Server};
use hotdesk::model::id::{Extension, SwitchName, TenantId};
use hotdesk::model::login::pin::{Pin, PinRecord};
use hotdesk::model::login::token::Token;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use memory::{controller, pepper};

/// Calls of a round, and rounds.
const WHOLE: (usize, usize) = (20_000, 5);
/// The same with `--short`, and as a test: that each login succeeds.
const SHORT: (usize, usize) = (200, 1);
/// A call's last command.
const LOGGED_IN: &str = "SET VARIABLE \"HD_RESULT\" \"logged-in\"\n";

/// What Asterisk sends first. Each call is at another desk, of another user.
fn environment(n: usize) -> String {
    format!(
        "agi_network: yes\nagi_network_script: hotdesk\nagi_request: agi://127.0.0.1:4573/hotdesk\n\
         agi_channel: PJSIP/desk{n}-0000002a\nagi_language: en\nagi_type: PJSIP\nagi_uniqueid: 1795283486.{n}\n\
         agi_version: 22.10.1\nagi_callerid: desk{n}\nagi_calleridname: unknown\nagi_callingpres: 0\nagi_callingani2: 0\n\
         agi_callington: 0\nagi_callingtns: 0\nagi_dnid: *35\nagi_rdnis: unknown\nagi_context: hotdesk-code\n\
         agi_extension: *35\nagi_priority: 10\nagi_enhanced: 0.0\nagi_accountcode: \nagi_threadid: 140291483506368\n\
         agi_arg_1: desk{n}\nagi_arg_2: 127.0.0.1:5060\n\n"
    )
}

/// Makes a call like Asterisk; returns how many commands came.
fn call(agi: SocketAddr, n: usize) -> usize {
    let stream = TcpStream::connect(agi).unwrap();
    stream.set_nodelay(true).unwrap();
    let mut out = stream.try_clone().unwrap();
    out.write_all(environment(n).as_bytes()).unwrap();
    let (mut commands, mut line, mut input) = (0, String::new(), BufReader::new(stream));
    let mut last = String::new();
    let token = Token::of(&pepper());
    while input.read_line(&mut line).unwrap() > 0 {
        commands += 1;
        let reply = match line.as_str() {
            dialled if dialled.starts_with("GET FULL") => {
                format!("200 result=1 (Custom:{}|*35*{}*729154)\n", token.reveal(), 10_000 + n)
            }
            sound if sound.starts_with("STREAM") => "200 result=0 endpos=8000\n".into(),
            _ => "200 result=1\n".into(),
        };
        out.write_all(reply.as_bytes()).unwrap();
        last = std::mem::take(&mut line);
    }
    assert_eq!(last, LOGGED_IN, "the login of call {n} failed");
    commands
}

/// Where a server listens, and how much CPU time its thread took until then.
type Ready = mpsc::Sender<(SocketAddr, f64)>;

/// Runs `serve` on a thread of its own; CPU seconds of that thread for so many calls, four at a time, and the commands of a
/// call.
fn measure<F>(
    calls: usize,
    serve: impl FnOnce(Ready, CancellationToken) -> F + Send + 'static,
) -> (f64, usize)
where
    F: Future<Output = ()>,
{
    let (ready, listening) = mpsc::channel();
    let (cpu, cpus) = mpsc::channel();
    let stop = CancellationToken::new();
    let stopped = stop.clone();
    let server = thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(serve(ready, stopped));
        cpu.send(cpu_seconds()).unwrap();
    });
    let (agi, begun) = listening.recv().unwrap();
    let callers: Vec<_> = (0..4)
        .map(|part| thread::spawn(move || (part..calls).step_by(4).map(|n| call(agi, n)).max().unwrap()))
        .collect();
    let commands = callers.into_iter().map(|caller| caller.join().unwrap()).max().unwrap();
    stop.cancel();
    server.join().unwrap();
    (cpus.recv().unwrap() - begun, commands)
}

async fn hotdesk(calls: usize, ready: Ready, stop: CancellationToken) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (controller, tables) = controller(calls).await;
    let allow = watch::channel(Arc::new(vec!["127.0.0.0/8".parse().unwrap()])).1;
    ready.send((listener.local_addr().unwrap(), cpu_seconds())).unwrap();
    let server = Server {
        switch: SwitchName::default(),
        tenants: vec![TenantId::default()],
        allow,
        controller,
        calls: server::CALLS,
    };
    server.run(listener, stop.into()).await;
    tables.cancel();
}

/// The same lines both ways, and nothing else.
async fn bare(ready: Ready, stop: CancellationToken) {
    const LINES: [&str; 7] = [
        "SET VARIABLE \"TIMEOUT(absolute)\" \"180\"\n",
        "GET FULL VARIABLE \"${HINT(token@hotdesk-token)}|${HD_DIALLED}\"\n",
        "ANSWER\n",
        "STREAM FILE \"hotdesk/logged-in\" \"\"\n",
        "SAY DIGITS \"10101\" \"\"\n",
        "SET VARIABLE \"HD_DIALLED\" \"\"\n",
        LOGGED_IN,
    ];
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    ready.send((listener.local_addr().unwrap(), cpu_seconds())).unwrap();
    while let Some(Ok((stream, _))) = stop.run_until_cancelled(listener.accept()).await {
        tokio::spawn(async move {
            stream.set_nodelay(true).unwrap();
            let (input, mut out) = stream.into_split();
            let mut lines = tokio::io::BufReader::new(input).lines();
            while lines.next_line().await.unwrap().is_some_and(|line| !line.is_empty()) {}
            for command in LINES {
                out.write_all(command.as_bytes()).await.unwrap();
                lines.next_line().await.unwrap();
            }
        });
    }
}

/// CPU time of this thread.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    stat.split(' ').next().unwrap().parse::<f64>().unwrap() / 1e9
}

/// Hashes a second of this many threads at once.
fn hashes(threads: usize, span: Duration) -> f64 {
    let count: usize = thread::scope(|scope| {
        let hashing: Vec<_> = (0..threads)
            .map(|_| {
                scope.spawn(|| {
                    let (tenant, user) = (TenantId::default(), Extension::new("101").unwrap());
                    let (began, mut count) = (Instant::now(), 0);
                    while began.elapsed() < span {
                        std::hint::black_box(PinRecord::make(
                            &Pin::new("729154").unwrap(),
                            &pepper(),
                            &tenant,
                            &user,
                            [9; 16],
                        ));
                        count += 1;
                    }
                    count
                })
            })
            .collect();
        hashing.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    count as f64 / span.as_secs_f64()
}

fn main() {
    let is = |what: &str| std::env::args().any(|arg| arg == what);
    let short = is("--short") || !is("--bench");
    let (calls, rounds) = if short { SHORT } else { WHOLE };
    println!("one-touch login over FastAGI, {calls} calls, {rounds} rounds in turn");
    let mut ratios = vec![];
    for _ in 0..rounds {
        let ((floor, expected), (took, exchanged)) =
            (measure(calls, bare), measure(calls, move |ready, stop| hotdesk(calls, ready, stop)));
        assert_eq!(exchanged, expected, "both exchange the same number of lines");
        let each = |seconds: f64| seconds * 1e6 / calls as f64;
        println!(
            "  hotdesk {:6.1} us   bare server {:6.1} us   ratio {:.2}",
            each(took),
            each(floor),
            took / floor
        );
        ratios.push(took / floor);
    }
    ratios.sort_by(f64::total_cmp);
    println!("  median ratio {:.2}", ratios[rounds / 2]);
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let span = Duration::from_millis(if short { 100 } else { 2000 });
    let (one, all) = (hashes(1, span), hashes(cores, span));
    println!("PIN hashes: {one:.0}/s on one core, {all:.0}/s on {cores}");
}
