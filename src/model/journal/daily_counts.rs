//! The daily counts that remain of old journal entries: how often each event happened on a day, without names.

use std::collections::BTreeMap;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::Serialize;

use crate::model::journal::{Entry, Event};

/// A counted event.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Counted {
    /// A login.
    Login,
    /// A logout, automatic or not. A move to another device counts as a logout and a login.
    Logout,
    /// A transition that was undone; its login and logout are counted as well.
    Undone,
    /// A login was refused.
    Refusal,
    /// A repaired row of a switch table.
    Repair,
    /// A spray: many PINs are tried.
    Spray,
    /// Everything else: changes of the directory, PINs, lockouts and postponed logouts.
    Other,
}

impl Counted {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Login, Self::Logout, Self::Undone, Self::Refusal, Self::Repair, Self::Spray, Self::Other];

    /// Its name in a store, and in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Login => "login",
            Self::Logout => "logout",
            Self::Undone => "undone",
            Self::Refusal => "refusal",
            Self::Repair => "repair",
            Self::Spray => "spray",
            Self::Other => "other",
        }
    }

    /// The one of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|counted| counted.name() == name)
    }
}

/// The number of each event, by the day in UTC.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Counts(BTreeMap<Date, BTreeMap<Counted, u64>>);

impl Counts {
    /// Counts an entry.
    pub fn count(&mut self, entry: &Entry) {
        let day = entry.at.to_zoned(TimeZone::UTC).date();
        let (logins, logouts) = entry.event.moves();
        let own = match &entry.event {
            Event::SessionsChanged { undo: false, .. } => None,
            Event::SessionsChanged { undo: true, .. } => Some(Counted::Undone),
            Event::Refused { .. } => Some(Counted::Refusal),
            Event::Repaired { .. } => Some(Counted::Repair),
            Event::Spray { .. } => Some(Counted::Spray),
            _ => Some(Counted::Other),
        };
        self.add(day, Counted::Login, logins as u64);
        self.add(day, Counted::Logout, logouts as u64);
        own.into_iter().for_each(|own| self.add(day, own, 1));
    }

    /// Adds an earlier count.
    pub fn add(&mut self, day: Date, what: Counted, times: u64) {
        if times > 0 {
            *self.0.entry(day).or_default().entry(what).or_default() += times;
        }
    }

    /// Each day, the earliest first.
    pub fn days(&self) -> impl Iterator<Item = (Date, &BTreeMap<Counted, u64>)> {
        self.0.iter().map(|(day, times)| (*day, times))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::directory::Session;
    use crate::model::id::{DeviceName, Extension, Revision, TenantId};
    use crate::model::journal::Actor;

    fn entry(at: &str, event: Event) -> Entry {
        let (tenant, by) = (TenantId::default(), Actor::Controller);
        Entry { revision: Revision(0), at: at.parse().unwrap(), tenant, by, call: None, code: None, event }
    }

    fn session(user: &str, device: &str) -> Session {
        Session {
            user: Extension::new(user).unwrap(),
            device: DeviceName::new(device).unwrap(),
            since: "2026-03-01T08:00:00Z".parse().unwrap(),
            revision: Revision(1),
        }
    }

    #[test]
    fn days_are_in_utc_and_each_login_and_logout_is_counted() {
        let mut counts = Counts::default();
        let (here, there) = (session("101", "desk1"), session("102", "desk1"));
        let moved = |ended: &[&Session], begun: &[&Session], undo| Event::SessionsChanged {
            ended: ended.iter().copied().cloned().collect(),
            begun: begun.iter().copied().cloned().collect(),
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
            r#"{"2026-03-01":{"login":1},"2026-03-02":{"login":2,"logout":3,"undone":1,"refusal":1,"other":1}}"#
        );
    }

    #[test]
    fn names_are_read_back_and_are_the_same_in_json() {
        for counted in Counted::ALL {
            assert_eq!(Counted::named(counted.name()), Some(counted));
            assert_eq!(serde_json::to_string(&counted).unwrap(), format!("{:?}", counted.name()));
        }
        assert_eq!(Counted::named("logins"), None);
    }
}
