//! What commands print: tables, facts, JSON and times on standard output, notes on standard error.

use std::fmt;
use std::io::{self, Write};
use std::str::FromStr;

use anyhow::Result;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;

/// The heading of options that have what is refused done all the same.
pub(super) const OVERRIDE: &str = "Override a refusal";

/// Prints a table; each column is as wide as its widest cell.
pub(super) fn table(out: &mut dyn Write, names: &[&str], rows: &[Vec<String>]) -> Result<()> {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let lines = || std::iter::once(&names).chain(rows);
    let width =
        |column: usize| lines().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max();
    let widths: Vec<usize> = (0..names.len()).filter_map(width).collect();
    for row in lines() {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        writeln!(out, "{}", cells.collect::<Vec<_>>().join("  ").trim_end())?;
    }
    Ok(())
}

/// Prints records as JSON, or as a table with a row for each.
pub(super) fn list<T: Serialize>(
    out: &mut dyn Write,
    json: bool,
    records: &[T],
    names: &[&str],
    row: impl Fn(&T) -> Vec<String>,
) -> Result<()> {
    if json {
        return self::json(out, &records);
    }
    table(out, names, &records.iter().map(row).collect::<Vec<_>>())
}

/// Prints one name and value a line.
pub(super) fn facts(out: &mut dyn Write, facts: &[(&str, String)]) -> Result<()> {
    let width = facts.iter().map(|(name, _)| name.len()).max().unwrap_or_default();
    for (name, value) in facts {
        writeln!(out, "{name:<width$}  {value}")?;
    }
    Ok(())
}

pub(super) fn json(out: &mut dyn Write, value: &impl Serialize) -> Result<()> {
    writeln!(out, "{}", serde_json::to_string_pretty(value)?)?;
    Ok(())
}

/// Prints a note, warning or error on standard error, where it does not mix with results.
pub(super) fn note(text: impl fmt::Display) {
    // Nothing is left to report to when standard error is closed.
    let _ = writeln!(io::stderr(), "hotdesk: {}", plain(&text.to_string()));
}

/// A text without the numbers that Rust adds to the errors of the system: ` (os error 2)`.
pub(super) fn plain(text: &str) -> String {
    let mut parts = text.split(" (os error ");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| text + part.split_once(')').map_or("", |(_, rest)| rest))
}

/// Formats a time to the second, in this machine's time zone with its name: `journal --since` takes it.
pub(super) fn time(at: Timestamp) -> String {
    time_in(at, TimeZone::system())
}

/// The same in this time zone.
pub(super) fn time_in(at: Timestamp, zone: TimeZone) -> String {
    at.to_zoned(zone).strftime("%Y-%m-%d %H:%M:%S %Z").to_string()
}

pub(super) fn or_dash(value: Option<&impl fmt::Display>) -> String {
    value.map_or_else(|| "-".into(), ToString::to_string)
}

pub(super) fn joined(values: impl IntoIterator<Item = impl fmt::Display>, between: &str) -> String {
    values.into_iter().map(|value| value.to_string()).collect::<Vec<_>>().join(between)
}

/// The values separated by commas, or `none` if there is none.
pub(super) fn joined_or(none: &str, values: impl IntoIterator<Item = impl fmt::Display>) -> String {
    let text = joined(values, ", ");
    if text.is_empty() { none.into() } else { text }
}

pub(super) const fn yes(is: bool) -> &'static str {
    if is { "yes" } else { "no" }
}

/// The value of an option: a new value, or empty to remove the one that is set.
#[derive(Clone, Debug)]
pub(super) struct Given<T>(pub(super) Option<T>);

impl<T> Given<T> {
    /// Sets or removes `value` if the option was given.
    pub(super) fn set(given: Option<Self>, value: &mut Option<T>) {
        if let Some(Self(given)) = given {
            *value = given;
        }
    }
}

impl<T: FromStr> FromStr for Given<T> {
    type Err = T::Err;
    fn from_str(value: &str) -> Result<Self, T::Err> {
        if value.is_empty() { Ok(Self(None)) } else { value.parse().map(|value| Self(Some(value))) }
    }
}

/// The value of an option: values separated by commas, or empty for none.
#[derive(Clone, Debug)]
pub(super) struct List<T>(pub(super) Vec<T>);

impl<T: FromStr<Err: fmt::Display>> FromStr for List<T> {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let values = text.split(',').filter(|_| !text.is_empty());
        let values = values.map(|value| value.trim().parse().map_err(|error: T::Err| error.to_string()));
        values.collect::<Result<_, _>>().map(Self)
    }
}

/// `--hotdesk` and `--no-hotdesk`.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(super) struct Hotdesk {
    /// Allow hotdesking; a new user or desk phone has it by default
    #[arg(long)]
    hotdesk: bool,
    /// Do not allow hotdesking
    #[arg(long, conflicts_with = "hotdesk")]
    no_hotdesk: bool,
}

impl Hotdesk {
    /// Sets or removes `value` if the option was given.
    pub(super) const fn set(self, value: &mut bool) {
        *value = self.hotdesk || (*value && !self.no_hotdesk);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_aligns_its_columns_and_ends_lines_without_blanks() {
        let mut out = Vec::new();
        let rows = [
            vec!["desk1".into(), "Zoë".into(), "x".into()],
            vec!["d".into(), "Bob B.".into(), String::new()],
        ];
        table(&mut out, &["DEVICE", "NAME", "X"], &rows).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), "DEVICE  NAME    X\ndesk1   Zoë     x\nd       Bob B.\n");
    }

    #[test]
    fn an_error_of_the_system_is_shown_without_its_number() {
        for (text, shown) in [
            ("x: No such file or directory (os error 2)", "x: No such file or directory"),
            ("a (os error 2), b (os error 13): c", "a, b: c"),
            ("as it is (2)", "as it is (2)"),
        ] {
            assert_eq!(plain(text), shown);
        }
    }

    #[test]
    fn hotdesking_changes_only_when_an_option_is_given() {
        for (hotdesk, no_hotdesk, was, is) in [
            (false, false, true, true),
            (false, false, false, false),
            (true, false, false, true),
            (false, true, true, false),
        ] {
            let mut value = was;
            Hotdesk { hotdesk, no_hotdesk }.set(&mut value);
            assert_eq!(value, is);
        }
    }
}
