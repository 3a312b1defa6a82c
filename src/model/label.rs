//! Labels: text of a switch or a person that is only shown and logged. Its form never stops a call.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The most characters that a label keeps.
const MOST: usize = 150;

/// A text to show, such as the switch's id of a call (on Asterisk the channel's unique id, which begins with the `systemname`
/// of the site; on FreeSWITCH a UUID, or the phone's `Call-ID`).
///
/// It accepts every text: one without characters is `unknown`, a long one is cut at 150 characters. Characters that
/// would change the rest of the line are escaped ([`changes_line`]).
///
/// ```
/// use hotdesk::model::label::Label;
///
/// assert_eq!(Label::from("Büro 1 (A/B)-1795283486.1").to_string(), "Büro 1 (A/B)-1795283486.1");
/// assert_eq!(Label::from("a\r\nb\u{202e}").to_string(), "a\\r\\nb\\u{202e}");
/// ```
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(from = "String", into = "String")]
pub struct Label(String);

impl From<&str> for Label {
    fn from(text: &str) -> Self {
        let mut label = String::with_capacity(text.len().min(MOST));
        for c in text.chars().take(MOST) {
            match changes_line(c) {
                true => label.extend(c.escape_default()),
                false => label.push(c),
            }
        }
        Self(if label.is_empty() { "unknown".into() } else { label })
    }
}

impl From<String> for Label {
    fn from(text: String) -> Self {
        text.as_str().into()
    }
}

impl From<Label> for String {
    fn from(label: Label) -> Self {
        label.0
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whether a character is invisible and moves what follows it: a control character, a zero-width character, a line or
/// paragraph separator, or one that changes the direction of the text (Unicode's category Cf, without joiners of emoji and
/// scripts).
#[must_use]
pub fn changes_line(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200B}' | '\u{200E}' | '\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{2069}' | '\u{FEFF}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_text_is_a_label_on_one_line_and_bounded() {
        let ascii: String = (' '..='~').collect();
        for same in [ascii.as_str(), "1795283486.1", "Büro", "שלום", "e\u{301}", "👩\u{200D}💻", "\u{fffd}"]
        {
            assert_eq!(Label::from(same).to_string(), same);
        }
        for (text, label) in [
            ("", "unknown"),
            ("a\nevent=\"login.done\"", "a\\nevent=\"login.done\""),
            ("\u{1b}[2J\0", "\\u{1b}[2J\\u{0}"),
            ("1\u{202e}2\u{feff}", "1\\u{202e}2\\u{feff}"),
        ] {
            assert_eq!(Label::from(text).to_string(), label, "{text:?}");
        }
        assert_eq!(Label::from("ü".repeat(10_000)).to_string().chars().count(), MOST);
    }

    #[test]
    fn a_stored_label_is_read_again_whatever_it_is() {
        let stored = serde_json::to_string(&Label::from("a \"b\"\\\n")).unwrap();
        assert_eq!(serde_json::from_str::<Label>(&stored).unwrap(), Label::from("a \"b\"\\\n"));
    }
}
