//! What a code does, and how its caller proves who they are.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::pattern::Part;

/// What a code does. A code that sets something sets it for the user of the phone.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Changes a PIN: the caller enters the old one, then the new one twice.
    ChangePin,
    /// Toggles DND.
    DoNotDisturb,
    /// Switches DND off.
    DoNotDisturbOff,
    /// Switches DND on.
    DoNotDisturbOn,
    /// Forwards all calls to the number that is dialled along; without a number cancels it.
    ForwardAlways,
    /// The same for calls while the user is busy.
    ForwardBusy,
    /// The same for calls that are not answered.
    ForwardUnanswered,
    /// Signs in to a group, or out of it.
    Group,
    /// Logs a user in, even if another user is logged in here.
    Login,
    /// Logs out the user of this phone.
    Logout,
    /// Logs a user out everywhere.
    LogoutEverywhere,
    /// Pauses calls of all groups that the user is signed in to, or resumes them.
    Pause,
    /// Picks up a call that rings in the user's pick-up group.
    Pickup,
    /// Toggles whether the user's own desk phones ring.
    RingDesk,
    /// Toggles whether phones ring at which the user logged in.
    RingHotdesk,
    /// Toggles between sequential and simultaneous ringing.
    RingInTurn,
    /// Toggles whether the user's mobiles ring.
    RingMobile,
    /// Toggles whether the user's softphones ring.
    RingSoftphone,
    /// Chooses which of the user's numbers calls show, or none; without a choice the extension.
    ShowNumber,
    /// Logs a user out who is logged in at this device, else in. Without a user in the code: logs out the user of this
    /// device; if there is none, asks for a user and logs in.
    Toggle,
    /// Opens the user's voicemail box.
    Voicemail,
    /// Says which user is logged in here.
    WhoIsHere,
}

/// What handles a call that dialled a code.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Served {
    /// The switch's dialplan alone, in its context `hotdesk-` followed by this.
    Switch(&'static str),
    /// The controller.
    Controller,
}

impl Action {
    /// Whether a user may be dialled along with it.
    pub const fn takes_extension(self) -> bool {
        matches!(self, Self::ChangePin | Self::Login | Self::LogoutEverywhere | Self::Toggle)
    }

    /// Whether a PIN may be dialled along with it.
    pub const fn takes_pin(self) -> bool {
        matches!(self, Self::Login | Self::LogoutEverywhere | Self::Toggle)
    }

    /// What to set, if it may be dialled along.
    pub const fn operand(self) -> Option<Part> {
        match self {
            Self::ForwardAlways | Self::ForwardBusy | Self::ForwardUnanswered => Some(Part::Number),
            Self::Group => Some(Part::Group),
            Self::ShowNumber => Some(Part::Choice),
            _ => None,
        }
    }

    /// Whether it can log a user in.
    pub const fn logs_in(self) -> bool {
        matches!(self, Self::Login | Self::Toggle)
    }

    /// What handles it.
    pub const fn served(self) -> Served {
        match self {
            Self::Pickup => Served::Switch("pickup"),
            Self::Voicemail => Served::Switch("voicemail"),
            _ => Served::Controller,
        }
    }
}

impl fmt::Display for Action {
    /// The name in the configuration.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

/// How a user proves who they are.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum PinRule {
    /// The caller is asked for a PIN.
    Asked,
    /// The PIN is dialled along.
    Dialled,
    /// Without a PIN.
    None,
}

impl PinRule {
    /// The name in the configuration.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Asked => "asked",
            Self::Dialled => "dialled",
            Self::None => "none",
        }
    }
}
