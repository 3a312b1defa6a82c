//! A task that ends by itself ends `hotdesk serve`, so that what started the program can start it again.

use std::fs::File;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Stdio;
use std::time::Duration;

use super::Desk;
use crate::harness::process::Process;
use crate::harness::wait;

const PANICS: &str = "HOTDESK_TEST_PANIC";

#[test]
fn serve_ends_within_a_second_when_any_of_its_tasks_panics() {
    let serving = "agi_listen = \"127.0.0.1:0\"\nagi_advertise = \"127.0.0.1:4573\"\n[metrics]\nlisten = \"127.0.0.1:0\"\n";
    let desk = beside("ami", "ami.secret", serving);
    for task in [
        "store",
        "state of the store",
        "metrics",
        "watchdog",
        "connection of switch pbx",
        "events of switch pbx",
        "state of switch pbx",
        "MWI of switch pbx, tenant default",
        "table of switch pbx, tenant default",
        "journal",
        "automatic logout of tenant default",
        "calls of switch pbx",
    ] {
        panicking(&desk, task);
    }
    let freepbx = beside("ami", "ami.secret", &format!("layout = \"freepbx\"\n{serving}"));
    panicking(&freepbx, "MWI of switch pbx");
}

#[test]
fn serve_ends_within_a_second_when_any_task_of_a_freeswitch_panics() {
    let parked = beside("esl", "esl.secret", "kind = \"freeswitch\"\n");
    for task in [
        "waiting calls connection of switch pbx",
        "calls connection of switch pbx",
        "control connection of switch pbx",
        "BLF of switch pbx, tenant default",
        "events of switch pbx",
        "state of switch pbx",
        "BLF of devices of switch pbx",
        "table of switch pbx, tenant default",
        "calls of switch pbx",
    ] {
        panicking(&parked, task);
    }
    // The task that follows these events ends with it, and may be noticed first.
    let events = ["events connection of switch pbx", "events of switch pbx"];
    ended_by(&parked, events[0], &events);
    let brought = "kind = \"freeswitch\"\noutbound_listen = \"127.0.0.1:0\"\noutbound_controllers = [\"127.0.0.1:4574\"]\n";
    panicking(&beside("esl", "esl.secret", brought), "calls of switch pbx");
}

/// With a switch at this interface, to which nothing listens at port 1, the file of its secret, and `more` keys.
fn beside(interface: &str, secret: &str, more: &str) -> Desk {
    let desk = Desk::new();
    desk.configure(&format!("[[switch]]\nname = \"pbx\"\n{interface} = \"127.0.0.1:1\"\n{more}"));
    std::fs::write(desk.path(secret), "secret").unwrap();
    std::fs::set_permissions(desk.path(secret), std::fs::Permissions::from_mode(0o600)).unwrap();
    desk
}

fn panicking(desk: &Desk, task: &str) {
    ended_by(desk, task, &[task]);
}

/// `task` panics, and the end of one of the tasks `seen` is logged.
fn ended_by(desk: &Desk, task: &str, seen: &[&str]) {
    let log = desk.path("log");
    let mut command = desk.command();
    command.arg("serve").env(PANICS, task).stdin(Stdio::null()).stdout(Stdio::null());
    let mut serve = Process::spawn(command.stderr(File::create(&log).unwrap())).unwrap();
    let said = || format!("{task}:\n{}", std::fs::read_to_string(&log).unwrap());
    wait::until(Duration::from_secs(10), || said().contains(PANICS), said);
    let ended = || Ok(serve.try_wait()?);
    let status = wait::find(Duration::from_secs(1), ended, said).unwrap();
    assert_eq!(status.code(), Some(1), "{}", said());
    let logged = |task: &&str| said().contains(&format!("event=\"serve.task_ended\" task={task:?}"));
    assert!(seen.iter().any(logged), "{}", said());
}
