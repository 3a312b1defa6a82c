//! What differs between two of a kind, field by field.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::Value;

use super::print;

/// Text by name.
pub(super) type Fields = BTreeMap<String, String>;

/// What is known of somebody or something besides its `id`, as text by the names that the command line has for it.
pub(super) fn fields(of: &impl Serialize, id: &str) -> Fields {
    let mut fields = Fields::new();
    flatten("", &serde_json::to_value(of).unwrap_or_default(), &mut fields);
    fields.retain(|name, _| name != "tenant" && name != id);
    fields
}

fn flatten(name: &str, value: &Value, fields: &mut Fields) {
    let text = match value {
        Value::Null => return,
        Value::Bool(is) => print::yes(*is).to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(several) if several.is_empty() => return,
        Value::Array(several) => several.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" "),
        // What an enum holds: `{"number": "0205"}`.
        Value::Object(parts) if parts.len() == 1 => {
            return parts.values().for_each(|value| flatten(name, value, fields));
        }
        Value::Object(parts) => {
            for (part, value) in parts {
                let part = part.replace('_', "-");
                flatten(&if name.is_empty() { part } else { format!("{name}-{part}") }, value, fields);
            }
            return;
        }
        Value::Number(number) => number.to_string(),
    };
    fields.insert(name.to_owned(), text);
}

/// `name Bob -> Robert`; of something new only what it is.
pub(super) fn difference(was: &Fields, is: &Fields) -> Vec<String> {
    let names: BTreeSet<&String> = was.keys().chain(is.keys()).collect();
    let text = |side: &Fields, name: &String| side.get(name).cloned().unwrap_or_else(|| "-".to_owned());
    let differs = names.into_iter().filter(|name| was.get(*name) != is.get(*name));
    differs
        .map(|name| match was.is_empty() {
            true => format!("{name} {}", text(is, name)),
            false => format!("{name} {} -> {}", text(was, name), text(is, name)),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desk::id::{Extension, TenantId};
    use crate::desk::model::{CallerId, User};

    #[test]
    fn fields_are_named_as_on_the_command_line() {
        let ann = User::new(TenantId::default(), Extension::new("101").unwrap());
        let changed = User {
            name: "Ann".parse().ok(),
            caller_id: "0205".parse().map(CallerId::Number).unwrap(),
            hotdesk: false,
            ..ann.clone()
        };
        let of = |user: &User| fields(user, "extension");
        assert_eq!(
            difference(&of(&ann), &of(&changed)),
            ["caller-id extension -> 0205", "hotdesk yes -> no", "name - -> Ann"]
        );
        assert_eq!(difference(&Fields::new(), &of(&ann)), ["caller-id extension", "hotdesk yes"]);
        assert!(difference(&of(&ann), &of(&ann)).is_empty());
    }
}
