//! `hotdesk serve` tells the C library to keep little memory, unless an administrator has said something else.

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt as _;
use std::process::Stdio;
use std::time::Duration;

use super::Desk;
use crate::harness::process::Process;
use crate::harness::wait;

#[test]
fn serve_has_one_arena_unless_the_environment_says_something_else() {
    for (given, has) in [(None, "MALLOC_ARENA_MAX=1"), (Some("3"), "MALLOC_ARENA_MAX=3")] {
        let desk = Desk::new();
        desk.configure("[[switch]]\nname = \"pbx\"\nami = \"127.0.0.1:1\"\nagi_listen = \"127.0.0.1:0\"\nagi_advertise = \"127.0.0.1:4573\"\n");
        fs::write(desk.path("ami.secret"), "secret").unwrap();
        fs::set_permissions(desk.path("ami.secret"), fs::Permissions::from_mode(0o600)).unwrap();
        let mut command = desk.command();
        command.arg("serve").envs(given.map(|most| ("MALLOC_ARENA_MAX", most)));
        command.stdin(Stdio::null()).stdout(Stdio::null());
        let log = desk.path("log");
        let serve = Process::spawn(command.stderr(File::create(&log).unwrap())).unwrap();
        let said = || fs::read_to_string(&log).unwrap();
        wait::until(Duration::from_secs(10), || said().contains("event=\"serve.started\""), said);
        let environment = fs::read(format!("/proc/{}/environ", serve.id())).unwrap();
        let set = String::from_utf8(environment).unwrap();
        assert!(set.split('\0').any(|it| it == has), "{set:?}");
    }
}
