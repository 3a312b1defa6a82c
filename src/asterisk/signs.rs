//! Signs that a phone may show other voicemail than it should.

use super::ami::Message;
use crate::desk::id::DeviceName;

/// A sign that a phone may show other voicemail than it should.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Sign {
    /// Something happened to a box: `101@default`.
    Box(String),
    /// A phone registered, or is reached again: it may have forgotten what it was told.
    Registered(DeviceName),
}

/// The sign that an event is.
pub(super) fn sign(event: &Message) -> Option<Sign> {
    match event.event()? {
        "MessageWaiting" => Some(Sign::Box(event.header("Mailbox")?.to_owned())),
        "ContactStatus" => {
            let status = event.header("ContactStatus")?;
            let there = ["Created", "Updated", "NonQualified", "Reachable"].contains(&status);
            let device = DeviceName::new(event.header("EndpointName")?).ok()?;
            there.then_some(Sign::Registered(device))
        }
        _ => None,
    }
}
