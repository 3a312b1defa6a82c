//! Metrics: a counter for each log event, and a gauge for each thing that is up or down by the last event about it. So an
//! alarm can watch what the log says.

use std::fmt;
use std::sync::Arc;

use prometheus_client::encoding::{EncodeLabelSet, text::encode};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

/// The `Content-Type` of [`Metrics::text`].
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The event, and the reason of a refusal. Both are from small fixed sets.
#[derive(Clone, Debug, Default, EncodeLabelSet, Eq, Hash, PartialEq)]
struct Labels {
    event: String,
    reason: String,
}

/// A switch, as the configuration names it.
#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
struct Switch {
    switch: String,
}

/// A tenant on a switch.
#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
struct Table {
    switch: String,
    tenant: String,
}

/// How often each event happened since the start, and what is so now. Clones share it.
#[derive(Clone)]
pub struct Metrics {
    events: Family<Labels, Counter>,
    store: Gauge,
    switches: Family<Switch, Gauge>,
    held: Family<Table, Gauge>,
    registry: Arc<Registry>,
}

impl Default for Metrics {
    /// All counts are zero.
    fn default() -> Self {
        let (events, store, switches) = <(Family<_, _>, Gauge, Family<_, _>)>::default();
        let mut registry = Registry::with_prefix("hotdesk");
        registry.register("events", "Events by name, as docs/logs.md lists them", events.clone());
        registry.register("store_up", "Whether the store can be read and written", store.clone());
        registry.register("switch_up", "Whether Hotdesk is connected to a switch", switches.clone());
        let held = Family::default();
        registry.register(
            "held",
            "1 while nothing is written to a switch, as hotdesk check explains",
            held.clone(),
        );
        Self { events, store, switches, held, registry: Arc::new(registry) }
    }
}

impl Metrics {
    /// The metrics in the text format of OpenMetrics 1.0.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a string cannot fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}

impl<S: Subscriber> Layer<S> for Metrics {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let Fields { labels, switch, tenant } = fields;
        match labels.event.as_str() {
            "" => return,
            is @ ("store.up" | "store.down") => drop(self.store.set(i64::from(is == "store.up"))),
            is @ ("switch.up" | "switch.down" | "switch.refused") => {
                let up = self.switches.get_or_create_owned(&Switch { switch });
                up.set(i64::from(is == "switch.up"));
            }
            is @ ("table.held" | "table.released") => {
                let held = self.held.get_or_create_owned(&Table { switch, tenant });
                held.set(i64::from(is == "table.held"));
            }
            _ => {}
        }
        self.events.get_or_create(&labels).inc();
    }
}

/// The fields of an event that matter here.
#[derive(Default)]
struct Fields {
    labels: Labels,
    switch: String,
    tenant: String,
}

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "event" => self.labels.event = value.into(),
            "reason" => self.labels.reason = value.into(),
            _ => {}
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        match field.name() {
            "switch" => self.switch = format!("{value:?}"),
            "tenant" => self.tenant = format!("{value:?}"),
            _ => {}
        }
    }
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
            tracing::info!("an event of a library, without a name");
            for (store, switch) in [("store.down", "switch.up"), ("store.up", "switch.refused")] {
                tracing::info!(event = store, "store");
                tracing::info!(event = switch, switch = %"pbx", "switch");
            }
            for switch in ["a", "b"] {
                tracing::error!(event = "table.held", %switch, tenant = %"default", "held");
            }
            tracing::info!(event = "table.released", switch = %"b", tenant = %"default", "released");
        });
        let text = metrics.text();
        for line in [
            "hotdesk_store_up 1",
            "hotdesk_switch_up{switch=\"pbx\"} 0",
            "hotdesk_held{switch=\"a\",tenant=\"default\"} 1",
            "hotdesk_held{switch=\"b\",tenant=\"default\"} 0",
            "hotdesk_events_total{event=\"login.done\",reason=\"\"} 2",
            "hotdesk_events_total{event=\"login.refused\",reason=\"pin-wrong\"} 1",
        ] {
            assert!(text.lines().any(|is| is == line), "{text}");
        }
        assert!(!text.contains("101") && text.ends_with("# EOF\n"), "{text}");
        assert_eq!(text.lines().filter(|line| line.contains("login.")).count(), 2);
    }
}
