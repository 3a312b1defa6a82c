//! The table: what a switch holds so that it can work without us, and how a switch that holds something
//! else is put right. Level-triggered: every login, repair and restart is the same difference.

mod wanted;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::group;
use super::id::{
    Account, Context, DeviceName, DialTarget, DisplayName, EmergencyNumber, Extension, GroupName, Language,
    Mailbox, Number, Revision,
};
use super::model::{Away, Binding, Office, ShortList};
use super::profile::Recording;

pub use wanted::{joined, wanted};

/// Rows by key: what one switch should hold, or what it does hold.
pub type Table = BTreeMap<Key, Row>;

/// What a row is about.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Key {
    /// Who sits at a device.
    Device(DeviceName),
    /// What an extension's lamp watches.
    Lamp(Extension),
    /// What lamps show that are lit whatever devices do.
    Lit,
    /// A user's place in a group that he signed in to.
    Member(GroupName, Extension),
    /// What else is a user's, where there is more than a user's row says.
    Profile(Extension),
    /// The lamp of a device: whether somebody sits there.
    Seat(DeviceName),
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
            Self::Lit => f.write_str("lamps that are lit"),
            Self::Member(group, user) => write!(f, "member {user} of {group}"),
            Self::Profile(user) => write!(f, "profile {user}"),
            Self::Seat(device) => write!(f, "lamp of {device}"),
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
    /// Of a lamp. No row: it is dark.
    Lamp(Lamp),
    /// Of a member of a group. No row: he is not in it now.
    Member(Member),
    /// Of what else is a user's. No row: nothing.
    Profile(ProfileRow),
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
    /// The voicemail box whose messages light its lamp: that of its user.
    pub mailbox: Option<Mailbox>,
    /// Spoken here, until it is known who listens.
    pub language: Option<Language>,
}

impl DeviceRow {
    /// Of a device that is dialled so, where nobody sits and of which nothing else is said.
    #[must_use]
    pub fn of(dial: DialTarget) -> Self {
        Self {
            user: None,
            revision: Revision(0),
            emergency: None,
            emergency_numbers: vec![],
            dial,
            may_dial: ShortList::default(),
            mailbox: None,
            language: None,
        }
    }
}

/// What a lamp shows.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Lamp {
    /// What its device does, or its devices; none: nothing, it is dark.
    pub watch: Option<DialTarget>,
    /// It is lit, whatever they do: its user is not to be disturbed, or all his calls go elsewhere.
    pub busy: bool,
}

impl Lamp {
    /// The lamp of a user who is nowhere.
    pub const DARK: Self = Self { watch: None, busy: false };

    /// The lamp of a device at which somebody sits.
    pub const LIT: Self = Self { watch: None, busy: true };

    /// That shows what these devices do.
    #[must_use]
    pub const fn of(watch: DialTarget) -> Self {
        Self { watch: Some(watch), busy: false }
    }
}

impl fmt::Display for Lamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self { watch: Some(watch), busy: false } => write!(f, "{watch}"),
            Self { watch: None, busy: false } => f.write_str("dark"),
            Self { busy: true, .. } => f.write_str("lit"),
        }
    }
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

/// What a switch knows of a member of a group. His calls ring where his user's row says.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Member {
    /// What the group is.
    pub kind: group::Kind,
    /// He takes no calls of it now.
    pub paused: bool,
}

/// What a switch knows of a user besides: only where there is anything.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ProfileRow {
    /// What rings after what his row says, one by one.
    pub then: Option<DialTarget>,
    /// Where calls go that find him busy.
    pub busy: Option<Number>,
    /// Where calls go that he does not answer.
    pub unanswered: Option<Number>,
    /// Which of his calls are recorded.
    pub recording: Recording,
    /// What the accounts of his calls are kept under; none: his extension.
    pub account: Option<Account>,
    /// Whose ringing phones he may pick up, and who his.
    pub pickup: Option<GroupName>,
    /// What his lamp shows, where that is not what rings.
    pub lamp: Option<Lamp>,
}

impl fmt::Display for Row {
    /// For the journal: nothing in a row is secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Device(DeviceRow { user: Some(user), .. }) => write!(f, "{user}"),
            Self::Device(DeviceRow { user: None, .. }) => f.write_str("nobody"),
            Self::Lamp(lamp) => write!(f, "{lamp}"),
            Self::Member(Member { paused: true, .. }) => f.write_str("paused"),
            Self::Member(Member { paused: false, .. }) => f.write_str("takes calls"),
            Self::Profile(row) => write!(f, "{row}"),
            Self::Unreadable(text) => write!(f, "{text:?}"),
            Self::User(UserRow { dial: Some(dial), number, .. }) => write!(f, "at {dial}, shows {number}"),
            Self::User(UserRow { dial: None, number, .. }) => write!(f, "nowhere, shows {number}"),
        }
    }
}

impl fmt::Display for ProfileRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { then, busy, unanswered, recording, account, pickup, lamp } = self;
        write!(f, "recorded {recording}")?;
        for (what, value) in [
            ("then", then.as_ref().map(DialTarget::as_str)),
            ("account", account.as_ref().map(Account::as_str)),
            ("pickup", pickup.as_ref().map(GroupName::as_str)),
        ] {
            if let Some(value) = value {
                write!(f, ", {what} {value}")?;
            }
        }
        // Where his calls go is nobody's business in a journal.
        for (what, value) in [("busy", busy), ("unanswered", unanswered)] {
            if value.is_some() {
                write!(f, ", forwarded when {what}")?;
            }
        }
        if let Some(lamp) = lamp { write!(f, ", lamp {lamp}") } else { Ok(()) }
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
                Key::Device(device) | Key::Seat(device) => {
                    devices.insert(device.clone());
                }
                Key::Lamp(user) | Key::Member(_, user) | Key::Profile(user) | Key::User(user) => {
                    users.insert(user.clone());
                }
                Key::Lit | Key::Unknown(_) | Key::Unlisted(_) => {}
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
            (Self::Some { devices, .. }, Key::Device(device) | Key::Seat(device)) => devices.contains(device),
            (
                Self::Some { users, .. },
                Key::Lamp(user) | Key::Member(_, user) | Key::Profile(user) | Key::User(user),
            ) => users.contains(user),
            (Self::Some { .. }, Key::Lit | Key::Unknown(_) | Key::Unlisted(_)) => false,
        }
    }

    /// Whether it is nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        matches!(self, Self::Some { users, devices } if users.is_empty() && devices.is_empty())
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
