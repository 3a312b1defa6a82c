//! The reference of a whole day: what a caller hears, and who leaves by himself. Who sits where, and who is locked, is
//! the reference of the stores.

use std::collections::VecDeque;

use hotdesk::desk::id::{Extension, Revision};
use hotdesk::desk::rules::Multi;
use hotdesk::desk::seat::{Act, Move};
use hotdesk::desk::table::{self, Table};
use hotdesk::store::Guess;

use super::*;
use crate::store::model::reference::{Model, Not, Seat};

/// What can be dialled.
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
    ToggleHim(&'static str),
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
            Self::ToggleHim(user) => format!("*35*{user}"),
            Self::Touch(user, pin) => format!("*35*{user}*{pin}#"),
            Self::Who => "*34".into(),
        }
    }
}

/// When users leave by themselves, in hours: so long after they came; at this hour of the day.
#[derive(Clone, Copy, Default)]
pub struct Leave {
    pub after: Option<i64>,
    pub at: Option<i64>,
}

/// All there is, as it should be.
pub struct Reference {
    pub office: Model,
    pub pins: BTreeMap<Extension, (&'static str, Timestamp)>,
    pub rules: Rules,
    pub leave: Leave,
    /// Of users: hours after which they leave, none for never.
    pub own: BTreeMap<Extension, Option<i64>>,
    /// Until when they stay who said so.
    pub stays: BTreeMap<Revision, Timestamp>,
    pub busy: BTreeSet<DeviceName>,
    /// The switch is.
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

/// A caller, with what he will enter.
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
    /// What is heard of such a call, and how it ends.
    pub fn hears(&mut self, desk: &DeviceName, code: Code, entries: &[&str]) -> (Vec<String>, Outcome) {
        self.talks(entries, |office, talk| office.story(desk, code, talk))
    }

    /// Likewise, of somebody who is rung and asked whether he stays.
    pub fn is_asked(&mut self, desk: &DeviceName, until: Timestamp, key: &str) -> (Vec<String>, Outcome) {
        self.talks(&[key], |office, talk| {
            let Some((_, revision, _, user)) = office.at(desk) else {
                talk.say("logged-out");
                return Ok(Outcome::LoggedOut);
            };
            office.speak(talk, &user);
            if talk.ask("press-one-to-stay")? == "1" {
                let stays = office.stays.entry(revision).or_insert(until);
                *stays = until.max(*stays);
                talk.say("logged-in");
                talk.say(user.as_str());
            }
            Ok(Outcome::Told)
        })
    }

    fn talks(
        &mut self,
        entries: &[&str],
        story: impl FnOnce(&mut Self, &mut Talk<'_>) -> Result<Outcome, Stop>,
    ) -> (Vec<String>, Outcome) {
        let mut talk = Talk { entries: entries.iter().copied().collect(), heard: vec![] };
        let outcome = match story(self, &mut talk) {
            Ok(outcome) => outcome,
            Err(Stop::Gone) => Outcome::Refused,
            Err(Stop::Says(prompt, outcome)) => {
                talk.say(prompt);
                outcome
            }
        };
        (talk.heard, outcome)
    }

    fn story(&mut self, desk: &DeviceName, code: Code, talk: &mut Talk<'_>) -> Result<Outcome, Stop> {
        let seated = self.at(desk).map(|(.., user)| user);
        let device = self.office.devices.get(desk);
        let admitted = device.is_some_and(|device| device.hotdesk && device.allow_from.is_empty());
        let owner = device.and_then(|device| device.owner.clone());
        let here = seated.clone().or(owner);
        let (user, pin) = match code {
            Code::Mistyped => return Err(REFUSED),
            Code::Who => {
                match here.filter(|here| self.office.users.contains_key(here)) {
                    Some(here) => {
                        self.speak(talk, &here);
                        talk.say("logged-in");
                        talk.say(here.as_str());
                    }
                    None => talk.say("not-allowed-here"),
                }
                return Ok(Outcome::Told);
            }
            Code::Logout | Code::Toggle if seated.is_some() => {
                return self.leaves(talk, desk, &seated.unwrap());
            }
            Code::Logout => {
                talk.say("logged-out");
                return Ok(Outcome::LoggedOut);
            }
            Code::Pinless(user) | Code::ToggleHim(user) | Code::Touch(user, _)
                if seated == Some(ext(user)) =>
            {
                return self.leaves(talk, desk, &ext(user));
            }
            Code::ChangePin => (here, None),
            Code::Everywhere | Code::Toggle => (None, None),
            Code::Login(user) | Code::Pinless(user) | Code::ToggleHim(user) => (Some(ext(user)), None),
            Code::Touch(user, pin) => (Some(ext(user)), Some(pin)),
        };
        if !admitted {
            return Err(REFUSED);
        }
        let fresh = !matches!(code, Code::ChangePin | Code::Everywhere);
        let known = match code {
            Code::Pinless(user) => match self.office.users.get(&ext(user)) {
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
                self.moves(Act::LeaveAll(user))?;
                talk.say("logged-out");
                Ok(Outcome::LoggedOut)
            }
            _ => {
                let before = self.of(&user);
                self.moves(Act::Seat(user.clone(), desk.clone(), self.rules.seating))?;
                talk.say("logged-in");
                talk.say(user.as_str());
                if before.iter().any(|seat| !self.office.seats.contains(seat)) {
                    talk.say("moved-from");
                }
                Ok(Outcome::LoggedIn)
            }
        }
    }

    fn leaves(&mut self, talk: &mut Talk<'_>, desk: &DeviceName, user: &Extension) -> Result<Outcome, Stop> {
        self.speak(talk, user);
        self.moves(Act::Leave(user.clone(), desk.clone()))?;
        talk.say("logged-out");
        Ok(Outcome::LoggedOut)
    }

    /// Who he is, by his PIN; `fresh`, if it must not be too old.
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
                let alias = office::pepper().alias(&TenantId::default(), &user);
                let (tenant, device) = (TenantId::default(), desk.clone());
                let guess = Guess { tenant, user: alias, device, at: self.now };
                if self.office.attempt(&guess).is_err() {
                    return Err(Stop::Says("locked", Outcome::Refused));
                }
                let may = self.office.users.get(&user).is_some_and(|user| user.hotdesk);
                let right = self.pins.get(&user).is_some_and(|(is, set)| {
                    let days = (self.now.as_second() - set.as_second()) / 86_400;
                    let old = self.rules.pin_days.is_some_and(|most| days >= i64::from(most.get()));
                    *is == pin && !(fresh && old)
                });
                if may && right {
                    self.office.forgive(&guess);
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
            // The others are too short or easy to guess.
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

    /// In the store, then in the switch; if that is away, it is taken back.
    fn moves(&mut self, act: Act) -> Result<(), Stop> {
        let before = self.office.office().bindings;
        self.tries(act).map_err(|_| REFUSED)?;
        let after = self.office.office().bindings;
        if !self.away {
            return Ok(());
        }
        let without = |all: &BTreeMap<DeviceName, Binding>, others: &BTreeMap<DeviceName, Binding>| {
            all.values().filter(|one| others.get(&one.device) != Some(one)).cloned().collect()
        };
        let most = match self.rules.seating.multi {
            Multi::Keep(most) => most.get().into(),
            Multi::Move | Multi::Refuse => 1,
        };
        let back = Act::Undo { seated: without(&after, &before), removed: without(&before, &after), most };
        self.tries(back).unwrap();
        Err(UNAVAILABLE)
    }

    /// In the store alone, as the command line does it.
    pub fn tries(&mut self, act: Act) -> Result<(), Not> {
        self.office.moves(&moving(act, self.now))
    }

    /// They leave who are to, unless their phone has a call; whether somebody did.
    pub fn time_passes(&mut self) -> bool {
        let over = |seat: &Seat| self.ends(seat).is_some_and(|at| at <= self.now.as_second());
        let (over, stay): (Vec<Seat>, Vec<Seat>) = self.office.seats.iter().cloned().partition(over);
        self.office.seats = stay.into_iter().collect();
        !over.is_empty()
    }

    fn ends(&self, (since, revision, desk, user): &Seat) -> Option<i64> {
        const DAY: i64 = 24 * 3600;
        if self.busy.contains(desk) || self.office.devices[desk].owner.as_ref() == Some(user) {
            return None;
        }
        let since = since.as_second();
        let after = self.own.get(user).copied().unwrap_or(self.leave.after).map(|hours| since + hours * 3600);
        let today = |hour: i64| since - since.rem_euclid(DAY) + hour * 3600;
        let at = self.leave.at.map(|hour| today(hour) + if today(hour) > since { 0 } else { DAY });
        let ends = after.into_iter().chain(at).min()?;
        Some(self.stays.get(revision).map_or(ends, |until| ends.max(until.as_second())))
    }

    /// Takes over the revisions that a store gave, which count what is journalled, too.
    pub fn counts_as(&mut self, office: &Office) {
        self.office.seats = crate::store::model::reference::seats(office);
        self.office.revision = office.revision;
        self.stays.retain(|revision, _| self.office.seats.iter().any(|(_, of, ..)| of == revision));
    }

    /// What the switch should hold.
    pub fn table(&self, location: &Location) -> Table {
        let locations = [(location.name.clone(), location.clone())].into();
        table::wanted(&Office { locations, ..self.office.office() }, &switch("pbx"), &Reach::default())
    }

    pub fn at(&self, desk: &DeviceName) -> Option<Seat> {
        self.office.seats.iter().find(|(.., at, _)| at == desk).cloned()
    }

    fn of(&self, user: &Extension) -> Vec<Seat> {
        self.office.seats.iter().filter(|(.., who)| who == user).cloned().collect()
    }

    fn speak(&self, talk: &mut Talk<'_>, user: &Extension) {
        let language = self.office.users.get(user).and_then(|user| user.language.as_ref());
        if let Some(language) = language {
            talk.say(&format!("({language})"));
        }
    }
}

/// An act that nobody asked for before.
pub fn moving(act: Act, at: Timestamp) -> Move {
    let (request, tenant) = (hotdesk::controller::request_id().unwrap(), TenantId::default());
    Move { request, tenant, act, by: Actor::Command("test".into()), call: None, code: None, at }
}
