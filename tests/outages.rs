//! Outages of the store and of the switch, in the log and in the metrics, while no user calls.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;

use crate::company::Company;
use crate::harness::debian::Version;
use crate::harness::each::on_each;
use crate::harness::hotdesk::Hotdesk;
use crate::harness::redis::RedisServer;

on_each! {
    a_switch_that_was_down_is_logged_once
}

const METRICS: &str = "[metrics]\nlisten = \"127.0.0.1:0\"\n";

/// How often an event was logged.
fn times(log: &str, event: &str) -> usize {
    log.matches(&format!("event=\"{event}\"")).count()
}

/// Waits for the outage, and for its end, which `end` brings. Each is logged once, and the gauge follows.
fn outage<T>(
    of: &mut T,
    hotdesk: fn(&mut T) -> &mut Hotdesk,
    what: &str,
    begin: impl FnOnce(&mut T),
    end: impl FnOnce(&mut T),
) {
    let gauge = if what == "switch" { "hotdesk_switch_up{switch=\"pbx\"}" } else { "hotdesk_store_up" };
    let (down, up) = (format!("{what}.down"), format!("{what}.up"));
    let mark = hotdesk(of).log().len();
    let wait = |of: &mut T, event: &str, is: u8| {
        hotdesk(of).wait_for_log(mark, &format!("event=\"{event}\"")).unwrap();
        let metrics = hotdesk(of).metrics().unwrap();
        assert!(metrics.lines().any(|line| line == format!("{gauge} {is}")), "{metrics}");
    };
    begin(of);
    wait(of, &down, 0);
    end(of);
    wait(of, &up, 1);
    let log = hotdesk(of).log()[mark..].to_owned();
    assert_eq!((times(&log, &down), times(&log, &up)), (1, 1), "{log}");
    let line = log.lines().find(|line| line.contains(&up)).unwrap();
    let lasted = line.split("down_s=").nth(1).unwrap().split(' ').next().unwrap();
    assert!(lasted.parse::<f64>().unwrap() > 0.0, "{line}");
}

fn a_switch_that_was_down_is_logged_once(version: Option<Version>) {
    let Some(mut company) = Company::open(version, METRICS) else { return };
    let log = company.hotdesk().log();
    assert_eq!((times(&log, "switch.up"), times(&log, "switch.down")), (1, 0), "{log}");
    outage(&mut company, Company::hotdesk, "switch", Company::kill_switch, Company::start_switch);
    // In good order.
    let mark = company.hotdesk().log().len();
    company.restart_switch_alone();
    company.hotdesk().wait_for_log(mark, "event=\"switch.up\"").unwrap();
    let log = company.hotdesk().log()[mark..].to_owned();
    assert_eq!((times(&log, "switch.down"), times(&log, "switch.up")), (1, 1), "{log}");
}

/// A hotdesk whose switch cannot be reached: nothing listens on port 1.
fn without_a_switch(program: &[PathBuf], store: &str) -> Hotdesk {
    let local = |port: u16| SocketAddr::from(([127, 0, 0, 1], port));
    let mut hotdesk = Hotdesk::new(program, store, local(1), local(0)).unwrap();
    let named = "agi_advertise = \"127.0.0.1:4573\"\n";
    hotdesk.configure(&format!("{named}{METRICS}")).unwrap();
    hotdesk.spawn().unwrap();
    for event in ["switch.down", "store.up"] {
        hotdesk.wait_for_log(0, &format!("event=\"{event}\"")).unwrap();
    }
    hotdesk
}

#[test]
fn a_redis_that_was_down_is_logged_once() {
    let program = [PathBuf::from(env!("CARGO_BIN_EXE_hotdesk"))];
    let redis = RedisServer::start();
    let hotdesk = without_a_switch(&program, &redis.url());
    let mut both = (hotdesk, redis);
    outage(&mut both, |both| &mut both.0, "store", |both| both.1.kill(), |both| both.1.restart());
    let log = both.0.log();
    assert!(!log.contains("store.failed") && !log.contains("table.not_reconciled"), "{log}");
    assert_eq!(times(&log, "switch.down"), 1, "{log}");
}

#[test]
fn a_disk_that_takes_no_writes_is_logged_once() {
    // A write beyond the limit of a file's size is an error then, and no signal that ends the process.
    let script = "trap '' XFSZ; exec \"$0\" \"$@\"";
    let program = ["sh", "-c", script, env!("CARGO_BIN_EXE_hotdesk")].map(PathBuf::from);
    let mut hotdesk = without_a_switch(&program, "sqlite:hotdesk.db");
    let limit = |hotdesk: &Hotdesk, bytes: String| {
        let pid = hotdesk.pid().unwrap().to_string();
        let set = Command::new("prlimit").args(["--pid", &pid, &format!("--fsize={bytes}:")]).status();
        assert!(set.unwrap().success());
    };
    hotdesk.run(&["user", "add", "101"]).unwrap();
    // The log is smaller than this file, so it can still be written.
    for n in 0..12 {
        hotdesk.run(&["user", "set", "101", "--name", &format!("Ann {n}")]).unwrap();
    }
    let full = |hotdesk: &mut Hotdesk| {
        let log = std::fs::metadata(hotdesk.path("hotdesk.db-wal")).unwrap().len();
        limit(hotdesk, log.to_string());
    };
    outage(&mut hotdesk, |hotdesk| hotdesk, "store", full, |hotdesk| limit(hotdesk, "unlimited".into()));
    let log = hotdesk.log();
    assert!(log.contains("hotdesk.db failed"), "{log}");
}
