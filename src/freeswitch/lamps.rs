//! Darkens the lamp of a *device* after a call from it.
//!
//! While somebody sits there, his calls light the lamp of his extension, and the device's stays dark. But who subscribes
//! to the device during such a call, or renews his subscription, is told that it is busy, as FreeSWITCH also looks at
//! the From of the phone, and is not told of the end (1.10.12). So it is told from here: `PRESENCE_IN`.

use tokio::sync::mpsc;
use tracing::debug;

use super::client::Client;
use super::event::Event;

/// The events that the client must have: a call's end.
pub const EVENTS: [&str; 1] = ["CHANNEL_HANGUP_COMPLETE"];

/// Of these events only those of calls that a user made at a hotdesk phone.
#[must_use]
pub fn filters() -> Vec<(&'static str, String)> {
    vec![("variable_hd_caller", "/^[0-9]+$/".into())]
}

/// Darkens until there are no more events.
pub async fn darken(client: Client, mut events: mpsc::Receiver<Event>) {
    while let Some(call) = events.recv().await {
        let device = call.get("variable_sip_auth_username").unwrap_or_default();
        let domain = call.get("variable_domain_name").unwrap_or_default();
        if device.is_empty() || domain.is_empty() {
            continue;
        }
        let address = format!("{device}@{domain}");
        // With the id of a call that is still there, it would go to that call instead.
        let id = format!("hotdesk-{}", call.get("Unique-ID").unwrap_or_default());
        let dark = [
            ("proto", "sip"),
            ("login", &address),
            ("from", &address),
            ("status", "Available"),
            ("rpid", "unknown"),
            ("event_type", "presence"),
            ("alt_event_type", "dialog"),
            ("event_count", "1"),
            ("unique-id", &id),
            ("channel-state", "CS_HANGUP"),
            ("answer-state", "terminated"),
            ("presence-call-direction", "inbound"),
        ];
        if let Err(error) = client.tell("PRESENCE_IN", &dark).await {
            debug!(event = "lamp.not_darkened", %device, %error, "it stays lit until after its next call");
        }
    }
}
