//! `hotdesk init` on a FreePBX in both of its modes, until the first login and emergency call, and `hotdesk init --undo`.

use std::collections::BTreeMap;
use std::fs;

use super::{
    DEVICE_AND_USER, EXTENSIONS, FreePbx, MODULES, PathBuf, Row, VOICEMAIL, on_both, phone, rows_of,
};
use crate::harness::asterisk::{Endpoint, Site};
use crate::harness::check::broken;
use crate::harness::company::call;
use crate::harness::debian::Version;
use crate::harness::hotdesk::Hotdesk;
use crate::harness::wait;
use crate::init::{Files, files, init, pins};

on_both! {
    desks_of_extensions_mode_by_one_command_and_back_by_another
    desks_of_device_and_user_mode_by_one_command_and_back_by_another
    what_freepbx_lacks_is_named_and_nothing_is_changed
    after_a_failure_half_way_everything_is_as_before
}

/// A FreePBX without a Hotdesk, whose own files are not all as FreePBX leaves them.
fn unprepared(version: Version, rows: &[Row], phones: &[&str]) -> FreePbx {
    let site = Site::new().unwrap();
    let dialplan =
        include_str!("dialplan.conf").replace("#include hotdesk.conf", "#include extensions_custom.conf");
    let (dialplan, custom) = dialplan.split_once("; What a site has of its own.\n").unwrap();
    let pbx = phones
        .iter()
        .fold(site, |site, device| site.endpoint(phone(device, "")))
        .endpoint(Endpoint::new("trunk").context("from-trunk"))
        .dialplan(&format!("{dialplan}#include extensions_custom.conf\n"))
        .manager("#include manager_custom.conf\n")
        .file("manager_custom.conf", "")
        .file(
            "extensions_custom.conf",
            &custom.replace("#include extensions_custom.conf", "; ours  ").replace('\n', "\r\n"),
        )
        .file("extensions_additional.conf", "; FreePBX writes this file\n")
        .file("voicemail.conf", VOICEMAIL)
        .file("modules.conf", MODULES)
        .start(version)
        .unwrap();
    let mut ami = pbx.ami().unwrap();
    for (family, key, value) in rows {
        // Debian's Asterisk 16 comes without voicemail, and init refuses users with mailboxes there.
        let value = if version == Version::V16 && key.ends_with("/voicemail") { &"novm" } else { value };
        ami.act("DBPut", &[("Family", family), ("Key", key), ("Val", value)]).unwrap();
    }
    let before = rows_of(&pbx);
    let hotdesk = Hotdesk::unconfigured(&[PathBuf::from(env!("CARGO_BIN_EXE_hotdesk"))]).unwrap();
    fs::create_dir(hotdesk.path("sounds")).unwrap();
    FreePbx { pbx, hotdesk, ami, before }
}

impl FreePbx {
    fn init(&self, more: &[&str]) -> (bool, String, String) {
        init(&self.hotdesk, &self.pbx, &self.pbx.agi().to_string(), more)
    }

    /// Runs init, and starts Hotdesk. Returns the PINs that it printed.
    fn initialized(&mut self, answers: &[&str]) -> BTreeMap<String, String> {
        let own = ["--emergency-numbers", "112", "--zone", "Europe/Amsterdam", "--auto-logout-at", "never"];
        let answers = [answers, &own].concat();
        let before = self.files();
        let (done, shown, refused) = self.init(&answers);
        assert!(!done && refused.contains("to change these files, add --yes"), "{shown}\n{refused}");
        let conf = shown.lines().filter(|line| line.starts_with("+++") && line.ends_with(".conf"));
        let changed: Vec<&str> = conf.filter_map(|line| line.rsplit('/').next()).collect();
        assert_eq!(changed, ["extensions_custom.conf", "manager_custom.conf"]);
        assert_eq!(self.files(), before);
        let (done, said, refused) = self.init(&[&answers[..], &["--yes"]].concat());
        assert!(done, "{said}\n{refused}");
        assert!(said.contains("Then dial *11"), "{said}");
        assert_eq!(rows_of(&self.pbx), self.before, "FreePBX's rows are the same");
        self.hotdesk.start().unwrap();
        pins(&said)
    }

    fn files(&self) -> Files {
        files(&self.pbx.path("etc"))
    }

    /// Stops Hotdesk while users are logged in, and gives all back.
    fn undone(&mut self, before: &Files, rows: &[(&str, &str)]) {
        self.hotdesk.stop().unwrap();
        let (done, said, refused) = self.init(&["--undo"]);
        assert!(done, "{said}\n{refused}");
        assert_eq!(&self.files(), before);
        self.differs_only_in(rows);
        assert!(!self.pbx.cli("database show").unwrap().contains("hotdesk"));
        for gone in ["hotdesk.toml", "ami.secret", "hotdesk.db", "init"] {
            assert!(!self.hotdesk.path(gone).exists(), "{gone}");
        }
    }
}

fn desks_of_extensions_mode_by_one_command_and_back_by_another(version: Version) {
    let mut freepbx = unprepared(version, EXTENSIONS, &["120", "131", "201", "202"]);
    let before = freepbx.files();
    let [fixed, desk, trunk] = ["120", "201", "trunk"].map(|name| freepbx.pbx.phone(name).unwrap());
    call(&fixed, "201", &desk, "120").unwrap();
    let pins = freepbx.initialized(&["--phones", "201,202"]);
    let users: Vec<&str> = pins.keys().map(String::as_str).collect();
    assert_eq!(users, ["120", "131", "132"]);
    call(&fixed, "201", &desk, "120").unwrap();
    let locations = freepbx.hotdesk.run(&["location", "list"]).unwrap();
    assert_eq!(locations.matches("Europe/Amsterdam").count(), 3, "{locations}");

    let pin = format!("{}#", pins["132"]);
    freepbx.dial(&desk, "*11132", &[&pin]);
    let logged_in = [("/DEVICE/201/user", "132"), ("/AMPUSER/132/device", "132&201")];
    freepbx.differs_only_in(&logged_in);
    call(&fixed, "132", &desk, "120").unwrap();
    call(&desk, "120", &fixed, "132").unwrap();
    call(&desk, "112", &trunk, "0205550901").unwrap();
    assert_eq!(broken(&freepbx.hotdesk), "");

    freepbx.undone(&before, &[]);
    call(&fixed, "201", &desk, "120").unwrap();
    desk.dial("*11132").unwrap();
    desk.wait_ended().unwrap();
    freepbx.differs_only_in(&[]);
}

fn desks_of_device_and_user_mode_by_one_command_and_back_by_another(version: Version) {
    let mut freepbx = unprepared(version, DEVICE_AND_USER, &["2001", "2002", "2003"]);
    let before = freepbx.files();
    let [desk, vacant, fixed, trunk] =
        ["2001", "2002", "2003", "trunk"].map(|name| freepbx.pbx.phone(name).unwrap());
    // FreePBX has PINs for all of them; without --phones each adhoc device is a desk.
    assert_eq!(freepbx.initialized(&[]), BTreeMap::new());
    freepbx.log_in(&vacant, "101");
    freepbx.differs_only_in(&[("/DEVICE/2002/user", "101"), ("/AMPUSER/101/device", "2002")]);
    call(&fixed, "101", &vacant, "103").unwrap();
    call(&vacant, "103", &fixed, "101").unwrap();
    call(&vacant, "112", &trunk, "0205550102").unwrap();
    freepbx.dial(&vacant, "*12", &[]);
    freepbx.differs_only_in(&[]);
    // A desk without a user, and a guest at the desk of an owner, whom undo logs out.
    call(&vacant, "112", &trunk, "0205550102").unwrap();
    freepbx.log_in(&desk, "101");
    freepbx.undone(&before, &[]);
    wait::until(super::SOON, || freepbx.hint("102").contains("PJSIP/2001"), || "102 has its phone".into());
    call(&fixed, "102", &desk, "103").unwrap();
}

fn what_freepbx_lacks_is_named_and_nothing_is_changed(version: Version) {
    let mut freepbx = unprepared(version, EXTENSIONS, &["120", "201"]);
    freepbx.put("DEVICE", "120/default_user", "131");
    freepbx.put("DEVICE", "202/emergency_cid", "");
    let before = freepbx.files();
    let custom = freepbx.pbx.path("etc/extensions_custom.conf");
    let text = fs::read_to_string(&custom).unwrap();
    for (answers, file, why) in [
        (&["--phones", "999"][..], &text[..], "the FreePBX has no PJSIP device 999"),
        (&["--phones", "120"], &text, "device 120 cannot be a desk: it is fixed"),
        (&["--phones", "all"], &text, "the extension of a desk is no user"),
        (&["--phones", "201", "--user", "209=Dan"], &text, "the users of a FreePBX are its extensions"),
        (
            &["--phones", "201", "--emergency-numbers", "112,911"],
            &text,
            "FreePBX has no outbound route for 911",
        ),
        (&["--phones", "202"], &text, "add --emergency-caller-id"),
        (&["--phones", "201"], "[from-internal-custom]\n#exec /bin/print\n", "what #exec gives is not known"),
        (&["--phones", "201"], "[from-internal-custom]\n;-- left open\n", "is not closed"),
        (&["--phones", "201", "--switch", "asterisk"], &text, "has files of a FreePBX"),
    ] {
        fs::write(&custom, file).unwrap();
        let emergency: &[&str] =
            if answers.contains(&"--emergency-numbers") { &[] } else { &["--emergency-numbers", "112"] };
        let (done, said, refused) =
            freepbx.init(&[answers, emergency, &["--zone", "Europe/Amsterdam", "--yes"]].concat());
        assert!(
            !done && refused.contains("nothing was changed") && refused.contains(why),
            "{why}: {said}\n{refused}"
        );
    }
    assert_eq!(freepbx.files(), before);
    assert_eq!(
        fs::read_dir(freepbx.hotdesk.folder()).unwrap().count(),
        1,
        "only the folder for prompts is there"
    );
    // A desk without an Emergency CID: Hotdesk has the number, and says what FreePBX lacks.
    let (_, _, said) = freepbx.init(&[
        "--phones",
        "202",
        "--emergency-numbers",
        "112",
        "--emergency-caller-id",
        "0205550902",
        "--zone",
        "UTC",
    ]);
    assert!(
        said.contains("202 has no Emergency CID in FreePBX") && said.contains("enter 0205550902"),
        "{said}"
    );
}

/// A module that the dialplan needs is missing, and init finds out only when it has loaded the dialplan.
fn after_a_failure_half_way_everything_is_as_before(version: Version) {
    let freepbx = unprepared(version, EXTENSIONS, &["120", "201"]);
    freepbx.pbx.cli("module unload app_stack.so").unwrap();
    let before = freepbx.files();
    let (done, said, refused) = freepbx.init(&[
        "--phones",
        "201",
        "--emergency-numbers",
        "112",
        "--zone",
        "Europe/Amsterdam",
        "--yes",
    ]);
    assert!(
        !done && refused.contains("everything is as before init") && refused.contains("app_stack"),
        "{said}\n{refused}"
    );
    assert_eq!(freepbx.files(), before);
    assert_eq!(rows_of(&freepbx.pbx), freepbx.before);
    assert_eq!(
        fs::read_dir(freepbx.hotdesk.folder()).unwrap().count(),
        1,
        "only the folder for prompts is there"
    );
    assert!(!freepbx.pbx.cli("dialplan show hotdesk-codes").unwrap().contains("Hotdesk"));
}
