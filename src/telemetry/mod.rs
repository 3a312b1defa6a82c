//! The log: one line for each event on standard error, as text or JSON, and [`metrics`] that count the same events.
//! `docs/logs.md` describes the fields.

mod json;
pub mod metrics;

use std::io::{self, IsTerminal as _};

use tracing::Subscriber;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::format::JsonFields;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::{EnvFilter, Layer as _};

use metrics::Metrics;

/// The format of log lines.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, serde::Deserialize)]
#[serde(try_from = "String")]
pub enum Format {
    /// One JSON object a line.
    Json,
    /// Text for people; coloured on a terminal.
    #[default]
    Text,
}

impl TryFrom<String> for Format {
    type Error = String;
    fn try_from(format: String) -> Result<Self, String> {
        match format.as_str() {
            "json" => Ok(Self::Json),
            "text" => Ok(Self::Text),
            _ => Err(format!("{format:?} is not a log format: use text or json")),
        }
    }
}

/// Which events are logged: a level (`info`), or levels by module (`info,hotdesk::asterisk=debug`).
#[derive(Clone, Debug, Eq, PartialEq, serde::Deserialize)]
#[serde(try_from = "String")]
pub struct Level(String);

impl Default for Level {
    /// `info`.
    fn default() -> Self {
        Self("info".into())
    }
}

impl TryFrom<String> for Level {
    type Error = String;
    fn try_from(level: String) -> Result<Self, String> {
        // The filter would read an unknown level as the name of a module.
        let ends_in_level =
            |one: &str| one.rsplit('=').next().is_some_and(|l| l.parse::<LevelFilter>().is_ok());
        if level.split(',').all(ends_in_level) && filter(&level).is_ok() {
            return Ok(Self(level));
        }
        Err(format!(
            "{level:?} is not a log level: use error, warn, info, debug or trace, also by module: \
             info,hotdesk::asterisk=debug"
        ))
    }
}

fn filter(level: &str) -> Result<EnvFilter, tracing_subscriber::filter::ParseError> {
    EnvFilter::builder().with_default_directive(LevelFilter::OFF.into()).parse(level)
}

/// Starts logging to standard error, and counting every event, logged or not. Keeps a subscriber that is there already, as
/// in a test.
pub fn start(format: Format, level: &Level) -> Metrics {
    let metrics = Metrics::default();
    let colour =
        io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let subscriber = subscriber(format, level, io::stderr, colour, metrics.clone());
    let _ = tracing::subscriber::set_global_default(subscriber);
    metrics
}

fn subscriber<W>(
    format: Format,
    level: &Level,
    writer: W,
    colour: bool,
    metrics: Metrics,
) -> Box<dyn Subscriber + Send + Sync>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    // A level is only what the filter accepts.
    let filter = filter(&level.0).unwrap_or_default();
    let counted = tracing_subscriber::registry().with(metrics.with_filter(LevelFilter::INFO));
    let lines = tracing_subscriber::fmt::layer().with_writer(writer).with_target(false);
    match format {
        Format::Json => {
            let lines = lines.fmt_fields(JsonFields::new()).event_format(json::Flat);
            Box::new(counted.with(lines.with_filter(filter)))
        }
        Format::Text => Box::new(counted.with(lines.with_ansi(colour).with_filter(filter))),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Seek as _;
    use std::sync::Arc;

    use super::*;

    fn logged(format: Format, level: &str) -> String {
        let log = Arc::new(tempfile::tempfile().unwrap());
        let level = Level::try_from(level.to_owned()).unwrap();
        let subscriber = subscriber(format, &level, log.clone(), false, Metrics::default());
        tracing::subscriber::with_default(subscriber, || {
            let _in_call = tracing::info_span!("call", call = %"1700.1", device = %"desk1").entered();
            tracing::info!(event = "login.done", user = %"101", revision = 7, "logged in");
            tracing::debug!(event = "login.asked", "asked");
        });
        let mut log = &*log;
        log.rewind().unwrap();
        io::read_to_string(log).unwrap()
    }

    #[test]
    fn a_json_line_has_its_own_fields_and_those_of_its_call() {
        let line: serde_json::Value = serde_json::from_str(&logged(Format::Json, "info")).unwrap();
        assert!(line["time"].as_str().unwrap().parse::<jiff::Timestamp>().is_ok());
        let expected = serde_json::json!({
            "event": "login.done", "call": "1700.1", "device": "desk1", "user": "101", "revision": 7, "level": "INFO",
            "message": "logged in", "time": line["time"]
        });
        assert_eq!(line, expected);
    }

    #[test]
    fn a_text_line_has_the_same_fields() {
        let line = logged(Format::Text, "info");
        assert!(line.contains("call=1700.1 device=desk1"), "{line}");
        assert!(line.contains("event=\"login.done\" user=101"), "{line}");
    }

    #[test]
    fn only_the_configured_levels_are_logged() {
        assert_eq!(logged(Format::Text, "debug").lines().count(), 2);
        assert_eq!(logged(Format::Text, "info").lines().count(), 1);
        assert_eq!(logged(Format::Text, "error"), "");
        assert_eq!(logged(Format::Text, "error,hotdesk::telemetry=debug").lines().count(), 2);
    }

    #[test]
    fn a_misspelt_level_is_refused() {
        for bad in ["loud", "info,hotdesk=loud"] {
            assert!(Level::try_from(bad.to_owned()).is_err_and(|why| why.contains(bad)), "{bad}");
        }
    }
}
