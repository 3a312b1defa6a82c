//! `hotdesk discover` beside a FreeSWITCH; skipped where none is found.

use super::{fails, json, program};
use crate::support::freeswitch::{Site, User, installed};
use crate::support::hotdesk::Hotdesk;

#[test]
fn users_of_the_directory_are_listed_and_those_in_the_context_hotdesk_enabled_with_one_command() {
    let Some(install) = installed() else { return };
    let site = Site::new().unwrap();
    let hotdesk = Hotdesk::beside_freeswitch(&program(), "sqlite:hotdesk.db", site.ports.ami).unwrap();
    let pbx =
        site.desks(2).user(User::new("colleague").context("default")).mailbox("101").start(&install).unwrap();
    let _phone = pbx.phone("desk1").unwrap();
    hotdesk.run(&["location", "set", "ams", "--emergency-caller-id", "0205550100"]).unwrap();
    assert_eq!(
        hotdesk.run(&["discover"]).unwrap(),
        "ENDPOINT   DIAL                         CONTEXT  REGISTERED  HOTDESK\n\
         101        user/101@hotdesk.test        -        no          not known\n\
         colleague  user/colleague@hotdesk.test  default  no          not known\n\
         desk1      user/desk1@hotdesk.test      hotdesk  yes         not known\n\
         desk2      user/desk2@hotdesk.test      hotdesk  no          not known\n"
    );
    assert!(fails(&hotdesk, &["discover", "--add-all"]).contains("a device without a location"));
    let added = hotdesk.run(&["discover", "--add-all", "--location", "ams"]).unwrap();
    assert!(added.contains("devices: 2 added"), "{added}");
    let named = hotdesk.run(&["discover", "--add", "colleague", "--location", "ams"]).unwrap();
    assert!(named.contains("user_context hotdesk, in the directory: colleague\n"), "{named}");
    let desk1 = json(&hotdesk, &["device", "show", "desk1", "--json"]);
    assert_eq!((&desk1["dial"], &desk1["location"]), (&"user/desk1@hotdesk.test".into(), &"ams".into()));
}
