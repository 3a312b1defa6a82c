//! `[login]` and `[pin]`: how many devices a user may log in at, and when PINs expire.

use std::num::{NonZeroU8, NonZeroU16};

use serde::Deserialize;

use super::error::refuse_if;
use crate::model::login::limits::{LoginLimits, LoginRules, MultipleLogins};

/// `[login]`
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(default, deny_unknown_fields)]
pub struct Login {
    /// What happens when a user logs in while logged in at another device.
    pub multiple_logins: Multiple,
    /// With `multiple_logins = "keep"`: the most devices that a user may be logged in at.
    pub keep: NonZeroU8,
    /// Whether a login at an occupied device logs its user out; if not, the login is refused.
    pub take_over: bool,
}

/// What happens when a user logs in while logged in at another device.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(try_from = "String")]
pub enum Multiple {
    /// The other session ends.
    Move,
    /// The login is refused.
    Refuse,
    /// The other sessions stay.
    Keep,
}

/// `[pin]`
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(default, deny_unknown_fields)]
pub struct Pin {
    /// Days until a PIN expires; zero: never.
    pub expires_days: u16,
}

impl Default for Login {
    fn default() -> Self {
        Self { multiple_logins: Multiple::Move, keep: NonZeroU8::MIN.saturating_add(1), take_over: true }
    }
}

impl Login {
    /// The largest `keep`: more devices than a switch can ring at once.
    const MOST: u8 = 16;

    pub(super) fn validate(&self) -> Result<(), String> {
        let (keep, most) = (self.keep.get(), Self::MOST);
        refuse_if(keep > most, format!("[login] keep is {keep}: use {most} at most"))
    }

    /// The login rules of the model.
    #[must_use]
    pub fn rules(&self, pin: &Pin) -> LoginLimits {
        let multiple_logins = match self.multiple_logins {
            Multiple::Move => MultipleLogins::Move,
            Multiple::Refuse => MultipleLogins::Refuse,
            Multiple::Keep => MultipleLogins::Keep(self.keep),
        };
        let login = LoginRules { multiple_logins, take_over: self.take_over };
        LoginLimits { login, pin_days: NonZeroU16::new(pin.expires_days) }
    }
}

impl TryFrom<String> for Multiple {
    type Error = String;
    fn try_from(name: String) -> Result<Self, String> {
        match name.as_str() {
            "move" => Ok(Self::Move),
            "refuse" => Ok(Self::Refuse),
            "keep" => Ok(Self::Keep),
            _ => Err(format!("{name:?} is unknown: use move, refuse or keep")),
        }
    }
}
