//! A FreePBX in both of its modes, as its AstDB and its dialplan look to a hotdesk that stands beside it.

mod blf;
mod calls;
mod check;
mod desks;
mod documented;
mod import;
mod init;
mod mwi;
mod refused;
mod rows;
mod without_user;

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::harness::ami::Ami;
use crate::harness::asterisk::{Asterisk, Endpoint, Site};
use crate::harness::debian::Version;
use crate::harness::each::on_both;
use crate::harness::hotdesk::{Hotdesk, SECRET};
use crate::harness::phone::Phone;
use crate::harness::wait;

/// Family, key and value.
type Row = (&'static str, &'static str, &'static str);

/// Three users: 102 owns 2001. 103 has a fixed device where no other user logs in, and one that hotdesk does not manage.
const DEVICE_AND_USER: &[Row] = &[
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
    // Of Queues, named after a device: no user.
    ("AMPUSER", "2003/pausequeuehint", "Queue:700_pause_Local/103@from-queue/n"),
    ("CW", "101", "ENABLED"),
    ("CFB", "102", "0031201234567"),
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
    ("DEVICE", "2003/default_user", "103"),
    ("DEVICE", "2003/emergency_cid", "0205550103"),
    ("DEVICE", "2009/dial", "SIP/2009"),
    ("DEVICE", "2009/type", "adhoc"),
    ("DEVICE", "2009/user", "103"),
];

/// 131 has a phone, 132 is virtual, 120 has nothing to do with Hotdesk. 201 and 202 are the extensions of two desks.
const EXTENSIONS: &[Row] = &[
    ("AMPUSER", "120/cidname", "Reception"),
    ("AMPUSER", "120/cidnum", "120"),
    ("AMPUSER", "120/device", "120"),
    ("AMPUSER", "120/voicemail", "novm"),
    ("AMPUSER", "131/cidname", "Ann"),
    ("AMPUSER", "131/cidnum", "131"),
    ("AMPUSER", "131/device", "131"),
    ("AMPUSER", "131/outboundcid", "0205550131"),
    ("AMPUSER", "131/password", ""),
    ("AMPUSER", "131/recording/out/internal", "force"),
    ("AMPUSER", "131/voicemail", "default"),
    ("AMPUSER", "132/cidname", "Ben"),
    ("AMPUSER", "132/cidnum", "132"),
    ("AMPUSER", "132/device", "132"),
    ("AMPUSER", "132/followme/ddial", "DIRECT"),
    ("AMPUSER", "132/followme/grplist", "132-120"),
    ("AMPUSER", "132/hint", "&Custom:DND132,CustomPresence:132"),
    ("AMPUSER", "132/outboundcid", "0205550132"),
    ("AMPUSER", "132/voicemail", "default"),
    ("AMPUSER", "201/cidname", "Desk 1"),
    ("AMPUSER", "201/cidnum", "201"),
    ("AMPUSER", "201/device", "201"),
    ("AMPUSER", "201/voicemail", "novm"),
    ("AMPUSER", "202/cidname", "Desk 2"),
    ("AMPUSER", "202/cidnum", "202"),
    ("AMPUSER", "202/device", "202"),
    ("AMPUSER", "202/voicemail", "novm"),
    ("DEVICE", "120/default_user", "120"),
    ("DEVICE", "120/dial", "PJSIP/120"),
    ("DEVICE", "120/type", "fixed"),
    ("DEVICE", "120/user", "120"),
    ("DEVICE", "131/default_user", "131"),
    ("DEVICE", "131/dial", "PJSIP/131"),
    ("DEVICE", "131/emergency_cid", "0205550913"),
    ("DEVICE", "131/type", "fixed"),
    ("DEVICE", "131/user", "131"),
    ("DEVICE", "132/default_user", "132"),
    ("DEVICE", "132/dial", "/132"),
    ("DEVICE", "132/type", "fixed"),
    ("DEVICE", "132/user", "132"),
    ("DEVICE", "201/default_user", "201"),
    ("DEVICE", "201/dial", "PJSIP/201"),
    ("DEVICE", "201/emergency_cid", "0205550901"),
    ("DEVICE", "201/type", "fixed"),
    ("DEVICE", "201/user", "201"),
    ("DEVICE", "202/default_user", "202"),
    ("DEVICE", "202/dial", "PJSIP/202"),
    ("DEVICE", "202/emergency_cid", "0205550902"),
    ("DEVICE", "202/type", "fixed"),
    ("DEVICE", "202/user", "202"),
];

/// The PINs of the users: in Extensions mode FreePBX has none.
const PINS: [(&str, &str); 5] =
    [("101", "729154"), ("102", "583617"), ("103", "246813"), ("131", "905172"), ("132", "618340")];

/// One queue, whose members are called and watched as FreePBX writes it.
const QUEUES: &str = "\
[700]
strategy=ringall
timeout=20
joinempty=unavailable,invalid,unknown
ringinuse=yes
member => Local/131@from-queue/n,0,Ann,hint:131@ext-local
member => Local/132@from-queue/n,0,Ben,hint:132@ext-local
";

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
131 => 1111,Ann
132 => 1111,Ben
[pbxaliases]
2001@device => 102@default
";

/// With the module that FreePBX's hints need: without it no phone could subscribe to them.
const MODULES: &str =
    concat!(include_str!("../harness/asterisk/etc/modules.conf"), "\nload=func_presencestate.so\n");

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
    /// In Device & User mode, after the import, with a hotdesk that serves.
    fn open(version: Version) -> Self {
        let phone = |device: &str| phone(device, &format!("{device}@device"));
        let phones = ["2001", "2002", "2003"].map(phone);
        Self::with(version, DEVICE_AND_USER, &phones, &[], &["101", "102", "103"])
    }

    /// In Extensions mode: the same, with the desks 201 and 202.
    fn extensions(version: Version) -> Self {
        let phones = [("120", ""), ("131", "131@default"), ("201", ""), ("202", "")];
        let phones = phones.map(|(device, mailbox)| phone(device, mailbox));
        let freepbx =
            Self::with(version, EXTENSIONS, &phones, &["--desks", "201,202"], &["120", "131", "132"]);
        for (user, pin) in PINS.iter().filter(|(user, _)| ["131", "132"].contains(user)) {
            freepbx.hotdesk.run_with(&["user", "pin", user], &format!("{pin}\n")).unwrap();
        }
        freepbx
    }

    /// Takes over what there is, and serves.
    fn with(version: Version, rows: &[Row], phones: &[Endpoint], import: &[&str], known: &[&str]) -> Self {
        let site = Site::new().unwrap();
        let program: Vec<PathBuf> = vec![env!("CARGO_BIN_EXE_hotdesk").into()];
        let (ami, agi) = (site.ports.ami, site.ports.agi);
        let mut hotdesk = Hotdesk::new(&program, "sqlite:hotdesk.db", ami, agi).unwrap();
        hotdesk.configure("layout = \"freepbx\"\n[codes]\npresets = [\"freepbx\"]\n").unwrap();
        let manager = include_str!("../../dialplan/asterisk/manager.conf").replace("CHANGE-ME", SECRET);
        let pbx = phones
            .iter()
            .fold(site, |site, phone| site.endpoint(phone.clone()))
            .endpoint(Endpoint::new("trunk").context("from-trunk"))
            .dialplan(include_str!("dialplan.conf"))
            .sounds("en", "hotdesk", &Path::new(env!("CARGO_MANIFEST_DIR")).join("dialplan/sounds/en"))
            .file("hotdesk.conf", &hotdesk.run(&["dialplan", "asterisk"]).unwrap())
            .file("voicemail.conf", VOICEMAIL)
            .file("queues.conf", QUEUES)
            .file("modules.conf", MODULES)
            .manager(&manager)
            .start(version)
            .unwrap();
        let mut ami = pbx.ami().unwrap();
        for (family, key, value) in rows {
            let put = ami.act("DBPut", &[("Family", family), ("Key", key), ("Val", value)]).unwrap();
            assert_eq!(put.get("Response"), "Success", "{key}: {put:?}");
        }
        hotdesk.run(&[&["import", "freepbx", "--switch", "pbx"], import].concat()).unwrap();
        let users: serde_json::Value =
            serde_json::from_str(&hotdesk.run(&["user", "list", "--json"]).unwrap()).unwrap();
        let users: Vec<&str> =
            users.as_array().unwrap().iter().filter_map(|user| user["extension"].as_str()).collect();
        assert_eq!(users, known);
        let before = rows_of(&pbx);
        assert_eq!(before.len(), rows.len(), "{before:?}");
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
        let (_, pin) = PINS.iter().find(|(known, _)| *known == user).unwrap();
        self.dial(phone, &format!("*11{user}"), &[&format!("{pin}#")]);
        assert_eq!(self.row("DEVICE", &format!("{}/user", phone.name())).as_deref(), Some(user));
    }

    /// The present value of a row.
    fn row(&self, family: &str, key: &str) -> Option<String> {
        let place = format!("/{family}/{key}=");
        self.rows().into_iter().find_map(|row| Some(row.strip_prefix(&place)?.to_owned()))
    }

    fn rows(&self) -> Vec<String> {
        rows_of(&self.pbx)
    }

    /// Puts a row; without a value the row goes.
    fn put(&mut self, family: &str, key: &str, value: &str) {
        if value.is_empty() {
            self.pbx.cli(&format!("database del {family} {key}")).unwrap();
            return;
        }
        let put = self.ami.act("DBPut", &[("Family", family), ("Key", key), ("Val", value)]).unwrap();
        assert_eq!(put.get("Response"), "Success", "{key}: {put:?}");
    }

    /// Waits until Hotdesk has compared all of it, as it does each minute.
    fn reload(&mut self) {
        let mark = self.hotdesk.log().len();
        self.pbx.cli("module reload app_dial.so").unwrap();
        self.hotdesk.wait_for_log(mark, "event=\"table.reconciled\"").unwrap();
    }

    /// Waits until AstDB is as FreePBX left it, but for these rows; a row without a value is gone.
    fn differs_only_in(&self, rows: &[(&str, &str)]) {
        let mut should = self.before.clone();
        should.retain(|row| !rows.iter().any(|(key, _)| row.starts_with(&format!("{key}="))));
        should.extend(
            rows.iter().filter(|(_, value)| !value.is_empty()).map(|(key, value)| format!("{key}={value}")),
        );
        should.sort();
        let state = || format!("{:#?}\nand not {should:#?}", self.rows());
        wait::until(SOON, || self.rows() == should, state);
    }

    /// The current hint of a user.
    fn hint(&mut self, user: &str) -> String {
        let state = self.ami.act("ExtensionState", &[("Exten", user), ("Context", "ext-local")]).unwrap();
        state.get("Hint").to_owned()
    }
}

/// An endpoint as FreePBX writes it.
fn phone(device: &str, mailbox: &str) -> Endpoint {
    Endpoint::new(device)
        .context("from-internal")
        .subscribe_context("from-internal")
        .with(&format!("callerid=device <{device}>"))
        .with(&format!("mailboxes={mailbox}"))
}

/// All of AstDB, as `/family/key=value`, but for the mark of the store, and what PJSIP keeps there of registrations and
/// subscriptions.
fn rows_of(pbx: &Asterisk) -> Vec<String> {
    let shown = pbx.cli("database show").unwrap();
    let rows = shown.lines().filter(|line| line.starts_with('/'));
    let rows = rows.filter_map(|line| line.split_once(" : ").or_else(|| line.split_once(" :")));
    let rows = rows.map(|(key, value)| (key.trim(), value.trim()));
    let foreign = [
        "/registrar/",
        "/subscription_persistence/",
        "/pbx/",
        "/hotdesk/store",
        "/Queue/",
        "/CustomDevstate/",
    ];
    let rows = rows.filter(|(key, _)| !foreign.iter().any(|family| key.starts_with(family)));
    let mut rows: Vec<String> = rows.map(|(key, value)| format!("{key}={value}")).collect();
    rows.sort();
    rows
}
