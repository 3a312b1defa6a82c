//! What a code does.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What a code does.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// The caller gets another PIN: the old one, then twice the new one.
    ChangePin,
    /// The user arrives, whoever sits here.
    Login,
    /// Whoever sits here leaves.
    Logout,
    /// The user leaves wherever he sits.
    LogoutEverywhere,
    /// The user leaves if he sits at this device, and arrives if he doesn't. Without a user: whoever sits here leaves,
    /// and if nobody does, the caller is asked who arrives.
    Toggle,
    /// Says who sits here.
    WhoIsHere,
}

impl Action {
    /// Its name in the configuration.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ChangePin => "change_pin",
            Self::Login => "login",
            Self::Logout => "logout",
            Self::LogoutEverywhere => "logout_everywhere",
            Self::Toggle => "toggle",
            Self::WhoIsHere => "who_is_here",
        }
    }

    /// Whether it is about a user who may be named along with it.
    #[must_use]
    pub const fn takes_extension(self) -> bool {
        !matches!(self, Self::Logout | Self::WhoIsHere)
    }

    /// Whether a PIN may be dialled along with it.
    #[must_use]
    pub const fn takes_pin(self) -> bool {
        matches!(self, Self::Login | Self::LogoutEverywhere | Self::Toggle)
    }

    /// Whether it lets somebody sit down.
    #[must_use]
    pub const fn logs_in(self) -> bool {
        matches!(self, Self::Login | Self::Toggle)
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
