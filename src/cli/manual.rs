//! `hotdesk completions` and `hotdesk man`: shell completions and manual pages.

use std::fs;
use std::io::Write;
use std::path::PathBuf;

use anyhow::{Context as _, Result};

#[derive(Debug, clap::Args)]
pub(super) struct Completions {
    /// Shell that reads them
    shell: clap_complete::Shell,
}

#[derive(Debug, clap::Args)]
pub(super) struct Man {
    /// Write hotdesk.1 and a page for each command into this folder
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

impl Completions {
    pub(super) fn run(self, mut command: clap::Command, out: &mut dyn Write) -> Result<()> {
        // The generator panics when its writer fails, and a reader may close the pipe early.
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut command, "hotdesk", &mut script);
        out.write_all(&script)?;
        Ok(())
    }
}

impl Man {
    pub(super) fn run(self, command: clap::Command, out: &mut dyn Write) -> Result<()> {
        let Some(folder) = self.out else {
            clap_mangen::Man::new(command).render(&mut &mut *out)?;
            return Ok(());
        };
        let unwritable = || format!("cannot write manual pages to {}", folder.display());
        fs::create_dir_all(&folder).with_context(unwritable)?;
        clap_mangen::generate_to(command, &folder).with_context(unwritable)?;
        writeln!(out, "{}", folder.join("hotdesk.1").display())?;
        Ok(())
    }
}
