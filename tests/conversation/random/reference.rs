//! The reference of conversations and automatic logouts. The reference of the stores gives the sessions and lockouts.

use std::collections::VecDeque;

use hotdesk::asterisk::namespace::Namespace;
use hotdesk::asterisk::table::rows;
use hotdesk::model::desired::{Desired, Records, Scope};
use hotdesk::model::id::{Extension, Revision};
use hotdesk::model::login::limits::{LoginLimits, MultipleLogins};
use hotdesk::model::login::transition::SessionCommand;

use super::*;

use crate::harness::asking::{Guess, Move};
use crate::store::model::reference::{Login, Model, Not};

/// A dialled code.
#[derive(Clone, Copy, Debug)]
pub enum Code {
    ChangePin,
    Everywhere,
    /// `*77*101*`
    Login(&'static str),
    Logout,
    Mistyped,
    /// `8101`
    Pinless(&'static str),
    Toggle,
    ToggleUser(&'static str),
    /// `*35*101*729154`
    Touch(&'static str, &'static str),
    Who,
}

impl Code {
    pub fn keys(self) -> String {
        match self {
            Self::ChangePin => "*3500".into(),
            Self::Everywhere => "*350".into(),
            Self::Login(user) => format!("*77*{user}*"),
            Self::Logout => "*77*5*".into(),
            Self::Mistyped => "*35*7".into(),
            Self::Pinless(user) => format!("8{user}"),
            Self::Toggle => "*35".into(),
            Self::ToggleUser(user) => format!("*35*{user}"),
            Self::Touch(user, pin) => format!("*35*{user}*{pin}#"),
            Self::Who => "*34".into(),
        }
    }
}

/// The rules of automatic logout: so many hours after the login, and at this hour of the day.
#[derive(Clone, Copy, Default)]
pub struct AutoLogout {
    pub after: Option<i64>,
    pub at: Option<i64>,
}

/// The expected state.
pub struct Reference {
    pub snapshot: Model,
    pub pins: BTreeMap<Extension, (&'static str, Timestamp)>,
    pub rules: LoginLimits,
    pub auto_logout: AutoLogout,
    /// Rules of users: the hours until their automatic logout, or none for never.
    pub own: BTreeMap<Extension, Option<i64>>,
    /// The end of each extended session.
    pub extended: BTreeMap<Revision, Timestamp>,
    pub busy: BTreeSet<DeviceName>,
    /// Whether the switch is unreachable.
    pub away: bool,
    pub now: Timestamp,
}

/// Why a conversation stops before its end.
enum Stop {
    Gone,
    Says(&'static str, Outcome),
}

const REFUSED: Stop = Stop::Says("not-accepted", Outcome::Refused);
const UNAVAILABLE: Stop = Stop::Says("not-available", Outcome::Unavailable);
const TRIES: usize = 3;

/// A caller, with their entries.
struct Talk<'a> {
    entries: VecDeque<&'a str>,
    heard: Vec<String>,
}

impl<'a> Talk<'a> {
    fn ask(&mut self, prompt: &str) -> Result<&'a str, Stop> {
        self.heard.push(format!("{prompt}?"));
        let entry = self.entries.pop_front().ok_or(Stop::Gone)?;
        Ok(entry.rsplit('*').next().unwrap())
    }

    fn say(&mut self, what: &str) {
        self.heard.push(what.into());
    }
}

impl Reference {
    /// The prompts and the outcome of a call.
    pub fn hears(&mut self, desk: &DeviceName, code: Code, entries: &[&str]) -> (Vec<String>, Outcome) {
        self.talks(entries, |snapshot, talk| snapshot.conversation(desk, code, talk))
    }

    /// The prompts and the outcome of a warning call.
    pub fn is_asked(&mut self, desk: &DeviceName, until: Timestamp, key: &str) -> (Vec<String>, Outcome) {
        self.talks(&[key], |snapshot, talk| {
            let Some((_, revision, _, user)) = snapshot.at(desk) else {
                talk.say("logged-out");
                return Ok(Outcome::LoggedOut);
            };
            snapshot.speak(talk, &user);
            if talk.ask("press-one-to-stay")? == "1" {
                let extended = snapshot.extended.entry(revision).or_insert(until);
                *extended = until.max(*extended);
                talk.say("logged-in");
                talk.say(user.as_str());
            }
            Ok(Outcome::Told)
        })
    }

    fn talks(
        &mut self,
        entries: &[&str],
        conversation: impl FnOnce(&mut Self, &mut Talk<'_>) -> Result<Outcome, Stop>,
    ) -> (Vec<String>, Outcome) {
        let mut talk = Talk { entries: entries.iter().copied().collect(), heard: vec![] };
        let outcome = match conversation(self, &mut talk) {
            Ok(outcome) => outcome,
            Err(Stop::Gone) => Outcome::Refused,
            Err(Stop::Says(prompt, outcome)) => {
                talk.say(prompt);
                outcome
            }
        };
        (talk.heard, outcome)
    }

    fn conversation(&mut self, desk: &DeviceName, code: Code, talk: &mut Talk<'_>) -> Result<Outcome, Stop> {
        let current = self.at(desk).map(|(.., user)| user);
        let device = self.snapshot.devices.get(desk);
        let admitted = device.is_some_and(|device| device.hotdesk && device.allow_from.is_empty());
        let owner = device.and_then(|device| device.owner.clone());
        let here = current.clone().or(owner);
        let (user, pin) = match code {
            Code::Mistyped => return Err(REFUSED),
            Code::Who => {
                match here.filter(|here| self.snapshot.users.contains_key(here)) {
                    Some(here) => {
                        self.speak(talk, &here);
                        talk.say("logged-in");
                        talk.say(here.as_str());
                    }
                    None => talk.say("not-allowed-here"),
                }
                return Ok(Outcome::Told);
            }
            Code::Logout | Code::Toggle if current.is_some() => {
                return self.logs_out(talk, desk, &current.unwrap());
            }
            Code::Logout => {
                talk.say("logged-out");
                return Ok(Outcome::LoggedOut);
            }
            Code::Pinless(user) | Code::ToggleUser(user) | Code::Touch(user, _)
                if current == Some(ext(user)) =>
            {
                return self.logs_out(talk, desk, &ext(user));
            }
            Code::ChangePin => (here, None),
            Code::Everywhere | Code::Toggle => (None, None),
            Code::Login(user) | Code::Pinless(user) | Code::ToggleUser(user) => (Some(ext(user)), None),
            Code::Touch(user, pin) => (Some(ext(user)), Some(pin)),
        };
        if !admitted {
            return Err(REFUSED);
        }
        let fresh = !matches!(code, Code::ChangePin | Code::Everywhere);
        let known = match code {
            Code::Pinless(user) => match self.snapshot.users.get(&ext(user)) {
                Some(known) if known.hotdesk => Some(ext(user)),
                _ => return Err(REFUSED),
            },
            _ => self.identified(talk, desk, user, pin, fresh)?,
        };
        let Some(user) = known else { return Ok(Outcome::Refused) };
        self.speak(talk, &user);
        match code {
            Code::ChangePin => self.changes_pin(talk, &user),
            Code::Everywhere => {
                self.moves(SessionCommand::LogOutEverywhere(user))?;
                talk.say("logged-out");
                Ok(Outcome::LoggedOut)
            }
            _ => {
                let before = self.of(&user);
                self.moves(SessionCommand::LogIn(user.clone(), desk.clone(), self.rules.login))?;
                talk.say("logged-in");
                talk.say(user.as_str());
                if before.iter().any(|login| !self.snapshot.logins.contains(login)) {
                    talk.say("moved-from");
                }
                Ok(Outcome::LoggedIn)
            }
        }
    }

    fn logs_out(
        &mut self,
        talk: &mut Talk<'_>,
        desk: &DeviceName,
        user: &Extension,
    ) -> Result<Outcome, Stop> {
        self.speak(talk, user);
        self.moves(SessionCommand::LogOut(user.clone(), desk.clone()))?;
        talk.say("logged-out");
        Ok(Outcome::LoggedOut)
    }

    /// Identifies the user by their PIN. With `fresh`, the PIN must not be expired.
    fn identified(
        &mut self,
        talk: &mut Talk<'_>,
        desk: &DeviceName,
        user: Option<Extension>,
        mut pin: Option<&'static str>,
        fresh: bool,
    ) -> Result<Option<Extension>, Stop> {
        for _ in 0..TRIES {
            let named = match &user {
                Some(user) => Some(user.clone()),
                None => Some(talk.ask("enter-extension")?).filter(|named| !named.is_empty()).map(ext),
            };
            let pin = match pin.take() {
                Some(pin) => pin,
                None => talk.ask("enter-pin")?,
            };
            if let (Some(user), true) = (named, pin.len() >= 4) {
                let alias = records::pepper().alias(&TenantId::default(), &user);
                let (tenant, device) = (TenantId::default(), desk.clone());
                let guess = Guess { tenant, user: alias, device, at: self.now };
                if self.snapshot.attempt(&guess).is_err() {
                    return Err(Stop::Says("locked", Outcome::Refused));
                }
                let may = self.snapshot.users.get(&user).is_some_and(|user| user.hotdesk);
                let right = self.pins.get(&user).is_some_and(|(is, set)| {
                    let days = (self.now.as_second() - set.as_second()) / 86_400;
                    let old = self.rules.pin_days.is_some_and(|most| days >= i64::from(most.get()));
                    *is == pin && !(fresh && old)
                });
                if may && right {
                    self.snapshot.forgive(&guess);
                    return Ok(Some(user));
                }
            }
            talk.say("not-accepted");
        }
        Ok(None)
    }

    fn changes_pin(&mut self, talk: &mut Talk<'_>, user: &Extension) -> Result<Outcome, Stop> {
        for _ in 0..TRIES {
            let new = talk.ask("new-pin")?;
            // All other PINs are too short or weak.
            let fit = PINS.into_iter().find(|pin| *pin == new && *pin != self.pins[user].0);
            if let Some(fit) = fit
                && talk.ask("new-pin-again")? == fit
            {
                self.pins.insert(user.clone(), (fit, self.now));
                talk.say("pin-changed");
                return Ok(Outcome::PinChanged);
            }
            talk.say("not-accepted");
        }
        Ok(Outcome::Refused)
    }

    /// Changes the store, then the switch. If the switch is unreachable, the change is undone.
    fn moves(&mut self, command: SessionCommand) -> Result<(), Stop> {
        let before = self.snapshot.snapshot().sessions;
        self.tries(command).map_err(|_| REFUSED)?;
        let after = self.snapshot.snapshot().sessions;
        if !self.away {
            return Ok(());
        }
        let without = |all: &BTreeMap<DeviceName, Session>, others: &BTreeMap<DeviceName, Session>| {
            all.values().filter(|one| others.get(&one.device) != Some(one)).cloned().collect()
        };
        let most = match self.rules.login.multiple_logins {
            MultipleLogins::Keep(most) => most.get().into(),
            MultipleLogins::Move | MultipleLogins::Refuse => 1,
        };
        let (begun, ended) = (without(&after, &before), without(&before, &after));
        let back = SessionCommand::Undo { begun, ended, most, whole: false };
        self.tries(back).unwrap();
        Err(UNAVAILABLE)
    }

    /// Changes the store only, as the command line does.
    pub fn tries(&mut self, command: SessionCommand) -> Result<(), Not> {
        self.snapshot.moves(&moving(command, self.now))
    }

    /// Ends the sessions that are due, except those of devices in a call. Returns whether one ended.
    pub fn time_passes(&mut self) -> bool {
        let over = |login: &Login| self.ends(login).is_some_and(|at| at <= self.now.as_second());
        let (over, remaining): (Vec<Login>, Vec<Login>) =
            self.snapshot.logins.iter().cloned().partition(over);
        self.snapshot.logins = remaining.into_iter().collect();
        !over.is_empty()
    }

    fn ends(&self, (since, revision, desk, user): &Login) -> Option<i64> {
        const DAY: i64 = 24 * 3600;
        if self.busy.contains(desk) || self.snapshot.devices[desk].owner.as_ref() == Some(user) {
            return None;
        }
        let since = since.as_second();
        let after =
            self.own.get(user).copied().unwrap_or(self.auto_logout.after).map(|hours| since + hours * 3600);
        let today = |hour: i64| since - since.rem_euclid(DAY) + hour * 3600;
        let at = self.auto_logout.at.map(|hour| today(hour) + if today(hour) > since { 0 } else { DAY });
        let ends = after.into_iter().chain(at).min()?;
        Some(self.extended.get(revision).map_or(ends, |until| ends.max(until.as_second())))
    }

    /// Takes over the revisions of the store, which also count journal entries.
    pub fn counts_as(&mut self, snapshot: &Snapshot) {
        self.snapshot.logins = crate::store::model::reference::logins(snapshot);
        self.snapshot.revision = snapshot.revision;
        self.extended.retain(|revision, _| self.snapshot.logins.iter().any(|(_, of, ..)| of == revision));
    }

    /// The desired state of the switch table.
    pub fn table(&self, location: &Location) -> Records {
        let locations = [(location.name.clone(), location.clone())].into();
        let snapshot = Snapshot { locations, ..self.snapshot.snapshot() };
        let desired = Desired::of(&snapshot, &Scope::All, &switch("pbx"), &Routes::default());
        rows::project(&Namespace::of(&TenantId::default()), &desired, &Records::new())
    }

    pub fn at(&self, desk: &DeviceName) -> Option<Login> {
        self.snapshot.logins.iter().find(|(.., at, _)| at == desk).cloned()
    }

    fn of(&self, user: &Extension) -> Vec<Login> {
        self.snapshot.logins.iter().filter(|(.., who)| who == user).cloned().collect()
    }

    fn speak(&self, talk: &mut Talk<'_>, user: &Extension) {
        let language = self.snapshot.users.get(user).and_then(|user| user.language.as_ref());
        if let Some(language) = language {
            talk.say(&format!("({language})"));
        }
    }
}

/// A change with an ID that no other change has.
pub fn moving(command: SessionCommand, at: Timestamp) -> Move {
    let (request, tenant) = (hotdesk::controller::request_id().unwrap(), TenantId::default());
    Move { request, tenant, command, by: Actor::Command("test".into()), call: None, code: None, at }
}
