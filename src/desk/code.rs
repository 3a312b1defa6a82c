//! The codes people dial: which strings are codes, and what each asks for.
//!
//! `{ext}` stands for the extensions that users may have, `[dialplan] users`, and the like for what is bounded, too, so that
//! a set of codes is a set of strings that can be looked through whole: no string is read in two ways, and none is an
//! emergency number or an extension.

mod action;
pub mod keys;
mod net;
mod operand;
mod pattern;
mod preset;
mod wanted;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::id::{EmergencyNumber, Extension, GroupName, Number, TenantId};
use super::pattern::NumberPattern;
use super::pin::Pin;
use keys::Shape;

pub use action::{Action, PinRule, Served};
pub use net::{Net, Piece};
pub use operand::{Operand, Spelled};
pub use pattern::{BadPattern, Part, Pattern};
pub use preset::Preset;
pub use wanted::{BadCodes, Own, Wanted};

/// What the lamp of a device is called, with the device behind it: `seat+desk1`. Phones watch it, and dial it when its key
/// is pressed; at that very device it is then a code itself, without the device. No phone can key it in.
pub const SEAT: &str = "seat+";

/// What a dialled code asks for.
#[derive(Debug, Eq, PartialEq)]
pub struct Request {
    /// What is to be done.
    pub does: Action,
    /// For whom, when his extension was dialled along.
    pub user: Option<Extension>,
    /// How he proves who he is.
    pub pin: Proof,
    /// What was dialled along that is to be set.
    pub operand: Option<Operand>,
}

/// How somebody proves who he is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Proof {
    /// He is asked for his PIN.
    Asked,
    /// He dialled this PIN along.
    Dialled(Pin),
    /// He need not: the administrator wants it so.
    Waived,
}

/// Where a code comes from.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Source {
    /// The site's own.
    Own,
    /// This preset.
    Preset(Preset),
}

/// One code.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Code {
    /// How it is dialled.
    pub pattern: Pattern,
    /// What it does.
    pub does: Action,
    /// How who dials it proves who he is.
    pub pin: PinRule,
    /// Where it comes from.
    pub source: Source,
}

/// All codes of a tenant.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Codes {
    codes: Vec<Code>,
    users: Vec<NumberPattern>,
    emergency: Vec<EmergencyNumber>,
    groups: BTreeMap<Extension, GroupName>,
}

/// The codes of all tenants.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Book {
    tenants: BTreeMap<TenantId, Codes>,
    others: Codes,
}

impl Codes {
    /// The codes of these presets together, for extensions of three digits, as in a configuration that says nothing else.
    ///
    /// # Errors
    /// [`BadCodes`] when they cannot be used together.
    pub fn of(presets: &[Preset]) -> Result<Self, BadCodes> {
        let wanted = Wanted { presets: presets.to_vec(), pinless: true, ..Wanted::default() };
        wanted.codes(&NumberPattern::new("XXX").into_iter().collect::<Vec<_>>(), &[])
    }

    /// Reads what was dialled; `None` when it is no code. A trailing `#` is swallowed: many phones
    /// send it as their dial key.
    #[must_use]
    pub fn read(&self, dialled: &str) -> Option<Request> {
        if dialled == SEAT {
            return Some(Request { does: Action::Toggle, user: None, pin: Proof::Asked, operand: None });
        }
        self.reading(dialled).map(|(_, request)| request)
    }

    /// The code that `dialled` is read as, and what it asks for.
    #[must_use]
    pub fn reading(&self, dialled: &str) -> Option<(&Code, Request)> {
        self.codes.iter().find_map(|code| code.read(dialled, &self.users).map(|request| (code, request)))
    }

    /// What a switch's dialplan sends to us, or serves itself. What is sent and no code is a mistyped one, and refused.
    #[must_use]
    pub fn nets(&self) -> BTreeSet<Net> {
        self.codes.iter().flat_map(|code| Net::of(code, &self.users)).collect()
    }

    /// Whether this number reaches help somewhere.
    #[must_use]
    pub fn helps(&self, number: &Number) -> bool {
        self.emergency.iter().any(|emergency| emergency.as_str() == number.as_str())
    }

    /// The same, where these groups have numbers of their own.
    #[must_use]
    pub fn with_groups(self, groups: BTreeMap<Extension, GroupName>) -> Self {
        Self { groups, ..self }
    }

    /// Which of `names` is dialled so: the one that has this number, else the one that is spelled so, if it is the only one.
    pub fn group<'a>(
        &self,
        keys: &Spelled,
        names: impl Iterator<Item = &'a GroupName>,
    ) -> Option<&'a GroupName> {
        let numbered = Extension::new(keys.as_str()).ok().and_then(|number| self.groups.get(&number));
        let mut meant = names.filter(|name| match numbered {
            Some(numbered) => numbered == *name,
            None => Spelled::of(name) == *keys,
        });
        meant.next().filter(|_| meant.next().is_none())
    }

    /// Whether one of `names` can be meant at all: it has a number, or no other is spelled alike.
    pub fn can_mean<'a>(&self, name: &GroupName, names: impl Iterator<Item = &'a GroupName>) -> bool {
        self.groups.values().any(|numbered| numbered == name)
            || self.group(&Spelled::of(name), names) == Some(name)
    }

    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = &Code> {
        self.codes.iter()
    }

    /// The strings that `code` is read from.
    #[must_use]
    pub fn shapes(&self, code: &Code) -> Vec<Shape> {
        code.shapes(&self.users)
    }
}

impl Default for Codes {
    /// Those of [`Preset::Simmpl`].
    fn default() -> Self {
        // A test reads them.
        Self::of(&[Preset::Simmpl]).unwrap_or(Self {
            codes: vec![],
            users: vec![],
            emergency: vec![],
            groups: BTreeMap::new(),
        })
    }
}

impl Code {
    fn read(&self, dialled: &str, users: &[NumberPattern]) -> Option<Request> {
        let (parts, hashes) = self.pattern.without_dial_key();
        (0..=hashes).find_map(|sent| {
            let keyed = dialled.get(..dialled.len().checked_sub(sent)?)?;
            let dial_keys = dialled.get(keyed.len()..)?;
            dial_keys.chars().all(|key| key == '#').then(|| self.read_parts(&parts, keyed, users))?
        })
    }

    fn read_parts(&self, parts: &[Part], dialled: &str, users: &[NumberPattern]) -> Option<Request> {
        let (mut user, mut pin, mut operand, mut rest) = (None, None, None, dialled);
        for part in parts {
            if let Part::Literal(literal) = part {
                rest = rest.strip_prefix(literal.as_str())?;
                continue;
            }
            let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
            let (digits, after) = rest.split_at(end);
            match part {
                Part::Choice => operand = Some(Operand::Choice(choice(digits)?)),
                Part::Extension => user = Some(Extension::new(digits).ok()?),
                Part::Group => operand = Some(Operand::Group(Spelled::keyed(digits)?)),
                Part::Literal(_) => return None,
                Part::Number => operand = Some(Operand::Number(Number::new(digits).ok()?)),
                Part::Pin => pin = Some(Pin::new(digits).ok()?),
            }
            rest = after;
        }
        let may_be = |user: &Extension| users.iter().any(|pattern| pattern.matches(user));
        if !rest.is_empty() || !user.as_ref().is_none_or(may_be) {
            return None;
        }
        let pin = match (pin, self.pin) {
            (Some(pin), _) => Proof::Dialled(pin),
            (None, PinRule::None) => Proof::Waived,
            (None, _) => Proof::Asked,
        };
        Some(Request { does: self.does, user, pin, operand })
    }

    fn shapes(&self, users: &[NumberPattern]) -> Vec<Shape> {
        let (parts, hashes) = self.pattern.without_dial_key();
        let mut shapes = vec![Shape::default()];
        for part in &parts {
            shapes = match part {
                Part::Literal(keys) => shapes.into_iter().map(|shape| shape.literal(keys)).collect(),
                Part::Choice => shapes.into_iter().map(|shape| shape.digits(1, 1)).collect(),
                Part::Group => shapes.into_iter().map(|shape| shape.digits(1, Spelled::MOST)).collect(),
                Part::Number => shapes.into_iter().map(|shape| shape.digits(1, 32)).collect(),
                Part::Pin => shapes.into_iter().map(|shape| shape.digits(4, 10)).collect(),
                Part::Extension => shapes
                    .iter()
                    .flat_map(|shape| users.iter().map(|pattern| shape.clone().number(pattern)))
                    .collect(),
            };
        }
        shapes.into_iter().map(|shape| shape.hashes(hashes)).collect()
    }
}

/// One digit.
fn choice(digits: &str) -> Option<u8> {
    match digits.as_bytes() {
        [digit @ b'0'..=b'9'] => Some(digit - b'0'),
        _ => None,
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { pattern, does, source, .. } = self;
        write!(f, "{pattern} ({does}, {source})")
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Own => f.write_str("own"),
            Self::Preset(preset) => write!(f, "preset {preset}"),
        }
    }
}

impl Book {
    /// The codes of these tenants.
    #[must_use]
    pub fn new(tenants: BTreeMap<TenantId, Codes>) -> Self {
        Self { tenants, others: Codes::default() }
    }

    /// Each different set of codes, with the tenants that have it; without tenants, if it is everybody's.
    #[must_use]
    pub fn sets(&self) -> Vec<(&Codes, Vec<&TenantId>)> {
        let mut sets: Vec<(&Codes, Vec<&TenantId>)> = vec![];
        for (tenant, codes) in &self.tenants {
            match sets.iter_mut().find(|(known, _)| *known == codes) {
                Some((_, tenants)) => tenants.push(tenant),
                None => sets.push((codes, vec![tenant])),
            }
        }
        match sets.as_slice() {
            [] => vec![(&self.others, vec![])],
            [(codes, _)] => vec![(codes, vec![])],
            _ => sets,
        }
    }

    /// Those of a tenant.
    #[must_use]
    pub fn of(&self, tenant: &TenantId) -> &Codes {
        self.tenants.get(tenant).unwrap_or(&self.others)
    }
}

impl From<Codes> for Book {
    /// The same for every tenant.
    fn from(others: Codes) -> Self {
        Self { tenants: BTreeMap::new(), others }
    }
}

#[cfg(test)]
mod tests;
