use std::os::unix::fs::PermissionsExt;

use serde_json::json;

use super::{Desk, Said, mode};

impl Desk {
    /// Writes a file that only its owner can read.
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
fn a_directory_is_imported_after_its_difference_was_shown() {
    let desk = furnished();
    let (shown, note) = desk.noted(&format!("{ALL} --dry-run"));
    assert_eq!(note, "hotdesk: dry run: nothing was changed\n");
    assert_eq!(
        shown,
        "add     location ams: address Dam 1, 2nd floor, emergency-caller-id 0205550100, zone Europe/Amsterdam\n\
         add     user 101: caller-id 0205550101, hotdesk yes, mailbox 101@default, name Ann; A.\n\
         add     user 102: caller-id anonymous, hotdesk yes, name Zoë\n\
         add     device desk1: allow-from 192.0.2.0/24 10.0.0.1/32, dial PJSIP/desk1, hotdesk yes, location ams, owner 101, switch pbx\n\
         add     device lift: dial PJSIP/lift, hotdesk no, switch pbx\n\
         locations: 1 added, 0 changed, 0 unchanged\n\
         users: 2 added, 0 changed, 0 unchanged\n\
         devices: 2 added, 0 changed, 0 unchanged\n"
    );
    assert_eq!((desk.ok("journal"), desk.json("user list --json")), (String::new(), json!([])));

    let done = desk.ok(ALL);
    assert_eq!(done, shown + "done\n");
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
fn equal_rows_change_nothing_and_records_that_are_not_named_stay() {
    let desk = furnished();
    desk.ok(ALL);
    desk.ok("user add 103 --name Carol");
    desk.ok("user set 101 --language nl");
    let journal = desk.ok("journal");
    assert!(desk.ok(ALL).contains("users: 0 added, 0 changed, 2 unchanged; 1 not named, left unchanged"));
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
        b"extension;name;caller-id;hotdesk\n1a;Bea;12b;maybe\n\n102;C;;yes;x\n103;D;;\n103;E;;\n",
    );
    desk.sheet("devices.csv", "device,swich\ndesk1,pbx\n");
    desk.sheet("other.csv", "color\nred\n");
    assert_eq!(
        desk.fails("import users.csv devices.csv other.csv"),
        "hotdesk: nothing was changed:\n  \
         users.csv line 4: the row has 5 cells and the header 4: put quotation marks around a cell that contains ';' or a \
         quotation mark\n  \
         users.csv line 2, column hotdesk: use yes or no\n  \
         users.csv line 2, column caller-id: \"12b\" is not a number: it takes 1 to 32 digits, if need be with a leading '+'\n  \
         users.csv line 2, column extension: \"1a\" is not an extension: it takes 1 to 20 digits\n  \
         users.csv line 6: user 103 is in users.csv line 5 already: remove one of the two rows\n  \
         devices.csv line 1, column swich: there is no such column. Did you mean switch? The columns are device, switch, dial, kind, hotdesk, \
         location, owner, allow-from, may-dial, class, auto-logout-at, auto-logout-days, auto-logout-after, auto-logout-idle, auto-logout-unregistered, auto-logout-never\n  \
         other.csv line 1: the file has no column extension (for users), device (for devices) or location (for locations): \
         add one of them\n"
    );
    desk.sheet("users.csv", "extension\n112\n");
    desk.sheet("devices.csv", "device,switch,dial,owner,location\nd1,nope,PJSIP/d1,,\nd2,pbx,,,\n");
    let refused = desk.fails("import users.csv devices.csv");
    assert!(refused.contains("devices.csv line 2: there is no [[switch]] named nope"), "{refused}");
    assert!(
        refused.contains("devices.csv line 3: there is no device d2 yet. To add it, give its switch and what that dials, for example --switch pbx"),
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
        "devices.csv line 3: there is no location ber: add it first",
        "devices.csv line 4: hotdesking needs a location",
    ] {
        assert!(refused.contains(why), "{refused}");
    }
    let long: String = (0..50).map(|n| format!("x{n}\n")).collect();
    desk.sheet("users.csv", format!("extension\n{long}"));
    assert!(desk.fails("import users.csv").ends_with("  and 30 more\n"));
    assert_eq!((desk.json("user list --json"), desk.ok("journal")), (json!([]), String::new()));
}

#[test]
fn a_device_without_a_location_is_imported_by_force_and_journalled() {
    let desk = Desk::new();
    desk.sheet("devices.csv", "device,switch,dial\nd1,pbx,PJSIP/d1\n");
    desk.fails("import devices.csv");
    desk.ok("import devices.csv --force");
    assert!(
        desk.ok("journal").contains("device d1 is for hotdesking without an emergency caller ID, by tester")
    );
}

#[test]
fn pins_are_hashed_and_generated_ones_are_written_to_a_file() {
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
        assert_eq!(desk.ok(&format!("user show {user}")).contains("PIN               set"), has, "{user}");
    }
    for said in [&told, &desk.ok("journal")] {
        assert!(!said.contains("829174") && !said.contains(pin));
    }

    // The same PINs again are no change; another one is. A user who has a PIN gets no generated one.
    let journal = desk.ok("journal");
    assert!(desk.ok("import users.csv").contains("users: 0 added, 0 changed, 3 unchanged"));
    assert_eq!(desk.ok("journal"), journal);
    desk.sheet("users.csv", "extension,pin\n101,829175\n");
    assert!(desk.noted("import users.csv --dry-run").0.contains("change  user 101: a new PIN\n"));
    assert!(desk.ok("import users.csv").contains("change  user 101: a new PIN\n"));
}

#[test]
fn the_same_pin_is_no_change_after_a_rotation_of_the_pepper() {
    let desk = Desk::new();
    desk.sheet("users.csv", "extension,pin\n101,829174\n102,361958\n");
    desk.ok("import users.csv");
    desk.noted("pepper rotate");
    let journal = desk.ok("journal");
    assert!(desk.ok("import users.csv").contains("users: 0 added, 0 changed, 2 unchanged"));
    assert_eq!(desk.ok("journal"), journal);
    // Another one is; and then one of them is of the one pepper, one of the other.
    desk.sheet("users.csv", "extension,pin\n101,829175\n102,361958\n");
    assert!(desk.ok("import users.csv").contains("users: 0 added, 1 changed, 1 unchanged"));
    assert!(desk.ok("import users.csv").contains("users: 0 added, 0 changed, 2 unchanged"));
}

#[test]
fn a_readable_file_of_pins_is_reported_and_an_existing_one_is_not_overwritten() {
    let desk = Desk::new();
    desk.sheet("users.csv", "extension,pin\n101,generate\n");
    std::fs::set_permissions(desk.path("users.csv"), PermissionsExt::from_mode(0o644)).unwrap();
    let Said { code, err, .. } = desk.run("import users.csv --dry-run --pins-out made.csv");
    assert_eq!(code, 0);
    assert!(
        err.contains(
            "users.csv holds PINs, and other users of this machine can read it: chmod 600 users.csv"
        ),
        "{err}"
    );
    desk.sheet("made.csv", "mine");
    assert!(desk.run("import users.csv --pins-out made.csv").err.contains("so nothing was changed"));
    assert_eq!(std::fs::read_to_string(desk.path("made.csv")).unwrap(), "mine");
    assert_eq!(desk.json("user list --json"), json!([]));
}

/// What the run refuses the dry run refuses with the same words; and neither changes anything.
#[test]
fn a_dry_run_refuses_what_the_run_refuses() {
    let desk = Desk::furnished();
    desk.ok("user pin 101 --generate");
    desk.sheet("taken.csv", "mine");
    let long: String = (0..50).map(|n| format!("x{n}\n")).collect();
    let files = |desk: &Desk| {
        let files = std::fs::read_dir(desk.path("")).unwrap();
        let mut files: Vec<_> = files.map(|file| file.unwrap().file_name()).collect();
        files.retain(|file| !file.to_string_lossy().starts_with("hotdesk.db-"));
        files.sort();
        files
    };
    for (sheet, options, why) in [
        ("", "", "is empty"),
        ("color\nred\n", "", "has no column extension"),
        ("extension,nme\n103,Zoe\n", "", "did you mean name?"),
        ("extension,name,name\n103,Zoe,Zoe\n", "", "the column is there twice"),
        ("extension\n1a\n", "", "is not an extension"),
        (&format!("extension\n{long}"), "", "and 30 more"),
        ("extension,name\n103,Zoe,x\n", "", "the row has 3 cells"),
        ("extension\n103\n103\n", "", "already: remove one of the two rows"),
        ("extension\n112\n", "", "112 is an emergency number"),
        ("extension,forward-busy\n103,112\n", "", "calls cannot be forwarded to it"),
        ("extension,when-logged-out\n103,103\n", "", "calls would loop"),
        ("extension,pin\n103,1234\n", "", "this PIN is too easy to guess"),
        ("extension,pin\n103,generate\n", "", "give a file for them, --pins-out FILE"),
        ("extension,pin\n103,generate\n", "--pins-out taken.csv", "cannot write the new PINs to taken.csv"),
        (
            "extension,pin\n103,generate\n",
            "--pins-out no/made.csv",
            "cannot write the new PINs to no/made.csv",
        ),
        ("device\nd9\n", "", "there is no device d9 yet"),
        ("device,switch,dial\nd9,nope,PJSIP/d9\n", "", "there is no [[switch]] named nope"),
        ("device,switch,dial\nd9,pbx,PJSIP/d9\n", "", "hotdesking needs a location"),
        ("device,switch,dial,location\nd9,pbx,PJSIP/d9,ber\n", "", "there is no location ber"),
        ("device,switch,dial,location\nd9,pbx,PJSIP/d9,ber\n", "--force", "there is no location ber"),
        ("device,owner\ndesk1,999\n", "", "there is no user 999"),
        ("device,kind\ndesk1,mobile\n", "", "a mobile needs an owner"),
        ("device,kind,owner\ndesk1,mobile,101\n", "", "users cannot log in at a mobile"),
        ("location,emergency-caller-id\nams,\n", "", "2 hotdesking devices at ams need"),
        ("location,emergency-numbers\nams,110\n", "", "110 is not in [emergency] numbers"),
        ("location,zone\nams,Mars\n", "", "is not a time zone"),
    ] {
        desk.sheet("sheet.csv", sheet);
        let before = (files(&desk), desk.ok("journal"));
        let [dry, run] = ["--dry-run", ""].map(|dry| desk.run(&format!("import sheet.csv {options} {dry}")));
        assert!(dry.code == 1 && dry.err.to_lowercase().contains(&why.to_lowercase()), "{sheet}: {dry:?}");
        assert_eq!((&dry.out, &dry.err), (&run.out, &run.err), "{sheet}");
        assert_eq!((files(&desk), desk.ok("journal")), before, "{sheet}");
    }
    // With the pepper lost, no new PIN can be made.
    std::fs::remove_file(desk.path("hotdesk.pepper")).unwrap();
    desk.sheet("sheet.csv", "extension,pin\n103,829174\n");
    let [dry, run] = ["--dry-run", ""].map(|dry| desk.run(&format!("import sheet.csv {dry}")));
    assert!(dry.code == 1 && dry.err.contains("hotdesk.pepper"), "{dry:?}");
    assert_eq!((dry.out, dry.err), (run.out, run.err));
    assert!(!desk.path("hotdesk.pepper").exists());
}

#[test]
fn ten_thousand_users_are_imported() {
    let desk = Desk::new();
    let rows: String = (10_000..20_000).map(|n| format!("{n},User {n},020555{n},from-internal\n")).collect();
    desk.sheet("users.csv", format!("extension,name,caller-id,class\n{rows}"));
    let began = std::time::Instant::now();
    let said = desk.run("import users.csv");
    eprintln!("10,000 users in {:?}", began.elapsed());
    assert_eq!(said.code, 0, "{}", said.err);
    assert!(said.out.contains("users: 10000 added, 0 changed, 0 unchanged\n"));
    assert!(said.err.contains("matches 10000 of these users, for example 10000,"), "{}", said.err);
    let one = desk.json("user show 12345 --json");
    assert_eq!((&one["name"], &one["caller_id"]), (&json!("User 12345"), &json!("02055512345")));
}
