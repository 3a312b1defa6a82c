//! `hotdesk dialplan`: the switch's side of exactly the codes that are configured.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::ValueEnum;

use crate::asterisk::dialplan::{Settings, hotdesk_conf};
use crate::config::{Config, Kind, Switch};
use crate::desk::id::SwitchName;

/// How long a user's phone rings before his voicemail answers.
const RING_SECONDS: u16 = 30;

#[derive(Debug, clap::Args)]
pub(super) struct Dialplan {
    /// For which kind of switch
    kind: For,
    /// For which of them, if there are several
    #[arg(long, value_name = "NAME")]
    switch: Option<SwitchName>,
    /// Write the files into this folder, instead of printing the dialplan
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum For {
    Asterisk,
}

impl Dialplan {
    pub(super) fn run(self, config: &Config, out: &mut dyn Write) -> anyhow::Result<()> {
        let switch = self.switch(config)?;
        let text = hotdesk_conf(&settings(config, switch));
        let Some(folder) = &self.out else { return Ok(out.write_all(text.as_bytes())?) };
        fs::create_dir_all(folder).with_context(|| format!("{} cannot be made", folder.display()))?;
        write(out, &folder.join("hotdesk.conf"), &text)?;
        write(out, &folder.join("hotdesk-manager.conf"), include_str!("../../dialplan/asterisk/manager.conf"))
    }

    fn switch<'a>(&self, config: &'a Config) -> anyhow::Result<&'a Switch> {
        let For::Asterisk = self.kind;
        let fit: Vec<&Switch> =
            config.switches.iter().filter(|switch| switch.kind == Kind::Asterisk).collect();
        match (&self.switch, fit.as_slice()) {
            (None, [only]) => Ok(only),
            (None, []) => bail!("the configuration has no switch of kind \"asterisk\""),
            (None, several) => {
                let names: Vec<&str> = several.iter().map(|switch| switch.name.as_str()).collect();
                bail!("say which switch it is for: --switch {}", names.join(" or "))
            }
            (Some(name), several) => several
                .iter()
                .find(|switch| switch.name == *name)
                .copied()
                .with_context(|| format!("the configuration has no switch {name} of kind \"asterisk\"")),
        }
    }
}

/// What the dialplan of `switch` depends on.
pub(super) fn settings(config: &Config, switch: &Switch) -> Settings {
    Settings {
        codes: config.codes.clone(),
        users: config.dialplan.users.clone(),
        otherwise: config.dialplan.otherwise.clone(),
        emergency_numbers: config.emergency.numbers.clone(),
        emergency_context: config.emergency.context.clone(),
        agi: switch.agi_advertise().to_string(),
        ring: RING_SECONDS,
    }
}

fn write(out: &mut dyn Write, path: &Path, text: &str) -> anyhow::Result<()> {
    fs::write(path, text).with_context(|| format!("{} cannot be written", path.display()))?;
    Ok(writeln!(out, "{}", path.display())?)
}
