//! `hotdesk pepper`: changes the key that PINs are hashed with.

use std::io::Write;

use anyhow::Result;

use super::context::CommandContext;
use super::output;
use crate::controller::pepper;

#[derive(Debug, clap::Subcommand)]
pub(super) enum Pepper {
    /// Add a pepper that is not used yet, so that you can copy it to every other controller first
    Add,
    /// Rotate to another pepper: each PIN is hashed with it at the next login of its user
    Rotate {
        /// Name of a pepper that was added before; without it, a new one is made
        name: Option<String>,
    },
}

impl Pepper {
    pub(super) fn run(self, context: &CommandContext, out: &mut dyn Write) -> Result<()> {
        let path = &context.config.store.pepper_file;
        match self {
            Self::Add => {
                let name = pepper::add(path)?;
                let file = pepper::beside(path, &name);
                writeln!(out, "{}", file.display())?;
                output::note(format_args!(
                    "copy this file to every other controller and run hotdesk reload on each; then run on each: hotdesk pepper \
                     rotate {name}"
                ));
            }
            Self::Rotate { name } => {
                let name = name.map_or_else(|| pepper::add(path), Ok)?;
                pepper::promote(path, &name)?;
                writeln!(out, "{} is the pepper {name} now", path.display())?;
                output::note(
                    "run hotdesk reload before you set a PIN, and back up the file. Counts of wrong PINs start \
                     again, and lockouts of users end. hotdesk check says when no PIN needs the older files any more",
                );
            }
        }
        Ok(())
    }
}
