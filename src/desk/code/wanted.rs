//! Which codes a site wants, and whether they can be had together.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::keys::{self, Shape};
use super::{
    Action, BadPattern, Code, Codes, EmergencyNumber, NumberPattern, Pattern, PinRule, Preset, Source,
};

/// What is said of codes in a configuration.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(default, deny_unknown_fields)]
pub struct Wanted {
    /// Named lists.
    pub presets: Vec<Preset>,
    /// Others beside them.
    pub own: Vec<Own>,
    /// Whether a PIN may be dialled along: one key on a phone then logs in.
    pub one_touch: bool,
    /// Whether there may be codes that take no PIN.
    pub pinless: bool,
}

/// A code of a site's own.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct Own {
    /// How it is dialled.
    pub dial: Pattern,
    /// What it does.
    pub does: Action,
    /// How the caller proves who he is, if not as the pattern says.
    pub pin: Option<PinRule>,
}

/// Codes that cannot be used as they are wanted.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum BadCodes {
    /// A code and an emergency number.
    #[error("{digits} would be both the emergency number {number} and the code {code}: drop the code")]
    Emergency {
        /// The code.
        code: String,
        /// The number.
        number: String,
        /// What would be both.
        digits: String,
    },
    /// A code and an extension.
    #[error(
        "{digits} would be both an extension of {users} in [dialplan] users and the code {code}: drop the code, or give {users} no such extensions"
    )]
    Extension {
        /// The code.
        code: String,
        /// The extensions.
        users: String,
        /// What would be both.
        digits: String,
    },
    /// No code logs anybody in.
    #[error("no code logs anybody in: name a preset that does, for example presets = [\"simmpl\"]")]
    NoLogin,
    /// A code of the site's own with a PIN in it.
    #[error("one_touch = false wants no PIN dialled along, and the code {0} has a {{pin}}: drop one of them")]
    OneTouch(String),
    /// A pattern that cannot be one.
    #[error(transparent)]
    Pattern(#[from] BadPattern),
    /// A code that takes no PIN.
    #[error(
        "the code {0} takes no PIN, so whoever walks by can log in as anybody: drop it, or say pinless = true"
    )]
    Pinless(String),
    /// Two codes.
    #[error("{digits} would be read as {first} and as {second}: drop one of them")]
    Twice {
        /// One code.
        first: String,
        /// The other.
        second: String,
        /// What would be read in both ways.
        digits: String,
    },
    /// A code that does not go with what it does.
    #[error("the code {code} cannot be used: {why}")]
    Unfit {
        /// The code.
        code: String,
        /// What is wrong with it.
        why: &'static str,
    },
}

impl Default for Wanted {
    fn default() -> Self {
        Self { presets: vec![Preset::Simmpl], own: vec![], one_touch: true, pinless: false }
    }
}

impl Wanted {
    /// The codes, where users have extensions of these patterns, and these are the numbers of emergency calls.
    ///
    /// # Errors
    /// [`BadCodes`] names what does not go together, and the digits that show it.
    pub fn codes(&self, users: &[NumberPattern], emergency: &[EmergencyNumber]) -> Result<Codes, BadCodes> {
        let mut codes: Vec<Code> = vec![];
        for preset in &self.presets {
            for (pattern, does) in preset.codes() {
                let pattern = Pattern::parse(pattern)?;
                let pin = if preset.pinless() { PinRule::None } else { rule(*does, &pattern) };
                // Without one-touch the others of a preset remain.
                if self.one_touch || pin != PinRule::Dialled {
                    codes.push(Code { pattern, does: *does, pin, source: Source::Preset(*preset) });
                }
            }
        }
        for own in &self.own {
            codes.push(self.own(own)?);
        }
        // What two presets have in common is one code.
        let mut known: Vec<Code> = vec![];
        for code in codes {
            let same = |other: &Code| {
                (&other.pattern, other.does, other.pin) == (&code.pattern, code.does, code.pin)
            };
            if !known.iter().any(same) {
                known.push(code);
            }
        }
        self.check(&known, users, emergency)?;
        Ok(Codes {
            codes: known,
            users: users.to_vec(),
            emergency: emergency.to_vec(),
            groups: BTreeMap::new(),
        })
    }

    fn own(&self, own: &Own) -> Result<Code, BadCodes> {
        let Own { dial: pattern, does, pin } = own;
        let by_pattern = rule(*does, pattern);
        let code = Code {
            pattern: pattern.clone(),
            does: *does,
            pin: pin.unwrap_or(by_pattern),
            source: Source::Own,
        };
        let unfit = |why| Err(BadCodes::Unfit { code: code.to_string(), why });
        if pattern.has_extension() && !does.takes_extension() {
            unfit("what it does is about whoever sits at the phone: leave out {ext}")
        } else if pattern.operand().is_some_and(|operand| does.operand().as_ref() != Some(operand)) {
            unfit(
                "{number} goes with forward_always, forward_busy and forward_unanswered, {group} with group, {choice} with show_number",
            )
        } else if does.needs_operand() && pattern.operand().is_none() {
            unfit("it does not say which group: add {group}")
        } else if pattern.has_pin() && !does.takes_pin() {
            unfit("no PIN is dialled along with what it does: leave out {pin}")
        } else if pattern.has_pin() && !self.one_touch {
            Err(BadCodes::OneTouch(code.to_string()))
        } else if code.pin == by_pattern {
            Ok(code)
        } else if code.pin != PinRule::None {
            unfit("pin = \"dialled\" goes with a {pin} in it, and \"asked\" with what needs one")
        } else if !does.logs_in() || !pattern.has_extension() || pattern.has_pin() {
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
            if code.does.logs_in() && code.pin == PinRule::None && !self.pinless {
                return Err(BadCodes::Pinless(code.to_string()));
            }
            let shapes = code.shapes(users);
            for number in emergency {
                // Phones may send `#` as their dial key with these, too.
                let dialled = [Shape::default().literal(number.as_str()).hashes(1)];
                if let Some(digits) = keys::common(&shapes, &dialled) {
                    let (code, number) = (code.to_string(), number.to_string());
                    return Err(BadCodes::Emergency { code, number, digits });
                }
            }
            for pattern in users {
                if let Some(digits) = keys::common(&shapes, &[Shape::default().number(pattern)]) {
                    let (code, users) = (code.to_string(), pattern.to_string());
                    return Err(BadCodes::Extension { code, users, digits });
                }
            }
            for other in codes.iter().take(at) {
                if let Some(digits) = keys::common(&other.shapes(users), &shapes) {
                    let (first, second) = (other.to_string(), code.to_string());
                    return Err(BadCodes::Twice { first, second, digits });
                }
            }
        }
        if codes.iter().any(|code| code.does.logs_in()) { Ok(()) } else { Err(BadCodes::NoLogin) }
    }
}

/// How the caller proves who he is, by what the code does and how it is dialled.
fn rule(does: Action, pattern: &Pattern) -> PinRule {
    if pattern.has_pin() {
        PinRule::Dialled
    } else if does.takes_pin() || does == Action::ChangePin {
        PinRule::Asked
    } else {
        PinRule::None
    }
}
