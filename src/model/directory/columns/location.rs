//! The columns of locations.

use super::{AUTO_LOGOUT, Columns, cell, joined, parsed, put, put_rule, rule_text};
use crate::model::directory::location::Location;
use crate::model::emergency;
use crate::model::id::{EmergencyNumber, InvalidId};

/// `110,112`, or a country's preset: `de`
///
/// # Errors
/// One is neither, or there are more than fit.
pub fn emergency_numbers(text: &str) -> Result<Vec<EmergencyNumber>, InvalidId> {
    let each = text.split(|c: char| c == ',' || c.is_whitespace());
    emergency::numbers(each.filter(|one| !one.is_empty()))
}

impl Columns for Location {
    const COLUMNS: &'static [&'static str] = &[
        "location",
        "emergency-caller-id",
        "emergency-numbers",
        "zone",
        "language",
        "address",
        "auto-logout-at",
        "auto-logout-days",
        "auto-logout-after",
        "auto-logout-idle",
        "auto-logout-unregistered",
    ];

    fn text(&self, column: &str) -> String {
        match column {
            "location" => self.name.to_string(),
            "emergency-caller-id" => cell(self.emergency.caller_id.as_ref()),
            "emergency-numbers" => joined(&self.emergency.numbers),
            "zone" => self.zone.to_string(),
            "language" => cell(self.language.as_ref()),
            "address" => cell(self.address.as_ref()),
            rule => rule_text(&self.auto_logout, rule),
        }
    }

    fn put(&mut self, column: &str, text: &str) -> Result<(), String> {
        match column {
            "emergency-caller-id" => put(&mut self.emergency.caller_id, text),
            "emergency-numbers" => {
                self.emergency.numbers = emergency_numbers(text).map_err(|error| error.to_string())?;
                Ok(())
            }
            "zone" => parsed(text).map(|zone| self.zone = zone),
            "language" => put(&mut self.language, text),
            "address" => put(&mut self.address, text),
            rule if AUTO_LOGOUT.contains(&rule) => put_rule(&mut self.auto_logout, rule, text),
            unknown => Err(format!("there is no field {unknown}")),
        }
    }
}
