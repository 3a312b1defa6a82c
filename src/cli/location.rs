//! `hotdesk location`: places where phones stand, and what an emergency call from there shows.

use std::io::Write;
use std::str::FromStr;

use anyhow::{Context as _, bail};
use jiff::tz::TimeZone;
use serde::Serialize;

use super::leave::{self, Leave};
use super::print::{self, Given};
use super::site::Site;
use crate::desk::emergency;
use crate::desk::id::{Address, DeviceName, EmergencyNumber, InvalidId, Language, LocationName, Number};
use crate::desk::leave::Rules;
use crate::desk::location::{self, Zone};
use crate::desk::model::Office;
use crate::store::What;

#[derive(Debug, clap::Subcommand)]
pub(super) enum Location {
    /// Add a location, or change what is given of it; an empty value ("") takes away
    Set(Box<Set>),
    /// List all locations
    List {
        /// As JSON, by name
        #[arg(long)]
        json: bool,
    },
    /// Show one location
    Show {
        /// Its name
        location: LocationName,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Remove a location at which no device stands
    Remove {
        /// Its name
        location: LocationName,
    },
}

#[derive(Debug, clap::Args)]
pub(super) struct Set {
    /// What devices call it: ams, berlin-2
    pub(super) location: LocationName,
    /// The number that an emergency call from there shows, and that is called back
    #[arg(long, value_name = "NUM")]
    emergency_caller_id: Option<Given<Number>>,
    /// What is dialled there for an emergency call, of the configuration's numbers: 110,112 or de; all, if none is given
    #[arg(long, value_name = "NUMS")]
    emergency_numbers: Option<Given<Numbers>>,
    /// Which time it is there: Europe/Amsterdam; for a new one this machine's zone, if none is given
    #[arg(long, value_name = "ZONE")]
    zone: Option<Zone>,
    /// Spoken there, until it is known who listens: en, nl, de
    #[arg(long, value_name = "L")]
    language: Option<Given<Language>>,
    /// Where help is to come to
    #[arg(long, value_name = "TEXT")]
    address: Option<Given<Address>>,
    #[command(flatten)]
    leave: Leave,
    /// Take the emergency caller-ID away although hotdesk devices stand there; this is journalled
    #[arg(long)]
    force: bool,
}

/// `110,112`, `de`.
#[derive(Clone, Debug)]
struct Numbers(Vec<EmergencyNumber>);

impl FromStr for Numbers {
    type Err = InvalidId;
    fn from_str(value: &str) -> Result<Self, InvalidId> {
        emergency::numbers(value.split(',').map(str::trim)).map(Self)
    }
}

impl Location {
    pub(super) async fn run(self, site: &Site, out: &mut dyn Write) -> anyhow::Result<()> {
        match self {
            Self::Set(set) => set.run(site, out).await,
            Self::List { json } => list(site, out, json).await,
            Self::Show { location, json } => show(site, out, &location, json).await,
            Self::Remove { location } => remove(site, out, location).await,
        }
    }
}

impl Set {
    async fn run(self, site: &Site, out: &mut dyn Write) -> anyhow::Result<()> {
        let (name, force) = (self.location.clone(), self.force);
        let office = site.office().await?;
        let known = office.locations.get(&name);
        let location = self.over(known.cloned(), site)?;
        if known == Some(&location) {
            writeln!(out, "location {name} is so already")?;
            return Ok(());
        }
        let waived = agrees(site, &office, known, &location, force)?;
        let zone = location.zone.clone();
        site.change(What::Location(location)).await?;
        site.record_waived(&waived).await?;
        match known {
            None => writeln!(out, "location {name} added, zone {zone}")?,
            Some(_) => writeln!(out, "location {name} changed")?,
        }
        Ok(())
    }

    /// The location as it is then.
    pub(super) fn over(
        self,
        known: Option<location::Location>,
        site: &Site,
    ) -> anyhow::Result<location::Location> {
        let mut location = match known {
            Some(location) => location,
            None => new(site, self.location),
        };
        Given::put(self.emergency_caller_id, &mut location.emergency.caller_id);
        if self.emergency_numbers.is_some() {
            let mut numbers = None;
            Given::put(self.emergency_numbers, &mut numbers);
            location.emergency.numbers = numbers.map(|Numbers(numbers)| numbers).unwrap_or_default();
        }
        if let Some(zone) = self.zone {
            location.zone = zone;
        }
        Given::put(self.language, &mut location.language);
        Given::put(self.address, &mut location.address);
        self.leave.put(&mut location.leave);
        Ok(location)
    }
}

/// Whether there can be such a location, and which devices are for hotdesking there although its emergency caller-ID was
/// taken away.
pub(super) fn agrees(
    site: &Site,
    office: &Office,
    known: Option<&location::Location>,
    location: &location::Location,
    force: bool,
) -> anyhow::Result<Vec<DeviceName>> {
    let (name, configured) = (&location.name, site.config.of(&site.tenant).emergency_numbers());
    if let Some(number) = location.emergency.numbers.iter().find(|number| !configured.contains(number)) {
        bail!(
            "{number} is none of [emergency] numbers in the configuration, so the switch would not take it for an \
             emergency call: add it there, and write the dialplan anew (hotdesk dialplan)"
        );
    }
    let shown = |location: &location::Location| location.emergency.caller_id.is_some();
    let taken_away = known.is_some_and(shown) && !shown(location);
    let waived = if taken_away { hotdesks_at(office, name) } else { vec![] };
    if let (Some(device), false) = (waived.first(), force) {
        bail!(
            "{} for hotdesking stand at {name}, {device} for one: an emergency call from there would show no number \
             of that place. Give another --emergency-caller-id, or add --force",
            waived.len()
        );
    }
    Ok(waived)
}

/// A location of this name, in the zone of this machine, with nothing said of it yet.
pub(super) fn new(site: &Site, name: LocationName) -> location::Location {
    location::Location::new(site.tenant.clone(), name, here())
}

/// The zone of this machine, if it has one with a name.
fn here() -> Zone {
    TimeZone::system().iana_name().and_then(|name| Zone::new(name).ok()).unwrap_or_default()
}

/// The devices at a location at which users may log in.
fn hotdesks_at(office: &Office, name: &LocationName) -> Vec<DeviceName> {
    let there = office.devices.values().filter(|device| device.location.as_ref() == Some(name));
    there.filter(|device| device.hotdesk).map(|device| device.name.clone()).collect()
}

/// A location as it is listed.
#[derive(Serialize)]
struct Listed<'a> {
    location: &'a LocationName,
    zone: &'a Zone,
    language: Option<&'a Language>,
    emergency_caller_id: Option<&'a Number>,
    emergency_numbers: &'a [EmergencyNumber],
    address: Option<&'a Address>,
    leave: &'a Rules,
    /// The devices that stand there.
    devices: Vec<&'a DeviceName>,
}

impl<'a> Listed<'a> {
    fn of(location: &'a location::Location, office: &'a Office) -> Self {
        let there = office.devices.values().filter(|device| device.location.as_ref() == Some(&location.name));
        Self {
            location: &location.name,
            zone: &location.zone,
            language: location.language.as_ref(),
            emergency_caller_id: location.emergency.caller_id.as_ref(),
            emergency_numbers: &location.emergency.numbers,
            address: location.address.as_ref(),
            leave: &location.leave,
            devices: there.map(|device| &device.name).collect(),
        }
    }

    fn numbers(&self) -> String {
        let numbers: Vec<&str> = self.emergency_numbers.iter().map(EmergencyNumber::as_str).collect();
        if numbers.is_empty() { "all configured".into() } else { numbers.join(", ") }
    }
}

async fn list(site: &Site, out: &mut dyn Write, json: bool) -> anyhow::Result<()> {
    let office = site.office().await?;
    let locations: Vec<Listed> = office.locations.values().map(|place| Listed::of(place, &office)).collect();
    if json {
        return print::json(out, &locations);
    }
    let row = |location: &Listed| {
        vec![
            location.location.to_string(),
            location.zone.to_string(),
            print::or_dash(location.emergency_caller_id),
            location.numbers(),
            location.devices.len().to_string(),
            print::or_dash(location.address),
        ]
    };
    let rows: Vec<_> = locations.iter().map(row).collect();
    print::table(out, &["LOCATION", "ZONE", "EMERGENCY", "NUMBERS", "DEVICES", "ADDRESS"], &rows)
}

async fn show(site: &Site, out: &mut dyn Write, name: &LocationName, json: bool) -> anyhow::Result<()> {
    let office = site.office().await?;
    let location = office.locations.get(name).with_context(|| format!("there is no location {name}"))?;
    let location = Listed::of(location, &office);
    if json {
        return print::json(out, &location);
    }
    let devices: Vec<&str> = location.devices.iter().map(|device| device.as_str()).collect();
    print::facts(
        out,
        &[
            ("location", location.location.to_string()),
            ("zone", location.zone.to_string()),
            ("language", print::or_dash(location.language)),
            ("emergency caller-ID", print::or_dash(location.emergency_caller_id)),
            ("emergency numbers", location.numbers()),
            ("address", print::or_dash(location.address)),
            ("leaves", leave::shown(location.leave)),
            ("devices", if devices.is_empty() { "-".into() } else { devices.join(", ") }),
        ],
    )
}

async fn remove(site: &Site, out: &mut dyn Write, name: LocationName) -> anyhow::Result<()> {
    let removed = site.change(What::RemoveLocation(name.clone())).await;
    removed.with_context(|| format!("location {name} was not removed"))?;
    writeln!(out, "location {name} removed")?;
    Ok(())
}
