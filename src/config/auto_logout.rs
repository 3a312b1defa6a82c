//! `[auto_logout]`: when sessions end by automatic logout.

use serde::Deserialize;

use super::ConfigError;
use super::environment::Environment;
use crate::model::auto_logout::AutoLogoutRules;
use crate::model::schedule::{Days, Rule, Span, TimeOfDay};

/// `[auto_logout]`
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(default, deny_unknown_fields)]
pub struct AutoLogout {
    at: Rule<TimeOfDay>,
    days: Days,
    after: Rule<Span>,
    idle: Rule<Span>,
    unregistered: Rule<Span>,
    /// How long before the automatic logout the warning comes.
    pub warn: Rule<Span>,
    /// How much longer a session lasts when its user extends it.
    pub extend: Span,
    /// Whether the warning is a call to the device, in which the user can extend the session.
    pub extend_call: bool,
}

/// The `auto_logout` keys of a `[[tenant]]`.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(default, deny_unknown_fields)]
pub(super) struct AutoLogoutOverride {
    at: Option<Rule<TimeOfDay>>,
    days: Option<Days>,
    after: Option<Rule<Span>>,
    idle: Option<Rule<Span>>,
    unregistered: Option<Rule<Span>>,
    warn: Option<Rule<Span>>,
    extend: Option<Span>,
    extend_call: Option<bool>,
}

impl AutoLogoutOverride {
    /// These keys over those of `[auto_logout]`.
    pub(super) fn apply_to(&self, all: &AutoLogout) -> AutoLogout {
        AutoLogout {
            at: self.at.unwrap_or(all.at),
            days: self.days.unwrap_or(all.days),
            after: self.after.unwrap_or(all.after),
            idle: self.idle.unwrap_or(all.idle),
            unregistered: self.unregistered.unwrap_or(all.unregistered),
            warn: self.warn.unwrap_or(all.warn),
            extend: self.extend.unwrap_or(all.extend),
            extend_call: self.extend_call.unwrap_or(all.extend_call),
        }
    }
}

impl AutoLogout {
    pub(super) fn read(&mut self, env: &Environment<'_>) -> Result<(), ConfigError> {
        env.parse("HOTDESK_AUTO_LOGOUT_AT", &mut self.at)?;
        env.parse("HOTDESK_AUTO_LOGOUT_DAYS", &mut self.days)?;
        env.parse("HOTDESK_AUTO_LOGOUT_AFTER", &mut self.after)?;
        env.parse("HOTDESK_AUTO_LOGOUT_IDLE", &mut self.idle)?;
        env.parse("HOTDESK_AUTO_LOGOUT_UNREGISTERED", &mut self.unregistered)?;
        env.parse("HOTDESK_AUTO_LOGOUT_WARN", &mut self.warn)?;
        env.parse("HOTDESK_AUTO_LOGOUT_EXTEND", &mut self.extend)?;
        env.flag("HOTDESK_AUTO_LOGOUT_EXTEND_CALL", &mut self.extend_call)
    }

    /// The rules; those of a location, device or user override them.
    #[must_use]
    pub const fn rules(&self) -> AutoLogoutRules {
        AutoLogoutRules {
            at: Some(self.at),
            days: Some(self.days),
            after: Some(self.after),
            idle: Some(self.idle),
            unregistered: Some(self.unregistered),
        }
    }
}

impl Default for AutoLogout {
    fn default() -> Self {
        Self {
            at: TimeOfDay::new(23, 0).map_or(Rule::Never, Rule::Is),
            days: Days::ALL,
            after: Rule::Never,
            idle: Rule::Never,
            unregistered: Rule::Is(Span::minutes(15)),
            warn: Rule::Is(Span::minutes(10)),
            extend: Span::minutes(60),
            extend_call: false,
        }
    }
}
