//! `hotdesk journal`: the entries of the journal, and counts of them.

use std::io::Write;
use std::time::Duration;

use anyhow::Result;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};

use super::context::CommandContext;
use super::output;
use crate::controller::journal;
use crate::model::id::Revision;
use crate::model::journal::Entry;
use crate::model::journal::daily_counts::Counted;

#[derive(Debug, clap::Args)]
pub(super) struct Journal {
    /// Follow new entries until you press Ctrl-C; without --since and --limit, the last ten come first
    #[arg(long, short)]
    follow: bool,
    /// Show entries from then on: a time (2026-03-01 08:00), a date (2026-03-01), or a span (2h, 30m, 7d)
    #[arg(long, value_name = "T", value_parser = since)]
    since: Option<Timestamp>,
    /// Show the last entries only, this many at the most
    #[arg(long, short = 'n', value_name = "N", value_parser = count, allow_negative_numbers = true)]
    limit: Option<u64>,
    /// Count entries by kind for each day in UTC, including days whose entries are no longer kept
    #[arg(long, conflicts_with_all = ["follow", "limit", "since"])]
    counts: bool,
    /// Print JSON: one object a line
    #[arg(long)]
    json: bool,
}

/// Headings of the columns of [`Counted::ALL`].
const HEADS: [&str; Counted::ALL.len()] =
    ["LOGINS", "LOGOUTS", "UNDONE", "REFUSALS", "REPAIRS", "SPRAYS", "OTHER"];

const PAGE: usize = 500;
/// How many entries come before those that are followed.
const FOLLOWED: u64 = 10;

/// How long one wait for new entries lasts before the next one; any value works.
const PATIENCE: Duration = Duration::from_secs(30);

impl Journal {
    pub(super) async fn run(self, context: &CommandContext, out: &mut dyn Write) -> Result<()> {
        if self.counts {
            return self.print_counts(context, out).await;
        }
        let mut after = self.start(context).await?;
        loop {
            let page = context.store.journal(&context.tenant, after, PAGE).await?;
            for entry in &page {
                self.print(entry, out)?;
                after = entry.revision;
            }
            out.flush()?;
            if page.len() == PAGE {
                continue;
            }
            if !self.follow {
                return Ok(());
            }
            while context.store.changed(&context.tenant, after, PATIENCE).await? <= after {}
        }
    }

    /// The revision after which to begin.
    async fn start(&self, context: &CommandContext) -> Result<Revision> {
        let before = async |at| {
            let next = context.store.revision_at(&context.tenant, at).await?;
            anyhow::Ok(next.0.saturating_sub(1))
        };
        let from = match self.since {
            Some(since) => before(since).await?,
            None => 0,
        };
        let followed = (self.follow && self.since.is_none()).then_some(FOLLOWED);
        let Some(limit) = self.limit.or(followed) else { return Ok(Revision(from)) };
        // Entries are numbered without a gap.
        Ok(Revision(from.max(before(Timestamp::MAX).await?.saturating_sub(limit))))
    }

    async fn print_counts(&self, context: &CommandContext, out: &mut dyn Write) -> Result<()> {
        let counts = journal::counts(&*context.store, &context.tenant).await?;
        let rows = counts.days().map(|(day, times)| {
            let times = Counted::ALL.map(|what| (what.name(), times.get(&what).copied().unwrap_or(0)));
            (day, times)
        });
        if self.json {
            for (day, times) in rows {
                let mut row = serde_json::Map::from_iter([("day".to_owned(), day.to_string().into())]);
                row.extend(times.map(|(what, times)| (what.to_owned(), times.into())));
                writeln!(out, "{}", serde_json::Value::Object(row))?;
            }
            return Ok(());
        }
        let names: Vec<&str> = std::iter::once("DAY").chain(HEADS).collect();
        let row = |(day, times): (Date, [(_, u64); _])| {
            std::iter::once(day.to_string()).chain(times.map(|(_, times)| times.to_string())).collect()
        };
        output::table(out, &names, &rows.map(row).collect::<Vec<_>>())
    }

    fn print(&self, entry: &Entry, out: &mut dyn Write) -> Result<()> {
        if self.json {
            writeln!(out, "{}", serde_json::to_string(entry)?)?;
            return Ok(());
        }
        write!(out, "{}  {}", output::time(entry.at), entry.line(output::time))?;
        if let Some(call) = &entry.call {
            write!(out, "  (call {call})")?;
        }
        writeln!(out)?;
        Ok(())
    }
}

/// `20`
fn count(text: &str) -> Result<u64, &'static str> {
    text.parse().map_err(|_| "use a whole number, for example 20")
}

/// A time, a date, or a span before now.
fn since(text: &str) -> Result<Timestamp, &'static str> {
    since_from(text, Timestamp::now(), &TimeZone::system())
}

fn since_from(text: &str, now: Timestamp, zone: &TimeZone) -> Result<Timestamp, &'static str> {
    let local = |time: DateTime| time.to_zoned(zone.clone()).ok().map(|time| time.timestamp());
    let date = || text.parse::<Date>().ok().filter(|_| text.len() == 10).and_then(|date| local(date.into()));
    let ago =
        |span: Span| now.to_zoned(zone.clone()).checked_sub(span.abs()).ok().map(|time| time.timestamp());
    let time = text.parse().ok().or_else(date);
    let time = time.or_else(|| text.parse::<DateTime>().ok().and_then(local));
    let time = time.or_else(|| text.parse::<Span>().ok().and_then(ago));
    let time = time.or_else(|| printed(text, zone));
    time.ok_or("use a time (2026-03-01 08:00), a date (2026-03-01) or a span (2h, 30m, 7d)")
}

/// A time as [`output::time`] prints it. When clocks go back, the zone says which of two times it is.
fn printed(text: &str, zone: &TimeZone) -> Option<Timestamp> {
    let (civil, _) = text.rsplit_once(' ')?;
    let civil: DateTime = civil.parse().ok()?;
    let times = [zone.to_ambiguous_timestamp(civil).earlier(), zone.to_ambiguous_timestamp(civil).later()];
    times.into_iter().flatten().find(|at| output::time_in(*at, zone.clone()) == text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn since_takes_a_time_a_date_or_a_span() {
        let now: Timestamp = "2026-03-10T12:00:00Z".parse().unwrap();
        let zone = TimeZone::fixed(jiff::tz::offset(1));
        for (text, at) in [
            ("2026-03-01T08:00:00Z", "2026-03-01T08:00:00Z"),
            ("2026-03-01T08:00:00+01:00", "2026-03-01T07:00:00Z"),
            ("2026-03-01T08:00:00", "2026-03-01T07:00:00Z"),
            ("2026-03-01", "2026-02-28T23:00:00Z"),
            ("2h", "2026-03-10T10:00:00Z"),
            ("30m", "2026-03-10T11:30:00Z"),
            ("7d", "2026-03-03T12:00:00Z"),
            ("1h 30m", "2026-03-10T10:30:00Z"),
            ("2h ago", "2026-03-10T10:00:00Z"),
        ] {
            assert_eq!(since_from(text, now, &zone), Ok(at.parse().unwrap()), "{text}");
        }
        let amsterdam = TimeZone::get("Europe/Amsterdam").unwrap();
        for (text, at) in [
            ("2026-10-25 02:30:00 CEST", "2026-10-25T00:30:00Z"),
            ("2026-10-25 02:30:00 CET", "2026-10-25T01:30:00Z"),
        ] {
            let at = at.parse().unwrap();
            assert_eq!(output::time_in(at, amsterdam.clone()), text);
            assert_eq!(since_from(text, now, &amsterdam), Ok(at));
        }
        assert!(since_from("2026-10-25 02:30:00 GMT", now, &amsterdam).is_err());
        for bad in ["", "yesterday", "2", "2026-13-01", "99999999y"] {
            assert!(since_from(bad, now, &zone).is_err(), "{bad}");
        }
    }
}
