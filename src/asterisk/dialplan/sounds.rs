//! What a caller hears without a prompt of Hotdesk: a stock sound of Asterisk, and without that a tone.

use crate::model::login::prompt::Prompt;

/// The sounds of a prompt, best first: that of Hotdesk, and one of the core sounds that every Asterisk 16 to 22 comes with.
///
/// Asterisk looks for either in the folder of the call's language, and then in that of `en`. `STREAM FILE` and
/// `GET DATA` tell a missing file by `result=-1` (with `endpos=0`), which is also what a hang-up looks like; ask
/// `CHANNEL STATUS` which it was (511 after a hang-up).
#[must_use]
pub fn sounds(prompt: Prompt) -> [String; 2] {
    let stock = match prompt {
        Prompt::EnterExtension => "agent-user",
        Prompt::EnterPin => "agent-pass",
        Prompt::Locked | Prompt::NotAvailable => "please-try-call-later",
        Prompt::LoggedIn | Prompt::SignedIn => "agent-loginok",
        Prompt::LoggedOut | Prompt::SignedOut => "agent-loggedoff",
        Prompt::MovedFrom | Prompt::PressOneToStay => "beep",
        Prompt::NewPin => "vm-newpassword",
        Prompt::NewPinAgain => "vm-reenterpassword",
        Prompt::NotAccepted => "vm-incorrect",
        Prompt::NotAllowedHere => "feature-not-avail-line",
        Prompt::ShowsNoNumber | Prompt::ShowsNumber | Prompt::SwitchedOn => "activated",
        Prompt::SwitchedOff => "de-activated",
        Prompt::PinChanged => "vm-passchanged",
    };
    [format!("hotdesk/{}", prompt.name()), stock.into()]
}
