//! The table: what a switch holds so that it can work without us, and how a switch that holds something
//! else is put right. Level-triggered: every login, repair and restart is the same difference.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::id::{
    Context, DeviceName, DialTarget, DisplayName, EmergencyNumber, Extension, Language, Mailbox, Number,
    Revision, SwitchName,
};
use super::model::{Away, Binding, CallerId, Office, ShortList, User};
use super::reach::Reach;

/// Rows by key: what one switch should hold, or what it does hold.
pub type Table = BTreeMap<Key, Row>;

/// What a row is about.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Key {
    /// Who sits at a device.
    Device(DeviceName),
    /// What an extension's lamp watches.
    Lamp(Extension),
    /// Where a user's calls ring, and what his own look like.
    User(Extension),
    /// Something in our part of the switch's store that is not ours; only ever seen, never wanted.
    Unknown(String),
    /// Rows in this part of the switch's store that it counts and does not list. Applied, the listed make room for them.
    Unlisted(String),
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Device(device) => write!(f, "device {device}"),
            Self::Lamp(user) => write!(f, "lamp {user}"),
            Self::User(user) => write!(f, "user {user}"),
            Self::Unknown(key) => write!(f, "unknown {key:?}"),
            Self::Unlisted(part) => write!(f, "rows of {part}"),
        }
    }
}

/// What a row says.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Row {
    /// Of a device.
    Device(DeviceRow),
    /// The device that a lamp watches. No row: the user is nowhere, and his lamp is dark.
    Lamp(DialTarget),
    /// Text in the switch that is not a row of ours; only ever seen, never wanted.
    Unreadable(String),
    /// Of a user.
    User(UserRow),
}

/// What a switch knows of a device.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct DeviceRow {
    /// Whose calls are made here; none: only emergency calls and codes.
    pub user: Option<Extension>,
    /// The login that put him there; zero for an owner.
    pub revision: Revision,
    /// The number an emergency call from here shows, whoever sits here.
    pub emergency: Option<Number>,
    /// What is dialled for an emergency call where it stands; empty: every number that the dialplan knows.
    pub emergency_numbers: Vec<EmergencyNumber>,
    /// What rings it, for a call back after an emergency call.
    pub dial: DialTarget,
    /// What may be dialled here while nobody sits here.
    pub may_dial: ShortList,
}

/// What a switch knows of a user.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct UserRow {
    /// What rings when he is called; none: he is nowhere.
    pub dial: Option<DialTarget>,
    /// The login that put him there; zero when nowhere or at a device he owns.
    pub revision: Revision,
    /// The number his calls show, to those who may see it.
    pub number: Number,
    /// The name beside it.
    pub name: Option<DisplayName>,
    /// His calls are anonymous.
    pub anonymous: bool,
    /// Spoken to him.
    pub language: Option<Language>,
    /// The site's context that his calls go into.
    pub class: Option<Context>,
    /// His voicemail box.
    pub mailbox: Option<Mailbox>,
    /// Where his calls go when he is nowhere.
    pub away: Away,
}

impl fmt::Display for Row {
    /// For the journal: nothing in a row is secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Device(DeviceRow { user: Some(user), .. }) => write!(f, "{user}"),
            Self::Device(DeviceRow { user: None, .. }) => f.write_str("nobody"),
            Self::Lamp(target) => write!(f, "{target}"),
            Self::Unreadable(text) => write!(f, "{text:?}"),
            Self::User(UserRow { dial: Some(dial), number, .. }) => write!(f, "at {dial}, shows {number}"),
            Self::User(UserRow { dial: None, number, .. }) => write!(f, "nowhere, shows {number}"),
        }
    }
}

/// One difference: a row as it is in the switch, and as it should be.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Edit {
    /// Which row.
    pub key: Key,
    /// What the switch holds; none: no such row.
    pub was: Option<Row>,
    /// What it shall hold; none: the row goes.
    pub is: Option<Row>,
}

/// Everything, or these users and devices.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Scope {
    /// The whole tenant.
    All,
    /// These.
    Some {
        /// By extension.
        users: BTreeSet<Extension>,
        /// By name.
        devices: BTreeSet<DeviceName>,
    },
}

impl Scope {
    /// Nothing.
    #[must_use]
    pub const fn none() -> Self {
        Self::Some { users: BTreeSet::new(), devices: BTreeSet::new() }
    }

    /// The users and devices of these bindings.
    #[must_use]
    pub fn of<'a>(bindings: impl Iterator<Item = &'a Binding>) -> Self {
        let (users, devices) = bindings.map(|b| (b.user.clone(), b.device.clone())).unzip();
        Self::Some { users, devices }
    }

    /// The users and devices that these rows are about.
    #[must_use]
    pub fn about<'a>(keys: impl Iterator<Item = &'a Key>) -> Self {
        let (mut users, mut devices) = (BTreeSet::new(), BTreeSet::new());
        for key in keys {
            match key {
                Key::Device(device) => drop(devices.insert(device.clone())),
                Key::Lamp(user) | Key::User(user) => drop(users.insert(user.clone())),
                Key::Unknown(_) | Key::Unlisted(_) => {}
            }
        }
        Self::Some { users, devices }
    }

    /// One user.
    #[must_use]
    pub fn user(user: &Extension) -> Self {
        Self::Some { users: [user.clone()].into(), devices: BTreeSet::new() }
    }

    /// One device.
    #[must_use]
    pub fn device(device: &DeviceName) -> Self {
        Self::Some { users: BTreeSet::new(), devices: [device.clone()].into() }
    }

    /// This and `other`.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (
                Self::Some { mut users, mut devices },
                Self::Some { users: more_users, devices: more_devices },
            ) => {
                users.extend(more_users);
                devices.extend(more_devices);
                Self::Some { users, devices }
            }
            _ => Self::All,
        }
    }

    /// This, and every user and device of `office`: what an office was asked for knows all their rows.
    #[must_use]
    pub fn widened_to(self, office: &Office) -> Self {
        self.and(Self::Some {
            users: office.users.keys().cloned().collect(),
            devices: office.devices.keys().cloned().collect(),
        })
    }

    /// Whether a row is part of it.
    #[must_use]
    pub fn contains(&self, key: &Key) -> bool {
        match (self, key) {
            (Self::All, _) => true,
            (Self::Some { devices, .. }, Key::Device(device)) => devices.contains(device),
            (Self::Some { users, .. }, Key::Lamp(user) | Key::User(user)) => users.contains(user),
            (Self::Some { .. }, Key::Unknown(_) | Key::Unlisted(_)) => false,
        }
    }

    /// Whether it is nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        matches!(self, Self::Some { users, devices } if users.is_empty() && devices.is_empty())
    }
}

/// The rows that `switch` should hold for the users and devices of `office`. Who sits at another switch's device is called
/// there, as far as `reach` goes: after the devices here, if he owns some of each.
#[must_use]
pub fn wanted(office: &Office, switch: &SwitchName, reach: &Reach) -> Table {
    let bound: BTreeSet<&Extension> = office.bindings.values().map(|binding| &binding.user).collect();
    let mut table = Table::new();
    let mut places: BTreeMap<&Extension, Place<'_>> = BTreeMap::new();
    for device in office.devices.values() {
        let (user, revision) = match office.bindings.get(&device.name) {
            Some(binding) => (Some(&binding.user), binding.revision),
            None => (device.owner.as_ref().filter(|owner| !bound.contains(owner)), Revision(0)),
        };
        let user = user.filter(|user| office.users.contains_key(user));
        if let Some(user) = user {
            let place = places.entry(user).or_default();
            place.revision = place.revision.max(revision);
            if device.switch == *switch {
                place.here.push(device.dial.as_str());
            } else {
                place.there.insert(&device.switch);
            }
        }
        if device.switch != *switch {
            continue;
        }
        let row = DeviceRow {
            user: user.cloned(),
            revision,
            emergency: office.emergency_caller_id(device).cloned(),
            emergency_numbers: office
                .location_of(device)
                .map(|location| location.emergency.numbers.clone())
                .unwrap_or_default(),
            dial: device.dial.clone(),
            may_dial: device.may_dial.clone(),
        };
        table.insert(Key::Device(device.name.clone()), Row::Device(row));
    }
    for user in office.users.values() {
        let Place { here, there, revision } = places.remove(&user.extension).unwrap_or_default();
        let routes: Vec<String> = there
            .into_iter()
            .filter_map(|switch| Some(reach.routes.get(switch)?.with(user.extension.as_str())))
            .collect();
        let all: Vec<&str> = here.iter().copied().chain(routes.iter().map(String::as_str)).collect();
        let dial = joined(&all);
        let lamp = if reach.lamps { dial.clone() } else { joined(&here) };
        if let Some(lamp) = lamp {
            table.insert(Key::Lamp(user.extension.clone()), Row::Lamp(lamp));
        }
        let revision = if dial.is_some() { revision } else { Revision(0) };
        table.insert(Key::User(user.extension.clone()), Row::User(user_row(user, dial, revision)));
    }
    table
}

/// All of them, or as many from the first on as a dial target has room for: better some ring than none.
fn joined(targets: &[&str]) -> Option<DialTarget> {
    (1..=targets.len()).rev().find_map(|most| DialTarget::new(targets.get(..most)?.join("&")).ok())
}

/// Where a user is.
#[derive(Default)]
struct Place<'a> {
    /// His devices of this switch.
    here: Vec<&'a str>,
    /// The other switches where he has some.
    there: BTreeSet<&'a SwitchName>,
    revision: Revision,
}

fn user_row(user: &User, dial: Option<DialTarget>, revision: Revision) -> UserRow {
    let inside = || Number::from(user.extension.clone());
    let (number, anonymous) = match &user.caller_id {
        CallerId::Anonymous => (inside(), true),
        CallerId::Extension => (inside(), false),
        CallerId::Number(number) => (number.clone(), false),
    };
    UserRow {
        dial,
        revision,
        number,
        name: user.name.clone(),
        anonymous,
        language: user.language.clone(),
        class: user.class.clone(),
        mailbox: user.mailbox.clone(),
        away: user.away.clone(),
    }
}

/// What must be written into a switch that holds `seen` so that it holds `wanted`.
#[must_use]
pub fn difference(wanted: &Table, seen: &Table) -> Vec<Edit> {
    let keys: BTreeSet<&Key> = wanted.keys().chain(seen.keys()).collect();
    keys.into_iter()
        .map(|key| Edit { key: key.clone(), was: seen.get(key).cloned(), is: wanted.get(key).cloned() })
        .filter(|edit| edit.was != edit.is)
        .collect()
}

#[cfg(test)]
mod tests;
