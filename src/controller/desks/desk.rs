//! One desk.

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::model::auto_logout::{AutoLogoutRules, Due};
use crate::model::directory::{Device, Snapshot};
use crate::model::id::{DeviceName, DisplayName, Extension, Revision};
use crate::model::observation::Observed;
use crate::switch::device_state::DeviceState;

/// A desk, and who has it.
#[derive(Clone, Debug, PartialEq)]
pub struct Desk {
    /// The device.
    pub device: Device,
    /// Who has it; none: it is free.
    pub occupant: Option<Occupant>,
    /// What its phone does, as its switch said last.
    pub state: DeviceState,
    /// The time zone of its location.
    pub zone: TimeZone,
}

/// The user who has a desk.
#[derive(Clone, Debug, PartialEq)]
pub struct Occupant {
    /// The user.
    pub user: Extension,
    /// The user's name.
    pub name: Option<DisplayName>,
    /// Whether the user is not to be disturbed.
    pub do_not_disturb: bool,
    /// Since when the user is logged in, and the revision of the session; none: the user owns the desk.
    pub session: Option<(Timestamp, Revision)>,
    /// When the session ends automatically, as far as is known.
    pub due: Option<Due>,
}

/// What desks are made of besides a snapshot.
pub(super) struct Sources<'a> {
    pub(super) snapshot: &'a Snapshot,
    pub(super) rules: AutoLogoutRules,
    pub(super) zone: &'a TimeZone,
    /// Users with a session.
    pub(super) logged_in: BTreeSet<&'a Extension>,
}

impl Sources<'_> {
    /// The desk of this name; none, if there is none, or it is no desk.
    pub(super) fn desk(&self, name: &DeviceName, seen: &Observed, state: DeviceState) -> Option<Desk> {
        let device = self.snapshot.devices.get(name).filter(|device| device.kind.is_desk())?;
        let zone = self.snapshot.location_of(device).map_or(self.zone, |location| location.zone.rules());
        let occupant = self.snapshot.user_where(name, |user| self.logged_in.contains(user)).map(|user| {
            let session = self.snapshot.sessions.get(name);
            let record = self.snapshot.users.get(user);
            let due = session.and_then(|session| {
                self.snapshot.auto_logout(session, self.rules).due(zone, session.since, seen)
            });
            Occupant {
                user: user.clone(),
                name: record.and_then(|user| user.name.clone()),
                do_not_disturb: record.is_some_and(|user| user.profile.do_not_disturb),
                session: session.map(|session| (session.since, session.revision)),
                due,
            }
        });
        Some(Desk { device: device.clone(), occupant, state, zone: zone.clone() })
    }
}
