//! Users: who can log in, and what their calls show.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::profile::Profile;
use crate::model::auto_logout::AutoLogoutRules;
use crate::model::id::{Context, DisplayName, Extension, InvalidId, Language, Mailbox, Number, TenantId};

/// A user: a person with an extension.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct User {
    /// The tenant of the user.
    pub tenant: TenantId,
    /// The user's internal number.
    pub extension: Extension,
    /// The name that is shown with the number.
    pub name: Option<DisplayName>,
    /// What the called party sees.
    pub caller_id: CallerId,
    /// Whether the user may log in at devices.
    pub hotdesk: bool,
    /// The language of prompts once the user is known.
    pub language: Option<Language>,
    /// Class of service: the context of the site for the user's calls.
    pub class: Option<Context>,
    /// The voicemail box.
    pub mailbox: Option<Mailbox>,
    /// The destination of calls while the user has no device.
    #[serde(default, rename = "when_logged_out", skip_serializing_if = "Away::is_voicemail")]
    pub away: Away,
    /// The automatic logout of the user.
    #[serde(default)]
    pub auto_logout: AutoLogoutRules,
    /// The settings that apply at every device, some of which the user changes.
    #[serde(default, skip_serializing_if = "Profile::is_default")]
    pub profile: Profile,
}

impl User {
    /// A user without settings, who may hotdesk and shows the extension.
    pub fn new(tenant: TenantId, extension: Extension) -> Self {
        Self {
            tenant,
            extension,
            name: None,
            caller_id: CallerId::Extension,
            hotdesk: true,
            language: None,
            class: None,
            mailbox: None,
            away: Away::Voicemail,
            auto_logout: AutoLogoutRules::default(),
            profile: Profile::default(),
        }
    }
}

/// The caller ID number of a user's calls.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CallerId {
    /// Nothing: the call is anonymous.
    Anonymous,
    /// The extension.
    Extension,
    /// This number.
    Number(Number),
}

/// The destination of calls to a user without a device.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Away {
    /// The voicemail box, or unavailable if there is none.
    #[default]
    Voicemail,
    /// Busy.
    Busy,
    /// This number, if the user's class of service allows a call to it.
    Number(Number),
}

impl Away {
    /// Whether it is the default.
    const fn is_voicemail(&self) -> bool {
        matches!(self, Self::Voicemail)
    }
}

impl fmt::Display for Away {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Voicemail => f.write_str("voicemail"),
            Self::Busy => f.write_str("busy"),
            Self::Number(number) => write!(f, "{number}"),
        }
    }
}

impl std::str::FromStr for Away {
    type Err = InvalidId;
    fn from_str(value: &str) -> Result<Self, InvalidId> {
        Ok(match value {
            "voicemail" => Self::Voicemail,
            "busy" => Self::Busy,
            number => Self::Number(Number::new(number).map_err(|error| InvalidId {
                kind: "a destination",
                rule: "voicemail, busy, or a number: up to 32 digits, if need be with a leading '+'",
                ..error
            })?),
        })
    }
}
