//! How a code is written: `*35*{ext}*{pin}`.

use std::fmt;

use serde::Deserialize;

/// A code as it is written: literal keys, and where an extension, a PIN or another part goes.
#[derive(Clone, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd)]
#[serde(try_from = "String")]
pub struct Pattern(Vec<Part>);

/// A piece of a [`Pattern`].
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Part {
    /// One digit, which chooses something.
    Choice,
    /// An extension.
    Extension,
    /// A group, as its name is spelled on the keys.
    Group,
    /// These digits, `*` and `#`.
    Literal(String),
    /// Any number.
    Number,
    /// A PIN.
    Pin,
}

/// The names in braces.
const NAMED: [(&str, Part); 5] = [
    ("{choice}", Part::Choice),
    ("{ext}", Part::Extension),
    ("{group}", Part::Group),
    ("{number}", Part::Number),
    ("{pin}", Part::Pin),
];

/// A pattern that cannot be dialled or read.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the code {pattern:?} cannot be used: {why}")]
pub struct BadPattern {
    /// As it was written.
    pub pattern: String,
    /// What is wrong with it.
    pub why: &'static str,
}

impl Pattern {
    /// The longest that may be written, in characters.
    const LONGEST: usize = 40;

    /// Reads `*35*{ext}*{pin}` and the like.
    ///
    /// # Errors
    /// [`BadPattern`] says why it is not valid.
    pub fn parse(pattern: &str) -> Result<Self, BadPattern> {
        let bad = |why| BadPattern { pattern: pattern.chars().take(80).collect(), why };
        let mut parts = Vec::new();
        let mut rest = pattern;
        while !rest.is_empty() {
            let named = NAMED.iter().find_map(|(name, part)| Some((rest.strip_prefix(name)?, part)));
            if let Some((after, part)) = named {
                parts.push(part.clone());
                rest = after;
            } else {
                let (literal, after) = rest.split_at(rest.find('{').unwrap_or(rest.len()));
                if literal.is_empty() || !literal.chars().all(|c| c.is_ascii_digit() || "*#".contains(c)) {
                    return Err(bad(
                        "it may contain digits, '*', '#', {ext}, {pin}, {number}, {group} and {choice}",
                    ));
                }
                parts.push(Part::Literal(literal.into()));
                rest = after;
            }
        }
        let parsed = Self(parts);
        match parsed.wrong() {
            None if pattern.len() > Self::LONGEST => Err(bad("it is longer than 40 characters")),
            None => Ok(parsed),
            Some(why) => Err(bad(why)),
        }
    }

    /// Why it could not be read in exactly one way.
    fn wrong(&self) -> Option<&'static str> {
        let count = |part: &Part| self.0.iter().filter(|other| *other == part).count();
        let starts_with_digit =
            |part: &Part| !matches!(part, Part::Literal(keys) if keys.starts_with(['*', '#']));
        let operand = self.operand();
        let runs_on = |pair: &[Part]| matches!(pair, [first, second] if !matches!(first, Part::Literal(_)) && starts_with_digit(second));
        if self.stem().trim_matches('#').is_empty() {
            Some("it must begin with digits or '*'")
        } else if NAMED.iter().any(|(_, part)| count(part) > 1) {
            Some("it has the same part in braces twice")
        } else if self.0.windows(2).any(runs_on) {
            Some("put a '*' after the part in braces, which otherwise has no end")
        } else if self.has_pin() && !self.has_extension() {
            Some("it has a {pin} but no user: add {ext}")
        } else if operand.is_some()
            && self.0.iter().filter(|part| !matches!(part, Part::Literal(_))).count() > 1
        {
            Some("{number}, {group} and {choice} must be its only part in braces")
        } else if operand.is_some() && !self.stem().starts_with(['*', '#']) {
            Some(
                "with {number}, {group} or {choice} it must begin with '*' or '#'; otherwise it would match many numbers",
            )
        } else {
            None
        }
    }

    /// The pieces in the order in which they are dialled.
    pub fn parts(&self) -> &[Part] {
        &self.0
    }

    /// The literal keys at its beginning; of a code without other parts, all of it.
    pub fn stem(&self) -> &str {
        match self.0.first() {
            Some(Part::Literal(stem)) => stem,
            _ => "",
        }
    }

    /// Whether the extension is dialled along.
    pub fn has_extension(&self) -> bool {
        self.0.contains(&Part::Extension)
    }

    /// The value to set that is dialled along.
    pub fn operand(&self) -> Option<&Part> {
        self.0.iter().find(|part| matches!(part, Part::Choice | Part::Group | Part::Number))
    }

    /// Whether the PIN is dialled along.
    pub fn has_pin(&self) -> bool {
        self.0.contains(&Part::Pin)
    }

    /// The parts without one `#` at their end, and how many `#` may follow them. Many phones send `#` as their dial key;
    /// others use it as one and do not send it.
    pub fn without_dial_key(&self) -> (Vec<Part>, usize) {
        let mut parts = self.0.clone();
        let mut hashes = 1;
        if let Some(Part::Literal(keys)) = parts.last_mut()
            && keys.ends_with('#')
        {
            keys.pop();
            hashes = 2;
            if keys.is_empty() {
                parts.pop();
            }
        }
        (parts, hashes)
    }
}

impl TryFrom<String> for Pattern {
    type Error = BadPattern;
    fn try_from(pattern: String) -> Result<Self, BadPattern> {
        Self::parse(&pattern)
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|part| match part {
            Part::Literal(literal) => f.write_str(literal),
            part => {
                NAMED.iter().filter(|(_, named)| named == part).try_for_each(|(name, _)| f.write_str(name))
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_shown_as_written() {
        for pattern in [
            "*35",
            "*35*{ext}*{pin}#",
            "8{ext}",
            "*77*{ext}*",
            "#1#{ext}*{pin}*9",
            "*72{number}",
            "*45{group}*",
            "*38{choice}",
        ] {
            assert_eq!(Pattern::parse(pattern).unwrap().to_string(), pattern);
        }
    }

    #[test]
    fn a_pattern_that_cannot_be_dialled_or_read_in_one_way_is_refused() {
        for (pattern, why) in [
            ("", "begin"),
            ("#", "begin"),
            ("{ext}", "begin"),
            ("*35 {ext}", "may contain"),
            ("*35*{extension}", "may contain"),
            ("abc", "may contain"),
            ("*35*{ext}{pin}", "put a '*'"),
            ("*35*{ext}5", "put a '*'"),
            ("*35*{ext}*{ext}", "twice"),
            ("*35*{pin}", "no user"),
            ("*72{number}5", "put a '*'"),
            ("*72{number}*{ext}", "only part"),
            ("*45{group}*{choice}", "only part"),
            ("72{number}", "begin with '*'"),
            ("38{choice}", "begin with '*'"),
            (&"1".repeat(41), "longer"),
        ] {
            let bad = Pattern::parse(pattern).unwrap_err();
            assert!(bad.why.contains(why), "{pattern}: {bad}");
        }
    }

    #[test]
    fn the_dial_key_may_be_sent_or_not() {
        let end = |pattern: &str| Pattern::parse(pattern).unwrap().without_dial_key();
        assert_eq!(end("*36"), (vec![Part::Literal("*36".into())], 1));
        assert_eq!(end("*36#"), (vec![Part::Literal("*36".into())], 2));
        let (parts, hashes) = end("*35*{ext}*{pin}#");
        assert_eq!((parts.last(), hashes), (Some(&Part::Pin), 2));
    }
}
