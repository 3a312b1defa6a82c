//! `hotdesk dialplan`: what a site includes into its switch, for exactly the codes and numbers that are configured.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

use super::site::switch_named;
use crate::asterisk::dialplan::{Settings, hotdesk_conf};
use crate::asterisk::tree;
use crate::config::{Config, Kind, Switch};
use crate::desk::id::SwitchName;

/// Seconds that a phone rings before the voicemail answers: six rings.
const RING: u16 = 30;

#[derive(Debug, clap::Subcommand)]
pub(super) enum Dialplan {
    /// Print hotdesk.conf, to be included into extensions.conf
    Asterisk {
        /// Write it into this folder instead, with the manager's user and the prompts beside it
        #[arg(long, value_name = "DIR")]
        out: Option<PathBuf>,
        /// For this switch, where there are several
        #[arg(long, value_name = "NAME")]
        switch: Option<SwitchName>,
    },
}

impl Dialplan {
    /// Needs no store: the switch's side depends on the configuration alone.
    pub(super) fn run(self, config: &Config, out: &mut dyn Write) -> anyhow::Result<()> {
        let Self::Asterisk { out: folder, switch } = self;
        let settings = settings(config, meant(config, switch.as_ref())?);
        let Some(folder) = folder else {
            out.write_all(hotdesk_conf(&settings).as_bytes())?;
            return Ok(());
        };
        for (path, bytes) in tree::files(&settings) {
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

/// What the dialplan of this switch depends on.
pub(super) fn settings(config: &Config, switch: &Switch) -> Settings {
    Settings {
        codes: config.codes.clone(),
        users: config.dialplan.users.clone(),
        otherwise: config.dialplan.otherwise.clone(),
        emergency_numbers: config.emergency.numbers.clone(),
        emergency_context: config.emergency.context.clone(),
        agi: switch.agi_advertise().to_string(),
        ring: RING,
    }
}

fn meant<'a>(config: &'a Config, name: Option<&SwitchName>) -> anyhow::Result<&'a Switch> {
    if let Some(name) = name {
        return switch_named(config, name);
    }
    let asterisk = config.switches.iter().filter(|switch| switch.kind == Kind::Asterisk);
    match asterisk.collect::<Vec<_>>().as_slice() {
        [only] => Ok(only),
        [] => bail!("the configuration has no [[switch]] of kind asterisk"),
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
