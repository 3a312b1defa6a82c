//! The codes people dial: which strings are codes, and what each asks for.

use std::fmt;

use super::id::Extension;
use super::pin::Pin;

/// What a dialled code asks for.
#[derive(Debug, Eq, PartialEq)]
pub enum Request {
    /// The user leaves if he sits at this device, and arrives if he doesn't. Without a user: whoever
    /// sits here leaves, and if nobody does, the caller is asked who arrives.
    Toggle {
        /// The extension, when it was dialled along.
        user: Option<Extension>,
        /// The PIN, when it was dialled along.
        pin: Option<Pin>,
    },
}

/// A named list of codes.
#[derive(Clone, Copy, Debug, Eq, PartialEq, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Preset {
    /// `*35`, `*35*101`, `*35*101*1234`.
    Simmpl,
}

impl Preset {
    const fn patterns(self) -> &'static [&'static str] {
        match self {
            Self::Simmpl => &["*35", "*35*{ext}", "*35*{ext}*{pin}"],
        }
    }
}

impl Default for Codes {
    /// Those of [`Preset::Simmpl`].
    fn default() -> Self {
        // Its patterns are ours, and a test reads them.
        Self::of(&[Preset::Simmpl]).unwrap_or(Self(Vec::new()))
    }
}

/// Codes that cannot be used as they are written.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum BadCode {
    /// A pattern with something in it that cannot be dialled or read.
    #[error("the code {pattern:?} cannot be used: {why}")]
    Pattern {
        /// As it was written.
        pattern: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// No code at all.
    #[error("no codes: name at least one preset, for example presets = [\"simmpl\"]")]
    None,
}

/// All codes of a tenant.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Codes(Vec<Pattern>);

impl Codes {
    /// The codes of these presets together.
    ///
    /// # Errors
    /// [`BadCode`] when there would be none.
    pub fn of(presets: &[Preset]) -> Result<Self, BadCode> {
        let patterns = presets
            .iter()
            .flat_map(|preset| preset.patterns())
            .map(|pattern| Pattern::parse(pattern))
            .collect::<Result<Vec<_>, _>>()?;
        if patterns.is_empty() {
            return Err(BadCode::None);
        }
        Ok(Self(patterns))
    }

    /// Reads what was dialled; `None` when it is no code. A trailing `#` is swallowed: many phones
    /// send it as their dial key.
    #[must_use]
    pub fn read(&self, dialled: &str) -> Option<Request> {
        let dialled = dialled.strip_suffix('#').unwrap_or(dialled);
        self.0.iter().find_map(|pattern| pattern.read(dialled))
    }

    /// Each code, to be written into a switch's dialplan.
    pub fn patterns(&self) -> impl Iterator<Item = &Pattern> {
        self.0.iter()
    }
}

/// One code: what is dialled literally, and where the extension and the PIN stand in it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Pattern(Vec<Part>);

/// A piece of a [`Pattern`].
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Part {
    /// An extension stands here.
    Extension,
    /// These digits, `*` and `#`.
    Literal(String),
    /// A PIN stands here.
    Pin,
}

impl Pattern {
    /// Reads `*35*{ext}*{pin}` and the like.
    fn parse(pattern: &str) -> Result<Self, BadCode> {
        let bad = |why| BadCode::Pattern { pattern: pattern.into(), why };
        let mut parts = Vec::new();
        let mut rest = pattern;
        while !rest.is_empty() {
            if let Some(after) = rest.strip_prefix("{ext}") {
                parts.push(Part::Extension);
                rest = after;
            } else if let Some(after) = rest.strip_prefix("{pin}") {
                parts.push(Part::Pin);
                rest = after;
            } else {
                let (literal, after) = rest.split_at(rest.find('{').unwrap_or(rest.len()));
                if literal.is_empty() || !literal.chars().all(|c| c.is_ascii_digit() || "*#".contains(c)) {
                    return Err(bad("it takes digits, '*', '#', {ext} and {pin}"));
                }
                parts.push(Part::Literal(literal.into()));
                rest = after;
            }
        }
        match parts.first() {
            Some(Part::Literal(_)) => Ok(Self(parts)),
            _ => Err(bad("it must begin with digits, '*' or '#'")),
        }
    }

    /// The pieces in the order in which they are dialled.
    #[must_use]
    pub fn parts(&self) -> &[Part] {
        &self.0
    }

    fn read(&self, dialled: &str) -> Option<Request> {
        let (mut user, mut pin, mut rest) = (None, None, dialled);
        for part in &self.0 {
            if let Part::Literal(literal) = part {
                rest = rest.strip_prefix(literal.as_str())?;
                continue;
            }
            let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
            let (digits, after) = rest.split_at(end);
            match part {
                Part::Pin => pin = Some(Pin::new(digits).ok()?),
                _ => user = Some(Extension::new(digits).ok()?),
            }
            rest = after;
        }
        rest.is_empty().then_some(Request::Toggle { user, pin })
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|part| match part {
            Part::Extension => f.write_str("{ext}"),
            Part::Literal(literal) => f.write_str(literal),
            Part::Pin => f.write_str("{pin}"),
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn simmpl() -> Codes {
        Codes::default()
    }

    fn toggle(user: Option<&str>, pin: Option<&str>) -> Option<Request> {
        Some(Request::Toggle {
            user: user.map(|u| Extension::new(u).unwrap()),
            pin: pin.map(|p| Pin::new(p).unwrap()),
        })
    }

    #[test]
    fn the_three_lengths_are_read() {
        for (dialled, request) in [
            ("*35", toggle(None, None)),
            ("*35#", toggle(None, None)),
            ("*35*101", toggle(Some("101"), None)),
            ("*35*101#", toggle(Some("101"), None)),
            ("*35*001*0042", toggle(Some("001"), Some("0042"))),
            ("*35*101*1234#", toggle(Some("101"), Some("1234"))),
        ] {
            assert_eq!(simmpl().read(dialled), request, "{dialled}");
        }
    }

    #[test]
    fn what_is_no_code_is_not_read() {
        for dialled in [
            "",
            "#",
            "35",
            "*3",
            "*355",
            "*35*",
            "*35**",
            "*35*101*",
            "*35*101*123",
            "*35*101*12345678901",
            "*35*101*1234*",
            "*35*101*1234##",
            "*35*10a",
            "112",
            "*35*٣",
        ] {
            assert_eq!(simmpl().read(dialled), None, "{dialled}");
        }
    }

    #[test]
    fn a_pattern_that_cannot_be_dialled_is_refused() {
        for pattern in ["", "{ext}", "*35 {ext}", "*35*{extension}", "abc"] {
            assert!(Pattern::parse(pattern).is_err(), "{pattern}");
        }
        assert_eq!(Codes::of(&[]), Err(BadCode::None));
    }

    proptest! {
        #[test]
        fn any_string_is_read_or_not_but_never_panics(dialled in "\\PC{0,40}|[0-9*#]{0,40}") {
            let _ = simmpl().read(&dialled);
        }

        #[test]
        fn what_was_dialled_is_what_is_read(user in "[0-9]{1,20}", pin in "[0-9]{4,10}") {
            prop_assert_eq!(
                simmpl().read(&format!("*35*{user}*{pin}")),
                toggle(Some(&user), Some(&pin))
            );
        }
    }
}
