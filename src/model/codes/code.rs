//! One feature code: how it is dialled, what it asks for, and how a dialled string is read as it.

use std::fmt;

use super::action::{Action, PinRule};
use super::dial_set::Shape;
use super::operand::{Operand, Spelled};
use super::pattern::{Part, Pattern};
use super::preset::Preset;
use crate::model::id::{Extension, Number};
use crate::model::login::pin::Pin;
use crate::model::number_pattern::NumberPattern;

/// What the name of a device's lamp begins with: `device+desk1`. Phones watch this name, and dial it when its key is
/// pressed. At that very device it is then a code, without the device's name. It cannot be dialled on a phone's keys.
pub const DEVICE_LAMP: &str = "device+";

/// What a dialled code asks for.
#[derive(Debug, Eq, PartialEq)]
pub struct Request {
    /// What to do.
    pub action: Action,
    /// The user, if the extension was dialled along.
    pub user: Option<Extension>,
    /// How the user proves who they are.
    pub pin: Proof,
    /// What was dialled along to be set.
    pub operand: Option<Operand>,
}

/// How a user proves who they are.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Proof {
    /// The user is asked for a PIN.
    Asked,
    /// This PIN was dialled along.
    Dialled(Pin),
    /// No PIN is needed: the administrator decided so.
    Waived,
}

/// Where a code comes from.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Source {
    /// The site's configuration.
    Custom,
    /// This preset.
    Preset(Preset),
}

/// One feature code.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Code {
    /// How it is dialled.
    pub pattern: Pattern,
    /// What it does.
    pub action: Action,
    /// How the user who dials it proves who they are.
    pub pin: PinRule,
    /// Where it comes from.
    pub source: Source,
}

impl Code {
    /// Reads `dialled`, where users have extensions of these patterns; `None` if it is not this code.
    pub(super) fn read(&self, dialled: &str, users: &[NumberPattern]) -> Option<Request> {
        let (parts, hashes) = self.pattern.without_dial_key();
        (0..=hashes).find_map(|sent| {
            let keyed = dialled.get(..dialled.len().checked_sub(sent)?)?;
            let dial_keys = dialled.get(keyed.len()..)?;
            dial_keys.chars().all(|key| key == '#').then(|| self.read_parts(&parts, keyed, users))?
        })
    }

    fn read_parts(&self, parts: &[Part], dialled: &str, users: &[NumberPattern]) -> Option<Request> {
        let (mut user, mut pin, mut operand, mut rest) = (None, None, None, dialled);
        for part in parts {
            if let Part::Literal(literal) = part {
                rest = rest.strip_prefix(literal.as_str())?;
                continue;
            }
            let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
            let (digits, after) = rest.split_at(end);
            match part {
                Part::Choice => operand = Some(Operand::Choice(choice(digits)?)),
                Part::Extension => user = Some(Extension::new(digits).ok()?),
                Part::Group => operand = Some(Operand::Group(Spelled::keyed(digits)?)),
                Part::Literal(_) => return None,
                Part::Number => operand = Some(Operand::Number(Number::new(digits).ok()?)),
                Part::Pin => pin = Some(Pin::new(digits).ok()?),
            }
            rest = after;
        }
        let may_be = |user: &Extension| users.iter().any(|pattern| pattern.matches(user));
        if !rest.is_empty() || !user.as_ref().is_none_or(may_be) {
            return None;
        }
        let pin = match (pin, self.pin) {
            (Some(pin), _) => Proof::Dialled(pin),
            (None, PinRule::None) => Proof::Waived,
            (None, _) => Proof::Asked,
        };
        Some(Request { action: self.action, user, pin, operand })
    }

    /// The strings that are read as this code, where users have extensions of these patterns.
    pub(super) fn shapes(&self, users: &[NumberPattern]) -> Vec<Shape> {
        let (parts, hashes) = self.pattern.without_dial_key();
        let mut shapes = vec![Shape::default()];
        for part in &parts {
            shapes = match part {
                Part::Literal(keys) => shapes.into_iter().map(|shape| shape.literal(keys)).collect(),
                Part::Choice => shapes.into_iter().map(|shape| shape.digits(1, 1)).collect(),
                Part::Group => shapes.into_iter().map(|shape| shape.digits(1, Spelled::MOST)).collect(),
                Part::Number => shapes.into_iter().map(|shape| shape.digits(1, 32)).collect(),
                Part::Pin => shapes.into_iter().map(|shape| shape.digits(4, 10)).collect(),
                Part::Extension => shapes
                    .iter()
                    .flat_map(|shape| users.iter().map(|pattern| shape.clone().number(pattern)))
                    .collect(),
            };
        }
        shapes.into_iter().map(|shape| shape.hashes(hashes)).collect()
    }
}

/// The choice that one digit makes.
fn choice(digits: &str) -> Option<u8> {
    match digits.as_bytes() {
        [digit @ b'0'..=b'9'] => Some(digit - b'0'),
        _ => None,
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { pattern, action, source, .. } = self;
        write!(f, "{pattern} ({action}, {source})")
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Custom => f.write_str("custom"),
            Self::Preset(preset) => write!(f, "preset {preset}"),
        }
    }
}
