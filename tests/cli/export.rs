//! The directory as CSV files, and back.

use std::collections::BTreeSet;
use std::fs;

use super::{Desk, mode};

/// A directory with every kind of setting.
fn with_all_settings() -> Desk {
    let desk = Desk::with_groups();
    desk.ok("user set 101 --caller-id +31205550101 --language nl --class inside --mailbox 101@default");
    desk.ok(
        "user set 101 --when-logged-out 0205550199 --recording on-demand --pickup hall --account north-1",
    );
    desk.ok("user set 101 --numbers 0205550101,0205550102 --groups sales,400 --dnd on --in-turn on");
    desk.ok("user set 101 --forward-always 0612345678 --forward-busy 102 --forward-unanswered 103");
    desk.ok("user set 101 --auto-logout-at 22:30 --auto-logout-days mon-fri --auto-logout-after 8h");
    let name = "Zoë \"Z\"; de Vries, 2nd";
    assert_eq!(
        desk.run_with(&["user", "set", "102", "--name", name, "--anonymous", "--no-hotdesk"], "").code,
        0
    );
    desk.ok("user set 102 --auto-logout-never --when-logged-out busy");
    desk.ok("user add 007");
    desk.ok("user pin 101 --generate");
    desk.ok("device set desk1 --owner 101 --allow-from 192.0.2.0/24 --allow-from 2001:db8::7");
    desk.ok("device set desk1 --may-dial 100,+31201 --class first-aid --auto-logout-idle 45m");
    desk.ok("device add soft --switch pbx --dial PJSIP/soft --kind softphone --owner 101");
    let address = "Dam 1, 2nd floor; \"left\"";
    let set =
        ["location", "set", "ams", "--address", address, "--emergency-numbers", "112", "--language", "nl"];
    assert_eq!(desk.run_with(&set, "").code, 0);
    desk.ok("location add ber --zone Europe/Berlin --auto-logout-unregistered 30m");
    desk
}

const FILES: [&str; 3] = ["locations.csv", "users.csv", "devices.csv"];

fn export(desk: &Desk) -> [String; 3] {
    let (said, note) = desk.noted("export out");
    assert!(note.contains("PINs") && said.lines().count() == 3, "{said}{note}");
    FILES.map(|name| {
        let file = desk.path("out").join(name);
        assert_eq!(mode(&file), 0o600);
        fs::read_to_string(file).unwrap()
    })
}

#[test]
fn what_is_exported_and_imported_is_exported_again_byte_for_byte() {
    let desk = with_all_settings();
    let files = export(&desk);
    let other = Desk::new();
    for (name, text) in FILES.iter().zip(&files) {
        fs::write(other.path(name), text).unwrap();
    }
    other.ok(&format!("import {}", FILES.join(" ")));
    assert_eq!(export(&other), files);
    for list in ["user list", "device list", "location list"] {
        assert_eq!(desk.ok(list), other.ok(list));
    }
    // In the store that they are from, the files change nothing.
    let journal = desk.ok("journal");
    let said = desk.ok("import out/locations.csv out/users.csv out/devices.csv");
    assert_eq!(
        said,
        "locations: 0 added, 0 changed, 2 unchanged\nusers: 0 added, 0 changed, 3 unchanged\n\
         devices: 0 added, 0 changed, 3 unchanged\ndone\n"
    );
    assert_eq!(desk.ok("journal"), journal);
}

#[test]
fn every_column_that_import_takes_is_exported_but_no_pin() {
    let desk = with_all_settings();
    for text in export(&desk) {
        let header: BTreeSet<&str> = text.lines().next().unwrap().split(',').collect();
        assert!(!header.contains("pin"), "{text}");
        assert!(!text.contains("argon2"), "{text}");
        fs::write(desk.path("sheet.csv"), format!("{},nonsense\n", text.lines().next().unwrap())).unwrap();
        let refused = desk.fails("import sheet.csv");
        let (_, columns) = refused.trim_end().split_once("The columns are ").unwrap();
        let columns: BTreeSet<&str> = columns.split(", ").collect();
        let missing: Vec<&str> = columns.difference(&header).copied().collect();
        assert!(missing.iter().all(|column| ["pin", "auto-logout-never"].contains(column)), "{missing:?}");
    }
}

#[test]
fn no_file_is_overwritten() {
    let desk = Desk::furnished();
    fs::create_dir(desk.path("out")).unwrap();
    fs::write(desk.path("out/devices.csv"), "mine").unwrap();
    assert!(desk.fails("export out").contains("out/devices.csv is there already: name another folder"));
    assert_eq!(fs::read_to_string(desk.path("out/devices.csv")).unwrap(), "mine");
    assert!(!desk.path("out/users.csv").exists());
}
