use std::os::unix::fs::PermissionsExt;

use serde_json::json;

use super::{Desk, Said, mode};

impl Desk {
    /// Writes a file that only we can read.
    fn sheet(&self, name: &str, text: impl AsRef<[u8]>) {
        std::fs::write(self.path(name), text).unwrap();
        std::fs::set_permissions(self.path(name), PermissionsExt::from_mode(0o600)).unwrap();
    }
}

const LOCATIONS: &str =
    "location,emergency-caller-id,zone,address\nams,0205550100,Europe/Amsterdam,\"Dam 1, 2nd floor\"\n";
const USERS: &str = "\u{FEFF}Extension;Name;caller-id;hotdesk;mailbox\r\n101;\"Ann; A.\";0205550101;yes;101@default\r\n\
                     102;Zoë;anonymous;;\r\n";
const DEVICES: &str = "device,switch,dial,location,owner,hotdesk,allow-from\n\
                       desk1,pbx,PJSIP/desk1,ams,101,,192.0.2.0/24 10.0.0.1\nlift,pbx,PJSIP/lift,,,no,\n";

fn furnished() -> Desk {
    let desk = Desk::new();
    desk.sheet("locations.csv", LOCATIONS);
    desk.sheet("users.csv", USERS);
    desk.sheet("devices.csv", DEVICES);
    desk
}

const ALL: &str = "import users.csv devices.csv locations.csv";

#[test]
fn a_directory_comes_in_whole_after_its_difference_was_shown() {
    let desk = furnished();
    let shown = desk.ok(&format!("{ALL} --dry-run"));
    assert_eq!(
        shown,
        "add     location ams: address Dam 1, 2nd floor, emergency-caller-id 0205550100, zone Europe/Amsterdam\n\
         add     user 101: caller-id 0205550101, hotdesk yes, mailbox 101@default, name Ann; A.\n\
         add     user 102: caller-id anonymous, hotdesk yes, name Zoë\n\
         add     device desk1: allow-from 192.0.2.0/24 10.0.0.1/32, dial PJSIP/desk1, hotdesk yes, location ams, owner 101, switch pbx\n\
         add     device lift: dial PJSIP/lift, hotdesk no, switch pbx\n\
         locations: 1 added, 0 changed, 0 as they were\n\
         users: 2 added, 0 changed, 0 as they were\n\
         devices: 2 added, 0 changed, 0 as they were\n\
         this was a dry run: nothing is changed\n"
    );
    assert_eq!((desk.ok("journal"), desk.json("user list --json")), (String::new(), json!([])));

    let done = desk.ok(ALL);
    assert_eq!(done.replace("done\n", ""), shown.replace("this was a dry run: nothing is changed\n", ""));
    let zoe = desk.json("user show 102 --json");
    assert_eq!(
        (&zoe["name"], &zoe["anonymous"], &zoe["hotdesk"]),
        (&json!("Zoë"), &json!(true), &json!(true))
    );
    let desk1 = desk.json("device show desk1 --json");
    assert_eq!(desk1["emergency_caller_id"], "0205550100");
    assert_eq!(desk1["allow_from"], json!(["192.0.2.0/24", "10.0.0.1/32"]));
    assert_eq!(desk.json("device show lift --json")["hotdesk"], false);
}

#[test]
fn what_is_so_already_is_no_change_and_what_is_not_named_stays() {
    let desk = furnished();
    desk.ok(ALL);
    desk.ok("user set 103 --name Carol");
    desk.ok("user set 101 --language nl");
    let journal = desk.ok("journal");
    assert!(
        desk.ok(ALL)
            .contains("users: 0 added, 0 changed, 2 as they were; 1 that are not named stay as they are")
    );
    assert_eq!(desk.ok("journal"), journal);
    assert_eq!(
        desk.json("user show 101 --json")["language"],
        "nl",
        "a column that is not there says nothing"
    );

    desk.sheet("users.csv", "extension,name,caller-id,hotdesk,mailbox\n101,,,no,\n102,Zoë,0205550102,,\n");
    desk.ok("login 101 desk1");
    let told = desk.ok("import users.csv");
    assert!(
        told.contains(
            "change  user 101: caller-id 0205550101 -> extension, hotdesk yes -> no, mailbox 101@default -> -, name \
             Ann; A. -> -, and is logged out at desk1\nchange  user 102: caller-id anonymous -> 0205550102\n"
        ),
        "{told}"
    );
    assert_eq!(desk.json("status --json"), json!([]));
    assert_eq!(desk.json("user list --json").as_array().map(Vec::len), Some(3));
}

#[test]
fn every_mistake_is_named_by_file_line_and_column_and_nothing_is_changed() {
    let desk = Desk::new();
    desk.sheet(
        "users.csv",
        b"extension;name;caller-id;hotdesk\n1a;B\xEBa;12b;maybe\n\n102;C;;yes;x\n103;D;;\n103;E;;\n",
    );
    desk.sheet("devices.csv", "device,swich\ndesk1,pbx\n");
    desk.sheet("other.csv", "color\nred\n");
    assert_eq!(
        desk.fails("import users.csv devices.csv other.csv"),
        "hotdesk: nothing was changed:\n  \
         users.csv line 2, column name: byte 2 of it, 0xEB, is not UTF-8: save the file as \"CSV UTF-8\"\n  \
         users.csv line 4: it has 5 cells, and the header 4: a cell with ';' or a quotation mark in it takes quotation \
         marks around it\n  \
         users.csv line 2, column hotdesk: it takes yes or no\n  \
         users.csv line 2, column caller-id: \"12b\" is not a number: it takes 1 to 32 digits, if need be with a leading '+'\n  \
         users.csv line 2, column extension: \"1a\" is not an extension: it takes 1 to 20 digits\n  \
         users.csv line 6: user 103 was in users.csv line 5 already\n  \
         devices.csv line 1, column swich: there is no such column; is it switch? There are device, switch, dial, kind, hotdesk, \
         location, owner, allow-from, may-dial, class, leave-at, leave-days, leave-after, leave-idle, leave-unregistered, leave-never\n  \
         other.csv line 1: a file of users has a column extension, one of devices device, one of locations location: this \
         has none of them\n"
    );
    desk.sheet("users.csv", "extension\n112\n");
    desk.sheet("devices.csv", "device,switch,dial,owner,location\nd1,nope,PJSIP/d1,,\nd2,pbx,,,\n");
    let refused = desk.fails("import users.csv devices.csv");
    assert!(refused.contains("devices.csv line 2: there is no [[switch]] named nope"), "{refused}");
    assert!(
        refused.contains("devices.csv line 3: there is no device d2 yet; a new one takes --switch"),
        "{refused}"
    );
    desk.sheet(
        "devices.csv",
        "device,switch,dial,owner,location\nd1,pbx,PJSIP/d1,999,\nd2,pbx,PJSIP/d2,,ber\nd3,pbx,PJSIP/d3,,\n",
    );
    let refused = desk.fails("import users.csv devices.csv");
    for why in [
        "users.csv line 2: 112 is an emergency number",
        "devices.csv line 2: there is no user 999",
        "devices.csv line 3: there is no location ber yet",
        "devices.csv line 4: a device without a location",
    ] {
        assert!(refused.contains(why), "{refused}");
    }
    let long: String = (0..50).map(|n| format!("x{n}\n")).collect();
    desk.sheet("users.csv", format!("extension\n{long}"));
    assert!(desk.fails("import users.csv").ends_with("  and 30 more\n"));
    assert_eq!((desk.json("user list --json"), desk.ok("journal")), (json!([]), String::new()));
}

#[test]
fn a_device_without_a_location_comes_in_by_force_and_that_is_journalled() {
    let desk = Desk::new();
    desk.sheet("devices.csv", "device,switch,dial\nd1,pbx,PJSIP/d1\n");
    desk.fails("import devices.csv");
    desk.ok("import devices.csv --force");
    assert!(
        desk.ok("journal").contains("device d1 is for hotdesking without an emergency caller-ID, by tester")
    );
}

#[test]
fn pins_come_in_hashed_and_made_ones_go_into_a_file_of_their_own() {
    let desk = Desk::new();
    desk.sheet("users.csv", "extension,pin\n101,829174\n102,generate\n103,\n");
    desk.sheet("weak.csv", "extension,pin\n101,1234\n102,82917a\n");
    let weak = desk.run("import weak.csv");
    assert!(weak.err.contains("weak.csv line 2, column pin: this PIN is too easy to guess"), "{weak:?}");
    assert!(weak.err.contains("weak.csv line 3, column pin: a PIN takes 4 to 10 digits"), "{weak:?}");
    assert!(!weak.err.contains("1234") && !weak.err.contains("82917a"), "{weak:?}");

    assert!(desk.run("import users.csv").err.contains("--pins-out FILE"));
    assert_eq!(desk.json("user list --json"), json!([]));
    let told = desk.ok("import users.csv --pins-out made.csv");
    assert!(told.contains("add     user 101: caller-id extension, hotdesk yes, a new PIN\n"), "{told}");
    let made = std::fs::read_to_string(desk.path("made.csv")).unwrap();
    let [header, line] = made.lines().collect::<Vec<_>>()[..] else { panic!("{made}") };
    let pin = line.strip_prefix("102,").unwrap();
    assert_eq!((header, pin.len(), mode(&desk.path("made.csv"))), ("extension,pin", 6, 0o600));
    for (user, has) in [("101", true), ("102", true), ("103", false)] {
        assert_eq!(desk.ok(&format!("user show {user}")).contains("PIN           set"), has, "{user}");
    }
    for said in [&told, &desk.ok("journal")] {
        assert!(!said.contains("829174") && !said.contains(pin));
    }

    // The same PINs again are no change; another one is; who has one is not given a made one.
    let journal = desk.ok("journal");
    assert!(desk.ok("import users.csv").contains("users: 0 added, 0 changed, 3 as they were"));
    assert_eq!(desk.ok("journal"), journal);
    desk.sheet("users.csv", "extension,pin\n101,829175\n");
    assert!(desk.ok("import users.csv --dry-run").contains("change  user 101: a new PIN\n"));
    assert!(desk.ok("import users.csv").contains("change  user 101: a new PIN\n"));
}

#[test]
fn after_a_rotation_of_the_pepper_the_same_pin_is_still_no_change() {
    let desk = Desk::new();
    desk.sheet("users.csv", "extension,pin\n101,829174\n102,361958\n");
    desk.ok("import users.csv");
    desk.ok("pepper rotate");
    let journal = desk.ok("journal");
    assert!(desk.ok("import users.csv").contains("users: 0 added, 0 changed, 2 as they were"));
    assert_eq!(desk.ok("journal"), journal);
    // Another one is; and then one of them is of the one pepper, one of the other.
    desk.sheet("users.csv", "extension,pin\n101,829175\n102,361958\n");
    assert!(desk.ok("import users.csv").contains("users: 0 added, 1 changed, 1 as they were"));
    assert!(desk.ok("import users.csv").contains("users: 0 added, 0 changed, 2 as they were"));
}

#[test]
fn a_file_of_pins_that_others_can_read_is_spoken_of_and_one_that_is_there_is_not_overwritten() {
    let desk = Desk::new();
    desk.sheet("users.csv", "extension,pin\n101,generate\n");
    std::fs::set_permissions(desk.path("users.csv"), PermissionsExt::from_mode(0o644)).unwrap();
    let Said { code, err, .. } = desk.run("import users.csv --dry-run");
    assert_eq!(code, 0);
    assert!(err.contains("users.csv holds PINs, and others can read it: chmod 600 users.csv"), "{err}");
    desk.sheet("made.csv", "mine");
    assert!(desk.run("import users.csv --pins-out made.csv").err.contains("so nothing was changed"));
    assert_eq!(std::fs::read_to_string(desk.path("made.csv")).unwrap(), "mine");
    assert_eq!(desk.json("user list --json"), json!([]));
}

#[test]
fn ten_thousand_users_come_in_within_the_time_of_a_coffee() {
    let desk = Desk::new();
    let rows: String = (10_000..20_000).map(|n| format!("{n},User {n},020555{n},from-internal\n")).collect();
    desk.sheet("users.csv", format!("extension,name,caller-id,class\n{rows}"));
    let began = std::time::Instant::now();
    let said = desk.run("import users.csv");
    eprintln!("10,000 users in {:?}", began.elapsed());
    assert_eq!(said.code, 0, "{}", said.err);
    assert!(said.out.contains("users: 10000 added, 0 changed, 0 as they were\n"));
    assert!(said.out.contains("calls to 10000 of these users, 10000 for one, will not reach them"));
    let one = desk.json("user show 12345 --json");
    assert_eq!((&one["name"], &one["caller_id"]), (&json!("User 12345"), &json!("02055512345")));
}
