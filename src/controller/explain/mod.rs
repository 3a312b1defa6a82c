//! Why a device, or a user's calls, behave as they do now: what the store holds, what each switch holds, and what happened last.

mod on_switch;

use std::sync::Arc;

use futures_util::future::join_all;
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::check::{self, Comparison};
use crate::model::desired::{Desired, Scope, Subjects};
use crate::model::directory::profile::When;
use crate::model::directory::{Device, Session, Snapshot, User};
use crate::model::id::{DeviceName, Extension, Revision, SwitchName, TenantId};
use crate::model::journal::Entry;
use crate::model::routes::Routes;
use crate::store::{Store, StoreError};
use crate::switch::Switch;

pub use on_switch::{OnSwitch, Record, State, Thing};

/// How many of the last events are shown.
const LAST_CHANGES: usize = 5;
/// How far back they are looked for, in entries of the journal.
const BACK: u64 = 2_000;
const FREEPBX: &str = "a FreePBX: it keeps users and devices, and makes its calls by settings of its own";

/// A switch of the tenant.
pub struct Place {
    /// Its name.
    pub name: SwitchName,
    /// Whether it keeps users and devices itself, as a FreePBX.
    pub is_freepbx: bool,
    /// Its routes to the others, and its groups.
    pub routes: Routes,
    /// The switch, or why it cannot be read.
    pub table: Result<Arc<dyn Switch>, String>,
}

/// What is known of a device or a user.
#[derive(Debug, Serialize, ToSchema)]
pub struct Explanation {
    /// The device or the user.
    pub subject: String,
    /// What the store holds, in sentences.
    pub facts: Vec<String>,
    /// What each switch should hold, and holds.
    pub switches: Vec<OnSwitch>,
    /// The last events of the journal, the latest first.
    #[schema(value_type = Vec<Object>)]
    pub last: Vec<Entry>,
}

/// What is explained.
#[derive(Clone, Debug)]
pub enum Subject {
    /// A device.
    Device(Device),
    /// A user.
    User(User),
}

/// The user or the device of this name, with the records that concern it; a device also before a user of that extension, if only
/// devices are meant.
///
/// # Errors
/// [`StoreError`].
pub async fn subject(
    store: &dyn Store,
    tenant: &TenantId,
    who: &str,
    is_device: bool,
) -> Result<Option<(Subject, Snapshot)>, StoreError> {
    if let Some(extension) = Extension::new(who).ok().filter(|_| !is_device) {
        let snapshot = store.snapshot(tenant, &Scope::user(&extension)).await?;
        if let Some(user) = snapshot.users.get(&extension).cloned() {
            return Ok(Some((Subject::User(user), snapshot)));
        }
    }
    if let Ok(name) = DeviceName::new(who) {
        let snapshot = store.snapshot(tenant, &Scope::device(&name)).await?;
        if let Some(device) = snapshot.devices.get(&name).cloned() {
            return Ok(Some((Subject::Device(device), snapshot)));
        }
    }
    Ok(None)
}

/// Explains it. Times are written as `time` does.
///
/// # Errors
/// [`StoreError`]. A switch that cannot be read is part of the explanation.
pub async fn explain(
    store: &dyn Store,
    tenant: &TenantId,
    (subject, snapshot): (&Subject, &Snapshot),
    places: &[Place],
    time: fn(Timestamp) -> String,
) -> Result<Explanation, StoreError> {
    let explained = Explained { store, tenant, snapshot, places, time };
    let ((title, facts), scope) = match subject {
        Subject::Device(device) => (explained.device(device).await?, Scope::device(&device.name)),
        Subject::User(user) => (explained.user(user).await?, Scope::user(&user.extension)),
    };
    let found = places.iter().map(|place| explained.compared(place, &scope));
    let found = join_all(found).await.into_iter();
    let on = places.iter().zip(found).map(|(place, (desired, found))| {
        OnSwitch::of(&place.name, place.is_freepbx.then_some(FREEPBX), &desired, found)
    });
    let last = last_changes(store, tenant, &Desired::subjects(snapshot, &scope)).await?;
    Ok(Explanation { subject: title, facts, switches: on.collect(), last })
}

/// A tenant's records that concern what is explained.
struct Explained<'a> {
    store: &'a dyn Store,
    tenant: &'a TenantId,
    snapshot: &'a Snapshot,
    places: &'a [Place],
    time: fn(Timestamp) -> String,
}

impl Explained<'_> {
    /// The user and the owner of a device.
    async fn device(&self, device: &Device) -> Result<(String, Vec<String>), StoreError> {
        let Device { name, kind, switch, dial, owner, location, .. } = device;
        let subject = {
            let at = location.as_ref().map_or("-", |location| location.as_str());
            format!("{kind} {name}: {dial} on {switch}, at {at}")
        };
        let mut facts = vec![];
        if !device.hotdesk {
            facts.push("no user may log in here: it is not for hotdesking".into());
        }
        let (here, user) = (self.snapshot.sessions.get(name), self.snapshot.user_at(name));
        facts.push(match (here, user) {
            (Some(session), _) => self.session(session).await?,
            (None, Some(owner)) => {
                format!("{} owns it, and no other user is logged in here", self.named(owner))
            }
            (None, None) => {
                "no user is logged in here: it can make emergency calls, and dial feature codes and its \
                             short list"
                    .into()
            }
        });
        if let Some(owner) = owner.as_ref().filter(|owner| user != Some(*owner)) {
            let why = match here {
                Some(_) => "gets it back when the guest is logged out",
                None => "is logged in elsewhere, and gets it back at logout",
            };
            facts.push(format!("its owner {} {why}", self.named(owner)));
        }
        Ok((subject, facts))
    }

    /// Where a user is logged in, and what they set themselves.
    async fn user(&self, user: &User) -> Result<(String, Vec<String>), StoreError> {
        let mut facts = vec![];
        if !user.hotdesk {
            facts.push("may not log in at devices".into());
        }
        for session in self.snapshot.sessions_of(&user.extension) {
            facts.push(self.session(session).await?);
        }
        let is_theirs = |device: &&Device| self.snapshot.user_at(&device.name) == Some(&user.extension);
        let devices: Vec<&Device> = self.snapshot.devices.values().filter(is_theirs).collect();
        let own = devices.iter().filter(|device| !self.snapshot.sessions.contains_key(&device.name));
        facts.extend(own.map(|device| format!("their own {} {}", device.kind, device.name)));
        facts.extend(self.lent(user));
        let silent = devices.iter().filter(|device| !self.snapshot.rings(&device.name, user));
        facts.extend(silent.map(|device| format!("{} does not ring: the user switched it off", device.name)));
        if user.profile.do_not_disturb {
            facts.push("DND is on: nothing rings".into());
        }
        for (what, when) in [
            ("all calls", When::Always),
            ("calls while busy", When::Busy),
            ("unanswered calls", When::Unanswered),
        ] {
            facts.extend(user.profile.forward.to(when).map(|to| format!("{what} go to {to}")));
        }
        Ok((format!("user {}", self.named(&user.extension)), facts))
    }

    /// The devices of an owner that are not with the owner now. FreePBX rings those where no other user can log in.
    fn lent(&self, user: &User) -> impl Iterator<Item = String> {
        let theirs = |device: &&Device| device.owner.as_ref() == Some(&user.extension);
        let gone = |device: &&Device| self.snapshot.user_at(&device.name) != Some(&user.extension);
        let lent = self.snapshot.devices.values().filter(move |device| theirs(device) && gone(device));
        lent.map(|device| {
            let place = self.places.iter().find(|place| place.name == device.switch);
            let stays = place.is_some_and(|place| place.is_freepbx) && !device.hotdesk;
            let now = if stays { "rings too" } else { "is theirs again after a logout" };
            format!("their own {} {} {now}", device.kind, device.name)
        })
    }

    /// A session: the user, the device, since when, and by which login.
    async fn session(&self, session: &Session) -> Result<String, StoreError> {
        let Session { user, device, since, revision } = session;
        let before = Revision(revision.0.saturating_sub(1));
        let login = self.store.journal(self.tenant, before, 1).await?;
        let how = match login.iter().find(|entry| entry.revision == *revision) {
            Some(Entry { by, code: Some(code), .. }) => format!(", by {by}, with {code}"),
            Some(Entry { by, .. }) => format!(", by {by}"),
            None => String::new(),
        };
        let (user, since) = (self.named(user), (self.time)(*since));
        Ok(format!("{user} is logged in at {device} since {since}{how} (revision {revision})"))
    }

    fn named(&self, user: &Extension) -> String {
        match self.snapshot.users.get(user).and_then(|user| user.name.as_ref()) {
            Some(name) => format!("{user} ({name})"),
            None => user.to_string(),
        }
    }

    /// What a switch should hold of these subjects, and what it holds.
    async fn compared(&self, place: &Place, scope: &Scope) -> (Desired, Result<Comparison, String>) {
        let subjects = &Desired::subjects(self.snapshot, scope);
        let desired = Desired::of(self.snapshot, scope, &place.name, &place.routes);
        let read = async {
            let table = place.table.as_ref().map_err(Clone::clone)?;
            let reading = table.read(subjects).await.map_err(|error| error.to_string())?;
            Ok(Comparison::of(table.as_ref(), &desired, reading))
        };
        let read = read.await;
        (desired, read)
    }
}

/// The last events about these subjects, the latest first.
async fn last_changes(
    store: &dyn Store,
    tenant: &TenantId,
    Subjects { users, devices, .. }: &Subjects,
) -> Result<Vec<Entry>, StoreError> {
    let next = store.revision_at(tenant, Timestamp::MAX).await?;
    let from = Revision(next.0.saturating_sub(BACK));
    let entries = store.journal(tenant, from, usize::try_from(BACK).unwrap_or(usize::MAX)).await?;
    let about = |entry: &Entry| check::is_about(entry, users, devices);
    Ok(entries.into_iter().rev().filter(about).take(LAST_CHANGES).collect())
}
