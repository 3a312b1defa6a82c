//! `[[tenant]]`: what differs for one company on a shared switch, and what holds for each.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::Config;
use crate::desk::code::{BadCodes, Book, Codes, Own, Preset, Wanted};
use crate::desk::id::{EmergencyNumber, TenantId};
use crate::desk::pattern::NumberPattern;

/// `[[tenant]]`: what is not said is as it is for all.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct Tenant {
    /// Whose, as a `[[switch]]` names it among its tenants.
    pub name: TenantId,
    /// `[codes]`.
    #[serde(default)]
    codes: CodesOver,
}

/// What differs of `[codes]`.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(default, deny_unknown_fields)]
struct CodesOver {
    presets: Option<Vec<Preset>>,
    own: Option<Vec<Own>>,
    one_touch: Option<bool>,
    pinless: Option<bool>,
}

/// What holds for one tenant.
#[derive(Clone, Copy, Debug)]
pub struct Of<'a> {
    config: &'a Config,
    tenant: Option<&'a Tenant>,
}

impl Config {
    /// What holds for this tenant.
    #[must_use]
    pub fn of(&self, tenant: &TenantId) -> Of<'_> {
        Of { config: self, tenant: self.tenants.iter().find(|known| known.name == *tenant) }
    }

    /// The codes of every tenant that a switch has phones of.
    #[must_use]
    pub fn book(&self) -> Book {
        let tenants = self.switches.iter().flat_map(|switch| switch.tenants.iter().cloned());
        Book::new(
            tenants.map(|tenant| (tenant.clone(), self.of(&tenant).codes())).collect::<BTreeMap<_, _>>(),
        )
    }

    /// Whether each tenant is one, and what is said of each goes together.
    pub(super) fn tenants_agree(&self) -> Result<(), String> {
        for (at, tenant) in self.tenants.iter().enumerate() {
            let name = &tenant.name;
            if self.tenants.iter().take(at).any(|other| other.name == *name) {
                return Err(format!("two [[tenant]] are named {name}: make one of them"));
            }
            if !self.serves(name) {
                return Err(format!(
                    "[[tenant]] {name}: no [[switch]] has phones of this tenant: drop it, or correct one"
                ));
            }
        }
        for tenant in self.switches.iter().flat_map(|switch| &switch.tenants) {
            self.of(tenant).checked_codes().map_err(|error| match self.of(tenant).tenant {
                Some(_) => format!("[codes] of [[tenant]] {tenant}: {error}"),
                None => format!("[codes]: {error}"),
            })?;
        }
        Ok(())
    }
}

impl<'a> Of<'a> {
    /// What people dial.
    #[must_use]
    pub fn codes(self) -> Codes {
        // They were looked through when the configuration was read.
        self.checked_codes().unwrap_or_default()
    }

    /// Which numbers may be users' extensions.
    #[must_use]
    pub fn users(self) -> &'a [NumberPattern] {
        &self.config.dialplan.users
    }

    /// Numbers of emergency calls.
    #[must_use]
    pub fn emergency_numbers(self) -> &'a [EmergencyNumber] {
        &self.config.emergency.numbers
    }

    fn checked_codes(self) -> Result<Codes, BadCodes> {
        let all = &self.config.codes;
        let none = CodesOver::default();
        let over = self.tenant.map_or(&none, |tenant| &tenant.codes);
        let wanted = Wanted {
            presets: over.presets.as_ref().unwrap_or(&all.presets).clone(),
            own: over.own.as_ref().unwrap_or(&all.own).clone(),
            one_touch: over.one_touch.unwrap_or(all.one_touch),
            pinless: over.pinless.unwrap_or(all.pinless),
        };
        wanted.codes(self.users(), self.emergency_numbers())
    }
}
