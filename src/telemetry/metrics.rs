//! Metrics: each event that is logged, counted by its name. What can be read in a log line by hand, an alarm can watch.

use std::fmt;
use std::sync::Arc;

use prometheus_client::encoding::{EncodeLabelSet, text::encode};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

/// What [`Metrics::text`] is: `Content-Type`.
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Which event, and for a refusal why. Both are names of ours, of which there are few.
#[derive(Clone, Debug, Default, EncodeLabelSet, Eq, Hash, PartialEq)]
struct Labels {
    event: String,
    reason: String,
}

/// How often each event happened since the start. Clones count together.
#[derive(Clone)]
pub struct Metrics {
    events: Family<Labels, Counter>,
    registry: Arc<Registry>,
}

impl Default for Metrics {
    /// Nothing has happened yet.
    fn default() -> Self {
        let events = Family::default();
        let mut registry = Registry::with_prefix("hotdesk");
        registry.register("events", "Events by name, as docs/logs.md lists them", events.clone());
        Self { events, registry: Arc::new(registry) }
    }
}

impl Metrics {
    /// All of them in the text format of OpenMetrics 1.0.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a string does not fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}

impl<S: Subscriber> Layer<S> for Metrics {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut labels = Labels::default();
        event.record(&mut labels);
        if !labels.event.is_empty() {
            self.events.get_or_create(&labels).inc();
        }
    }
}

impl Visit for Labels {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "event" => self.event = value.into(),
            "reason" => self.reason = value.into(),
            _ => {}
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn fmt::Debug) {}
}

#[cfg(test)]
mod tests {
    use tracing_subscriber::layer::SubscriberExt;

    use super::*;

    #[test]
    fn each_event_is_counted_by_its_name_and_a_refusal_by_its_reason() {
        let metrics = Metrics::default();
        let subscriber = tracing_subscriber::registry().with(metrics.clone());
        tracing::subscriber::with_default(subscriber, || {
            for _ in 0..2 {
                tracing::info!(event = "login.done", user = %"101", "logged in");
            }
            tracing::info!(event = "login.refused", reason = "pin-wrong", user = %"102", "refused");
            tracing::info!("something of a library's");
        });
        let text = metrics.text();
        for line in [
            "hotdesk_events_total{event=\"login.done\",reason=\"\"} 2",
            "hotdesk_events_total{event=\"login.refused\",reason=\"pin-wrong\"} 1",
        ] {
            assert!(text.lines().any(|is| is == line), "{text}");
        }
        assert!(!text.contains("101") && text.ends_with("# EOF\n"), "{text}");
        assert_eq!(text.lines().filter(|line| !line.starts_with('#')).count(), 2);
    }
}
