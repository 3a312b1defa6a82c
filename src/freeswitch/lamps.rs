//! Darkens the lamp of a *device* after a call from it.
//!
//! While somebody sits there, his calls light the lamp of his extension, and the device's stays dark. But who subscribes
//! to the device during such a call, or renews his subscription, is told that it is busy, as FreeSWITCH also looks at
//! the From of the phone, and is not told of the end (1.10.12). So it is told from here: `PRESENCE_IN`.

use tokio::sync::mpsc;
use tracing::debug;

use super::client::Client;
use super::event::Event;
use crate::switch::SwitchError;

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
        let dark = Shown { proto: "sip", address: &address, id: Some(&id), lit: false, call: None };
        if let Err(error) = show(&client, &dark).await {
            debug!(event = "lamp.not_darkened", %device, %error, "it stays lit until after its next call");
        }
    }
}

/// What those are told who watch a lamp.
pub(super) struct Shown<'a> {
    /// What its name begins with, where there is a `+` in it; else `sip`.
    pub(super) proto: &'a str,
    /// Whose lamp: `101@a.example`.
    pub(super) address: &'a str,
    /// Of what it tells: a phone darkens only what was lit under the same. With none it is told that there is nothing; with
    /// one sofia says that it is lit as long as this address has a call.
    pub(super) id: Option<&'a str>,
    pub(super) lit: bool,
    /// Only the subscription with this `Call-ID` is told.
    pub(super) call: Option<&'a str>,
}

/// Tells them.
pub(super) async fn show(client: &Client, shown: &Shown<'_>) -> Result<(), SwitchError> {
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
    client.tell("PRESENCE_IN", &headers).await
}
