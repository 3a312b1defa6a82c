//! A whole tenant, or some of its users and devices.

use std::collections::BTreeSet;

use super::about::About;
use crate::model::directory::Session;
use crate::model::id::{DeviceName, Extension};

/// A whole tenant, or these users and devices.
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
    pub const fn none() -> Self {
        Self::Some { users: BTreeSet::new(), devices: BTreeSet::new() }
    }

    /// The users and devices of these sessions.
    pub fn of<'a>(sessions: impl Iterator<Item = &'a Session>) -> Self {
        let (users, devices) = sessions.map(|it| (it.user.clone(), it.device.clone())).unzip();
        Self::Some { users, devices }
    }

    /// One user.
    pub fn user(user: &Extension) -> Self {
        Self::Some { users: [user.clone()].into(), devices: BTreeSet::new() }
    }

    /// One device.
    pub fn device(device: &DeviceName) -> Self {
        Self::Some { users: BTreeSet::new(), devices: [device.clone()].into() }
    }

    /// This and `other`.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Some { mut users, mut devices }, Self::Some { users: more, devices: others }) => {
                users.extend(more);
                devices.extend(others);
                Self::Some { users, devices }
            }
            _ => Self::All,
        }
    }

    /// Whether it contains a record about this. Only the whole tenant contains records about no user and no device.
    pub fn contains(&self, about: &About) -> bool {
        match self {
            Self::All => true,
            Self::Some { users, devices } => {
                about.user().is_some_and(|user| users.contains(user))
                    || about.device().is_some_and(|device| devices.contains(device))
            }
        }
    }

    /// Whether it is empty.
    pub fn is_empty(&self) -> bool {
        matches!(self, Self::Some { users, devices } if users.is_empty() && devices.is_empty())
    }
}
