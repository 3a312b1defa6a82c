//! `[[tenant]]`: what differs for one company on a shared switch, and what holds for each.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU8;

use serde::{Deserialize, Deserializer};

use super::leave::{Leave, LeaveOver};
use super::login::{Login, Multiple, Pin};
use super::{Config, Kind, Switch};
use crate::desk::code::{BadCodes, Book, Codes, Own, Preset, Wanted};
use crate::desk::id::{Context, EmergencyNumber, TenantId};
use crate::desk::pattern::NumberPattern;
use crate::desk::rules::{Rulebook, Rules};

/// `[[tenant]]`: what is not said is as it is for all.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct Tenant {
    /// Whose, as a `[[switch]]` names it among its tenants.
    pub name: TenantId,
    /// `[codes]`.
    #[serde(default)]
    codes: CodesOver,
    /// `[dialplan]`.
    #[serde(default)]
    dialplan: DialplanOver,
    /// `[emergency]`.
    #[serde(default)]
    emergency: EmergencyOver,
    /// `[leave]`.
    #[serde(default)]
    leave: LeaveOver,
    /// `[login]`.
    #[serde(default)]
    login: LoginOver,
    /// `[pin]`.
    #[serde(default)]
    pin: PinOver,
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

/// What differs of `[dialplan]`.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(default, deny_unknown_fields)]
struct DialplanOver {
    users: Option<Vec<NumberPattern>>,
}

/// What differs of `[emergency]`.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(default, deny_unknown_fields)]
struct EmergencyOver {
    #[serde(deserialize_with = "some_emergency_numbers")]
    numbers: Option<Vec<EmergencyNumber>>,
    context: Option<Context>,
}

/// What differs of `[login]`.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(default, deny_unknown_fields)]
struct LoginOver {
    multi: Option<Multiple>,
    keep: Option<NonZeroU8>,
    take_over: Option<bool>,
}

/// What differs of `[pin]`.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(default, deny_unknown_fields)]
struct PinOver {
    expires_days: Option<u16>,
}

/// What holds for one tenant.
#[derive(Clone, Copy, Debug)]
pub struct Of<'a> {
    config: &'a Config,
    name: &'a TenantId,
    tenant: Option<&'a Tenant>,
}

fn some_emergency_numbers<'de, D: Deserializer<'de>>(
    from: D,
) -> Result<Option<Vec<EmergencyNumber>>, D::Error> {
    super::emergency_numbers(from).map(Some)
}

impl Config {
    /// What holds for this tenant.
    #[must_use]
    pub fn of<'a>(&'a self, tenant: &'a TenantId) -> Of<'a> {
        Of { config: self, name: tenant, tenant: self.tenants.iter().find(|known| known.name == *tenant) }
    }

    /// The numbers of emergency calls of all tenants of this switch, in order.
    #[must_use]
    pub fn emergency_numbers_on(&self, switch: &Switch) -> Vec<EmergencyNumber> {
        let of_each = switch.tenants.iter().flat_map(|tenant| self.of(tenant).own_emergency_numbers());
        let numbers: BTreeSet<&EmergencyNumber> = of_each.collect();
        numbers.into_iter().cloned().collect()
    }

    /// The codes of every tenant that a switch has phones of, with the numbers of its groups.
    #[must_use]
    pub fn book(&self) -> Book {
        let tenants = self.switches.iter().flat_map(|switch| switch.tenants.iter().cloned());
        let codes = |tenant: &TenantId| self.of(tenant).codes().with_groups(self.numbered_groups(tenant));
        Book::new(tenants.map(|tenant| (tenant.clone(), codes(&tenant))).collect::<BTreeMap<_, _>>())
    }

    /// Who may sit where and how old a PIN may be, for every tenant.
    #[must_use]
    pub fn rules(&self) -> Rulebook {
        let tenants = self.tenants.iter().map(|tenant| tenant.name.clone());
        let tenants = tenants.map(|tenant| (tenant.clone(), self.of(&tenant).rules())).collect();
        Rulebook { everybody: self.login.rules(&self.pin), tenants }
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
        for Tenant { name, dialplan, emergency, .. } in &self.tenants {
            if emergency.numbers.as_ref().is_some_and(Vec::is_empty) {
                return Err(format!(
                    "[[tenant]] {name}: emergency.numbers is empty: leave it out, or name them, for example [\"112\"]"
                ));
            }
            if dialplan.users.as_ref().is_some_and(Vec::is_empty) {
                return Err(format!(
                    "[[tenant]] {name}: dialplan.users is empty: leave it out, or say which numbers may be users"
                ));
            }
            self.of(name).login().agrees().map_err(|why| format!("[[tenant]] {name}: {why}"))?;
        }
        for switch in self.switches.iter().filter(|switch| switch.kind == Kind::FreeSwitch) {
            let mut contexts =
                switch.tenants.iter().map(|tenant| (tenant, self.of(tenant).emergency_context()));
            let Some((first, one)) = contexts.next() else { continue };
            if let Some((tenant, other)) = contexts.find(|(_, other)| *other != one) {
                return Err(format!(
                    "emergency.context is {one} for {first} and {other} for {tenant}, and both are on switch {}: a \
                     FreeSWITCH has one for all of them, which may look at ${{domain_name}}",
                    switch.name
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
        let own = self.tenant.and_then(|tenant| tenant.dialplan.users.as_ref());
        own.unwrap_or(&self.config.dialplan.users)
    }

    /// When users are logged out by themselves, unless a location, a device or a user says otherwise, and how they are told.
    #[must_use]
    pub fn leave(self) -> Leave {
        self.tenant.map_or_else(|| self.config.leave.clone(), |tenant| tenant.leave.over(&self.config.leave))
    }

    /// Who may sit where, and how old a PIN may be.
    fn rules(self) -> Rules {
        let own = self.tenant.and_then(|tenant| tenant.pin.expires_days);
        let pin = Pin { expires_days: own.unwrap_or(self.config.pin.expires_days) };
        self.login().rules(&pin)
    }

    fn login(self) -> Login {
        let all = &self.config.login;
        let Some(Tenant { login: LoginOver { multi, keep, take_over }, .. }) = self.tenant else {
            return all.clone();
        };
        Login {
            multi: multi.unwrap_or(all.multi),
            keep: keep.unwrap_or(all.keep),
            take_over: take_over.unwrap_or(all.take_over),
        }
    }

    /// Numbers of emergency calls, in order: his, and those of others on the same FreeSWITCH, whose dialplan is one for all.
    /// What is help for one of them is help at every phone there.
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

    /// The site's context where such a call goes.
    #[must_use]
    pub fn emergency_context(self) -> &'a Context {
        let own = self.tenant.and_then(|tenant| tenant.emergency.context.as_ref());
        own.unwrap_or(&self.config.emergency.context)
    }

    fn own_emergency_numbers(self) -> &'a [EmergencyNumber] {
        let own = self.tenant.and_then(|tenant| tenant.emergency.numbers.as_deref());
        own.unwrap_or(&self.config.emergency.numbers)
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
        wanted.codes(self.users(), &self.emergency_numbers())
    }
}
