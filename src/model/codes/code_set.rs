//! All feature codes of a tenant.

use std::collections::{BTreeMap, BTreeSet};

use super::action::Action;
use super::code::{Code, DEVICE_LAMP, Proof, Request};
use super::dial_set::Shape;
use super::dialplan_match::DialplanMatch;
use super::operand::Spelled;
use crate::model::id::{EmergencyNumber, Extension, GroupName};
use crate::model::number_pattern::NumberPattern;

/// All feature codes of a tenant.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Codes {
    codes: Vec<Code>,
    users: Vec<NumberPattern>,
    emergency: Vec<EmergencyNumber>,
    groups: BTreeMap<Extension, GroupName>,
}

impl Codes {
    /// These codes, where users have extensions of these patterns and these are the emergency numbers.
    pub(super) const fn new(
        codes: Vec<Code>,
        users: Vec<NumberPattern>,
        emergency: Vec<EmergencyNumber>,
    ) -> Self {
        Self { codes, users, emergency, groups: BTreeMap::new() }
    }

    /// Reads what was dialled; `None` if it is not a code. A trailing `#` is dropped: many phones send it as their dial
    /// key.
    pub fn read(&self, dialled: &str) -> Option<Request> {
        if dialled == DEVICE_LAMP {
            return Some(Request { action: Action::Toggle, user: None, pin: Proof::Asked, operand: None });
        }
        self.reading(dialled).map(|(_, request)| request)
    }

    /// The code that `dialled` is read as, and what it asks for.
    pub fn reading(&self, dialled: &str) -> Option<(&Code, Request)> {
        self.codes.iter().find_map(|code| code.read(dialled, &self.users).map(|request| (code, request)))
    }

    /// The strings that a switch's dialplan sends to the controller or serves itself. One that is sent and is not a code is
    /// a mistyped code, and is refused.
    pub fn dialplan_matches(&self) -> BTreeSet<DialplanMatch> {
        self.codes.iter().flat_map(|code| DialplanMatch::of(code, &self.users)).collect()
    }

    /// The emergency numbers of all locations.
    pub fn emergency_numbers(&self) -> &[EmergencyNumber] {
        &self.emergency
    }

    /// The same codes, where these groups have numbers of their own.
    #[must_use]
    pub fn with_groups(self, groups: BTreeMap<Extension, GroupName>) -> Self {
        Self { groups, ..self }
    }

    /// The group among `names` that these keys mean: the one with this number, else the only one that is spelled so.
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

    /// Whether keys can mean `name`: it has a number, or no other of `names` is spelled alike.
    pub fn can_mean<'a>(&self, name: &GroupName, names: impl Iterator<Item = &'a GroupName>) -> bool {
        self.groups.values().any(|numbered| numbered == name)
            || self.group(&Spelled::of(name), names) == Some(name)
    }

    /// Each code.
    pub fn iter(&self) -> impl Iterator<Item = &Code> {
        self.codes.iter()
    }

    /// The strings that are read as `code`.
    pub fn shapes(&self, code: &Code) -> Vec<Shape> {
        code.shapes(&self.users)
    }
}
