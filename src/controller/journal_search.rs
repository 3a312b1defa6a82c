//! Finds entries of the journal, the newest first.

use jiff::Timestamp;

use super::check::is_about;
use crate::model::id::{DeviceName, Extension, Revision, TenantId};
use crate::model::journal::{Actor, Entry, Event};
use crate::store::{Store, StoreError};

/// How many entries are read in one step.
const STEP: u64 = 500;
/// How many steps one search takes at most. The next search goes on from there.
const STEPS: u64 = 20;

/// A kind of entry.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// Accounts of the console, who signed in, and keys of the API.
    Accounts,
    /// Users, devices, locations, PINs and settings.
    Changes,
    /// Refused logins, lockouts and sprays.
    Refusals,
    /// What was repaired in a switch.
    Repairs,
    /// Logins, logouts and postponed ones.
    Sessions,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Sessions, Self::Changes, Self::Refusals, Self::Repairs, Self::Accounts];

    /// Its name in an address.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Accounts => "accounts",
            Self::Changes => "changes",
            Self::Refusals => "refusals",
            Self::Repairs => "repairs",
            Self::Sessions => "sessions",
        }
    }

    /// The kind of an entry.
    #[must_use]
    pub const fn of(event: &Event) -> Self {
        match event {
            Event::AccountInvited { .. }
            | Event::AccountRemoved { .. }
            | Event::KeyAdded { .. }
            | Event::KeyRemoved { .. }
            | Event::PasswordChosen { .. }
            | Event::SignInRefused { .. }
            | Event::SignedIn { .. }
            | Event::SignedOut { .. } => Self::Accounts,
            Event::DeviceChanged { .. }
            | Event::DeviceRemoved { .. }
            | Event::LocationChanged { .. }
            | Event::LocationRemoved { .. }
            | Event::LocationWaived { .. }
            | Event::PinChanged { .. }
            | Event::SettingChanged { .. }
            | Event::UserChanged { .. }
            | Event::UserRemoved { .. } => Self::Changes,
            Event::Refused { .. } | Event::Spray { .. } | Event::Unlocked { .. } => Self::Refusals,
            Event::Adopted { .. } | Event::Repaired { .. } => Self::Repairs,
            Event::SessionsChanged { .. } | Event::Extended { .. } => Self::Sessions,
        }
    }
}

/// What is sought; what is not given does not matter.
#[derive(Clone, Debug, Default)]
pub struct Sought {
    /// About this user.
    pub user: Option<Extension>,
    /// About this device, or by the caller at it.
    pub device: Option<DeviceName>,
    /// Of this kind.
    pub kind: Option<Kind>,
    /// Not older than this.
    pub since: Option<Timestamp>,
    /// Older than this.
    pub until: Option<Timestamp>,
    /// Of a lower revision than this.
    pub before: Option<Revision>,
}

impl Sought {
    /// Whether an entry is about this user and this device, and of this kind.
    pub fn is(&self, entry: &Entry) -> bool {
        let user = self.user.as_ref().is_none_or(|user| {
            let unlocked = matches!(&entry.event, Event::Unlocked { user: Some(is), .. } if is == user);
            unlocked || is_about(entry, &[user.clone()].into(), &[].into())
        });
        let device = self.device.as_ref().is_none_or(|device| {
            let unlocked = matches!(&entry.event, Event::Unlocked { device: Some(is), .. } if is == device);
            let by = matches!(&entry.by, Actor::Device(is) if is == device);
            unlocked || by || is_about(entry, &[].into(), &[device.clone()].into())
        });
        user && device && self.kind.is_none_or(|kind| Kind::of(&entry.event) == kind)
    }
}

/// What was found.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// The entries, the newest first.
    pub entries: Vec<Entry>,
    /// There may be more below this revision.
    pub more: Option<Revision>,
}

/// The newest entries that are sought, at most `limit`.
///
/// # Errors
/// [`StoreError`].
pub async fn search(
    store: &dyn Store,
    tenant: &TenantId,
    sought: &Sought,
    limit: usize,
) -> Result<Found, StoreError> {
    // The revision from which on nothing is looked at.
    let mut end = store.revision_at(tenant, sought.until.unwrap_or(Timestamp::MAX)).await?;
    end = sought.before.map_or(end, |before| before.min(end));
    let floor = match sought.since {
        Some(since) => store.revision_at(tenant, since).await?,
        None => Revision(1),
    };
    let mut found = Found::default();
    for _ in 0..STEPS {
        if end <= floor {
            return Ok(found);
        }
        let after = Revision(end.0.saturating_sub(STEP + 1));
        let page = store.journal(tenant, after, usize::try_from(STEP).unwrap_or(usize::MAX)).await?;
        let within = |entry: &&Entry| entry.revision < end && entry.revision >= floor;
        let page: Vec<&Entry> = page.iter().filter(within).collect();
        // Older ones are kept no more.
        let Some(oldest) = page.first().map(|entry| entry.revision) else { return Ok(found) };
        for entry in page.into_iter().rev().filter(|entry| sought.is(entry)) {
            if found.entries.len() == limit {
                found.more = found.entries.last().map(|last| last.revision);
                return Ok(found);
            }
            found.entries.push(entry.clone());
        }
        end = oldest;
    }
    found.more = Some(end).filter(|end| *end > floor);
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controller::commands;
    use crate::model::command::Change;
    use crate::store::Memory;

    #[tokio::test]
    async fn entries_come_newest_first_page_by_page_and_each_once() {
        let (store, tenant) = (Memory::default(), TenantId::default());
        let user = |n: u64| Extension::new((100 + n % 10).to_string()).unwrap();
        let at = |n: u64| Timestamp::from_second(1_000_000 + i64::try_from(n).unwrap()).unwrap();
        for n in 1..=1200 {
            let event = match n % 2 {
                0 => Event::PinChanged { user: user(n) },
                _ => Event::Unlocked { user: Some(user(n)), device: None },
            };
            let record = Change::Record(vec![event]);
            commands::change(&store, &tenant, (Actor::Controller, at(n)), record).await.unwrap();
        }
        let all = async |sought: Sought, limit: usize| {
            let (mut sought, mut revisions) = (sought, vec![]);
            loop {
                let found = search(&store, &tenant, &sought, limit).await.unwrap();
                revisions.extend(found.entries.iter().map(|entry| entry.revision.0));
                match found.more {
                    Some(more) => sought.before = Some(more),
                    None => return revisions,
                }
            }
        };
        let down = |wanted: &dyn Fn(u64) -> bool| (1..=1200).rev().filter(|n| wanted(*n)).collect::<Vec<_>>();
        assert_eq!(all(Sought::default(), 50).await, down(&|_| true));
        let of = Sought { user: Some(user(3)), ..Sought::default() };
        assert_eq!(all(of, 7).await, down(&|n| n % 10 == 3));
        let refusals = Sought { kind: Some(Kind::Refusals), ..Sought::default() };
        assert_eq!(all(refusals, 100).await, down(&|n| n % 2 == 1));
        let time = Sought { since: Some(at(100)), until: Some(at(900)), ..Sought::default() };
        assert_eq!(all(time, 50).await, down(&|n| (100..900).contains(&n)));
        let nobody = Sought { user: Some(Extension::new("999").unwrap()), ..Sought::default() };
        assert!(all(nobody, 50).await.is_empty());
    }
}
