//! A FreePBX in Device & User mode. Here its users and devices, as it keeps them in AstDB, `AMPUSER/<extension>/…` and
//! `DEVICE/<id>/…`, to be taken over: only read, never written. [`table`] is where it serves as a switch's table.

pub mod mwi;
mod rows;
pub mod table;

use std::collections::BTreeMap;

use zeroize::Zeroizing;

use super::ami::{Action, Message};
use super::manager::Manager;
use crate::desk::guessable::guessable;
use crate::desk::id::{DeviceName, DialTarget, DisplayName, Extension, Language, Mailbox, Number, TenantId};
use crate::desk::model::{CallerId, User};
use crate::desk::pin::Pin;
use crate::switch::SwitchError;

/// What there is of a user or a device, by the rest of its key. May hold a password: not shown, wiped when dropped.
type Fields = BTreeMap<String, Zeroizing<String>>;

/// All that FreePBX has, as it stands there.
pub struct FreePbx {
    users: BTreeMap<String, Fields>,
    devices: BTreeMap<String, Fields>,
}

/// A user as we would have him.
pub struct FoundUser {
    /// Without a class of service: FreePBX has one context for all.
    pub user: User,
    /// His password there as a PIN here, or why it cannot be.
    pub pin: Result<Pin, &'static str>,
}

/// A device as we would have it.
#[derive(Debug)]
pub struct FoundDevice {
    /// Its PJSIP endpoint.
    pub name: DeviceName,
    /// What is dialled to ring it.
    pub dial: DialTarget,
    /// Whether users may log in there: `adhoc`.
    pub hotdesk: bool,
    /// Whose it is while no guest is there.
    pub owner: Option<Extension>,
    /// What an emergency call from there shows.
    pub emergency_caller_id: Option<Number>,
}

/// What can be taken over, and a line for each thing that cannot.
#[derive(Default)]
pub struct Found {
    /// By extension.
    pub users: Vec<FoundUser>,
    /// By id.
    pub devices: Vec<FoundDevice>,
    /// What stays behind, and why.
    pub left: Vec<String>,
}

impl FreePbx {
    /// Reads both families.
    ///
    /// # Errors
    /// [`SwitchError`] when Asterisk is away, or our user may not ask.
    pub async fn read(manager: &Manager) -> Result<Self, SwitchError> {
        Ok(Self { users: family(manager, "AMPUSER").await?, devices: family(manager, "DEVICE").await? })
    }

    /// What of it can be ours. FreePBX's `outboundcid` is left to its own outbound routes.
    #[must_use]
    pub fn found(&self, tenant: &TenantId) -> Found {
        let mut found = Found::default();
        for (key, fields) in &self.users {
            match Extension::new(key) {
                Ok(extension) => found.users.push(found_user(tenant, extension, fields, &mut found.left)),
                Err(error) => found.left.push(format!("AMPUSER/{key}: {error}")),
            }
        }
        for (key, fields) in &self.devices {
            match self.found_device(key, fields, &mut found.left) {
                Ok(device) => found.devices.push(device),
                Err(why) => found.left.push(format!("device {key}: {why}")),
            }
        }
        found
    }

    fn found_device(
        &self,
        key: &str,
        fields: &Fields,
        left: &mut Vec<String>,
    ) -> Result<FoundDevice, String> {
        let dial = value(fields, "dial").unwrap_or_default();
        let endpoint = dial.strip_prefix("PJSIP/").filter(|name| !name.contains(['/', '&']));
        let Some(endpoint) = endpoint else {
            return Err(format!("FreePBX dials it as {dial:?}, and only PJSIP endpoints can be hotdesks"));
        };
        let adhoc = value(fields, "type") == Some("adhoc");
        let owner = if adhoc { "default_user" } else { "user" };
        let owner = value(fields, owner).filter(|owner| *owner != "none");
        let known = owner.filter(|owner| self.users.contains_key(*owner));
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
            hotdesk: adhoc,
            owner: known.and_then(|owner| Extension::new(owner).ok()),
            emergency_caller_id,
        })
    }
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
    let password = value(fields, "password").ok_or("he has none there")?;
    let pin = Pin::new(password).map_err(|_| "his password there is not 4 to 10 digits")?;
    match guessable(&pin, user) {
        Some(why) => Err(why),
        None => Ok(pin),
    }
}

/// A field that says something.
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

/// What stands below a family, by the first part of its key.
async fn family(manager: &Manager, family: &str) -> Result<BTreeMap<String, Fields>, SwitchError> {
    let tree = manager.list(Action::new("DBGetTree").with("Family", family)).await;
    let rows = match tree {
        // So says one that has nothing of that family.
        Err(SwitchError::Refused(_, why)) if why == "Database entry not found" => vec![],
        rows => rows?,
    };
    let mut found: BTreeMap<String, Fields> = BTreeMap::new();
    for (key, field, value) in rows.iter().filter_map(|row| split(row, family)) {
        found.entry(key.into()).or_default().insert(field.into(), Zeroizing::new(value.into()));
    }
    Ok(found)
}

/// `/AMPUSER/101/recording/out/external` is of 101, and its `recording/out/external`.
fn split<'a>(row: &'a Message, family: &str) -> Option<(&'a str, &'a str, &'a str)> {
    let key = row.header("Key")?.strip_prefix('/')?.strip_prefix(family)?.strip_prefix('/')?;
    let (key, field) = key.split_once('/')?;
    Some((key, field, row.header("Val").unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(of: &[(&str, &str)]) -> Fields {
        of.iter().map(|(name, value)| ((*name).to_owned(), Zeroizing::new((*value).to_owned()))).collect()
    }

    fn found(users: &[(&str, &[(&str, &str)])], devices: &[(&str, &[(&str, &str)])]) -> Found {
        let all = |of: &[(&str, &[(&str, &str)])]| {
            of.iter().map(|(key, of)| ((*key).to_owned(), fields(of))).collect()
        };
        FreePbx { users: all(users), devices: all(devices) }.found(&TenantId::default())
    }

    #[test]
    fn a_user_comes_with_his_name_his_number_and_his_mailbox() {
        let ann: &[(&str, &str)] = &[
            ("cidname", "Ann"),
            ("cidnum", "101"),
            ("voicemail", "default"),
            ("language", "nl"),
            ("password", "0829"),
        ];
        let bob: &[(&str, &str)] = &[("cidnum", "020 555-0102"), ("voicemail", "novm"), ("password", "")];
        let taken = found(&[("101", ann), ("102", bob), ("none", &[])], &[]);
        let (ann, bob) = (&taken.users[0], &taken.users[1]);
        assert_eq!(ann.user.name.as_ref().map(DisplayName::as_str), Some("Ann"));
        assert_eq!(ann.user.caller_id, CallerId::Extension);
        assert_eq!(ann.user.mailbox.as_ref().map(Mailbox::as_str), Some("101@default"));
        assert_eq!(ann.user.language.as_ref().map(Language::as_str), Some("nl"));
        assert_eq!(ann.pin.as_ref().map(Pin::reveal), Ok("0829"));
        assert_eq!(bob.user.caller_id, CallerId::Number(Number::new("0205550102").unwrap()));
        assert_eq!((&bob.user.mailbox, bob.pin.as_ref().err()), (&None, Some(&"he has none there")));
        assert_eq!(taken.left, ["AMPUSER/none: \"none\" is not an extension: it takes 1 to 20 digits"]);
    }

    #[test]
    fn a_password_that_is_no_pin_of_ours_is_not_taken_and_not_named() {
        for password in ["secret9", "101", "1234", "829173645201"] {
            let taken = found(&[("101", &[("password", password)])], &[]);
            let why = taken.users[0].pin.as_ref().unwrap_err();
            assert!(!why.contains(password), "{why}");
        }
    }

    #[test]
    fn a_device_is_for_hotdesking_when_it_is_adhoc_and_belongs_to_its_default_user() {
        let (dial, user) = (("dial", "PJSIP/2001"), ("user", "102"));
        let cid = ("emergency_cid", "\"Desk\" <+31 20 555 0100>");
        let taken = found(
            &[("101", &[]), ("102", &[])],
            &[
                ("2001", &[dial, user, cid, ("type", "adhoc"), ("default_user", "101")]),
                ("2002", &[("dial", "PJSIP/2002"), user, ("type", "fixed"), ("default_user", "101")]),
                (
                    "2003",
                    &[("dial", "PJSIP/2003"), ("type", "adhoc"), ("default_user", "none"), ("user", "none")],
                ),
                ("2004", &[("dial", "SIP/2004"), ("type", "adhoc")]),
                (
                    "2005",
                    &[
                        ("dial", "PJSIP/2005"),
                        ("type", "adhoc"),
                        ("default_user", "999"),
                        ("emergency_cid", "?"),
                    ],
                ),
            ],
        );
        let told: Vec<_> = taken
            .devices
            .iter()
            .map(|device| {
                let text = |value: Option<&str>| value.unwrap_or("-").to_owned();
                let owner = text(device.owner.as_ref().map(Extension::as_str));
                let shown = text(device.emergency_caller_id.as_ref().map(Number::as_str));
                format!("{} {} {} {owner} {shown}", device.name, device.dial, device.hotdesk)
            })
            .collect();
        assert_eq!(
            told,
            [
                "2001 PJSIP/2001 true 101 +31205550100",
                "2002 PJSIP/2002 false 102 -",
                "2003 PJSIP/2003 true - -",
                "2005 PJSIP/2005 true - -",
            ]
        );
        assert_eq!(taken.left.len(), 3, "{:?}", taken.left);
        assert!(taken.left[0].contains("device 2004") && taken.left[0].contains("SIP/2004"));
    }
}
