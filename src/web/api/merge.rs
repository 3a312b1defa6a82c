//! JSON merge patch (RFC 7396).

use serde_json::{Map, Value};

/// The object with the patch applied. What the patch sets to null is gone.
pub(super) fn merged(object: Value, patch: Map<String, Value>) -> Map<String, Value> {
    let mut merged = match object {
        Value::Object(object) => object,
        _ => Map::new(),
    };
    for (name, value) in patch {
        match value {
            Value::Null => drop(merged.remove(&name)),
            Value::Object(patch) => {
                let was = merged.remove(&name).unwrap_or_default();
                merged.insert(name, Value::Object(self::merged(was, patch)));
            }
            other => drop(merged.insert(name, other)),
        }
    }
    merged
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_patch_changes_what_it_names() {
        // From appendix A of RFC 7396, as far as both are objects.
        for (object, patch, merged) in [
            (json!({"a": "b"}), json!({"a": "c"}), json!({"a": "c"})),
            (json!({"a": "b"}), json!({"b": "c"}), json!({"a": "b", "b": "c"})),
            (json!({"a": "b", "b": "c"}), json!({"a": null}), json!({"b": "c"})),
            (json!({"a": ["b"]}), json!({"a": "c"}), json!({"a": "c"})),
            (json!({"a": {"b": "c"}}), json!({"a": {"b": "d", "c": null}}), json!({"a": {"b": "d"}})),
            (json!({"a": [{"b": "c"}]}), json!({"a": [1]}), json!({"a": [1]})),
            (json!({"e": null}), json!({"a": 1}), json!({"e": null, "a": 1})),
            (json!({}), json!({"a": {"bb": {"ccc": null}}}), json!({"a": {"bb": {}}})),
        ] {
            let Value::Object(patch) = patch else { unreachable!() };
            assert_eq!(Value::Object(super::merged(object, patch)), merged);
        }
    }
}
