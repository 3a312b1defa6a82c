//! Which events say that a phone's message waiting lamp may be wrong.

use super::ami::Message;

/// How many of them wait for whoever hears them; a lamp that was missed is right again at the next.
pub(super) const SIGNS: usize = 1024;

/// Such a sign.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Sign {
    /// Messages came or went: `101@default`.
    Box(String),
    /// A phone registered, and Asterisk may have told it of a mailbox that is not of who sits there.
    Phone(String),
}

/// The sign that `event` is.
pub(super) fn sign(event: &Message) -> Option<Sign> {
    match event.event()? {
        "ContactStatus" if !matches!(event.header("ContactStatus")?, "Removed" | "Unreachable") => {
            Some(Sign::Phone(event.header("EndpointName")?.to_owned()))
        }
        "MessageWaiting" => Some(Sign::Box(event.header("Mailbox")?.to_owned())),
        _ => None,
    }
}
