//! What changed between versions of the data, in JSON. The stores read and write it.
//!
//! Version 2 is the first one of main. Version 3 keeps every record under a kind and a name, with the terms of the glossary.
//! Version 4 has the identity of the data. Version 5 has accounts, and journal entries that name
//! them. Version 6 has keys of the API, likewise.

use serde_json::{Map, Value};

use crate::model::command::Kind;

/// The version of the data that this program reads and writes.
pub(super) const VERSION: u32 = 6;
/// The oldest version that is migrated.
pub(super) const OLDEST: u32 = 2;

/// The old and the new name of a count of dropped entries.
pub(super) const COUNTED: (&str, &str) = ("taken_back", "undone");

/// The version before the identity.
pub(super) const WITHOUT_IDENTITY: u32 = 3;
/// The versions before accounts and before keys. Their data is as in this one.
pub(super) const WITHOUT_ACCESS: [u32; 2] = [4, 5];

/// The record's body of version 2 in version 3.
pub(super) fn record(kind: Kind, body: &mut Value) {
    let Value::Object(fields) = body else { return };
    match kind {
        Kind::Device | Kind::Location | Kind::User => rename(fields, "leave", "auto_logout"),
        Kind::Failures => {
            rename(fields, "failures", "recent");
            rename(fields, "row", "in_a_row");
            rename(fields, "locks", "lockouts");
            // Version 2 kept it beside the body. It says only when this may be forgotten, so the newest known time will do.
            let recent = fields.get("recent").and_then(Value::as_array).into_iter().flatten();
            let newest = recent.filter_map(|failure| failure.get(0)?.as_i64()).max();
            let last = newest.or_else(|| fields.get("until")?.as_i64()).unwrap_or_default();
            fields.insert("last".into(), last.into());
        }
        Kind::Account | Kind::ApiKey | Kind::Observation | Kind::Pin | Kind::Session => {}
    }
}

/// An observation of version 2, whose times are microseconds since 1970, in version 3.
pub(super) fn observation(fields: impl IntoIterator<Item = (String, i64)>) -> Result<Value, jiff::Error> {
    let mut observed = Map::new();
    for (field, at) in fields {
        let field = match field.as_str() {
            "gone" => "unregistered",
            "quiet" => "last_call",
            "stays" => "extended",
            other => other,
        };
        observed.insert(field.into(), Value::String(jiff::Timestamp::from_microsecond(at)?.to_string()));
    }
    Ok(Value::Object(observed))
}

/// A journal entry of version 2 in version 3.
pub(super) fn entry(entry: &mut Value) {
    let Value::Object(fields) = entry else { return };
    match fields.get("event").and_then(Value::as_str) {
        Some("moved") => {
            fields.insert("event".into(), "sessions_changed".into());
            rename(fields, "removed", "ended");
            rename(fields, "seated", "begun");
        }
        Some("stays") => {
            fields.insert("event".into(), "extended".into());
        }
        _ => {}
    }
    if let Some(Value::Object(by)) = fields.get_mut("by") {
        rename(by, "phone", "device");
    }
}

/// The transition of version 2 in version 3.
pub(super) fn transition(transition: &mut Value) {
    let Value::Object(fields) = transition else { return };
    rename(fields, "removed", "ended");
    rename(fields, "seated", "begun");
}

fn rename(fields: &mut Map<String, Value>, from: &str, to: &str) {
    if let Some(value) = fields.remove(from) {
        fields.insert(to.into(), value);
    }
}
