//! What a caller hears when a prompt of ours is not there: a stock sound of Asterisk, and after that a tone.

use crate::desk::policy::Prompt;

/// The sounds of a prompt, best first: ours, and one of the core sounds that every Asterisk 16 to 22 comes with.
///
/// Asterisk looks for either in the folder of the call's language, and then in that of `en`. `STREAM FILE` and
/// `GET DATA` tell a missing file by `result=-1` (with `endpos=0`), which is also what a hang-up looks like; ask
/// `CHANNEL STATUS` which it was (511 after a hang-up).
#[must_use]
pub const fn sounds(prompt: Prompt) -> [&'static str; 2] {
    match prompt {
        Prompt::EnterExtension => ["hotdesk/enter-extension", "agent-user"],
        Prompt::EnterPin => ["hotdesk/enter-pin", "agent-pass"],
        Prompt::Locked => ["hotdesk/locked", "please-try-call-later"],
        Prompt::LoggedIn => ["hotdesk/logged-in", "agent-loginok"],
        Prompt::LoggedOut => ["hotdesk/logged-out", "agent-loggedoff"],
        Prompt::MovedFrom => ["hotdesk/moved-from", "beep"],
        Prompt::NewPin => ["hotdesk/new-pin", "vm-newpassword"],
        Prompt::NewPinAgain => ["hotdesk/new-pin-again", "vm-reenterpassword"],
        Prompt::NotAccepted => ["hotdesk/not-accepted", "vm-incorrect"],
        Prompt::NotAllowedHere => ["hotdesk/not-allowed-here", "feature-not-avail-line"],
        Prompt::NotAvailable => ["hotdesk/not-available", "please-try-call-later"],
        Prompt::PressOneToStay => ["hotdesk/press-one-to-stay", "beep"],
        Prompt::ShowsNoNumber => ["hotdesk/shows-no-number", "activated"],
        Prompt::ShowsNumber => ["hotdesk/shows-number", "activated"],
        Prompt::SignedIn => ["hotdesk/signed-in", "agent-loginok"],
        Prompt::SignedOut => ["hotdesk/signed-out", "agent-loggedoff"],
        Prompt::SwitchedOff => ["hotdesk/switched-off", "de-activated"],
        Prompt::SwitchedOn => ["hotdesk/switched-on", "activated"],
        Prompt::PinChanged => ["hotdesk/pin-changed", "vm-passchanged"],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prompt_of_ours_is_named_as_its_file() {
        for prompt in Prompt::ALL {
            let [ours, stock] = sounds(prompt);
            assert_eq!(ours, format!("hotdesk/{}", prompt.name()));
            assert!(!stock.contains('/'));
        }
    }
}
