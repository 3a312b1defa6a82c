//! What a code does.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Part;

/// What a code does.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// The caller gets another PIN: the old one, then twice the new one.
    ChangePin,
    /// Whose phone it is is not to be rung, or is again.
    DoNotDisturb,
    /// He is rung again.
    DoNotDisturbOff,
    /// He is not to be rung.
    DoNotDisturbOn,
    /// All his calls go to the number that is dialled along; without one they come to him again.
    ForwardAlways,
    /// The same of those that find him busy.
    ForwardBusy,
    /// The same of those that he does not answer.
    ForwardUnanswered,
    /// He signs in to a group, or out of it.
    Group,
    /// The user arrives, whoever sits here.
    Login,
    /// Whoever sits here leaves.
    Logout,
    /// The user leaves wherever he sits.
    LogoutEverywhere,
    /// He takes no calls of any group that he is signed in to, or takes them again.
    Pause,
    /// He takes the call that rings at somebody of his pick-up group.
    Pickup,
    /// Desk phones of his own ring, or do not.
    RingDesk,
    /// Phones at which he logged in ring, or do not.
    RingHotdesk,
    /// What rings does so one after the other, or all at once.
    RingInTurn,
    /// His mobiles ring, or do not.
    RingMobile,
    /// His softphones ring, or do not.
    RingSoftphone,
    /// His calls show another number of his, or none; without a choice his extension.
    ShowNumber,
    /// The user leaves if he sits at this device, and arrives if he doesn't. Without a user: whoever sits here leaves,
    /// and if nobody does, the caller is asked who arrives.
    Toggle,
    /// His voicemail box is opened.
    Voicemail,
    /// Says who sits here.
    WhoIsHere,
}

/// Who serves the call in which a code was dialled.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Served {
    /// The switch's dialplan alone, in this context.
    Here(&'static str),
    /// The controller.
    Controller,
}

impl Action {
    /// All of them.
    pub const ALL: [Self; 22] = [
        Self::ChangePin,
        Self::DoNotDisturb,
        Self::DoNotDisturbOff,
        Self::DoNotDisturbOn,
        Self::ForwardAlways,
        Self::ForwardBusy,
        Self::ForwardUnanswered,
        Self::Group,
        Self::Login,
        Self::Logout,
        Self::LogoutEverywhere,
        Self::Pause,
        Self::Pickup,
        Self::RingDesk,
        Self::RingHotdesk,
        Self::RingInTurn,
        Self::RingMobile,
        Self::RingSoftphone,
        Self::ShowNumber,
        Self::Toggle,
        Self::Voicemail,
        Self::WhoIsHere,
    ];

    /// Its name in the configuration.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ChangePin => "change_pin",
            Self::DoNotDisturb => "do_not_disturb",
            Self::DoNotDisturbOff => "do_not_disturb_off",
            Self::DoNotDisturbOn => "do_not_disturb_on",
            Self::ForwardAlways => "forward_always",
            Self::ForwardBusy => "forward_busy",
            Self::ForwardUnanswered => "forward_unanswered",
            Self::Group => "group",
            Self::Login => "login",
            Self::Logout => "logout",
            Self::LogoutEverywhere => "logout_everywhere",
            Self::Pause => "pause",
            Self::Pickup => "pickup",
            Self::RingDesk => "ring_desk",
            Self::RingHotdesk => "ring_hotdesk",
            Self::RingInTurn => "ring_in_turn",
            Self::RingMobile => "ring_mobile",
            Self::RingSoftphone => "ring_softphone",
            Self::ShowNumber => "show_number",
            Self::Toggle => "toggle",
            Self::Voicemail => "voicemail",
            Self::WhoIsHere => "who_is_here",
        }
    }

    /// Whether it is about a user who may be named along with it.
    #[must_use]
    pub const fn takes_extension(self) -> bool {
        matches!(self, Self::ChangePin | Self::Login | Self::LogoutEverywhere | Self::Toggle)
    }

    /// Whether a PIN may be dialled along with it.
    #[must_use]
    pub const fn takes_pin(self) -> bool {
        matches!(self, Self::Login | Self::LogoutEverywhere | Self::Toggle)
    }

    /// What may be dialled along with it that is to be set.
    #[must_use]
    pub const fn operand(self) -> Option<Part> {
        match self {
            Self::ForwardAlways | Self::ForwardBusy | Self::ForwardUnanswered => Some(Part::Number),
            Self::Group => Some(Part::Group),
            Self::ShowNumber => Some(Part::Choice),
            _ => None,
        }
    }

    /// Whether it says nothing without that.
    #[must_use]
    pub const fn needs_operand(self) -> bool {
        matches!(self, Self::Group)
    }

    /// Whether it lets somebody sit down.
    #[must_use]
    pub const fn logs_in(self) -> bool {
        matches!(self, Self::Login | Self::Toggle)
    }

    /// Who serves it.
    #[must_use]
    pub const fn served(self) -> Served {
        match self {
            Self::Pickup => Served::Here("hotdesk-pickup"),
            Self::Voicemail => Served::Here("hotdesk-voicemail"),
            _ => Served::Controller,
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How somebody proves who he is.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum PinRule {
    /// The caller is asked for his PIN.
    Asked,
    /// He dials it along.
    Dialled,
    /// Not at all.
    None,
}

impl PinRule {
    /// Its name in the configuration.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Asked => "asked",
            Self::Dialled => "dialled",
            Self::None => "none",
        }
    }
}
