//! PINs that come with users: checked, compared with those there are, hashed, and the made ones told in a file.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use anyhow::Context as _;
use zeroize::Zeroizing;

use crate::cli::plan::Plan;
use crate::cli::progress::on_all_cores;
use crate::cli::site::{Site, now};
use crate::cli::user::generated_pin;
use crate::controller::pepper;
use crate::desk::guessable::guessable;
use crate::desk::id::Extension;
use crate::desk::pin::{Pin, PinRecord};

/// What a cell says so that a PIN is made.
const GENERATE: &str = "generate";

/// What is wanted of somebody's PIN.
pub(super) enum Wanted {
    /// It is this one.
    Given(Pin),
    /// A made one, if he has none.
    Made,
}

/// The PINs that are wanted, and then those that are new.
#[derive(Default)]
pub(super) struct Pins {
    wanted: BTreeMap<Extension, Wanted>,
    given: Vec<(Extension, Pin)>,
    made: Vec<(Extension, Pin)>,
}

/// Reads a cell; none if it says nothing. Never repeats it.
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
    match guessable(&pin, user) {
        Some(why) => Err(format!("this PIN is too easy to guess: {why}; choose another, or \"{GENERATE}\"")),
        None => Ok(Some(Wanted::Given(pin))),
    }
}

impl Pins {
    pub(super) fn want(&mut self, user: Extension, pin: Wanted) {
        self.wanted.insert(user, pin);
    }

    /// Whether one is to be made for somebody.
    pub(super) fn makes(&self) -> bool {
        !self.made.is_empty()
    }

    /// Finds out whose PIN will be a new one, and says so to `plan`.
    pub(super) async fn compare(&mut self, site: &Site, plan: &mut Plan<'_>) -> anyhow::Result<()> {
        let path = &site.config.store.pepper_file;
        let mut peppers = pepper::others(path)?;
        peppers.extend(pepper::load(path)?);
        let mut known = vec![];
        for (user, wanted) in std::mem::take(&mut self.wanted) {
            match (site.store.pin(&site.tenant, &user).await?, wanted) {
                (None, Wanted::Made) => {
                    let pin = generated_pin(&user)?;
                    self.made.push((user, pin));
                }
                (None, Wanted::Given(pin)) => self.given.push((user, pin)),
                (Some(record), Wanted::Given(pin)) => known.push((user, pin, record)),
                (Some(_), Wanted::Made) => {}
            }
        }
        // After a rotation most records still name the pepper before.
        let same = on_all_cores("comparing PINs", &known, |(user, pin, record)| {
            let pepper = peppers.iter().find(|pepper| pepper.name() == record.pepper());
            pepper.is_some_and(|pepper| record.matches(pin, pepper, &site.tenant, user))
        });
        let differing = known.into_iter().zip(same).filter(|(_, same)| !same);
        self.given.extend(differing.map(|((user, pin, _), _)| (user, pin)));
        plan.pins.extend(self.given.iter().chain(&self.made).map(|(user, _)| user.clone()));
        Ok(())
    }

    /// What the store keeps of the new ones.
    pub(super) fn records(&self, site: &Site) -> anyhow::Result<Vec<(Extension, PinRecord)>> {
        let new: Vec<&(Extension, Pin)> = self.given.iter().chain(&self.made).collect();
        if new.is_empty() {
            return Ok(vec![]);
        }
        let pepper = pepper::load_or_create(&site.config.store.pepper_file)?;
        let made = on_all_cores("hashing PINs", &new, |(user, pin)| {
            let mut salt = [0; 16];
            getrandom::fill(&mut salt)?;
            Ok((user.clone(), PinRecord::make(pin, &pepper, &site.tenant, user, salt).chosen(now())))
        });
        made.into_iter().collect()
    }

    /// Writes the made ones into a new file that only we can read.
    pub(super) fn hand_out(&self, path: &Path) -> anyhow::Result<Written> {
        let mut text = Zeroizing::new(String::with_capacity(32 + self.made.len() * 40));
        text.push_str("extension,pin\n");
        for (user, pin) in &self.made {
            text.extend([user.as_str(), ",", pin.reveal(), "\n"]);
        }
        let wrong =
            || format!("the new PINs cannot be written to {}, so nothing was changed", path.display());
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
        let mut file: File = file.with_context(wrong)?;
        let written = Written { path: path.into(), keep: false };
        file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).with_context(wrong)?;
        Ok(written)
    }
}

/// A file of PINs; gone again unless they came to be those of their users.
pub(super) struct Written {
    path: Box<Path>,
    keep: bool,
}

impl Written {
    /// They are in the store.
    pub(super) fn keep(mut self) {
        self.keep = true;
    }
}

impl Drop for Written {
    fn drop(&mut self) {
        if !self.keep {
            let _ = fs::remove_file(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_that_is_no_pin_is_refused_and_not_repeated() {
        let user = Extension::new("101").unwrap();
        let why = |cell: &str| read(cell, &user).err().unwrap();
        assert!(matches!(read("", &user), Ok(None)));
        assert!(matches!(read("generate", &user), Ok(Some(Wanted::Made))));
        assert!(matches!(read("0829", &user), Ok(Some(Wanted::Given(_)))));
        for cell in ["829", "82917364520", "8a29", "PIN 8291"] {
            assert!(why(cell).contains("takes 4 to 10 digits") && !why(cell).contains(cell), "{cell}");
        }
        assert!(why("1234").contains("too easy to guess") && !why("1234").contains("1234"));
    }
}
