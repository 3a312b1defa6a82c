//! Errors of the configuration: what is wrong, where, and what to do.
//!
//! None of them shows a value or an unknown key of the file or of the environment, as a secret may stand in the wrong
//! place: the line and the column say where it is.

use std::path::{Path, PathBuf};

use toml::Value;

use super::text_file::NotText;
use super::wording;

/// Why the configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// An environment variable has a wrong value.
    #[error("environment variable {0}: {1}")]
    Environment(&'static str, String),
    /// No file is named, and there is none where it is looked for.
    #[error(
        "there is no configuration: looked for hotdesk.toml in this folder and for /etc/hotdesk/hotdesk.toml. Copy \
         hotdesk.example.toml to one of them and adapt it, or name the file: hotdesk -c FILE"
    )]
    NoFile,
    /// Values contradict each other.
    #[error("{path}: {1}", path = .0.display())]
    Refused(PathBuf, String),
    /// A secret file cannot be used.
    #[error("{path} {1}", path = .0.display())]
    Secret(PathBuf, String),
    /// There is no such secret file. Its name is not shown: it may be the secret itself.
    #[error(
        "the file that {0} names does not exist: write the secret that the switch expects into a file, one line, mode 600, and \
         name that file"
    )]
    NoSecret(&'static str),
    /// The file is not TOML, or has an unknown key or a wrong value.
    #[error("{path}: {1}", path = .0.display())]
    Syntax(PathBuf, String),
    /// The file cannot be read.
    #[error("{path} {1}", path = .0.display())]
    Unreadable(PathBuf, NotText),
}

/// Refuses the configuration for the reason `why`, if `wrong`.
pub(super) fn refuse_if(wrong: bool, why: impl Into<String>) -> Result<(), String> {
    if wrong { Err(why.into()) } else { Ok(()) }
}

impl ConfigError {
    /// The error of the parser of a file's `text`.
    pub(super) fn syntax(path: &Path, text: &str, error: &toml::de::Error) -> Self {
        let span = error.span().unwrap_or_default();
        let (before, after) = text.split_at_checked(span.start).unwrap_or((text, ""));
        let begin = before.rsplit('\n').next().unwrap_or_default();
        let (line, column) = (before.matches('\n').count() + 1, begin.chars().count() + 1);
        let (message, wrong) = (error.message(), text.get(span).unwrap_or_default());
        let message = match toml::from_str::<toml::Table>(text) {
            Err(_) => wording::of_notation(message).to_owned(),
            Ok(_) => wording::of_value(message, after).unwrap_or_else(|| without_values(message, wrong)),
        };
        let whole = format!("{begin}{}", after.split('\n').next().unwrap_or_default());
        let hint = whole.chars().find(|c| LOOKALIKES.contains(c)).map_or(String::new(), |c| {
            format!(". The line has U+{:04X}: write plain quotation marks and blanks", u32::from(c))
        });
        Self::Syntax(path.into(), format!("line {line}, column {column}: {}{hint}", message.trim_end()))
    }

    /// The error `why` of an environment variable with this value.
    pub(super) fn environment(name: &'static str, why: &str, value: &str) -> Self {
        let mut why = why.to_owned();
        hide(&mut why, value, true);
        Self::Environment(name, why)
    }
}

/// What editors and web pages put in place of plain quotation marks and blanks.
const LOOKALIKES: [char; 11] = [
    '\u{201C}', '\u{201D}', '\u{201E}', '\u{2018}', '\u{2019}', '\u{201A}', '\u{AB}', '\u{BB}', '\u{A0}',
    '\u{200B}', '\u{FEFF}',
];

/// A message without the values of `wrong`, the part of a file that it is about.
fn without_values(message: &str, wrong: &str) -> String {
    let mut message = message.to_owned();
    let mut value: Option<toml::Table> = toml::from_str(&format!("value = {wrong}")).ok();
    match value.as_mut().and_then(|table| table.remove("value")) {
        Some(value) => hide_all(&mut message, &value, !value.is_table()),
        // Several lines, or a key.
        None => match toml::from_str::<toml::Table>(wrong) {
            Ok(table) => hide_all(&mut message, &Value::Table(table), false),
            Err(_) => hide(&mut message, wrong, false),
        },
    }
    message
}

fn hide_all(message: &mut String, value: &Value, alone: bool) {
    match value {
        Value::String(text) => hide(message, text, alone),
        Value::Array(values) => values.iter().for_each(|value| hide_all(message, value, alone)),
        Value::Table(table) => table.iter().for_each(|(key, value)| {
            hide(message, key, false);
            hide_all(message, value, alone);
        }),
        other => hide(message, &other.to_string(), alone),
    }
}

/// Replaces a value in quotation marks as errors show it, whole or in part; if `alone`, also where it stands without them.
fn hide(message: &mut String, value: &str, alone: bool) {
    if value.is_empty() {
        return;
    }
    for shown in [format!("{value:?}"), format!("`{value}`"), format!("'{value}'")] {
        *message = message.replace(&shown, "this value");
    }
    // A part of it: of a list, or its beginning.
    let parts = message.split('"').skip(1).step_by(2);
    let parts =
        parts.filter(|part| !part.is_empty() && value.contains(*part)).map(|part| format!("\"{part}\""));
    for part in parts.collect::<Vec<_>>() {
        *message = message.replace(&part, "this value");
    }
    if alone {
        let part = |c: char| c.is_alphanumeric() || c == '_';
        let mut shown = String::with_capacity(message.len());
        let mut rest = message.as_str();
        while let Some((before, after)) = rest.split_once(value) {
            let word = before.ends_with(part) || after.starts_with(part);
            shown.extend([before, if word { value } else { "this value" }]);
            rest = after;
        }
        shown.push_str(rest);
        *message = shown;
    }
}
