//! Waiting for a condition with a deadline: no test sleeps until something has probably happened.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};

/// Between two looks. Some of them start a program.
const PAUSE: Duration = Duration::from_millis(20);

/// Looks until it finds a value, for at most `within`. `state` says in the error what was there instead.
pub fn find<T>(
    within: Duration,
    mut look: impl FnMut() -> Result<Option<T>>,
    state: impl FnOnce() -> String,
) -> Result<T> {
    let deadline = Instant::now() + within;
    loop {
        if let Some(found) = look()? {
            return Ok(found);
        }
        if Instant::now() >= deadline {
            break;
        }
        thread::sleep(PAUSE);
    }
    // The last moment may have been long on a busy machine.
    look()?.with_context(|| format!("not within {within:?}: {}", state()))
}

/// Waits until `holds`, for at most `within`; fails the test after that. Returns how long it took.
#[track_caller]
pub fn until(within: Duration, mut holds: impl FnMut() -> bool, state: impl FnOnce() -> String) -> Duration {
    let began = Instant::now();
    let found = find(within, || Ok(holds().then_some(())), state);
    assert!(found.is_ok(), "{:#}", found.unwrap_err());
    began.elapsed()
}

/// How long a socket that was closed may be held. A program that another test starts holds copies of the sockets of this
/// process until it runs.
const HELD: Duration = Duration::from_secs(5);

/// Listens where another listener of this process may have been a moment ago.
#[track_caller]
pub fn listen(at: SocketAddr) -> TcpListener {
    let listener = find(HELD, || Ok(TcpListener::bind(at).ok()), || format!("{at} is taken"));
    listener.unwrap_or_else(|error| panic!("{error:#}"))
}

/// Waits until nothing listens, so that a program can.
#[track_caller]
pub fn free(at: SocketAddr) {
    until(HELD, || TcpStream::connect(at).is_err(), || format!("{at} is taken"));
}
