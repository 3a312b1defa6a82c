//! The caller's side of the dialplan: whoever sits at a phone, what he may call, his voicemail, his pick-up group.

use super::{Settings, recording};

const TEMPLATE: &str = include_str!("../caller.conf.in");

/// The contexts that a call from a phone goes through.
pub(super) fn contexts(settings: &Settings) -> String {
    TEMPLATE
        .replace("@outbound@", &settings.recording.as_ref().map(recording::outbound).unwrap_or_default())
        .replace("@without-password@", if settings.voicemail_password { "" } else { ",s" })
}
