//! `[[tenant]]`: settings that differ for one tenant of a shared switch, and the settings that result for each.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU8;

use serde::Deserialize;

use super::auto_logout::{AutoLogout, AutoLogoutOverride};
use super::error::refuse_if;
use super::login::{Login, Multiple, Pin};
use super::{Config, Kind, Layout, Switch};
use crate::model::codes::{BadCodes, Book, CodeSettings, Codes, CustomCode, Preset};
use crate::model::id::{EmergencyContext, EmergencyNumber, Extension, TenantId};
use crate::model::login::limits::{LoginLimits, TenantLimits};
use crate::model::number_pattern::NumberPattern;

/// `[[tenant]]`: a missing key has the value of the whole configuration.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct Tenant {
    /// The tenant, as in `tenants` of a `[[switch]]`.
    pub name: TenantId,
    #[serde(default)]
    codes: CodesOverride,
    #[serde(default)]
    dialplan: DialplanOverride,
    #[serde(default)]
    emergency: EmergencyOverride,
    #[serde(default)]
    auto_logout: AutoLogoutOverride,
    #[serde(default)]
    login: LoginOverride,
    #[serde(default)]
    pin: PinOverride,
}

#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(default, deny_unknown_fields)]
struct CodesOverride {
    presets: Option<Vec<Preset>>,
    custom: Option<Vec<CustomCode>>,
    one_touch: Option<bool>,
    pinless: Option<bool>,
}

#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(default, deny_unknown_fields)]
struct DialplanOverride {
    users: Option<Vec<NumberPattern>>,
}

#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(default, deny_unknown_fields)]
struct EmergencyOverride {
    #[serde(deserialize_with = "super::emergency_numbers")]
    numbers: Option<Vec<EmergencyNumber>>,
    context: Option<EmergencyContext>,
}

#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(default, deny_unknown_fields)]
struct LoginOverride {
    multiple_logins: Option<Multiple>,
    keep: Option<NonZeroU8>,
    take_over: Option<bool>,
}

#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(default, deny_unknown_fields)]
struct PinOverride {
    expires_days: Option<u16>,
}

/// The settings of one tenant.
#[derive(Clone, Copy, Debug)]
pub struct Of<'a> {
    config: &'a Config,
    name: &'a TenantId,
    tenant: Option<&'a Tenant>,
}

impl Config {
    /// The settings of this tenant.
    #[must_use]
    pub fn of<'a>(&'a self, tenant: &'a TenantId) -> Of<'a> {
        Of { config: self, name: tenant, tenant: self.tenants.iter().find(|known| known.name == *tenant) }
    }

    /// The emergency numbers of all tenants of this switch, in order.
    #[must_use]
    pub fn emergency_numbers_on(&self, switch: &Switch) -> Vec<EmergencyNumber> {
        let of_each = switch.tenants.iter().flat_map(|tenant| self.of(tenant).own_emergency_numbers());
        let numbers: BTreeSet<&EmergencyNumber> = of_each.collect();
        numbers.into_iter().cloned().collect()
    }

    /// The feature codes of every tenant that a switch serves, with the numbers of its groups.
    #[must_use]
    pub fn book(&self) -> Book {
        let tenants = self.served_tenants().cloned();
        let codes = |tenant: &TenantId| self.of(tenant).codes().with_groups(self.numbered_groups(tenant));
        Book::new(tenants.map(|tenant| (tenant.clone(), codes(&tenant))).collect::<BTreeMap<_, _>>())
    }

    /// The login rules and PIN expiry of every tenant.
    #[must_use]
    pub fn rules(&self) -> TenantLimits {
        let tenants = self.tenants.iter().map(|tenant| tenant.name.clone());
        let tenants = tenants.map(|tenant| (tenant.clone(), self.of(&tenant).rules())).collect();
        TenantLimits { default: self.login.rules(&self.pin), tenants }
    }

    /// Validates each `[[tenant]]`, and the settings that result.
    pub(super) fn validate_tenants(&self) -> Result<(), String> {
        for (at, tenant) in self.tenants.iter().enumerate() {
            let name = &tenant.name;
            let again = self.tenants.iter().take(at).any(|other| other.name == *name);
            refuse_if(again, format!("two [[tenant]] are named {name}: remove one"))?;
            self.validate_tenant(tenant).map_err(|why| format!("[[tenant]] {name}: {why}"))?;
        }
        for switch in self.switches.iter().filter(|switch| switch.kind == Kind::FreeSwitch) {
            let mut contexts =
                switch.tenants.iter().map(|tenant| (tenant, self.of(tenant).emergency_context()));
            let Some((first, one)) = contexts.next() else { continue };
            if let Some((tenant, other)) = contexts.find(|(_, other)| *other != one) {
                return Err(format!(
                    "emergency.context is {one} for {first} and {other} for {tenant}, but both are on the FreeSWITCH {}, \
                     which has one for all tenants: use the same, and branch on ${{domain_name}} there",
                    switch.name
                ));
            }
        }
        for tenant in self.served_tenants() {
            self.of(tenant).checked_codes().map_err(|error| match self.of(tenant).tenant {
                Some(_) => format!("[codes] of [[tenant]] {tenant}: {error}"),
                None => format!("[codes]: {error}"),
            })?;
        }
        Ok(())
    }

    fn validate_tenant(&self, Tenant { name, dialplan, emergency, .. }: &Tenant) -> Result<(), String> {
        refuse_if(
            !self.serves(name),
            "no [[switch]] serves this tenant: remove it, or add it to `tenants` of a [[switch]]",
        )?;
        refuse_if(
            emergency.numbers.as_ref().is_some_and(Vec::is_empty),
            "emergency.numbers is empty: remove the key, or name the numbers, for example [\"112\"]",
        )?;
        refuse_if(
            dialplan.users.as_ref().is_some_and(Vec::is_empty),
            "dialplan.users is empty: remove the key, or name the numbers that may be extensions",
        )?;
        self.of(name).login().validate()
    }
}

impl<'a> Of<'a> {
    /// The feature codes.
    #[must_use]
    pub fn codes(self) -> Codes {
        // They were validated when the configuration was read.
        self.checked_codes().unwrap_or_default()
    }

    /// The numbers that may be extensions of users.
    #[must_use]
    pub fn users(self) -> &'a [NumberPattern] {
        let own = self.tenant.and_then(|tenant| tenant.dialplan.users.as_ref());
        own.unwrap_or(&self.config.dialplan.users)
    }

    /// Whether calls to this extension can reach its user: a pattern matches it, or a FreePBX takes all calls of the tenant.
    #[must_use]
    pub fn reaches(self, user: &Extension) -> bool {
        let mut switches = self.config.switches.iter().filter(|switch| switch.has(self.name));
        switches.all(|switch| switch.layout == Layout::FreePbx)
            || self.users().iter().any(|pattern| pattern.matches(user))
    }

    /// The automatic logout rules that a location, device or user may override, and the warning before it.
    #[must_use]
    pub fn auto_logout(self) -> AutoLogout {
        self.tenant.map_or_else(
            || self.config.auto_logout.clone(),
            |tenant| tenant.auto_logout.apply_to(&self.config.auto_logout),
        )
    }

    /// The login rules and PIN expiry.
    fn rules(self) -> LoginLimits {
        let own = self.tenant.and_then(|tenant| tenant.pin.expires_days);
        let pin = Pin { expires_days: own.unwrap_or(self.config.pin.expires_days) };
        self.login().rules(&pin)
    }

    fn login(self) -> Login {
        let all = &self.config.login;
        let Some(Tenant { login: LoginOverride { multiple_logins, keep, take_over }, .. }) = self.tenant
        else {
            return all.clone();
        };
        Login {
            multiple_logins: multiple_logins.unwrap_or(all.multiple_logins),
            keep: keep.unwrap_or(all.keep),
            take_over: take_over.unwrap_or(all.take_over),
        }
    }

    /// The emergency numbers, in order. They include those of every tenant on the same FreeSWITCH, because all its devices
    /// share one dialplan.
    #[must_use]
    pub fn emergency_numbers(self) -> Vec<EmergencyNumber> {
        let shared = |switch: &&Switch| switch.kind == Kind::FreeSwitch && switch.has(self.name);
        let shared = self.config.switches.iter().filter(shared);
        let mut numbers: Vec<EmergencyNumber> =
            shared.flat_map(|switch| self.config.emergency_numbers_on(switch)).collect();
        numbers.extend_from_slice(self.own_emergency_numbers());
        numbers.sort();
        numbers.dedup();
        numbers
    }

    /// The context for emergency calls.
    #[must_use]
    pub fn emergency_context(self) -> &'a EmergencyContext {
        let own = self.tenant.and_then(|tenant| tenant.emergency.context.as_ref());
        own.unwrap_or(&self.config.emergency.context)
    }

    fn own_emergency_numbers(self) -> &'a [EmergencyNumber] {
        let own = self.tenant.and_then(|tenant| tenant.emergency.numbers.as_deref());
        own.unwrap_or(&self.config.emergency.numbers)
    }

    fn checked_codes(self) -> Result<Codes, BadCodes> {
        let all = &self.config.codes;
        let none = CodesOverride::default();
        let over = self.tenant.map_or(&none, |tenant| &tenant.codes);
        let wanted = CodeSettings {
            presets: over.presets.as_ref().unwrap_or(&all.presets).clone(),
            custom: over.custom.as_ref().unwrap_or(&all.custom).clone(),
            one_touch: over.one_touch.unwrap_or(all.one_touch),
            pinless: over.pinless.unwrap_or(all.pinless),
        };
        wanted.codes(self.users(), &self.emergency_numbers())
    }
}
