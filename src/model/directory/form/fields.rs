//! The fields of a JSON object, read one by one. What is wrong is collected, so that all of it can be said at once.

use std::fmt::Display;
use std::str::FromStr;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::model::auto_logout::AutoLogoutRules;

/// What is wrong with a field.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, ToSchema)]
pub struct Flaw {
    /// The field, as a JSON pointer (RFC 6901).
    pub pointer: String,
    /// What is wrong, and what is accepted.
    pub detail: String,
}

/// The fields of an object that have not been read yet, and the flaws of those that have.
#[derive(Debug)]
pub struct Fields {
    at: String,
    left: Map<String, Value>,
    flaws: Vec<Flaw>,
}

impl Fields {
    /// Those of this object.
    pub fn of(object: Map<String, Value>) -> Self {
        Self { at: String::new(), left: object, flaws: vec![] }
    }

    /// Notes a flaw of a field.
    pub fn refuse(&mut self, name: &str, detail: impl Display) {
        let name = name.replace('~', "~0").replace('/', "~1");
        self.flaws.push(Flaw { pointer: format!("{}/{name}", self.at), detail: detail.to_string() });
    }

    /// A value; none, if the field is null or not there, or has a flaw.
    pub fn value<T: DeserializeOwned>(&mut self, name: &str) -> Option<T> {
        let value = self.left.remove(name).filter(|value| !value.is_null())?;
        serde_json::from_value(value).map_err(|wrong| self.refuse(name, wrong)).ok()
    }

    /// The same for a value that must be there.
    pub fn needed<T: DeserializeOwned>(&mut self, name: &str) -> Option<T> {
        if self.left.get(name).is_none_or(Value::is_null) {
            self.left.remove(name);
            self.refuse(name, "this must be given");
            return None;
        }
        self.value(name)
    }

    /// A value that is written as text.
    pub fn text<T: FromStr<Err: Display>>(&mut self, name: &str) -> Option<T> {
        let text: String = self.value(name)?;
        text.parse().map_err(|wrong: T::Err| self.refuse(name, wrong)).ok()
    }

    /// True or false; `usual`, if it is not there.
    pub fn flag(&mut self, name: &str, usual: bool) -> bool {
        self.value(name).unwrap_or(usual)
    }

    /// Several values, `most` of them; none, if it is not there. Each that is wrong is a flaw of its own.
    pub fn list<T: DeserializeOwned>(&mut self, name: &str, most: usize) -> Vec<T> {
        let several: Vec<Value> = self.value(name).unwrap_or_default();
        if several.len() > most {
            self.refuse(name, format_args!("at most {most} are allowed"));
            return vec![];
        }
        let mut read = vec![];
        for (at, one) in several.into_iter().enumerate() {
            match serde_json::from_value(one) {
                Ok(one) => read.push(one),
                Err(wrong) => {
                    self.flaws.push(Flaw {
                        pointer: format!("{}/{name}/{at}", self.at),
                        detail: wrong.to_string(),
                    });
                }
            }
        }
        read
    }

    /// An object within; without fields, if it is not there.
    pub fn object<T>(&mut self, name: &str, read: impl FnOnce(&mut Self) -> T) -> T {
        let left = self.value(name).unwrap_or_default();
        let mut within = Self { at: format!("{}/{name}", self.at), left, flaws: vec![] };
        let value = read(&mut within);
        self.flaws.append(&mut within.end());
        value
    }

    /// The names that are left.
    pub fn names(&self) -> Vec<String> {
        self.left.keys().cloned().collect()
    }

    /// The rules of automatic logout.
    pub(super) fn auto_logout(&mut self) -> AutoLogoutRules {
        self.object("auto_logout", |rules| AutoLogoutRules {
            at: rules.value("at"),
            days: rules.value("days"),
            after: rules.value("after"),
            idle: rules.value("idle"),
            unregistered: rules.value("unregistered"),
        })
    }

    /// Fields that cannot be set: they may be sent only as they are, in the object before or in the one after the change.
    pub(super) fn fixed(&mut self, names: &[&str], objects: [Option<&Value>; 2]) {
        for name in names {
            let Some(sent) = self.left.remove(*name) else { continue };
            if !objects.iter().flatten().any(|object| object.get(name) == Some(&sent)) {
                self.refuse(name, "this cannot be set: leave it out");
            }
        }
    }

    /// The flaws; a field that nothing has read is one.
    pub fn end(mut self) -> Vec<Flaw> {
        for name in self.names() {
            self.refuse(&name, "there is no such field");
        }
        self.flaws
    }

    /// `value`, if there is no flaw.
    pub(super) fn into_result<T>(self, value: Option<T>) -> Result<T, Vec<Flaw>> {
        let flaws = self.end();
        value.filter(|_| flaws.is_empty()).ok_or(flaws)
    }
}

/// A record as JSON.
pub(super) fn json(form: &impl Serialize) -> Value {
    serde_json::to_value(form).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::id::{Extension, Number};

    #[test]
    fn every_flaw_is_named_with_its_place() {
        let Value::Object(object) = json!({
            "user": "12a", "flag": 1, "gone": null, "numbers": ["1", "x", 2], "a/b": true,
            "inner": { "number": "+", "more": 1 }, "auto_logout": { "at": "25:00" },
        }) else {
            unreachable!()
        };
        let mut fields = Fields::of(object);
        assert_eq!(fields.text::<Extension>("user"), None);
        assert!(fields.flag("flag", true));
        assert_eq!(fields.needed::<Number>("gone"), None);
        assert_eq!(fields.list::<Number>("numbers", 9).len(), 1);
        fields.object("inner", |inner| assert_eq!(inner.value::<Number>("number"), None));
        fields.auto_logout();
        let flaws = fields.end();
        let pointers: Vec<&str> = flaws.iter().map(|flaw| flaw.pointer.as_str()).collect();
        let all = [
            "/user",
            "/flag",
            "/gone",
            "/numbers/1",
            "/numbers/2",
            "/inner/number",
            "/inner/more",
            "/auto_logout/at",
            "/a~1b",
        ];
        assert_eq!(pointers, all, "{flaws:?}");
        assert_eq!(flaws[0].detail, "\"12a\" is not an extension: it takes 1 to 20 digits");
    }
}
