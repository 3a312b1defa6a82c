//! The subjects of records in a switch.

use std::collections::BTreeSet;
use std::fmt;

use crate::model::id::{DeviceName, Extension, GroupName};

/// The subject of a record. Each switch keeps some of these in its own records.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum About {
    /// A device: its user, and what an emergency call from it shows.
    Device(DeviceName),
    /// The BLF of a device: lit while a user is logged in there.
    DeviceBlf(DeviceName),
    /// The BLF of a user.
    Blf(Extension),
    /// A user's membership in a group.
    Member(GroupName, Extension),
    /// A user's forwarding, recording, account and pickup group.
    Profile(Extension),
    /// A user: the ring targets, and the caller ID.
    User(Extension),
    /// No user and no device: a shared record, or one that Hotdesk does not know.
    Other,
    /// The mark of the store whose state the switch holds.
    Store,
    /// Records that the switch counts and does not list.
    Unlisted,
}

impl About {
    /// The user that it is about.
    pub const fn user(&self) -> Option<&Extension> {
        match self {
            Self::Blf(user) | Self::Member(_, user) | Self::Profile(user) | Self::User(user) => Some(user),
            Self::Device(_) | Self::DeviceBlf(_) | Self::Other | Self::Store | Self::Unlisted => None,
        }
    }

    /// The device that it is about.
    pub const fn device(&self) -> Option<&DeviceName> {
        match self {
            Self::Device(device) | Self::DeviceBlf(device) => Some(device),
            _ => None,
        }
    }

    /// The name of its kind.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Device(_) => "devices",
            Self::DeviceBlf(_) => "BLF of devices",
            Self::Blf(_) => "BLF of users",
            Self::Member(..) => "memberships",
            Self::Profile(_) => "profiles",
            Self::User(_) => "users",
            Self::Other => "others",
            Self::Store => "mark of the store",
            Self::Unlisted => "unlisted",
        }
    }
}

impl fmt::Display for About {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Device(device) => write!(f, "device {device}"),
            Self::DeviceBlf(device) => write!(f, "BLF of device {device}"),
            Self::Blf(user) => write!(f, "BLF of user {user}"),
            Self::Member(group, user) => write!(f, "membership in {group} of user {user}"),
            Self::Profile(user) => write!(f, "profile of user {user}"),
            Self::User(user) => write!(f, "user {user}"),
            Self::Other => f.write_str("other"),
            Self::Store => f.write_str("mark of the store"),
            Self::Unlisted => f.write_str("unlisted"),
        }
    }
}

/// The records that are read from a switch: those of these users and devices.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Subjects {
    /// By extension.
    pub users: BTreeSet<Extension>,
    /// By name.
    pub devices: BTreeSet<DeviceName>,
    /// And every other record of the tenant in the switch.
    pub others: bool,
}

impl Subjects {
    /// Whether a record about this is read. The mark of the store always is.
    pub fn contains(&self, about: &About) -> bool {
        match (about.user(), about.device()) {
            _ if self.others || *about == About::Store => true,
            (Some(user), _) => self.users.contains(user),
            (None, Some(device)) => self.devices.contains(device),
            (None, None) => false,
        }
    }
}
