//! A FreePBX in Device & User mode, as its AstDB and its dialplan look to a hotdesk that stands beside it.

mod check;
mod lamps;
mod mailbox;
mod rows;

use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use crate::support::ami::Ami;
use crate::support::asterisk::{Asterisk, Endpoint, Site};
use crate::support::debian::Version;
use crate::support::each::on_both;
use crate::support::hotdesk::{Hotdesk, SECRET};
use crate::support::phone::Phone;

/// Three users: 102 owns 2001, 103 has a phone of his own where nobody else logs in, and one that is none of hotdesk's.
const ROWS: [(&str, &str, &str); 35] = [
    ("AMPUSER", "101/cidname", "Alice"),
    ("AMPUSER", "101/cidnum", "101"),
    ("AMPUSER", "101/password", "729154"),
    ("AMPUSER", "101/voicemail", "default"),
    ("AMPUSER", "101/followme/ddial", "DIRECT"),
    ("AMPUSER", "101/hint", "&Custom:DND101,CustomPresence:101"),
    ("AMPUSER", "102/cidname", "Bob"),
    ("AMPUSER", "102/cidnum", "102"),
    ("AMPUSER", "102/device", "2001"),
    ("AMPUSER", "102/password", "583617"),
    ("AMPUSER", "102/voicemail", "default"),
    ("AMPUSER", "103/cidname", "Carol"),
    ("AMPUSER", "103/cidnum", "103"),
    ("AMPUSER", "103/device", "2003&2009"),
    ("AMPUSER", "103/password", "246813"),
    ("AMPUSER", "103/voicemail", "novm"),
    ("CW", "101", "ENABLED"),
    ("CF", "102", "0031201234567"),
    ("DEVICE", "2001/dial", "PJSIP/2001"),
    ("DEVICE", "2001/type", "adhoc"),
    ("DEVICE", "2001/user", "102"),
    ("DEVICE", "2001/default_user", "102"),
    ("DEVICE", "2001/emergency_cid", "0205550101"),
    ("DEVICE", "2002/dial", "PJSIP/2002"),
    ("DEVICE", "2002/type", "adhoc"),
    ("DEVICE", "2002/user", "none"),
    ("DEVICE", "2002/default_user", "none"),
    ("DEVICE", "2002/emergency_cid", "0205550102"),
    ("DEVICE", "2003/dial", "PJSIP/2003"),
    ("DEVICE", "2003/type", "fixed"),
    ("DEVICE", "2003/user", "103"),
    ("DEVICE", "2003/emergency_cid", "0205550103"),
    ("DEVICE", "2009/dial", "SIP/2009"),
    ("DEVICE", "2009/type", "adhoc"),
    ("DEVICE", "2009/user", "103"),
];

/// 2001's mailbox is its owner's, as FreePBX mapped it.
const VOICEMAIL: &str = "\
[general]
format=wav
minsecs=0
maxsilence=0
pollmailboxes=no
aliasescontext=pbxaliases
[default]
101 => 1111,Alice
102 => 1111,Bob
[pbxaliases]
2001@device => 102@default
";

/// With what FreePBX's hints name besides: without it nobody could watch them.
const MODULES: &str =
    concat!(include_str!("../support/asterisk/etc/modules.conf"), "\nload=func_presencestate.so\n");

/// How long store and switch may take to agree.
const SOON: Duration = Duration::from_secs(3);

struct FreePbx {
    pbx: Asterisk,
    hotdesk: Hotdesk,
    ami: Ami,
    /// AstDB as FreePBX left it.
    before: Vec<String>,
}

impl FreePbx {
    /// Takes over what there is, and serves.
    fn open(version: Version) -> Self {
        let site = Site::new().unwrap();
        let program: Vec<PathBuf> = vec![env!("CARGO_BIN_EXE_hotdesk").into()];
        let (ami, agi) = (site.ports.ami, site.ports.agi);
        let mut hotdesk = Hotdesk::new(&program, "sqlite:hotdesk.db", ami, agi).unwrap();
        hotdesk.configure("layout = \"freepbx\"\n[codes]\npresets = [\"freepbx\"]\n").unwrap();
        let manager = include_str!("../../dialplan/asterisk/manager.conf").replace("CHANGE-ME", SECRET);
        let phone = |device: &str| {
            Endpoint::new(device)
                .context("from-internal")
                .subscribe_context("from-internal")
                .with(&format!("callerid=device <{device}>"))
                .with(&format!("mailboxes={device}@device"))
        };
        let pbx = ["2001", "2002", "2003"]
            .into_iter()
            .fold(site, |site, device| site.endpoint(phone(device)))
            .dialplan(include_str!("dialplan.conf"))
            .sounds("en", "hotdesk", &Path::new(env!("CARGO_MANIFEST_DIR")).join("dialplan/sounds/en"))
            .file("hotdesk.conf", &hotdesk.run(&["dialplan", "asterisk"]).unwrap())
            .file("voicemail.conf", VOICEMAIL)
            .file("modules.conf", MODULES)
            .manager(&manager)
            .start(version)
            .unwrap();
        let mut ami = pbx.ami().unwrap();
        for (family, key, value) in ROWS {
            let put = ami.act("DBPut", &[("Family", family), ("Key", key), ("Val", value)]).unwrap();
            assert_eq!(put.get("Response"), "Success", "{key}: {put:?}");
        }
        hotdesk.run(&["import", "freepbx", "--switch", "pbx"]).unwrap();
        let before = rows_of(&pbx);
        assert_eq!(before.len(), ROWS.len(), "{before:?}");
        hotdesk.start().unwrap();
        Self { pbx, hotdesk, ami, before }
    }

    /// Dials a code, enters each of `entries` once its prompt is heard, and waits for the end.
    fn dial(&self, phone: &Phone, code: &str, entries: &[&str]) {
        phone.dial(code).unwrap();
        for entry in entries {
            phone.wait_audio().unwrap();
            phone.press(entry);
            phone.wait_silence().unwrap();
        }
        phone.wait_ended_within(Duration::from_secs(60)).unwrap();
    }

    fn log_in(&self, phone: &Phone, user: &str) {
        let (_, _, pin) = ROWS.iter().find(|(_, key, _)| *key == format!("{user}/password")).unwrap();
        self.dial(phone, &format!("*11{user}"), &[&format!("{pin}#")]);
        assert_eq!(self.row("DEVICE", &format!("{}/user", phone.name())).as_deref(), Some(user));
    }

    /// What stands there now.
    fn row(&self, family: &str, key: &str) -> Option<String> {
        let place = format!("/{family}/{key}=");
        self.rows().into_iter().find_map(|row| Some(row.strip_prefix(&place)?.to_owned()))
    }

    fn rows(&self) -> Vec<String> {
        rows_of(&self.pbx)
    }

    fn put(&mut self, family: &str, key: &str, value: &str) {
        let put = self.ami.act("DBPut", &[("Family", family), ("Key", key), ("Val", value)]).unwrap();
        assert_eq!(put.get("Response"), "Success", "{key}: {put:?}");
    }

    /// Waits until AstDB is as FreePBX left it, but for these rows; a row without a value is gone.
    fn differs_only_in(&self, rows: &[(&str, &str)]) {
        let mut should = self.before.clone();
        should.retain(|row| !rows.iter().any(|(key, _)| row.starts_with(&format!("{key}="))));
        should.extend(
            rows.iter().filter(|(_, value)| !value.is_empty()).map(|(key, value)| format!("{key}={value}")),
        );
        should.sort();
        let deadline = Instant::now() + SOON;
        while self.rows() != should {
            if Instant::now() > deadline {
                assert_eq!(self.rows(), should);
            }
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// The hint of a user as it stands.
    fn hint(&mut self, user: &str) -> String {
        let state = self.ami.act("ExtensionState", &[("Exten", user), ("Context", "ext-local")]).unwrap();
        state.get("Hint").to_owned()
    }
}

/// All of AstDB, as `/family/key=value`, but for what PJSIP keeps there of registrations and subscriptions.
fn rows_of(pbx: &Asterisk) -> Vec<String> {
    let shown = pbx.cli("database show").unwrap();
    let rows = shown.lines().filter(|line| line.starts_with('/'));
    let rows = rows.filter_map(|line| line.split_once(" : ").or_else(|| line.split_once(" :")));
    let rows = rows.map(|(key, value)| (key.trim(), value.trim()));
    let foreign = ["/registrar/", "/subscription_persistence/", "/pbx/"];
    let rows = rows.filter(|(key, _)| !foreign.iter().any(|family| key.starts_with(family)));
    let mut rows: Vec<String> = rows.map(|(key, value)| format!("{key}={value}")).collect();
    rows.sort();
    rows
}
