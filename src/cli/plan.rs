//! What a directory is to become: the difference from what it is, told, and then done in one step.

use std::collections::BTreeSet;
use std::fmt;
use std::io::Write;

use anyhow::bail;

use super::difference::{difference, fields};
use super::site::{Site, actor, now};
use super::{device, location, user};
use crate::desk::id::{DeviceName, Extension, LocationName};
use crate::desk::location::Location;
use crate::desk::model::{Device, Office, User};
use crate::desk::pin::PinRecord;
use crate::store::Import;

/// Who or what is changed.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Subject {
    Location(LocationName),
    User(Extension),
    Device(DeviceName),
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Location(location) => write!(f, "location {location}"),
            Self::User(user) => write!(f, "user {user}"),
            Self::Device(device) => write!(f, "device {device}"),
        }
    }
}

impl Subject {
    fn is_same(&self, one: &Office, other: &Office) -> bool {
        match self {
            Self::Location(name) => one.locations.get(name) == other.locations.get(name),
            Self::User(user) => one.users.get(user) == other.users.get(user),
            Self::Device(device) => one.devices.get(device) == other.devices.get(device),
        }
    }
}

/// Locations, users and devices as they are, and as they are to be.
pub(super) struct Plan<'a> {
    site: &'a Site,
    pub(super) before: Office,
    pub(super) after: Office,
    /// Everything that was spoken of, also what stays as it is.
    named: BTreeSet<Subject>,
    /// Whose PIN is to be a new one.
    pub(super) pins: BTreeSet<Extension>,
}

/// How many of a kind.
#[derive(Default)]
struct Count {
    added: usize,
    changed: usize,
    same: usize,
    others: usize,
}

impl<'a> Plan<'a> {
    /// Everything stays as it is.
    pub(super) async fn new(site: &'a Site) -> anyhow::Result<Self> {
        let before = site.office().await?;
        let (after, pins) = (before.clone(), BTreeSet::new());
        Ok(Self { site, before, after, named: BTreeSet::new(), pins })
    }

    pub(super) fn put_location(&mut self, location: Location) {
        self.named.insert(Subject::Location(location.name.clone()));
        self.after.locations.insert(location.name.clone(), location);
    }

    pub(super) fn put_user(&mut self, user: User) {
        self.named.insert(Subject::User(user.extension.clone()));
        self.after.users.insert(user.extension.clone(), user);
    }

    pub(super) fn put_device(&mut self, device: Device) {
        self.named.insert(Subject::Device(device.name.clone()));
        self.after.devices.insert(device.name.clone(), device);
    }

    /// Who and what is new or differs.
    fn differing(&self) -> impl Iterator<Item = &Subject> {
        self.named.iter().filter(|subject| !subject.is_same(&self.before, &self.after))
    }

    /// Why it cannot be so: the rules of `hotdesk location set`, `user set` and `device set`.
    pub(super) fn refusals(&self, force: bool) -> Vec<(Subject, String)> {
        let refused = |subject: &Subject| {
            let agreed = match subject {
                Subject::Location(name) => {
                    let (was, is) = (self.before.locations.get(name), self.after.locations.get(name)?);
                    location::agrees(self.site, &self.after, was, is, force).map(drop)
                }
                Subject::User(user) => user::agrees(self.site, self.after.users.get(user)?),
                Subject::Device(device) => {
                    device::agrees(&self.after, self.after.devices.get(device)?, force).map(drop)
                }
            };
            agreed.err().map(|why| (subject.clone(), format!("{why:#}")))
        };
        self.differing().filter_map(refused).collect()
    }

    /// The difference, one line each, and how many.
    pub(super) fn tell(&self, out: &mut dyn Write) -> anyhow::Result<()> {
        let (mut locations, mut users, mut devices) = <(Count, Count, Count)>::default();
        for subject in &self.named {
            let (count, was, is, note) = match subject {
                Subject::Location(name) => (
                    &mut locations,
                    self.before.locations.get(name).map(|of| fields(of, "name")),
                    self.after.locations.get(name).map(|of| fields(of, "name")),
                    None,
                ),
                Subject::User(user) => (
                    &mut users,
                    self.before.users.get(user).map(|of| fields(of, "extension")),
                    self.after.users.get(user).map(|of| fields(of, "extension")),
                    self.note_on_user(user),
                ),
                Subject::Device(device) => (
                    &mut devices,
                    self.before.devices.get(device).map(|of| fields(of, "name")),
                    self.after.devices.get(device).map(|of| fields(of, "name")),
                    self.note_on_device(device),
                ),
            };
            let differs = difference(&was.clone().unwrap_or_default(), &is.unwrap_or_default());
            let differs: Vec<String> = differs.into_iter().chain(note).collect();
            let done = match was {
                None => {
                    count.added += 1;
                    "add   "
                }
                Some(_) if differs.is_empty() => {
                    count.same += 1;
                    continue;
                }
                Some(_) => {
                    count.changed += 1;
                    "change"
                }
            };
            writeln!(out, "{done}  {subject}: {}", differs.join(", "))?;
        }
        locations.others = self.after.locations.len() - locations.named();
        users.others = self.after.users.len() - users.named();
        devices.others = self.after.devices.len() - devices.named();
        for (what, count) in [("locations", locations), ("users", users), ("devices", devices)] {
            if count.named() > 0 {
                writeln!(out, "{what}: {count}")?;
            }
        }
        let patterns = self.site.config.of(&self.site.tenant).users();
        let strange = self.differing().filter_map(|subject| match subject {
            Subject::User(user) if !patterns.iter().any(|pattern| pattern.matches(user)) => Some(user),
            _ => None,
        });
        let strange: Vec<&Extension> = strange.collect();
        if let Some(one) = strange.first() {
            writeln!(
                out,
                "calls to {} of these users, {one} for one, will not reach them: no pattern of [dialplan] users \
                 matches. Add one, and write the dialplan anew: hotdesk dialplan",
                strange.len()
            )?;
        }
        Ok(())
    }

    fn note_on_user(&self, user: &Extension) -> Option<String> {
        let stays = self.after.users.get(user).is_none_or(|user| user.hotdesk);
        let leaves = self.before.bindings_of(user).filter(|_| !stays);
        let leaves = leaves.map(|was| format!("and is logged out at {}", was.device));
        let pin = self.pins.contains(user).then(|| "a new PIN".to_owned());
        let notes: Vec<String> = pin.into_iter().chain(leaves).collect();
        (!notes.is_empty()).then(|| notes.join(", "))
    }

    fn note_on_device(&self, device: &DeviceName) -> Option<String> {
        let stays = self.after.devices.get(device).is_none_or(|device| device.hotdesk);
        let leaves = self.before.bindings.get(device).filter(|_| !stays);
        leaves.map(|was| format!("and {} is logged out there", was.user))
    }

    /// Who or what is no longer as it was when the plan was made: comparing and hashing PINs takes minutes.
    fn overtaken(&self, now: &Office) -> Option<&Subject> {
        self.differing().find(|subject| !subject.is_same(&self.before, now))
    }

    /// Does it all, in one step of the store; nothing of it, if something is not possible. Without a difference nothing is
    /// journalled.
    pub(super) async fn apply(self, pins: Vec<(Extension, PinRecord)>) -> anyhow::Result<()> {
        let (mut locations, mut users, mut devices) = (vec![], vec![], vec![]);
        let mut waived = BTreeSet::new();
        for subject in self.differing() {
            match subject {
                Subject::Location(name) => {
                    let Some(location) = self.after.locations.get(name) else { continue };
                    let was = self.before.locations.get(name);
                    waived.extend(location::agrees(self.site, &self.after, was, location, true)?);
                    locations.push(location.clone());
                }
                Subject::User(user) => users.extend(self.after.users.get(user).cloned()),
                Subject::Device(name) => {
                    let Some(device) = self.after.devices.get(name) else { continue };
                    if device::agrees(&self.after, device, true)? {
                        waived.insert(name.clone());
                    }
                    devices.push(device.clone());
                }
            }
        }
        if locations.is_empty() && users.is_empty() && pins.is_empty() && devices.is_empty() {
            return Ok(());
        }
        if let Some(subject) = self.overtaken(&self.site.office().await?) {
            bail!("{subject} was changed by somebody else meanwhile: nothing was changed; import again");
        }
        let tenant = self.site.tenant.clone();
        let waived: Vec<DeviceName> = waived.into_iter().collect();
        self.site
            .store
            .import(&Import { tenant, locations, users, pins, devices, by: actor(), at: now() })
            .await?;
        self.site.record_waived(&waived).await
    }
}

impl Count {
    const fn named(&self) -> usize {
        self.added + self.changed + self.same
    }
}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { added, changed, same, others } = self;
        write!(f, "{added} added, {changed} changed, {same} as they were")?;
        if *others > 0 {
            write!(f, "; {others} that are not named stay as they are")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::Config;
    use crate::desk::id::TenantId;
    use crate::store::What;

    #[tokio::test]
    async fn what_somebody_else_changed_meanwhile_is_not_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("hotdesk.toml");
        let config = Config::parse("[[switch]]\n", Path::new(&file), &|_| None).unwrap();
        let site = Site::open(config, TenantId::default()).await.unwrap();
        let user = |name: &str| User {
            name: name.parse().ok(),
            ..User::new(TenantId::default(), Extension::new("101").unwrap())
        };
        let other = User::new(TenantId::default(), Extension::new("102").unwrap());

        let mut plan = Plan::new(&site).await.unwrap();
        plan.put_user(user("Ann"));
        // Of whom the plan says nothing does not matter.
        site.change(What::User(other)).await.unwrap();
        plan.apply(vec![]).await.unwrap();

        let mut plan = Plan::new(&site).await.unwrap();
        plan.put_user(user("Ann B."));
        site.change(What::User(user("Anna"))).await.unwrap();
        let refused = plan.apply(vec![]).await.unwrap_err().to_string();
        assert!(refused.contains("user 101 was changed by somebody else meanwhile"), "{refused}");
        let known = site.office().await.unwrap().users;
        assert_eq!(known[&Extension::new("101").unwrap()], user("Anna"));
    }
}
