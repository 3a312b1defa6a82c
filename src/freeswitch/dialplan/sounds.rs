//! What a caller hears without a prompt of Hotdesk: a stock sound of FreeSWITCH, and without that a tone.

use crate::model::login::prompt::Prompt;

/// Heard when there is no sound at all: four beeps of a quarter second.
pub const TONE: &str = "tone_stream://%(250,250,425);loops=4";

/// The path of a prompt of Hotdesk under the switch's `sounds_dir`, in that language. `file_exists` tells whether it does.
pub fn ours(prompt: Prompt, language: &str) -> String {
    format!("hotdesk/{language}/{}.wav", prompt.name())
}

/// The stock sound of a prompt, of those in the folder `ivr` of `sound_prefix` (there under `8000`, to `playback` by
/// `ivr/<name>.wav`). The sounds are a package of their own, so it may well be missing.
pub const fn stock(prompt: Prompt) -> &'static str {
    match prompt {
        Prompt::EnterExtension => "ivr-please_enter_extension_followed_by_pound",
        Prompt::EnterPin | Prompt::NewPin | Prompt::NewPinAgain => "ivr-please_enter_pin_followed_by_pound",
        Prompt::Locked | Prompt::NotAvailable => "ivr-contact_system_administrator",
        Prompt::LoggedIn | Prompt::SignedIn => "ivr-you_are_now_logged_in",
        Prompt::ShowsNoNumber => "ivr-your_caller_id_number_is_blocked",
        Prompt::ShowsNumber => "ivr-your_caller_id_information_is",
        Prompt::SwitchedOff => "ivr-disabled",
        Prompt::SwitchedOn => "ivr-enabled",
        Prompt::LoggedOut | Prompt::MovedFrom | Prompt::SignedOut => "ivr-you_are_now_logged_out",
        Prompt::NotAccepted | Prompt::NotAllowedHere => "ivr-access_denied",
        Prompt::PressOneToStay => "ivr-to_accept_press_one",
        Prompt::PinChanged => "ivr-thank_you",
    }
}
