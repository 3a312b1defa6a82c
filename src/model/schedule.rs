//! Times of day, weekdays and spans of time, as people write them.

use std::fmt;
use std::str::FromStr;

use jiff::civil::{Date, Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};
use serde::de::{Deserialize, Deserializer, Error as _};
use serde::{Serialize, Serializer};

/// Text that is none of these, with what is accepted.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{0:?} is not {1}{2}")]
pub struct InvalidSchedule(String, &'static str, &'static str);

impl InvalidSchedule {
    fn new(text: &str, rule: &'static str) -> Self {
        Self(text.chars().take(80).collect(), rule, "")
    }
}

/// A rule that `never` switches off.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Rule<T> {
    /// Off.
    Never,
    /// On, with this value.
    Is(T),
}

impl<T: Copy> Rule<T> {
    /// The value, if the rule is on.
    pub const fn is(self) -> Option<T> {
        match self {
            Self::Never => None,
            Self::Is(value) => Some(value),
        }
    }
}

impl<T: fmt::Display> fmt::Display for Rule<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Never => f.write_str("never"),
            Self::Is(value) => value.fmt(f),
        }
    }
}

impl<T: FromStr<Err = InvalidSchedule>> FromStr for Rule<T> {
    type Err = InvalidSchedule;
    fn from_str(text: &str) -> Result<Self, InvalidSchedule> {
        let or_never = |InvalidSchedule(text, rule, _)| InvalidSchedule(text, rule, ", or never");
        if text == "never" { Ok(Self::Never) } else { text.parse().map(Self::Is).map_err(or_never) }
    }
}

/// A time of day in a time zone, to the minute: `23:00`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct TimeOfDay(Time);

impl TimeOfDay {
    /// `hour`:`minute`.
    ///
    /// # Errors
    /// [`InvalidSchedule`] when there is no such time.
    pub fn new(hour: i8, minute: i8) -> Result<Self, InvalidSchedule> {
        let none = |_| InvalidSchedule::new(&format!("{hour}:{minute}"), Self::RULE);
        Time::new(hour, minute, 0, 0).map(Self).map_err(none)
    }

    const RULE: &str = "a time of day: it takes hours and minutes (23:00)";

    /// The first moment after `after` with this time of day in `zone`, on one of `days`. When the clocks skip the
    /// time, it is the moment at which they would have shown it, which they then show as an hour later. When the
    /// clocks show it twice, only the first counts.
    pub fn next(self, days: Days, zone: &TimeZone, after: Timestamp) -> Option<Timestamp> {
        let today = after.to_zoned(zone.clone()).date();
        // In a week it is the same weekday again; one day more, because today's time may be over.
        let dates = (0..=8).filter_map(|days| today.checked_add(days.days()).ok());
        let mut times = dates.filter(|date| days.has(date.weekday())).filter_map(|date| self.on(date, zone));
        times.find(|at| *at > after)
    }

    fn on(self, date: Date, zone: &TimeZone) -> Option<Timestamp> {
        zone.to_ambiguous_zoned(date.to_datetime(self.0)).compatible().ok().map(|zoned| zoned.timestamp())
    }
}

impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.0.hour(), self.0.minute())
    }
}

impl FromStr for TimeOfDay {
    type Err = InvalidSchedule;
    fn from_str(text: &str) -> Result<Self, InvalidSchedule> {
        let number = |part: &str| -> Option<i8> {
            let plain = (1..=2).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
            if plain { part.parse().ok() } else { None }
        };
        let read = text.split_once(':').and_then(|(hour, minute)| {
            let minute = if minute.len() == 2 { number(minute) } else { None };
            Self::new(number(hour)?, minute?).ok()
        });
        read.ok_or_else(|| InvalidSchedule::new(text, Self::RULE))
    }
}

/// Days of the week: `mon-fri`, `mon,wed,sat-sun`, `all`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Days(u8);

const NAMES: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

impl Days {
    /// Every day.
    pub const ALL: Self = Self(0x7f);

    /// Whether `day` is one of them.
    pub fn has(self, day: Weekday) -> bool {
        self.0 & (1 << day.to_monday_zero_offset()) != 0
    }
}

impl fmt::Display for Days {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Self::ALL {
            return f.write_str("all");
        }
        let mut days = NAMES.iter().enumerate().peekable();
        let mut between = "";
        while let Some((at, first)) = days.next() {
            if self.0 & (1 << at) == 0 {
                continue;
            }
            let mut last = first;
            while let Some((_, name)) = days.next_if(|(next, _)| self.0 & (1 << next) != 0) {
                last = name;
            }
            write!(f, "{between}{first}")?;
            if last != first {
                write!(f, "-{last}")?;
            }
            between = ",";
        }
        Ok(())
    }
}

impl FromStr for Days {
    type Err = InvalidSchedule;
    fn from_str(text: &str) -> Result<Self, InvalidSchedule> {
        const RULE: &str = "days of the week: it takes mon-fri, or mon,wed,sat-sun, or all";
        let invalid = || InvalidSchedule::new(text, RULE);
        let day = |name: &str| NAMES.iter().position(|day| *day == name);
        if text == "all" {
            return Ok(Self::ALL);
        }
        let mut days = 0;
        for part in text.split(',') {
            let (from, to) = part.split_once('-').unwrap_or((part, part));
            let (mut from, to) = (day(from).ok_or_else(invalid)?, day(to).ok_or_else(invalid)?);
            days |= 1 << from;
            while from != to {
                from = (from + 1) % 7;
                days |= 1 << from;
            }
        }
        Ok(Self(days))
    }
}

/// A span of time, from a second to a year: `45m`, `8h`, `1h 30m`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Span(SignedDuration);

impl Span {
    /// This many minutes.
    pub const fn minutes(minutes: u32) -> Self {
        Self(SignedDuration::from_secs(60 * minutes as i64))
    }

    /// The moment this long after `at`.
    #[must_use]
    pub fn after(self, at: Timestamp) -> Timestamp {
        at.saturating_add(self.0).unwrap_or(Timestamp::MAX)
    }

    /// The moment this long before `at`.
    #[must_use]
    pub fn before(self, at: Timestamp) -> Timestamp {
        at.saturating_sub(self.0).unwrap_or(Timestamp::MIN)
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#}", self.0)
    }
}

impl FromStr for Span {
    type Err = InvalidSchedule;
    fn from_str(text: &str) -> Result<Self, InvalidSchedule> {
        const RULE: &str = "a span of time: it takes 45m, 8h or 1h 30m, from 1s to 366 days (8784h)";
        let span: Option<SignedDuration> = text.parse().ok();
        let whole =
            span.filter(|span| span.subsec_nanos() == 0 && (1..=366 * 86_400).contains(&span.as_secs()));
        whole.map(Self).ok_or_else(|| InvalidSchedule::new(text, RULE))
    }
}

/// As text, in a record and in the configuration.
macro_rules! as_text {
    ($([$($of:tt)*] $name:ty;)+) => {$(
        impl<$($of)*> Serialize for $name {
            fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.collect_str(self)
            }
        }
        impl<'de, $($of)*> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                String::deserialize(from)?.parse().map_err(D::Error::custom)
            }
        }
    )+};
}

as_text! {
    [] Days;
    [] Span;
    [T: fmt::Display + FromStr<Err = InvalidSchedule>] Rule<T>;
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn next(at: &str, days: &str, zone: &str, after: &str) -> String {
        let zone = TimeZone::get(zone).unwrap();
        let after: jiff::Zoned = format!("{after}[{}]", zone.iana_name().unwrap()).parse().unwrap();
        let at: TimeOfDay = at.parse().unwrap();
        let next = at.next(days.parse().unwrap(), &zone, after.timestamp()).unwrap();
        next.to_zoned(zone).strftime("%a %Y-%m-%dT%H:%M%:z").to_string()
    }

    #[test]
    fn a_time_of_day_is_the_next_one_in_the_time_zone() {
        let of = |after| next("23:00", "all", "Europe/Amsterdam", after);
        assert_eq!(of("2026-11-18T09:00"), "Wed 2026-11-18T23:00+01:00");
        assert_eq!(of("2026-11-18T22:59:59"), "Wed 2026-11-18T23:00+01:00");
        assert_eq!(of("2026-11-18T23:00"), "Thu 2026-11-19T23:00+01:00", "a login at that time is not ended");
        assert_eq!(of("2026-12-31T23:30"), "Fri 2027-01-01T23:00+01:00");
        assert_eq!(next("23:00", "all", "Europe/Lisbon", "2026-11-18T22:30"), "Wed 2026-11-18T23:00+00:00");
    }

    #[test]
    fn only_the_selected_weekdays_count() {
        let of = |days, after| next("18:00", days, "Europe/Berlin", after);
        assert_eq!(of("mon-fri", "2026-11-20T18:00"), "Mon 2026-11-23T18:00+01:00", "over the weekend");
        assert_eq!(of("fri", "2026-11-20T17:59"), "Fri 2026-11-20T18:00+01:00");
        assert_eq!(of("fri", "2026-11-20T18:01"), "Fri 2026-11-27T18:00+01:00", "a week on");
        assert_eq!(of("sun,tue", "2026-11-20T12:00"), "Sun 2026-11-22T18:00+01:00");
    }

    /// In 2027 the clocks of Amsterdam go from 02:00 to 03:00 on 28 March, and from 03:00 to 02:00 on 31 October.
    #[test]
    fn days_of_23_and_of_25_hours_have_each_time_once() {
        let of = |at, after| next(at, "all", "Europe/Amsterdam", after);
        assert_eq!(of("23:00", "2027-03-27T23:00"), "Sun 2027-03-28T23:00+02:00", "23 hours later");
        assert_eq!(of("23:00", "2027-10-30T23:00"), "Sun 2027-10-31T23:00+01:00", "25 hours later");
        assert_eq!(of("02:30", "2027-03-28T01:00"), "Sun 2027-03-28T03:30+02:00", "there is no 02:30");
        assert_eq!(of("02:30", "2027-03-28T03:30"), "Mon 2027-03-29T02:30+02:00");
        assert_eq!(of("02:30", "2027-10-31T01:00"), "Sun 2027-10-31T02:30+02:00", "the first of two");
        assert_eq!(of("02:30", "2027-10-31T02:45"), "Mon 2027-11-01T02:30+01:00", "not the second");
    }

    #[test]
    fn valid_text_is_read_and_other_text_is_refused() {
        for (text, shown) in [
            ("mon-fri", "mon-fri"),
            ("sat-mon", "mon,sat-sun"),
            ("tue", "tue"),
            ("mon-sun", "all"),
            ("sun,mon,tue", "mon-tue,sun"),
        ] {
            assert_eq!(text.parse::<Days>().unwrap().to_string(), shown);
        }
        for (text, shown) in [("23:00", "23:00"), ("7:05", "07:05"), ("00:00", "00:00"), ("never", "never")] {
            assert_eq!(text.parse::<Rule<TimeOfDay>>().unwrap().to_string(), shown);
        }
        for (text, shown) in [
            ("45m", "45m"),
            ("8h", "8h"),
            ("90m", "1h 30m"),
            ("1h30m", "1h 30m"),
            ("2s", "2s"),
            ("never", "never"),
        ] {
            assert_eq!(text.parse::<Rule<Span>>().unwrap().to_string(), shown);
        }
        for bad in ["", "24:00", "23", "23:0", "23:60", "+1:00", "23:00:30", "-1:00", "noon"] {
            assert!(bad.parse::<TimeOfDay>().is_err(), "{bad}");
        }
        for bad in ["", "monday", "mon-", "mon,,tue", "Mon", "mon fri", "8"] {
            assert!(bad.parse::<Days>().is_err(), "{bad}");
        }
        for bad in ["", "0s", "-5m", "8", "1.5s", "367d", "99999h", "1 month", "NEVER"] {
            assert!(bad.parse::<Rule<Span>>().is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn the_next_time_is_within_nine_days_and_on_a_selected_day(
            hour in 0..24_i8, minute in 0..60_i8, days in 1..128_u8, second in 0..4_000_000_000_i64,
            zone in prop::sample::select(vec!["Europe/Amsterdam", "America/New_York", "Pacific/Apia", "Asia/Kathmandu", "UTC"]),
        ) {
            let (zone, after) = (TimeZone::get(zone).unwrap(), Timestamp::from_second(second).unwrap());
            let next = TimeOfDay::new(hour, minute).unwrap().next(Days(days), &zone, after).unwrap();
            prop_assert!(next > after);
            prop_assert!(next.duration_since(after).as_hours() < 9 * 24);
            let shown = next.to_zoned(zone);
            prop_assert!(Days(days).has(shown.weekday()) || shown.hour() < 2, "{shown}");
            prop_assert!(shown.minute() == minute || shown.date().year() < 2015, "{shown}");
        }

        #[test]
        fn days_are_written_as_they_are_read(days in 1..128_u8) {
            prop_assert_eq!(Days(days).to_string().parse::<Days>(), Ok(Days(days)));
        }
    }
}
