//! The PJSIP endpoints of a `pjsip.conf`: which are phones named as extensions, and the change that makes one a hotdesk.

use super::tree::{Section, Setting, Tree};
use crate::switch::config_file::NotReadable;

/// The context of an endpoint that names none.
const DEFAULT: &str = "default";

/// An endpoint.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Phone {
    /// Its name.
    pub name: String,
    /// Where its calls begin.
    pub context: String,
    /// The name of its `callerid`.
    pub caller_name: Option<String>,
    /// The number of its `callerid`.
    pub caller_number: Option<String>,
    /// The first of its mailboxes.
    pub mailbox: Option<String>,
    /// Whether it is named as an extension.
    pub is_extension: bool,
}

impl Phone {
    fn of(name: &str, settings: &[Setting]) -> Self {
        let last = |key: &str| value(settings, key).filter(|value| !value.is_empty());
        let (caller_name, caller_number) = last("callerid").map_or((None, None), caller);
        let mailbox = last("mailboxes").and_then(|boxes| boxes.split(',').next());
        Self {
            name: name.into(),
            context: last("context").unwrap_or(DEFAULT).into(),
            caller_name,
            caller_number,
            mailbox: mailbox.map(|mailbox| mailbox.trim().into()),
            is_extension: name.chars().all(|key| key.is_ascii_digit()),
        }
    }
}

/// The value that counts: of several settings of a key, the last.
pub(super) fn value<'a>(settings: &'a [Setting], key: &str) -> Option<&'a str> {
    settings.iter().rfind(|setting| setting.key == key).map(|setting| setting.value.as_str())
}

/// `"Bob B." <202>`, `Bob <202>`, `202`.
fn caller(text: &str) -> (Option<String>, Option<String>) {
    let full = |text: &str| {
        let text = text.trim().trim_matches('"').trim();
        (!text.is_empty()).then(|| text.to_owned())
    };
    match text.split_once('<') {
        Some((name, number)) => (full(name), full(number.trim_end().trim_end_matches('>'))),
        None => (None, full(text).filter(|text| text.chars().all(|key| key.is_ascii_digit() || key == '+'))),
    }
}

/// All endpoints, in the order of the file.
pub(super) fn phones(pjsip: &Tree) -> Result<Vec<Phone>, NotReadable> {
    Ok(endpoints(pjsip)?.into_iter().map(|(section, settings)| Phone::of(&section.name, &settings)).collect())
}

fn endpoints(pjsip: &Tree) -> Result<Vec<(Section, Vec<Setting>)>, NotReadable> {
    let mut endpoints = vec![];
    for section in pjsip.sections.iter().filter(|section| !section.options.iter().any(|it| it == "!")) {
        let settings = pjsip.resolved(section)?;
        if section.options.iter().any(|option| option.starts_with('+')) {
            let names = |(known, _): &(Section, _)| known.name == section.name;
            if endpoints.iter().any(names) || value(&settings, "type") == Some("endpoint") {
                return Err(
                    pjsip.not_readable(section.at, "Hotdesk does not read a section that adds to another")
                );
            }
        } else if value(&settings, "type") == Some("endpoint") {
            endpoints.push((section.clone(), settings));
        }
    }
    Ok(endpoints)
}

/// Sends the calls of an endpoint to Hotdesk. It shows the called party, and BLF keys find what they found before.
pub(super) fn to_hotdesk(pjsip: &mut Tree, name: &str) -> Result<(), NotReadable> {
    for (section, settings) in endpoints(pjsip)?.into_iter().filter(|(section, _)| section.name == name) {
        let before = Phone::of(name, &settings).context;
        let yes = value(&settings, "send_pai").is_some_and(|it| ["yes", "true", "1", "on"].contains(&it));
        let new = [
            (
                value(&settings, "subscribe_context").is_none_or(str::is_empty),
                "subscribe_context",
                before.as_str(),
            ),
            (!yes, "send_pai", "yes"),
            (true, "context", "hotdesk"),
        ];
        for (_, key, value) in new.into_iter().filter(|(needed, ..)| *needed) {
            pjsip.set(&section, key, value);
        }
    }
    Ok(())
}
