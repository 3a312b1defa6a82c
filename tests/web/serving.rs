//! How the console is served: hosts, origins, headers, limits. It never stands in the way of calls.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

use flate2::read::GzDecoder;

use super::{console, hotdesk};
use crate::harness::browser::{Answer, Browser};
use crate::harness::wait;

/// How long a head may take, and some more on a busy machine.
const SHORT: Duration = Duration::from_secs(5 + 10);

/// An answer that a browser may show without harm, whatever it is.
#[track_caller]
fn is_protected(answer: &Answer) {
    let policy = answer.header("content-security-policy").unwrap_or_default();
    for part in [
        "default-src 'none'",
        "script-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    ] {
        assert!(policy.contains(part), "{part} is not in {policy:?} of {answer:?}");
    }
    assert!(!policy.contains("unsafe"), "{policy}");
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "same-origin"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
    ] {
        assert_eq!(answer.header(name), Some(value), "{name}");
    }
    assert_eq!(answer.header("x-request-id").unwrap().len(), 16);
    let kept = answer.header("cache-control").unwrap();
    assert!(kept == "no-store" || answer.status == 200 && kept.contains("immutable"), "{kept}");
}

#[test]
fn every_answer_has_the_headers_that_protect_it() {
    let (_hotdesk, mut browser) = console();
    let host = browser.at.to_string();
    for (method, path, headers, status) in [
        ("GET", "/healthz", &[][..], 200),
        ("GET", "/nothing", &[], 404),
        ("GET", "/assets/../hotdesk.toml", &[], 404),
        ("GET", "/assets/%2e%2e%2fhotdesk.toml", &[], 404),
        ("POST", "/healthz", &[("sec-fetch-site", "same-origin")], 405),
        ("POST", "/healthz", &[], 403),
        ("POST", "/healthz", &[("sec-fetch-site", "cross-site")], 403),
        ("POST", "/healthz", &[("origin", "http://evil.example")], 403),
        ("GET", "/nothing", &[("host", "evil.example")], 421),
        ("GET", "/nothing", &[("host", &host), ("host", "evil.example")], 421),
    ] {
        let answer = browser.send(method, path, headers, "").unwrap();
        assert_eq!(answer.status, status, "{method} {path} {headers:?}: {}", answer.text());
        is_protected(&answer);
        assert!(
            !answer.text().contains("evil.example") && answer.header("access-control-allow-origin").is_none()
        );
    }
}

#[test]
fn what_watches_the_process_needs_no_name_and_no_account() {
    let (_hotdesk, mut browser) = console();
    // Its switch is not there.
    let not_ready = "not ready: a switch does not answer, or is held\n";
    for (path, status, text) in [("/healthz", 200, "alive\n"), ("/readyz", 503, not_ready)] {
        let answer = browser.send("GET", path, &[("host", "10.0.0.7:8035")], "").unwrap();
        assert_eq!((answer.status, answer.text().as_str()), (status, text));
    }
}

#[test]
fn styles_and_scripts_come_compressed_and_are_kept_by_the_name_of_their_content() {
    let (_hotdesk, mut browser) = console();
    let page = browser.get("/nothing").text();
    for ending in ["css", "js"] {
        let name =
            page.split('"').find(|part| part.starts_with("/assets/") && part.ends_with(ending)).unwrap();
        let plain = browser.get(name);
        assert_eq!((plain.status, plain.header("content-encoding")), (200, None));
        is_protected(&plain);
        let zipped = browser.send("GET", name, &[("accept-encoding", "br, gzip;q=0.8")], "").unwrap();
        assert_eq!(zipped.header("content-encoding"), Some("gzip"));
        assert!(
            zipped.body.len() < plain.body.len() * 2 / 3,
            "{} of {}",
            zipped.body.len(),
            plain.body.len()
        );
        let mut text = String::new();
        GzDecoder::new(zipped.body.as_slice()).read_to_string(&mut text).unwrap();
        assert_eq!(text, plain.text());
        assert_eq!(browser.get(&name.replace("hotdesk-", "hotdesk-0")).status, 404);
        let never = browser.send("GET", name, &[("accept-encoding", "gzip;q=0")], "").unwrap();
        assert_eq!(never.header("content-encoding"), None);
    }
    // Nothing comes from elsewhere, and no page has a style or a script inside.
    assert!(!page.contains("http") && !page.contains("style=") && !page.contains("onclick"), "{page}");
}

#[test]
fn the_log_names_a_request_but_never_its_path() {
    let (mut hotdesk, mut browser) = console();
    let answer =
        browser.post("/link/canary-in-the-path?q=canary-in-the-query", &[("x", "canary-in-the-form")]);
    let id = answer.header("x-request-id").unwrap().to_owned();
    assert!(answer.text().contains(&id), "the page names it too");
    hotdesk.wait_for_log(0, &id).unwrap();
    assert!(!hotdesk.log().contains("canary"), "{}", hotdesk.log());
}

#[test]
fn a_console_that_cannot_be_opened_keeps_no_call_away_and_opens_later() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = taken.local_addr().unwrap();
    let mut hotdesk = hotdesk(&format!("[web]\nlisten = \"{at}\"\n"));
    hotdesk.wait_for_log(0, "event=\"web.not_open\"").unwrap();
    assert!(hotdesk.log().contains("event=\"agi.listening\""), "{}", hotdesk.log());
    drop(taken);
    hotdesk.wait_for_log(0, "event=\"web.listening\"").unwrap();
    assert_eq!(Browser::of(&hotdesk).get("/healthz").status, 200);
    hotdesk.stop().unwrap();
}

#[test]
fn without_an_address_there_is_no_console() {
    let hotdesk = hotdesk("[web]\nlisten = \"\"\n");
    assert!(!hotdesk.log().contains("web."), "{}", hotdesk.log());
}

#[test]
fn connections_have_a_bound_and_each_step_a_deadline() {
    let (hotdesk, mut browser) = console();
    let at = browser.at;
    let held: Vec<TcpStream> = (0..300).map(|_| TcpStream::connect(at).unwrap()).collect();
    let full = || hotdesk.log().contains("event=\"listener.full\"");
    wait::until(SHORT, full, || hotdesk.log());
    let began = Instant::now();
    for mut stream in held {
        stream.set_read_timeout(Some(SHORT)).unwrap();
        // One that was refused may be closed already.
        let _ = stream.write_all(b"GET /healthz HTTP/1.1\r\n");
        let mut all = vec![];
        let _ = stream.read_to_end(&mut all);
    }
    assert!(began.elapsed() < SHORT, "{:?}", began.elapsed());
    assert_eq!(browser.get("/healthz").status, 200);
}
