//! The API, as programs use it.

mod calls;
mod document;
mod keys;
mod problems;
mod records;
mod sessions;

use serde_json::Value;

use super::hotdesk;
use crate::harness::browser::{Answer, Browser};
use crate::harness::hotdesk::Hotdesk;

/// Where the resources of the only tenant are.
pub const T: &str = "/api/v1/tenants/default";

/// A program with a key.
pub struct Program {
    pub browser: Browser,
    pub key: String,
}

impl Program {
    /// With a new key of this role.
    pub fn new(hotdesk: &Hotdesk, name: &str, role: &str) -> Self {
        let printed = hotdesk.run(&["web", "key", "add", name, "--role", role]).unwrap();
        let key = printed.trim().to_owned();
        assert!(key.starts_with("hd_default_") && key.len() == 75, "{key}");
        Self { browser: Browser::of(hotdesk), key }
    }

    /// Sends a request with its key; `path` is within the tenant unless it is one of the API.
    pub fn send(&mut self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let path = if path.starts_with("/api") { path.to_owned() } else { format!("{T}{path}") };
        let key = format!("Bearer {}", self.key);
        let mut all = vec![("authorization", key.as_str())];
        if !body.is_empty() && !headers.iter().any(|(name, _)| *name == "content-type") {
            all.push(("content-type", "application/json"));
        }
        all.extend(headers);
        self.browser.send(method, &path, &all, body).unwrap()
    }

    pub fn get(&mut self, path: &str) -> Answer {
        self.send("GET", path, &[], "")
    }

    /// The object at `path`, with its ETag.
    #[track_caller]
    pub fn object(&mut self, path: &str) -> (Value, String) {
        let answer = self.get(path);
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        let tag = answer.header("etag").unwrap_or_default().to_owned();
        (json(&answer), tag)
    }
}

#[track_caller]
pub fn json(answer: &Answer) -> Value {
    serde_json::from_slice(&answer.body).unwrap_or_else(|error| panic!("{error}: {}", answer.text()))
}

/// The problem of an answer, which is complete.
#[track_caller]
pub fn problem(answer: &Answer, status: u16, slug: &str) -> Value {
    let problem = json(answer);
    assert_eq!(
        (answer.status, problem["status"].as_u64(), problem["type"].as_str()),
        (status, Some(status.into()), Some(format!("urn:hotdesk:problem:{slug}").as_str())),
        "{problem}"
    );
    assert_eq!(answer.header("content-type"), Some("application/problem+json"));
    assert_eq!(problem["instance"].as_str(), answer.header("x-request-id"));
    assert!(
        !problem["detail"].as_str().unwrap().is_empty() && !problem["title"].as_str().unwrap().is_empty()
    );
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert!(answer.header("access-control-allow-origin").is_none());
    problem
}

/// The pointers of the fields that are wrong.
#[track_caller]
pub fn pointers(answer: &Answer) -> Vec<String> {
    let problem = problem(answer, 422, "invalid");
    let errors = problem["errors"].as_array().unwrap().iter();
    errors.map(|error| error["pointer"].as_str().unwrap().to_owned()).collect()
}

/// A hotdesk without a switch, with three users, three desks and their location; and a program with a key of this role.
pub fn furnished(role: &str) -> (Hotdesk, Program) {
    let hotdesk = hotdesk(super::ON);
    for (user, name) in [("101", "Alice"), ("102", "Bob"), ("103", "Carol")] {
        hotdesk.run(&["user", "add", user, "--name", name]).unwrap();
    }
    hotdesk.run(&["location", "add", "ams", "--emergency-caller-id", "0205550100", "--zone", "UTC"]).unwrap();
    for desk in ["desk1", "desk2", "desk3"] {
        let dial = format!("PJSIP/{desk}");
        hotdesk
            .run(&["device", "add", desk, "--switch", "pbx", "--dial", &dial, "--location", "ams"])
            .unwrap();
    }
    let program = Program::new(&hotdesk, "crm", role);
    (hotdesk, program)
}
