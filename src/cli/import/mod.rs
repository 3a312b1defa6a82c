//! `hotdesk import`: many users, devices and locations at once, from CSV files or a FreePBX.

mod columns;
mod csv;
pub(super) mod files;
pub(super) mod freepbx;
mod how;
pub(super) mod pins;

use std::io::Write;
use std::path::PathBuf;

use anyhow::{Result, bail};

use super::context::CommandContext;
use how::How;

#[derive(Debug, clap::Args)]
#[command(subcommand_negates_reqs = true)]
pub(super) struct Import {
    #[command(subcommand)]
    source: Option<Source>,
    /// Files of users, devices or locations; the first line names the columns, like the options of hotdesk user set,
    /// device set and location set
    #[arg(required = true, value_name = "FILE.csv")]
    files: Vec<PathBuf>,
    #[command(flatten)]
    how: How,
}

#[derive(Debug, clap::Subcommand)]
enum Source {
    /// Import the users and devices of a FreePBX; the FreePBX is only read
    Freepbx(freepbx::FreePbx),
}

impl Import {
    pub(super) const fn changes(&self) -> bool {
        !self.how.dry_run
    }

    pub(super) async fn run(self, context: &CommandContext, out: &mut dyn Write) -> Result<()> {
        match self.source {
            None => files::run(&self.files, context, &self.how, out).await,
            Some(Source::Freepbx(_)) if !self.files.is_empty() => {
                bail!("import either CSV files or a FreePBX: run the two commands one after the other")
            }
            Some(Source::Freepbx(freepbx)) => freepbx.run(context, &self.how, out).await,
        }
    }
}
