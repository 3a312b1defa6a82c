//! Which numbers may be users' extensions, as Asterisk writes patterns of numbers.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::id::{Extension, InvalidId};

/// A pattern of numbers, without Asterisk's leading underscore: `XXX`, `2[0-4]XX`, `8X.`.
///
/// It can be written into a dialplan as it stands. `X` is a digit, `Z` one from 1, `N` one from 2, `[135-7]` one of
/// these, and a `.` at the end one or more of anything. Asterisk's `!` is not taken: it matches before all digits
/// are dialled.
#[derive(Clone, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct NumberPattern(String);

impl NumberPattern {
    /// Checks `pattern`.
    ///
    /// # Errors
    /// [`InvalidId`] names the value and what would have been accepted.
    pub fn new(pattern: impl Into<String>) -> Result<Self, InvalidId> {
        let pattern = pattern.into();
        if pattern.len() <= 40 && elements(&pattern).is_some() {
            return Ok(Self(pattern));
        }
        Err(InvalidId {
            kind: "a pattern of extensions",
            value: pattern.chars().take(80).collect(),
            rule: "digits, X, Z, N and sets like [1-5], with at most a '.' at the end and no '_' before it, \
                   40 characters in all",
        })
    }

    /// Whether `extension` is one of these numbers.
    #[must_use]
    pub fn matches(&self, extension: &Extension) -> bool {
        let mut digits = extension.as_str().bytes();
        for element in elements(&self.0).into_iter().flatten() {
            match (element, digits.next()) {
                (Element::Any, Some(_)) => return true,
                (Element::OneOf(accepted), Some(digit)) if accepted.contains(&digit) => {}
                _ => return false,
            }
        }
        digits.next().is_none()
    }

    /// The pattern as it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

enum Element {
    /// One or more of anything, to the end.
    Any,
    /// One of these digits.
    OneOf(Vec<u8>),
}

fn elements(pattern: &str) -> Option<Vec<Element>> {
    let mut elements = Vec::new();
    let mut rest = pattern;
    while let Some(first) = rest.bytes().next() {
        let element = match first {
            b'0'..=b'9' => Element::OneOf(vec![first]),
            b'X' | b'x' => Element::OneOf((b'0'..=b'9').collect()),
            b'Z' | b'z' => Element::OneOf((b'1'..=b'9').collect()),
            b'N' | b'n' => Element::OneOf((b'2'..=b'9').collect()),
            b'.' if rest.len() == 1 && !elements.is_empty() => Element::Any,
            b'[' => {
                let (set, after) = rest.strip_prefix('[')?.split_once(']')?;
                elements.push(Element::OneOf(digits_of(set)?));
                rest = after;
                continue;
            }
            _ => return None,
        };
        elements.push(element);
        rest = rest.get(1..)?;
    }
    (!elements.is_empty()).then_some(elements)
}

/// The digits of a set: `135-7` is 1, 3, 5, 6 and 7.
fn digits_of(set: &str) -> Option<Vec<u8>> {
    let mut digits = Vec::new();
    let mut bytes = set.bytes().peekable();
    while let Some(from) = bytes.next() {
        let to = if bytes.next_if_eq(&b'-').is_some() { bytes.next()? } else { from };
        if !from.is_ascii_digit() || !to.is_ascii_digit() || to < from {
            return None;
        }
        digits.extend(from..=to);
    }
    (!digits.is_empty()).then_some(digits)
}

impl fmt::Display for NumberPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for NumberPattern {
    type Error = InvalidId;
    fn try_from(value: String) -> Result<Self, InvalidId> {
        Self::new(value)
    }
}

impl From<NumberPattern> for String {
    fn from(pattern: NumberPattern) -> Self {
        pattern.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, extension: &str) -> bool {
        NumberPattern::new(pattern).unwrap().matches(&Extension::new(extension).unwrap())
    }

    #[test]
    fn a_pattern_says_which_extensions_it_means() {
        for (pattern, these, not_these) in [
            ("XXX", &["101", "000"][..], &["1", "1011"][..]),
            ("ZN0", &["120", "990"], &["020", "110", "121"]),
            ("2[0-24]X", &["205", "219", "243"], &["235", "305", "20"]),
            ("8X.", &["801", "80123456"], &["80", "8", "901"]),
            ("100", &["100"], &["0100", "101"]),
        ] {
            these.iter().for_each(|number| assert!(matches(pattern, number), "{pattern} {number}"));
            not_these.iter().for_each(|number| assert!(!matches(pattern, number), "{pattern} {number}"));
        }
    }

    #[test]
    fn what_asterisk_would_read_as_something_else_is_refused() {
        for bad in [
            "", ".", ".X", "X.X", "X!", "!", "_XXX", "[", "[]", "[9-1]", "[1-", "[1-]", "[a]", "X,1", "XX X",
            "*35", "é",
        ] {
            assert!(NumberPattern::new(bad).is_err(), "{bad:?}");
        }
        assert!(NumberPattern::new("X".repeat(41)).is_err());
    }
}
