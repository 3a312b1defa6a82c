//! `hotdesk serve` tells a service manager what sd_notify(3) of systemd names.

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixDatagram;
use std::process::Stdio;
use std::time::Duration;

use super::Desk;
use crate::harness::process::{Process, Signal};

const PATIENCE: Duration = Duration::from_secs(10);

#[test]
fn a_service_manager_hears_that_serve_is_ready_alive_reloading_and_stopping() {
    let desk = Desk::new();
    fs::write(desk.path("ami.secret"), "secret").unwrap();
    fs::set_permissions(desk.path("ami.secret"), fs::Permissions::from_mode(0o600)).unwrap();
    desk.configure(
        "[[switch]]\nname = \"pbx\"\nami = \"127.0.0.1:1\"\nagi_listen = \"127.0.0.1:0\"\nagi_advertise = \"127.0.0.1:4573\"\n",
    );
    let manager = UnixDatagram::bind(desk.path("notify")).unwrap();
    manager.set_read_timeout(Some(PATIENCE)).unwrap();
    // Other messages may come before; the lines of one message come together.
    let heard = |awaited: &str| {
        let mut message = [0; 512];
        for _ in 0..100 {
            let length = manager.recv(&mut message).unwrap();
            let message = std::str::from_utf8(&message[..length]).unwrap();
            if message.lines().any(|line| line == awaited) {
                return message.to_owned();
            }
        }
        panic!("there was no {awaited}");
    };

    let mut command = desk.command();
    command.arg("serve").stdin(Stdio::null()).stdout(Stdio::null());
    command.env("NOTIFY_SOCKET", desk.path("notify")).env("WATCHDOG_USEC", "600000");
    let serve = Process::spawn(command.stderr(File::create(desk.path("log")).unwrap())).unwrap();
    heard("READY=1");
    for _ in 0..3 {
        heard("WATCHDOG=1");
    }
    serve.signal(Signal::HUP).unwrap();
    assert!(heard("RELOADING=1").contains("MONOTONIC_USEC="));
    heard("READY=1");
    // A configuration that is refused leaves it ready, too.
    fs::write(desk.path("hotdesk.toml"), "nonsense").unwrap();
    serve.signal(Signal::HUP).unwrap();
    heard("RELOADING=1");
    heard("READY=1");
    serve.signal(Signal::TERM).unwrap();
    heard("STOPPING=1");
}
