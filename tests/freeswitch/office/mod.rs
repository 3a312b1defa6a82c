//! A whole company: real phones on a real FreeSWITCH, a real hotdesk beside it.

mod canary;
mod check;
mod crash;
mod cut;
mod emergency;
mod following;
mod lamps;
mod leaving;
mod load;
mod login;
mod mwi;
mod outbound;
mod queues;
mod refusals;
mod removed;
mod rights;
mod several;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use crate::support::company::{DESKS, USERS, one_touch};
use crate::support::freeswitch::{ESL_USER_PASSWORD, FreeSwitch, Site, User, installed};
use crate::support::hotdesk::Hotdesk;
use crate::support::phone::Phone;

/// The hotdesk phones that FreeSWITCH knows, `desk1` and so on; the company has those of [`DESKS`].
const PHONES: usize = 12;
/// How long store and switch may take to agree.
const SOON: Duration = Duration::from_secs(2);

/// A company that is open.
pub struct Company {
    pub pbx: FreeSwitch,
    pub hotdesk: Hotdesk,
}

fn company() -> Option<Company> {
    company_with("sqlite:hotdesk.db", |_| String::new())
}

/// One with `more` in its configuration.
pub fn company_configured(more: &str) -> Option<Company> {
    open("sqlite:hotdesk.db", |_| String::new(), more)
}

/// A company with another store, and more keys of its switch for the port that is left for its calls.
fn company_with(store: &str, keys: impl Fn(SocketAddr) -> String) -> Option<Company> {
    open(store, keys, "")
}

/// One whose store is at `store`, with these keys of its switch, and `more` in its configuration.
fn open(store: &str, keys: impl Fn(SocketAddr) -> String, more: &str) -> Option<Company> {
    let install = installed()?;
    let site = Site::new().unwrap();
    let program = [PathBuf::from(env!("CARGO_BIN_EXE_hotdesk"))];
    let keys = keys(site.ports.agi);
    let hotdesk = Hotdesk::beside_freeswitch(&program, store, site.ports.ami).unwrap();
    let mut hotdesk = hotdesk.with_least_rights(&keys).unwrap();
    hotdesk.configure(more).unwrap();
    let out = hotdesk.path("tree");
    hotdesk.run(&["dialplan", "freeswitch", "--out", &out.display().to_string()]).unwrap();
    let mut files = vec![];
    super::below(&out, &mut files);
    let directory = std::fs::read_to_string(out.join("directory.xml.example")).unwrap();
    let (_, dial_string) = directory.split_once("name=\"dial-string\" value=\"").unwrap();
    let (dial_string, _) = dial_string.split_once('"').unwrap();
    let (_, user) = directory.split_once("<user id=\"hotdesk\">").unwrap();
    let mut user = format!("<user id=\"hotdesk\">{}", user.replace("CHANGE-ME", ESL_USER_PASSWORD));
    if more.contains("stay_call = true") {
        user = user.replace("esl-allowed-api\" value=\"", "esl-allowed-api\" value=\"originate ");
    }
    let other = |name: &str, number: &str| {
        User::new(name).context("default").with("effective_caller_id_number", number)
    };
    let site = site
        .desks(PHONES)
        .user(other("colleague", "199"))
        .user(other("trunk", "0612345678").context("outside"))
        .dial_string(dial_string)
        .entry(&user)
        .dialplan(super::SITE);
    let site = USERS.iter().fold(site, |site, (extension, ..)| site.mailbox(extension));
    let pbx = files
        .iter()
        .fold(site, |site, file| {
            let within = file.strip_prefix(&out).unwrap().display().to_string();
            site.file(super::installed_at(&within), std::fs::read(file).unwrap())
        })
        .start(&install)
        .unwrap();
    for (extension, name, pin) in USERS {
        hotdesk.add_user(extension, name, pin).unwrap();
    }
    for (desk, emergency) in DESKS {
        hotdesk.add_desk(desk, emergency).unwrap();
    }
    hotdesk.start().unwrap();
    Some(Company { pbx, hotdesk })
}

impl Company {
    /// Dials `code` at `phone`, enters each of `entries` once its prompt is heard, and waits for the end; how much was
    /// heard in all.
    fn dial_code(&self, phone: &Phone, code: &str, entries: &[&str]) -> Result<Duration> {
        phone.dial(code)?;
        for entry in entries {
            phone.wait_audio()?;
            phone.press(entry);
            phone.wait_silence()?;
        }
        Ok(phone.wait_ended_within(Duration::from_secs(60))?.heard)
    }

    /// Logs a user in at `phone` with his one-touch code.
    fn log_in(&self, phone: &Phone, user: &str) -> Result<()> {
        self.dial_code(phone, &one_touch(user), &[])?;
        let seat = format!("{user}@{}", phone.name());
        let seats = self.seats()?;
        ensure!(seats.contains(&seat), "{seat} is not among {seats:?}");
        Ok(())
    }

    /// Who sits where, as `101@desk1`, in the order of the devices.
    fn seats(&self) -> Result<Vec<String>> {
        let status: serde_json::Value = serde_json::from_str(&self.hotdesk.run(&["status", "--json"])?)?;
        let seat = |row: &serde_json::Value| {
            format!("{}@{}", row["user"].as_str().unwrap_or("?"), row["device"].as_str().unwrap_or("?"))
        };
        Ok(status.as_array().map(|rows| rows.iter().map(seat).collect()).unwrap_or_default())
    }

    /// Who sits where by the switch's own table, likewise.
    fn rows(&self) -> Result<Vec<String>> {
        let mut esl = self.pbx.esl()?;
        let mut seats = vec![];
        for (desk, _) in DESKS {
            let row = esl.api(&format!("db select/hotdesk-device-default/{desk}"))?;
            let user = row.split('|').next().unwrap_or_default();
            if !user.is_empty() && !user.starts_with('-') {
                seats.push(format!("{user}@{desk}"));
            }
        }
        Ok(seats)
    }

    /// Waits until store and switch agree, `within` at most; who sits where then.
    pub fn agreed(&self, within: Duration) -> Result<Vec<String>> {
        let deadline = Instant::now() + within;
        loop {
            let (seats, rows) = (self.seats()?, self.rows()?);
            if seats == rows {
                return Ok(seats);
            }
            ensure!(
                Instant::now() < deadline,
                "the store has {seats:?}, the switch {rows:?} after {within:?}"
            );
            thread::sleep(Duration::from_millis(20));
        }
    }
}
