//! A softphone that its owner switched off rings again once it signs out and in again: he wants it back who starts it anew.

use jiff::Timestamp;

use super::sitting::Switched;
use crate::desk::id::{DeviceName, Extension};
use crate::desk::model::{Device, Kind, Office};
use crate::switch::activity::Doing;

/// A softphone that is switched off.
pub(super) struct Off {
    pub(super) device: Device,
    pub(super) owner: Extension,
    /// It was looked at since it is switched off: one that nobody ever saw here cannot sign out.
    pub(super) seen: bool,
    /// It was seen to have signed out since.
    gone: bool,
}

impl Off {
    /// This device, if it is one, with what was known of it before.
    pub(super) fn of(office: &Office, device: &DeviceName, was: Option<Self>) -> Option<Self> {
        let device = office.devices.get(device).filter(|device| device.kind == Kind::Softphone)?;
        let owner = office.users.get(device.owner.as_ref()?)?;
        let off = owner.profile.rings.devices.get(&device.name) == Some(&false);
        let (device, owner) = (device.clone(), owner.extension.clone());
        let (seen, gone) = match was {
            Some(was) if was.owner == owner => (was.seen, was.gone),
            _ => (false, false),
        };
        off.then_some(Self { device, owner, seen, gone })
    }

    /// Takes in what it does now; whether it has come back. That a switch which was restarted does not know it yet is no
    /// signing out.
    pub(super) fn see(&mut self, doing: Doing, switch: &mut Switched, now: Timestamp) -> bool {
        self.seen = true;
        match doing {
            Doing::Unknown => false,
            Doing::Busy | Doing::Free => {
                switch.saw(&self.device.name);
                self.gone
            }
            Doing::Gone => {
                self.gone |= switch.misses(&self.device.name, now);
                false
            }
        }
    }
}
