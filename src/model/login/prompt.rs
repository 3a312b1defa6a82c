//! The prompts that a caller can hear. Each is a sound of the same name.

/// A prompt; each is a sound of the same name, see `dialplan/sounds`.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Prompt {
    /// "Enter your extension, followed by the hash key."
    EnterExtension,
    /// "Enter your PIN, followed by the hash key."
    EnterPin,
    /// "Too many attempts. Try again later."
    Locked,
    /// "You are logged in as extension". The extension is read after it.
    LoggedIn,
    /// "You are logged out."
    LoggedOut,
    /// "You have been logged out at the other phone."
    MovedFrom,
    /// "That is not accepted."
    NotAccepted,
    /// "Enter your new PIN, followed by the hash key."
    NewPin,
    /// "Once more your new PIN, followed by the hash key."
    NewPinAgain,
    /// Says that the phone has no user, and asks to log in first. The dialplan plays it, too.
    NotAllowedHere,
    /// "This is not available at the moment. Your phone stays as it is."
    NotAvailable,
    /// "Your PIN is changed."
    PinChanged,
    /// "You will be logged out soon. To stay, press one."
    PressOneToStay,
    /// "Your calls show no number."
    ShowsNoNumber,
    /// "Your calls show the number". The number is read after it.
    ShowsNumber,
    /// "You are signed in."
    SignedIn,
    /// "You are signed out."
    SignedOut,
    /// "Switched off."
    SwitchedOff,
    /// "Switched on." With call forwarding, the number is read after it.
    SwitchedOn,
}

impl Prompt {
    /// All of them.
    pub const ALL: [Self; 19] = [
        Self::EnterExtension,
        Self::EnterPin,
        Self::Locked,
        Self::LoggedIn,
        Self::LoggedOut,
        Self::MovedFrom,
        Self::NewPin,
        Self::NewPinAgain,
        Self::NotAccepted,
        Self::NotAllowedHere,
        Self::NotAvailable,
        Self::PinChanged,
        Self::PressOneToStay,
        Self::ShowsNoNumber,
        Self::ShowsNumber,
        Self::SignedIn,
        Self::SignedOut,
        Self::SwitchedOff,
        Self::SwitchedOn,
    ];

    /// The sound's file name, without folder and format.
    pub const fn name(self) -> &'static str {
        match self {
            Self::EnterExtension => "enter-extension",
            Self::EnterPin => "enter-pin",
            Self::Locked => "locked",
            Self::LoggedIn => "logged-in",
            Self::LoggedOut => "logged-out",
            Self::MovedFrom => "moved-from",
            Self::NewPin => "new-pin",
            Self::NewPinAgain => "new-pin-again",
            Self::NotAccepted => "not-accepted",
            Self::NotAllowedHere => "not-allowed-here",
            Self::NotAvailable => "not-available",
            Self::PinChanged => "pin-changed",
            Self::PressOneToStay => "press-one-to-stay",
            Self::ShowsNoNumber => "shows-no-number",
            Self::ShowsNumber => "shows-number",
            Self::SignedIn => "signed-in",
            Self::SignedOut => "signed-out",
            Self::SwitchedOff => "switched-off",
            Self::SwitchedOn => "switched-on",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_prompt_has_its_own_sound() {
        let names: std::collections::BTreeSet<_> = Prompt::ALL.iter().map(|p| p.name()).collect();
        assert_eq!(names.len(), Prompt::ALL.len());
    }
}
