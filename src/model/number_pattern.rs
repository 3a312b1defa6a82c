//! Patterns of extensions, in the notation of Asterisk.

use std::fmt;

use serde::Deserialize;

use super::id::{Extension, InvalidId};

/// A pattern of numbers of one length, without Asterisk's leading underscore: `XXX`, `2[0-4]XX`.
///
/// It can be written unchanged into a dialplan. `X` is a digit, `Z` is 1 to 9, `N` is 2 to 9, `[135-7]` is one of
/// these digits. Asterisk's `.` and `!` are not accepted: they match any characters that a device may send, and `!`
/// matches before all digits are dialled. A site whose extensions differ in length lists a pattern for each length.
#[derive(Clone, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd)]
#[serde(try_from = "String")]
pub struct NumberPattern(String);

impl NumberPattern {
    /// Checks `pattern`.
    ///
    /// # Errors
    /// [`InvalidId`] names the value and what is accepted.
    pub fn new(pattern: impl Into<String>) -> Result<Self, InvalidId> {
        let pattern = pattern.into();
        let bare = pattern.strip_prefix('_').unwrap_or(&pattern);
        if elements(bare).is_some_and(|elements| (1..=20).contains(&elements.len())) {
            return Ok(Self(bare.into()));
        }
        let rule = "1 to 20 of: digits, X, Z, N, and sets of digits like [1-5]";
        Err(InvalidId::new("a pattern of extensions", &pattern, rule))
    }

    /// Whether the pattern matches `extension`.
    pub fn matches(&self, extension: &Extension) -> bool {
        self.has(extension.as_str())
    }

    fn has(&self, number: &str) -> bool {
        let digits = self.digits();
        number.len() == digits.len()
            && digits.iter().zip(number.bytes()).all(|(accepted, digit)| accepted.contains(&digit))
    }

    /// The lowest number that it matches: `100` of `1XX`.
    pub fn first(&self) -> String {
        self.digits().iter().filter_map(|accepted| accepted.first()).copied().map(char::from).collect()
    }

    /// Patterns for the same numbers except this one, with no number in two of them; none, if it was the only number.
    #[must_use]
    pub fn without(&self, number: &str) -> Vec<Self> {
        if !self.has(number) {
            return vec![self.clone()];
        }
        let (elements, mut rest) = (self.digits(), vec![]);
        for ((at, accepted), digit) in elements.iter().enumerate().zip(number.bytes()) {
            let others: Vec<u8> = accepted.iter().copied().filter(|other| *other != digit).collect();
            if !others.is_empty() {
                let same = number.chars().take(at).collect();
                let after = elements.iter().skip(at + 1).map(Vec::as_slice);
                let differs = std::iter::once(others.as_slice()).chain(after);
                rest.push(Self(differs.fold(same, |pattern: String, digits| pattern + &written(digits))));
            }
        }
        rest
    }

    /// For each digit, the digits that it may be, in ASCII.
    pub fn digits(&self) -> Vec<Vec<u8>> {
        elements(&self.0).unwrap_or_default()
    }

    /// The pattern as written.
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

/// The element of a pattern for these digits: `X`, `[02-9]`.
fn written(digits: &[u8]) -> String {
    let accepted: Vec<u8> = (b'0'..=b'9').filter(|digit| digits.contains(digit)).collect();
    match accepted.as_slice() {
        b"0123456789" => "X".into(),
        b"123456789" => "Z".into(),
        b"23456789" => "N".into(),
        [one] => char::from(*one).into(),
        several => {
            let runs = several.chunk_by(|a, b| a + 1 == *b).map(|run| match run {
                [from, _, .., to] => format!("{}-{}", char::from(*from), char::from(*to)),
                few => few.iter().copied().map(char::from).collect(),
            });
            format!("[{}]", runs.collect::<String>())
        }
    }
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn matches(pattern: &str, extension: &str) -> bool {
        NumberPattern::new(pattern).unwrap().matches(&Extension::new(extension).unwrap())
    }

    #[test]
    fn a_pattern_matches_its_extensions() {
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
    fn a_pattern_without_a_number_is_written_as_patterns() {
        for (pattern, number, others) in [
            ("XXX", "112", &["[02-9]XX", "1[02-9]X", "11[013-9]"][..]),
            ("1XX", "112", &["1[02-9]X", "11[013-9]"]),
            ("ZN0", "120", &["NN0", "1[3-9]0"]),
            ("1[12]X", "112", &["12X", "11[013-9]"]),
            ("2XX", "112", &["2XX"]),
            ("XX", "112", &["XX"]),
            ("112", "112", &[]),
        ] {
            let without = NumberPattern::new(pattern).unwrap().without(number);
            assert_eq!(without.iter().map(NumberPattern::as_str).collect::<Vec<_>>(), others, "{pattern}");
        }
    }

    proptest! {
        #[test]
        fn without_a_number_every_other_is_matched_once(
            pattern in "([0-9XZN]|\\[[0-9]{1,4}\\]|\\[[0-4]-[5-9]\\]){1,4}", number in "[0-9]{1,4}", other in "[0-9]{1,4}",
        ) {
            let pattern = NumberPattern::new(pattern).unwrap();
            let without = pattern.without(&number);
            let other = Extension::new(other).unwrap();
            let matched = without.iter().filter(|one| one.matches(&other)).count();
            prop_assert_eq!(matched, usize::from(other.as_str() != number && pattern.matches(&other)));
            prop_assert!(!without.iter().any(|one| one.matches(&Extension::new(number.clone()).unwrap())));
            prop_assert!(without.iter().all(|one| NumberPattern::new(one.as_str()).is_ok()));
        }
    }

    #[test]
    fn text_that_asterisk_reads_differently_is_refused() {
        for bad in [
            "", "_", "8X.", ".X", "X!", "!", "__X", "x", "[", "[]", "[9-1]", "[1-", "[1-]", "[a]", "X,1",
            "XX X", "*35", "é",
        ] {
            assert!(NumberPattern::new(bad).is_err(), "{bad:?}");
        }
        assert!(NumberPattern::new("X".repeat(21)).is_err());
    }
}
