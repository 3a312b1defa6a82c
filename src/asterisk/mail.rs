//! Voicemail over AMI: which events say that a phone's message waiting lamp may be wrong, how a box is counted, and how a
//! phone is told.

use super::ami::{Action, Message};
use crate::switch::mwi::Messages;

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

/// Asks what is in a box: `101@default`.
pub(super) fn count(mailbox: &str) -> Action {
    Action::new("MailboxCount").with("Mailbox", mailbox)
}

/// What is in a box, as it was [counted](count). Asterisk 16 may have no voicemail: then it counts nothing.
pub(super) fn counted(mailbox: &str, count: Option<&Message>) -> Messages {
    let of = |name| -> u32 {
        let count = count.and_then(|count| count.header(name)?.trim().parse().ok());
        count.unwrap_or(0)
    };
    let new = of("NewMessages").saturating_add(of("UrgMessages"));
    Messages { mailbox: Some(mailbox.to_owned()), new, old: of("OldMessages") }
}

/// Tells the phones of an endpoint what waits for them (RFC 3842).
pub(super) fn notify(endpoint: &str, Messages { new, old, .. }: &Messages) -> Action {
    let waiting = if *new > 0 { "yes" } else { "no" };
    Action::new("PJSIPNotify")
        .with("Endpoint", endpoint)
        .with("Variable", "Event=message-summary")
        .with("Variable", "Content-Type=application/simple-message-summary")
        .with("Variable", format!("Content=Messages-Waiting: {waiting}"))
        .with("Variable", format!("Content=Voice-Message: {new}/{old} (0/0)"))
}
