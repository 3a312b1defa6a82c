//! `[[tenant]]`: what differs for one company on a shared switch, and what holds for each.

use std::collections::BTreeMap;
use std::num::NonZeroU8;

use serde::Deserialize;

use super::Config;
use super::login::{Login, Multiple, Pin};
use crate::desk::code::{BadCodes, Book, Codes, Own, Preset, Wanted};
use crate::desk::id::{EmergencyNumber, TenantId};
use crate::desk::leave;
use crate::desk::pattern::NumberPattern;
use crate::desk::rules::{Rulebook, Rules};
use crate::desk::schedule::{Days, Rule, Span, TimeOfDay};

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

/// What differs of `[leave]`.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(default, deny_unknown_fields)]
struct LeaveOver {
    at: Option<Rule<TimeOfDay>>,
    days: Option<Days>,
    after: Option<Rule<Span>>,
    idle: Option<Rule<Span>>,
    unregistered: Option<Rule<Span>>,
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
    tenant: Option<&'a Tenant>,
}

impl Config {
    /// What holds for this tenant.
    #[must_use]
    pub fn of(&self, tenant: &TenantId) -> Of<'_> {
        Of { config: self, tenant: self.tenants.iter().find(|known| known.name == *tenant) }
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
        for Tenant { name, dialplan, .. } in &self.tenants {
            if dialplan.users.as_ref().is_some_and(Vec::is_empty) {
                return Err(format!(
                    "[[tenant]] {name}: dialplan.users is empty: leave it out, or say which numbers may be users"
                ));
            }
            self.of(name).login().agrees().map_err(|why| format!("[[tenant]] {name}: {why}"))?;
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

    /// When users are logged out by themselves, unless a location, a device or a user says otherwise.
    #[must_use]
    pub fn leave(self) -> leave::Rules {
        let all = self.config.leave.rules();
        let Some(Tenant { leave: LeaveOver { at, days, after, idle, unregistered }, .. }) = self.tenant
        else {
            return all;
        };
        let (at, days, after) = (*at, *days, *after);
        leave::Rules { at, days, after, idle: *idle, unregistered: *unregistered }.over(all)
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
