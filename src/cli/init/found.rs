//! Which switch is on this machine.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

/// A kind of switch.
#[derive(Clone, Copy, Debug, Eq, PartialEq, clap::ValueEnum)]
pub(super) enum Found {
    /// An Asterisk with its own files
    Asterisk,
    /// A FreeSWITCH
    Freeswitch,
    /// An Asterisk whose files a FreePBX writes
    Freepbx,
}

const ASTERISK: &str = "/etc/asterisk";
/// The files that a FreePBX writes, and its own configuration.
const FREEPBX: [&str; 2] = ["extensions_additional.conf", "/etc/freepbx.conf"];
/// Where packages and builds of FreeSWITCH have its configuration.
const FREESWITCH: [&str; 3] = ["/etc/freeswitch", "/usr/local/freeswitch/conf", "/opt/freeswitch/conf"];

impl Found {
    /// The kind that is `named`, or the only one that is there, and the folder of its files.
    pub(super) fn find(named: Option<Self>, dir: Option<&Path>) -> Result<(Self, PathBuf)> {
        let of_asterisk = dir.unwrap_or(Path::new(ASTERISK));
        let freeswitch = match dir {
            Some(dir) => Some(dir.to_owned()).filter(|dir| is_freeswitch(dir)),
            None => FREESWITCH.iter().map(PathBuf::from).find(|dir| is_freeswitch(dir)),
        };
        let freepbx = FREEPBX.iter().any(|file| of_asterisk.join(file).exists());
        let asterisk = freepbx || of_asterisk.join("extensions.conf").exists();
        let kind = match (named, asterisk, &freeswitch) {
            (Some(named), ..) => named,
            (None, true, Some(_)) => {
                bail!("there is an Asterisk and a FreeSWITCH: name one of them with --switch")
            }
            (None, true, None) if freepbx => Self::Freepbx,
            (None, true, None) => Self::Asterisk,
            (None, false, Some(_)) => Self::Freeswitch,
            (None, false, None) => bail!(
                "there is no switch on this machine: no {}/extensions.conf and no freeswitch.xml in {}. Install one, or name the \
                 folder of its configuration with --dir",
                of_asterisk.display(),
                dir.map_or_else(|| FREESWITCH.join(", "), |dir| dir.display().to_string())
            ),
        };
        let dir = match kind {
            Self::Asterisk if freepbx => bail!(
                "nothing was changed: {} has files of a FreePBX, which writes them itself: choose --switch freepbx",
                of_asterisk.display()
            ),
            Self::Asterisk | Self::Freepbx => of_asterisk.to_owned(),
            Self::Freeswitch => freeswitch
                .or_else(|| dir.map(Path::to_owned))
                .context("there is no freeswitch.xml in the usual folders: add --dir")?,
        };
        Ok((kind, std::path::absolute(dir)?))
    }

    /// Where its packages have the prompts.
    pub(super) fn sounds(self) -> &'static Path {
        Path::new(match self {
            Self::Asterisk => "/usr/share/asterisk/sounds",
            Self::Freepbx => "/var/lib/asterisk/sounds",
            Self::Freeswitch => "/usr/share/freeswitch/sounds",
        })
    }
}

fn is_freeswitch(dir: &Path) -> bool {
    dir.join("freeswitch.xml").exists()
}
