//! `hotdesk backup` and `hotdesk restore`: the SQLite file of the store, whole and in one file.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail, ensure};
use jiff::{Timestamp, tz::TimeZone};

use super::{control, output};
use crate::config::Config;
use crate::store::{self, backup};

#[derive(Debug, clap::Args)]
pub(super) struct Backup {
    /// File to write, readable by you alone; it must not be there already
    file: PathBuf,
}

#[derive(Debug, clap::Args)]
pub(super) struct Restore {
    /// File that hotdesk backup wrote
    file: PathBuf,
}

impl Backup {
    pub(super) async fn run(self, config: &Config, out: &mut dyn Write) -> Result<()> {
        let (store, file) = (of(config)?, self.file);
        ensure!(store.exists(), "there is no store at {}", store.display());
        ensure!(!file.exists(), "{} is there already: name another file", file.display());
        let done = format!("{}: a checked copy of {}", file.display(), store.display());
        let copied = tokio::task::spawn_blocking(move || backup::copy(&store, &file));
        copied.await.context("the copy was interrupted")??;
        writeln!(out, "{done}")?;
        output::note(format_args!(
            "the pepper is not in it: keep {} in another place, no PIN works without it",
            config.store.pepper_file.display()
        ));
        Ok(())
    }
}

impl Restore {
    pub(super) async fn run(self, config: &Config, found: &Path, out: &mut dyn Write) -> Result<()> {
        let (store, file) = (of(config)?, self.file);
        ensure!(!control::is_running(config, found).await, "hotdesk serve is running: stop it first");
        let suffix =
            Timestamp::now().to_zoned(TimeZone::UTC).strftime(".before-%Y%m%dT%H%M%S%.3fZ").to_string();
        let place = store.clone();
        let restored = tokio::task::spawn_blocking(move || backup::restore(&file, &place, &suffix));
        let before = restored.await.context("the restore was interrupted")??;
        match before {
            Some(before) => {
                writeln!(out, "{}: restored; the old store is {}", store.display(), before.display())?;
            }
            None => writeln!(out, "{}: restored", store.display())?,
        }
        output::note(
            "next: hotdesk check, then start hotdesk serve; if check says that a switch is held: hotdesk adopt",
        );
        Ok(())
    }
}

/// The file of the store.
fn of(config: &Config) -> Result<PathBuf> {
    match store::file(config.store.url.as_str(), &config.folder) {
        Some(path) => Ok(path),
        None => bail!("the store is in Redis, which has a backup of its own: see docs/backup.md"),
    }
}
