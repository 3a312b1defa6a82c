//! The options of every import, and what they do: print the difference, write generated PINs, apply the plan.

use std::io::Write;
use std::path::PathBuf;

use anyhow::{Result, bail};

use super::pins::{NewFile, Pins};
use crate::cli::context::CommandContext;
use crate::cli::output;
use crate::cli::plan::Plan;
use crate::store::StoreError;

/// Options of every import. They are global, so that `import --dry-run freepbx` does not import.
#[derive(Debug, clap::Args)]
pub(super) struct How {
    /// Show the difference, and change nothing
    #[arg(long, global = true)]
    pub(super) dry_run: bool,
    /// Allow hotdesking at devices without an emergency caller ID; the journal records it
    #[arg(long, global = true, help_heading = output::OVERRIDE)]
    pub(super) force: bool,
    /// New file for generated PINs, readable by you alone
    #[arg(long, global = true, value_name = "FILE")]
    pub(super) pins_out: Option<PathBuf>,
}

impl How {
    pub(super) async fn carry_out(
        &self,
        context: &CommandContext,
        out: &mut dyn Write,
        mut plan: Plan<'_>,
        mut pins: Pins,
    ) -> Result<()> {
        pins.compare(context, &mut plan).await?;
        // What refuses the run refuses the dry run: it does the same up to here, and removes the empty file again.
        plan.decide()?;
        let new = match &self.pins_out {
            Some(path) if pins.makes() => Some(NewFile::make(path)?),
            None if pins.makes() => bail!("PINs are to be generated: give a file for them, --pins-out FILE"),
            _ => None,
        };
        plan.print(out)?;
        if self.dry_run {
            output::note("dry run: nothing was changed");
            return Ok(());
        }
        let handed_out = new.map(|file| pins.hand_out(file)).transpose()?;
        let done = plan.apply(pins.records(context).await?).await;
        // A store that did not answer may have committed all the same.
        let unknown = |error: &anyhow::Error| matches!(error.downcast_ref(), Some(StoreError::Away(..)));
        if let Some(handed_out) = handed_out.filter(|_| done.as_ref().err().is_none_or(unknown)) {
            handed_out.keep();
        }
        done.map_err(|error| match unknown(&error) {
            true => error
                .context("the import may be complete or not done at all; run it again with --dry-run to see"),
            false => error,
        })?;
        writeln!(out, "done")?;
        Ok(())
    }
}
