//! `hotdesk journal`: what happened.

use std::io::Write;
use std::str::FromStr;
use std::time::Duration;

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};

use super::print;
use super::site::Site;
use crate::controller::journal;
use crate::desk::count::Counted;
use crate::desk::id::Revision;
use crate::desk::journal::Entry;

#[derive(Debug, clap::Args)]
pub(super) struct Journal {
    /// Stay, and show what happens from now on; without --since after the last ten
    #[arg(long, short)]
    follow: bool,
    /// Not older than this: a time (2026-03-01T08:00:00Z), a date (2026-03-01), or a span (2h, 30m, 7d)
    #[arg(long, value_name = "T")]
    since: Option<Since>,
    /// How often what happened, by the day in UTC; also of days whose entries are no longer kept
    #[arg(long, conflicts_with_all = ["follow", "since"])]
    counts: bool,
    /// One JSON object a line
    #[arg(long)]
    json: bool,
}

/// What people read over the columns of [`Counted::ALL`].
const HEADS: [&str; Counted::ALL.len()] =
    ["LOGINS", "LOGOUTS", "TAKEN BACK", "REFUSALS", "REPAIRS", "SPRAYS", "OTHER"];

/// Entries read at a time.
const PAGE: usize = 500;

/// How long we wait for something to happen before we ask again; any value does.
const PATIENCE: Duration = Duration::from_secs(30);

impl Journal {
    pub(super) async fn run(self, site: &Site, out: &mut dyn Write) -> anyhow::Result<()> {
        if self.counts {
            return self.print_counts(site, out).await;
        }
        let mut after = self.start(site).await?;
        loop {
            let page = site.store.journal(&site.tenant, after, PAGE).await?;
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
            while site.store.changed(&site.tenant, after, PATIENCE).await? <= after {}
        }
    }

    /// The revision after which to begin.
    async fn start(&self, site: &Site) -> anyhow::Result<Revision> {
        if let Some(Since(since)) = self.since {
            let first = site.store.revision_at(&site.tenant, since).await?;
            return Ok(Revision(first.0.saturating_sub(1)));
        }
        if !self.follow {
            return Ok(Revision(0));
        }
        let next = site.store.revision_at(&site.tenant, Timestamp::MAX).await?;
        Ok(Revision(next.0.saturating_sub(1).saturating_sub(10)))
    }

    async fn print_counts(&self, site: &Site, out: &mut dyn Write) -> anyhow::Result<()> {
        let counts = journal::counts(&*site.store, &site.tenant).await?;
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
        print::table(out, &names, &rows.map(row).collect::<Vec<_>>())
    }

    fn print(&self, entry: &Entry, out: &mut dyn Write) -> anyhow::Result<()> {
        if self.json {
            writeln!(out, "{}", serde_json::to_string(entry)?)?;
            return Ok(());
        }
        write!(out, "{}  {entry}", print::time(entry.at))?;
        if let Some(call) = &entry.call {
            write!(out, "  (call {call})")?;
        }
        writeln!(out)?;
        Ok(())
    }
}

/// The moment from which on entries are shown.
#[derive(Clone, Copy, Debug)]
struct Since(Timestamp);

impl Since {
    fn parse(text: &str, now: Timestamp, zone: &TimeZone) -> Result<Self, String> {
        let local = |time: DateTime| time.to_zoned(zone.clone()).ok().map(|time| time.timestamp());
        let ago =
            |span: Span| now.to_zoned(zone.clone()).checked_sub(span.abs()).ok().map(|time| time.timestamp());
        let time = text.parse::<Timestamp>().ok();
        let time = time
            .or_else(|| text.parse::<Date>().ok().filter(|_| text.len() == 10).and_then(|d| local(d.into())));
        let time = time.or_else(|| text.parse::<DateTime>().ok().and_then(local));
        let time = time.or_else(|| text.parse::<Span>().ok().and_then(ago));
        time.map(Self).ok_or_else(|| {
            "it takes a time (2026-03-01T08:00:00Z), a date (2026-03-01) or a span (2h, 30m, 7d)".into()
        })
    }
}

impl FromStr for Since {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        Self::parse(text, Timestamp::now(), &TimeZone::system())
    }
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
            let since = Since::parse(text, now, &zone).map(|since| since.0);
            assert_eq!(since, Ok(at.parse().unwrap()), "{text}");
        }
        for bad in ["", "yesterday", "2", "2026-13-01", "99999999y"] {
            assert!(Since::parse(bad, now, &zone).is_err(), "{bad}");
        }
    }
}
