use std::os::unix::process::ExitStatusExt as _;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::harness::phone::digest;
use crate::harness::phone::message::Message;
use crate::harness::process::Process;
use crate::harness::wait;

#[test]
fn a_wait_ends_with_the_condition_or_at_its_deadline() {
    let mut looks = 0;
    let third = || {
        looks += 1;
        Ok((looks == 3).then_some(looks))
    };
    assert_eq!(wait::find(Duration::from_secs(5), third, String::new).unwrap(), 3);
    let began = Instant::now();
    let late = wait::find(Duration::from_millis(50), || Ok(None::<()>), || "nothing was there".to_owned());
    assert!(late.unwrap_err().to_string().ends_with("nothing was there"));
    assert!(began.elapsed() >= Duration::from_millis(50));
}

/// What the kernel does when the suite is killed: it closes the suite's end of the guard's pipe.
#[test]
fn a_guard_kills_the_program_when_its_pipe_closes() {
    let mut process = Process::spawn(Command::new("sleep").arg("600")).unwrap();
    assert!(process.try_wait().unwrap().is_none());
    drop(process.guard.stdin.take());
    let ended = || Ok(process.try_wait()?);
    let status = wait::find(Duration::from_secs(10), ended, || "it still runs".to_owned()).unwrap();
    assert_eq!(status.signal(), Some(9));
}

/// The example of RFC 2617, section 3.5, with its method and address.
#[test]
fn the_digest_of_the_rfc_comes_out() {
    let request = Message::request("GET", "/dir/index.html").with("CSeq", "1 GET");
    let challenge = "Digest realm=\"testrealm@host.com\", qop=\"auth,auth-int\", \
                     nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\", opaque=\"5ccc069c403ebaf9f0171e9517f40e41\"";
    let response = Message::response(&request, 401, "Unauthorized").with("WWW-Authenticate", challenge);
    let (name, value) = digest::answer("Mufasa", "Circle Of Life", &request, &response, "0a4f113b").unwrap();
    assert_eq!(name, "Authorization");
    assert!(value.contains("response=\"6629fae49393a05397450978507c4ef1\""), "{value}");
}
