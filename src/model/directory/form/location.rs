//! The form of a location.

use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::fields::{Fields, Flaw, json};
use crate::model::auto_logout::AutoLogoutRules;
use crate::model::directory::Snapshot;
use crate::model::directory::location::{Emergency, Location, Zone};
use crate::model::id::{Address, DeviceName, EmergencyNumber, Language, LocationName, Number, TenantId};

/// The most emergency numbers of a location.
const NUMBERS: usize = 100;

/// A location, with its devices.
#[derive(Serialize, ToSchema)]
#[schema(as = Location)]
pub struct LocationForm<'a> {
    /// Its name. It cannot be changed.
    #[schema(value_type = String, example = "ams")]
    pub location: &'a LocationName,
    /// Its time zone.
    #[schema(value_type = String, example = "Europe/Amsterdam")]
    pub zone: &'a Zone,
    /// The language of prompts there, until the user is known.
    #[schema(value_type = Option<String>)]
    pub language: Option<&'a Language>,
    /// The number that emergency calls from there show.
    #[schema(value_type = Option<String>)]
    pub emergency_caller_id: Option<&'a Number>,
    /// The emergency numbers there; empty: all that are configured.
    #[schema(value_type = Vec<String>)]
    pub emergency_numbers: &'a [EmergencyNumber],
    /// The address for the emergency services.
    #[schema(value_type = Option<String>)]
    pub address: Option<&'a Address>,
    /// Automatic logout there.
    pub auto_logout: &'a AutoLogoutRules,
    /// The devices there. Devices change it.
    #[schema(value_type = Vec<String>)]
    pub devices: Vec<&'a DeviceName>,
}

impl<'a> LocationForm<'a> {
    /// The form of a location with these devices.
    pub const fn of(location: &'a Location, devices: Vec<&'a DeviceName>) -> Self {
        Self {
            location: &location.name,
            zone: &location.zone,
            language: location.language.as_ref(),
            emergency_caller_id: location.emergency.caller_id.as_ref(),
            emergency_numbers: location.emergency.numbers.as_slice(),
            address: location.address.as_ref(),
            auto_logout: &location.auto_logout,
            devices,
        }
    }

    /// The same as JSON, with the devices of a snapshot.
    pub fn json(location: &Location, snapshot: &Snapshot) -> Value {
        let devices = snapshot.devices_at(&location.name).map(|device| &device.name);
        json(&LocationForm::of(location, devices.collect()))
    }
}

/// The location of this name as this object says. What the object leaves out is as for a new location.
///
/// # Errors
/// Each field that is wrong.
pub fn location(
    (tenant, name): (&TenantId, &LocationName),
    snapshot: &Snapshot,
    object: Map<String, Value>,
) -> Result<Location, Vec<Flaw>> {
    let mut fields = Fields::of(object);
    let known = snapshot.locations.get(name);
    let zone = fields.needed("zone");
    let location = Location {
        language: fields.value("language"),
        emergency: Emergency {
            caller_id: fields.value("emergency_caller_id"),
            numbers: fields.list("emergency_numbers", NUMBERS),
        },
        address: fields.value("address"),
        auto_logout: fields.auto_logout(),
        ..Location::new(tenant.clone(), name.clone(), zone.clone().unwrap_or_default())
    };
    let [was, is] = [known, Some(&location)].map(|it| it.map(|it| LocationForm::json(it, snapshot)));
    fields.fixed(&["location", "devices"], [was.as_ref(), is.as_ref()]);
    fields.into_result(zone.map(|_| location))
}
