//! The codes in a configuration, and whether they can be used together.

use serde::Deserialize;

use super::action::{Action, PinRule};
use super::code::{Code, Source};
use super::code_set::Codes;
use super::dial_set::{self, Shape};
use super::pattern::{BadPattern, Pattern};
use super::preset::Preset;
use crate::model::id::EmergencyNumber;
use crate::model::number_pattern::NumberPattern;

/// The section `[codes]` of a configuration.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(default, deny_unknown_fields)]
pub struct CodeSettings {
    /// Named lists of codes.
    pub presets: Vec<Preset>,
    /// The site's own codes besides them.
    pub custom: Vec<CustomCode>,
    /// Whether a PIN may be dialled along, so that one key of a phone logs in.
    pub one_touch: bool,
    /// Whether a code may log in without a PIN.
    pub pinless: bool,
}

/// A code of the site's own.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct CustomCode {
    /// How it is dialled.
    pub dial: Pattern,
    /// What it does.
    pub action: Action,
    /// How the user proves who they are, if not as the pattern says.
    pub pin: Option<PinRule>,
}

/// Codes that cannot be used as configured.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum BadCodes {
    /// A code is also an emergency number.
    #[error("{digits} would be both the emergency number {number} and the code {code}: drop the code")]
    Emergency {
        /// The code.
        code: String,
        /// The number.
        number: String,
        /// The string that would be both.
        digits: String,
    },
    /// A code is also an extension.
    #[error(
        "{digits} would be both an extension of {users} in [dialplan] users and the code {code}: drop the code, or exclude such extensions from {users}"
    )]
    Extension {
        /// The code.
        code: String,
        /// The pattern of extensions.
        users: String,
        /// The string that would be both.
        digits: String,
    },
    /// No code logs a user in.
    #[error("no code logs a user in: name a preset that does, for example presets = [\"simmpl\"]")]
    NoLogin,
    /// A code of the site's own contains a PIN.
    #[error("one_touch = false allows no dialled PIN, but the code {0} has a {{pin}}: change one of them")]
    OneTouch(String),
    /// A pattern is not valid.
    #[error(transparent)]
    Pattern(#[from] BadPattern),
    /// A code logs in without a PIN.
    #[error(
        "the code {0} takes no PIN, so anyone at the phone can log in as any user: drop it, or set pinless = true"
    )]
    Pinless(String),
    /// Two codes can be dialled alike.
    #[error("{digits} would be read as {first} and as {second}: drop one of them")]
    Twice {
        /// One code.
        first: String,
        /// The other.
        second: String,
        /// The string that would be read in both ways.
        digits: String,
    },
    /// A code's pattern does not fit its action.
    #[error("the code {code} cannot be used: {why}")]
    Unfit {
        /// The code.
        code: String,
        /// What is wrong with it.
        why: &'static str,
    },
}

impl Default for CodeSettings {
    fn default() -> Self {
        Self { presets: vec![Preset::Simmpl], custom: vec![], one_touch: true, pinless: false }
    }
}

impl CodeSettings {
    /// The codes, where users have extensions of these patterns, and these are the emergency numbers.
    ///
    /// # Errors
    /// [`BadCodes`] names the codes that conflict, and a string that shows it.
    pub fn codes(&self, users: &[NumberPattern], emergency: &[EmergencyNumber]) -> Result<Codes, BadCodes> {
        let mut codes: Vec<Code> = vec![];
        for preset in &self.presets {
            for (pattern, action) in preset.codes() {
                let pattern = Pattern::parse(pattern)?;
                let pin = if preset.pinless() { PinRule::None } else { rule(*action, &pattern) };
                // Without one-touch the other codes of a preset remain.
                if self.one_touch || pin != PinRule::Dialled {
                    codes.push(Code { pattern, action: *action, pin, source: Source::Preset(*preset) });
                }
            }
        }
        for custom in &self.custom {
            codes.push(self.custom(custom)?);
        }
        // A code that two presets share counts once.
        let mut known: Vec<Code> = vec![];
        for code in codes {
            let same = |other: &Code| {
                (&other.pattern, other.action, other.pin) == (&code.pattern, code.action, code.pin)
            };
            if !known.iter().any(same) {
                known.push(code);
            }
        }
        self.check(&known, users, emergency)?;
        Ok(Codes::new(known, users.to_vec(), emergency.to_vec()))
    }

    fn custom(&self, custom: &CustomCode) -> Result<Code, BadCodes> {
        let CustomCode { dial: pattern, action, pin } = custom;
        let by_pattern = rule(*action, pattern);
        let code = Code {
            pattern: pattern.clone(),
            action: *action,
            pin: pin.unwrap_or(by_pattern),
            source: Source::Custom,
        };
        let unfit = |why| Err(BadCodes::Unfit { code: code.to_string(), why });
        if pattern.has_extension() && !action.takes_extension() {
            unfit("its action applies to the user of the phone: remove {ext}")
        } else if pattern.operand().is_some_and(|operand| action.operand().as_ref() != Some(operand)) {
            unfit(
                "{number} goes with forward_always, forward_busy and forward_unanswered, {group} with group, {choice} with show_number",
            )
        } else if *action == Action::Group && pattern.operand().is_none() {
            unfit("it does not say which group: add {group}")
        } else if pattern.has_pin() && !action.takes_pin() {
            unfit("its action takes no dialled PIN: remove {pin}")
        } else if pattern.has_pin() && !self.one_touch {
            Err(BadCodes::OneTouch(code.to_string()))
        } else if code.pin == by_pattern {
            Ok(code)
        } else if code.pin != PinRule::None {
            unfit("pin = \"dialled\" needs a {pin} in the pattern, and \"asked\" an action that takes a PIN")
        } else if !action.logs_in() || !pattern.has_extension() || pattern.has_pin() {
            unfit("pin = \"none\" goes with login or toggle, with an {ext} and without a {pin}")
        } else {
            Ok(code)
        }
    }

    fn check(
        &self,
        codes: &[Code],
        users: &[NumberPattern],
        emergency: &[EmergencyNumber],
    ) -> Result<(), BadCodes> {
        for (at, code) in codes.iter().enumerate() {
            if code.action.logs_in() && code.pin == PinRule::None && !self.pinless {
                return Err(BadCodes::Pinless(code.to_string()));
            }
            let shapes = code.shapes(users);
            for number in emergency {
                // Phones may send `#` as their dial key after these numbers too.
                let dialled = [Shape::default().literal(number.as_str()).hashes(1)];
                if let Some(digits) = dial_set::common(&shapes, &dialled) {
                    let (code, number) = (code.to_string(), number.to_string());
                    return Err(BadCodes::Emergency { code, number, digits });
                }
            }
            for pattern in users {
                if let Some(digits) = dial_set::common(&shapes, &[Shape::default().number(pattern)]) {
                    let (code, users) = (code.to_string(), pattern.to_string());
                    return Err(BadCodes::Extension { code, users, digits });
                }
            }
            for other in codes.iter().take(at) {
                if let Some(digits) = dial_set::common(&other.shapes(users), &shapes) {
                    let (first, second) = (other.to_string(), code.to_string());
                    return Err(BadCodes::Twice { first, second, digits });
                }
            }
        }
        if codes.iter().any(|code| code.action.logs_in()) { Ok(()) } else { Err(BadCodes::NoLogin) }
    }
}

impl Codes {
    /// The codes of these presets, for extensions of three digits, as a configuration has them that sets nothing else.
    ///
    /// # Errors
    /// [`BadCodes`] if they cannot be used together.
    pub fn of(presets: &[Preset]) -> Result<Self, BadCodes> {
        let settings = CodeSettings { presets: presets.to_vec(), pinless: true, ..CodeSettings::default() };
        settings.codes(&NumberPattern::new("XXX").into_iter().collect::<Vec<_>>(), &[])
    }
}

impl Default for Codes {
    /// The codes of [`Preset::Simmpl`].
    fn default() -> Self {
        // A test proves that they can be used.
        Self::of(&[Preset::Simmpl]).unwrap_or(Self::new(vec![], vec![], vec![]))
    }
}

/// How the user proves who they are, by the action of the code and how it is dialled.
fn rule(action: Action, pattern: &Pattern) -> PinRule {
    if pattern.has_pin() {
        PinRule::Dialled
    } else if action.takes_pin() || action == Action::ChangePin {
        PinRule::Asked
    } else {
        PinRule::None
    }
}
