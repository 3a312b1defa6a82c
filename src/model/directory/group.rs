//! Groups and queues of a switch. Users sign in to them and out of them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::model::id::{Extension, GroupName};

/// How a switch brings a group's calls to its members.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A queue: callers wait until a member is free. Asterisk: `app_queue`; FreeSWITCH: `mod_callcenter`.
    Queue,
    /// All members ring at once, in Hotdesk's own dialplan on either switch.
    Ring,
}

/// A group of a tenant on a switch.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Group {
    /// Its kind.
    pub kind: Kind,
    /// What its members dial for it in a code; none: its name, if that is a number.
    pub number: Option<Extension>,
}

/// The groups of a tenant on a switch, by their names on the switch.
pub type Groups = BTreeMap<GroupName, Group>;

/// The ring groups with the number that callers dial: their own number, or the name if that is a number.
pub fn numbered(groups: &Groups) -> Vec<(Extension, &GroupName)> {
    let rings = groups.iter().filter(|(_, group)| group.kind == Kind::Ring);
    let number = |(name, group): (_, &Group)| {
        let name: &GroupName = name;
        Some((group.number.clone().or_else(|| Extension::new(name.as_str()).ok())?, name))
    };
    rings.filter_map(number).collect()
}
