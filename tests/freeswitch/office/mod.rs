//! A whole company: real phones on a real FreeSWITCH, a real hotdesk beside it.

mod canary;
mod check;
mod crash;
mod cut;
mod emergency;
mod lamps;
mod leaving;
mod load;
mod outbound;
mod queues;
mod refusals;
mod removed;
mod rights;
mod several;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Result;

use crate::support::company::{self, DESKS, USERS};
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
fn company_configured(more: &str) -> Option<Company> {
    company_at(more, "")
}

/// The same, with these contexts of the site's own besides.
pub fn company_at(more: &str, contexts: &str) -> Option<Company> {
    open_at("sqlite:hotdesk.db", |_| String::new(), more, contexts)
}

/// A company with another store, and more keys of its switch for the port that is left for its calls.
fn company_with(store: &str, keys: impl Fn(SocketAddr) -> String) -> Option<Company> {
    open(store, keys, "")
}

/// One whose store is at `store`, with these keys of its switch, and `more` in its configuration.
fn open(store: &str, keys: impl Fn(SocketAddr) -> String, more: &str) -> Option<Company> {
    open_at(store, keys, more, "")
}

/// The same, with these contexts of the site's own besides.
fn open_at(store: &str, keys: impl Fn(SocketAddr) -> String, more: &str, contexts: &str) -> Option<Company> {
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
        .user(User::new("softphone"))
        .user(other("mobile", "0687654321"))
        .dialplan(super::SITE)
        .dialplan(contexts);
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
    fn dial_code(&self, phone: &Phone, code: &str, entries: &[&str]) -> Result<Duration> {
        company::dial_code(phone, code, entries)
    }

    fn log_in(&self, phone: &Phone, user: &str) -> Result<()> {
        company::log_in(&self.hotdesk, phone, user)
    }

    fn seats(&self) -> Result<Vec<String>> {
        company::seats(&self.hotdesk)
    }

    /// Who has logged in where by the switch's own table, likewise. An owner has not: his rows are of revision 0.
    fn rows(&self) -> Result<Vec<String>> {
        let mut esl = self.pbx.esl()?;
        let mut seats = vec![];
        for (desk, _) in DESKS {
            let row = esl.api(&format!("db select/hotdesk-device-default/{desk}"))?;
            let (user, rest) = row.split_once('|').unwrap_or_default();
            if !user.is_empty() && !rest.starts_with("0|") {
                seats.push(format!("{user}@{desk}"));
            }
        }
        Ok(seats)
    }

    pub fn agreed(&self, within: Duration) -> Result<Vec<String>> {
        company::agreed(&self.hotdesk, || self.rows(), within)
    }
}
