//! `hotdesk location`: the sites where devices stand, and the caller ID of emergency calls from there.

use std::collections::BTreeMap;
use std::io::Write;

use anyhow::{Context as _, Result, bail};

use super::auto_logout::{self, AutoLogoutFlags};
use super::context::{CommandContext, Verb};
use super::doubts::Strict;
use super::output::{self, Given, List, OVERRIDE};
use crate::model::directory::Snapshot;
use crate::model::directory::change::{DirectoryChange, Edit};
use crate::model::directory::columns;
use crate::model::directory::form::LocationForm;
use crate::model::directory::location::{Location, Zone};
use crate::model::id::{Address, DeviceName, EmergencyNumber, InvalidId, Language, LocationName, Number};
use crate::model::login::refusal::Subject;

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Add a location
    Add {
        #[command(flatten)]
        options: Box<Options>,
        #[command(flatten)]
        strict: Strict,
    },
    /// Change the options of a location; an empty value ("") removes a setting
    Set {
        #[command(flatten)]
        options: Box<Options>,
        #[command(flatten)]
        strict: Strict,
    },
    /// List all locations
    List {
        /// Print JSON: an array, ordered by name
        #[arg(long)]
        json: bool,
    },
    /// Show one location and its settings
    Show {
        /// Name of the location
        location: LocationName,
        /// Print JSON: one object
        #[arg(long)]
        json: bool,
    },
    /// Remove a location that has no devices
    Remove {
        /// Name of the location
        location: LocationName,
    },
}

#[derive(Debug, clap::Args)]
pub(super) struct Options {
    /// Name of the location: ams, berlin-2
    pub(super) location: LocationName,
    /// Caller ID of emergency calls from there, which the emergency services call back
    #[arg(long, value_name = "NUM")]
    emergency_caller_id: Option<Given<Number>>,
    /// Emergency numbers there, out of [emergency] numbers: 110,112, or de; without it, all of them
    #[arg(long, value_name = "NUMS", value_parser = emergency_numbers)]
    emergency_numbers: Option<List<EmergencyNumber>>,
    /// Time zone: Europe/Amsterdam; a new location has the zone of this machine
    #[arg(long, value_name = "ZONE")]
    zone: Option<Zone>,
    /// Language of prompts before the user is known: en, nl, de
    #[arg(long, value_name = "L")]
    language: Option<Given<Language>>,
    /// Address for the emergency services
    #[arg(long, value_name = "TEXT")]
    address: Option<Given<Address>>,
    #[command(flatten)]
    auto_logout: AutoLogoutFlags,
    /// Remove the emergency caller ID although devices there have hotdesking; the journal records it
    #[arg(long, help_heading = OVERRIDE)]
    force: bool,
}

/// `110,112`, `de`
fn emergency_numbers(text: &str) -> Result<List<EmergencyNumber>, InvalidId> {
    columns::emergency_numbers(text).map(List)
}

impl Command {
    pub(super) async fn run(self, context: &CommandContext, out: &mut dyn Write) -> Result<()> {
        match self {
            Self::Add { options, strict } => options.run(Verb::Add, context, strict, out).await,
            Self::Set { options, strict } => options.run(Verb::Set, context, strict, out).await,
            Self::List { json } => list(context, out, json).await,
            Self::Show { location, json } => show(context, out, &location, json).await,
            Self::Remove { location } => remove(context, out, location).await,
        }
    }
}

impl Options {
    async fn run(
        self,
        verb: Verb,
        context: &CommandContext,
        strict: Strict,
        out: &mut dyn Write,
    ) -> Result<()> {
        let (name, force) = (self.location.clone(), self.force);
        let snapshot = context.snapshot().await?;
        let known = snapshot.locations.get(&name);
        context.expect(verb, &Subject::Location(name.clone()), known.is_some()).await?;
        let location = self.over(known.cloned().unwrap_or_else(|| new(context, name.clone())));
        if known == Some(&location) {
            writeln!(out, "location {name} is unchanged")?;
            return Ok(());
        }
        let locations = [(name.clone(), location.clone())].into();
        strict.look(context, &Snapshot { locations, ..Snapshot::default() }).await?;
        let zone = location.zone.clone();
        let edit = Edit::of(known.cloned(), location);
        context.change_all(vec![DirectoryChange::Location(edit)], force).await?;
        match known {
            None => writeln!(out, "location {name} added, zone {zone}")?,
            Some(_) => writeln!(out, "location {name} changed")?,
        }
        Ok(())
    }

    /// The location with the given options.
    pub(super) fn over(self, mut location: Location) -> Location {
        Given::set(self.emergency_caller_id, &mut location.emergency.caller_id);
        if let Some(List(numbers)) = self.emergency_numbers {
            location.emergency.numbers = numbers;
        }
        location.zone = self.zone.unwrap_or(location.zone);
        Given::set(self.language, &mut location.language);
        Given::set(self.address, &mut location.address);
        self.auto_logout.set(&mut location.auto_logout);
        location
    }
}

/// A new location in the time zone of this machine, if that has a name.
pub(super) fn new(context: &CommandContext, name: LocationName) -> Location {
    Location::new(context.tenant.clone(), name, Zone::machine())
}

fn numbers(location: &LocationForm) -> String {
    output::joined_or("all configured", location.emergency_numbers)
}

async fn list(context: &CommandContext, out: &mut dyn Write, json: bool) -> Result<()> {
    let snapshot = context.snapshot().await?;
    let mut devices: BTreeMap<&LocationName, Vec<&DeviceName>> = BTreeMap::new();
    for device in snapshot.devices.values() {
        if let Some(location) = &device.location {
            devices.entry(location).or_default().push(&device.name);
        }
    }
    let listed = |location| LocationForm::of(location, devices.remove(&location.name).unwrap_or_default());
    let locations: Vec<LocationForm> = snapshot.locations.values().map(listed).collect();
    let names = ["LOCATION", "ZONE", "EMERGENCY", "NUMBERS", "DEVICES", "ADDRESS"];
    output::list(out, json, &locations, &names, |location| {
        vec![
            location.location.to_string(),
            location.zone.to_string(),
            output::or_dash(location.emergency_caller_id),
            numbers(location),
            location.devices.len().to_string(),
            output::or_dash(location.address),
        ]
    })
}

async fn show(context: &CommandContext, out: &mut dyn Write, name: &LocationName, json: bool) -> Result<()> {
    let snapshot = context.snapshot().await?;
    let Some(location) = snapshot.locations.get(name) else {
        bail!(context.missing(&Subject::Location(name.clone())).await?);
    };
    let devices = snapshot.devices_at(name).map(|device| &device.name);
    let location = LocationForm::of(location, devices.collect());
    if json {
        return output::json(out, &location);
    }
    output::facts(
        out,
        &[
            ("location", location.location.to_string()),
            ("zone", location.zone.to_string()),
            ("language", output::or_dash(location.language)),
            ("emergency caller ID", output::or_dash(location.emergency_caller_id)),
            ("emergency numbers", numbers(&location)),
            ("address", output::or_dash(location.address)),
            ("automatic logout", auto_logout::shown(location.auto_logout)),
            ("devices", output::joined_or("-", &location.devices)),
        ],
    )
}

async fn remove(context: &CommandContext, out: &mut dyn Write, name: LocationName) -> Result<()> {
    let removed = context.change(DirectoryChange::RemoveLocation(name.clone())).await;
    removed.with_context(|| format!("cannot remove location {name}"))?;
    writeln!(out, "location {name} removed")?;
    Ok(())
}
