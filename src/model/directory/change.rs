//! Commands that change the directory, and the rules for its records.

use crate::model::directory::device::Device;
use crate::model::directory::location::Location;
use crate::model::directory::profile::Forward;
use crate::model::directory::snapshot::Snapshot;
use crate::model::directory::user::{Away, User};
use crate::model::id::{DeviceName, EmergencyNumber, Extension, LocationName};
use crate::model::login::pin::PinRecord;
use crate::model::login::refusal::{Refusal, Subject};
use crate::model::settings::may_forward;

/// Changes of the directory: all of them are made, or none.
#[derive(Clone, Debug)]
pub struct DirectoryCommand {
    /// The changes, in an order in which each finds the records it names.
    pub changes: Vec<DirectoryChange>,
    /// The rules for the records.
    pub rules: DirectoryRules,
}

/// What the configuration and the administrator allow.
#[derive(Clone, Debug)]
pub struct DirectoryRules {
    /// The emergency numbers of the tenant.
    pub emergency_numbers: Vec<EmergencyNumber>,
    /// What happens when an emergency call from a hotdesking device shows no number of its location.
    pub no_caller_id: NoCallerId,
}

/// What happens when an emergency call from a hotdesking device shows no number of its location.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum NoCallerId {
    /// Accept it silently: the rule does not apply to this directory.
    Accept,
    /// Accept it and write it to the journal: the administrator insists.
    Journal,
    /// Refuse it.
    Refuse,
}

/// One change of the directory.
#[derive(Clone, Debug)]
pub enum DirectoryChange {
    /// Adds or replaces a device.
    Device(Edit<Device>),
    /// Adds or replaces a location.
    Location(Edit<Location>),
    /// Gives an existing user a new PIN.
    Pin(Extension, PinRecord),
    /// Removes an existing device, and logs out the user there.
    RemoveDevice(DeviceName),
    /// Removes an existing location without devices.
    RemoveLocation(LocationName),
    /// Removes an existing user with the PIN, and logs the user out.
    RemoveUser(Extension),
    /// Adds or replaces a user. The PIN stays.
    User(Edit<User>),
}

/// A record as it should be, and the condition on the record before.
#[derive(Clone, Debug)]
pub struct Edit<T> {
    /// The condition.
    pub was: Was<T>,
    /// The new record.
    pub is: Box<T>,
}

/// The condition of an [`Edit`] on the record before.
#[derive(Clone, Debug)]
pub enum Was<T> {
    /// None: there may be a record or not.
    Anything,
    /// There is no record.
    Nothing,
    /// The record is this, unchanged since it was read.
    This(Box<T>),
}

impl<T: PartialEq> Edit<T> {
    /// Adds the record or replaces any other.
    pub fn put(is: T) -> Self {
        Self { was: Was::Anything, is: Box::new(is) }
    }

    /// Replaces the record that was read, or adds one if there was none.
    pub fn of(was: Option<T>, is: T) -> Self {
        Self { was: was.map_or(Was::Nothing, |was| Was::This(Box::new(was))), is: Box::new(is) }
    }

    /// Whether the record `now` of the `subject` meets the condition; if not, [`Refusal::ChangedMeanwhile`].
    pub fn check(&self, now: Option<&T>, subject: Subject) -> Result<(), Refusal> {
        let met = match &self.was {
            Was::Anything => true,
            Was::Nothing => now.is_none(),
            Was::This(was) => now == Some(was),
        };
        if met { Ok(()) } else { Err(Refusal::ChangedMeanwhile(subject)) }
    }
}

impl Default for DirectoryRules {
    /// For changes that were checked before, or cannot break a rule.
    fn default() -> Self {
        Self { emergency_numbers: vec![], no_caller_id: NoCallerId::Accept }
    }
}

impl DirectoryRules {
    /// Whether there can be such a user.
    ///
    /// # Errors
    /// The [`Refusal`] of an extension that is an emergency number, or of a destination of forwarded calls.
    pub fn user(&self, user: &User) -> Result<(), Refusal> {
        let extension = &user.extension;
        if self.emergency_numbers.iter().any(|number| number.as_str() == extension.as_str()) {
            return Err(Refusal::EmergencyExtension(extension.clone()));
        }
        let away = match &user.away {
            Away::Number(number) => Some(number),
            Away::Voicemail | Away::Busy => None,
        };
        let Forward { always, busy, unanswered } = &user.profile.forward;
        let mut destinations = [always, busy, unanswered].into_iter().flatten().chain(away);
        destinations.try_for_each(|to| may_forward(extension, to, &self.emergency_numbers))
    }

    /// Whether there can be such a device among the locations and users of `snapshot`. Returns true when the device
    /// is for hotdesking but an emergency call from it shows no number of its location: then the journal says so.
    pub fn device(&self, snapshot: &Snapshot, device: &Device) -> Result<bool, Refusal> {
        if let Some(location) = &device.location {
            snapshot.location(location)?;
        }
        if self.no_caller_id == NoCallerId::Accept {
            return Ok(false);
        }
        if let Some(owner) = &device.owner {
            snapshot.user(owner)?;
        }
        if !device.kind.is_desk() && device.owner.is_none() {
            return Err(Refusal::KindNeedsOwner(device.name.clone(), device.kind));
        }
        if !device.kind.is_desk() && device.hotdesk {
            return Err(Refusal::KindForbidsHotdesk(device.name.clone(), device.kind));
        }
        let nowhere = device.hotdesk && snapshot.emergency_caller_id(device).is_none();
        if nowhere && self.no_caller_id == NoCallerId::Refuse {
            return Err(Refusal::NoEmergencyCallerId(device.name.clone(), device.location.clone()));
        }
        Ok(nowhere)
    }

    /// Whether there can be such a location instead of `was`. Returns the hotdesking devices of `snapshot` at this
    /// location when it loses its emergency caller ID: then the journal names them.
    pub fn location(
        &self,
        snapshot: &Snapshot,
        was: Option<&Location>,
        location: &Location,
    ) -> Result<Vec<DeviceName>, Refusal> {
        if self.no_caller_id == NoCallerId::Accept {
            return Ok(vec![]);
        }
        let numbers = &location.emergency.numbers;
        if let Some(number) = numbers.iter().find(|number| !self.emergency_numbers.contains(number)) {
            return Err(Refusal::NotAnEmergencyNumber(number.clone()));
        }
        let shows = |location: &Location| location.emergency.caller_id.is_some();
        if !was.is_some_and(shows) || shows(location) {
            return Ok(vec![]);
        }
        let waived = snapshot.devices_at(&location.name).filter(|device| device.hotdesk);
        let waived: Vec<DeviceName> = waived.map(|device| device.name.clone()).collect();
        if !waived.is_empty() && self.no_caller_id == NoCallerId::Refuse {
            return Err(Refusal::EmergencyCallerIdNeeded(location.name.clone(), waived));
        }
        Ok(waived)
    }
}
