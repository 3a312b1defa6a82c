//! What a caller hears when a prompt of ours is not there: a stock sound of FreeSWITCH, and after that a tone.

use crate::desk::policy::Prompt;

/// Heard when there is no sound at all: four beeps of a quarter second.
pub const TONE: &str = "tone_stream://%(250,250,425);loops=4";

/// Where a prompt of ours lies under the switch's `sounds_dir`, in that language. `file_exists` tells whether it does.
#[must_use]
pub fn ours(prompt: Prompt, language: &str) -> String {
    format!("hotdesk/{language}/{}.wav", prompt.name())
}

/// The stock sound of a prompt, of those in the folder `ivr` of `sound_prefix` (there under `8000`, to `playback` by
/// `ivr/<name>.wav`). The sounds are a package of their own, so it may well be missing.
#[must_use]
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_prompt_has_a_stock_sound() {
        assert!(Prompt::ALL.iter().all(|prompt| stock(*prompt).starts_with("ivr-")));
        assert_eq!(ours(Prompt::EnterPin, "nl"), "hotdesk/nl/enter-pin.wav");
    }
}
