//! Which numbers may be users' extensions, as Asterisk writes patterns of numbers.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::id::{Extension, InvalidId};

/// A pattern of numbers of one length, without Asterisk's leading underscore: `XXX`, `2[0-4]XX`.
///
/// It can be written into a dialplan as it stands. `X` is a digit, `Z` one from 1, `N` one from 2, `[135-7]` one of
/// these. Asterisk's `.` and `!` are not taken: they match whatever characters a phone may send, and `!` before all
/// digits are dialled. A site whose extensions differ in length names each length.
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
        let bare = pattern.strip_prefix('_').unwrap_or(&pattern);
        if elements(bare).is_some_and(|elements| (1..=20).contains(&elements.len())) {
            return Ok(Self(bare.into()));
        }
        Err(InvalidId {
            kind: "a pattern of extensions",
            value: pattern.chars().take(80).collect(),
            rule: "1 to 20 of: digits, X, Z, N, and sets of digits like [1-5]",
        })
    }

    /// Whether `extension` is one of these numbers.
    #[must_use]
    pub fn matches(&self, extension: &Extension) -> bool {
        let digits = extension.as_str().as_bytes();
        let elements = elements(&self.0).unwrap_or_default();
        digits.len() == elements.len()
            && elements.iter().zip(digits).all(|(accepted, digit)| accepted.contains(digit))
    }

    /// The first of these numbers: `100` of `1XX`.
    #[must_use]
    pub fn first(&self) -> String {
        let elements = elements(&self.0).unwrap_or_default();
        elements.iter().filter_map(|accepted| accepted.first()).map(|digit| char::from(*digit)).collect()
    }

    /// The pattern as it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// For each digit of a number, the digits that it may be.
fn elements(pattern: &str) -> Option<Vec<Vec<u8>>> {
    let mut elements = Vec::new();
    let mut rest = pattern;
    while let Some(first) = rest.bytes().next() {
        rest = if let Some(set) = rest.strip_prefix('[') {
            let (set, after) = set.split_once(']')?;
            elements.push(digits_of(set)?);
            after
        } else {
            elements.push(match first {
                b'0'..=b'9' => vec![first],
                b'X' => (b'0'..=b'9').collect(),
                b'Z' => (b'1'..=b'9').collect(),
                b'N' => (b'2'..=b'9').collect(),
                _ => return None,
            });
            rest.get(1..)?
        };
    }
    Some(elements)
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
            ("_1XX", &["100"], &["200"]),
            ("100", &["100"], &["0100", "101"]),
        ] {
            these.iter().for_each(|number| assert!(matches(pattern, number), "{pattern} {number}"));
            not_these.iter().for_each(|number| assert!(!matches(pattern, number), "{pattern} {number}"));
        }
    }

    #[test]
    fn the_first_number_is_one_of_them() {
        for (pattern, first) in [("1XX", "100"), ("ZN0", "120"), ("2[5-7]X", "250"), ("007", "007")] {
            assert_eq!(NumberPattern::new(pattern).unwrap().first(), first);
            assert!(matches(pattern, first));
        }
    }

    #[test]
    fn what_asterisk_would_read_as_something_else_is_refused() {
        for bad in [
            "", "_", "8X.", ".X", "X!", "!", "__X", "x", "[", "[]", "[9-1]", "[1-", "[1-]", "[a]", "X,1",
            "XX X", "*35", "é",
        ] {
            assert!(NumberPattern::new(bad).is_err(), "{bad:?}");
        }
        assert!(NumberPattern::new("X".repeat(21)).is_err());
    }
}
