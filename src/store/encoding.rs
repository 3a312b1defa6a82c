//! Records as a store keeps them: a kind, a name and a JSON body.

use std::error::Error;

use crate::model::command::{Key, Kind, Record};
use crate::model::id::{DeviceName, Extension};
use crate::model::login::lockout;

pub(super) fn body(record: &Record) -> Result<String, serde_json::Error> {
    match record {
        Record::Account(account) => serde_json::to_string(account),
        Record::ApiKey(key) => serde_json::to_string(key),
        Record::Device(device) => serde_json::to_string(device),
        Record::Failures(_, _, failures) => serde_json::to_string(failures),
        Record::Location(location) => serde_json::to_string(location),
        Record::Observation(_, observed) => serde_json::to_string(observed),
        Record::Pin(_, pin) => serde_json::to_string(pin),
        Record::Session(session) => serde_json::to_string(session),
        Record::User(user) => serde_json::to_string(user),
    }
}

/// The record under `key` whose body this is.
///
/// # Errors
/// What is wrong, for an administrator.
pub(super) fn record(key: &Key, body: &str) -> Result<Record, String> {
    parsed(key, body).map_err(|error| format!("{} {}: {error}", key.kind.name(), key.name))
}

fn parsed(Key { kind, name }: &Key, body: &str) -> Result<Record, Box<dyn Error>> {
    Ok(match kind {
        Kind::Account => Record::Account(serde_json::from_str(body)?),
        Kind::ApiKey => Record::ApiKey(serde_json::from_str(body)?),
        Kind::Device => Record::Device(serde_json::from_str(body)?),
        Kind::Failures => {
            let failures = serde_json::from_str(body)?;
            let of = name.split_once(':').and_then(|(kind, of)| Some((lockout::Kind::named(kind)?, of)));
            let (kind, of) = of.ok_or("neither of a user nor of a device")?;
            Record::Failures(kind, of.to_owned(), failures)
        }
        Kind::Location => Record::Location(serde_json::from_str(body)?),
        Kind::Observation => {
            let observed = serde_json::from_str(body)?;
            Record::Observation(DeviceName::new(name.as_str())?, observed)
        }
        Kind::Pin => {
            let pin = serde_json::from_str(body)?;
            Record::Pin(Extension::new(name.as_str())?, pin)
        }
        Kind::Session => Record::Session(serde_json::from_str(body)?),
        Kind::User => Record::User(serde_json::from_str(body)?),
    })
}
