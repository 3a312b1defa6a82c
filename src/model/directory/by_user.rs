//! The sessions and devices of each user, for lists of many users: found in one pass over a snapshot.

use std::collections::BTreeMap;

use super::session::Session;
use super::snapshot::Snapshot;
use crate::model::id::{DeviceName, Extension};

/// The sessions and devices of each user of a [`Snapshot`].
pub struct ByUser<'a> {
    sessions: BTreeMap<&'a Extension, Vec<&'a Session>>,
    devices: BTreeMap<&'a Extension, Vec<&'a DeviceName>>,
}

impl<'a> ByUser<'a> {
    /// Goes through `snapshot`.
    pub fn of(snapshot: &'a Snapshot) -> Self {
        let mut by_user = Self { sessions: BTreeMap::new(), devices: BTreeMap::new() };
        for session in snapshot.sessions.values() {
            by_user.sessions.entry(&session.user).or_default().push(session);
        }
        for device in snapshot.devices.keys() {
            let user = snapshot.user_where(device, |user| by_user.sessions.contains_key(user));
            if let Some(user) = user {
                by_user.devices.entry(user).or_default().push(device);
            }
        }
        by_user
    }

    /// The sessions of `user`, by device.
    pub fn sessions(&self, user: &Extension) -> &[&'a Session] {
        self.sessions.get(user).map_or(&[], Vec::as_slice)
    }

    /// The devices whose user, by [`Snapshot::user_at`], is `user`; by name.
    pub fn devices(&self, user: &Extension) -> &[&'a DeviceName] {
        self.devices.get(user).map_or(&[], Vec::as_slice)
    }
}
