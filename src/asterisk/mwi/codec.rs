//! Voicemail over AMI: the events after which a phone's MWI may be wrong, the query for a mailbox, and the notification of a
//! phone.

use crate::asterisk::ami::codec::{Action, Message};
use crate::switch::mwi::Messages;

/// The most signs that wait for a receiver; after a missed one, MWI is correct again at the next.
pub(in crate::asterisk) const SIGNS: usize = 1024;

/// A sign that MWI may be wrong.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(in crate::asterisk) enum Sign {
    /// The messages in this mailbox changed: `101@default`.
    Box(String),
    /// A phone registered, and Asterisk may have sent it the MWI of another user's mailbox.
    Device(String),
}

pub(in crate::asterisk) fn sign(event: &Message) -> Option<Sign> {
    match event.event()? {
        "ContactStatus" if !matches!(event.header("ContactStatus")?, "Removed" | "Unreachable") => {
            Some(Sign::Device(event.header("EndpointName")?.to_owned()))
        }
        "MessageWaiting" => Some(Sign::Box(event.header("Mailbox")?.to_owned())),
        _ => None,
    }
}

/// Asks for the messages in a mailbox: `101@default`.
pub(in crate::asterisk) fn count(mailbox: &str) -> Action {
    Action::new("MailboxCount").with("Mailbox", mailbox)
}

/// The messages in a mailbox, by the answer to [`count`]. Asterisk 16 may have no voicemail: then there are none.
pub(in crate::asterisk) fn counted(mailbox: &str, count: Option<&Message>) -> Messages {
    let of = |name| -> u32 {
        let count = count.and_then(|count| count.header(name)?.trim().parse().ok());
        count.unwrap_or(0)
    };
    let new = of("NewMessages").saturating_add(of("UrgMessages"));
    Messages { mailbox: Some(mailbox.to_owned()), new, old: of("OldMessages") }
}

/// Notifies the phones of an endpoint of the messages that wait (RFC 3842).
pub(in crate::asterisk) fn notify(endpoint: &str, Messages { new, old, .. }: &Messages) -> Action {
    let waiting = if *new > 0 { "yes" } else { "no" };
    Action::new("PJSIPNotify")
        .with("Endpoint", endpoint)
        .with("Variable", "Event=message-summary")
        .with("Variable", "Content-Type=application/simple-message-summary")
        .with("Variable", format!("Content=Messages-Waiting: {waiting}"))
        .with("Variable", format!("Content=Voice-Message: {new}/{old} (0/0)"))
}
