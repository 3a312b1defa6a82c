//! Where devices stand: what an emergency call from there shows, and which time it is there.

use std::fmt;

use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use super::id::{Address, EmergencyNumber, InvalidId, Language, LocationName, Number, TenantId};

/// A place where devices stand, whoever sits there.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Location {
    /// The company whose place it is.
    pub tenant: TenantId,
    /// What devices call it.
    pub name: LocationName,
    /// Which time it is there.
    pub zone: Zone,
    /// Spoken there, until it is known who listens.
    pub language: Option<Language>,
    /// Emergency calls from there.
    pub emergency: Emergency,
    /// Where help is to come to, for people to read.
    pub address: Option<Address>,
}

/// What an emergency call from a place is like.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Emergency {
    /// The number that it shows, and that is called back.
    pub caller_id: Option<Number>,
    /// What is dialled for it there; empty: every emergency number of the configuration.
    pub numbers: Vec<EmergencyNumber>,
}

impl Location {
    /// A place with nothing said of it but its zone.
    #[must_use]
    pub const fn new(tenant: TenantId, name: LocationName, zone: Zone) -> Self {
        let emergency = Emergency { caller_id: None, numbers: vec![] };
        Self { tenant, name, zone, language: None, emergency, address: None }
    }
}

/// A zone of the IANA time zone database: `Europe/Amsterdam`.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct Zone(TimeZone);

impl Zone {
    /// The zone of that name: as the system's tzdata knows it, which follows the laws, else as it was when this was built.
    ///
    /// # Errors
    /// [`InvalidId`] when neither knows it.
    pub fn new(name: impl AsRef<str>) -> Result<Self, InvalidId> {
        let name = name.as_ref();
        match TimeZone::get(name) {
            Ok(zone) if zone.iana_name().is_some() => Ok(Self(zone)),
            _ => Err(InvalidId {
                kind: "a time zone",
                value: name.chars().take(80).collect(),
                rule: "a name of the IANA time zone database: Europe/Amsterdam, America/New_York, UTC",
            }),
        }
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.iana_name().unwrap_or("UTC")
    }

    /// The zone itself.
    #[must_use]
    pub const fn rules(&self) -> &TimeZone {
        &self.0
    }
}

impl Default for Zone {
    fn default() -> Self {
        Self(TimeZone::UTC)
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl std::str::FromStr for Zone {
    type Err = InvalidId;
    fn from_str(name: &str) -> Result<Self, InvalidId> {
        Self::new(name)
    }
}

impl TryFrom<String> for Zone {
    type Error = InvalidId;
    fn try_from(name: String) -> Result<Self, InvalidId> {
        Self::new(name)
    }
}

impl From<Zone> for String {
    fn from(zone: Zone) -> Self {
        zone.name().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zone_is_one_of_the_database_and_comes_back_by_its_name() {
        for name in ["Europe/Amsterdam", "UTC", "Asia/Kathmandu", "America/Argentina/Buenos_Aires"] {
            let zone = Zone::new(name).unwrap();
            assert_eq!(zone.name(), name);
            let text = serde_json::to_string(&zone).unwrap();
            assert_eq!((serde_json::from_str::<Zone>(&text).unwrap(), text), (zone, format!("\"{name}\"")));
        }
        for bad in ["", "Amsterdam", "CEST", "+02:00", "Etc/Unknown", "../etc/passwd", "Mars/Olympus"] {
            assert!(Zone::new(bad).is_err(), "{bad}");
        }
        assert_eq!(Zone::default(), Zone::new("UTC").unwrap());
    }
}
