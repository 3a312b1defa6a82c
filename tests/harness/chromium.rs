//! A real Chromium, driven by Debian's chromedriver (W3C WebDriver).

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::browser::Browser;
use super::process::Process;
use super::wait;

const DRIVER: &str = "/usr/bin/chromedriver";
const CHROMIUM: &str = "/usr/bin/chromium";
const PATIENCE: Duration = Duration::from_secs(60);

/// A window of a Chromium.
pub struct Chromium {
    driver: Browser,
    session: String,
    _process: Process,
    _profile: TempDir,
}

impl Chromium {
    /// Opens a window. None where no Chromium is installed: that is said loudly, as its tests then show nothing.
    pub fn open() -> Option<Self> {
        if !Path::new(DRIVER).exists() || !Path::new(CHROMIUM).exists() {
            eprintln!("NOT TESTED IN A BROWSER: install chromium and chromium-driver");
            return None;
        }
        Some(Self::start().unwrap())
    }

    fn start() -> Result<Self> {
        let at: SocketAddr = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let profile = tempfile::Builder::new().prefix("hotdesk-chromium-").tempdir()?;
        let mut command = Command::new(DRIVER);
        command
            .arg(format!("--port={}", at.port()))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let process = Process::spawn(&mut command)?;
        let mut driver = Browser { at, cookies: Default::default() };
        let ready = || {
            Ok(driver.send("GET", "/status", &[], "").ok().filter(|answer| answer.status == 200).map(drop))
        };
        wait::find(PATIENCE, ready, || "chromedriver does not answer".into())?;
        let profile_argument = format!("--user-data-dir={}", profile.path().display());
        let args = [
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--window-size=1280,900",
            &profile_argument,
        ];
        let wanted = json!({ "capabilities": { "alwaysMatch": {
            "browserName": "chrome",
            "goog:loggingPrefs": { "browser": "ALL" },
            "goog:chromeOptions": { "binary": CHROMIUM, "args": args },
        } } });
        let mut window = Self { driver, session: String::new(), _process: process, _profile: profile };
        let opened = window.ask("POST", "/session", &wanted)?;
        let session = opened["sessionId"].as_str().context("no session")?;
        window.session = format!("/session/{session}");
        Ok(window)
    }

    fn ask(&mut self, method: &str, path: &str, body: &Value) -> Result<Value> {
        let body = if method == "GET" { String::new() } else { body.to_string() };
        let headers = [("content-type", "application/json; charset=utf-8")];
        let answer = self.driver.send(method, path, &headers, &body)?;
        let mut value: Value = serde_json::from_slice(&answer.body)?;
        ensure!(answer.status == 200, "{method} {path}: {value}");
        Ok(value["value"].take())
    }

    fn within(&mut self, method: &str, path: &str, body: &Value) -> Value {
        let path = format!("{}{path}", self.session);
        self.ask(method, &path, body).unwrap()
    }

    /// Opens a page, and waits until it is loaded.
    pub fn go(&mut self, url: &str) {
        self.within("POST", "/url", &json!({ "url": url }));
    }

    /// What a script in the page returns.
    pub fn run(&mut self, script: &str) -> Value {
        self.within("POST", "/execute/sync", &json!({ "script": script, "args": [] }))
    }

    /// Types into the field with the focus.
    pub fn type_keys(&mut self, keys: &str) {
        let actions: Vec<Value> = keys
            .chars()
            .flat_map(|key| {
                [json!({ "type": "keyDown", "value": key }), json!({ "type": "keyUp", "value": key })]
            })
            .collect();
        self.within(
            "POST",
            "/actions",
            &json!({ "actions": [{ "type": "key", "id": "keys", "actions": actions }] }),
        );
    }

    /// Waits until a script returns true; how long that took.
    #[track_caller]
    pub fn until(&mut self, script: &str) -> Duration {
        let began = std::time::Instant::now();
        let script = format!("return {script}");
        let found = wait::find(PATIENCE, || Ok((self.run(&script) == true).then_some(())), || script.clone());
        if let Err(error) = found {
            panic!("{error:#}\n{}", self.run("return document.documentElement.outerHTML"));
        }
        began.elapsed()
    }

    /// Shows the page at this width in CSS pixels, dark or light.
    pub fn resize(&mut self, width: u32, dark: bool) {
        let scheme = if dark { "dark" } else { "light" };
        let size = json!({ "width": width, "height": 860, "deviceScaleFactor": 1, "mobile": width < 500 });
        let media = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
        for (command, parameters) in
            [("Emulation.setDeviceMetricsOverride", size), ("Emulation.setEmulatedMedia", media)]
        {
            self.within("POST", "/goog/cdp/execute", &json!({ "cmd": command, "params": parameters }));
        }
    }

    /// Keeps a picture of the window, for people to look at.
    pub fn picture(&mut self, file: &Path) {
        let picture = self.within("GET", "/screenshot", &Value::Null);
        std::fs::write(file, decoded(picture.as_str().unwrap())).unwrap();
    }

    /// What axe-core finds wrong in the page, each with where.
    pub fn audit(&mut self, axe: &str) -> Vec<String> {
        self.run(axe);
        let script = "const done = arguments[0]; \
                      axe.run(document, { resultTypes: ['violations'] }).then(found => done(found.violations.flatMap(rule => \
                      rule.nodes.map(node => `${rule.id} at ${node.target.join(' ')}: ${node.failureSummary}`))), \
                      error => done([`axe-core: ${error}`]))";
        let found = self.within("POST", "/execute/async", &json!({ "script": script, "args": [] }));
        let found = found.as_array().cloned().unwrap_or_else(|| panic!("axe-core answered {found}"));
        found.iter().map(|line| line.as_str().unwrap_or_default().to_owned()).collect()
    }

    /// What the browser complained about: violations of the policy, errors of scripts.
    pub fn complaints(&mut self) -> Vec<String> {
        let log = self.within("POST", "/se/log", &json!({ "type": "browser" }));
        let lines = log.as_array().cloned().unwrap_or_default();
        lines.iter().map(|line| line["message"].as_str().unwrap_or_default().to_owned()).collect()
    }
}

impl Drop for Chromium {
    fn drop(&mut self) {
        let path = self.session.clone();
        let _ = self.ask("DELETE", &path, &Value::Null);
    }
}

/// Base64 as bytes.
fn decoded(text: &str) -> Vec<u8> {
    let value = |byte: u8| match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a' + 26),
        b'0'..=b'9' => Some(byte - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    };
    let bits: Vec<u8> = text.bytes().filter_map(value).collect();
    let bytes = bits.chunks(4).flat_map(|four| {
        let word = four.iter().fold(0u32, |word, six| word << 6 | u32::from(*six)) << (6 * (4 - four.len()));
        word.to_be_bytes()[1..four.len()].to_vec()
    });
    bytes.collect()
}
