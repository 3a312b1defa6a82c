//! What is written into a FreePBX for a difference, and which difference it cannot take.

use std::collections::BTreeMap;

use super::{FIXED, HINTS, NO_USER};
use crate::asterisk::ami::codec::Action;
use crate::model::desired::{About, Edit};
use crate::model::id::{DeviceName, Extension};
use crate::switch::SwitchError;

/// The actions that repair differences.
#[derive(Debug, Default)]
pub(in crate::asterisk::freepbx) struct Writes {
    /// Rows and hints.
    pub(in crate::asterisk::freepbx) rows: Vec<Action>,
    /// The events that FreePBX's own script sends to other programs at a login.
    pub(in crate::asterisk::freepbx) events: Vec<Action>,
    /// Devices with another user than before.
    pub(in crate::asterisk::freepbx) moved: BTreeMap<String, Option<Extension>>,
}

/// The actions that repair these differences; none for one that has a [`refusal`].
pub(in crate::asterisk::freepbx) fn writes(edits: &[Edit]) -> Writes {
    let mut writes = Writes::default();
    for edit in edits.iter().filter(|edit| refusal(edit).is_none()) {
        let Edit { key, was, is } = edit;
        let is = is.as_deref().unwrap_or_default();
        match &key.about {
            About::Blf(user) => writes.rows.push(
                Action::new("DialplanExtensionAdd")
                    .with("Context", HINTS)
                    .with("Extension", user.as_str())
                    .with("Priority", "hint")
                    .with("Application", is)
                    .with("Replace", "yes"),
            ),
            About::Device(device) => {
                writes.rows.push(put(&key.name, is));
                writes.user_changed(device, person(was.as_deref()), person(Some(is)));
            }
            _ => writes.rows.push(put(&key.name, is)),
        }
    }
    writes
}

/// Why FreePBX cannot have this record, and what to do: Hotdesk adds no user and no device there, and changes no type.
pub(in crate::asterisk::freepbx) fn refusal(Edit { key, was, .. }: &Edit) -> Option<SwitchError> {
    let refused = |what: String, why: String| Some(SwitchError::Refused(what, format!("FreePBX: {why}")));
    match (&key.about, key.name.rsplit('/').next()?) {
        (About::Device(device), "type") => {
            let why = match was.as_deref() {
                None => {
                    format!("it has no such device: add it in FreePBX, or: hotdesk device remove {device}")
                }
                Some(kind) => format!("{}: {}", not_for_users(device, kind), remedy(device)),
            };
            refused(format!("device {device}"), why)
        }
        (About::User(user), "voicemail") => {
            let why = format!("it has no such user: add the user there, or: hotdesk user remove {user}");
            refused(format!("user {user}"), why)
        }
        _ => None,
    }
}

/// Why no user can log in at a device of this type.
pub(in crate::asterisk) fn not_for_users(device: &DeviceName, kind: &str) -> String {
    match kind {
        FIXED => format!("it is of type {kind} there, and {device} is not its default user"),
        _ => format!("it is of type {kind} there"),
    }
}

/// What to do about it.
pub(in crate::asterisk) fn remedy(device: &DeviceName) -> String {
    format!("make it adhoc, or: hotdesk device set {device} --no-hotdesk")
}

impl Writes {
    /// Adds the events of a device with another user, as FreePBX's own script sends them.
    fn user_changed(&mut self, device: &DeviceName, was: Option<&str>, is: Option<&str>) {
        let of = |event: &str, user: &str| {
            Action::new("UserEvent").with("UserEvent", event).with("Data", format!("{user},{device}"))
        };
        self.events.extend(was.map(|user| of("UserDeviceRemoved", user)));
        self.events.extend(is.map(|user| of("UserDeviceAdded", user)));
        self.moved.insert(device.to_string(), is.and_then(|user| Extension::new(user).ok()));
    }
}

/// The user in a device's row.
fn person(value: Option<&str>) -> Option<&str> {
    value.map(str::trim).filter(|user| !user.is_empty() && *user != NO_USER)
}

pub(super) fn put(name: &str, value: &str) -> Action {
    let (family, key) = name.split_once('/').unwrap_or_default();
    let of = |action| Action::new(action).with("Family", family).with("Key", key);
    if value.is_empty() { of("DBDel") } else { of("DBPut").with("Val", value) }
}
