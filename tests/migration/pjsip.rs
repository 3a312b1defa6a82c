//! `hotdesk discover` beside an Asterisk, with the rights of our own manager.conf.

use std::fs;

use super::{fails, json, on_both, start};
use crate::harness::debian::Version;

on_both! { discover_lists_endpoints_and_adds_those_in_the_context_hotdesk }

fn discover_lists_endpoints_and_adds_those_in_the_context_hotdesk(version: Version) {
    let (pbx, hotdesk) = start(version);
    let _phone = pbx.phone("2001").unwrap();
    hotdesk.run(&["location", "add", "ams", "--emergency-caller-id", "0205550100"]).unwrap();
    hotdesk
        .run(&["device", "add", "2003", "--switch", "pbx", "--dial", "PJSIP/2003", "--no-hotdesk"])
        .unwrap();
    assert_eq!(
        hotdesk.run(&["discover"]).unwrap(),
        "ENDPOINT  DIAL         CONTEXT       REGISTERED  HOTDESK\n\
         2001      PJSIP/2001   hotdesk       yes         not a device\n\
         2002      PJSIP/2002   hotdesk       no          not a device\n\
         2003      PJSIP/2003   hotdesk       no          no\n\
         acme1     PJSIP/acme1  acme-hotdesk  no          not a device\n\
         trunk     PJSIP/trunk  from-trunk    no          not a device\n"
    );

    assert!(fails(&hotdesk, &["discover", "--add-all"]).contains("device 2001: hotdesking needs a location"));
    assert!(fails(&hotdesk, &["discover", "--add", "2009"]).contains("the switch pbx knows no phone 2009"));
    assert!(fails(&hotdesk, &["discover", "--add", "2003"]).contains("2003 is a device already"));
    let add_all = ["discover", "--add-all", "--location", "ams"];
    let shown = hotdesk.run(&[&add_all[..], &["--dry-run"]].concat()).unwrap();
    assert!(
        shown.ends_with("devices: 2 added, 0 changed, 0 unchanged; 1 not named, left unchanged\n"),
        "{shown}"
    );
    assert_eq!(json(&hotdesk, &["device", "list", "--json"]).as_array().map(Vec::len), Some(1));
    assert_eq!(
        hotdesk.run(&add_all).unwrap(),
        "add     device 2001: dial PJSIP/2001, hotdesk yes, location ams, switch pbx\n\
         add     device 2002: dial PJSIP/2002, hotdesk yes, location ams, switch pbx\n\
         devices: 2 added, 0 changed, 0 unchanged; 1 not named, left unchanged\n"
    );
    assert!(
        fails(&hotdesk, &add_all).contains("every phone of pbx in the hotdesk context is a device already")
    );
    let named = ["discover", "--add", "trunk", "--location", "ams", "--switch", "pbx"];
    let named = String::from_utf8(hotdesk.output(&named, "").unwrap().stderr).unwrap();
    assert!(named.contains("once you set context = hotdesk in pjsip.conf: trunk\n"), "{named}");
    // The devices of a tenant belong to no other tenant.
    let toml = fs::read_to_string(hotdesk.path("hotdesk.toml")).unwrap();
    let toml = toml.replace("name = \"pbx\"\n", "name = \"pbx\"\ntenants = [\"default\", \"acme\"]\n");
    fs::write(hotdesk.path("hotdesk.toml"), toml).unwrap();
    let listed = json(&hotdesk, &["--tenant", "acme", "discover", "--json"]);
    let names: Vec<&str> = listed.as_array().unwrap().iter().filter_map(|row| row["name"].as_str()).collect();
    assert_eq!(names, ["acme1", "trunk"]);
    let added = hotdesk.run(&["--tenant", "acme", "discover", "--add-all", "--force"]).unwrap();
    assert!(added.contains("add     device acme1:") && added.contains("devices: 1 added"), "{added}");
    let listed = json(&hotdesk, &["discover", "--json"]);
    let known = |at: usize| (listed[at]["name"].as_str().unwrap(), listed[at]["hotdesk"].as_bool());
    assert_eq!(
        (0..4).map(known).collect::<Vec<_>>(),
        [("2001", Some(true)), ("2002", Some(true)), ("2003", Some(false)), ("trunk", Some(true))]
    );

    // With fewer rights than hotdesk needs anyway, it says which.
    let conf = fs::read_to_string(pbx.path("etc/manager.conf")).unwrap();
    assert!(conf.contains("write = system,call,user"), "{conf}");
    pbx.write("manager.conf", &conf.replace("write = system,call,user", "write = call,user")).unwrap();
    pbx.cli("manager reload").unwrap();
    let refused = fails(&hotdesk, &["discover"]);
    assert!(
        refused.contains("read = system,call,user") && refused.contains("Permission denied"),
        "{refused}"
    );
}
