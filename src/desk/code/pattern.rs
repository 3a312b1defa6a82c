//! How a code is written: `*35*{ext}*{pin}`.

use std::fmt;

use serde::Deserialize;

/// One code as it is written: what is dialled literally, and where the extension and the PIN stand in it.
#[derive(Clone, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd)]
#[serde(try_from = "String")]
pub struct Pattern(Vec<Part>);

/// A piece of a [`Pattern`].
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Part {
    /// An extension stands here.
    Extension,
    /// These digits, `*` and `#`.
    Literal(String),
    /// A PIN stands here.
    Pin,
}

/// A pattern with something in it that cannot be dialled or read.
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
    /// [`BadPattern`] says why it cannot be.
    pub fn parse(pattern: &str) -> Result<Self, BadPattern> {
        let bad = |why| BadPattern { pattern: pattern.chars().take(80).collect(), why };
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
        let parsed = Self(parts);
        match parsed.wrong() {
            None if pattern.len() > Self::LONGEST => Err(bad("it is longer than 40 characters")),
            None => Ok(parsed),
            Some(why) => Err(bad(why)),
        }
    }

    /// Why it could not be read in one way only.
    fn wrong(&self) -> Option<&'static str> {
        let count = |part: &Part| self.0.iter().filter(|other| *other == part).count();
        let starts_with_digit =
            |part: &Part| !matches!(part, Part::Literal(keys) if keys.starts_with(['*', '#']));
        let runs_on = |pair: &[Part]| matches!(pair, [first, second] if !matches!(first, Part::Literal(_)) && starts_with_digit(second));
        if self.stem().trim_matches('#').is_empty() {
            Some("it must begin with digits or '*'")
        } else if count(&Part::Extension) > 1 || count(&Part::Pin) > 1 {
            Some("it has {ext} or {pin} twice")
        } else if self.0.windows(2).any(runs_on) {
            Some("put a '*' after {ext} or {pin}, or nobody knows where it ends")
        } else if self.has_pin() && !self.has_extension() {
            Some("it has a {pin} without saying whose: add {ext}")
        } else {
            None
        }
    }

    /// The pieces in the order in which they are dialled.
    #[must_use]
    pub fn parts(&self) -> &[Part] {
        &self.0
    }

    /// What is dialled before the extension and the PIN; of a code without them, all.
    #[must_use]
    pub fn stem(&self) -> &str {
        match self.0.first() {
            Some(Part::Literal(stem)) => stem,
            _ => "",
        }
    }

    /// Whether the extension is dialled along.
    #[must_use]
    pub fn has_extension(&self) -> bool {
        self.0.contains(&Part::Extension)
    }

    /// Whether the PIN is dialled along.
    #[must_use]
    pub fn has_pin(&self) -> bool {
        self.0.contains(&Part::Pin)
    }

    /// The pieces but for one `#` at their end, and how many `#` may follow them. Many phones send `#` as their dial key,
    /// others take it for one and do not send it.
    #[must_use]
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
            Part::Extension => f.write_str("{ext}"),
            Part::Literal(literal) => f.write_str(literal),
            Part::Pin => f.write_str("{pin}"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_what_is_shown() {
        for pattern in ["*35", "*35*{ext}*{pin}#", "8{ext}", "*77*{ext}*", "#1#{ext}*{pin}*9"] {
            assert_eq!(Pattern::parse(pattern).unwrap().to_string(), pattern);
        }
    }

    #[test]
    fn a_pattern_that_cannot_be_dialled_or_read_in_one_way_is_refused() {
        for (pattern, why) in [
            ("", "begin"),
            ("#", "begin"),
            ("{ext}", "begin"),
            ("*35 {ext}", "it takes"),
            ("*35*{extension}", "it takes"),
            ("abc", "it takes"),
            ("*35*{ext}{pin}", "put a '*'"),
            ("*35*{ext}5", "put a '*'"),
            ("*35*{ext}*{ext}", "twice"),
            ("*35*{pin}", "whose"),
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
