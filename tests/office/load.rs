//! Many calls at once: none is lost, memory stays bounded.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use super::company;
use crate::support::debian::Version;

const CALLS: usize = 500;

#[test]
fn five_hundred_calls_at_once_are_all_served_in_bounded_memory() {
    let company = company(Version::Current);
    let pid = company.hotdesk.pid().unwrap();
    let before = resident(pid);
    let agi = company.agi();
    let start = Barrier::new(CALLS);
    let mut took: Vec<Duration> = thread::scope(|scope| {
        let calls: Vec<_> = (0..CALLS)
            .map(|n| {
                let start = &start;
                let call = move || {
                    start.wait();
                    let began = Instant::now();
                    converse(agi, n);
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

/// A call as Asterisk makes it: the environment, then a reply to each command. Dials a code that logs nobody in, so that
/// what is measured is the conversation and not the PIN's hash; returns when the controller has said how it ended.
fn converse(agi: SocketAddr, n: usize) {
    let stream = TcpStream::connect(agi).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    let mut out = stream.try_clone().unwrap();
    let environment = format!(
        "agi_network: yes\nagi_network_script: hotdesk\nagi_channel: PJSIP/desk1-{n:08x}\nagi_uniqueid: 1795283486.{n}\n\
         agi_extension: *35\nagi_threadid: 140291483506368\nagi_arg_1: desk1\nagi_arg_2: 127.0.0.1:5060\n\n"
    );
    out.write_all(environment.as_bytes()).unwrap();
    let mut asked = 0;
    for command in BufReader::new(stream).lines() {
        let command = command.unwrap();
        let reply = match command.split(' ').next().unwrap() {
            "GET" if command.starts_with("GET FULL VARIABLE") => "200 result=1 (*35)\n",
            // The extension of nobody, or digits that are no PIN.
            "GET" => {
                asked += 1;
                if asked % 2 == 1 { "200 result=999\n" } else { "200 result=1\n" }
            }
            "STREAM" => "200 result=0 endpos=8000\n",
            _ => "200 result=1\n",
        };
        if command.contains("HD_RESULT") {
            assert!(command.contains("refused"), "{command}");
            assert_eq!(asked, 6, "three tries of two questions each");
            out.write_all(reply.as_bytes()).unwrap();
            return;
        }
        out.write_all(reply.as_bytes()).unwrap();
    }
    panic!("call {n} ended without a result");
}

/// Resident memory, in KiB.
fn resident(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}
