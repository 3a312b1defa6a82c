//! `[leave]`: when users are logged out by themselves.

use jiff::tz::TimeZone;
use serde::Deserialize;

use super::{ConfigError, over};
use crate::desk::leave::Rules;
use crate::desk::schedule::{Days, Rule, Span, TimeOfDay};

/// `[leave]`
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(default, deny_unknown_fields)]
pub struct Leave {
    at: Rule<TimeOfDay>,
    days: Days,
    after: Rule<Span>,
    idle: Rule<Span>,
    unregistered: Rule<Span>,
    warn: Rule<Span>,
    stay: Span,
    stay_call: bool,
}

/// What differs of `[leave]` for a tenant.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(default, deny_unknown_fields)]
pub(super) struct LeaveOver {
    at: Option<Rule<TimeOfDay>>,
    days: Option<Days>,
    after: Option<Rule<Span>>,
    idle: Option<Rule<Span>>,
    unregistered: Option<Rule<Span>>,
    warn: Option<Rule<Span>>,
    stay: Option<Span>,
    stay_call: Option<bool>,
}

impl LeaveOver {
    /// What is not said is as it is for all.
    pub(super) fn over(&self, all: &Leave) -> Leave {
        Leave {
            at: self.at.unwrap_or(all.at),
            days: self.days.unwrap_or(all.days),
            after: self.after.unwrap_or(all.after),
            idle: self.idle.unwrap_or(all.idle),
            unregistered: self.unregistered.unwrap_or(all.unregistered),
            warn: self.warn.unwrap_or(all.warn),
            stay: self.stay.unwrap_or(all.stay),
            stay_call: self.stay_call.unwrap_or(all.stay_call),
        }
    }
}

impl Leave {
    pub(super) fn environment(&mut self, env: &dyn Fn(&str) -> Option<String>) -> Result<(), ConfigError> {
        over(env, "HOTDESK_LEAVE_AT", &mut self.at, |text| text.parse())?;
        over(env, "HOTDESK_LEAVE_DAYS", &mut self.days, |text| text.parse())?;
        over(env, "HOTDESK_LEAVE_AFTER", &mut self.after, |text| text.parse())?;
        over(env, "HOTDESK_LEAVE_IDLE", &mut self.idle, |text| text.parse())?;
        over(env, "HOTDESK_LEAVE_UNREGISTERED", &mut self.unregistered, |text| text.parse())?;
        over(env, "HOTDESK_LEAVE_WARN", &mut self.warn, |text| text.parse())?;
        over(env, "HOTDESK_LEAVE_STAY", &mut self.stay, |text| text.parse())?;
        over(env, "HOTDESK_LEAVE_STAY_CALL", &mut self.stay_call, |text| text.parse::<bool>())
    }

    /// The rules, under those of locations, devices and users.
    #[must_use]
    pub const fn rules(&self) -> Rules {
        Rules {
            at: Some(self.at),
            days: Some(self.days),
            after: Some(self.after),
            idle: Some(self.idle),
            unregistered: Some(self.unregistered),
        }
    }

    /// How long before somebody is logged out it is said.
    #[must_use]
    pub fn warn(&self) -> Option<Span> {
        self.warn.is()
    }

    /// How much longer somebody stays who says so.
    #[must_use]
    pub const fn stay(&self) -> Span {
        self.stay
    }

    /// Whether who is to be logged out is called before and asked whether he stays.
    #[must_use]
    pub const fn stay_call(&self) -> bool {
        self.stay_call
    }

    /// Which time it is at a device that stands nowhere in particular: this machine's.
    #[must_use]
    pub fn zone() -> TimeZone {
        TimeZone::system()
    }
}

impl Default for Leave {
    fn default() -> Self {
        Self {
            at: TimeOfDay::new(23, 0).map_or(Rule::Never, Rule::Is),
            days: Days::ALL,
            after: Rule::Never,
            idle: Rule::Never,
            unregistered: Rule::Is(Span::minutes(15)),
            warn: Rule::Is(Span::minutes(10)),
            stay: Span::minutes(60),
            stay_call: false,
        }
    }
}
