//! `--leave-...`: when whoever has not logged out is logged out by himself, at a location, a device, or a user.

use super::print::{self, Given};
use crate::desk::leave::Rules;
use crate::desk::schedule::{Days, Rule, Span, TimeOfDay};

/// What is not given stays; an empty value leaves it to the wider rule.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Logging out by itself, instead of what device, location or [leave] say")]
pub(super) struct Leave {
    /// At a time of day: 23:00, or never; "" for the wider rule, as with the others
    #[arg(long, value_name = "TIME")]
    leave_at: Option<Given<Rule<TimeOfDay>>>,
    /// On these days at that time: mon-fri, or mon,wed,sat-sun, or all
    #[arg(long, value_name = "DAYS")]
    leave_days: Option<Given<Days>>,
    /// So long after logging in: 8h, or never
    #[arg(long, value_name = "SPAN")]
    leave_after: Option<Given<Rule<Span>>>,
    /// After so long without a call at the phone: 45m, or never
    #[arg(long, value_name = "SPAN")]
    leave_idle: Option<Given<Rule<Span>>>,
    /// When the phone has not been registered for so long: 15m, or never
    #[arg(long, value_name = "SPAN")]
    leave_unregistered: Option<Given<Rule<Span>>>,
    /// None of these, but for those that are given along
    #[arg(long)]
    leave_never: bool,
}

impl Leave {
    /// Replaces what was given.
    pub(super) fn put(self, rules: &mut Rules) {
        if self.leave_never {
            *rules = Rules::never();
        }
        Given::put(self.leave_at, &mut rules.at);
        Given::put(self.leave_days, &mut rules.days);
        Given::put(self.leave_after, &mut rules.after);
        Given::put(self.leave_idle, &mut rules.idle);
        Given::put(self.leave_unregistered, &mut rules.unregistered);
    }
}

/// Rules as one reads them: `at 23:00 (mon-fri), idle 45m`.
pub(super) fn shown(rules: &Rules) -> String {
    if *rules == Rules::never() {
        return "never".into();
    }
    let days = rules.days.map(|days| format!("on {days}"));
    let said = [
        rules.at.map(|at| format!("at {at}")),
        days,
        rules.after.map(|span| format!("after {span}")),
        rules.idle.map(|span| format!("idle {span}")),
        rules.unregistered.map(|span| format!("unregistered {span}")),
    ];
    let said: Vec<String> = said.into_iter().flatten().collect();
    print::or_dash((!said.is_empty()).then(|| said.join(", ")).as_ref())
}
