//! What is left of old entries of the journal: how often what happened on which day, and nobody's name.

use std::collections::BTreeMap;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::Serialize;

use super::journal::{Entry, Event};

/// What is counted.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Counted {
    /// Somebody sat down.
    Login,
    /// Somebody left, by himself or not. Who moves logs in and out.
    Logout,
    /// What the switch did not acknowledge and was undone; the login and the logout are counted as well.
    TakenBack,
    /// A login was refused.
    Refusal,
    /// A row of a switch was put right.
    Repair,
    /// Somebody tries many PINs.
    Spray,
    /// Everything else: changes of the directory, of PINs and of locks, and who stayed.
    Other,
}

impl Counted {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Login, Self::Logout, Self::TakenBack, Self::Refusal, Self::Repair, Self::Spray, Self::Other];

    /// Its name in a store, and for machines.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Login => "login",
            Self::Logout => "logout",
            Self::TakenBack => "taken_back",
            Self::Refusal => "refusal",
            Self::Repair => "repair",
            Self::Spray => "spray",
            Self::Other => "other",
        }
    }

    /// The one of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|counted| counted.name() == name)
    }
}

/// How often what happened, by the day in UTC.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Counts(BTreeMap<Date, BTreeMap<Counted, u64>>);

impl Counts {
    /// Counts an entry.
    pub fn count(&mut self, entry: &Entry) {
        let day = entry.at.to_zoned(TimeZone::UTC).date();
        let (logins, logouts) = entry.event.moves();
        let own = match &entry.event {
            Event::Moved { undo: false, .. } => None,
            Event::Moved { undo: true, .. } => Some(Counted::TakenBack),
            Event::Refused { .. } => Some(Counted::Refusal),
            Event::Repaired { .. } => Some(Counted::Repair),
            Event::Spray { .. } => Some(Counted::Spray),
            _ => Some(Counted::Other),
        };
        self.add(day, Counted::Login, logins as u64);
        self.add(day, Counted::Logout, logouts as u64);
        own.into_iter().for_each(|own| self.add(day, own, 1));
    }

    /// Adds what was counted before.
    pub fn add(&mut self, day: Date, what: Counted, times: u64) {
        if times > 0 {
            *self.0.entry(day).or_default().entry(what).or_default() += times;
        }
    }

    /// Each day, the first one first.
    pub fn days(&self) -> impl Iterator<Item = (Date, &BTreeMap<Counted, u64>)> {
        self.0.iter().map(|(day, times)| (*day, times))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desk::id::{DeviceName, Extension, Revision, TenantId};
    use crate::desk::journal::Actor;
    use crate::desk::model::Binding;

    fn entry(at: &str, event: Event) -> Entry {
        let (tenant, by) = (TenantId::default(), Actor::Controller);
        Entry { revision: Revision(0), at: at.parse().unwrap(), tenant, by, call: None, code: None, event }
    }

    fn binding(user: &str, device: &str) -> Binding {
        Binding {
            user: Extension::new(user).unwrap(),
            device: DeviceName::new(device).unwrap(),
            since: "2026-03-01T08:00:00Z".parse().unwrap(),
            revision: Revision(1),
        }
    }

    #[test]
    fn days_are_those_of_utc_and_each_who_sits_down_or_leaves_is_counted() {
        let mut counts = Counts::default();
        let (here, there) = (binding("101", "desk1"), binding("102", "desk1"));
        let moved = |removed: &[&Binding], seated: &[&Binding], undo| Event::Moved {
            removed: removed.iter().copied().cloned().collect(),
            seated: seated.iter().copied().cloned().collect(),
            undo,
        };
        counts.count(&entry("2026-03-01T23:59:59.999Z", moved(&[], &[&here], false)));
        counts.count(&entry("2026-03-02T00:00:00Z", moved(&[&here], &[&there], false)));
        counts.count(&entry("2026-03-02T00:00:01Z", moved(&[&there], &[&here], true)));
        let device = here.device.clone();
        let lost = Event::UserRemoved { user: here.user.clone(), devices: vec![device.clone()] };
        counts.count(&entry("2026-03-02T12:00:00Z", lost));
        let refused = Event::Refused { device, user: None, reason: "wrong-pin".into() };
        counts.count(&entry("2026-03-02T13:00:00Z", refused));
        assert_eq!(
            serde_json::to_string(&counts).unwrap(),
            r#"{"2026-03-01":{"login":1},"2026-03-02":{"login":2,"logout":3,"taken_back":1,"refusal":1,"other":1}}"#
        );
    }

    #[test]
    fn names_are_read_back_and_are_those_of_json() {
        for counted in Counted::ALL {
            assert_eq!(Counted::named(counted.name()), Some(counted));
            assert_eq!(serde_json::to_string(&counted).unwrap(), format!("{:?}", counted.name()));
        }
        assert_eq!(Counted::named("logins"), None);
    }
}
