//! When the state of a store must not be written to a switch: the data is gone, older, or of another installation, or too
//! many rows would be emptied at once. Absence in a store is no proof that something was removed.

use jiff::Timestamp;

use super::desired::{About, Edit, Reading, Scope};
use super::directory::Snapshot;
use super::id::{Revision, StoreId};
use super::journal::{Entry, Event};
use super::mark::Mark;
use super::row_codec;

/// So many rows may be emptied at once in any case.
const FEW: usize = 5;
/// Of more rows, one in so many.
const ONE_IN: usize = 10;

/// Why a switch is held: nothing is written to it, and nothing deleted, until the store fits again or an administrator adopts
/// the store.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Hold {
    /// The store itself noticed that its data is not the data from before, or that it may lose some.
    #[error("{0}")]
    Lost(String),
    /// The switch holds the state of another store.
    #[error("the switch holds the state of store {there}, and this is {}", other(.here.as_ref()))]
    Other {
        /// The identity of the store; none: it has no data.
        here: Option<StoreId>,
        /// The identity in the switch.
        there: StoreId,
    },
    /// The store went back: the switch holds the state of a later revision.
    #[error(
        "the store is older than the switch: it has revision {here}, and the switch holds revision {there}"
    )]
    Older {
        /// The revision of the store.
        here: Revision,
        /// The revision in the switch.
        there: Revision,
    },
    /// The store went back and was changed since: another change stands where the one is that the switch holds.
    #[error(
        "the store went back and has changed since: its revision {0} is not the one that the switch holds"
    )]
    Parted(Revision),
    /// The store has no history, and the switch has rows.
    #[error("the store is new and empty, and the switch has {0} rows of users and devices")]
    Empty(usize),
    /// So many rows of users, devices and sessions would be emptied, of so many, and no journal entry says why.
    #[error(
        "{0} of {1} rows of users and devices would be emptied, and the journal has no removal or logout for them"
    )]
    Emptied(usize, usize),
}

fn other(here: Option<&StoreId>) -> String {
    here.map_or_else(|| "an empty store".into(), |here| format!("store {here}"))
}

/// Whether data with the mark `here` may follow the mark `there` in the switch; `entry` is when the store's own entry of
/// the revision in the switch was made, none if it is too old to be kept.
///
/// # Errors
/// The hold.
pub fn follows(here: Option<&Mark>, there: &Mark, entry: Option<Timestamp>) -> Result<(), Hold> {
    let Some(here) = here.filter(|here| here.store == there.store) else {
        let (here, there) = (here.map(|here| here.store.clone()), there.store.clone());
        return Err(Hold::Other { here, there });
    };
    if here.revision < there.revision {
        return Err(Hold::Older { here: here.revision, there: there.revision });
    }
    match entry {
        Some(at) if at.as_microsecond() != there.at.as_microsecond() => Err(Hold::Parted(there.revision)),
        _ => Ok(()),
    }
}

/// Whether a store of this revision may be written to a switch without a mark, of which this was read.
///
/// # Errors
/// The hold.
pub fn takes(revision: Revision, reading: &Reading) -> Result<(), Hold> {
    match rows(reading) {
        rows @ 1.. if revision == Revision(0) && !reading.shared => Err(Hold::Empty(rows)),
        _ => Ok(()),
    }
}

/// The rows of users and devices.
fn rows(reading: &Reading) -> usize {
    let counted = |about: &About| matches!(about, About::User(_) | About::Device(_));
    reading.records.keys().filter(|key| counted(&key.about)).count()
}

/// The edits that take a user, a device or a session away from the switch.
pub fn emptying(edits: &[Edit]) -> Vec<&Edit> {
    let empties = |edit: &&Edit| {
        let session = |text: &Option<String>| text.as_deref().is_some_and(row_codec::has_session);
        match edit.key.about {
            About::User(_) => edit.is.is_none(),
            About::Device(_) => edit.is.is_none() || (session(&edit.was) && !session(&edit.is)),
            _ => false,
        }
    };
    edits.iter().filter(empties).collect()
}

/// Whether so few of these may be emptied at once that nothing need explain it.
#[must_use]
pub const fn is_few(emptied: usize) -> bool {
    emptied <= FEW
}

/// Whether these edits of the whole table may be written. Each journal entry in `entries`, oldest first, explains what it
/// removed or logged out.
///
/// # Errors
/// The hold.
pub fn empties(
    edits: &[Edit],
    reading: &Reading,
    snapshot: &Snapshot,
    entries: &[Entry],
) -> Result<(), Hold> {
    let explained = removed(entries);
    let moved = |edit: &Edit| {
        edit.is.is_none() && edit.key.about.device().is_some_and(|it| snapshot.devices.contains_key(it))
    };
    let emptying = emptying(edits).into_iter();
    let emptied = emptying.filter(|edit| !explained.contains(&edit.key.about) && !moved(edit)).count();
    let rows = rows(reading);
    match is_few(emptied) || emptied * ONE_IN <= rows {
        true => Ok(()),
        false => Err(Hold::Emptied(emptied, rows)),
    }
}

/// The users and devices of which the last of these entries says that they were removed, or that a session there ended.
fn removed(entries: &[Entry]) -> Scope {
    let (mut users, mut devices) = (std::collections::BTreeSet::new(), std::collections::BTreeSet::new());
    for entry in entries {
        match &entry.event {
            Event::SessionsChanged { ended, begun, .. } => {
                devices.extend(ended.iter().map(|session| session.device.clone()));
                devices.retain(|device| begun.iter().all(|session| session.device != *device));
            }
            Event::UserRemoved { user, devices: at } => {
                users.insert(user.clone());
                devices.extend(at.iter().cloned());
            }
            Event::UserChanged { user, devices: at, .. } => {
                users.remove(user);
                devices.extend(at.iter().cloned());
            }
            Event::DeviceRemoved { device, .. } | Event::DeviceChanged { device, user: Some(_), .. } => {
                devices.insert(device.clone());
            }
            _ => {}
        }
    }
    Scope::Some { users, devices }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(store: &str, revision: u64, second: i64) -> Mark {
        let at = Timestamp::from_second(second).unwrap();
        Mark { store: StoreId::new(store).unwrap(), revision: Revision(revision), at }
    }

    #[test]
    fn only_the_same_data_that_went_on_follows() {
        let there = mark("a", 7, 70);
        let older = Hold::Older { here: Revision(6), there: Revision(7) };
        let other = |here: Option<&str>| Hold::Other {
            here: here.map(|here| StoreId::new(here).unwrap()),
            there: there.store.clone(),
        };
        let at = |second| Timestamp::from_second(second).ok();
        for (here, entry, is) in [
            (Some(mark("a", 7, 70)), at(70), Ok(())),
            (Some(mark("a", 9, 90)), at(70), Ok(())),
            // The entry is too old to be kept.
            (Some(mark("a", 9, 90)), None, Ok(())),
            (Some(mark("a", 9, 90)), at(71), Err(Hold::Parted(Revision(7)))),
            (Some(mark("a", 7, 71)), at(71), Err(Hold::Parted(Revision(7)))),
            (Some(mark("a", 6, 60)), None, Err(older)),
            (Some(mark("b", 9, 90)), None, Err(other(Some("b")))),
            (None, None, Err(other(None))),
        ] {
            assert_eq!(follows(here.as_ref(), &there, entry), is, "{here:?}");
        }
    }

    #[test]
    fn a_session_is_a_user_with_a_revision() {
        for (record, is) in
            [("101|7||", true), ("101|0||", false), ("|0||", false), ("", false), ("none", false)]
        {
            assert_eq!(row_codec::has_session(record), is, "{record}");
        }
    }
}
