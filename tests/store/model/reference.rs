//! The reference: what stores must do, in little code.

use std::collections::{BTreeMap, BTreeSet};

use hotdesk::model::directory::Session;
use hotdesk::model::id::Revision;
use hotdesk::model::login::limits::MultipleLogins;
use hotdesk::model::login::refusal::Refusal;

use super::*;
use crate::harness::asking::Tried;

/// A session: its beginning, revision, device and user. The oldest is the first.
pub type Login = (Timestamp, Revision, DeviceName, Extension);

/// Why the reference did not do something.
#[derive(Debug, PartialEq)]
pub enum Not {
    Missing,
    Refused(Refusal),
}

impl From<StoreError> for Not {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Refused(Refusal::Missing(_)) => Self::Missing,
            StoreError::Refused(refusal) => Self::Refused(refusal),
            other => panic!("{other}"),
        }
    }
}

/// The users, devices, sessions and failed tries.
#[derive(Default)]
pub struct Model {
    pub users: BTreeMap<Extension, User>,
    pub devices: BTreeMap<DeviceName, Device>,
    pub logins: BTreeSet<Login>,
    pub revision: Revision,
    tallies: BTreeMap<String, Tally>,
}

/// The failures of one user or device.
#[derive(Clone, Default)]
struct Tally {
    failures: Vec<(i64, String)>,
    row: u32,
    locks: usize,
    until: i64,
    last: i64,
}

impl Tally {
    fn take_back(&mut self, failure: &(i64, String), most: usize) {
        let Some(place) = self.failures.iter().position(|one| one == failure) else { return };
        self.failures.remove(place);
        self.row -= 1;
        if self.failures.len() + 1 == most && self.until > failure.0 {
            self.until = 0;
            self.locks -= 1;
        }
    }
}

impl Model {
    pub fn change(&mut self, what: &What) -> Result<(), Not> {
        let Self { users, devices, logins, .. } = self;
        let there = match what {
            What::Device(device @ Device { name, hotdesk, .. }) => {
                devices.insert(name.clone(), device.clone());
                logins.retain(|(.., device, _)| device != name || *hotdesk);
                true
            }
            What::User(user @ User { extension, hotdesk, .. }) => {
                users.insert(extension.clone(), user.clone());
                logins.retain(|(.., user)| user != extension || *hotdesk);
                true
            }
            What::RemoveDevice(name) => {
                logins.retain(|(.., device, _)| device != name);
                devices.remove(name).is_some()
            }
            What::RemoveUser(extension) => {
                logins.retain(|(.., user)| user != extension);
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

    pub fn moves(&mut self, change: &Move) -> Result<(), Not> {
        let next = Revision(self.revision.0 + 1);
        let before = self.logins.clone();
        let (user, device) = match &change.command {
            SessionCommand::LogOutDevice(device) => (None, Some(device)),
            SessionCommand::LogOutEverywhere(user) => (Some(user), None),
            SessionCommand::LogOut(user, device) | SessionCommand::LogIn(user, device, _) => {
                (Some(user), Some(device))
            }
            SessionCommand::Move(session, device, _) => (Some(&session.user), Some(device)),
            SessionCommand::Expire(_) | SessionCommand::Undo { .. } => (None, None),
        };
        if user.is_some_and(|user| !self.users.contains_key(user))
            || device.is_some_and(|device| !self.devices.contains_key(device))
        {
            return Err(Not::Missing);
        }
        match &change.command {
            SessionCommand::LogOutDevice(device) => self.logins.retain(|(.., d, _)| d != device),
            SessionCommand::Expire(Session { user, device, revision, .. }) => {
                self.logins.retain(|(_, r, d, u)| (u, d, r) != (user, device, revision));
            }
            SessionCommand::LogOutEverywhere(user) => self.logins.retain(|(.., u)| u != user),
            SessionCommand::LogOut(user, device) => self.logins.retain(|(.., d, u)| (u, d) != (user, device)),
            SessionCommand::LogIn(user, device, rules) => {
                self.log_in(user, device, rules, change.at, next)?
            }
            SessionCommand::Move(session, to, rules) => {
                let Session { user, device, revision, .. } = session;
                let is = |(_, r, d, u): &Login| (u, d, r) == (user, device, revision);
                if !self.logins.iter().any(is) {
                    return Err(Not::Refused(Refusal::Overtaken(device.clone())));
                }
                if device != to {
                    let taken = self.logins.iter().any(|(.., d, _)| d == to);
                    self.may(user, to, rules, taken)?;
                    self.logins.retain(|login| !is(login) && login.2 != *to);
                    self.logins.insert((change.at, next, to.clone(), user.clone()));
                }
            }
            SessionCommand::Undo { begun, ended, most, whole } => {
                let mut left = None;
                for Session { user, device, revision, .. } in begun {
                    let all = self.logins.len();
                    self.logins.retain(|(_, r, d, u)| (u, d, r) != (user, device, revision));
                    if self.logins.len() == all {
                        left = left.or(Some(device));
                    }
                }
                for Session { user, device, since, .. } in ended {
                    let may = self.users.get(user).is_some_and(|user| user.hotdesk)
                        && self.devices.get(device).is_some_and(|device| device.hotdesk);
                    let free = !self.logins.iter().any(|(.., d, _)| d == device);
                    if may && free && self.of(user).len() < *most {
                        self.logins.insert((*since, next, device.clone(), user.clone()));
                    } else {
                        left = left.or(Some(device));
                    }
                }
                if let Some(left) = left.filter(|_| *whole) {
                    self.logins = before;
                    return Err(Not::Refused(Refusal::Overtaken(left.clone())));
                }
            }
        }
        if self.logins != before {
            self.revision = next;
        }
        Ok(())
    }

    fn of(&self, user: &Extension) -> Vec<Login> {
        self.logins.iter().filter(|(.., u)| u == user).cloned().collect()
    }

    fn log_in(
        &mut self,
        user: &Extension,
        device: &DeviceName,
        rules: &LoginRules,
        at: Timestamp,
        next: Revision,
    ) -> Result<(), Not> {
        let here: Vec<Login> = self.logins.iter().filter(|(.., d, _)| d == device).cloned().collect();
        let theirs = self.of(user);
        if here.iter().any(|login| theirs.contains(login)) {
            return Ok(());
        }
        let most = match rules.multiple_logins {
            MultipleLogins::Keep(most) => usize::from(most.get()),
            MultipleLogins::Move | MultipleLogins::Refuse => 1,
        };
        self.may(user, device, rules, !here.is_empty())?;
        if rules.multiple_logins == MultipleLogins::Refuse && !theirs.is_empty() {
            return Err(Not::Refused(Refusal::UserElsewhere));
        }
        let goes = theirs.iter().take((theirs.len() + 1).saturating_sub(most));
        for login in goes.chain(&here) {
            self.logins.remove(login);
        }
        self.logins.insert((at, next, device.clone(), user.clone()));
        Ok(())
    }

    /// Whether the user may have the device, which another session has or not.
    fn may(&self, user: &Extension, device: &DeviceName, rules: &LoginRules, taken: bool) -> Result<(), Not> {
        for (refusal, is) in [
            (Refusal::UserForbidden, !self.users[user].hotdesk),
            (Refusal::DeviceForbidden, !self.devices[device].hotdesk),
            (Refusal::DeviceOccupied, !rules.take_over && taken),
        ] {
            if is {
                return Err(Not::Refused(refusal));
            }
        }
        Ok(())
    }

    /// Forgets failures older than 30 days at that second, but not those that need an administrator.
    pub fn prune(&mut self, now: i64) {
        let needs = |who: &str, row| who.starts_with("user:") && row >= 50;
        self.tallies.retain(|who, tally| needs(who, tally.row) || tally.last > now - 30 * 86_400);
    }

    /// Whether a try may be made, by a clock that never goes back.
    pub fn attempt(&mut self, guess: &Guess) -> Result<(), Refusal> {
        let now = guess.at.as_second();
        self.prune(now);
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

    /// The PIN was right.
    pub fn forgive(&mut self, guess: &Guess) {
        self.tallies.remove(&of_user(guess.user.as_str()));
        let Some(tally) = self.tallies.get_mut(&of_device(&guess.device)) else { return };
        let mine = tally.failures.iter().filter(|(_, user)| user == guess.user.as_str());
        for failure in mine.cloned().rev().collect::<Vec<_>>() {
            tally.take_back(&failure, 10);
        }
    }

    /// The PIN was not compared.
    pub fn take_back(&mut self, guess: &Guess) {
        let (user, device) = (guess.user.as_str(), &guess.device);
        for (who, with, most) in [(of_user(user), device.as_str(), 5), (of_device(device), user, 10)] {
            if let Some(tally) = self.tallies.get_mut(&who) {
                tally.take_back(&(guess.at.as_second(), with.to_owned()), most);
            }
        }
    }

    /// The users and devices with failures: how many are recent, how many in a row, and when the lockout ends.
    pub fn tried(&self) -> BTreeMap<String, (usize, u32, i64)> {
        let counts = |tally: &Tally| (tally.failures.len(), tally.row, tally.until);
        let something =
            |tally: &Tally| !tally.failures.is_empty() || tally.row > 0 || tally.locks > 0 || tally.until > 0;
        self.tallies.iter().filter(|(_, t)| something(t)).map(|(who, t)| (who.clone(), counts(t))).collect()
    }

    /// The snapshot that a store returns.
    pub fn snapshot(&self) -> Snapshot {
        let session = |(since, revision, device, user): &Login| {
            let (user, since, revision) = (user.clone(), *since, *revision);
            (device.clone(), Session { user, device: device.clone(), since, revision })
        };
        Snapshot {
            revision: self.revision,
            users: self.users.clone(),
            devices: self.devices.clone(),
            sessions: self.logins.iter().map(session).collect(),
            ..Snapshot::default()
        }
    }
}

/// The sessions of a snapshot.
pub fn logins(snapshot: &Snapshot) -> BTreeSet<Login> {
    snapshot.sessions.values().map(|b| (b.since, b.revision, b.device.clone(), b.user.clone())).collect()
}

/// The failures that a store returns, in the form of [`Model::tried`].
pub fn tried(tried: &[Tried]) -> BTreeMap<String, (usize, u32, i64)> {
    let counts = tried.iter().map(|tried| {
        let tries = &tried.tries;
        (format!("{}:{}", tried.kind.name(), tried.name), (tries.recent.len(), tries.in_a_row, tries.until))
    });
    counts.collect()
}

fn of_user(alias: &str) -> String {
    format!("user:{alias}")
}

fn of_device(device: &DeviceName) -> String {
    format!("device:{device}")
}
