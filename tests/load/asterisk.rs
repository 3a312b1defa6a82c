//! Many calls at once: none is lost, memory stays bounded.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use super::{alone, program, resident};
use crate::harness::company::Company;
use crate::harness::debian::Version;

const CALLS: usize = 500;
/// Logins with right PINs at once. A debug build needs the cores for more than hashes.
const LOGINS: usize = if cfg!(debug_assertions) { 200 } else { 400 };

#[test]
fn five_hundred_calls_at_once_are_all_served_in_bounded_memory() {
    let _alone = alone();
    let company = Company::open(&program(), Version::Current, "sqlite:hotdesk.db").unwrap();
    let pid = company.hotdesk.pid().unwrap();
    let before = resident(pid);
    let (agi, token) = (company.agi(), company.hotdesk.token());
    let (start, token) = (Barrier::new(CALLS), token.as_str());
    let mut took: Vec<Duration> = thread::scope(|scope| {
        let calls: Vec<_> = (0..CALLS)
            .map(|n| {
                let start = &start;
                let call = move || {
                    start.wait();
                    let began = Instant::now();
                    // Dials a code that logs no user in, so that what is measured is the conversation and not the PIN's
                    // hash: an unknown extension, and digits that are no PIN.
                    let mut asked = 0;
                    let keys = || {
                        asked += 1;
                        if asked % 2 == 1 { "999" } else { "1" }
                    };
                    let ended = converse(agi, "desk1", n, (token, "*35"), keys);
                    assert!(ended.contains("refused"), "{ended}");
                    assert_eq!(asked, 6, "three tries of two questions each");
                    began.elapsed()
                };
                thread::Builder::new().stack_size(128 * 1024).spawn_scoped(scope, call).unwrap()
            })
            .collect();
        calls.into_iter().map(|call| call.join().unwrap()).collect()
    });
    let after = resident(pid);
    took.sort();
    let (median, p99) = (took[CALLS / 2], took[CALLS * 99 / 100]);
    eprintln!(
        "{CALLS} calls at once: median {median:?}, p99 {p99:?}; resident {before} KiB, then {after} KiB"
    );
    let a_call = after.saturating_sub(before) / CALLS as u64;
    assert!(a_call <= 64, "a call took {a_call} KiB");
}

/// More logins at once than PINs can be compared in a few seconds, then others one after the other: no user is locked out, and
/// no hash keeps its memory.
#[test]
fn hundreds_of_right_pins_at_once_all_log_in_and_leave_no_memory_behind() {
    let _alone = alone();
    let more = "[dialplan]\nusers = [\"XXX\"]\n";
    let company = Company::open_with(&program(), Version::Current, "sqlite:hotdesk.db", more).unwrap();
    let (hotdesk, agi, token) = (&company.hotdesk, company.agi(), company.hotdesk.token());
    let pin = |n: usize| format!("{:06}", 100_000 + (n * 7919 + 271_828) % 900_000);
    let users = (0..LOGINS).map(|n| format!("{},,from-internal,{}\n", 200 + n, pin(n)));
    let devices = (0..LOGINS).map(|n| format!("many{n},pbx,PJSIP/many{n},room-of-desk1\n"));
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, head: &str, rows: String| {
        let path = folder.path().join(name);
        std::fs::write(&path, format!("{head}\n{rows}")).unwrap();
        path.display().to_string()
    };
    let users = file("users.csv", "extension,name,class,pin", users.collect());
    let devices = file("devices.csv", "device,switch,dial,location", devices.collect());
    hotdesk.run(&["import", &users, &devices]).unwrap();

    let pid = hotdesk.pid().unwrap();
    let before = resident(pid);
    let log_in = |n: usize, device: usize| {
        let dialled = format!("*35*{}*{}", 200 + n, pin(n));
        let ended = converse(agi, &format!("many{device}"), n, (&token, &dialled), || {
            unreachable!("nothing is asked")
        });
        assert!(ended.contains("logged-in"), "{dialled}: {ended}");
    };
    let start = Barrier::new(LOGINS);
    let began = Instant::now();
    thread::scope(|scope| {
        for n in 0..LOGINS {
            let (start, log_in) = (&start, &log_in);
            let call = move || {
                start.wait();
                log_in(n, n);
            };
            thread::Builder::new().stack_size(128 * 1024).spawn_scoped(scope, call).unwrap();
        }
    });
    let took = began.elapsed();
    let after = resident(pid);
    // Each at another device: it moves there.
    (0..LOGINS / 2).for_each(|n| log_in(n, LOGINS - 1 - n));
    let later = resident(pid);
    eprintln!(
        "{LOGINS} logins at once in {took:?}; resident {before} KiB, then {after} KiB, and {later} KiB after {} more",
        LOGINS / 2
    );
    assert!(took < Duration::from_secs(12), "the last was heard after {took:?}");
    assert!(later < 100 * 1024 && later < after + 8 * 1024, "{after} KiB, then {later} KiB");
    assert_eq!(hotdesk.run(&["lockout", "list", "--json"]).unwrap().trim(), "[]");
}

/// A call as Asterisk makes it: the environment, then a reply to each command, and `keys` for each question. Returns the
/// command in which the controller says how it ended.
fn converse(
    agi: SocketAddr,
    device: &str,
    n: usize,
    (token, dialled): (&str, &str),
    mut keys: impl FnMut() -> &'static str,
) -> String {
    let stream = TcpStream::connect(agi).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    let mut out = stream.try_clone().unwrap();
    let environment = format!(
        "agi_network: yes\nagi_network_script: hotdesk\nagi_channel: PJSIP/{device}-{n:08x}\nagi_uniqueid: 1795283486.{n}\n\
         agi_extension: *35\nagi_threadid: 140291483506368\nagi_arg_1: {device}\nagi_arg_2: 127.0.0.1:5060\n\n"
    );
    out.write_all(environment.as_bytes()).unwrap();
    for command in BufReader::new(stream).lines() {
        let command = command.unwrap();
        let reply = match command.split(' ').next().unwrap() {
            "GET" if command.starts_with("GET FULL VARIABLE") => {
                format!("200 result=1 (Custom:{token}|{dialled})\n")
            }
            "GET" => format!("200 result={}\n", keys()),
            "STREAM" => "200 result=0 endpos=8000\n".into(),
            _ => "200 result=1\n".into(),
        };
        out.write_all(reply.as_bytes()).unwrap();
        if command.contains("HD_RESULT") {
            return command;
        }
    }
    panic!("call {n} ended without a result");
}
