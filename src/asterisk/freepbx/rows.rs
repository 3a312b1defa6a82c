//! What a FreePBX keeps of the [table](crate::desk::table), and what has to be written so that it keeps it. Pure.
//!
//! | row | where FreePBX has it |
//! |---|---|
//! | a device's user | `DEVICE/<device>/user`: an extension, or `none` |
//! | a user's lamp: the devices where he is | `AMPUSER/<extension>/device`: devices joined by `&`; no key: none |
//! | | the hint of `<extension>` in `ext-local`: what these devices are dialled by, and FreePBX's own behind it |
//!
//! All else is FreePBX's own (number, name, class, language, recording, do not disturb), so it is taken to be as expected. Only
//! `adhoc` devices are ours, and of those only the ones that we know: whatever else stands in a list or a hint stays.
//! Read from FreePBX core (`agi-bin/user_login_out.agi`, `functions.inc.php` of 2024-09).

use std::collections::{BTreeMap, BTreeSet};

use super::super::ami::Action;
use crate::asterisk::rows::NOWHERE;
use crate::desk::id::{DialTarget, Extension};
use crate::desk::table::{DeviceRow, Edit, Key, Lamp, Row, Scope, Table, joined};
use crate::switch::SwitchError;

/// Where FreePBX has the hints of its users.
pub(super) const HINTS: &str = "ext-local";
/// The user of a device at which nobody is.
pub(super) const NOBODY: &str = "none";

/// What there is of the users and devices that are asked about.
#[derive(Debug, Default)]
pub(super) struct Seen {
    pub(super) devices: BTreeMap<String, Station>,
    pub(super) users: BTreeMap<Extension, Person>,
}

/// A device; nothing in it: FreePBX has none of this name.
#[derive(Clone, Debug, Default)]
pub(super) struct Station {
    /// `adhoc`, where users may log in, or `fixed`.
    pub(super) kind: Option<String>,
    pub(super) user: Option<String>,
    pub(super) dial: Option<String>,
}

/// A user.
#[derive(Clone, Debug, Default)]
pub(super) struct Person {
    /// The context of his mailbox, or `novm`; none: FreePBX has no such user.
    pub(super) voicemail: Option<String>,
    pub(super) devices: Vec<String>,
    pub(super) hint: String,
}

/// What is written for a difference.
#[derive(Debug, Default)]
pub(super) struct Writes {
    /// Rows and hints.
    pub(super) rows: Vec<Action>,
    /// What FreePBX's own script tells of a login, for who listens.
    pub(super) events: Vec<Action>,
    /// Devices with another user than before.
    pub(super) moved: BTreeMap<String, Option<Extension>>,
    /// What could not be made true in a FreePBX.
    pub(super) refused: Option<SwitchError>,
}

impl Seen {
    /// The rows of `scope` as FreePBX has them, where `expected` are those that it should have.
    pub(super) fn table(&self, scope: &Scope, expected: &Table) -> Table {
        let ours: BTreeSet<&str> =
            expected.keys().filter_map(device).filter(|it| self.is_adhoc(it)).collect();
        let mut table = Table::new();
        for (key, row) in expected.iter().filter(|(key, _)| scope.contains(key)) {
            let seen = match (key, row) {
                (Key::Device(device), Row::Device(row)) => self.device_row(device.as_str(), row),
                // He has a lamp, or should have none.
                (Key::User(user), _) => {
                    let lamp = Key::Lamp(user.clone());
                    let seen = self.lamp(user, expected.get(&lamp), &ours);
                    table.extend(seen.map(|row| (lamp, row)));
                    row.clone()
                }
                (Key::Lamp(_), _) => continue,
                _ => row.clone(),
            };
            table.insert(key.clone(), seen);
        }
        table
    }

    fn is_adhoc(&self, device: &str) -> bool {
        self.devices.get(device).is_some_and(|it| it.kind.as_deref() == Some("adhoc"))
    }

    fn device_row(&self, device: &str, expected: &DeviceRow) -> Row {
        let found = self.devices.get(device).and_then(Station::user);
        let wanted = expected.user.as_ref().map(Extension::as_str);
        let logged_in = wanted.is_some() && expected.revision.0 > 0;
        if found == wanted || !self.is_adhoc(device) && !logged_in {
            return Row::Device(expected.clone());
        }
        if !self.is_adhoc(device) {
            return Row::Unreadable(found.unwrap_or(NOBODY).into());
        }
        match found.map(Extension::new).transpose() {
            Ok(user) => Row::Device(DeviceRow { user, ..expected.clone() }),
            Err(_) => Row::Unreadable(found.unwrap_or(NOBODY).into()),
        }
    }

    /// What is expected, if the user's list of devices says so, and his hint what that list says. A hint that is missing, as
    /// after FreePBX's own logout, is put there even if he is nowhere: nobody could watch him without.
    fn lamp(&self, user: &Extension, expected: Option<&Row>, ours: &BTreeSet<&str>) -> Option<Row> {
        let wanted = self.adhoc_of(watched(expected));
        let Some(person) = self.users.get(user).filter(|person| person.voicemail.is_some()) else {
            let unknown = || Row::Unreadable(format!("FreePBX has no user {user}"));
            return if wanted.is_empty() { expected.cloned() } else { Some(unknown()) };
        };
        let listed = person.devices.iter().map(String::as_str);
        let has: BTreeSet<&str> = listed.filter(|it| ours.contains(it)).collect();
        if has != wanted {
            // What is expected and none of ours is taken to be there; so the difference is what is to be written.
            let others = targets(watched(expected)).filter(|it| !wanted.contains(name_of(it)));
            let has = has.into_iter().map(|device| format!("PJSIP/{device}"));
            let has: Vec<String> = others.map(str::to_owned).chain(has).collect();
            let watch = joined(&has.iter().map(String::as_str).collect::<Vec<_>>());
            return Some(Row::Lamp(Lamp { watch, busy: false }));
        }
        let as_listed = self.hint(user, &person.devices);
        if !person.hint.is_empty() && phones(&person.hint).eq(phones(&as_listed)) {
            return expected.cloned();
        }
        Some(Row::Unreadable(person.hint.clone()))
    }

    /// The hint of who has these devices: what they are dialled by, then what FreePBX itself has in the hint that stands
    /// (`Custom:DND101`, and `CustomPresence:101` behind a comma). Never empty, or its watchers would hear nothing.
    fn hint(&self, user: &Extension, devices: &[String]) -> String {
        let standing = self.users.get(user).map(|person| person.hint.as_str()).unwrap_or_default();
        let (states, presence) = standing.split_once(',').map_or((standing, None), |(a, b)| (a, Some(b)));
        let mut parts: Vec<&str> =
            devices.iter().filter_map(|it| self.devices.get(it)?.dial.as_deref()).collect();
        if parts.is_empty() {
            parts.push(NOWHERE);
        }
        parts.extend(states.split('&').filter(|part| part.starts_with("Custom:") && *part != NOWHERE));
        let states = parts.join("&");
        presence.map_or(states.clone(), |presence| format!("{states},{presence}"))
    }

    /// Those devices in a dial target at which users of a FreePBX may log in.
    fn adhoc_of<'a>(&self, dial: Option<&'a DialTarget>) -> BTreeSet<&'a str> {
        targets(dial).map(name_of).filter(|device| self.is_adhoc(device)).collect()
    }

    /// What makes these edits true. Nothing of a device that is not `adhoc` now, or of a user who is none of FreePBX's.
    pub(super) fn writes(&self, edits: &[Edit]) -> Writes {
        let mut writes = Writes::default();
        for Edit { key, was, is } in edits {
            match (key, is) {
                (Key::Device(device), Some(Row::Device(row))) => {
                    self.seat(device.as_str(), row.user.as_ref(), &mut writes);
                }
                (Key::Lamp(user), is) => self.place(user, was.as_ref(), is.as_ref(), &mut writes),
                _ => {}
            }
        }
        writes
    }

    /// Writes where a user is from what is no longer and what is new.
    fn place(&self, user: &Extension, was: Option<&Row>, is: Option<&Row>, writes: &mut Writes) {
        let Some(person) = self.users.get(user).filter(|it| it.voicemail.is_some()) else {
            return writes.refuse(&format!("user {user}"), "it has no such user: add him there");
        };
        let new = self.adhoc_of(watched(is));
        let gone = self.adhoc_of(watched(was)).difference(&new).copied().collect();
        let list = list(person, &gone, &new);
        if list != person.devices {
            writes.rows.push(put("AMPUSER", format!("{user}/device"), &list.join("&")));
        }
        writes.rows.push(
            Action::new("DialplanExtensionAdd")
                .with("Context", HINTS)
                .with("Extension", user.as_str())
                .with("Priority", "hint")
                .with("Application", self.hint(user, &list))
                .with("Replace", "yes"),
        );
    }

    fn seat(&self, device: &str, user: Option<&Extension>, writes: &mut Writes) {
        let found = self.devices.get(device).and_then(Station::user);
        if !self.is_adhoc(device) {
            let why = match self.devices.get(device).and_then(|station| station.kind.as_deref()) {
                Some(kind) => format!(
                    "it is of type {kind} there: make it adhoc, or: hotdesk device set {device} --no-hotdesk"
                ),
                None => {
                    format!("it has no such device: add it in FreePBX, or: hotdesk device remove {device}")
                }
            };
            return writes.refuse(&format!("device {device}"), &why);
        }
        let wanted = user.map(Extension::as_str);
        writes.rows.push(put("DEVICE", format!("{device}/user"), wanted.unwrap_or(NOBODY)));
        if found == wanted {
            return;
        }
        let told = |event: &str, user: &str| {
            Action::new("UserEvent").with("UserEvent", event).with("Data", format!("{user},{device}"))
        };
        writes.events.extend(found.map(|user| told("UserDeviceRemoved", user)));
        writes.events.extend(wanted.map(|user| told("UserDeviceAdded", user)));
        writes.moved.insert(device.to_owned(), user.cloned());
    }
}

impl Station {
    /// Who is there.
    fn user(&self) -> Option<&str> {
        self.user.as_deref().map(str::trim).filter(|user| !user.is_empty() && *user != NOBODY)
    }
}

impl Writes {
    fn refuse(&mut self, what: &str, why: &str) {
        self.refused.get_or_insert_with(|| SwitchError::Refused(what.into(), format!("FreePBX: {why}")));
    }
}

/// FreePBX itself deletes a list without devices.
fn put(family: &'static str, key: String, value: &str) -> Action {
    match value {
        "" => Action::new("DBDel").with("Family", family).with("Key", key),
        value => Action::new("DBPut").with("Family", family).with("Key", key).with("Val", value),
    }
}

fn device(key: &Key) -> Option<&str> {
    if let Key::Device(device) = key { Some(device.as_str()) } else { None }
}

/// A user's devices, less those that are `gone`, with those that are `new`.
fn list(person: &Person, gone: &BTreeSet<&str>, new: &BTreeSet<&str>) -> Vec<String> {
    let stay = person.devices.iter().filter(|it| !gone.contains(it.as_str()));
    let come = new.iter().filter(|it| !person.devices.iter().any(|has| has == *it));
    stay.cloned().chain(come.map(|it| (*it).to_owned())).collect()
}

/// The devices of a lamp.
pub(super) fn watched(lamp: Option<&Row>) -> Option<&DialTarget> {
    if let Some(Row::Lamp(lamp)) = lamp { lamp.watch.as_ref() } else { None }
}

/// What is dialled, one by one.
pub(super) fn targets(dial: Option<&DialTarget>) -> impl Iterator<Item = &str> {
    dial.into_iter().flat_map(|dial| dial.as_str().split('&'))
}

/// The device that a target rings: FreePBX names the endpoints after them.
pub(super) fn name_of(target: &str) -> &str {
    target.strip_prefix("PJSIP/").unwrap_or_default()
}

/// The phones in a hint, in an order of their own.
fn phones(hint: &str) -> impl Iterator<Item = &str> {
    let states = hint.split(',').next().unwrap_or_default();
    let phones: BTreeSet<&str> =
        states.split('&').filter(|part| !part.is_empty() && !part.starts_with("Custom:")).collect();
    phones.into_iter()
}

#[cfg(test)]
mod tests;
