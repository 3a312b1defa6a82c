//! Leaving without dialling: when somebody who sits at a device is logged out by himself, and why.
//!
//! Nothing is wound up and nothing can be lost: when a binding ends follows from the rules, from since when it is, and
//! from what the switches said of its device, which the store keeps ([`Seen`]). Whoever asks anew gets the same answer.

use std::fmt;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::schedule::{Days, Rule, Span, TimeOfDay};

/// How long a phone may take to register again after its switch was restarted: as long as a registration usually lasts.
const RETURN: SignedDuration = SignedDuration::from_hours(2);
/// How much two controllers' clocks, and a switch's whole seconds, may differ.
const SLACK: SignedDuration = SignedDuration::from_secs(5);

/// When users are logged out by themselves, as one of tenant, location, device and user has it. What it does not say is
/// left to the one before it in this order.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Rules {
    /// At a time of day, on the clocks of where the device stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<Rule<TimeOfDay>>,
    /// On which days it is at that time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub days: Option<Days>,
    /// So long after logging in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<Rule<Span>>,
    /// When there was no call at the device for so long.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub idle: Option<Rule<Span>>,
    /// When the device was not registered for so long.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unregistered: Option<Rule<Span>>,
}

/// What the switches said of a device since somebody sits there, as the store keeps it.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Seen {
    /// When its last call ended.
    pub quiet: Option<Timestamp>,
    /// Since when it is not registered.
    pub gone: Option<Timestamp>,
    /// Until when its user said that he stays.
    pub stays: Option<Timestamp>,
    /// When he was to leave as he was asked by phone whether he stays.
    pub asked: Option<Timestamp>,
}

/// When a binding ends by itself, as far as is known now.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
pub struct Due {
    /// When; it may be over.
    pub at: Timestamp,
    /// Why.
    pub why: Why,
    /// Since when it is counted.
    pub from: Timestamp,
}

impl Due {
    /// When to warn, so long before; not before half of the time is over, and not of a phone that is gone.
    #[must_use]
    pub fn warning(&self, before: Span) -> Option<Timestamp> {
        let half = self.at.duration_since(self.from) / 2;
        let earliest = self.from.saturating_add(half).unwrap_or(self.at);
        (self.why != Why::Unregistered).then(|| before.before(self.at).max(earliest))
    }
}

/// Why somebody was logged out by himself.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Why {
    /// The time of day.
    TimeOfDay,
    /// He had been there for as long as is allowed.
    LongestStay,
    /// There was no call for so long.
    Idle,
    /// The phone was not registered for so long.
    Unregistered,
}

impl Why {
    /// Its name in the logs, as in the journal.
    #[must_use]
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
    /// For a person: hotdesk did it, *time of day*.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TimeOfDay => "time of day",
            Self::LongestStay => "longest stay",
            Self::Idle => "no call for long",
            Self::Unregistered => "phone not registered",
        })
    }
}

impl Rules {
    /// Nobody is logged out by himself.
    #[must_use]
    pub const fn never() -> Self {
        Self {
            at: Some(Rule::Never),
            days: None,
            after: Some(Rule::Never),
            idle: Some(Rule::Never),
            unregistered: Some(Rule::Never),
        }
    }

    /// What applies where these stand over `wider` ones.
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

    /// When who sits there since `since` is logged out, where clocks are those of `zone`; the earliest, and of two at
    /// once the first of [`Why`]. Who said that he stays does so until then, unless his phone is gone.
    #[must_use]
    pub fn due(&self, zone: &TimeZone, since: Timestamp, seen: &Seen) -> Option<Due> {
        let Self { at, days, after, idle, unregistered } = *self;
        let days = days.unwrap_or(Days::ALL);
        let time = at.and_then(Rule::is).and_then(|at| at.next(days, zone, since));
        let longest = after.and_then(Rule::is).map(|span| span.after(since));
        let quiet = seen.quiet.map_or(since, |quiet| quiet.max(since));
        let idle = idle.and_then(Rule::is).map(|span| span.after(quiet));
        let stays = |at: Timestamp| seen.stays.map_or(at, |until| until.max(at));
        let gone = seen.gone.map(|gone| gone.max(since));
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

/// Since when a device that is not registered `now` counts as gone. `noted` is what was noted so far; the switch is up
/// since `up`, and `here` is whether the device was seen registered since then.
///
/// A switch that was restarted may know no phone until each registers again. So what was noted before counts no more,
/// and a phone that nobody saw since has two hours to come back before it is gone.
#[must_use]
pub fn gone_since(noted: Option<Timestamp>, here: bool, up: Timestamp, now: Timestamp) -> Timestamp {
    let back = up.saturating_add(RETURN).unwrap_or(now);
    match noted {
        // One that is still to come was given at an earlier start, or, give or take a second, at this one.
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

    fn rules(toml: &str) -> Rules {
        toml::from_str(toml).unwrap()
    }

    fn due(rules: &str, since: &str, seen: Seen) -> Option<(Timestamp, Why)> {
        let zone = TimeZone::get("Europe/Amsterdam").unwrap();
        self::rules(rules).due(&zone, ams(since), &seen).map(|due| (due.at, due.why))
    }

    #[test]
    fn nothing_ends_without_a_rule_and_never_is_none() {
        assert_eq!(due("", "2026-11-18T09:00", Seen::default()), None);
        let never = Rules::never().due(&TimeZone::UTC, Timestamp::UNIX_EPOCH, &Seen::default());
        assert_eq!(never, None);
    }

    #[test]
    fn the_first_of_all_rules_ends_it() {
        let since = "2026-11-18T09:00";
        let all = "at = '23:00'\nafter = '8h'\nidle = '45m'\nunregistered = '15m'";
        let quiet = |at| Seen { quiet: Some(ams(at)), ..Seen::default() };
        assert_eq!(due(all, since, Seen::default()), Some((ams("2026-11-18T09:45"), Why::Idle)));
        let calls = quiet("2026-11-18T16:30");
        assert_eq!(due(all, since, calls), Some((ams("2026-11-18T17:00"), Why::LongestStay)));
        let gone = Seen { gone: Some(ams("2026-11-18T16:40")), ..calls };
        assert_eq!(due(all, since, gone), Some((ams("2026-11-18T16:55"), Why::Unregistered)));
        let late = quiet("2026-11-18T22:50");
        assert_eq!(
            due("at = '23:00'\nidle = '45m'", since, late),
            Some((ams("2026-11-18T23:00"), Why::TimeOfDay))
        );
    }

    #[test]
    fn what_was_before_he_came_does_not_count() {
        let before = ams("2026-11-18T08:00");
        let seen = Seen { quiet: Some(before), gone: Some(before), stays: Some(before), asked: None };
        let since = "2026-11-18T09:00";
        assert_eq!(due("idle = '45m'", since, seen), Some((ams("2026-11-18T09:45"), Why::Idle)));
        assert_eq!(
            due("unregistered = '15m'", since, seen),
            Some((ams("2026-11-18T09:15"), Why::Unregistered))
        );
    }

    #[test]
    fn who_stays_does_so_unless_his_phone_is_gone() {
        let (since, until) = ("2026-11-18T09:00", ams("2026-11-19T00:00"));
        let stays = Seen { stays: Some(until), ..Seen::default() };
        assert_eq!(due("at = '23:00'", since, stays), Some((until, Why::TimeOfDay)));
        assert_eq!(due("after = '8h'", since, stays), Some((until, Why::LongestStay)));
        let gone = Seen { gone: Some(ams("2026-11-18T20:00")), ..stays };
        assert_eq!(
            due("at = '23:00'\nunregistered = '15m'", since, gone),
            Some((ams("2026-11-18T20:15"), Why::Unregistered))
        );
    }

    #[test]
    fn it_is_23_in_amsterdam_an_hour_before_it_is_in_lisbon() {
        let rules = rules("at = '23:00'");
        let since = ams("2026-11-18T09:00");
        let in_zone = |zone| rules.due(&TimeZone::get(zone).unwrap(), since, &Seen::default()).unwrap().at;
        let hour = in_zone("Europe/Lisbon").duration_since(in_zone("Europe/Amsterdam"));
        assert_eq!(hour, SignedDuration::from_hours(1));
    }

    #[test]
    fn the_narrowest_that_says_something_wins_rule_by_rule() {
        let tenant = rules("at = '23:00'\ndays = 'mon-fri'\nunregistered = '15m'");
        let location = rules("at = '20:00'\nafter = '8h'");
        let device = rules("unregistered = 'never'");
        let user = rules("after = 'never'\ndays = 'all'");
        let all = user.over(device.over(location.over(tenant)));
        assert_eq!(all, rules("at = '20:00'\ndays = 'all'\nafter = 'never'\nunregistered = 'never'"));
        let never = Rules::never().over(all);
        assert_eq!(never.due(&TimeZone::UTC, Timestamp::UNIX_EPOCH, &Seen::default()), None);
    }

    #[test]
    fn a_phone_is_gone_since_it_was_seen_to_go_and_a_restart_of_its_switch_does_not_count() {
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
    fn a_warning_comes_before_but_not_at_once() {
        let at = |minute: i64| Timestamp::from_second(60 * minute).unwrap();
        let due = |to, why| Due { at: at(to), why, from: at(0) };
        let before = Span::minutes(10);
        assert_eq!(due(60, Why::TimeOfDay).warning(before), Some(at(50)));
        assert_eq!(due(8, Why::Idle).warning(before), Some(at(4)));
        assert_eq!(due(60, Why::Unregistered).warning(before), None);
    }

    #[test]
    fn rules_are_kept_as_they_are_written() {
        let all = rules("at = '23:00'\ndays = 'mon-fri'\nafter = '8h'\nidle = '45m'\nunregistered = 'never'");
        let text = serde_json::to_string(&all).unwrap();
        assert_eq!(
            text,
            r#"{"at":"23:00","days":"mon-fri","after":"8h","idle":"45m","unregistered":"never"}"#
        );
        assert_eq!(serde_json::from_str::<Rules>(&text).unwrap(), all);
        assert_eq!(serde_json::to_string(&Rules::default()).unwrap(), "{}");
        assert!(toml::from_str::<Rules>("at = 'noon'").is_err());
    }
}
