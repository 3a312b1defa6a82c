//! `[login]` and `[pin]`: who may sit where, and how old a PIN may be.

use std::num::{NonZeroU8, NonZeroU16};

use serde::Deserialize;

use crate::desk::rules::{Multi, Rules, Seating};

/// `[login]`
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(default, deny_unknown_fields)]
pub struct Login {
    /// Who logs in while he sits elsewhere.
    pub multi: Multiple,
    /// With `multi = "keep"`: at how many devices somebody may sit.
    pub keep: NonZeroU8,
    /// Whether who logs in at an occupied device logs out who sits there.
    pub take_over: bool,
}

/// What becomes of who logs in while he sits elsewhere.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(try_from = "String")]
pub enum Multiple {
    /// He moves.
    Move,
    /// He is refused.
    Refuse,
    /// He keeps the others.
    Keep,
}

/// `[pin]`
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(default, deny_unknown_fields)]
pub struct Pin {
    /// Days after which a PIN is no longer taken; zero: never.
    pub expires_days: u16,
}

impl Default for Login {
    fn default() -> Self {
        Self { multi: Multiple::Move, keep: NonZeroU8::MIN.saturating_add(1), take_over: true }
    }
}

impl Login {
    /// More desks than a switch could ring at once.
    const MOST: u8 = 16;

    pub(super) fn agrees(&self) -> Result<(), String> {
        if self.keep.get() > Self::MOST {
            return Err(format!("[login] keep is {}, and {} are the most", self.keep, Self::MOST));
        }
        Ok(())
    }

    /// As the rules that they are.
    #[must_use]
    pub fn rules(&self, pin: &Pin) -> Rules {
        let multi = match self.multi {
            Multiple::Move => Multi::Move,
            Multiple::Refuse => Multi::Refuse,
            Multiple::Keep => Multi::Keep(self.keep),
        };
        let seating = Seating { multi, take_over: self.take_over };
        Rules { seating, pin_days: NonZeroU16::new(pin.expires_days) }
    }
}

impl TryFrom<String> for Multiple {
    type Error = String;
    fn try_from(name: String) -> Result<Self, String> {
        match name.as_str() {
            "move" => Ok(Self::Move),
            "refuse" => Ok(Self::Refuse),
            "keep" => Ok(Self::Keep),
            _ => Err(format!("{name:?} is not move, refuse or keep")),
        }
    }
}
