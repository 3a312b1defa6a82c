//! Groups and queues of a switch, which its users sign in to and out of.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::id::{Extension, GroupName};

/// How a switch brings a group's calls to its members.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A queue: callers wait until a member is free. Asterisk: `app_queue`; FreeSWITCH: `mod_callcenter`.
    Queue,
    /// All members ring at once. In our own dialplan on either.
    Ring,
}

/// A group of a tenant on a switch.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Group {
    /// What it is.
    pub kind: Kind,
    /// What its members dial for it, in a code; none: its name, if that is a number.
    pub number: Option<Extension>,
}

/// The groups of a tenant on a switch, by the names that the switch knows them by.
pub type Groups = BTreeMap<GroupName, Group>;

/// The group that is dialled so.
#[must_use]
pub fn dialled<'a>(groups: &'a Groups, number: &Extension) -> Option<&'a GroupName> {
    let is = |(name, group): &(&GroupName, &Group)| match &group.number {
        Some(own) => own == number,
        None => name.as_str() == number.as_str(),
    };
    groups.iter().find(is).map(|(name, _)| name)
}
