//! A FreePBX, in either of its modes. This module reads its users and devices from AstDB (`AMPUSER/<extension>/…` and
//! `DEVICE/<id>/…`) for the import, and writes nothing. [`table`] is its switch table.

mod mwi;
pub(in crate::asterisk) mod rows;
pub mod table;

use std::collections::{BTreeMap, BTreeSet};

use zeroize::Zeroizing;

use super::ami::client::Manager;
use super::ami::codec::Action;
use super::table::database;
use crate::model::directory::{CallerId, User};
use crate::model::id::{DeviceName, DialTarget, DisplayName, Extension, Language, Mailbox, Number, TenantId};
use crate::model::login::pin::Pin;
use crate::model::login::weak_pin::weak_pin;
use crate::switch::SwitchError;
use rows::project::without_user;
use rows::{ADHOC, NO_USER};

/// The field that makes a user: FreePBX writes it for each of them, `novm` without a box. Other modules write fields under numbers
/// that are no user's: Queues names a row after a device (`AMPUSER/2003/pausequeuehint`, queues 16.0.27).
const MAKES_USER: &str = "voicemail";

/// The fields of a user or a device, by the rest of the key. May hold a password: not shown, wiped when dropped.
type Fields = BTreeMap<String, Zeroizing<String>>;

/// The users and devices of a FreePBX, unchanged.
pub struct FreePbx {
    users: BTreeMap<String, Fields>,
    devices: BTreeMap<String, Fields>,
}

/// A user, converted for Hotdesk.
pub struct FoundUser {
    /// Without a class of service: FreePBX has one context for all.
    pub user: User,
    /// The password in FreePBX as a PIN, or why it cannot be one.
    pub pin: Result<Pin, &'static str>,
}

/// A device, converted for Hotdesk.
#[derive(Debug)]
pub struct FoundDevice {
    /// Its PJSIP endpoint.
    pub name: DeviceName,
    /// What is dialled to ring it.
    pub dial: DialTarget,
    /// Whether users may log in there by FreePBX's own rule: `adhoc`.
    pub adhoc: bool,
    /// It belongs to the extension of its own name, as every device in Extensions mode: it can be a desk.
    pub own: bool,
    /// The owner: its `default_user`.
    pub owner: Option<Extension>,
    /// What an emergency call from there shows.
    pub emergency_caller_id: Option<Number>,
}

/// What can be imported, and a line for each thing that cannot.
#[derive(Default)]
pub struct Found {
    /// By extension.
    pub users: Vec<FoundUser>,
    /// By id.
    pub devices: Vec<FoundDevice>,
    /// What is left out, and why.
    pub left: Vec<String>,
}

impl FreePbx {
    /// Reads both families.
    ///
    /// # Errors
    /// [`SwitchError`] when Asterisk cannot be reached, or Hotdesk's user may not ask.
    pub async fn read(manager: &Manager) -> Result<Self, SwitchError> {
        Ok(Self { users: family(manager, "AMPUSER").await?, devices: family(manager, "DEVICE").await? })
    }

    /// What `database show AMPUSER` and `database show DEVICE` print on the console.
    #[must_use]
    pub fn shown(users: &str, devices: &str) -> Self {
        let family = |shown: &str, family: &str| {
            let rows =
                shown.lines().filter(|line| line.starts_with('/')).filter_map(|row| row.split_once(": "));
            fields(rows.map(|(key, value)| (key.trim_end(), value.trim_end())), family)
        };
        Self { users: family(users, "AMPUSER"), devices: family(devices, "DEVICE") }
    }

    /// Converts all of it but the `desks`: an extension of a phone where others log in is no user, and owns nothing. FreePBX's
    /// `outboundcid` stays with its own outbound routes.
    #[must_use]
    pub fn found(&self, tenant: &TenantId, desks: &BTreeSet<DeviceName>) -> Found {
        let mut found = Found::default();
        let is_desk = |key: &str| desks.iter().any(|desk| desk.as_str() == key);
        for (key, fields) in &self.users {
            match Extension::new(key) {
                Ok(_) if is_desk(key) => {}
                Ok(_) if !is_user(fields) => found.left.push(format!(
                    "AMPUSER/{key}: it has no {MAKES_USER}, which FreePBX writes for each user, so it is no user"
                )),
                Ok(extension) => found.users.push(found_user(tenant, extension, fields, &mut found.left)),
                Err(error) => found.left.push(format!("AMPUSER/{key}: {error}")),
            }
        }
        for (key, fields) in &self.devices {
            match self.found_device(key, fields, &mut found.left) {
                Ok(device) if is_desk(key) => found.devices.push(FoundDevice { owner: None, ..device }),
                Ok(device) => found.devices.push(device),
                Err(_) if is_virtual(key, fields) => {}
                Err(why) => found.left.push(format!("device {key}: {why}")),
            }
        }
        found.leave_duplicates(&self.devices);
        found
    }

    fn found_device(
        &self,
        key: &str,
        fields: &Fields,
        left: &mut Vec<String>,
    ) -> Result<FoundDevice, String> {
        if key.is_empty() {
            return Err("it has no name in FreePBX".into());
        }
        let dial = value(fields, "dial").unwrap_or_default();
        let endpoint = dial.strip_prefix("PJSIP/").filter(|name| !name.contains(['/', '&']));
        let Some(endpoint) = endpoint else {
            return Err(format!("FreePBX dials it as {dial:?}, and only PJSIP endpoints can be hotdesks"));
        };
        let kind = value(fields, "type");
        let owner = value(fields, "default_user").filter(|owner| *owner != NO_USER);
        let known = owner.filter(|owner| self.users.get(*owner).is_some_and(is_user));
        if let (Some(owner), None) = (owner, known) {
            left.push(format!("device {key}: it belongs to {owner:?}, and there is no such user"));
        }
        let shown = value(fields, "emergency_cid");
        let emergency_caller_id = shown.and_then(number);
        if let (Some(shown), None) = (shown, &emergency_caller_id) {
            left.push(format!("device {key}: its emergency_cid {shown:?} has no number in it"));
        }
        Ok(FoundDevice {
            name: DeviceName::new(endpoint).map_err(|error| error.to_string())?,
            dial: DialTarget::new(dial).map_err(|error| error.to_string())?,
            adhoc: kind == Some(ADHOC),
            own: without_user(key, kind, owner) == Some(key),
            owner: known.and_then(|owner| Extension::new(owner).ok()),
            emergency_caller_id,
        })
    }
}

impl Found {
    /// Leaves out devices with one endpoint under several keys: which of them it is cannot be known.
    fn leave_duplicates(&mut self, devices: &BTreeMap<String, Fields>) {
        let mut keys: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (key, fields) in devices.iter().filter(|(key, _)| !key.is_empty()) {
            keys.entry(value(fields, "dial").unwrap_or_default()).or_default().push(key);
        }
        keys.retain(|_, keys| keys.len() > 1);
        let twice: BTreeSet<DialTarget> =
            self.devices.extract_if(.., |it| keys.contains_key(it.dial.as_str())).map(|it| it.dial).collect();
        self.left.extend(twice.iter().filter_map(|dial| {
            let keys = keys.get(dial.as_str())?.join(" and ");
            Some(format!("devices {keys}: each of them dials {dial}"))
        }));
    }
}

/// Whether it is the device of a virtual extension, which has no phone: FreePBX dials it as `/132`.
fn is_virtual(key: &str, fields: &Fields) -> bool {
    value(fields, "dial").and_then(|dial| dial.strip_prefix('/')) == Some(key)
}

fn is_user(fields: &Fields) -> bool {
    fields.contains_key(MAKES_USER)
}

fn found_user(tenant: &TenantId, extension: Extension, fields: &Fields, left: &mut Vec<String>) -> FoundUser {
    let mut user = User::new(tenant.clone(), extension.clone());
    let mut leave =
        |field: &str, why: &dyn std::fmt::Display| left.push(format!("{field} of user {extension}: {why}"));
    if let Some(name) = value(fields, "cidname") {
        user.name = DisplayName::new(name).map_err(|error| leave("cidname", &error)).ok();
    }
    let own = value(fields, "cidnum").filter(|number| *number != extension.as_str());
    if let Some(own) = own {
        match number(own) {
            Some(number) => user.caller_id = CallerId::Number(number),
            None => leave("cidnum", &format!("there is no number in {own:?}")),
        }
    }
    if let Some(context) = value(fields, "voicemail").filter(|context| *context != "novm") {
        let mailbox = Mailbox::new(format!("{extension}@{context}"));
        user.mailbox = mailbox.map_err(|error| leave("voicemail", &error)).ok();
    }
    if let Some(language) = value(fields, "language") {
        user.language = Language::new(language).map_err(|error| leave("language", &error)).ok();
    }
    FoundUser { pin: pin(fields, &extension), user }
}

fn pin(fields: &Fields, user: &Extension) -> Result<Pin, &'static str> {
    let password = value(fields, "password").ok_or("FreePBX has none")?;
    let pin = Pin::new(password).map_err(|_| "the password in FreePBX is not 4 to 10 digits")?;
    match weak_pin(&pin, user) {
        Some(why) => Err(why),
        None => Ok(pin),
    }
}

/// A field that is not empty.
fn value<'a>(fields: &'a Fields, name: &str) -> Option<&'a str> {
    fields.get(name).map(|value| value.trim()).filter(|value| !value.is_empty())
}

/// The number in `"Reception" <020 555 0100>`, or in what is a number by itself.
fn number(text: &str) -> Option<Number> {
    let inner =
        text.split_once('<').and_then(|(_, rest)| rest.split_once('>')).map_or(text, |(inner, _)| inner);
    let digits: String = inner.chars().filter(|c| !matches!(c, ' ' | '-' | '(' | ')' | '.')).collect();
    Number::new(digits).ok()
}

/// The rows of a family, by the first part of their keys.
async fn family(manager: &Manager, family: &str) -> Result<BTreeMap<String, Fields>, SwitchError> {
    let tree = manager.list(Action::new("DBGetTree").with("Family", family)).await;
    let rows = database::found(tree)?.unwrap_or_default();
    let rows =
        rows.iter().filter_map(|row| Some((row.header("Key")?, row.header("Val").unwrap_or_default())));
    Ok(fields(rows, family))
}

/// `/AMPUSER/101/recording/out/external` is the field `recording/out/external` of 101.
fn fields<'a>(rows: impl Iterator<Item = (&'a str, &'a str)>, family: &str) -> BTreeMap<String, Fields> {
    let mut found: BTreeMap<String, Fields> = BTreeMap::new();
    for (key, value) in rows {
        let key = key.strip_prefix('/').and_then(|key| key.strip_prefix(family)?.strip_prefix('/'));
        if let Some((key, field)) = key.and_then(|key| key.split_once('/')) {
            found.entry(key.into()).or_default().insert(field.into(), Zeroizing::new(value.into()));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_console_shows_what_the_manager_interface_lists() {
        let users = "/AMPUSER/131/cidname                              : Ann: of sales            \n\
                     /AMPUSER/131/voicemail                            : novm                     \n\
                     /AMPUSERX/9/cidname                               : x\n2 results found.\n";
        let devices = "/DEVICE/131/dial                                  : PJSIP/131                \n\
                       /DEVICE/131/default_user                          : 131                      \n";
        let found = FreePbx::shown(users, devices).found(&TenantId::default(), &BTreeSet::new());
        let [FoundUser { user, .. }] = &found.users[..] else { panic!("{} users", found.users.len()) };
        assert_eq!((user.extension.as_str(), user.name.as_ref().unwrap().as_str()), ("131", "Ann: of sales"));
        assert_eq!(found.devices[0].owner.as_ref().unwrap().as_str(), "131");
        assert!(found.left.is_empty(), "{:?}", found.left);
    }

    fn fields(of: &[(&str, &str)]) -> Fields {
        of.iter().map(|(name, value)| ((*name).to_owned(), Zeroizing::new((*value).to_owned()))).collect()
    }

    #[test]
    fn what_is_left_out_is_named() {
        let device =
            [("dial", "PJSIP/2005"), ("type", "adhoc"), ("default_user", "999"), ("emergency_cid", "?")];
        let users = [
            ("", &[("voicemail", "novm")][..]),
            ("2003", &[("pausequeuehint", "Queue:700_pause_Local/103@from-queue/n")]),
            ("none", &[("voicemail", "novm")]),
        ];
        let twice = [("dial", "PJSIP/2006"), ("type", "adhoc")];
        let devices = [
            ("", &twice[..]),
            ("2005", &device),
            ("2006", &twice),
            ("132", &[("dial", "/132"), ("type", "fixed"), ("default_user", "132")]),
            ("2007", &[("dial", "PJSIP/2007"), ("type", "adhoc"), ("default_user", "2003")]),
            ("9006", &twice),
        ];
        let of = |(key, of): (&str, &[(&str, &str)])| (key.to_owned(), fields(of));
        let found = FreePbx { users: users.map(of).into(), devices: devices.map(of).into() };
        let taken: Vec<String> = found
            .found(&TenantId::default(), &BTreeSet::new())
            .devices
            .iter()
            .map(|it| it.name.to_string())
            .collect();
        assert_eq!(taken, ["2005", "2007"]);
        assert!(found.found(&TenantId::default(), &BTreeSet::new()).users.is_empty());
        assert_eq!(
            found.found(&TenantId::default(), &BTreeSet::new()).left,
            [
                "AMPUSER/: \"\" is not an extension: it takes 1 to 20 digits",
                "AMPUSER/2003: it has no voicemail, which FreePBX writes for each user, so it is no user",
                "AMPUSER/none: \"none\" is not an extension: it takes 1 to 20 digits",
                "device : it has no name in FreePBX",
                "device 2005: it belongs to \"999\", and there is no such user",
                "device 2005: its emergency_cid \"?\" has no number in it",
                "device 2007: it belongs to \"2003\", and there is no such user",
                "devices 2006 and 9006: each of them dials PJSIP/2006",
            ]
        );
    }

    #[test]
    fn a_number_is_read_in_any_writing() {
        let read = |text| number(text).map(|number| number.to_string());
        assert_eq!(read("\"Desk\" <+31 20 555-0100>").as_deref(), Some("+31205550100"));
        assert_eq!(read("020 555-0102").as_deref(), Some("0205550102"));
    }

    #[test]
    fn a_password_that_cannot_be_a_pin_is_refused_and_not_shown() {
        for password in ["secret9", "101", "1234", "829173645201"] {
            let why = pin(&fields(&[("password", password)]), &Extension::new("101").unwrap()).err();
            assert!(why.is_some_and(|why| !why.contains(password)), "{why:?}");
        }
    }
}
