use std::time::Duration;

use super::office;
use crate::support::asterisk::{Endpoint, Site};
use crate::support::debian::{self, Version};

#[test]
fn registrations_and_lamps_come_through_a_restart() {
    let mut pbx = office(Version::Current);
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
fn a_killed_asterisk_starts_again_on_its_ports_with_what_was_saved() {
    let mut pbx = office(Version::Current);
    let mut ami = pbx.ami().unwrap();
    let put = ami.act("DBPut", &[("Family", "lab"), ("Key", "k"), ("Val", "v")]).unwrap();
    assert_eq!(put.get("Response"), "Success");
    std::thread::sleep(Duration::from_millis(1200)); // AstDB is written once a second
    pbx.kill().unwrap();
    ami.act("Ping", &[]).unwrap_err();
    assert!(pbx.pid().is_none());
    pbx.start().unwrap();
    let rows = pbx.ami().unwrap().list("DBGetTree", &[("Family", "lab")]).unwrap();
    assert_eq!(rows.iter().map(|m| (m.get("Key"), m.get("Val"))).collect::<Vec<_>>(), [("/lab/k", "v")]);
    assert!(pbx.cli("core show uptime").unwrap().contains("second"));
}

#[test]
fn two_instances_side_by_side_know_nothing_of_each_other() {
    let (one, two) = (office(Version::Current), office(Version::Current));
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
fn each_call_leaves_a_detail_record_and_nothing_stays_when_it_is_over() {
    let pbx = office(Version::Current);
    let phone = pbx.phone("desk1").unwrap();
    phone.dial("600").unwrap();
    phone.wait_answered().unwrap();
    phone.hang_up().unwrap();
    let deadline = std::time::Instant::now() + Duration::from_secs(5);
    while !pbx.cdrs().contains("\"600\"") {
        assert!(std::time::Instant::now() < deadline, "no CDR of the call: {:?}", pbx.cdrs());
        std::thread::sleep(Duration::from_millis(20));
    }
    let (folder, pid) = (pbx.path("etc"), pbx.pid().unwrap());
    drop(pbx);
    assert!(!folder.exists());
    assert!(!std::path::Path::new(&format!("/proc/{pid}")).exists());
}

#[test]
fn prompts_of_ours_are_heard_among_the_stock_ones() {
    let prompts = tempfile::tempdir().unwrap();
    let hum: Vec<u8> = (0..8000_u32).map(|i| if i % 16 < 8 { 0x90 } else { 0x10 }).collect();
    std::fs::write(prompts.path().join("beep.ulaw"), hum).unwrap();
    let site = Site::new().unwrap().endpoint(Endpoint::new("desk1").context("office"));
    let site = site.dialplan(include_str!("dialplan.conf")).sounds("en", "own", prompts.path());
    let pbx = site.start(Version::Current).unwrap();
    let phone = pbx.phone("desk1").unwrap();
    phone.dial("606").unwrap();
    phone.wait_answered().unwrap();
    let heard = phone.wait_ended().unwrap().heard;
    assert!(heard > Duration::from_millis(800) && heard < Duration::from_millis(1200), "{heard:?}");
}

#[test]
fn a_redis_server_is_there() {
    let program = debian::redis_server().unwrap();
    let output = std::process::Command::new(program).arg("--version").output().unwrap();
    assert!(String::from_utf8_lossy(&output.stdout).contains("Redis server v="));
}
