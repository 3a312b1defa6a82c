//! The form of a page, read and filled in as a browser without scripts does it.

use std::collections::BTreeMap;

use crate::harness::browser::{Answer, Browser};

/// A form with what it would send now.
#[derive(Clone, Debug)]
pub struct Form {
    action: String,
    pub fields: BTreeMap<String, String>,
}

fn plain(text: &str) -> String {
    text.replace("&quot;", "\"").replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let rest = tag.split(&format!(" {name}=\"")).nth(1)?;
    Some(plain(rest.split('"').next()?))
}

impl Form {
    /// The form on the page that goes to `action`.
    #[track_caller]
    pub fn to(action: &str, page: &Answer) -> Self {
        let text = page.text();
        let form = text.split("<form").find(|form| {
            let tag = form.split('>').next().unwrap_or_default();
            tag.contains("method=\"post\"") && attribute(tag, "action").as_deref() == Some(action)
        });
        let form = form.unwrap_or_else(|| panic!("no form to {action} in {text}"));
        let form = form.split("</form>").next().unwrap_or_default();
        let mut fields = BTreeMap::new();
        let mut choice = None;
        for tag in form.split('<').map(|rest| rest.split('>').next().unwrap_or_default()) {
            let name = attribute(tag, "name");
            let value = attribute(tag, "value").unwrap_or_default();
            match (tag.split(' ').next(), name) {
                (Some("select"), Some(name)) => choice = Some(name),
                (Some("/select"), _) => choice = None,
                (Some("option"), _) => {
                    // Without a choice a browser sends the first one.
                    if let Some(name) = &choice
                        && (tag.ends_with(" selected") || !fields.contains_key(name))
                    {
                        fields.insert(name.clone(), value);
                    }
                }
                (Some("input"), Some(name))
                    if !tag.contains("type=\"checkbox\"") || tag.contains(" checked") =>
                {
                    fields.insert(name, value);
                }
                _ => {}
            }
        }
        Self { action: action.to_owned(), fields }
    }

    /// Types into fields. What is not on the form cannot be typed.
    #[track_caller]
    pub fn with(mut self, typed: &[(&str, &str)]) -> Self {
        for (name, value) in typed {
            assert!(self.fields.contains_key(*name), "no field {name} in {:?}", self.fields.keys());
            self.fields.insert((*name).to_owned(), (*value).to_owned());
        }
        self
    }

    pub fn send(&self, browser: &mut Browser) -> Answer {
        let fields: Vec<(&str, &str)> =
            self.fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        browser.post(&self.action, &fields)
    }
}

/// Fills in the form of a page that goes to `action`, sends it, and expects to be led to a page that says `said`.
#[track_caller]
pub fn fill(browser: &mut Browser, page: &str, action: &str, typed: &[(&str, &str)], said: &str) {
    let shown = browser.get(page);
    let answer = Form::to(action, &shown).with(typed).send(browser);
    let to = answer.header("location").unwrap_or_default();
    assert!(answer.status == 303 && to.ends_with(&format!("said={said}")), "{to:?} {}", answer.text());
}
