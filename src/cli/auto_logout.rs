//! `--auto-logout-...`: the automatic logout rules of a location, device or user.

use super::output::{self, Given};
use crate::model::auto_logout::AutoLogoutRules;
use crate::model::schedule::{Days, Rule, Span, TimeOfDay};

/// Options for automatic logout. A rule without an option stays; an empty value removes it, so that the wider rule applies.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Automatic logout; overrides the device, the location and [auto_logout]")]
pub(super) struct AutoLogoutFlags {
    /// Time of day: 23:00, or never; "" here and below removes the rule
    #[arg(long, value_name = "TIME")]
    auto_logout_at: Option<Given<Rule<TimeOfDay>>>,
    /// Days on which that time applies: mon-fri, or mon,wed,sat-sun, or all
    #[arg(long, value_name = "DAYS")]
    auto_logout_days: Option<Given<Days>>,
    /// Time after the login: 8h, or never
    #[arg(long, value_name = "SPAN")]
    auto_logout_after: Option<Given<Rule<Span>>>,
    /// Time without a call at the device: 45m, or never
    #[arg(long, value_name = "SPAN")]
    auto_logout_idle: Option<Given<Rule<Span>>>,
    /// Time that the device has not been registered: 15m, or never
    #[arg(long, value_name = "SPAN")]
    auto_logout_unregistered: Option<Given<Rule<Span>>>,
    /// Switch all rules off, except those given with this option
    #[arg(long)]
    auto_logout_never: bool,
}

impl AutoLogoutFlags {
    /// Sets or removes the rules that were given.
    pub(super) fn set(self, rules: &mut AutoLogoutRules) {
        if self.auto_logout_never {
            *rules = AutoLogoutRules::never();
        }
        Given::set(self.auto_logout_at, &mut rules.at);
        Given::set(self.auto_logout_days, &mut rules.days);
        Given::set(self.auto_logout_after, &mut rules.after);
        Given::set(self.auto_logout_idle, &mut rules.idle);
        Given::set(self.auto_logout_unregistered, &mut rules.unregistered);
    }
}

/// The rules in one line: `at 23:00, on mon-fri, idle 45m`.
pub(super) fn shown(rules: &AutoLogoutRules) -> String {
    if *rules == AutoLogoutRules::never() {
        return "never".into();
    }
    let parts = [
        rules.at.map(|at| format!("at {at}")),
        rules.days.map(|days| format!("on {days}")),
        rules.after.map(|span| format!("after {span}")),
        rules.idle.map(|span| format!("idle {span}")),
        rules.unregistered.map(|span| format!("unregistered {span}")),
    ];
    output::joined_or("-", parts.into_iter().flatten())
}
