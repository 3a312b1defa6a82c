//! Who may: each question about a login answered yes, or no with its reason.

use std::net::IpAddr;

use super::code::{Action, Operand, Proof, Request, Served};
use super::id::Extension;
use super::model::{Device, User};

/// A no, with its reason. The reason is for the journal; the caller hears only the prompt.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Refusal {
    /// He has no number of that choice.
    ChoiceUnknown,
    /// What was dialled is no code.
    CodeUnknown,
    /// The device is not for hotdesking.
    DeviceForbidden,
    /// Too many failures at this device lately.
    DeviceLocked,
    /// Somebody else sits there, and is not to be logged out by who comes.
    DeviceOccupied,
    /// The switch has a device that we do not know.
    DeviceUnknown,
    /// The caller entered nothing, or no extension, or no PIN.
    EntryMissing,
    /// He may not be in that group, or two groups are spelled alike; or he is signed in to none.
    GroupUnknown,
    /// The device may not log anybody in from where it is now.
    NetworkForbidden,
    /// Nobody's settings are meant: nobody sits there, and it is nobody's.
    NobodyHere,
    /// He has no such device, or sits nowhere.
    NothingToRing,
    /// Calls are not sent on to this number: it reaches help, or himself.
    NumberForbidden,
    /// The PIN is this user's, and older than one may be.
    PinExpired,
    /// The new PIN is no PIN, too easy to guess, the old one, or was not entered twice.
    PinUnfit,
    /// The PIN is not this user's, or he has none.
    PinWrong,
    /// The user sits elsewhere, and must leave there first.
    UserElsewhere,
    /// The user may not hotdesk.
    UserForbidden,
    /// Too many failures for this user lately.
    UserLocked,
    /// There is no such extension.
    UserUnknown,
}

impl Refusal {
    /// What the caller hears. Everything that would tell an extension, a PIN or a permission apart
    /// from another sounds the same.
    #[must_use]
    pub const fn prompt(self) -> Prompt {
        match self {
            Self::DeviceLocked | Self::UserLocked => Prompt::Locked,
            Self::NobodyHere => Prompt::NotAllowedHere,
            Self::ChoiceUnknown
            | Self::CodeUnknown
            | Self::DeviceForbidden
            | Self::DeviceOccupied
            | Self::DeviceUnknown
            | Self::EntryMissing
            | Self::GroupUnknown
            | Self::NetworkForbidden
            | Self::NothingToRing
            | Self::NumberForbidden
            | Self::PinExpired
            | Self::PinUnfit
            | Self::PinWrong
            | Self::UserElsewhere
            | Self::UserForbidden
            | Self::UserUnknown => Prompt::NotAccepted,
        }
    }

    /// Its name in the journal and the logs.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::ChoiceUnknown => "choice-unknown",
            Self::CodeUnknown => "code-unknown",
            Self::DeviceForbidden => "device-forbidden",
            Self::DeviceLocked => "device-locked",
            Self::DeviceOccupied => "device-occupied",
            Self::DeviceUnknown => "device-unknown",
            Self::EntryMissing => "entry-missing",
            Self::GroupUnknown => "group-unknown",
            Self::NetworkForbidden => "network-forbidden",
            Self::NobodyHere => "nobody-here",
            Self::NothingToRing => "nothing-to-ring",
            Self::NumberForbidden => "number-forbidden",
            Self::PinExpired => "pin-expired",
            Self::PinUnfit => "pin-unfit",
            Self::PinWrong => "pin-wrong",
            Self::UserElsewhere => "user-elsewhere",
            Self::UserForbidden => "user-forbidden",
            Self::UserLocked => "user-locked",
            Self::UserUnknown => "user-unknown",
        }
    }

    /// Whether asking the caller again could help.
    #[must_use]
    pub const fn invites_another_try(self) -> bool {
        matches!(
            self,
            Self::EntryMissing
                | Self::PinExpired
                | Self::PinUnfit
                | Self::PinWrong
                | Self::UserForbidden
                | Self::UserUnknown
        )
    }
}

impl Refusal {
    /// Those that a store gives when people are moved.
    const OF_A_MOVE: [Self; 4] =
        [Self::DeviceForbidden, Self::DeviceOccupied, Self::UserElsewhere, Self::UserForbidden];

    /// The refusal of a move that has this [`code`](Refusal::code).
    #[must_use]
    pub fn of_a_move(code: &str) -> Option<Self> {
        Self::OF_A_MOVE.into_iter().find(|refusal| refusal.code() == code)
    }
}

/// What can be said to a caller; each is a sound of the same name, see `dialplan/sounds`.
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
    /// "Nobody is logged in at this phone. Please log in first." Said by the dialplan, too.
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
    /// "Switched on." Where calls are sent on to, the number is read after it.
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
    #[must_use]
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

/// What a request means at a device.
#[derive(Debug, Eq, PartialEq)]
pub enum Intent {
    /// Somebody arrives: ask what is missing.
    Arrive {
        /// Who, when he said so.
        user: Option<Extension>,
        /// How he proves it.
        pin: Proof,
    },
    /// A user wants another PIN. Unless he said who he is, it is who sits here.
    ChangePin(Option<Extension>),
    /// This user, who sits here, leaves.
    Leave(Extension),
    /// Somebody leaves wherever he sits: ask what is missing.
    LeaveEverywhere {
        /// Who, when he said so.
        user: Option<Extension>,
        /// How he proves it.
        pin: Proof,
    },
    /// Nobody has logged in here, so that nobody can leave.
    StayEmpty,
    /// Whose phone it is wants something of his otherwise.
    Set(Action, Option<Operand>),
    /// The caller wants to know who sits here.
    Tell,
    /// Nothing of ours: the switch should have served it.
    Unserved,
}

/// What is to be done at a device where `seated` has logged in. Toggling is decided by *this user at this device*.
#[must_use]
pub fn intent(request: Request, seated: Option<&Extension>) -> Intent {
    let Request { does, user, pin, operand } = request;
    if does.served() != Served::Controller {
        return Intent::Unserved;
    }
    match (does, user, seated) {
        (Action::Toggle, None, Some(seated)) | (Action::Logout, _, Some(seated)) => {
            Intent::Leave(seated.clone())
        }
        (Action::Toggle, Some(user), Some(seated)) if user == *seated => Intent::Leave(user),
        (Action::Logout, _, None) => Intent::StayEmpty,
        (Action::Login | Action::Toggle, user, _) => Intent::Arrive { user, pin },
        (Action::LogoutEverywhere, user, _) => Intent::LeaveEverywhere { user, pin },
        (Action::ChangePin, user, _) => Intent::ChangePin(user),
        (Action::WhoIsHere, ..) => Intent::Tell,
        (setting, ..) => Intent::Set(setting, operand),
    }
}

/// Whether anybody may log in at this device, from the address it uses now.
///
/// # Errors
/// The [`Refusal`] when nobody may.
pub fn admit_device(device: Option<&Device>, from: Option<IpAddr>) -> Result<(), Refusal> {
    let device = device.ok_or(Refusal::DeviceUnknown)?;
    if !device.hotdesk {
        return Err(Refusal::DeviceForbidden);
    }
    let nets = &device.allow_from;
    if !nets.is_empty() && !from.is_some_and(|from| nets.iter().any(|net| net.contains(&from))) {
        return Err(Refusal::NetworkForbidden);
    }
    Ok(())
}

/// Whether this user may log in, once his PIN has been compared.
///
/// # Errors
/// The [`Refusal`] when he may not.
pub fn admit_user(user: Option<&User>, pin_matches: bool) -> Result<(), Refusal> {
    let user = user.ok_or(Refusal::UserUnknown)?;
    if !pin_matches {
        return Err(Refusal::PinWrong);
    }
    if user.hotdesk { Ok(()) } else { Err(Refusal::UserForbidden) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desk::id::{DeviceName, DialTarget, SwitchName, TenantId};

    fn ext(extension: &str) -> Extension {
        Extension::new(extension).unwrap()
    }

    fn request(does: Action, user: Option<&str>) -> Request {
        Request { does, user: user.map(ext), pin: Proof::Asked, operand: None }
    }

    fn device(hotdesk: bool, allow_from: &[&str]) -> Device {
        let (tenant, desk) = (TenantId::default(), DeviceName::new("desk1").unwrap());
        let dial = DialTarget::new("PJSIP/desk1").unwrap();
        let allow_from = allow_from.iter().map(|net| net.parse().unwrap()).collect();
        Device { hotdesk, allow_from, ..Device::new(tenant, desk, SwitchName::default(), dial) }
    }

    #[test]
    fn the_same_user_leaves_and_anyone_else_arrives() {
        let toggle = |user: Option<&str>| request(Action::Toggle, user);
        let arrive = |user: Option<&str>| Intent::Arrive { user: user.map(ext), pin: Proof::Asked };
        for (dialled, seated, meant) in [
            (None, None, arrive(None)),
            (None, Some("101"), Intent::Leave(ext("101"))),
            (Some("101"), None, arrive(Some("101"))),
            (Some("101"), Some("101"), Intent::Leave(ext("101"))),
            (Some("101"), Some("102"), arrive(Some("101"))),
            (Some("1"), Some("001"), arrive(Some("1"))),
        ] {
            assert_eq!(intent(toggle(dialled), seated.map(ext).as_ref()), meant, "{dialled:?} at {seated:?}");
        }
    }

    #[test]
    fn the_other_codes_do_the_same_whoever_sits_here_but_for_a_logout() {
        let pin = Proof::Asked;
        for seated in [None, Some("101"), Some("102")] {
            let meant = |does, user| intent(request(does, user), seated.map(ext).as_ref());
            let user = Some(ext("101"));
            assert_eq!(meant(Action::Login, None), Intent::Arrive { user: None, pin: pin.clone() });
            assert_eq!(
                meant(Action::Login, Some("101")),
                Intent::Arrive { user: user.clone(), pin: pin.clone() }
            );
            assert_eq!(
                meant(Action::LogoutEverywhere, Some("101")),
                Intent::LeaveEverywhere { user, pin: pin.clone() }
            );
            assert_eq!(meant(Action::ChangePin, None), Intent::ChangePin(None));
            assert_eq!(meant(Action::WhoIsHere, None), Intent::Tell);
            let leaves = seated.map_or(Intent::StayEmpty, |seated| Intent::Leave(ext(seated)));
            assert_eq!(meant(Action::Logout, None), leaves);
        }
    }

    #[test]
    fn a_device_admits_by_permission_and_network() {
        let here = Some("192.0.2.7".parse().unwrap());
        assert_eq!(admit_device(None, here), Err(Refusal::DeviceUnknown));
        assert_eq!(admit_device(Some(&device(false, &[])), here), Err(Refusal::DeviceForbidden));
        assert_eq!(admit_device(Some(&device(true, &[])), None), Ok(()));
        let fenced = device(true, &["192.0.2.0/24", "2001:db8::/32"]);
        assert_eq!(admit_device(Some(&fenced), here), Ok(()));
        assert_eq!(
            admit_device(Some(&fenced), Some("198.51.100.1".parse().unwrap())),
            Err(Refusal::NetworkForbidden)
        );
        assert_eq!(admit_device(Some(&fenced), None), Err(Refusal::NetworkForbidden));
    }

    #[test]
    fn unknown_wrong_and_forbidden_sound_the_same() {
        let mut user = User::new(TenantId::default(), ext("101"));
        assert_eq!(admit_user(Some(&user), true), Ok(()));
        user.hotdesk = false;
        let refusals =
            [admit_user(None, false), admit_user(Some(&user), false), admit_user(Some(&user), true)];
        assert_eq!(
            refusals,
            [Err(Refusal::UserUnknown), Err(Refusal::PinWrong), Err(Refusal::UserForbidden)]
        );
        assert!(
            refusals
                .iter()
                .all(|r| r.is_err_and(|r| r.prompt() == Prompt::NotAccepted && r.invites_another_try()))
        );
    }

    #[test]
    fn every_prompt_has_a_sound_of_its_own() {
        let names: std::collections::BTreeSet<_> = Prompt::ALL.iter().map(|p| p.name()).collect();
        assert_eq!(names.len(), Prompt::ALL.len());
    }
}
