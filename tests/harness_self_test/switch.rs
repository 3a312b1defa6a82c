use std::time::Duration;

use super::start;
use crate::harness::asterisk::{Endpoint, Site};
use crate::harness::debian::{self, Version};
use crate::harness::wait;

#[test]
fn registrations_and_subscriptions_survive_a_restart() {
    let mut pbx = start(Version::Current);
    let (alice, bob) = (pbx.phone("desk1").unwrap(), pbx.phone("desk2").unwrap());
    let watcher = pbx.phone("watcher").unwrap();
    watcher.watch("101").unwrap();
    watcher.wait_lamp("101", "terminated").unwrap();
    let before = pbx.pid();
    pbx.restart().unwrap();
    assert_ne!(pbx.pid(), before);
    alice.dial("102").unwrap();
    bob.wait_ringing().unwrap();
    watcher.wait_lamp("101", "confirmed").unwrap();
}

#[test]
fn a_killed_asterisk_starts_again_with_its_ports_and_data() {
    let mut pbx = start(Version::Current);
    let mut ami = pbx.ami().unwrap();
    let put = ami.act("DBPut", &[("Family", "lab"), ("Key", "k"), ("Val", "v")]).unwrap();
    assert_eq!(put.get("Response"), "Success");
    // Asterisk writes AstDB once a second, and no event says so.
    std::thread::sleep(Duration::from_millis(1200));
    pbx.kill().unwrap();
    ami.act("Ping", &[]).unwrap_err();
    assert!(pbx.pid().is_none());
    pbx.start().unwrap();
    let rows = pbx.ami().unwrap().list("DBGetTree", &[("Family", "lab")]).unwrap();
    assert_eq!(rows.iter().map(|m| (m.get("Key"), m.get("Val"))).collect::<Vec<_>>(), [("/lab/k", "v")]);
    assert!(pbx.cli("core show uptime").unwrap().contains("second"));
}

#[test]
fn two_instances_are_independent() {
    let (one, two) = (start(Version::Current), start(Version::Current));
    assert_ne!(one.sip(), two.sip());
    let (a, b) = (one.phone("desk1").unwrap(), two.phone("desk2").unwrap());
    a.dial("102").unwrap();
    let ended = a.wait_ended().unwrap();
    assert_eq!((ended.code, ended.cause), (404, Some(3)), "desk2 is registered at the other one only");
    a.dial("601").unwrap();
    b.dial("601").unwrap();
    a.wait_audio().unwrap();
    b.wait_audio().unwrap();
    a.wait_ended().unwrap();
    b.wait_ended().unwrap();
    assert!(one.log().contains("vm-nobodyavail") && two.log().contains("vm-nobodyavail"));
}

#[test]
fn a_call_leaves_a_cdr_and_the_instance_leaves_nothing() {
    let pbx = start(Version::Current);
    let phone = pbx.phone("desk1").unwrap();
    phone.dial("600").unwrap();
    phone.wait_answered().unwrap();
    phone.hang_up().unwrap();
    wait::until(Duration::from_secs(5), || pbx.cdrs().contains("\"600\""), || pbx.cdrs());
    let (folder, pid) = (pbx.path("etc"), pbx.pid().unwrap());
    drop(pbx);
    assert!(!folder.exists());
    assert!(!std::path::Path::new(&format!("/proc/{pid}")).exists());
}

#[test]
fn own_prompts_play_beside_the_stock_prompts() {
    let prompts = tempfile::tempdir().unwrap();
    let hum: Vec<u8> = (0..8000_u32).map(|i| if i % 16 < 8 { 0x90 } else { 0x10 }).collect();
    std::fs::write(prompts.path().join("beep.ulaw"), hum).unwrap();
    let site = Site::new().unwrap().endpoint(Endpoint::new("desk1").context("inside"));
    let site = site.dialplan(include_str!("dialplan.conf")).sounds("en", "own", prompts.path());
    let pbx = site.start(Version::Current).unwrap();
    let phone = pbx.phone("desk1").unwrap();
    phone.dial("606").unwrap();
    phone.wait_answered().unwrap();
    let heard = phone.wait_ended().unwrap().heard;
    assert!(heard > Duration::from_millis(800) && heard < Duration::from_millis(1200), "{heard:?}");
}

#[test]
fn redis_server_is_found() {
    let program = debian::redis_server().unwrap();
    let output = std::process::Command::new(program).arg("--version").output().unwrap();
    assert!(String::from_utf8_lossy(&output.stdout).contains("Redis server v="));
}
