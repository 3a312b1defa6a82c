//! Whatever connects to a listener: it has a deadline and a bound, and calls go on.

use std::fs;
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::harness::hotdesk::Hotdesk;

const PATIENCE: Duration = Duration::from_secs(20);
/// How long a connection to the metrics may last, and some more on a busy machine.
const LIFE: Duration = Duration::from_secs(30 + 15);
/// A call of an unknown device.
const CALL: &[u8] =
    b"agi_network_script: hotdesk\nagi_uniqueid: 1795283486.1\nagi_threadid: 1\nagi_arg_1: desk1\n\n";

/// A hotdesk that may have so many descriptors, and where it takes calls and serves metrics.
fn serve(descriptors: u32) -> (Hotdesk, SocketAddr, SocketAddr) {
    let local = |port: u16| SocketAddr::from(([127, 0, 0, 1], port));
    let limited = format!("ulimit -n {descriptors}; exec \"$0\" \"$@\"");
    let program = ["/bin/sh", "-c", &limited, env!("CARGO_BIN_EXE_hotdesk")].map(PathBuf::from);
    let mut hotdesk = Hotdesk::new(&program, "sqlite:hotdesk.db", local(1), local(0)).unwrap();
    let file = hotdesk.path("hotdesk.toml");
    let config = fs::read_to_string(&file).unwrap();
    let config = config.replace("ami_user", "agi_advertise = \"127.0.0.1:4573\"\nami_user");
    fs::write(&file, config + "[metrics]\nlisten = \"127.0.0.1:0\"\n").unwrap();
    hotdesk.spawn().unwrap();
    hotdesk.wait_for_log(0, "event=\"serve.started\"").unwrap();
    hotdesk.wait_for_log(0, "event=\"agi.listening\"").unwrap();
    let log = hotdesk.log();
    let address = |event: &str| {
        let line = log.lines().find(|line| line.contains(event)).unwrap();
        line.split("address=").nth(1).unwrap().split(' ').next().unwrap().parse().unwrap()
    };
    let (calls, metrics) = (address("agi.listening"), address("metrics.listening"));
    (hotdesk, calls, metrics)
}

fn connect(to: SocketAddr, sends: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(to).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    // One that was refused may be closed already.
    let _ = stream.write_all(sends);
    stream
}

/// Whether a call is taken.
fn call(calls: SocketAddr) -> bool {
    let mut first = [0; 64];
    matches!(connect(calls, CALL).read(&mut first), Ok(read) if first[..read].starts_with(b"SET VARIABLE"))
}

fn can_be_read(metrics: SocketAddr) -> bool {
    let mut answer = String::new();
    let request = b"GET /metrics HTTP/1.1\r\nHost: hotdesk\r\nConnection: close\r\n\r\n";
    connect(metrics, request).read_to_string(&mut answer).is_ok() && answer.starts_with("HTTP/1.1 200")
}

/// How long until the other end closed the connection, while it reads nothing, or all, and sends `drip` now and then.
fn closed_after(mut stream: TcpStream, reads: bool, drip: &[u8]) -> Duration {
    let since = Instant::now();
    stream.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
    let mut some = [0; 65_536];
    while since.elapsed() < LIFE {
        let sent = stream.write_all(drip);
        let read = if reads { stream.read(&mut some) } else { stream.peek(&mut some[..1]) };
        match read {
            Ok(0) => return since.elapsed(),
            Ok(_) if !reads => std::thread::sleep(Duration::from_millis(100)),
            Ok(_) => {}
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            Err(_) => return since.elapsed(),
        }
        if sent.is_err_and(|error| !matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)) {
            return since.elapsed();
        }
    }
    panic!("still open after {:?}", since.elapsed());
}

#[test]
fn who_reads_metrics_cannot_keep_calls_away() {
    let (hotdesk, calls, metrics) = serve(256);
    for sends in [&b""[..], b"GET /m", b"GET /metrics HTTP/1.1\r\nHost: h\r\n"] {
        let begun = Instant::now();
        let held: Vec<TcpStream> = (0..300).map(|_| connect(metrics, sends)).collect();
        assert!(call(calls), "{sends:?}");
        for stream in held {
            closed_after(stream, true, b"");
        }
        assert!(begun.elapsed() < PATIENCE, "{sends:?}: all are closed after {:?}", begun.elapsed());
        assert!(can_be_read(metrics) && call(calls), "{sends:?}");
    }
    let full = hotdesk.log().lines().filter(|line| line.contains("listener.full")).count();
    assert!((1..60).contains(&full), "{full} lines in {}", hotdesk.log());
}

#[test]
fn each_step_of_a_request_has_a_deadline() {
    let (_hotdesk, calls, metrics) = serve(256);
    let whole = b"GET /metrics HTTP/1.1\r\nHost: h\r\n\r\n";
    let short = Duration::from_secs(5 + 10);
    let (many, long) = (whole.repeat(200_000), [b'x'; 100_000]);
    std::thread::scope(|scope| {
        for (what, sends, reads, drip, within) in [
            ("nothing", &b""[..], true, &b""[..], short),
            ("half a head", b"GET /metrics HTTP/1.1\r\nHost: h\r\n", true, b"", short),
            ("a head by drops", b"GET /metrics HTTP/1.1\r\nx: ", true, b"y", short),
            ("idle after an answer", whole, true, b"", short),
            ("requests without end", whole, true, whole, LIFE),
            ("answers that are not read", &many, false, b"x", LIFE),
            ("a head without end", &long, true, b"x", short),
        ] {
            scope.spawn(move || {
                let mut stream = connect(metrics, b"");
                stream.set_write_timeout(Some(Duration::from_millis(500))).unwrap();
                let _ = stream.write_all(sends);
                let after = closed_after(stream, reads, drip);
                assert!(after < within, "{what}: closed after {after:?}");
            });
        }
    });
    // A FastAGI connection that is no call.
    for sends in [&b""[..], b"agi_network: yes\n", CALL] {
        let after = closed_after(connect(calls, sends), true, b"");
        assert!(after < short, "{sends:?}: closed after {after:?}");
    }
    assert!(can_be_read(metrics) && call(calls));
}

#[test]
fn without_a_free_descriptor_a_listener_waits_and_takes_calls_again() {
    let (hotdesk, calls, metrics) = serve(64);
    assert!(hotdesk.log().contains("serve.few_descriptors"), "{}", hotdesk.log());
    let begun = Instant::now();
    let mut held: Vec<TcpStream> = vec![];
    while !hotdesk.log().contains("listener.accept_failed") {
        assert!(begun.elapsed() < PATIENCE, "{}", hotdesk.log());
        held.extend([calls, metrics].map(|to| connect(to, b"")));
    }
    drop(held);
    let again = Instant::now();
    while !(call(calls) && can_be_read(metrics)) {
        assert!(again.elapsed() < PATIENCE, "{}", hotdesk.log());
    }
    let failed = hotdesk.log().lines().filter(|line| line.contains("listener.accept_failed")).count() as u64;
    let most = 2 * (begun.elapsed().as_secs() + 1);
    assert!(failed <= most, "{failed} lines in {:?}", begun.elapsed());
}
