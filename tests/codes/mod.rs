//! The codes on real switches: each row of each preset dialled, no PIN left behind, and the printed dialplan sends what the
//! grammar reads.

mod canary;
mod personal;
mod printed;
mod rows;

use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use crate::freeswitch::office as freeswitch;
use crate::support::company;
use crate::support::debian::Version;
use crate::support::hotdesk::Hotdesk;
use crate::support::phone::Phone;

/// All presets that go together.
const TOGETHER: &str = "[codes]\npresets = [\"simmpl\", \"3cx\", \"xelion\", \"freepbx\", \"kazoo\", \"extras\", \"personal\"]\npinless = true\n";
/// The other one.
const AVAYA: &str = "[codes]\npresets = [\"avaya\"]\n";

/// How long store and switch may take to agree.
const SOON: Duration = Duration::from_secs(2);

/// A company, whatever its switch is.
enum Company {
    Asterisk(company::Company),
    FreeSwitch(freeswitch::Company),
}

impl Company {
    /// On an Asterisk of this version, or on a FreeSWITCH if there is one.
    fn open(version: Option<Version>, codes: &str) -> Option<Self> {
        let program = [PathBuf::from(env!("CARGO_BIN_EXE_hotdesk"))];
        match version {
            Some(version) => {
                let company = company::Company::open_with(&program, version, "sqlite:hotdesk.db", codes);
                Some(Self::Asterisk(company.unwrap()))
            }
            None => freeswitch::company_configured(codes).map(Self::FreeSwitch),
        }
    }

    fn hotdesk(&mut self) -> &mut Hotdesk {
        match self {
            Self::Asterisk(company) => &mut company.hotdesk,
            Self::FreeSwitch(company) => &mut company.hotdesk,
        }
    }

    fn phone(&self, desk: &str) -> Phone {
        match self {
            Self::Asterisk(company) => company.pbx.phone(desk).unwrap(),
            Self::FreeSwitch(company) => company.pbx.phone(desk).unwrap(),
        }
    }

    /// Who sits where, as `101@desk1`, once store and switch say the same.
    fn seats(&self) -> Vec<String> {
        match self {
            Self::Asterisk(company) => company.agreed(SOON).unwrap(),
            Self::FreeSwitch(company) => company.agreed(SOON).unwrap(),
        }
    }

    fn path(&self, within: &str) -> PathBuf {
        match self {
            Self::Asterisk(company) => company.pbx.path(within),
            Self::FreeSwitch(company) => company.pbx.path(within),
        }
    }

    fn cdrs(&self) -> String {
        match self {
            Self::Asterisk(company) => company.pbx.cdrs(),
            Self::FreeSwitch(company) => company.pbx.cdrs(),
        }
    }

    /// Writes another configuration, and has the hotdesk and the switch read it.
    fn reload(&mut self, codes: &str) {
        let hotdesk = self.hotdesk();
        let mark = hotdesk.log().len();
        hotdesk.configure(codes).unwrap();
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
                std::fs::write(company.pbx.path("conf/dialplan/hotdesk.xml"), printed).unwrap();
                company.pbx.api("reloadxml").unwrap();
            }
        }
    }
}

/// Dials, enters each of `entries` once its prompt is heard, and waits for the end; how much was heard in all.
fn dial(phone: &Phone, code: &str, entries: &[&str]) -> Duration {
    phone.dial(code).unwrap();
    for entry in entries {
        phone.wait_audio().unwrap();
        phone.press(&format!("{entry}#"));
        phone.wait_silence().unwrap();
    }
    phone.wait_ended_within(Duration::from_secs(60)).unwrap().heard
}

/// The same, but leaves what asks on.
fn dial_and_leave(phone: &Phone, code: &str, entries: &[&str]) {
    phone.dial(code).unwrap();
    for entry in entries {
        phone.wait_audio().unwrap();
        phone.press(&format!("{entry}#"));
        phone.wait_silence().unwrap();
    }
    let patience = Instant::now() + Duration::from_millis(700);
    while phone.in_call() && Instant::now() < patience {
        thread::sleep(Duration::from_millis(20));
    }
    if phone.in_call() {
        let _ = phone.hang_up();
    }
}

/// Every file below `folder`.
fn files(folder: &Path, look: &mut dyn FnMut(&Path, &[u8])) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, look);
        } else if path.is_file() {
            look(&path, &std::fs::read(&path).unwrap());
        }
    }
}

/// Each story on the newest Asterisk, the oldest, and a FreeSWITCH.
macro_rules! on_each {
    ($($story:ident)+) => {$(
        mod $story {
            use crate::support::debian::Version;

            #[test]
            fn on_the_current_asterisk() {
                super::$story(Some(Version::Current));
            }

            #[test]
            fn on_asterisk_16() {
                super::$story(Some(Version::V16));
            }

            #[test]
            fn on_a_freeswitch() {
                super::$story(None);
            }
        }
    )+};
}
use on_each;
