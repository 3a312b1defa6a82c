//! `hotdesk device`: phones, and where they stand.

use std::io::Write;
use std::net::IpAddr;
use std::str::FromStr;

use anyhow::bail;
use ipnet::IpNet;
use serde::Serialize;

use super::leave::{self, Leave};
use super::print::{self, Given, Hotdesk};
use super::site::Site;
use crate::desk::id::{
    Context, DeviceName, DialTarget, Extension, InvalidId, LocationName, Number, SwitchName,
};
use crate::desk::leave::Rules;
use crate::desk::model::{self, Kind, Office, ShortList};
use crate::store::What;

#[derive(Debug, clap::Subcommand)]
pub(super) enum Device {
    /// Add a device, or change what is given of it; an empty value ("") takes away
    Set(Box<Set>),
    /// List all devices
    List {
        /// As JSON, by device
        #[arg(long)]
        json: bool,
    },
    /// Show one device
    Show {
        /// Its name on the switch
        device: DeviceName,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Remove a device, and log out whoever sits there
    Remove {
        /// Its name on the switch
        device: DeviceName,
    },
}

#[derive(Debug, clap::Args)]
pub(super) struct Set {
    /// Its name on the switch: the PJSIP endpoint
    pub(super) device: DeviceName,
    /// The switch it registers with, by its name in the configuration
    #[arg(long, value_name = "S")]
    switch: Option<SwitchName>,
    /// What the switch dials to ring it: PJSIP/desk1
    #[arg(long, value_name = "D")]
    dial: Option<DialTarget>,
    /// What it is: desk (the default), a phone that stands somewhere; or, always with its owner, softphone, or mobile: a
    /// number outside that --dial reaches through a trunk. The latter two are not for hotdesking
    #[arg(long, value_name = "KIND")]
    kind: Option<Kind>,
    #[command(flatten)]
    hotdesk: Hotdesk,
    /// Where it stands: see `hotdesk location set`
    #[arg(long, value_name = "L")]
    location: Option<Given<LocationName>>,
    /// The user it belongs to while no guest sits there
    #[arg(long, value_name = "EXT")]
    owner: Option<Given<Extension>>,
    /// A network it may log users in from, instead of those before; can be repeated; "any" for any
    #[arg(long, value_name = "CIDR")]
    allow_from: Vec<Network>,
    /// What may be dialled here while nobody sits here, besides emergency numbers and codes: 100,200
    #[arg(long, value_name = "NUMS")]
    may_dial: Option<Given<Dialled>>,
    /// The context of the site that such a call goes into; only to users, if none is given
    #[arg(long, value_name = "CONTEXT")]
    class: Option<Given<Context>>,
    #[command(flatten)]
    leave: Leave,
    /// For hotdesking even where no emergency caller-ID is known; this is journalled
    #[arg(long)]
    force: bool,
}

/// `100,200`.
#[derive(Clone, Debug)]
struct Dialled(Vec<Number>);

impl FromStr for Dialled {
    type Err = String;
    fn from_str(value: &str) -> Result<Self, String> {
        let numbers: Result<Vec<Number>, InvalidId> =
            value.split(',').map(|number| Number::new(number.trim())).collect();
        let numbers = numbers.map_err(|error| error.to_string())?;
        if numbers.len() > ShortList::MOST {
            return Err(format!("a short list has {} numbers at most", ShortList::MOST));
        }
        Ok(Self(numbers))
    }
}

/// `192.0.2.0/24`, `192.0.2.7`, or `any`.
#[derive(Clone, Copy, Debug)]
struct Network(Option<IpNet>);

impl FromStr for Network {
    type Err = String;
    fn from_str(value: &str) -> Result<Self, String> {
        if value == "any" {
            return Ok(Self(None));
        }
        let one = value.parse::<IpAddr>().map(IpNet::from);
        match value.parse().or(one) {
            Ok(net) => Ok(Self(Some(net))),
            Err(_) => Err("it takes a network (192.0.2.0/24), an address (192.0.2.7) or \"any\"".into()),
        }
    }
}

impl Device {
    pub(super) async fn run(self, site: &Site, out: &mut dyn Write) -> anyhow::Result<()> {
        match self {
            Self::Set(set) => set.run(site, out).await,
            Self::List { json } => list(site, out, json).await,
            Self::Show { device, json } => show(site, out, &device, json).await,
            Self::Remove { device } => remove(site, out, device).await,
        }
    }
}

impl Set {
    async fn run(self, site: &Site, out: &mut dyn Write) -> anyhow::Result<()> {
        let name = self.device.clone();
        // The whole of it: it may stand at a location where it did not stand before.
        let office = site.office().await?;
        let known = office.devices.get(&name);
        let force = self.force;
        let device = self.over(known.cloned(), site)?;
        if known == Some(&device) {
            writeln!(out, "device {name} is so already")?;
            return Ok(());
        }
        let nowhere = agrees(&office, &device, force)?;
        let leaves = office.bindings.get(&name).filter(|_| !device.hotdesk);
        site.change(What::Device(device)).await?;
        if nowhere {
            site.record_waived(std::slice::from_ref(&name)).await?;
        }
        let done = if known.is_none() { "added" } else { "changed" };
        match leaves {
            None => writeln!(out, "device {name} {done}")?,
            Some(was) => writeln!(out, "device {name} {done}, and {} logged out there", was.user)?,
        }
        Ok(())
    }

    /// The device as it is then.
    pub(super) fn over(self, known: Option<model::Device>, site: &Site) -> anyhow::Result<model::Device> {
        let name = self.device;
        let mut device = match (known, &self.switch, &self.dial) {
            (Some(device), _, _) => device,
            (None, Some(switch), Some(dial)) => {
                let desk = self.kind.is_none_or(|kind| kind.is_desk());
                let new = model::Device::new(site.tenant.clone(), name, switch.clone(), dial.clone());
                model::Device { hotdesk: desk, ..new }
            }
            (None, ..) => bail!(
                "there is no device {name} yet; a new one takes --switch and --dial, for example \
                 --switch pbx --dial PJSIP/{name}"
            ),
        };
        if let Some(switch) = self.switch {
            device.switch = site.switch(&switch)?.name.clone();
        }
        if let Some(dial) = self.dial {
            device.dial = dial;
        }
        device.kind = self.kind.unwrap_or(device.kind);
        self.hotdesk.put(&mut device.hotdesk);
        Given::put(self.location, &mut device.location);
        Given::put(self.owner, &mut device.owner);
        if self.may_dial.is_some() {
            let mut numbers = None;
            Given::put(self.may_dial, &mut numbers);
            device.may_dial.numbers = numbers.map(|Dialled(numbers)| numbers).unwrap_or_default();
        }
        Given::put(self.class, &mut device.may_dial.class);
        self.leave.put(&mut device.leave);
        if !self.allow_from.is_empty() {
            device.allow_from = self.allow_from.iter().filter_map(|network| network.0).collect();
        }
        Ok(device)
    }
}

/// Whether there can be such a device, and whether it is for hotdesking although nobody knows what an emergency call from
/// it shows.
pub(super) fn agrees(office: &Office, device: &model::Device, force: bool) -> anyhow::Result<bool> {
    if let Some(owner) = device.owner.as_ref().filter(|owner| !office.users.contains_key(*owner)) {
        bail!("there is no user {owner}");
    }
    if let Some(location) = device.location.as_ref().filter(|name| !office.locations.contains_key(*name)) {
        bail!(
            "there is no location {location} yet; add it first: hotdesk location set {location} \
             --emergency-caller-id NUM"
        );
    }
    let (name, kind) = (&device.name, device.kind);
    if !kind.is_desk() && device.owner.is_none() {
        bail!("a {kind} is always with its owner: say whose {name} is (--owner EXT)");
    }
    if !kind.is_desk() && device.hotdesk {
        bail!("nobody logs in at a {kind}: add --no-hotdesk, or leave {name} a desk phone (--kind desk)");
    }
    let nowhere = device.hotdesk && office.emergency_caller_id(device).is_none();
    if nowhere && !force {
        let remedy = match &device.location {
            None => "say where it stands (--location NAME)".into(),
            Some(location) => format!(
                "say which number an emergency call from {location} shows (hotdesk location set {location} \
                 --emergency-caller-id NUM)"
            ),
        };
        bail!(
            "a device without a location that has an emergency caller-ID cannot be enabled for hotdesking: {remedy}, \
             or add --no-hotdesk, or --force"
        );
    }
    Ok(nowhere)
}

/// A device as it is listed.
#[derive(Serialize)]
struct Listed<'a> {
    device: &'a DeviceName,
    switch: &'a SwitchName,
    dial: &'a DialTarget,
    kind: Kind,
    hotdesk: bool,
    location: Option<&'a LocationName>,
    /// That of its location.
    emergency_caller_id: Option<&'a Number>,
    owner: Option<&'a Extension>,
    allow_from: &'a [IpNet],
    /// What may be dialled there while nobody sits there.
    may_dial: &'a [Number],
    /// The context that such a call goes into.
    class: Option<&'a Context>,
    leave: &'a Rules,
    /// Who has logged in there.
    user: Option<&'a Extension>,
}

impl<'a> Listed<'a> {
    fn of(device: &'a model::Device, office: &'a Office) -> Self {
        Self {
            device: &device.name,
            switch: &device.switch,
            dial: &device.dial,
            kind: device.kind,
            hotdesk: device.hotdesk,
            location: device.location.as_ref(),
            emergency_caller_id: office.emergency_caller_id(device),
            owner: device.owner.as_ref(),
            allow_from: &device.allow_from,
            may_dial: &device.may_dial.numbers,
            class: device.may_dial.class.as_ref(),
            leave: &device.leave,
            user: office.bindings.get(&device.name).map(|binding| &binding.user),
        }
    }
}

async fn list(site: &Site, out: &mut dyn Write, json: bool) -> anyhow::Result<()> {
    let office = site.office().await?;
    let devices: Vec<Listed> = office.devices.values().map(|device| Listed::of(device, &office)).collect();
    if json {
        return print::json(out, &devices);
    }
    let row = |device: &Listed| {
        vec![
            device.device.to_string(),
            device.switch.to_string(),
            device.dial.to_string(),
            print::yes(device.hotdesk).into(),
            print::or_dash(device.location),
            print::or_dash(device.emergency_caller_id),
            print::or_dash(device.owner),
            print::or_dash(device.user),
        ]
    };
    let rows: Vec<_> = devices.iter().map(row).collect();
    print::table(
        out,
        &["DEVICE", "SWITCH", "DIAL", "HOTDESK", "LOCATION", "EMERGENCY", "OWNER", "USER"],
        &rows,
    )
}

async fn show(site: &Site, out: &mut dyn Write, name: &DeviceName, json: bool) -> anyhow::Result<()> {
    let (device, office) = site.device(name).await?;
    let device = Listed::of(&device, &office);
    if json {
        return print::json(out, &device);
    }
    let networks: Vec<String> = device.allow_from.iter().map(ToString::to_string).collect();
    let may_dial: Vec<&str> = device.may_dial.iter().map(Number::as_str).collect();
    print::facts(
        out,
        &[
            ("device", device.device.to_string()),
            ("switch", device.switch.to_string()),
            ("dial", device.dial.to_string()),
            ("kind", device.kind.to_string()),
            ("hotdesk", print::yes(device.hotdesk).into()),
            ("location", print::or_dash(device.location)),
            ("emergency caller-ID", print::or_dash(device.emergency_caller_id)),
            ("owner", print::or_dash(device.owner)),
            ("logs in from", if networks.is_empty() { "any network".into() } else { networks.join(", ") }),
            ("may dial, nobody there", if may_dial.is_empty() { "-".into() } else { may_dial.join(", ") }),
            ("in the class", print::or_dash(device.class)),
            ("leaves", leave::shown(device.leave)),
            ("logged in", print::or_dash(device.user)),
        ],
    )
}

async fn remove(site: &Site, out: &mut dyn Write, name: DeviceName) -> anyhow::Result<()> {
    let (_, office) = site.device(&name).await?;
    site.change(What::RemoveDevice(name.clone())).await?;
    match office.bindings.get(&name) {
        Some(was) => writeln!(out, "device {name} removed, and {} logged out there", was.user)?,
        None => writeln!(out, "device {name} removed")?,
    }
    Ok(())
}
