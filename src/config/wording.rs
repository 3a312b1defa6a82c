//! What the TOML parser says, in words for administrators: what to write instead, and the known name that was probably meant.

use crate::model::nearest::nearest;

/// What to write where a value of another type stands, by the type that is expected.
const EXPECTED: [(&str, &str); 11] = [
    ("a string", "write text in quotation marks"),
    ("path string", "write the path in quotation marks"),
    ("a boolean", "write true or false, without quotation marks"),
    ("a sequence", "write a list in brackets: [\"a\", \"b\"]"),
    ("a map", "write a section, or a table: { key = \"value\" }"),
    ("struct ", "write a section, or a table: { key = \"value\" }"),
    ("a nonzero u8", "write a whole number from 1 to 255, without quotation marks"),
    ("u8", "write a whole number from 0 to 255, without quotation marks"),
    ("u16", "write a whole number from 0 to 65535, without quotation marks"),
    ("socket address", "write IP:PORT in quotation marks, for example \"127.0.0.1:4573\""),
    (
        "IPv4 or IPv6 network",
        "write a network in quotation marks, for example \"10.0.0.0/8\" or \"127.0.0.1/32\"",
    ),
];
/// Values of the right type that are refused by the types of the standard library.
const REFUSED: [(&str, &str); 3] = [
    ("invalid socket address syntax", "write IP:PORT, for example 127.0.0.1:4573"),
    ("invalid IP address syntax", "write a network, for example 10.0.0.0/8 or 127.0.0.1/32"),
    ("wanted ", "write text in quotation marks"),
];
/// Mistakes in the notation, by how the parser's message begins.
const NOTATION: [(&str, &str); 10] = [
    ("duplicate key", "this key or section is here for the second time: remove one of the two"),
    ("key with no value", "write KEY = VALUE"),
    ("unclosed table", "the bracket that ends the section's name is missing: [NAME]"),
    ("missing comma", "a comma is missing in the list, or the bracket that ends it"),
    ("unclosed array", "the bracket that ends the list is missing"),
    ("unexpected leading zero", "write the number without leading zeros"),
    ("invalid boolean", "write true or false"),
    ("missing escaped value", "write single quotation marks around a text with backslashes: 'TEXT'"),
    ("invalid basic string", "the quotation mark that ends the text is missing"),
    ("invalid literal string", "the quotation mark that ends the text is missing"),
];
const ANY_NOTATION: &str = "this is no TOML: write KEY = VALUE, text in quotation marks, lists as [\"a\", \"b\"], sections as [NAME]";
const UNQUOTED: &str =
    "a value is missing or cannot be read: write text in quotation marks, true or false, or a whole number";

/// What is wrong with the notation of the file.
pub(super) fn of_notation(message: &str) -> &'static str {
    match message {
        _ if message.starts_with("string values must be quoted") || message.starts_with("invalid float") => {
            UNQUOTED
        }
        _ => found(&NOTATION, message).unwrap_or(ANY_NOTATION),
    }
}

/// What is wrong with a key or with the type of a value, which begins at `at`; none, if the value's own type says it.
pub(super) fn of_value(message: &str, at: &str) -> Option<String> {
    let (what, expected) = message.split_once(", expected ").unwrap_or((message, ""));
    if let Some(key) = quoted(what, "unknown field ") {
        return Some(format!("unknown key{} Here the keys are {}", meant(key, expected), listed(expected)));
    }
    if let Some(value) = quoted(what, "unknown variant ") {
        return Some(format!("this value is unknown{} Use {}", meant(value, expected), listed(expected)));
    }
    if let Some(key) = quoted(what, "missing field ") {
        return Some(format!("the key {key} is missing here: add it"));
    }
    if let Some(rule) = found(&REFUSED, message) {
        return Some(rule.to_owned());
    }
    what.strip_prefix("invalid type: ").or_else(|| what.strip_prefix("invalid value: ")).map(|kind| {
        let text = match (kind.starts_with("map"), expected) {
            (true, "a sequence") => "write the name of this section in two pairs of brackets: [[NAME]]",
            (true, _) if at.starts_with("[[") => {
                "write the name of this section in one pair of brackets: [NAME]"
            }
            _ => found(&EXPECTED, expected).unwrap_or("write another kind of value"),
        };
        text.to_owned()
    })
}

fn found(of: &[(&str, &'static str)], message: &str) -> Option<&'static str> {
    of.iter().find(|(begins, _)| message.starts_with(begins)).map(|(_, words)| *words)
}

/// The name in backticks after `before`.
fn quoted<'a>(message: &'a str, before: &str) -> Option<&'a str> {
    Some(message.strip_prefix(before)?.trim_matches('`'))
}

/// The known names in what the parser expects.
fn names(expected: &str) -> impl Iterator<Item = &str> {
    expected.split('`').skip(1).step_by(2)
}

fn listed(expected: &str) -> String {
    names(expected).collect::<Vec<_>>().join(", ")
}

/// The name that was probably meant. What was written is not shown: it may be a secret.
fn meant(written: &str, expected: &str) -> String {
    nearest(written, names(expected)).map_or_else(|| ".".to_owned(), |name| format!(". Did you mean {name}?"))
}
