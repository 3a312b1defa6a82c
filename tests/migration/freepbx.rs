//! `hotdesk import freepbx` beside an Asterisk whose AstDB is filled as FreePBX fills it.

use serde_json::json;

use super::{fails, json, on_both, start};
use crate::harness::ami::Ami;
use crate::harness::debian::Version;

on_both! { users_imported_from_freepbx_log_in_with_their_pins }

const ROWS: [(&str, &str, &str); 28] = [
    ("AMPUSER", "101/cidname", "Ann Ånd"),
    ("AMPUSER", "101/cidnum", "101"),
    ("AMPUSER", "101/device", "2001&2002"),
    ("AMPUSER", "101/password", "729154"),
    ("AMPUSER", "101/voicemail", "default"),
    ("AMPUSER", "101/language", "nl"),
    ("AMPUSER", "101/recording/in/internal", "dontcare"),
    ("AMPUSER", "102/cidname", "Bob"),
    ("AMPUSER", "102/cidnum", "0205550102"),
    ("AMPUSER", "102/password", "4321"),
    ("AMPUSER", "102/voicemail", "novm"),
    ("AMPUSER", "103/cidname", "Carol"),
    ("AMPUSER", "103/password", ""),
    ("AMPUSER", "103/voicemail", "novm"),
    ("DEVICE", "2001/dial", "PJSIP/2001"),
    ("DEVICE", "2001/type", "adhoc"),
    ("DEVICE", "2001/user", "101"),
    ("DEVICE", "2001/default_user", "102"),
    ("DEVICE", "2001/emergency_cid", "0205550100"),
    ("DEVICE", "2002/dial", "PJSIP/2002"),
    ("DEVICE", "2002/type", "adhoc"),
    ("DEVICE", "2002/user", "none"),
    ("DEVICE", "2002/default_user", "none"),
    ("DEVICE", "2003/dial", "PJSIP/2003"),
    ("DEVICE", "2003/type", "fixed"),
    ("DEVICE", "2003/user", "103"),
    // A login changes the user, and never the default user.
    ("DEVICE", "2003/default_user", "102"),
    ("DEVICE", "2004/dial", "SIP/2004"),
];

/// All rows of FreePBX, unchanged.
fn rows(ami: &mut Ami) -> Vec<(String, String)> {
    let families = ["AMPUSER", "DEVICE"];
    let rows = families.iter().flat_map(|family| ami.list("DBGetTree", &[("Family", family)]).unwrap());
    rows.map(|row| (row.get("Key").to_owned(), row.get("Val").to_owned())).collect()
}

fn users_imported_from_freepbx_log_in_with_their_pins(version: Version) {
    let (pbx, mut hotdesk) = start(version);
    let none = fails(&hotdesk, &["import", "freepbx", "--switch", "pbx"]);
    assert!(none.contains("no AMPUSER and no DEVICE"), "{none}");
    let mut ami = pbx.ami().unwrap();
    for (family, key, value) in ROWS {
        let put = ami.act("DBPut", &[("Family", family), ("Key", key), ("Val", value)]).unwrap();
        assert_eq!(put.get("Response"), "Success", "{key}: {put:?}");
    }
    let before = rows(&mut ami);
    assert_eq!(before.len(), ROWS.len());

    let import = ["import", "freepbx", "--switch", "pbx"];
    let refused = fails(&hotdesk, &import);
    assert!(refused.contains("device 2002: hotdesking needs a location"), "{refused}");
    hotdesk.run(&["location", "add", "hq", "--emergency-caller-id", "0205550199", "--zone", "UTC"]).unwrap();
    let import = [&import[..], &["--location", "hq"]].concat();
    let shown = hotdesk.output(&[&import[..], &["--dry-run"]].concat(), "").unwrap();
    assert!(shown.status.success());
    let shown = [shown.stderr, shown.stdout].concat();
    let shown = String::from_utf8(shown).unwrap();
    for line in [
        "left out: device 2004: FreePBX dials it as \"SIP/2004\", and only PJSIP endpoints can be hotdesks\n",
        "102 needs a PIN: its digits lie in a row\n",
        "103 needs a PIN: FreePBX has none\n",
        "add     location cid-0205550100: emergency-caller-id 0205550100, zone ",
        "add     user 101: caller-id extension, class from-internal, hotdesk yes, language nl, mailbox 101@default, name Ann Ånd, a new PIN\n",
        "add     user 102: caller-id 0205550102, class from-internal, hotdesk yes, name Bob\n",
        "add     device 2001: dial PJSIP/2001, hotdesk yes, location cid-0205550100, owner 102, switch pbx\n",
        "add     device 2002: dial PJSIP/2002, hotdesk yes, location hq, switch pbx\n",
        "add     device 2003: dial PJSIP/2003, hotdesk no, location hq, owner 102, switch pbx\n",
        "hotdesk: dry run: nothing was changed\n",
    ] {
        assert!(shown.contains(line), "{line}\n{shown}");
    }
    assert_eq!(json(&hotdesk, &["user", "list", "--json"]), json!([]));
    let done = hotdesk.run(&import).unwrap();
    for secret in ["729154", "4321"] {
        assert!(!shown.contains(secret) && !done.contains(secret), "{done}");
    }

    // Once more is no change; what was chosen here since stays.
    hotdesk.run(&["user", "set", "101", "--class", "from-sales"]).unwrap();
    hotdesk.run_with(&["user", "pin", "102"], "583617\n").unwrap();
    let again = hotdesk.run(&import).unwrap();
    assert!(again.contains("users: 0 added, 0 changed, 3 unchanged\n"), "{again}");
    assert!(
        again.contains("devices: 0 added, 0 changed, 3 unchanged\n") && !again.contains("102 needs"),
        "{again}"
    );
    hotdesk.run(&["user", "set", "101", "--class", "from-internal"]).unwrap();

    let made = hotdesk.path("made.csv").display().to_string();
    let made_one = hotdesk.run(&[&import[..], &["--pins-out", &made]].concat()).unwrap();
    assert!(made_one.contains("change  user 103: a new PIN\n"), "{made_one}");
    assert!(std::fs::read_to_string(&made).unwrap().starts_with("extension,pin\n103,"));

    hotdesk.start().unwrap();
    let phone = pbx.phone("2002").unwrap();
    phone.dial("*35*101*729154").unwrap();
    phone.wait_ended_within(std::time::Duration::from_secs(60)).unwrap();
    let status = json(&hotdesk, &["status", "--json"]);
    assert_eq!((&status[0]["user"], &status[0]["device"]), (&json!("101"), &json!("2002")), "{status}");
    assert_eq!(rows(&mut ami), before, "FreePBX has what it had");
}
