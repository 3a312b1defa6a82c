//! A company on any switch.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Result;
use hotdesk::freeswitch::table::rows::RELATIONS;

use crate::freeswitch_e2e::site as freeswitch;
use crate::harness::company::{self, one_touch};
use crate::harness::debian::Version;
use crate::harness::freeswitch::DOMAIN;
use crate::harness::hotdesk::Hotdesk;
use crate::harness::phone::Phone;
use crate::harness::process::Signal;
use crate::harness::wait;

/// How long store and switch may take to agree.
const SOON: Duration = Duration::from_secs(2);

/// A company that is open.
pub enum Company {
    Asterisk(company::Company),
    FreeSwitch(freeswitch::Company),
}

/// Contexts that a test adds to those of each company: for Asterisk, and for FreeSWITCH.
#[derive(Clone, Copy, Debug, Default)]
pub struct Contexts {
    pub asterisk: &'static str,
    pub freeswitch: &'static str,
}

impl Company {
    /// On an Asterisk of this version, or on a FreeSWITCH if there is one; with `more` in its configuration.
    pub fn open(version: Option<Version>, more: &str) -> Option<Self> {
        Self::open_with(version, more, Contexts::default())
    }

    /// The same, with these contexts in its dialplan.
    pub fn open_with(version: Option<Version>, more: &str, contexts: Contexts) -> Option<Self> {
        let Some(version) = version else {
            return freeswitch::company_at(more, contexts.freeswitch).map(Self::FreeSwitch);
        };
        let program = [PathBuf::from(env!("CARGO_BIN_EXE_hotdesk"))];
        let store = "sqlite:hotdesk.db";
        let company = company::Company::open_at(&program, version, store, more, contexts.asterisk);
        Some(Self::Asterisk(company.unwrap()))
    }

    /// With its store at `store`.
    pub fn open_on(version: Option<Version>, store: &str) -> Option<Self> {
        let Some(version) = version else {
            return freeswitch::company_with(store, |_| String::new()).map(Self::FreeSwitch);
        };
        let program = [PathBuf::from(env!("CARGO_BIN_EXE_hotdesk"))];
        Some(Self::Asterisk(company::Company::open(&program, version, store).unwrap()))
    }

    pub fn hotdesk(&mut self) -> &mut Hotdesk {
        match self {
            Self::Asterisk(company) => &mut company.hotdesk,
            Self::FreeSwitch(company) => &mut company.hotdesk,
        }
    }

    /// Runs one of hotdesk's commands, which must succeed.
    pub fn run(&self, args: &[&str]) -> String {
        let hotdesk = match self {
            Self::Asterisk(company) => &company.hotdesk,
            Self::FreeSwitch(company) => &company.hotdesk,
        };
        hotdesk.run(args).unwrap()
    }

    pub fn phone(&self, name: &str) -> Phone {
        match self {
            Self::Asterisk(company) => company.pbx.phone(name).unwrap(),
            Self::FreeSwitch(company) => company.pbx.phone(name).unwrap(),
        }
    }

    /// Lets several phones register as `device` at once. Before, the last one takes the place of the others.
    pub fn share(&mut self, device: &str) {
        match self {
            Self::Asterisk(company) => company.pbx.share(device, "").unwrap(),
            Self::FreeSwitch(company) => {
                // FreeSWITCH decides it by profile, and reads that at its start.
                let path = company.pbx.path("conf/freeswitch.xml");
                let conf = fs::read_to_string(&path).unwrap();
                let settings = "<param name=\"sip-ip\"";
                let shared = format!("<param name=\"multiple-registrations\" value=\"contact\"/>{settings}");
                fs::write(&path, conf.replacen(settings, &shared, 1)).unwrap();
                self.restart_switch();
            }
        }
    }

    /// The class of service of users who may call outside.
    pub const fn outside(&self) -> &'static str {
        match self {
            Self::Asterisk(_) => "from-internal",
            Self::FreeSwitch(_) => "default",
        }
    }

    /// Adds a device at its own location.
    pub fn add_desk(&self, desk: &str, emergency: &str) {
        match self {
            Self::Asterisk(company) => company.hotdesk.add_desk(desk, emergency).unwrap(),
            Self::FreeSwitch(company) => company.hotdesk.add_desk(desk, emergency).unwrap(),
        }
    }

    /// Logs a user in at `phone` with the one-touch code.
    pub fn log_in(&self, phone: &Phone, user: &str) {
        dial(phone, &one_touch(user), &[]);
        let session = format!("{user}@{}", phone.name());
        assert!(self.sessions().contains(&session), "{session} is not among {:?}", self.sessions());
    }

    /// The sessions, as `101@desk1`, once store and switch agree.
    pub fn sessions(&self) -> Vec<String> {
        self.agreed().unwrap()
    }

    /// The same, or an error when store and switch do not agree in time.
    pub fn agreed(&self) -> Result<Vec<String>> {
        match self {
            Self::Asterisk(company) => company.agreed(SOON),
            Self::FreeSwitch(company) => company.agreed(SOON),
        }
    }

    /// Deletes the row of a device from the switch.
    pub fn delete_row(&self, device: &str) {
        match self {
            Self::Asterisk(company) => {
                let key = format!("device/{device}");
                let row = [("Family", "hotdesk"), ("Key", key.as_str())];
                company.pbx.ami().unwrap().act("DBDel", &row).unwrap();
            }
            Self::FreeSwitch(company) => {
                company.pbx.api(&format!("db delete/hotdesk-device-default/{device}")).unwrap();
            }
        }
    }

    /// Hotdesk's rows in the switch, by their keys, without the mark of the store.
    pub fn table(&self) -> BTreeMap<String, String> {
        match self {
            Self::Asterisk(company) => {
                let rows = company.pbx.ami().unwrap().list("DBGetTree", &[("Family", "hotdesk")]).unwrap();
                let rows = rows.iter().map(|row| (row.get("Key").to_owned(), row.get("Val").to_owned()));
                rows.filter(|(key, _)| key != "/hotdesk/store").collect()
            }
            Self::FreeSwitch(company) => {
                let api = |command: &str| company.pbx.api(command).unwrap();
                let of = |relation: &str| -> Vec<(String, String)> {
                    let keys = api(&format!("db list/{relation}-default"));
                    let keys = keys.split(',').filter(|key| !key.is_empty() && !key.starts_with('-'));
                    keys.map(|key| format!("{relation}-default/{key}"))
                        .map(|key| (key.clone(), api(&format!("db select/{key}"))))
                        .collect()
                };
                RELATIONS.iter().flat_map(|relation| of(relation)).collect()
            }
        }
    }

    /// A path within the switch's folder.
    pub fn path(&self, within: &str) -> PathBuf {
        match self {
            Self::Asterisk(company) => company.pbx.path(within),
            Self::FreeSwitch(company) => company.pbx.path(within),
        }
    }

    pub fn cdrs(&self) -> String {
        match self {
            Self::Asterisk(company) => company.pbx.cdrs(),
            Self::FreeSwitch(company) => company.pbx.cdrs(),
        }
    }

    /// Has an Asterisk write CDRs and CEL with each of its modules that writes to files or to AMI.
    pub fn record_all(&self) {
        let Self::Asterisk(company) = self else { return };
        let quoted = |names: &[&str]| -> String {
            names.iter().map(|name| format!("${{CSV_QUOTE(${{{name}}})}}")).collect::<Vec<_>>().join(",")
        };
        let cdr =
            ["clid", "src", "dst", "dcontext", "channel", "dstchannel", "lastapp", "lastdata", "userfield"];
        let cdr = cdr.map(|name| format!("CDR({name})"));
        let cdr = quoted(&cdr.iter().map(String::as_str).collect::<Vec<_>>());
        let cel = ["eventtype", "CALLERID(num)", "CALLERID(dnid)", "CALLERID(rdnis)", "CHANNEL(exten)"];
        let more = ["CHANNEL(context)", "CHANNEL(appname)", "CHANNEL(appdata)", "userdeftype", "eventextra"];
        let cel = quoted(&[cel, more].concat());
        let files = [
            ("cdr_custom.conf", format!("[mappings]\nMaster.csv => {cdr}\n")),
            ("cdr_manager.conf", "[general]\nenabled=yes\n".into()),
            ("cel.conf", "[general]\nenable=yes\napps=all\nevents=ALL\n[manager]\nenabled=yes\n".into()),
            ("cel_custom.conf", format!("[mappings]\nMaster.csv => {cel}\n")),
        ];
        for (file, text) in &files {
            company.pbx.write(file, text).unwrap();
        }
        for folder in ["log/cdr-custom", "log/cel-custom"] {
            fs::create_dir_all(company.pbx.path(folder)).unwrap();
        }
        company.pbx.cli("module reload cel").unwrap();
        // Asterisk 22 has what both kinds of custom files share in a module of its own.
        let _ = company.pbx.cli("module load res_cdrel_custom.so");
        for module in ["cdr_custom", "cdr_manager", "cel_custom", "cel_manager"] {
            let loaded = company.pbx.cli(&format!("module load {module}.so")).unwrap();
            assert!(loaded.contains("Loaded"), "{module}: {loaded}");
        }
    }

    /// The CDRs in each form of the switch, once those of all calls so far are written. Where codes have none, an ordinary call
    /// from `desk3`, at which no user may be logged in, shows that the switch writes them.
    pub fn cdrs_by_form(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Asterisk(company) => {
                let custom = fs::read_to_string(company.pbx.path("log/cdr-custom/Master.csv"));
                [("csv", Ok(company.pbx.cdrs())), ("custom", custom)]
                    .into_iter()
                    .filter_map(|(form, cdrs)| Some((form, cdrs.ok()?)))
                    .collect()
            }
            Self::FreeSwitch(company) => {
                company.pbx.cdrs_after_a_refused_call(&self.phone("desk3")).unwrap().into()
            }
        }
    }

    /// Whether the switch keeps CDRs of codes. Those of a FreeSWITCH could hold a PIN.
    pub const fn records_codes(&self) -> bool {
        matches!(self, Self::Asterisk(_))
    }

    /// What the switch logged so far, each step of the dialplan in it.
    pub fn log(&self) -> String {
        match self {
            Self::Asterisk(company) => company.pbx.log(),
            Self::FreeSwitch(company) => company.pbx.log(),
        }
    }

    /// Restarts the switch. Waits until its table is reconciled and it takes calls.
    pub fn restart_switch(&mut self) {
        let mark = self.hotdesk().log().len();
        self.restart_switch_alone();
        self.hotdesk().wait_reconnected(mark).unwrap();
    }

    /// Restarts the switch while hotdesk does not run.
    pub fn restart_switch_alone(&mut self) {
        match self {
            Self::Asterisk(company) => company.pbx.restart().unwrap(),
            Self::FreeSwitch(company) => company.pbx.restart().unwrap(),
        }
    }

    /// Kills the switch without a shutdown.
    pub fn kill_switch(&mut self) {
        match self {
            Self::Asterisk(company) => company.pbx.kill().unwrap(),
            Self::FreeSwitch(company) => company.pbx.kill().unwrap(),
        }
    }

    /// Starts a killed switch.
    pub fn start_switch(&mut self) {
        match self {
            Self::Asterisk(company) => company.pbx.start().unwrap(),
            Self::FreeSwitch(company) => company.pbx.start().unwrap(),
        }
    }

    /// Whether its switch has queues: a FreeSWITCH may have been built without.
    pub fn has_queues(&self) -> bool {
        match self {
            Self::Asterisk(_) => true,
            Self::FreeSwitch(company) => company.pbx.api("module_exists mod_callcenter").unwrap() == "true",
        }
    }

    /// Restarts the switch, which then knows of no phone.
    pub fn restart_switch_without_phones(&mut self) {
        let mark = self.hotdesk().log().len();
        match self {
            Self::Asterisk(company) => {
                company.pbx.cli("database deltree registrar").unwrap();
                company.pbx.restart().unwrap();
            }
            Self::FreeSwitch(company) => {
                company.pbx.stop().unwrap();
                fs::remove_file(company.pbx.path("db/sofia_reg_internal.db")).unwrap();
                company.pbx.start().unwrap();
            }
        }
        self.hotdesk().wait_reconnected(mark).unwrap();
        let known = match self {
            Self::Asterisk(company) => company.pbx.cli("pjsip show contacts").unwrap(),
            Self::FreeSwitch(company) => {
                company.pbx.api(&format!("sofia_contact */desk1@{DOMAIN}")).unwrap().replace("desk1@", "")
            }
        };
        assert!(!known.contains("desk1"), "{known}");
    }

    /// Makes the switch read its unchanged dialplan again.
    pub fn reload_dialplan(&mut self) {
        let mark = self.hotdesk().log().len();
        match self {
            Self::Asterisk(company) => {
                company.pbx.cli("dialplan reload").unwrap();
                self.hotdesk().wait_for_log(mark, "event=\"table.reconciled\"").unwrap();
            }
            Self::FreeSwitch(company) => drop(company.pbx.api("reloadxml").unwrap()),
        }
    }

    /// Replaces the messages in a user's mailbox by so many new ones.
    pub fn messages(&self, user: &str, new: u32) {
        match self {
            Self::Asterisk(company) => {
                let inbox = company.pbx.path(&format!("spool/voicemail/default/{user}/INBOX"));
                let _ = fs::remove_dir_all(&inbox);
                fs::create_dir_all(&inbox).unwrap();
                for n in 0..new {
                    let of = format!("[message]\norigmailbox={user}\n");
                    fs::write(inbox.join(format!("msg{n:04}.txt")), of).unwrap();
                    fs::write(inbox.join(format!("msg{n:04}.wav")), "").unwrap();
                }
                // Debian's Asterisk 16 has no voicemail, and refuses.
                company.pbx.ami().unwrap().act("VoicemailRefresh", &[("Mailbox", user)]).unwrap();
            }
            Self::FreeSwitch(company) => {
                company.pbx.api(&format!("vm_delete {user}@{DOMAIN}")).unwrap();
                let sound = concat!(env!("CARGO_MANIFEST_DIR"), "/dialplan/sounds/en/locked.wav");
                for _ in 0..new {
                    let done = company.pbx.api(&format!("vm_inject {user}@{DOMAIN} {sound}")).unwrap();
                    assert!(done.starts_with("+OK"), "{done}");
                }
            }
        }
    }

    /// Writes another configuration, and has the hotdesk and the switch read it.
    pub fn reload(&mut self, more: &str) {
        let hotdesk = self.hotdesk();
        let mark = hotdesk.log().len();
        hotdesk.configure(more).unwrap();
        hotdesk.signal(Signal::HUP).unwrap();
        hotdesk.wait_for_log(mark, "event=\"reload.done\"").unwrap();
        match self {
            Self::Asterisk(company) => {
                let printed = company.hotdesk.run(&["dialplan", "asterisk"]).unwrap();
                company.pbx.write("hotdesk.conf", &printed).unwrap();
                company.pbx.cli("dialplan reload").unwrap();
            }
            Self::FreeSwitch(company) => {
                let printed = company.hotdesk.run(&["dialplan", "freeswitch"]).unwrap();
                fs::write(company.pbx.path("conf/dialplan/hotdesk.xml"), printed).unwrap();
                company.pbx.api("reloadxml").unwrap();
            }
        }
    }
}

/// Registers once a switch that was restarted takes registrations again.
pub fn registered(phone: &Phone) {
    let refused = || format!("{} cannot register", phone.name());
    wait::until(Duration::from_secs(20), || phone.register().is_ok(), refused);
}

/// Dials, enters each of `entries` once its prompt is heard, and waits for the end; how much was heard in all.
pub fn dial(phone: &Phone, code: &str, entries: &[&str]) -> Duration {
    phone.dial(code).unwrap();
    for entry in entries {
        phone.wait_audio().unwrap();
        phone.press(&format!("{entry}#"));
        phone.wait_silence().unwrap();
    }
    phone.wait_ended_within(Duration::from_secs(60)).unwrap().heard
}
