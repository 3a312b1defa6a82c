//! Automatic logout: when a session ends without a dialled code, and why.
//!
//! No timer is set and nothing can be lost. The end of a session follows from the rules, from its start, and from what the
//! switches reported about its device, which the store keeps ([`Observed`]). Each controller computes the same answer.

use std::fmt;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::observation::Observed;
use super::schedule::{Days, Rule, Span, TimeOfDay};

/// How long a device may take to register again after its switch restarts: as long as a registration usually lasts.
const RETURN: SignedDuration = SignedDuration::from_hours(2);
/// How much the clocks of two controllers, and the whole seconds of a switch, may differ.
const SLACK: SignedDuration = SignedDuration::from_secs(5);

/// The automatic logout of a tenant, location, device or user. What it does not set, the one before it in this order sets.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AutoLogoutRules {
    /// At a time of day, in the time zone of the device's location.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "18:00")]
    pub at: Option<Rule<TimeOfDay>>,
    /// The days of [`at`](Self::at).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "mon-fri")]
    pub days: Option<Days>,
    /// This long after the login.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "12h")]
    pub after: Option<Rule<Span>>,
    /// When the device has had no call for this long.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "2h")]
    pub idle: Option<Rule<Span>>,
    /// When the device has been unregistered for this long.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "15m")]
    pub unregistered: Option<Rule<Span>>,
}

/// When a session ends automatically, as far as is known now.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, ToSchema)]
pub struct Due {
    /// The time; it may be in the past.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// Why: time-of-day, longest-stay, idle, unregistered.
    #[schema(value_type = String)]
    pub why: Why,
    /// The start of the counted time.
    #[schema(value_type = String, format = DateTime)]
    pub from: Timestamp,
}

impl Due {
    /// When to warn, this long before the logout: in the second half of the time, and not when the device is unregistered.
    pub fn warning(&self, before: Span) -> Option<Timestamp> {
        let half = self.at.duration_since(self.from) / 2;
        let earliest = self.from.saturating_add(half).unwrap_or(self.at);
        (self.why != Why::Unregistered).then(|| before.before(self.at).max(earliest))
    }
}

/// The reason for an automatic logout.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Why {
    /// The time of day.
    TimeOfDay,
    /// The session has lasted as long as it may.
    LongestStay,
    /// The device has had no call for this long.
    Idle,
    /// The device has been unregistered for this long.
    Unregistered,
}

impl Why {
    /// Its name in the logs and in the journal.
    pub const fn name(self) -> &'static str {
        match self {
            Self::TimeOfDay => "time-of-day",
            Self::LongestStay => "longest-stay",
            Self::Idle => "idle",
            Self::Unregistered => "unregistered",
        }
    }
}

impl fmt::Display for Why {
    /// For a reader: hotdesk did it, *time of day*.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TimeOfDay => "time of day",
            Self::LongestStay => "longest stay",
            Self::Idle => "no call for long",
            Self::Unregistered => "phone not registered",
        })
    }
}

impl AutoLogoutRules {
    /// No user is logged out automatically.
    pub const fn never() -> Self {
        Self {
            at: Some(Rule::Never),
            days: None,
            after: Some(Rule::Never),
            idle: Some(Rule::Never),
            unregistered: Some(Rule::Never),
        }
    }

    /// These rules, completed by the `wider` ones.
    #[must_use]
    pub fn over(self, wider: Self) -> Self {
        Self {
            at: self.at.or(wider.at),
            days: self.days.or(wider.days),
            after: self.after.or(wider.after),
            idle: self.idle.or(wider.idle),
            unregistered: self.unregistered.or(wider.unregistered),
        }
    }

    /// When a session that began at `since` ends, in the time zone `zone`: the earliest of the rules, and of two at
    /// the same time the first of [`Why`]. A postponed logout waits, unless the device is unregistered.
    pub fn due(&self, zone: &TimeZone, since: Timestamp, seen: &Observed) -> Option<Due> {
        let Self { at, days, after, idle, unregistered } = *self;
        let since = seen.began.unwrap_or(since);
        let days = days.unwrap_or(Days::ALL);
        let time = at.and_then(Rule::is).and_then(|at| at.next(days, zone, since));
        let longest = after.and_then(Rule::is).map(|span| span.after(since));
        let quiet = seen.last_call.map_or(since, |ended| ended.max(since));
        let idle = idle.and_then(Rule::is).map(|span| span.after(quiet));
        let stays = |at: Timestamp| seen.extended.map_or(at, |until| until.max(at));
        let gone = seen.unregistered.map(|gone| gone.max(since));
        let gone = gone.and_then(|gone| Some(unregistered?.is()?.after(gone)));
        let all = [
            (time.map(stays), Why::TimeOfDay, since),
            (longest.map(stays), Why::LongestStay, since),
            (idle.map(stays), Why::Idle, quiet),
            (gone, Why::Unregistered, since),
        ];
        all.into_iter()
            .filter_map(|(at, why, from)| at.map(|at| Due { at, why, from }))
            .min_by_key(|due| due.at)
    }
}

/// Since when a device that is unregistered `now` counts as unregistered. `noted` is the time in the store, `up` is
/// when the switch started, and `here` says whether the device was registered at any time since then.
///
/// A restarted switch may know no device until each registers again. So a time from before the restart does not
/// count, and a device that has not registered since has two hours to do so.
pub fn gone_since(noted: Option<Timestamp>, here: bool, up: Timestamp, now: Timestamp) -> Timestamp {
    let back = up.saturating_add(RETURN).unwrap_or(now);
    match noted {
        // A time in the future was noted at an earlier start, or, within a second, at this one.
        Some(noted) if noted >= if noted > now { back - SLACK } else { up } => noted,
        _ if here => now,
        _ => back.max(now),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ams(text: &str) -> Timestamp {
        format!("{text}[Europe/Amsterdam]").parse::<jiff::Zoned>().unwrap().timestamp()
    }

    fn rules(toml: &str) -> AutoLogoutRules {
        toml::from_str(toml).unwrap()
    }

    fn due(rules: &str, since: &str, seen: Observed) -> Option<(Timestamp, Why)> {
        let zone = TimeZone::get("Europe/Amsterdam").unwrap();
        self::rules(rules).due(&zone, ams(since), &seen).map(|due| (due.at, due.why))
    }

    #[test]
    fn without_a_rule_or_with_never_no_session_ends() {
        assert_eq!(due("", "2026-11-18T09:00", Observed::default()), None);
        let never = AutoLogoutRules::never().due(&TimeZone::UTC, Timestamp::UNIX_EPOCH, &Observed::default());
        assert_eq!(never, None);
    }

    #[test]
    fn the_earliest_rule_ends_the_session() {
        let since = "2026-11-18T09:00";
        let all = "at = '23:00'\nafter = '8h'\nidle = '45m'\nunregistered = '15m'";
        let quiet = |at| Observed { last_call: Some(ams(at)), ..Observed::default() };
        assert_eq!(due(all, since, Observed::default()), Some((ams("2026-11-18T09:45"), Why::Idle)));
        let calls = quiet("2026-11-18T16:30");
        assert_eq!(due(all, since, calls), Some((ams("2026-11-18T17:00"), Why::LongestStay)));
        let gone = Observed { unregistered: Some(ams("2026-11-18T16:40")), ..calls };
        assert_eq!(due(all, since, gone), Some((ams("2026-11-18T16:55"), Why::Unregistered)));
        let late = quiet("2026-11-18T22:50");
        assert_eq!(
            due("at = '23:00'\nidle = '45m'", since, late),
            Some((ams("2026-11-18T23:00"), Why::TimeOfDay))
        );
    }

    #[test]
    fn events_before_the_login_do_not_count() {
        let before = ams("2026-11-18T08:00");
        let seen = Observed {
            last_call: Some(before),
            unregistered: Some(before),
            extended: Some(before),
            ..Observed::default()
        };
        let since = "2026-11-18T09:00";
        assert_eq!(due("idle = '45m'", since, seen), Some((ams("2026-11-18T09:45"), Why::Idle)));
        assert_eq!(
            due("unregistered = '15m'", since, seen),
            Some((ams("2026-11-18T09:15"), Why::Unregistered))
        );
    }

    #[test]
    fn a_postponed_logout_waits_unless_the_device_is_unregistered() {
        let (since, until) = ("2026-11-18T09:00", ams("2026-11-19T00:00"));
        let stays = Observed { extended: Some(until), ..Observed::default() };
        assert_eq!(due("at = '23:00'", since, stays), Some((until, Why::TimeOfDay)));
        assert_eq!(due("after = '8h'", since, stays), Some((until, Why::LongestStay)));
        let gone = Observed { unregistered: Some(ams("2026-11-18T20:00")), ..stays };
        assert_eq!(
            due("at = '23:00'\nunregistered = '15m'", since, gone),
            Some((ams("2026-11-18T20:15"), Why::Unregistered))
        );
    }

    #[test]
    fn for_each_rule_the_narrowest_value_applies() {
        let tenant = rules("at = '23:00'\ndays = 'mon-fri'\nunregistered = '15m'");
        let location = rules("at = '20:00'\nafter = '8h'");
        let device = rules("unregistered = 'never'");
        let user = rules("after = 'never'\ndays = 'all'");
        let all = user.over(device.over(location.over(tenant)));
        assert_eq!(all, rules("at = '20:00'\ndays = 'all'\nafter = 'never'\nunregistered = 'never'"));
        let never = AutoLogoutRules::never().over(all);
        assert_eq!(never.due(&TimeZone::UTC, Timestamp::UNIX_EPOCH, &Observed::default()), None);
    }

    #[test]
    fn a_device_is_unregistered_since_that_was_seen_and_a_restart_of_its_switch_does_not_count() {
        let at = |minute: i64| Timestamp::from_second(60 * minute).unwrap();
        let back = |minute: i64| at(minute + 120);
        assert_eq!(gone_since(None, true, at(0), at(30)), at(30), "seen to go");
        assert_eq!(gone_since(Some(at(30)), true, at(0), at(40)), at(30), "still gone");
        assert_eq!(gone_since(Some(at(30)), false, at(0), at(40)), at(30), "by another controller");
        assert_eq!(gone_since(Some(at(30)), false, at(35), at(40)), back(35), "restarted meanwhile");
        assert_eq!(gone_since(None, false, at(35), at(40)), back(35), "not back yet");
        assert_eq!(gone_since(Some(back(35)), false, at(35), at(60)), back(35));
        assert_eq!(gone_since(Some(back(35)), false, at(50), at(60)), back(50), "restarted once more");
        assert_eq!(gone_since(None, false, at(0), at(500)), at(500), "up for long");
    }

    #[test]
    fn a_warning_comes_before_the_logout_but_not_at_once() {
        let at = |minute: i64| Timestamp::from_second(60 * minute).unwrap();
        let due = |to, why| Due { at: at(to), why, from: at(0) };
        let before = Span::minutes(10);
        assert_eq!(due(60, Why::TimeOfDay).warning(before), Some(at(50)));
        assert_eq!(due(8, Why::Idle).warning(before), Some(at(4)));
        assert_eq!(due(60, Why::Unregistered).warning(before), None);
    }

    #[test]
    fn rules_are_stored_as_written() {
        let all = rules("at = '23:00'\ndays = 'mon-fri'\nafter = '8h'\nidle = '45m'\nunregistered = 'never'");
        let text = serde_json::to_string(&all).unwrap();
        assert_eq!(
            text,
            r#"{"at":"23:00","days":"mon-fri","after":"8h","idle":"45m","unregistered":"never"}"#
        );
        assert_eq!(serde_json::from_str::<AutoLogoutRules>(&text).unwrap(), all);
        assert_eq!(serde_json::to_string(&AutoLogoutRules::default()).unwrap(), "{}");
        assert!(toml::from_str::<AutoLogoutRules>("at = 'noon'").is_err());
    }
}
