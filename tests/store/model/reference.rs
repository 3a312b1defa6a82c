//! The reference: what stores must do, too small to be wrong.

use std::collections::{BTreeMap, BTreeSet};

use hotdesk::desk::id::Revision;
use hotdesk::desk::model::Binding;
use hotdesk::desk::policy::Refusal;
use hotdesk::desk::rules::Multi;
use hotdesk::store::Tried;

use super::*;

/// Somebody at a desk: since when, the revision, the desk, who. In the order of their standing.
pub type Seat = (Timestamp, Revision, DeviceName, Extension);

/// Why the reference did not do something.
#[derive(Debug, PartialEq)]
pub enum Not {
    Missing,
    Refused(Refusal),
}

impl From<StoreError> for Not {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Missing(_) => Self::Missing,
            StoreError::Refused(refusal) => Self::Refused(refusal),
            other => panic!("{other}"),
        }
    }
}

/// Who is there, who sits where, and who failed how often.
#[derive(Default)]
pub struct Model {
    pub users: BTreeMap<Extension, User>,
    pub devices: BTreeMap<DeviceName, Device>,
    pub seats: BTreeSet<Seat>,
    pub revision: Revision,
    tallies: BTreeMap<String, Tally>,
}

/// Of one user or device.
#[derive(Clone, Default)]
struct Tally {
    failures: Vec<(i64, String)>,
    row: u32,
    locks: usize,
    until: i64,
    last: i64,
}

impl Model {
    pub fn change(&mut self, what: &What) -> Result<(), Not> {
        let Self { users, devices, seats, .. } = self;
        let there = match what {
            What::Device(device @ Device { name, hotdesk, .. }) => {
                devices.insert(name.clone(), device.clone());
                seats.retain(|(.., device, _)| device != name || *hotdesk);
                true
            }
            What::User(user @ User { extension, hotdesk, .. }) => {
                users.insert(extension.clone(), user.clone());
                seats.retain(|(.., user)| user != extension || *hotdesk);
                true
            }
            What::RemoveDevice(name) => {
                seats.retain(|(.., device, _)| device != name);
                devices.remove(name).is_some()
            }
            What::RemoveUser(extension) => {
                seats.retain(|(.., user)| user != extension);
                users.remove(extension).is_some()
            }
            What::Edited { .. } | What::Location(_) | What::RemoveLocation(_) => unreachable!(),
            What::Pin(user, _) | What::Setting(user, _) => users.contains_key(user),
            What::Unlock(whose) => {
                match whose {
                    Unlock::All => self.tallies.clear(),
                    Unlock::Device(device) => drop(self.tallies.remove(&of_device(device))),
                    Unlock::User(_, alias) => drop(self.tallies.remove(&of_user(alias.as_str()))),
                }
                true
            }
        };
        self.revision.0 += u64::from(there);
        if there { Ok(()) } else { Err(Not::Missing) }
    }

    pub fn moves(&mut self, act: &Move) -> Result<(), Not> {
        let next = Revision(self.revision.0 + 1);
        let before = self.seats.clone();
        let (user, device) = match &act.act {
            Act::Clear(device) => (None, Some(device)),
            Act::LeaveAll(user) => (Some(user), None),
            Act::Leave(user, device) | Act::Seat(user, device, _) => (Some(user), Some(device)),
            Act::Expire(_) | Act::Undo { .. } => (None, None),
        };
        if user.is_some_and(|user| !self.users.contains_key(user))
            || device.is_some_and(|device| !self.devices.contains_key(device))
        {
            return Err(Not::Missing);
        }
        match &act.act {
            Act::Clear(device) => self.seats.retain(|(.., d, _)| d != device),
            Act::Expire(Binding { user, device, revision, .. }) => {
                self.seats.retain(|(_, r, d, u)| (u, d, r) != (user, device, revision));
            }
            Act::LeaveAll(user) => self.seats.retain(|(.., u)| u != user),
            Act::Leave(user, device) => self.seats.retain(|(.., d, u)| (u, d) != (user, device)),
            Act::Seat(user, device, rules) => self.sit(user, device, rules, act.at, next)?,
            Act::Undo { seated, removed, most } => {
                for Binding { user, device, revision, .. } in seated {
                    self.seats.retain(|(_, r, d, u)| (u, d, r) != (user, device, revision));
                }
                for Binding { user, device, since, .. } in removed {
                    let may = self.users.get(user).is_some_and(|user| user.hotdesk)
                        && self.devices.get(device).is_some_and(|device| device.hotdesk);
                    let free = !self.seats.iter().any(|(.., d, _)| d == device);
                    if may && free && self.of(user).len() < *most {
                        self.seats.insert((*since, next, device.clone(), user.clone()));
                    }
                }
            }
        }
        if self.seats != before {
            self.revision = next;
        }
        Ok(())
    }

    fn of(&self, user: &Extension) -> Vec<Seat> {
        self.seats.iter().filter(|(.., u)| u == user).cloned().collect()
    }

    fn sit(
        &mut self,
        user: &Extension,
        device: &DeviceName,
        rules: &Seating,
        at: Timestamp,
        next: Revision,
    ) -> Result<(), Not> {
        let here: Vec<Seat> = self.seats.iter().filter(|(.., d, _)| d == device).cloned().collect();
        let his = self.of(user);
        if here.iter().any(|seat| his.contains(seat)) {
            return Ok(());
        }
        let most = match rules.multi {
            Multi::Keep(most) => usize::from(most.get()),
            Multi::Move | Multi::Refuse => 1,
        };
        for (refusal, is) in [
            (Refusal::UserForbidden, !self.users[user].hotdesk),
            (Refusal::DeviceForbidden, !self.devices[device].hotdesk),
            (Refusal::DeviceOccupied, !rules.take_over && !here.is_empty()),
            (Refusal::UserElsewhere, rules.multi == Multi::Refuse && !his.is_empty()),
        ] {
            if is {
                return Err(Not::Refused(refusal));
            }
        }
        let goes = his.iter().take((his.len() + 1).saturating_sub(most));
        for seat in goes.chain(&here) {
            self.seats.remove(seat);
        }
        self.seats.insert((at, next, device.clone(), user.clone()));
        Ok(())
    }

    /// Whether a try may be made, by a clock that never goes back.
    pub fn attempt(&mut self, guess: &Guess) -> Result<(), Refusal> {
        let now = guess.at.as_second();
        let needs = |who: &str, row| who.starts_with("user:") && row >= 50;
        self.tallies.retain(|who, tally| needs(who, tally.row) || tally.last > now - 30 * 86_400);
        let (user, device) = (of_user(guess.user.as_str()), of_device(&guess.device));
        for (who, needs, refusal) in
            [(&user, true, Refusal::UserLocked), (&device, false, Refusal::DeviceLocked)]
        {
            let tally = self.tallies.entry(who.clone()).or_default();
            if now < tally.until || (needs && tally.row >= 50) {
                return Err(refusal);
            }
        }
        for (who, most, with) in [(&user, 5, guess.device.as_str()), (&device, 10, guess.user.as_str())] {
            let tally = self.tallies.entry(who.clone()).or_default();
            tally.last = now;
            tally.row += 1;
            tally.failures.retain(|(at, _)| now - at < 900);
            tally.failures.push((now, with.into()));
            if now - tally.until >= 86_400 {
                tally.locks = 0;
            }
            if tally.failures.len() == most {
                tally.until = now + [900, 1800, 3600][tally.locks.min(2)];
                tally.locks += 1;
            }
        }
        Ok(())
    }

    pub fn forgive(&mut self, guess: &Guess) {
        self.tallies.remove(&of_user(guess.user.as_str()));
        let failure = (guess.at.as_second(), guess.user.as_str().to_owned());
        let Some(tally) = self.tallies.get_mut(&of_device(&guess.device)) else { return };
        let Some(place) = tally.failures.iter().position(|one| *one == failure) else { return };
        tally.failures.remove(place);
        tally.row -= 1;
        if tally.failures.len() == 9 && tally.until > failure.0 {
            tally.until = 0;
            tally.locks -= 1;
        }
    }

    /// Whose failures are remembered, with how many in a row and until when they lock.
    pub fn tried(&self) -> BTreeMap<String, (usize, u32, i64)> {
        let told = |tally: &Tally| (tally.failures.len(), tally.row, tally.until);
        let something =
            |tally: &Tally| !tally.failures.is_empty() || tally.row > 0 || tally.locks > 0 || tally.until > 0;
        self.tallies.iter().filter(|(_, t)| something(t)).map(|(who, t)| (who.clone(), told(t))).collect()
    }

    /// All of it, as a store would hand it out.
    pub fn office(&self) -> Office {
        let binding = |(since, revision, device, user): &Seat| {
            let (user, since, revision) = (user.clone(), *since, *revision);
            (device.clone(), Binding { user, device: device.clone(), since, revision })
        };
        Office {
            revision: self.revision,
            users: self.users.clone(),
            devices: self.devices.clone(),
            bindings: self.seats.iter().map(binding).collect(),
            ..Office::default()
        }
    }
}

/// Who sits where in an office.
pub fn seats(office: &Office) -> BTreeSet<Seat> {
    office.bindings.values().map(|b| (b.since, b.revision, b.device.clone(), b.user.clone())).collect()
}

/// What a store says of failures, as [`Model::tried`] does.
pub fn tried(tried: &[Tried]) -> BTreeMap<String, (usize, u32, i64)> {
    let told = tried.iter().map(|tried| {
        let tries = &tried.tries;
        (format!("{}:{}", tried.kind.name(), tried.name), (tries.failures.len(), tries.row, tries.until))
    });
    told.collect()
}

fn of_user(alias: &str) -> String {
    format!("user:{alias}")
}

fn of_device(device: &DeviceName) -> String {
    format!("device:{device}")
}
