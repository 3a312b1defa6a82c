//! The rows of Hotdesk that FreePBX should hold. Each keeps what others have put into it.

use std::collections::{BTreeMap, BTreeSet};

use super::hint::hint;
use super::{ADHOC, FIXED, NO_USER, device_key, hint_key, split, user_key};
use crate::model::desired::{Desired, DesiredDevice, Key, Records};
use crate::model::id::{DeviceName, Extension};

/// The user row of a device without a login; none if FreePBX lets no user log in there.
///
/// A `fixed` device of Extensions mode belongs to the extension of its own name. FreePBX refuses every call of such a device
/// with `none`, emergency calls too.
pub(in crate::asterisk) fn without_user<'a>(
    device: &'a str,
    kind: Option<&str>,
    default_user: Option<&str>,
) -> Option<&'a str> {
    match kind {
        Some(ADHOC) => Some(NO_USER),
        Some(FIXED) if default_user == Some(device) => Some(device),
        _ => None,
    }
}

/// The records for `desired`, beside what was `found`.
pub(in crate::asterisk::freepbx) fn project(desired: &Desired, found: &Records) -> Records {
    let site = Site { desired, found };
    let mut wanted = Records::new();
    // The devices of each user.
    let mut at: BTreeMap<Extension, BTreeSet<&str>> = BTreeMap::new();
    for (name, device) in &desired.devices {
        let Some(row) = site.row(name, device) else {
            if device.is_logged_in() {
                wanted.insert(device_key(name.as_str(), "type"), ADHOC.into());
            }
            continue;
        };
        wanted.insert(device_key(name.as_str(), "user"), row.into());
        let own = site.own_number(name, device).filter(|own| device.owner.as_ref() != Some(own));
        for user in Extension::new(row).into_iter().chain(own) {
            at.entry(user).or_default().insert(name.as_str());
        }
        // FreePBX has no such user: only where a device needs the user that matters.
        if let Some(missing) = device.user.as_ref().filter(|user| !site.has(user)) {
            wanted.insert(user_key(missing, "voicemail"), "novm".into());
        }
    }
    let users: BTreeSet<&Extension> = desired.users.keys().chain(at.keys()).collect();
    for user in users.into_iter().filter(|user| site.has(user)) {
        let list = site.list(user, at.get(user));
        // FreePBX itself deletes a list without devices.
        if !list.is_empty() || site.get(user_key(user, "device")).is_some() {
            wanted.insert(user_key(user, "device"), list.join("&"));
        }
        let of = |key: Key| site.get(key).unwrap_or_default();
        let dials = list.iter().filter_map(|device| site.get(device_key(device, "dial")));
        wanted.insert(hint_key(user), hint(of(hint_key(user)), of(user_key(user, "hint")), dials));
    }
    wanted
}

/// The desired state, and what FreePBX holds.
struct Site<'a> {
    desired: &'a Desired,
    found: &'a Records,
}

impl<'a> Site<'a> {
    fn get(&self, key: Key) -> Option<&'a str> {
        self.found.get(&key).map(|value| value.trim())
    }

    fn has(&self, user: &Extension) -> bool {
        self.get(user_key(user, "voicemail")).is_some()
    }

    /// The user row that a device should have; none if Hotdesk leaves it alone. A user whom FreePBX no longer has gives the
    /// device back to its owner.
    fn row(&self, name: &'a DeviceName, device: &'a DesiredDevice) -> Option<&'a str> {
        let without = self.without_user(name.as_str())?;
        let is_ours = without == NO_USER || device.hotdesk || self.is_left(name.as_str());
        let user = device.user.as_ref().filter(|user| self.has(user));
        // The rows of an owner may be outside the scope: an owner in the row stays.
        let stays = |owner: &&Extension| self.get(device_key(name.as_str(), "user")) == Some(owner.as_str());
        let owner = || device.user.as_ref().and(device.owner.as_ref());
        let user = user.or_else(|| owner().filter(|owner| self.has(owner) || stays(owner)));
        is_ours.then(|| user.map_or(without, Extension::as_str))
    }

    fn without_user(&self, device: &'a str) -> Option<&'a str> {
        let field = |field| self.get(device_key(device, field));
        without_user(device, field("type"), field("default_user"))
    }

    /// Whether a login is left at a device that is no longer for hotdesking: both rows still have it.
    fn is_left(&self, device: &str) -> bool {
        let user = self.get(device_key(device, "user")).filter(|user| *user != device);
        let list = user.and_then(|user| self.get(user_key(&Extension::new(user).ok()?, "device")));
        list.is_some_and(|list| split(list).any(|it| it == device))
    }

    /// The extension of a `fixed` device itself. It rings there also while a guest is logged in, unless it is the owner's.
    fn own_number(&self, name: &'a DeviceName, device: &DesiredDevice) -> Option<Extension> {
        let own = self.without_user(name.as_str()).filter(|row| *row != NO_USER && device.hotdesk)?;
        Extension::new(own).ok()
    }

    /// The devices of a user: those that stay, then those that come.
    fn list(&self, user: &Extension, here: Option<&BTreeSet<&'a str>>) -> Vec<&'a str> {
        let is_here = |device: &str| here.is_some_and(|here| here.contains(device));
        let ours = |device: &str| {
            let known = DeviceName::new(device).ok();
            let known = known.and_then(|name| self.desired.devices.get_key_value(&name));
            known.is_some_and(|(name, device)| self.row(name, device).is_some())
        };
        let found = self.get(user_key(user, "device")).unwrap_or_default();
        let mut list: Vec<&str> = split(found).filter(|it| !ours(it) || is_here(it)).collect();
        let come = here.into_iter().flatten().filter(|it| !split(found).any(|has| has == **it));
        list.extend(come);
        list
    }
}
