//! What init must know: taken from the options, else asked at a terminal.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::io::{IsTerminal as _, stdin};
use std::path::PathBuf;
use std::str::FromStr;

use anyhow::{Result, anyhow, ensure};
use jiff::tz::TimeZone;

use crate::cli::output::{self, List};
use crate::model::directory::location::Zone;
use crate::model::emergency;
use crate::model::id::{Context, DisplayName, EmergencyNumber, Extension, LocationName, Number};

/// The options; what is missing is asked.
#[derive(Debug, clap::Args)]
pub(super) struct Questions {
    /// Phones that become hotdesks: names of endpoints, or all
    #[arg(long, value_name = "NAMES")]
    phones: Option<List<String>>,
    /// User without a phone of their own; can be repeated. Each hotdesk phone's extension is a user already
    #[arg(long, value_name = "EXT=NAME", value_parser = user)]
    pub(super) user: Vec<(Extension, Option<DisplayName>)>,
    /// CSV file of users, as hotdesk import takes it, also with PINs
    #[arg(long, value_name = "FILE")]
    users: Option<PathBuf>,
    /// Emergency numbers: 112, or the preset of a country: de
    #[arg(long, value_name = "NUMS")]
    emergency_numbers: Option<List<String>>,
    /// Number that emergency calls from the location show, which the emergency services call back
    #[arg(long, value_name = "NUM")]
    emergency_caller_id: Option<Number>,
    /// Context that sends emergency calls out; without it, the context of the hotdesk phones
    #[arg(long, value_name = "CONTEXT")]
    pub(super) emergency_context: Option<Context>,
    /// Name of the first location
    #[arg(long, value_name = "L", default_value = "office")]
    location: LocationName,
    /// Time zone of the location: Europe/Amsterdam
    #[arg(long, value_name = "ZONE")]
    zone: Option<Zone>,
    /// Time of day at which users are logged out; or never
    #[arg(long, value_name = "HH:MM", default_value = "23:00")]
    auto_logout_at: String,
}

/// The answers that are the same for every kind of switch.
#[derive(Debug)]
pub(super) struct Answers {
    pub(super) sheet: Option<PathBuf>,
    pub(super) emergency_numbers: Vec<EmergencyNumber>,
    /// None if the switch has one for each phone.
    pub(super) caller_id: Option<Number>,
    pub(super) location: LocationName,
    pub(super) zone: Zone,
    pub(super) auto_logout_at: String,
}

/// `202=Bob`, `202`
fn user(text: &str) -> Result<(Extension, Option<DisplayName>), String> {
    let (extension, name) = text.split_once('=').map_or((text, None), |(user, name)| (user, Some(name)));
    let extension = extension.parse().map_err(|error: crate::model::id::InvalidId| error.to_string())?;
    let name = name.map(str::parse).transpose();
    Ok((extension, name.map_err(|error: crate::model::id::InvalidId| error.to_string())?))
}

/// The value of an option, or the answer at the terminal; an empty answer takes what is in brackets.
fn ask<T: FromStr<Err: Display>>(given: Option<T>, option: &str, question: &str, usual: &str) -> Result<T> {
    if let Some(given) = given {
        return Ok(given);
    }
    if !stdin().is_terminal() {
        let usual = (!usual.is_empty()).then(|| usual.parse().ok()).flatten();
        return usual.ok_or_else(|| anyhow!("nothing was changed: add --{option} ({question})"));
    }
    loop {
        let offer = if usual.is_empty() { String::new() } else { format!(" [{usual}]") };
        output::note(format_args!("{question}{offer}:"));
        let mut line = String::new();
        ensure!(stdin().read_line(&mut line)? > 0, "nothing was changed");
        let line = if line.trim().is_empty() { usual } else { line.trim() };
        match line.parse() {
            Ok(answer) => return Ok(answer),
            Err(error) => output::note(error),
        }
    }
}

impl Questions {
    /// The phones that become hotdesks. `offered` are the names that `all` stands for, and `what` says what they are.
    pub(super) fn phones(&mut self, offered: &[&str], what: &str, usual: &str) -> Result<BTreeSet<String>> {
        let question = format!("which phones become hotdesks? {what}: {}", output::joined(offered, ","));
        let List(names) = ask(self.phones.take(), "phones", &question, usual)?;
        Ok(match &names[..] {
            [all] if all == "all" => offered.iter().map(|name| (*name).to_owned()).collect(),
            _ => names.into_iter().collect(),
        })
    }

    /// Asks for what no option says. `caller_id` says whether the number of emergency calls must be known.
    pub(super) fn answered(self, caller_id: bool) -> Result<Answers> {
        let question = "emergency numbers, or the preset of a country: eu, nl, de, uk, us";
        let List(numbers) = ask(self.emergency_numbers, "emergency-numbers", question, "eu")?;
        let question =
            "number that emergency calls from this location show, which the emergency services call back";
        let caller_id = match caller_id {
            true => Some(ask(self.emergency_caller_id, "emergency-caller-id", question, "")?),
            false => self.emergency_caller_id,
        };
        // UTC is what a server has that was never told where it is.
        let here = TimeZone::system()
            .iana_name()
            .filter(|zone| !zone.contains("UTC"))
            .unwrap_or_default()
            .to_owned();
        let zone = ask(self.zone, "zone", "time zone of this location, for example Europe/Amsterdam", &here)?;
        Ok(Answers {
            sheet: self.users,
            emergency_numbers: emergency::numbers(numbers.iter().map(String::as_str))?,
            caller_id,
            location: self.location,
            zone,
            auto_logout_at: self.auto_logout_at,
        })
    }
}

/// Asks whether to do what was shown.
pub(super) fn confirm(yes: bool) -> Result<()> {
    if yes {
        return Ok(());
    }
    ensure!(stdin().is_terminal(), "nothing was changed: to change these files, add --yes");
    output::note("change these files? Type yes:");
    let mut answer = String::new();
    stdin().read_line(&mut answer)?;
    ensure!(answer.trim() == "yes", "nothing was changed");
    Ok(())
}
