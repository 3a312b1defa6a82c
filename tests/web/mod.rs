//! The console over HTTP.

mod accessible;
mod accounts;
mod calls;
mod chromium;
mod day;
mod forms;
mod now;
mod pages;
mod people;
mod roles;
mod serving;
mod tls;

use std::net::SocketAddr;
use std::path::PathBuf;

use crate::harness::browser::Browser;
use crate::harness::hotdesk::Hotdesk;

/// What a test puts into the configuration so that the console is on.
pub const ON: &str = "[web]\nlisten = \"127.0.0.1:0\"\n";

/// A hotdesk without a switch, whose console is on.
pub fn hotdesk(more: &str) -> Hotdesk {
    let local = |port: u16| SocketAddr::from(([127, 0, 0, 1], port));
    let program = [PathBuf::from(env!("CARGO_BIN_EXE_hotdesk"))];
    let mut hotdesk = Hotdesk::new(&program, "sqlite:hotdesk.db", local(1), local(0)).unwrap();
    hotdesk.configure(more).unwrap();
    let file = hotdesk.path("hotdesk.toml");
    let config = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, config.replace("ami_user", "agi_advertise = \"127.0.0.1:4573\"\nami_user"))
        .unwrap();
    hotdesk.spawn().unwrap();
    hotdesk.wait_for_log(0, "event=\"serve.started\"").unwrap();
    hotdesk
}

/// The same, and a browser at it.
pub fn console() -> (Hotdesk, Browser) {
    let hotdesk = hotdesk(ON);
    let browser = Browser::of(&hotdesk);
    (hotdesk, browser)
}

/// A password that may be chosen.
pub const PASSWORD: &str = "three tall cranes";

/// The path of a new link for an account with this role.
pub fn link(hotdesk: &Hotdesk, account: &str, role: &str) -> String {
    let printed = hotdesk.run(&["web", "invite", account, "--role", role]).unwrap();
    let path = printed.trim().split_once("/link/").unwrap_or_else(|| panic!("no link in {printed}")).1;
    format!("/link/{path}")
}

/// Signs in with a new link of an account with this role.
pub fn enter(hotdesk: &Hotdesk, browser: &mut Browser, account: &str, role: &str) {
    let answer = browser.post(&link(hotdesk, account, role), &[("password", PASSWORD)]);
    assert_eq!(answer.status, 303, "{}", answer.text());
}
