//! `hotdesk pepper`: another key for the PINs.

use std::io::Write;

use super::site::Site;
use crate::controller::pepper;

#[derive(Debug, clap::Subcommand)]
pub(super) enum Pepper {
    /// Make a pepper beside the current one, which nothing uses yet: to be copied to every other controller first
    Add,
    /// Make another pepper the current one; each PIN goes over to it when its user logs in
    Rotate {
        /// The name of one that was added before; without it, a new one
        name: Option<String>,
    },
}

impl Pepper {
    pub(super) fn run(self, site: &Site, out: &mut dyn Write) -> anyhow::Result<()> {
        let path = &site.config.store.pepper_file;
        match self {
            Self::Add => {
                let name = pepper::add(path)?;
                let file = pepper::beside(path, &name);
                writeln!(
                    out,
                    "{} is made. Copy it to every other controller, reload them all, and then on each: hotdesk pepper \
                     rotate {name}",
                    file.display()
                )?;
            }
            Self::Rotate { name } => {
                let name = name.map_or_else(|| pepper::add(path), Ok)?;
                pepper::promote(path, &name)?;
                writeln!(
                    out,
                    "{} is the pepper {name} now. Reload hotdesk serve (SIGHUP) before anybody gets a new PIN, and keep \
                     a copy of the file. What was counted of failures begins anew, and locks of users end. `hotdesk \
                     check` says when no PIN needs the older files beside it any more",
                    path.display()
                )?;
            }
        }
        Ok(())
    }
}
