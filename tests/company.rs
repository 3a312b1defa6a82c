//! A company, whatever its switch is.

use std::fs;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use crate::freeswitch::office as freeswitch;
use crate::support::company::{self, one_touch};
use crate::support::debian::Version;
use crate::support::freeswitch::DOMAIN;
use crate::support::hotdesk::Hotdesk;
use crate::support::phone::Phone;

/// How long store and switch may take to agree.
const SOON: Duration = Duration::from_secs(2);

/// A company that is open.
pub enum Company {
    Asterisk(company::Company),
    FreeSwitch(freeswitch::Company),
}

/// Contexts of the site's own besides those that each company has: for an Asterisk, and for a FreeSWITCH.
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

    /// One whose dialplan has these contexts, too.
    pub fn open_with(version: Option<Version>, more: &str, contexts: Contexts) -> Option<Self> {
        let Some(version) = version else {
            return freeswitch::company_at(more, contexts.freeswitch).map(Self::FreeSwitch);
        };
        let program = [PathBuf::from(env!("CARGO_BIN_EXE_hotdesk"))];
        let store = "sqlite:hotdesk.db";
        let company = company::Company::open_at(&program, version, store, more, contexts.asterisk);
        Some(Self::Asterisk(company.unwrap()))
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

    /// Adds a desk in a room of its own.
    pub fn add_desk(&self, desk: &str, emergency: &str) {
        match self {
            Self::Asterisk(company) => company.hotdesk.add_desk(desk, emergency).unwrap(),
            Self::FreeSwitch(company) => company.hotdesk.add_desk(desk, emergency).unwrap(),
        }
    }

    /// Logs a user in at `phone` with his one-touch code.
    pub fn log_in(&self, phone: &Phone, user: &str) {
        dial(phone, &one_touch(user), &[]);
        let seat = format!("{user}@{}", phone.name());
        assert!(self.seats().contains(&seat), "{seat} is not among {:?}", self.seats());
    }

    /// Who sits where, as `101@desk1`, once store and switch say the same.
    pub fn seats(&self) -> Vec<String> {
        match self {
            Self::Asterisk(company) => company.agreed(SOON).unwrap(),
            Self::FreeSwitch(company) => company.agreed(SOON).unwrap(),
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

    /// What the switch logged so far, each step of the dialplan in it.
    pub fn log(&self) -> String {
        match self {
            Self::Asterisk(company) => company.pbx.log(),
            Self::FreeSwitch(company) => company.pbx.log(),
        }
    }

    /// Restarts the switch, and waits until its table is in step and it takes calls.
    pub fn restart_switch(&mut self) {
        let mark = self.hotdesk().log().len();
        self.restart_switch_alone();
        self.hotdesk().wait_for_log(mark, "event=\"table.settled\"").unwrap();
    }

    /// Restarts the switch, while no hotdesk is there.
    pub fn restart_switch_alone(&mut self) {
        match self {
            Self::Asterisk(company) => company.pbx.restart().unwrap(),
            Self::FreeSwitch(company) => company.pbx.restart().unwrap(),
        }
    }

    /// Whether its switch has queues: an Asterisk of ours has, a FreeSWITCH may have been built without.
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
        self.hotdesk().wait_for_log(mark, "event=\"table.settled\"").unwrap();
        let known = match self {
            Self::Asterisk(company) => company.pbx.cli("pjsip show contacts").unwrap(),
            Self::FreeSwitch(company) => {
                company.pbx.api(&format!("sofia_contact */desk1@{DOMAIN}")).unwrap().replace("desk1@", "")
            }
        };
        assert!(!known.contains("desk1"), "{known}");
    }

    /// Has the switch read its dialplan anew, as it is.
    pub fn reload_dialplan(&mut self) {
        let mark = self.hotdesk().log().len();
        match self {
            Self::Asterisk(company) => {
                company.pbx.cli("dialplan reload").unwrap();
                self.hotdesk().wait_for_log(mark, "event=\"table.settled\"").unwrap();
            }
            Self::FreeSwitch(company) => drop(company.pbx.api("reloadxml").unwrap()),
        }
    }

    /// Puts so many new messages into a user's box, in place of those that were there.
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
        hotdesk.signal("HUP").unwrap();
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
    let deadline = Instant::now() + Duration::from_secs(20);
    while phone.register().is_err() {
        assert!(Instant::now() < deadline, "{} cannot register", phone.name());
        thread::sleep(Duration::from_millis(50));
    }
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
