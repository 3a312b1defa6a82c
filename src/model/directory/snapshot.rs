//! A tenant's directory and sessions at one revision, and what follows from them.

use std::collections::BTreeMap;

use super::device::Device;
use super::location::Location;
use super::profile::Rings;
use super::session::Session;
use super::user::User;
use crate::model::auto_logout::AutoLogoutRules;
use crate::model::id::{DeviceName, Extension, LocationName, Number, Revision};
use crate::model::login::refusal::{Refusal, Subject};

/// A part of one tenant's data at one revision. [`Snapshot::user_at`] shows what is derived from it.
///
/// A store returns a whole tenant, or the part for a [`Scope`](crate::model::desired::Scope):
///
/// - the users of the scope, with the owners and guests of its devices,
/// - the devices of the scope, with those where these users are logged in, or which they own and no other user has,
/// - the sessions of any of these users and devices,
/// - the locations of these devices.
///
/// This is enough to derive each row of the scope, and the user of each of its devices is one of its users.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Snapshot {
    /// The revision of the journal when this was read.
    pub revision: Revision,
    /// By extension.
    pub users: BTreeMap<Extension, User>,
    /// By name.
    pub devices: BTreeMap<DeviceName, Device>,
    /// By name: the locations of its devices, or all of a whole tenant.
    pub locations: BTreeMap<LocationName, Location>,
    /// By device. A user may have several sessions, if the tenant allows that.
    pub sessions: BTreeMap<DeviceName, Session>,
}

impl Snapshot {
    /// The sessions of `user`, by device.
    pub fn sessions_of(&self, user: &Extension) -> impl Iterator<Item = &Session> {
        self.sessions.values().filter(move |session| session.user == *user)
    }

    /// Whether `user` has a session.
    pub fn is_logged_in(&self, user: &Extension) -> bool {
        self.sessions_of(user).next().is_some()
    }

    /// The user with this extension, or [`Refusal::Missing`].
    pub fn user(&self, user: &Extension) -> Result<&User, Refusal> {
        self.users.get(user).ok_or_else(|| Refusal::Missing(Subject::User(user.clone())))
    }

    /// The device of this name, or [`Refusal::Missing`].
    pub fn device(&self, device: &DeviceName) -> Result<&Device, Refusal> {
        self.devices.get(device).ok_or_else(|| Refusal::Missing(Subject::Device(device.clone())))
    }

    /// The location of this name, or [`Refusal::Missing`].
    pub fn location(&self, location: &LocationName) -> Result<&Location, Refusal> {
        self.locations.get(location).ok_or_else(|| Refusal::Missing(Subject::Location(location.clone())))
    }

    /// The devices at this location.
    pub fn devices_at(&self, location: &LocationName) -> impl Iterator<Item = &Device> {
        self.devices.values().filter(move |device| device.location.as_ref() == Some(location))
    }

    /// The location of `device`, if it is known.
    pub fn location_of(&self, device: &Device) -> Option<&Location> {
        self.locations.get(device.location.as_ref()?)
    }

    /// The number that an emergency call from `device` shows, with or without a user.
    pub fn emergency_caller_id(&self, device: &Device) -> Option<&Number> {
        self.location_of(device)?.emergency.caller_id.as_ref()
    }

    /// The automatic logout of `session`. The user's rules apply before the device's, the device's before the
    /// location's, the location's before the `tenant`'s. A device's owner is never logged out there.
    pub fn auto_logout(&self, session: &Session, tenant: AutoLogoutRules) -> AutoLogoutRules {
        let device = self.devices.get(&session.device);
        if device.is_some_and(|device| device.owner.as_ref() == Some(&session.user)) {
            return AutoLogoutRules::never();
        }
        let location = device.and_then(|device| self.location_of(device));
        let user = self.users.get(&session.user);
        let narrower = [
            location.map(|it| it.auto_logout),
            device.map(|it| it.auto_logout),
            user.map(|it| it.auto_logout),
        ];
        narrower.into_iter().flatten().fold(tenant, |wider, rules| rules.over(wider))
    }

    /// The user of `device`: the user logged in at it, else its owner. An owner who is logged in elsewhere gives up
    /// an owned desk phone, unless it is one of the owner's ring targets.
    pub fn user_at(&self, device: &DeviceName) -> Option<&Extension> {
        self.user_where(device, |owner| self.is_logged_in(owner))
    }

    /// The same, where it is known which users have a session: for many devices.
    pub fn user_where(
        &self,
        device: &DeviceName,
        is_logged_in: impl Fn(&Extension) -> bool,
    ) -> Option<&Extension> {
        if let Some(session) = self.sessions.get(device) {
            return Some(&session.user);
        }
        let device = self.devices.get(device)?;
        let owner = self.users.get(device.owner.as_ref()?)?;
        device.is_with(owner, is_logged_in(&owner.extension)).then_some(&owner.extension)
    }

    /// Whether `device`, whose user is `user`, rings for calls to that user.
    pub fn rings(&self, device: &DeviceName, user: &User) -> bool {
        let Rings { devices, hotdesk_off, .. } = &user.profile.rings;
        match self.sessions.get(device) {
            Some(login) => hotdesk_off.is_none_or(|off| login.revision > off),
            None => devices.get(device) != Some(&false),
        }
    }
}
