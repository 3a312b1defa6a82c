//! The difference between two versions of a record, field by field. A field has the name of its option on the command line.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::device::Device;
use super::location::Location;
use super::user::User;
use crate::model::id::Number;

/// The fields of a record as text.
pub type Fields = BTreeMap<String, String>;

/// What a field holds when a record does not mention it.
const DEFAULTS: [(&str, &str); 5] = [
    ("dnd", "no"),
    ("in-turn", "no"),
    ("kind", "desk"),
    ("recording", "never"),
    ("when-logged-out", "voicemail"),
];
/// Names of fields that differ from those of the options.
const RENAMED: [(&str, &str); 4] = [
    ("do-not-disturb", "dnd"),
    ("may-dial-class", "class"),
    ("may-dial-numbers", "may-dial"),
    ("rings-in-turn", "in-turn"),
];

/// A field that changed.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct FieldChange {
    /// Its name.
    pub field: String,
    /// The value before; none: it was not set.
    pub from: Option<String>,
    /// The value after; none: it is not set any more.
    pub to: Option<String>,
}

impl FieldChange {
    /// The same for the journal: without the numbers to which a user's calls are forwarded.
    #[must_use]
    pub fn without_private_numbers(mut self) -> Self {
        let forwards = self.field.starts_with("forward") || self.field == "when-logged-out";
        for value in [&mut self.from, &mut self.to].into_iter().flatten() {
            if forwards && Number::new(&*value).is_ok() {
                "a number".clone_into(value);
            }
        }
        self
    }
}

impl std::fmt::Display for FieldChange {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let text = |value: &Option<String>| value.clone().unwrap_or_else(|| "-".to_owned());
        write!(f, "{} {} -> {}", self.field, text(&self.from), text(&self.to))
    }
}

/// A record with fields.
pub trait Record: Serialize {
    /// The field that names the record, which is left out.
    const ID: &'static str;
}

impl Record for Device {
    const ID: &'static str = "name";
}

impl Record for Location {
    const ID: &'static str = "name";
}

impl Record for User {
    const ID: &'static str = "extension";
}

/// The fields of a record that it mentions.
pub fn fields<R: Record>(of: &R) -> Fields {
    let mut fields = Fields::new();
    flatten("", &serde_json::to_value(of).unwrap_or_default(), &mut fields);
    fields.retain(|name, _| name != "tenant" && name != R::ID);
    fields
}

fn flatten(name: &str, value: &Value, fields: &mut Fields) {
    let yes = |is: bool| if is { "yes" } else { "no" }.to_owned();
    let text = match value {
        Value::Null => return,
        Value::Bool(is) => yes(*is),
        Value::String(text) => text.clone(),
        Value::Array(several) if several.is_empty() => return,
        Value::Array(several) => several.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" "),
        Value::Object(parts) => {
            let part = |name| parts.get(name);
            match (part("number"), part("signed_in"), part("paused")) {
                (Some(number), ..) => return flatten(name, number, fields),
                (_, Some(Value::Bool(false)), _) => "out".to_owned(),
                (_, Some(_), Some(Value::Bool(true))) => "paused".to_owned(),
                (_, Some(_), _) => "in".to_owned(),
                _ => {
                    for (part, value) in parts {
                        let part = part.replace('_', "-");
                        let inner = matches!(name, "" | "profile");
                        flatten(&if inner { part } else { format!("{name}-{part}") }, value, fields);
                    }
                    return;
                }
            }
        }
        Value::Number(number) => number.to_string(),
    };
    let renamed = RENAMED.iter().find(|(field, _)| *field == name);
    fields.insert(renamed.map_or(name, |(_, option)| option).to_owned(), text);
}

/// The fields that differ, by name.
pub fn difference(was: &Fields, is: &Fields) -> Vec<FieldChange> {
    let default = |name: &String| DEFAULTS.iter().find(|(field, _)| field == name).map(|(_, value)| *value);
    let value = |side: &Fields, name: &String| {
        side.get(name).cloned().or_else(|| default(name).map(ToOwned::to_owned))
    };
    let names: BTreeSet<&String> = was.keys().chain(is.keys()).collect();
    let change =
        |name: &String| FieldChange { field: name.clone(), from: value(was, name), to: value(is, name) };
    names.into_iter().map(change).filter(|change| change.from != change.to).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::directory::profile::Membership;
    use crate::model::id::{Extension, GroupName, Number, TenantId};

    fn user() -> User {
        User::new(TenantId::default(), Extension::new("101").unwrap())
    }

    fn changes(edit: impl FnOnce(&mut User)) -> Vec<String> {
        let mut is = user();
        edit(&mut is);
        difference(&fields(&user()), &fields(&is)).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn only_what_differs_is_named_and_as_its_option() {
        assert!(changes(|_| {}).is_empty());
        assert_eq!(changes(|user| user.profile.do_not_disturb = true), ["dnd no -> yes"]);
        assert_eq!(changes(|user| user.name = "Ann".parse().ok()), ["name - -> Ann"]);
        assert_eq!(
            changes(|user| user.profile.forward.busy = Number::new("0612").ok()),
            ["forward-busy - -> 0612"]
        );
        assert_eq!(changes(|user| user.profile.rings.in_turn = true), ["in-turn no -> yes"]);
        let sales = |membership| (GroupName::new("sales").unwrap(), membership);
        for (membership, text) in [
            (Membership::default(), "out"),
            (Membership { signed_in: true, paused: false }, "in"),
            (Membership { signed_in: true, paused: true }, "paused"),
        ] {
            let changed = changes(|user| user.profile.groups.extend([sales(membership)]));
            assert_eq!(changed, [format!("groups-sales - -> {text}")]);
        }
    }

    #[test]
    fn the_journal_gets_no_number_that_calls_are_forwarded_to() {
        let change = |field: &str| FieldChange {
            field: field.to_owned(),
            from: None,
            to: Some("0612345678".to_owned()),
        };
        for (field, shown) in [
            ("forward-always", "forward-always - -> a number"),
            ("forward-unanswered", "forward-unanswered - -> a number"),
            ("when-logged-out", "when-logged-out - -> a number"),
            ("numbers", "numbers - -> 0612345678"),
        ] {
            assert_eq!(change(field).without_private_numbers().to_string(), shown);
        }
        let (from, to) = (Some("voicemail".to_owned()), Some("busy".to_owned()));
        let change = FieldChange { field: "when-logged-out".into(), from, to };
        assert_eq!(change.without_private_numbers().to_string(), "when-logged-out voicemail -> busy");
    }
}
