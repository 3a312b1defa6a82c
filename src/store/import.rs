//! A whole directory's worth of changes, done in one step.

use jiff::Timestamp;

use super::{Change, What};
use crate::desk::id::{Extension, TenantId};
use crate::desk::journal::Actor;
use crate::desk::location::Location;
use crate::desk::model::{Device, User};
use crate::desk::pin::PinRecord;

/// What is added to a directory, or replaced in it. Nothing is removed.
#[derive(Clone, Debug)]
pub struct Import {
    /// Whose directory.
    pub tenant: TenantId,
    /// As in [`What::Location`].
    pub locations: Vec<Location>,
    /// As in [`What::User`].
    pub users: Vec<User>,
    /// As in [`What::Pin`]; the users exist, or are among `users`.
    pub pins: Vec<(Extension, PinRecord)>,
    /// As in [`What::Device`]; their locations exist, or are among `locations`.
    pub devices: Vec<Device>,
    /// Who wants it, for the journal.
    pub by: Actor,
    /// When.
    pub at: Timestamp,
}

impl Import {
    /// The changes one by one, in an order in which each finds what it names.
    pub(super) fn changes(&self) -> impl Iterator<Item = Change> {
        let locations = self.locations.iter().cloned().map(What::Location);
        let users = self.users.iter().cloned().map(What::User);
        let pins = self.pins.iter().cloned().map(|(user, record)| What::Pin(user, record));
        let devices = self.devices.iter().cloned().map(What::Device);
        let (tenant, by, at) = (self.tenant.clone(), self.by.clone(), self.at);
        let change = move |what| Change { tenant: tenant.clone(), what, by: by.clone(), at };
        locations.chain(users).chain(pins).chain(devices).map(change)
    }
}
