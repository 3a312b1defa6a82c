//! Keys of the API: how a program proves what it may do, and how keys change.

use std::collections::BTreeMap;
use std::fmt;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::role::Role;
use super::secret::{Secret, SecretHash};
use crate::model::id::{KeyName, TenantId};
use crate::model::journal::Event;
use crate::model::login::refusal::Refusal;

/// A key of the API. Its text is nowhere.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct ApiKey {
    /// Its name.
    pub name: KeyName,
    /// What it may do.
    pub role: Role,
    /// The hash of its secret.
    pub hash: SecretHash,
    /// When it was added.
    pub since: Timestamp,
    /// When it ends.
    pub until: Timestamp,
    /// When it was last used; a little earlier than that, as not every use is noted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub used: Option<Timestamp>,
}

impl ApiKey {
    /// The most days for which a key is good.
    pub const MOST_DAYS: u16 = 365;
    /// How exact [`used`](Self::used) is.
    pub const NOTED: SignedDuration = SignedDuration::from_mins(5);

    /// Whether it is good.
    pub fn is_good(&self, now: Timestamp) -> bool {
        now < self.until
    }

    /// Whether a use now is to be noted.
    pub fn is_news(&self, now: Timestamp) -> bool {
        self.used.is_none_or(|used| now.duration_since(used) > Self::NOTED)
    }
}

/// What a program sends: the tenant and the secret of a key, `hd_TENANT_SECRET`. Never displayed.
#[derive(Clone)]
pub struct KeyText {
    /// The tenant of the key.
    pub tenant: TenantId,
    /// What proves it.
    pub secret: Secret,
}

impl KeyText {
    /// The key that a program sent; none, if it cannot be one.
    pub fn read(text: &str) -> Option<Self> {
        let (tenant, secret) = text.strip_prefix("hd_")?.rsplit_once('_')?;
        Some(Self { tenant: TenantId::new(tenant).ok()?, secret: Secret::read(secret)? })
    }

    /// The text, for the program that uses it.
    pub fn reveal(&self) -> String {
        format!("hd_{}_{}", self.tenant, self.secret.reveal())
    }
}

impl fmt::Debug for KeyText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// A change of a key.
#[derive(Clone, Debug)]
pub enum KeyCommand {
    /// Adds it; its name must be new.
    Add(ApiKey),
    /// Removes it.
    Remove(KeyName),
    /// Notes that the key with this hash is used.
    Used(SecretHash),
}

/// What becomes of the record with this hash; none: it is removed.
type Changed = (SecretHash, Option<ApiKey>);

/// What `command` changes at this time among the keys by hash, and the events to journal.
pub(in crate::model) fn decide_key(
    keys: &BTreeMap<String, ApiKey>,
    command: &KeyCommand,
    at: Timestamp,
) -> Result<(Option<Changed>, Vec<Event>), Refusal> {
    let named = |name: &KeyName| keys.values().find(|key| key.name == *name);
    match command {
        KeyCommand::Add(key) => {
            if named(&key.name).is_some() {
                return Err(Refusal::KeyThere(key.name.clone()));
            }
            let event = Event::KeyAdded { key: key.name.clone(), role: key.role, until: key.until };
            Ok((Some((key.hash.clone(), Some(key.clone()))), vec![event]))
        }
        KeyCommand::Remove(name) => {
            let key = named(name).ok_or_else(|| Refusal::KeyUnknown(name.clone()))?;
            Ok((Some((key.hash.clone(), None)), vec![Event::KeyRemoved { key: name.clone() }]))
        }
        KeyCommand::Used(hash) => {
            let used = keys.get(hash.as_str()).filter(|key| key.is_good(at) && key.is_news(at));
            let noted = |key: &ApiKey| (hash.clone(), Some(ApiKey { used: Some(at), ..key.clone() }));
            Ok((used.map(noted), vec![]))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_as_it_was_sent_and_never_shown() {
        for tenant in ["default", "a_b.c-d_"] {
            let key =
                KeyText { tenant: TenantId::new(tenant).unwrap(), secret: Secret::from_random(&[171; 32]) };
            let text = key.reveal();
            assert!(text.starts_with("hd_") && format!("{key:?}") == "***");
            let read = KeyText::read(&text).unwrap();
            assert_eq!((&read.tenant, &read.secret), (&key.tenant, &key.secret));
            for bad in [text.trim_start_matches("hd_"), &text[..text.len() - 1], &format!("{text}0")] {
                assert!(KeyText::read(bad).is_none(), "{bad}");
            }
        }
        for bad in
            ["", "hd_", "hd__", &format!("hd_{}", "ab".repeat(32)), &format!("hd__{}", "ab".repeat(32))]
        {
            assert!(KeyText::read(bad).is_none(), "{bad}");
        }
    }
}
