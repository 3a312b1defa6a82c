//! What a one-touch login over FastAGI costs, in CPU time of the server's thread: the whole way from the accepted connection
//! to the result, on a store and a switch in memory, with a PIN hash of next to no cost. Beside it, in the same run, the floor: a
//! bare server that has the same lines exchanged and thinks nothing. And PIN hashes a second, apart.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, missing_docs, unreachable_pub)]

mod memory;

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use hotdesk::asterisk::fastagi::{self, Server};
use hotdesk::desk::id::{Extension, SwitchName, TenantId};
use hotdesk::desk::pin::{Pin, PinRecord};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use memory::{controller, pepper};

const CALLS: usize = 20_000;
const ROUNDS: usize = 5;

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

/// One call, as Asterisk makes it; the commands it was told.
fn call(agi: SocketAddr, n: usize) -> usize {
    let stream = TcpStream::connect(agi).unwrap();
    stream.set_nodelay(true).unwrap();
    let mut out = stream.try_clone().unwrap();
    out.write_all(environment(n).as_bytes()).unwrap();
    let (mut commands, mut line, mut input) = (0, String::new(), BufReader::new(stream));
    while input.read_line(&mut line).unwrap() > 0 {
        commands += 1;
        let reply = match line.as_str() {
            dialled if dialled.starts_with("GET FULL") => {
                format!("200 result=1 (*35*{}*729154)\n", 10_000 + n)
            }
            sound if sound.starts_with("STREAM") => "200 result=0 endpos=8000\n".into(),
            _ => "200 result=1\n".into(),
        };
        assert!(!line.contains("refused") && !line.contains("not-available"), "{line}");
        out.write_all(reply.as_bytes()).unwrap();
        line.clear();
    }
    commands
}

/// Runs `serve` on a thread of its own; CPU seconds of that thread for [`CALLS`] calls, four at a time, and the commands of
/// a call.
fn measure<F>(
    serve: impl FnOnce(mpsc::Sender<SocketAddr>, CancellationToken) -> F + Send + 'static,
) -> (f64, usize)
where
    F: Future<Output = ()>,
{
    let (address, addresses) = mpsc::channel();
    let (cpu, cpus) = mpsc::channel();
    let stop = CancellationToken::new();
    let stopped = stop.clone();
    let server = thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let begun = cpu_seconds();
        runtime.block_on(serve(address, stopped));
        cpu.send(cpu_seconds() - begun).unwrap();
    });
    let agi = addresses.recv().unwrap();
    let callers: Vec<_> = (0..4)
        .map(|part| thread::spawn(move || (part..CALLS).step_by(4).map(|n| call(agi, n)).max().unwrap()))
        .collect();
    let commands = callers.into_iter().map(|caller| caller.join().unwrap()).max().unwrap();
    stop.cancel();
    server.join().unwrap();
    (cpus.recv().unwrap(), commands)
}

async fn hotdesk(address: mpsc::Sender<SocketAddr>, stop: CancellationToken) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (controller, tables) = controller(CALLS);
    let allow = watch::channel(Arc::new(vec!["127.0.0.0/8".parse().unwrap()])).1;
    address.send(listener.local_addr().unwrap()).unwrap();
    let server = Server {
        switch: SwitchName::default(),
        tenants: vec![TenantId::default()],
        allow,
        controller,
        calls: fastagi::CALLS,
    };
    server.run(listener, stop.into()).await;
    tables.cancel();
}

/// The same lines both ways, and nothing else.
async fn bare(address: mpsc::Sender<SocketAddr>, stop: CancellationToken) {
    const TOLD: [&str; 7] = [
        "SET VARIABLE \"TIMEOUT(absolute)\" \"180\"\n",
        "GET FULL VARIABLE \"${HD_DIALLED}\"\n",
        "ANSWER\n",
        "STREAM FILE \"hotdesk/logged-in\" \"\"\n",
        "SAY DIGITS \"10101\" \"\"\n",
        "SET VARIABLE \"HD_DIALLED\" \"\"\n",
        "SET VARIABLE \"HD_RESULT\" \"logged-in\"\n",
    ];
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    address.send(listener.local_addr().unwrap()).unwrap();
    while let Some(Ok((stream, _))) = stop.run_until_cancelled(listener.accept()).await {
        tokio::spawn(async move {
            stream.set_nodelay(true).unwrap();
            let (input, mut out) = stream.into_split();
            let mut lines = tokio::io::BufReader::new(input).lines();
            while lines.next_line().await.unwrap().is_some_and(|line| !line.is_empty()) {}
            for command in TOLD {
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
fn hashes(threads: usize) -> f64 {
    let span = Duration::from_secs(2);
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
    // As a test: that it runs.
    if !std::env::args().any(|arg| arg == "--bench") {
        return;
    }
    println!("one-touch login over FastAGI, {CALLS} calls, {ROUNDS} rounds in turn");
    let mut ratios = vec![];
    for _ in 0..ROUNDS {
        let ((floor, expected), (ours, told)) = (measure(bare), measure(hotdesk));
        assert_eq!(told, expected, "both exchange the same number of lines");
        let each = |seconds: f64| seconds * 1e6 / CALLS as f64;
        println!(
            "  hotdesk {:6.1} us   bare server {:6.1} us   ratio {:.2}",
            each(ours),
            each(floor),
            ours / floor
        );
        ratios.push(ours / floor);
    }
    ratios.sort_by(f64::total_cmp);
    println!("  median ratio {:.2}", ratios[ROUNDS / 2]);
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let (one, all) = (hashes(1), hashes(cores));
    println!("PIN hashes: {one:.0}/s on one core, {all:.0}/s on {cores}");
}
