//! The records of a FreePBX that Hotdesk has a part in. Pure.
//!
//! | about | where FreePBX has it |
//! |---|---|
//! | a device's user | `DEVICE/<device>/user`: an extension, or `none` |
//! | a user's devices | `AMPUSER/<extension>/device`: devices joined by `&`; no key: none |
//! | a user's BLF | the hint of `<extension>` in `ext-local` |
//!
//! FreePBX reads these rows in both of its modes. Only a device's `type` differs: `adhoc` in Device & User mode, `fixed` in
//! Extensions mode, where each device belongs to the extension of its own name (core 16.0.68). FreePBX keeps all else itself:
//! number, name, class, language, recording, DND.
//!
//! Hotdesk changes only devices that it knows and where [users may log in](project::without_user): other devices in a list or
//! a hint stay. Where a login needs another device, or a user that FreePBX does not have, that record differs, and
//! [`writes::refusal`] says what to do.

mod hint;
pub(in crate::asterisk) mod project;
pub(in crate::asterisk) mod writes;

use std::collections::BTreeSet;

use crate::asterisk::ami::codec::Message;
use crate::asterisk::table::rows::{self as own, ASTDB};
use crate::model::desired::{About, Key, Records};
use crate::model::id::{DeviceName, Extension};

pub(super) const USERS: &str = "AMPUSER";
pub(super) const DEVICES: &str = "DEVICE";
/// Where FreePBX has the hints of its users.
pub(super) const HINTS: &str = "ext-local";
/// The user of a device without a user, and the default user of a device without an owner.
pub(in crate::asterisk) const NO_USER: &str = "none";
/// The type of a device where users may log in, in Device & User mode.
pub(in crate::asterisk) const ADHOC: &str = "adhoc";
/// The type of every other device.
pub(in crate::asterisk) const FIXED: &str = "fixed";

/// The fields of a user that are read. Others hold passwords.
const OF_USER: [&str; 3] = ["voicemail", "device", "hint"];
/// The fields of a device that are read.
const OF_DEVICE: [&str; 4] = ["type", "user", "dial", "default_user"];

/// The rows of a user that are read.
pub(super) fn of_user(user: &Extension) -> Vec<Key> {
    OF_USER.map(|field| user_key(user, field)).into()
}

/// The rows of a device that are read.
pub(super) fn of_device(device: &str) -> Vec<Key> {
    OF_DEVICE.map(|field| device_key(device, field)).into()
}

/// The devices in the lists among these rows.
pub(super) fn devices_of(rows: &Records) -> BTreeSet<String> {
    let lists = rows.iter().filter(|(key, _)| key.name.ends_with("/device"));
    lists.flat_map(|(_, list)| split(list)).map(str::to_owned).collect()
}

/// A row as `DBGetTree` lists it, of those that are read.
pub(super) fn listed(event: &Message) -> Option<(Key, String)> {
    let name = event.header("Key")?.strip_prefix('/')?;
    let (family, rest) = name.split_once('/')?;
    let (of, field) = rest.split_once('/')?;
    let key = match family {
        USERS if OF_USER.contains(&field) => user_key(&Extension::new(of).ok()?, field),
        DEVICES if OF_DEVICE.contains(&field) => device_key(of, field),
        _ => return None,
    };
    Some((key, event.header("Val").unwrap_or_default().to_owned()))
}

/// The hint of a user, as `ExtensionStateList` lists it.
pub(super) fn listed_hint(event: &Message) -> Option<(Key, String)> {
    let user = Extension::new(event.header("Exten")?).ok()?;
    (event.header("Context")? == HINTS).then(|| Some((hint_key(&user), event.header("Hint")?.to_owned())))?
}

fn user_key(user: &Extension, field: &str) -> Key {
    Key { about: About::User(user.clone()), part: ASTDB, name: format!("{USERS}/{user}/{field}") }
}

fn device_key(device: &str, field: &str) -> Key {
    let about = DeviceName::new(device).map_or(About::Other, About::Device);
    Key { about, part: ASTDB, name: format!("{DEVICES}/{device}/{field}") }
}

pub(super) fn hint_key(user: &Extension) -> Key {
    Key { about: About::Blf(user.clone()), part: own::HINTS, name: format!("{user}@{HINTS}") }
}

/// The devices of a list.
fn split(list: &str) -> impl Iterator<Item = &str> {
    list.split('&').map(str::trim).filter(|device| !device.is_empty())
}

#[cfg(test)]
mod tests;
