//! Extensions mode: what the import makes of phones, desks and users, also once more.

use serde_json::{Value, json};

use super::{FreePbx, on_both};
use crate::harness::debian::Version;

on_both! { desks_are_no_users_and_stay_desks }

const IMPORT: [&str; 4] = ["import", "freepbx", "--switch", "pbx"];

fn list(freepbx: &FreePbx, what: &str) -> Value {
    serde_json::from_str(&freepbx.hotdesk.run(&[what, "list", "--json"]).unwrap()).unwrap()
}

/// Each device, whether users may log in there, and the owner.
fn devices(freepbx: &FreePbx) -> Vec<(String, Value, Value)> {
    let devices = list(freepbx, "device");
    let devices = devices.as_array().unwrap().iter();
    devices
        .map(|it| (it["device"].as_str().unwrap().to_owned(), it["hotdesk"].clone(), it["owner"].clone()))
        .collect()
}

fn device(name: &str, hotdesk: bool, owner: Option<&str>) -> (String, Value, Value) {
    (name.to_owned(), json!(hotdesk), json!(owner))
}

fn said(freepbx: &FreePbx, more: &[&str]) -> (Option<i32>, String) {
    let output = freepbx.hotdesk.output(&[&IMPORT[..], more].concat(), "").unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(said).unwrap())
}

fn desks_are_no_users_and_stay_desks(version: Version) {
    let mut freepbx = FreePbx::extensions(version);
    let imported = [
        device("120", false, Some("120")),
        device("131", false, Some("131")),
        device("201", true, None),
        device("202", true, None),
    ];
    assert_eq!(devices(&freepbx), imported);
    // The rows of a login are no news: the owner is the default user, and a fixed device stays a desk.
    freepbx.hotdesk.run(&["login", "131", "201"]).unwrap();
    freepbx.differs_only_in(&[("/DEVICE/201/user", "131"), ("/AMPUSER/131/device", "131&201")]);
    for desks in [&[][..], &["--desks", "201"]] {
        let (code, again) = said(&freepbx, desks);
        assert_eq!(code, Some(0), "{again}");
        for line in ["users: 0 added, 0 changed, 3 unchanged\n", "devices: 0 added, 0 changed, 4 unchanged\n"]
        {
            assert!(again.contains(line), "{line}:\n{again}");
        }
        for wrong in ["201 needs a PIN", "left out: device 132", "[dialplan] users"] {
            assert!(!again.contains(wrong), "{wrong}:\n{again}");
        }
    }
    assert!(freepbx.hotdesk.run(&["status", "--json"]).unwrap().contains("\"201\""), "131 is still there");

    // A phone of a user is for guests, too: it stays the user's.
    freepbx.hotdesk.run(&["device", "set", "131", "--hotdesk", "--force"]).unwrap();
    // And a desk becomes an ordinary phone.
    freepbx.hotdesk.run(&["device", "set", "202", "--no-hotdesk"]).unwrap();
    let (_, once_more) = said(&freepbx, &[]);
    assert!(once_more.contains("add     user 202: "), "{once_more}");
    let changed = [
        device("120", false, Some("120")),
        device("131", true, Some("131")),
        device("201", true, None),
        device("202", false, Some("202")),
    ];
    assert_eq!(devices(&freepbx), changed);
    let (_, desk_again) = said(&freepbx, &["--desks", "202"]);
    assert!(desk_again.contains("202 is a desk and also a user: hotdesk user remove 202"), "{desk_again}");
    assert_eq!(devices(&freepbx)[3], device("202", true, None));

    freepbx.put("DEVICE", "120/default_user", "131");
    for (desk, why) in [
        ("999", "--desks 999: the FreePBX has no PJSIP device of this name"),
        ("132", "--desks 132: the FreePBX has no PJSIP device of this name"),
        (
            "120",
            "device 120 cannot be a desk: it is fixed, and its default user in FreePBX is another extension",
        ),
    ] {
        let (code, refused) = said(&freepbx, &["--desks", desk]);
        assert!(code == Some(1) && refused.contains(why), "{refused}");
    }
    // A desk whose default user was changed is still no phone of one user only.
    freepbx.put("DEVICE", "201/default_user", "131");
    said(&freepbx, &[]);
    assert_eq!(devices(&freepbx)[2].1, json!(true));
}
