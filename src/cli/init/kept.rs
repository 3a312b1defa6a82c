//! What was before init: a copy of each file that it changes, and the names of those that it makes.

use std::fs::{self, DirBuilder};
use std::io::{self, ErrorKind};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail, ensure};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::console::Console;
use crate::cli::dialplan::placed::{About, write_as};
use crate::store::files;

/// A file that init changes.
#[derive(Debug, Deserialize, Serialize)]
struct Changed {
    path: PathBuf,
    /// The name of its copy.
    copy: String,
    before: About,
    /// Digest of what init wrote.
    digest: String,
}

/// A file that init makes.
#[derive(Debug, Deserialize, Serialize)]
struct Made {
    path: PathBuf,
    /// Digest of what init wrote; none for what Hotdesk itself writes again at each update.
    digest: Option<String>,
}

/// What the folder holds: enough to undo init, also if it ended half-way.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Kept {
    changed: Vec<Changed>,
    made: Vec<Made>,
    /// The store and the pepper.
    pub(super) store: Vec<PathBuf>,
    /// Gives the switch its commands.
    pub(super) console: Console,
}

/// What becomes of the store when init is undone.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Store {
    /// It holds users and PINs: it gets another name.
    SetAside,
    /// It was made a moment ago.
    Removed,
}

/// The folder `init` beside the store.
pub(super) struct State(PathBuf);

const RECORD: &str = "record.json";

fn digest(bytes: &[u8]) -> String {
    base16ct::lower::encode_string(&Sha256::digest(bytes))
}

impl Kept {
    pub(super) fn new(console: Console, store: Vec<PathBuf>) -> Self {
        Self { changed: vec![], made: vec![], store, console }
    }

    /// One more file that is made, with what is written into it if that stays as it is.
    pub(super) fn makes(&mut self, path: &Path, text: Option<&str>) {
        self.made.push(Made { path: path.into(), digest: text.map(|text| digest(text.as_bytes())) });
    }

    /// The files that have been changed since by others.
    pub(super) fn changed_since(&self, state: &State) -> Vec<PathBuf> {
        let differs = |path: &Path, known: &[&str]| {
            fs::read(path).is_ok_and(|bytes| !known.contains(&digest(&bytes).as_str()))
        };
        let changed = self.changed.iter().filter(|file| {
            let before = fs::read(state.0.join(&file.copy)).map(|bytes| digest(&bytes)).unwrap_or_default();
            !file.path.exists() || differs(&file.path, &[&file.digest, &before])
        });
        let made =
            self.made.iter().filter(|file| file.digest.as_ref().is_some_and(|it| differs(&file.path, &[it])));
        changed.map(|file| file.path.clone()).chain(made.map(|file| file.path.clone())).collect()
    }

    /// Gives back the files as they were, and removes what was made. Each step that cannot be done is an error at the end.
    pub(super) fn give_back(&self, state: &State, store: Store) -> Result<Vec<String>> {
        let (mut said, mut errors) = (vec![], vec![]);
        let mut step = |path: &Path, done: &str, result: io::Result<()>| match result {
            Ok(()) => said.push(format!("{}: {done}", path.display())),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => errors.push(format!("{}: {error}", path.display())),
        };
        for Changed { path, copy, before, .. } in &self.changed {
            let copy =
                fs::read(state.0.join(copy)).with_context(|| format!("cannot read the copy {copy}"))?;
            let same = fs::read(path).is_ok_and(|now| now == copy)
                && About::of(path).is_ok_and(|now| now == *before);
            if !same {
                step(path, "as before init", write_as(path, &copy, *before));
            }
        }
        for Made { path, digest } in &self.made {
            step(path, "removed", fs::remove_file(path));
            if digest.is_none() {
                // What `hotdesk dialplan install` keeps of an earlier one.
                let _ = fs::remove_file(files::beside(path, ".before"));
                // The folder of the prompts and that of their language, if nothing else is in them.
                let folders = path
                    .ancestors()
                    .skip(1)
                    .take(2)
                    .filter(|_| path.extension().is_some_and(|it| it == "wav"));
                folders.for_each(|folder| drop(fs::remove_dir(folder)));
            }
        }
        for path in &self.store {
            let aside = files::beside(path, ".undone");
            match store {
                Store::Removed => step(path, "removed", fs::remove_file(path)),
                Store::SetAside => {
                    let done = format!("set aside as {}: it holds users and PINs", aside.display());
                    step(path, &done, fs::rename(path, &aside));
                }
            }
        }
        ensure!(errors.is_empty(), "{}", errors.join("; "));
        Ok(said)
    }
}

impl State {
    pub(super) fn of(data: &Path) -> Self {
        Self(data.join("init"))
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    /// An error if init has been done, or Hotdesk is configured already.
    pub(super) fn refuse_second(&self, config: &Path) -> Result<()> {
        if self.0.exists() {
            bail!(
                "init was done already: to go back, run hotdesk init --undo. {} has the old files",
                self.0.display()
            );
        }
        let store = self.0.with_file_name("hotdesk.db");
        for file in [config, &store] {
            ensure!(
                !file.exists(),
                "{} is there already, and init is for a new installation: change it by hand, or move it away",
                file.display()
            );
        }
        Ok(())
    }

    /// Copies the files that are to be changed, and writes the record.
    pub(super) fn keep<'a>(
        &self,
        mut kept: Kept,
        changes: impl Iterator<Item = (&'a Path, &'a str)>,
    ) -> Result<Kept> {
        let folder = self.0.display();
        DirBuilder::new().mode(0o700).create(&self.0).with_context(|| format!("cannot make {folder}"))?;
        let all = changes.enumerate().map(|(n, (path, after))| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let (copy, before) = (format!("{n}-{name}"), About::of(path)?);
            let own = About { mode: 0o600, ..About::of(&self.0)? };
            write_as(&self.0.join(&copy), &fs::read(path)?, own)?;
            Ok(Changed { path: path.into(), copy, before, digest: digest(after.as_bytes()) })
        });
        kept.changed =
            all.collect::<io::Result<_>>().with_context(|| format!("cannot keep a copy in {folder}"))?;
        let own = About { mode: 0o600, ..About::of(&self.0)? };
        let record = serde_json::to_vec_pretty(&kept)?;
        write_as(&self.0.join(RECORD), &record, own).with_context(|| format!("cannot write to {folder}"))?;
        Ok(kept)
    }

    /// What was kept.
    pub(super) fn kept(&self) -> Result<Kept> {
        let record = self.0.join(RECORD);
        let bytes = fs::read(&record).map_err(|error| match error.kind() {
            ErrorKind::NotFound => {
                anyhow::anyhow!("there is nothing to undo: {} is not there", record.display())
            }
            _ => anyhow::Error::new(error).context(format!("cannot read {}", record.display())),
        })?;
        serde_json::from_slice(&bytes).with_context(|| format!("{} is not what init wrote", record.display()))
    }

    /// Removes the folder. What init made is undone.
    pub(super) fn remove(&self) -> Result<()> {
        fs::remove_dir_all(&self.0).with_context(|| format!("cannot remove {}", self.0.display()))
    }
}
