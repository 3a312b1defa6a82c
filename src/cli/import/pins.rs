//! PINs of imported users: checked, compared with the stored ones, hashed; generated ones are written to a file.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use anyhow::{Context as _, Result};
use zeroize::Zeroizing;

use crate::cli::context::CommandContext;
use crate::cli::plan::Plan;
use crate::cli::progress::on_all_cores;
use crate::controller::commands::now;
use crate::controller::{new_pin, pepper};
use crate::model::id::Extension;
use crate::model::login::pin::{Pin, PinRecord};
use crate::model::login::weak_pin::weak_pin;

/// The cell that asks for a generated PIN.
const GENERATE: &str = "generate";

/// What the import asks for a user's PIN.
pub(in crate::cli) enum Wanted {
    /// Set this one.
    Given(Pin),
    /// Generate one if the user has none.
    Made,
}

/// The PINs that the import asks for, and then those that are new.
#[derive(Default)]
pub(in crate::cli) struct Pins {
    wanted: BTreeMap<Extension, Wanted>,
    given: Vec<(Extension, Pin)>,
    made: Vec<(Extension, Pin)>,
}

/// Reads a cell; none if it is empty. Errors never repeat the cell.
pub(super) fn read(cell: &str, user: &Extension) -> Result<Option<Wanted>, String> {
    if cell.is_empty() {
        return Ok(None);
    }
    if cell == GENERATE {
        return Ok(Some(Wanted::Made));
    }
    let pin = Pin::new(cell).map_err(|error| {
        format!("{error}, or \"{GENERATE}\"; a spreadsheet drops leading zeros unless the column is text")
    })?;
    match weak_pin(&pin, user) {
        Some(why) => Err(format!("this PIN is too easy to guess: {why}; choose another, or \"{GENERATE}\"")),
        None => Ok(Some(Wanted::Given(pin))),
    }
}

impl Pins {
    pub(in crate::cli) fn want(&mut self, user: Extension, pin: Wanted) {
        self.wanted.insert(user, pin);
    }

    /// The generated PINs.
    pub(in crate::cli) fn made(&self) -> &[(Extension, Pin)] {
        &self.made
    }

    pub(super) fn makes(&self) -> bool {
        !self.made.is_empty()
    }

    /// Finds the users who get a new PIN, and adds them to `plan`.
    pub(in crate::cli) async fn compare(
        &mut self,
        context: &CommandContext,
        plan: &mut Plan<'_>,
    ) -> Result<()> {
        let path = &context.config.store.pepper_file;
        let mut peppers = pepper::others(path)?;
        // Without a pepper that PINs were made with, there can be no new ones.
        peppers.extend(pepper::found(path, &*context.store, context.config.served_tenants()).await?);
        let mut known = vec![];
        for (user, wanted) in std::mem::take(&mut self.wanted) {
            match (context.store.pin(&context.tenant, &user).await?, wanted) {
                (None, Wanted::Made) => {
                    let pin = new_pin::made(&user)?;
                    self.made.push((user, pin));
                }
                (None, Wanted::Given(pin)) => self.given.push((user, pin)),
                (Some(record), Wanted::Given(pin)) => known.push((user, pin, record)),
                (Some(_), Wanted::Made) => {}
            }
        }
        // After a rotation most records still name the previous pepper.
        let same = on_all_cores("comparing PINs", &known, |(user, pin, record)| {
            let pepper = peppers.iter().find(|pepper| pepper.name() == record.pepper());
            pepper.is_some_and(|pepper| record.matches(pin, pepper, &context.tenant, user))
        });
        let differing = known.into_iter().zip(same).filter(|(_, same)| !same);
        self.given.extend(differing.map(|((user, pin, _), _)| (user, pin)));
        plan.pins.extend(self.given.iter().chain(&self.made).map(|(user, _)| user.clone()));
        Ok(())
    }

    /// The records of the new PINs for the store.
    pub(in crate::cli) async fn records(
        &self,
        context: &CommandContext,
    ) -> Result<Vec<(Extension, PinRecord)>> {
        let new: Vec<&(Extension, Pin)> = self.given.iter().chain(&self.made).collect();
        if new.is_empty() {
            return Ok(vec![]);
        }
        let pepper = context.pepper().await?;
        let made = on_all_cores("hashing PINs", &new, |(user, pin)| {
            let mut salt = [0; 16];
            getrandom::fill(&mut salt)?;
            Ok((user.clone(), PinRecord::make(pin, &pepper, &context.tenant, user, salt).chosen(now())))
        });
        made.into_iter().collect()
    }

    /// Writes the generated PINs into the file.
    pub(super) fn hand_out(&self, mut file: NewFile) -> Result<NewFile> {
        let mut text = Zeroizing::new(String::with_capacity(32 + self.made.len() * 40));
        text.push_str("extension,pin\n");
        for (user, pin) in &self.made {
            text.extend([user.as_str(), ",", pin.reveal(), "\n"]);
        }
        let written = file.file.write_all(text.as_bytes()).and_then(|()| file.file.sync_all());
        written.with_context(|| cannot_write(&file.path))?;
        Ok(file)
    }
}

/// A new file of mode 600 for PINs; dropping this deletes it, unless the PINs were stored.
pub(super) struct NewFile {
    path: Box<Path>,
    file: File,
    keep: bool,
}

fn cannot_write(path: &Path) -> String {
    format!("cannot write the new PINs to {}, so nothing was changed", path.display())
}

impl NewFile {
    pub(super) fn make(path: &Path) -> Result<Self> {
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
        let file = file.with_context(|| cannot_write(path))?;
        Ok(Self { path: path.into(), file, keep: false })
    }

    /// Keeps the file: the PINs are stored.
    pub(super) fn keep(mut self) {
        self.keep = true;
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        if !self.keep {
            let _ = fs::remove_file(&self.path);
        }
    }
}
