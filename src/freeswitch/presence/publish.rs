//! Publishes BLF state by `PRESENCE_IN`, and clears the BLF of a *device* after a call from it.
//!
//! While a user is logged in, calls from the device light the BLF of the user's extension, and the device's own stays dark.
//! But a phone that subscribes to the device during such a call, or renews its subscription, gets the state busy, as FreeSWITCH
//! also reads the From of the calling phone. FreeSWITCH does not publish the end of the call (1.10.12), so Hotdesk does.

use tracing::debug;

use crate::freeswitch::esl::client::Client;
use crate::freeswitch::esl::event::Event;
use crate::switch::SwitchError;
use crate::switch::connection::events::{Heard, Subscription};

/// Clears the BLF of devices after calls from them, by `commands`, as long as there are events. These must have
/// `CHANNEL_DESTROY`.
pub async fn clear_after_calls(commands: Client, mut events: Subscription<Event>) {
    while let Some(heard) = events.next().await {
        let Heard::Event(event) = heard else { continue };
        if event.name().as_deref() != Some("CHANNEL_DESTROY") || !is_of_user(&event) {
            continue;
        }
        let device = event.get("variable_sip_auth_username").unwrap_or_default();
        let domain = event.get("variable_domain_name").unwrap_or_default();
        if device.is_empty() || domain.is_empty() {
            continue;
        }
        let address = format!("{device}@{domain}");
        // The id must not be that of an existing call, or the event would go to that call.
        let id = format!("hotdesk-{}", event.get("Unique-ID").unwrap_or_default());
        let dark = Shown { proto: "sip", address: &address, id: Some(&id), lit: false, call: None };
        if let Err(error) = show(&commands, &dark).await {
            debug!(event = "blf.not_cleared", %device, %error, "the BLF stays lit until after the next call of the device");
        }
    }
}

/// Whether a user made this call at a hotdesk phone.
fn is_of_user(call: &Event) -> bool {
    let user = call.get("variable_hd_caller").unwrap_or_default();
    !user.is_empty() && user.bytes().all(|byte| byte.is_ascii_digit())
}

/// A BLF state for the subscribers.
pub(crate) struct Shown<'a> {
    /// The beginning of its name up to the `+`; `sip` if there is none.
    pub(crate) proto: &'a str,
    pub(crate) address: &'a str,
    /// The id of the dialog: a phone clears only a BLF that was lit with the same id. Without an id, the phone gets an empty
    /// list. With one, sofia reports the BLF lit while this address has a call.
    pub(crate) id: Option<&'a str>,
    pub(crate) lit: bool,
    /// Only the subscription with this `Call-ID` gets it.
    pub(crate) call: Option<&'a str>,
}

pub(crate) async fn show(client: &Client, shown: &Shown<'_>) -> Result<(), SwitchError> {
    let Shown { proto, address, id, lit, call } = shown;
    let (channel, answer) = if *lit { ("CS_EXECUTE", "confirmed") } else { ("CS_HANGUP", "terminated") };
    let mut headers = vec![
        ("proto", *proto),
        ("login", address),
        ("from", address),
        ("status", "Available"),
        ("rpid", "unknown"),
        ("event_type", "presence"),
        ("alt_event_type", "dialog"),
        ("event_count", "1"),
        ("channel-state", channel),
        ("answer-state", answer),
        ("presence-call-direction", "inbound"),
    ];
    headers.extend(id.map(|id| ("unique-id", id)));
    headers.extend(call.map(|call| ("call-id", call)));
    client.send_event("PRESENCE_IN", &headers).await
}
