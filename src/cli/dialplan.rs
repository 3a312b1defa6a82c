//! `hotdesk dialplan`: what a site includes into its switch, for exactly the codes and numbers that are configured.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};

use super::site::switch_named;
use crate::asterisk::{self, dialplan::Settings};
use crate::config::{Config, Kind, Layout, Switch};
use crate::desk::code::Book;
use crate::desk::id::{SwitchName, TenantId};
use crate::freeswitch;

/// Seconds that phones ring before the voicemail answers: six rings.
const RING: u16 = 30;
/// Seconds that each rings where they do so in turn: three rings, and a mobile's network takes some of them.
const TURN: u16 = 15;

#[derive(Debug, clap::Subcommand)]
pub(super) enum Dialplan {
    /// Print hotdesk.conf, to be included into extensions.conf
    Asterisk(Wanted),
    /// Print hotdesk.xml, to be put into the folder dialplan
    Freeswitch(Wanted),
}

#[derive(Debug, clap::Args)]
pub(super) struct Wanted {
    /// Write it into this folder instead, with all that belongs to it and the prompts beside it
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// For this switch, where there are several
    #[arg(long, value_name = "NAME")]
    switch: Option<SwitchName>,
}

impl Dialplan {
    /// Needs no store: the switch's side depends on the configuration alone.
    pub(super) fn run(self, config: &Config, out: &mut dyn Write) -> anyhow::Result<()> {
        let (kind, Wanted { out: folder, switch }) = match self {
            Self::Asterisk(wanted) => (Kind::Asterisk, wanted),
            Self::Freeswitch(wanted) => (Kind::FreeSwitch, wanted),
        };
        let switch = meant(config, kind, switch.as_ref())?;
        let files = match kind {
            Kind::Asterisk => asterisk::tree::files(&of_all_tenants(config, switch)),
            Kind::FreeSwitch => freeswitch::tree::files(&freeswitch_settings(config, switch)),
        };
        let Some(folder) = folder else {
            // The dialplan is the first of them.
            files.first().map_or(Ok(()), |(_, text)| out.write_all(text))?;
            return Ok(());
        };
        for (path, bytes) in files {
            let path = folder.join(path);
            // A secret that was put into the manager's file is not taken out again.
            let kept = path.ends_with("hotdesk-manager.conf") && path.exists();
            if !kept {
                write(&path, &bytes).with_context(|| format!("{} cannot be written", path.display()))?;
            }
            writeln!(out, "{}{}", path.display(), if kept { " stays as it is" } else { "" })?;
        }
        Ok(())
    }
}

fn of_all_tenants(config: &Config, switch: &Switch) -> Vec<Settings> {
    switch.tenants.iter().map(|tenant| settings(config, switch, tenant)).collect()
}

/// What the dialplan of a tenant on this switch depends on.
pub(super) fn settings(config: &Config, switch: &Switch, tenant: &TenantId) -> Settings {
    Settings {
        tenant: tenant.clone(),
        codes: config.of(tenant).codes(),
        users: config.of(tenant).users().to_vec(),
        otherwise: config.dialplan.otherwise.clone(),
        emergency_numbers: config.of(tenant).emergency_numbers(),
        emergency_context: config.of(tenant).emergency_context().clone(),
        agi: switch.agi_advertise().to_string(),
        ring: RING,
        turn: TURN,
        recording: config.dialplan.recording.clone(),
        voicemail_password: config.dialplan.voicemail_password,
        reach: config.reach(switch, tenant),
        freepbx: switch.layout == Layout::FreePbx,
    }
}

/// What the dialplan of this FreeSWITCH depends on.
pub(super) fn freeswitch_settings(config: &Config, switch: &Switch) -> freeswitch::dialplan::Settings {
    // Its dialplan is one for all of them; only what is dialled may differ.
    let first = switch.tenants.first().cloned().unwrap_or_default();
    // A number that may be some tenant's is looked up among the users of the tenant that is called.
    let users: BTreeSet<_> = switch.tenants.iter().flat_map(|tenant| config.of(tenant).users()).collect();
    freeswitch::dialplan::Settings {
        tenant: first.clone(),
        codes: Book::new(switch.tenants.iter().map(|it| (it.clone(), config.of(it).codes())).collect()),
        users: users.into_iter().cloned().collect(),
        emergency_numbers: config.emergency_numbers_on(switch),
        emergency_context: config.of(&first).emergency_context().clone(),
        ring: RING,
        turn: TURN,
        recording: config.dialplan.recording.clone(),
        voicemail_password: config.dialplan.voicemail_password,
        reach: config.reach(switch, &first),
        groups: switch.tenants.iter().map(|it| (it.clone(), config.reach(switch, it).groups)).collect(),
        controllers: switch.outbound_controllers().iter().map(ToString::to_string).collect(),
    }
}

fn meant<'a>(config: &'a Config, kind: Kind, name: Option<&SwitchName>) -> anyhow::Result<&'a Switch> {
    if let Some(name) = name {
        let switch = switch_named(config, name)?;
        ensure!(switch.kind == kind, "switch {name} is of kind {}, not {kind}", switch.kind);
        return Ok(switch);
    }
    let of_kind = config.switches.iter().filter(|switch| switch.kind == kind);
    match of_kind.collect::<Vec<_>>().as_slice() {
        [only] => Ok(only),
        [] => bail!("the configuration has no [[switch]] of kind {kind}"),
        several => {
            let names: Vec<&str> = several.iter().map(|switch| switch.name.as_str()).collect();
            bail!("say for which switch, with --switch: {}", names.join(" or "))
        }
    }
}

/// Replaces a file whole, so that a reload in the meantime reads the old one or the new one.
fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    path.parent().map_or(Ok(()), fs::create_dir_all)?;
    let new = path.with_extension("new");
    fs::write(&new, bytes)?;
    fs::rename(&new, path)
}
