//! `hotdesk discover` beside a FreeSWITCH; skipped where none is found.

use super::{fails, json, program};
use crate::harness::freeswitch::{Site, User, installed};
use crate::harness::hotdesk::Hotdesk;

#[test]
fn discover_lists_directory_users_and_adds_those_in_the_context_hotdesk() {
    let Some(install) = installed() else { return };
    let site = Site::new().unwrap();
    let hotdesk = Hotdesk::beside_freeswitch(&program(), "sqlite:hotdesk.db", site.ports.ami).unwrap();
    let pbx =
        site.desks(2).user(User::new("colleague").context("default")).mailbox("101").start(&install).unwrap();
    let _phone = pbx.phone("desk1").unwrap();
    hotdesk.run(&["location", "add", "ams", "--emergency-caller-id", "0205550100"]).unwrap();
    assert_eq!(
        hotdesk.run(&["discover"]).unwrap(),
        "ENDPOINT   DIAL                         CONTEXT       REGISTERED  HOTDESK\n\
         101        user/101@hotdesk.test        -             no          not a device\n\
         colleague  user/colleague@hotdesk.test  default       no          not a device\n\
         desk1      user/desk1@hotdesk.test      hotdesk@desk  yes         not a device\n\
         desk2      user/desk2@hotdesk.test      hotdesk@desk  no          not a device\n"
    );
    assert!(fails(&hotdesk, &["discover", "--add-all"]).contains("hotdesking needs a location"));
    let added = hotdesk.run(&["discover", "--add-all", "--location", "ams"]).unwrap();
    assert!(added.contains("devices: 2 added"), "{added}");
    let named = ["discover", "--add", "colleague", "--location", "ams"];
    let named = String::from_utf8(hotdesk.output(&named, "").unwrap().stderr).unwrap();
    assert!(named.contains("user_context hotdesk@desk in the directory: colleague\n"), "{named}");
    let desk1 = json(&hotdesk, &["device", "show", "desk1", "--json"]);
    assert_eq!((&desk1["dial"], &desk1["location"]), (&"user/desk1@hotdesk.test".into(), &"ams".into()));
}

#[test]
fn phones_of_one_name_in_two_domains_are_named_and_neither_is_added() {
    let Some(install) = installed() else { return };
    let site = Site::new().unwrap();
    let hotdesk = Hotdesk::beside_freeswitch(&program(), "sqlite:hotdesk.db", site.ports.ami).unwrap();
    let _pbx = site.desks(2).user_in("other.test", User::new("desk1")).start(&install).unwrap();
    hotdesk.run(&["location", "add", "ams", "--emergency-caller-id", "0205550100"]).unwrap();
    let done = hotdesk.output(&["discover", "--add-all", "--location", "ams"], "").unwrap();
    let (out, err) = (String::from_utf8(done.stdout).unwrap(), String::from_utf8(done.stderr).unwrap());
    assert!(out.contains("devices: 1 added") && !out.contains("desk1"), "{out}{err}");
    let left = "left out: the switch has desk1 as user/desk1@hotdesk.test and as user/desk1@other.test";
    assert!(err.contains(left), "{err}");
    assert!(
        fails(&hotdesk, &["discover", "--add", "desk1", "--location", "ams"]).contains("choose one with")
    );
}
