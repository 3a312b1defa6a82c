//! What people read: plain columns, times, and values that can be taken away.

use std::fmt;
use std::io::Write;
use std::str::FromStr;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;

/// Columns under their names, as wide as what is in them.
pub(super) fn table(out: &mut dyn Write, names: &[&str], rows: &[Vec<String>]) -> anyhow::Result<()> {
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

/// One name and value a line.
pub(super) fn facts(out: &mut dyn Write, facts: &[(&str, String)]) -> anyhow::Result<()> {
    let width = facts.iter().map(|(name, _)| name.len()).max().unwrap_or_default();
    for (name, value) in facts {
        writeln!(out, "{name:<width$}  {value}")?;
    }
    Ok(())
}

/// A value as JSON.
pub(super) fn json(out: &mut dyn Write, value: &impl Serialize) -> anyhow::Result<()> {
    writeln!(out, "{}", serde_json::to_string_pretty(value)?)?;
    Ok(())
}

/// To the second, in the zone of this machine, with its offset: fit for `journal --since`.
pub(super) fn time(at: Timestamp) -> String {
    at.to_zoned(TimeZone::system()).strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
}

/// What there is, else a dash.
pub(super) fn or_dash(value: Option<&impl fmt::Display>) -> String {
    value.map_or_else(|| "-".into(), ToString::to_string)
}

pub(super) const fn yes(is: bool) -> &'static str {
    if is { "yes" } else { "no" }
}

/// A new value, or by an empty one that there shall be none.
#[derive(Clone, Debug)]
pub(super) struct Given<T>(Option<T>);

impl<T> Given<T> {
    /// Replaces `value` if something was given.
    pub(super) fn put(given: Option<Self>, value: &mut Option<T>) {
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

/// `--hotdesk` and `--no-hotdesk`.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(super) struct Hotdesk {
    /// For hotdesking (the default for a new one)
    #[arg(long)]
    hotdesk: bool,
    /// Not for hotdesking
    #[arg(long, conflicts_with = "hotdesk")]
    no_hotdesk: bool,
}

impl Hotdesk {
    /// Replaces `value` if something was given.
    pub(super) const fn put(self, value: &mut bool) {
        *value = self.hotdesk || (*value && !self.no_hotdesk);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_stand_under_their_names_and_lines_end_without_blanks() {
        let mut out = Vec::new();
        let rows = [
            vec!["desk1".into(), "Zoë".into(), "x".into()],
            vec!["d".into(), "Bob B.".into(), String::new()],
        ];
        table(&mut out, &["DEVICE", "NAME", "X"], &rows).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), "DEVICE  NAME    X\ndesk1   Zoë     x\nd       Bob B.\n");
    }

    #[test]
    fn hotdesking_stays_as_it_is_unless_something_is_given() {
        for (hotdesk, no_hotdesk, was, is) in [
            (false, false, true, true),
            (false, false, false, false),
            (true, false, false, true),
            (false, true, true, false),
        ] {
            let mut value = was;
            Hotdesk { hotdesk, no_hotdesk }.put(&mut value);
            assert_eq!(value, is);
        }
    }
}
