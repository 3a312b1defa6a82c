//! Locations of devices: the caller ID of emergency calls, and the time zone.

use std::fmt;

use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use crate::model::auto_logout::AutoLogoutRules;
use crate::model::id::{Address, EmergencyNumber, InvalidId, Language, LocationName, Number, TenantId};

/// A location of devices.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Location {
    /// The tenant of the location.
    pub tenant: TenantId,
    /// Its name.
    pub name: LocationName,
    /// Its time zone.
    pub zone: Zone,
    /// The language of prompts at this location, until the user is known.
    pub language: Option<Language>,
    /// Emergency calls from there.
    pub emergency: Emergency,
    /// The address for the emergency services, for people to read.
    pub address: Option<Address>,
    /// The automatic logout of users at this location.
    #[serde(default)]
    pub auto_logout: AutoLogoutRules,
}

/// How emergency calls are made from a location.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Emergency {
    /// The number that the call shows, and that can be called back.
    pub caller_id: Option<Number>,
    /// The emergency numbers at this location; empty: every emergency number of the configuration.
    pub numbers: Vec<EmergencyNumber>,
}

impl Location {
    /// A location without settings except its time zone.
    pub fn new(tenant: TenantId, name: LocationName, zone: Zone) -> Self {
        Self {
            tenant,
            name,
            zone,
            language: None,
            emergency: Emergency::default(),
            address: None,
            auto_logout: AutoLogoutRules::default(),
        }
    }
}

/// A zone of the IANA time zone database: `Europe/Amsterdam`.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct Zone(TimeZone);

impl Zone {
    /// The time zone with this name, from the system's tzdata, which follows the law, else from the copy in the binary.
    ///
    /// # Errors
    /// [`InvalidId`] when neither has it.
    pub fn new(name: impl AsRef<str>) -> Result<Self, InvalidId> {
        let name = name.as_ref();
        match TimeZone::get(name) {
            Ok(zone) if zone.iana_name().is_some() => Ok(Self(zone)),
            _ => {
                let rule = "a name of the IANA time zone database: Europe/Amsterdam, America/New_York, UTC";
                Err(InvalidId::new("a time zone", name, rule))
            }
        }
    }

    /// That of this machine, if it has a name.
    pub fn machine() -> Self {
        TimeZone::system().iana_name().and_then(|name| Self::new(name).ok()).unwrap_or_default()
    }

    /// Its name.
    pub fn name(&self) -> &str {
        self.0.iana_name().unwrap_or("UTC")
    }

    /// The zone itself.
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
    fn a_zone_is_in_the_database_and_keeps_its_name() {
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
