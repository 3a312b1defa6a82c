//! `hotdesk import`: a whole directory at once, from files or from a FreePBX.

mod columns;
mod files;
mod freepbx;
mod pins;
mod sheet;

use std::io::Write;
use std::path::PathBuf;

use anyhow::bail;

use super::plan::Plan;
use super::site::Site;
use crate::store::StoreError;
use pins::Pins;

#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(super) struct Import {
    #[command(subcommand)]
    source: Option<Source>,
    #[command(flatten)]
    files: files::Files,
}

#[derive(Debug, clap::Subcommand)]
enum Source {
    /// Take over users and devices of a FreePBX in Device & User mode; nothing is written there
    Freepbx(freepbx::FreePbx),
}

/// How it is done, wherever it comes from.
#[derive(Debug, clap::Args)]
struct How {
    /// Only show the difference
    #[arg(long)]
    dry_run: bool,
    /// Devices for hotdesking even where no emergency caller-ID is known; this is journalled
    #[arg(long)]
    force: bool,
    /// A new file for the PINs that are made, readable by you alone
    #[arg(long, value_name = "FILE")]
    pins_out: Option<PathBuf>,
}

impl Import {
    pub(super) async fn run(self, site: &Site, out: &mut dyn Write) -> anyhow::Result<()> {
        match self.source {
            None => self.files.run(site, out).await,
            Some(Source::Freepbx(freepbx)) => freepbx.run(site, out).await,
        }
    }
}

impl How {
    /// Tells the difference, and does it.
    async fn carry_out(
        &self,
        site: &Site,
        out: &mut dyn Write,
        mut plan: Plan<'_>,
        mut pins: Pins,
    ) -> anyhow::Result<()> {
        pins.compare(site, &mut plan).await?;
        plan.tell(out)?;
        if self.dry_run {
            writeln!(out, "this was a dry run: nothing is changed")?;
            return Ok(());
        }
        let handed_out = match &self.pins_out {
            Some(path) if pins.makes() => Some(pins.hand_out(path)?),
            None if pins.makes() => bail!("say where the PINs that are made shall go: --pins-out FILE"),
            _ => None,
        };
        let done = plan.apply(pins.records(site)?).await;
        // A store that did not answer may have done it all the same.
        let unknown = |error: &anyhow::Error| matches!(error.downcast_ref(), Some(StoreError::Away(..)));
        if let Some(handed_out) = handed_out.filter(|_| done.as_ref().err().is_none_or(unknown)) {
            handed_out.keep();
        }
        match done {
            Err(error) if unknown(&error) => {
                return Err(error.context("it may have been done or not; the same with --dry-run tells"));
            }
            done => done?,
        }
        writeln!(out, "done")?;
        Ok(())
    }
}
