//! `hotdesk device`: the telephones, their locations and owners.

use std::io::Write;

use anyhow::{Result, bail};
use ipnet::IpNet;

use super::auto_logout::{self, AutoLogoutFlags};
use super::context::{CommandContext, Verb};
use super::doubts::Strict;
use super::output::{self, Given, Hotdesk, List, OVERRIDE};
use crate::model::directory::change::{DirectoryChange, Edit};
use crate::model::directory::form::DeviceForm;
use crate::model::directory::{Device, Kind, Session, Snapshot, columns};
use crate::model::id::{Context, DeviceName, DialTarget, Extension, LocationName, Number, SwitchName};
use crate::model::login::refusal::Subject;

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Add a device; it needs --switch and --dial
    Add {
        #[command(flatten)]
        options: Box<Options>,
        #[command(flatten)]
        strict: Strict,
    },
    /// Change the options of a device; an empty value ("") removes a setting
    Set {
        #[command(flatten)]
        options: Box<Options>,
        #[command(flatten)]
        strict: Strict,
    },
    /// List all devices
    List {
        /// Print JSON: an array, ordered by device
        #[arg(long)]
        json: bool,
    },
    /// Show one device and its settings
    Show {
        /// Name of the device on the switch
        device: DeviceName,
        /// Print JSON: one object
        #[arg(long)]
        json: bool,
    },
    /// Remove a device, and log out its user
    Remove {
        /// Name of the device on the switch
        device: DeviceName,
    },
}

#[derive(Debug, clap::Args)]
pub(super) struct Options {
    /// Name of the device on the switch: the PJSIP endpoint or the directory user
    pub(super) device: DeviceName,
    /// Switch that the device registers with: a [[switch]] name
    #[arg(long, value_name = "S")]
    switch: Option<SwitchName>,
    /// What the switch dials to ring the device: PJSIP/desk1
    #[arg(long, value_name = "D")]
    dial: Option<DialTarget>,
    /// Kind of device: desk (the default); or softphone, or mobile, a number that --dial reaches through a trunk. The last
    /// two need an owner, and do not hotdesk
    #[arg(long, value_name = "KIND")]
    kind: Option<Kind>,
    #[command(flatten)]
    hotdesk: Hotdesk,
    /// Location of the device; see hotdesk location add
    #[arg(long, value_name = "L")]
    location: Option<Given<LocationName>>,
    /// User who is logged in while no guest is
    #[arg(long, value_name = "EXT")]
    owner: Option<Given<Extension>>,
    /// Network that logins may come from, instead of the networks before; can be repeated; "any" allows every network
    #[arg(long, value_name = "CIDR", value_parser = columns::network)]
    allow_from: Vec<Option<IpNet>>,
    /// Numbers that may be dialled while no user is logged in, besides emergency numbers and codes: 100,200
    #[arg(long, value_name = "NUMS", value_parser = short_list)]
    may_dial: Option<List<Number>>,
    /// Dialplan context for those calls; without it, they reach users only
    #[arg(long, value_name = "CONTEXT")]
    class: Option<Given<Context>>,
    #[command(flatten)]
    auto_logout: AutoLogoutFlags,
    /// Allow hotdesking although the location has no emergency caller ID; the journal records it
    #[arg(long, help_heading = OVERRIDE)]
    force: bool,
}

/// `100,200`
fn short_list(text: &str) -> Result<List<Number>, String> {
    columns::short_list(text).map(List)
}

impl Command {
    pub(super) async fn run(self, context: &CommandContext, out: &mut dyn Write) -> Result<()> {
        match self {
            Self::Add { options, strict } => options.run(Verb::Add, context, strict, out).await,
            Self::Set { options, strict } => options.run(Verb::Set, context, strict, out).await,
            Self::List { json } => list(context, out, json).await,
            Self::Show { device, json } => show(context, out, &device, json).await,
            Self::Remove { device } => remove(context, out, device).await,
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
        let name = self.device.clone();
        // All records: the new location is not among those of the device before.
        let snapshot = context.snapshot().await?;
        let known = snapshot.devices.get(&name);
        context.expect(verb, &Subject::Device(name.clone()), known.is_some()).await?;
        let force = self.force;
        let device = self.over(known.cloned(), context)?;
        if known == Some(&device) {
            writeln!(out, "device {name} is unchanged")?;
            return Ok(());
        }
        let devices = [(name.clone(), device.clone())].into();
        strict.look(context, &Snapshot { devices, ..Snapshot::default() }).await?;
        let ended = snapshot.sessions.get(&name).filter(|_| !device.hotdesk).map(logged_out);
        let edit = Edit::of(known.cloned(), device);
        context.change_all(vec![DirectoryChange::Device(edit)], force).await?;
        let done = if known.is_none() { "added" } else { "changed" };
        writeln!(out, "device {name} {done}{}", ended.unwrap_or_default())?;
        Ok(())
    }

    /// The device with the given options.
    pub(super) fn over(self, known: Option<Device>, context: &CommandContext) -> Result<Device> {
        let name = self.device;
        let mut device = match (known, &self.switch, &self.dial) {
            (Some(device), _, _) => device,
            (None, Some(switch), Some(dial)) => {
                let desk = self.kind.is_none_or(|kind| kind.is_desk());
                let new = Device::new(context.tenant.clone(), name, switch.clone(), dial.clone());
                Device { hotdesk: desk, ..new }
            }
            (None, ..) => bail!(
                "there is no device {name} yet. To add it, give its switch and what that dials, for example --switch {} \
                 --dial PJSIP/{name}",
                context.config.switches.first().map_or("pbx", |switch| switch.name.as_str())
            ),
        };
        if let Some(switch) = self.switch {
            device.switch = context.switch(&switch)?.name.clone();
        }
        if let Some(dial) = self.dial {
            device.dial = dial;
        }
        device.kind = self.kind.unwrap_or(device.kind);
        self.hotdesk.set(&mut device.hotdesk);
        Given::set(self.location, &mut device.location);
        Given::set(self.owner, &mut device.owner);
        if let Some(List(numbers)) = self.may_dial {
            device.may_dial.numbers = numbers;
        }
        Given::set(self.class, &mut device.may_dial.class);
        self.auto_logout.set(&mut device.auto_logout);
        if !self.allow_from.is_empty() {
            device.allow_from = self.allow_from.into_iter().flatten().collect();
        }
        Ok(device)
    }
}

async fn list(context: &CommandContext, out: &mut dyn Write, json: bool) -> Result<()> {
    let snapshot = context.snapshot().await?;
    let devices: Vec<DeviceForm> =
        snapshot.devices.values().map(|device| DeviceForm::of(device, &snapshot)).collect();
    let names = ["DEVICE", "SWITCH", "DIAL", "HOTDESK", "LOCATION", "EMERGENCY", "OWNER", "USER"];
    output::list(out, json, &devices, &names, |device| {
        vec![
            device.device.to_string(),
            device.switch.to_string(),
            device.dial.to_string(),
            output::yes(device.hotdesk).into(),
            output::or_dash(device.location),
            output::or_dash(device.emergency_caller_id),
            output::or_dash(device.owner),
            output::or_dash(device.user),
        ]
    })
}

async fn show(context: &CommandContext, out: &mut dyn Write, name: &DeviceName, json: bool) -> Result<()> {
    let (device, snapshot) = context.device(name).await?;
    let device = DeviceForm::of(&device, &snapshot);
    if json {
        return output::json(out, &device);
    }
    output::facts(
        out,
        &[
            ("device", device.device.to_string()),
            ("switch", device.switch.to_string()),
            ("dial", device.dial.to_string()),
            ("kind", device.kind.to_string()),
            ("hotdesk", output::yes(device.hotdesk).into()),
            ("location", output::or_dash(device.location)),
            ("emergency caller ID", output::or_dash(device.emergency_caller_id)),
            ("owner", output::or_dash(device.owner)),
            ("login networks", output::joined_or("any network", device.allow_from)),
            ("may dial logged out", output::joined_or("-", device.may_dial)),
            ("class for those", output::or_dash(device.class)),
            ("automatic logout", auto_logout::shown(device.auto_logout)),
            ("user", output::or_dash(device.user)),
        ],
    )
}

async fn remove(context: &CommandContext, out: &mut dyn Write, name: DeviceName) -> Result<()> {
    let (_, snapshot) = context.device(&name).await?;
    context.change(DirectoryChange::RemoveDevice(name.clone())).await?;
    let ended = snapshot.sessions.get(&name).map(logged_out);
    writeln!(out, "device {name} removed{}", ended.unwrap_or_default())?;
    Ok(())
}

fn logged_out(session: &Session) -> String {
    format!("; user {} is logged out there", session.user)
}
