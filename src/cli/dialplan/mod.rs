//! `hotdesk dialplan`: prints or installs what a site includes into its switch, for the codes and numbers of the configuration.

pub(super) mod install;
pub(super) mod placed;
pub(super) mod printed;
mod users;

use std::io::Write;
use std::path::PathBuf;

use anyhow::{Context as _, Result};

use crate::config::{Config, Kind};
use crate::model::id::{SwitchName, TenantId};
use crate::model::login::token::Token;
use placed::{SECRET, mode, write};
use printed::File;

#[derive(Debug, clap::Subcommand)]
pub(super) enum Dialplan {
    /// Print hotdesk.conf for Asterisk, to include into extensions.conf
    Asterisk(Print),
    /// Print hotdesk.xml for FreeSWITCH, to copy into the folder dialplan
    Freeswitch(PrintFreeSwitch),
    /// Print the rows for the database of a FusionPBX: pipe them into psql
    Fusionpbx(PrintFusionPbx),
    /// Install or update the files of a switch on this machine, and reload the switch
    ///
    /// Each file is written beside the present one, checked, and renamed in one step; the old one stays as NAME.before. Then
    /// the switch reloads its dialplan. If it does not load the new one, the old files are put back.
    Install(install::Install),
}

#[derive(Debug, clap::Args)]
pub(super) struct Print {
    /// Write all files for the switch, with the prompts, to this folder instead
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Print for this switch, if there are several of its kind
    #[arg(long, value_name = "NAME")]
    switch: Option<SwitchName>,
}

#[derive(Debug, clap::Args)]
pub(super) struct PrintFreeSwitch {
    #[command(flatten)]
    print: Print,
    /// Print directory entries instead, for the users and mailboxes of the tenant that have none
    #[arg(long, conflicts_with = "out")]
    users: bool,
}

#[derive(Debug, clap::Args)]
pub(super) struct PrintFusionPbx {
    #[command(flatten)]
    print: Print,
    /// Print each context of hotdesk.xml as a row, too: FusionPBX before 5.3 reads no file
    #[arg(long)]
    rows: bool,
}

impl Dialplan {
    /// The dialplan depends only on the configuration and the pepper. The store is needed only if there is no pepper yet.
    pub(super) async fn run(self, config: &Config, tenant: &TenantId, out: &mut dyn Write) -> Result<()> {
        match self {
            Self::Asterisk(print) => print.run(Kind::Asterisk, config, out).await,
            Self::Freeswitch(PrintFreeSwitch { print, users: true }) => {
                let switch = printed::chosen(config, Some(Kind::FreeSwitch), print.switch.as_ref())?;
                users::print(config, switch, tenant, out).await
            }
            Self::Freeswitch(PrintFreeSwitch { print, .. }) => print.run(Kind::FreeSwitch, config, out).await,
            Self::Fusionpbx(print) => print.run(config, out).await,
            Self::Install(install) => install.run(config, out).await,
        }
    }
}

impl Print {
    async fn run(self, kind: Kind, config: &Config, out: &mut dyn Write) -> Result<()> {
        let switch = printed::chosen(config, Some(kind), self.switch.as_ref())?;
        let token = Token::of(&printed::pepper(config).await?);
        self.write(printed::files(config, switch, &token), &token, out)
    }

    fn write(self, files: Vec<File>, token: &Token, out: &mut dyn Write) -> Result<()> {
        let Some(folder) = self.out else {
            // The dialplan is the first file.
            files.first().map_or(Ok(()), |(_, text)| out.write_all(text))?;
            return Ok(());
        };
        for (path, bytes) in files {
            let path = folder.join(path);
            // The administrator has put a secret into the manager's file: keep it.
            let kept = path.ends_with("hotdesk-manager.conf") && path.exists();
            if !kept {
                let holds_password = path.ends_with("fusionpbx.sql");
                let mode = if holds_password { SECRET } else { mode(&bytes, token) };
                write(&path, &bytes, mode).with_context(|| format!("cannot write {}", path.display()))?;
            }
            writeln!(out, "{}{}", path.display(), if kept { " (kept)" } else { "" })?;
        }
        Ok(())
    }
}

impl PrintFusionPbx {
    async fn run(self, config: &Config, out: &mut dyn Write) -> Result<()> {
        let switch = printed::chosen(config, Some(Kind::FreeSwitch), self.print.switch.as_ref())?;
        let token = Token::of(&printed::pepper(config).await?);
        let files = printed::of_fusionpbx(config, switch, &token, self.rows)?;
        self.print.write(files, &token, out)
    }
}
