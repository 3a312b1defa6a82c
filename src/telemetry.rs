//! Logs: one line an event on standard error, for people or as JSON, and [`metrics`] of the same events. `docs/logs.md`
//! describes the fields.

mod json;
pub mod metrics;

use std::io;

use tracing::Subscriber;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::format::JsonFields;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::{EnvFilter, Layer as _};

use metrics::Metrics;

/// How a log line is written.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, serde::Deserialize)]
#[serde(try_from = "String")]
pub enum Format {
    /// One JSON object a line.
    Json,
    /// For people.
    #[default]
    Text,
}

impl TryFrom<String> for Format {
    type Error = String;
    fn try_from(format: String) -> Result<Self, String> {
        match format.as_str() {
            "json" => Ok(Self::Json),
            "text" => Ok(Self::Text),
            _ => Err(format!("{format:?} is no log format: it takes text or json")),
        }
    }
}

/// Which events are logged: a level (`info`), or levels by module (`info,hotdesk::asterisk=debug`).
#[derive(Clone, Debug, Eq, PartialEq, serde::Deserialize)]
#[serde(try_from = "String")]
pub struct Level(String);

impl Level {
    /// Checks `level`.
    ///
    /// # Errors
    /// [`BadLevel`] says what would have been accepted.
    pub fn new(level: impl Into<String>) -> Result<Self, BadLevel> {
        let level = level.into();
        // A filter takes a lone word that is no level for the name of a module; here it is a slip.
        let ends_in_level =
            |one: &str| one.rsplit('=').next().is_some_and(|l| l.parse::<LevelFilter>().is_ok());
        if level.split(',').all(ends_in_level) && filter(&level).is_ok() {
            Ok(Self(level))
        } else {
            Err(BadLevel(level))
        }
    }
}

impl Default for Level {
    /// `info`.
    fn default() -> Self {
        Self("info".into())
    }
}

impl TryFrom<String> for Level {
    type Error = BadLevel;
    fn try_from(level: String) -> Result<Self, BadLevel> {
        Self::new(level)
    }
}

/// A level that cannot be read.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error(
    "{0:?} is no log level: it takes error, warn, info, debug or trace, \
     if need be by module as in info,hotdesk::asterisk=debug"
)]
pub struct BadLevel(String);

fn filter(level: &str) -> Result<EnvFilter, tracing_subscriber::filter::ParseError> {
    EnvFilter::builder().with_default_directive(LevelFilter::OFF.into()).parse(level)
}

/// Logs to standard error from now on, and counts, whatever is logged of it. Does nothing if something logs already, as in
/// a test.
pub fn start(format: Format, level: &Level) -> Metrics {
    let metrics = Metrics::default();
    let _ = tracing::subscriber::set_global_default(subscriber(format, level, io::stderr, metrics.clone()));
    metrics
}

fn subscriber<W>(
    format: Format,
    level: &Level,
    writer: W,
    metrics: Metrics,
) -> Box<dyn Subscriber + Send + Sync>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    // A level was checked when it was made.
    let filter = filter(&level.0).unwrap_or_default();
    let counted = tracing_subscriber::registry().with(metrics.with_filter(LevelFilter::INFO));
    let lines = tracing_subscriber::fmt::layer().with_writer(writer).with_target(false);
    match format {
        Format::Json => {
            let lines = lines.fmt_fields(JsonFields::new()).event_format(json::Flat);
            Box::new(counted.with(lines.with_filter(filter)))
        }
        Format::Text => Box::new(counted.with(lines.with_ansi(false).with_filter(filter))),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Page(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Page {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn logged(format: Format, level: &str) -> String {
        let page = Page::default();
        let writer = page.clone();
        let subscriber =
            subscriber(format, &Level::new(level).unwrap(), move || writer.clone(), Metrics::default());
        tracing::subscriber::with_default(subscriber, || {
            let _in_call = tracing::info_span!("call", call = %"1700.1", device = %"desk1").entered();
            tracing::info!(event = "login.done", user = %"101", revision = 7, "logged in");
            tracing::debug!(event = "login.asked", "asked");
        });
        String::from_utf8(page.0.lock().unwrap().clone()).unwrap()
    }

    #[test]
    fn a_json_line_carries_its_fields_and_its_calls_at_the_top() {
        let line: serde_json::Value = serde_json::from_str(&logged(Format::Json, "info")).unwrap();
        assert_eq!(line["event"], "login.done");
        assert_eq!(line["call"], "1700.1");
        assert_eq!(line["device"], "desk1");
        assert_eq!(line["user"], "101");
        assert_eq!(line["revision"], 7);
        assert_eq!(line["level"], "INFO");
        assert_eq!(line["message"], "logged in");
        assert!(line["time"].as_str().unwrap().parse::<jiff::Timestamp>().is_ok());
    }

    #[test]
    fn a_text_line_can_be_searched_for_the_same_fields() {
        let line = logged(Format::Text, "info");
        assert!(line.contains("call=1700.1 device=desk1"), "{line}");
        assert!(line.contains("event=\"login.done\" user=101"), "{line}");
    }

    #[test]
    fn only_the_levels_asked_for_are_logged() {
        assert_eq!(logged(Format::Text, "debug").lines().count(), 2);
        assert_eq!(logged(Format::Text, "info").lines().count(), 1);
        assert_eq!(logged(Format::Text, "error"), "");
        assert_eq!(logged(Format::Text, "error,hotdesk::telemetry=debug").lines().count(), 2);
    }

    #[test]
    fn a_misspelt_level_is_refused() {
        for bad in ["loud", "info,hotdesk=loud"] {
            assert!(Level::new(bad).is_err_and(|e| e.to_string().contains(bad)), "{bad}");
        }
    }
}
