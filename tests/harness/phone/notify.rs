//! What NOTIFYs say: the lamps of colleagues (RFC 4235) and of the mailbox (RFC 3842).

use super::event::{Event, Lamp, Mailbox};
use super::message::Message;

/// The event in a NOTIFY, when it is one of these two.
pub(super) fn read(notify: &Message) -> Option<Event> {
    match notify.header("Event").split(';').next()?.trim() {
        "dialog" => lamp(notify).map(Event::Lamp),
        "message-summary" => Some(Event::Mailbox(mailbox(&notify.body))),
        _ => None,
    }
}

fn lamp(notify: &Message) -> Option<Lamp> {
    let between = |open: &str, close: char| {
        let (_, rest) = notify.body.split_once(open)?;
        Some(rest.split(close).next()?.to_owned())
    };
    let entity = between("entity=\"sip:", '"').unwrap_or_default();
    let state = notify.header("Subscription-State").split(';').next()?.trim().to_owned();
    Some(Lamp {
        extension: entity.split('@').next()?.to_owned(),
        // All there are, and there are none: RFC 4235, 3.2.
        state: between("<state>", '<').unwrap_or_else(|| "terminated".to_owned()),
        subscription: state,
    })
}

fn mailbox(body: &str) -> Mailbox {
    let value = |name: &str| {
        let line =
            body.lines().find(|l| l.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name)));
        line.and_then(|l| l.split_once(':')).map_or("", |(_, value)| value.trim())
    };
    let counts = value("Voice-Message").split(' ').next().unwrap_or("");
    let (new, old) = counts.split_once('/').unwrap_or(("0", "0"));
    Mailbox {
        waiting: value("Messages-Waiting").eq_ignore_ascii_case("yes"),
        messages: (new.parse().unwrap_or(0), old.parse().unwrap_or(0)),
    }
}
