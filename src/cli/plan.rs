//! A planned change of the directory: its difference from now, printed and then applied in one step.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;

use anyhow::Result;

use super::context::{self, CommandContext};
use super::output;
use crate::controller::commands::{now, request_id};
use crate::model::command::{self, Change, Command, Loaded};
use crate::model::directory::change::{DirectoryChange, DirectoryCommand, Edit};
use crate::model::directory::difference::{Fields, difference, fields};
use crate::model::directory::location::Location;
use crate::model::directory::{ByUser, Device, Snapshot, User};
use crate::model::id::{DeviceName, Extension};
use crate::model::login::pin::PinRecord;
use crate::model::login::refusal::Subject;

/// The record as text, if there is one.
fn text(subject: &Subject, snapshot: &Snapshot) -> Option<Fields> {
    match subject {
        Subject::Location(name) => snapshot.locations.get(name).map(fields),
        Subject::User(user) => snapshot.users.get(user).map(fields),
        Subject::Device(name) => snapshot.devices.get(name).map(fields),
    }
}

/// `name Bob -> Robert`; for a new record each field with its value.
fn in_words(was: Option<&Fields>, is: &Fields) -> Vec<String> {
    match was {
        Some(was) => difference(was, is).iter().map(ToString::to_string).collect(),
        None => is.iter().map(|(name, value)| format!("{name} {value}")).collect(),
    }
}

fn edit<K: Ord, T: Clone + PartialEq>(
    before: &BTreeMap<K, T>,
    after: &BTreeMap<K, T>,
    key: &K,
) -> Option<Edit<T>> {
    let (was, is) = (before.get(key), after.get(key)?);
    (was != Some(is)).then(|| Edit::of(was.cloned(), is.clone()))
}

/// The directory now and as it is to become.
pub(super) struct Plan<'a> {
    context: &'a CommandContext,
    pub(super) before: Snapshot,
    pub(super) after: Snapshot,
    /// Every record that the plan names, unchanged ones too.
    named: BTreeSet<Subject>,
    /// Users who get a new PIN.
    pub(super) pins: BTreeSet<Extension>,
}

#[derive(Default)]
struct Count {
    added: usize,
    changed: usize,
    unchanged: usize,
}

impl<'a> Plan<'a> {
    pub(super) async fn new(context: &'a CommandContext) -> Result<Self> {
        let before = context.snapshot().await?;
        let (after, pins) = (before.clone(), BTreeSet::new());
        Ok(Self { context, before, after, named: BTreeSet::new(), pins })
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

    /// The records that are new or differ, each with its change: locations, then users, then devices.
    fn changes(&self) -> impl Iterator<Item = (&Subject, DirectoryChange)> {
        let Self { before, after, .. } = self;
        let change = |subject: &Subject| match subject {
            Subject::Location(name) => {
                edit(&before.locations, &after.locations, name).map(DirectoryChange::Location)
            }
            Subject::User(user) => edit(&before.users, &after.users, user).map(DirectoryChange::User),
            Subject::Device(name) => edit(&before.devices, &after.devices, name).map(DirectoryChange::Device),
        };
        self.named.iter().filter_map(move |subject| Some((subject, change(subject)?)))
    }

    /// Refusals by the rules of `hotdesk location set`, `user set` and `device set`.
    pub(super) fn refusals(&self, force: bool) -> Vec<(Subject, String)> {
        let rules = self.context.rules(force);
        let refused = |(subject, change): (&Subject, DirectoryChange)| {
            let result = match change {
                DirectoryChange::Location(edit) => {
                    rules.location(&self.after, self.before.locations.get(&edit.is.name), &edit.is).map(drop)
                }
                DirectoryChange::User(edit) => rules.user(&edit.is),
                DirectoryChange::Device(edit) => rules.device(&self.after, &edit.is).map(drop),
                _ => Ok(()),
            };
            let device = matches!(subject, Subject::Device(_));
            let refusal = context::refused(result.err()?.into(), device);
            Some((subject.clone(), refusal.to_string()))
        };
        self.changes().filter_map(refused).collect()
    }

    /// Prints one line for each record that differs, and the counts.
    pub(super) fn print(&self, out: &mut dyn Write) -> Result<()> {
        let by_user = ByUser::of(&self.before);
        let (mut locations, mut users, mut devices) = <(Count, Count, Count)>::default();
        for subject in &self.named {
            let (count, note) = match subject {
                Subject::Location(_) => (&mut locations, None),
                Subject::User(user) => (&mut users, self.note_on_user(user, &by_user)),
                Subject::Device(device) => (&mut devices, self.note_on_device(device)),
            };
            let (was, is) = (text(subject, &self.before), text(subject, &self.after));
            let differs = in_words(was.as_ref(), &is.unwrap_or_default());
            let differs: Vec<String> = differs.into_iter().chain(note).collect();
            let (done, how_many) = match was.is_none() {
                true => ("add   ", &mut count.added),
                false if differs.is_empty() => ("", &mut count.unchanged),
                false => ("change", &mut count.changed),
            };
            *how_many += 1;
            if !done.is_empty() {
                writeln!(out, "{done}  {subject}: {}", differs.join(", "))?;
            }
        }
        for (what, Count { added, changed, unchanged }, all) in [
            ("locations", locations, self.after.locations.len()),
            ("users", users, self.after.users.len()),
            ("devices", devices, self.after.devices.len()),
        ] {
            let named = added + changed + unchanged;
            if named == 0 {
                continue;
            }
            write!(out, "{what}: {added} added, {changed} changed, {unchanged} unchanged")?;
            match all - named {
                0 => writeln!(out)?,
                others => writeln!(out, "; {others} not named, left unchanged")?,
            }
        }
        let config = self.context.config.of(&self.context.tenant);
        let unmatched = self.changes().filter_map(|(subject, _)| match subject {
            Subject::User(user) if !config.reaches(user) => Some(user),
            _ => None,
        });
        let unmatched: Vec<&Extension> = unmatched.collect();
        if let Some(one) = unmatched.first() {
            output::note(format_args!(
                "no pattern of [dialplan] users matches {} of these users, for example {one}, so calls do not reach \
                 them. Add a pattern, then hotdesk dialplan install",
                unmatched.len()
            ));
        }
        Ok(())
    }

    fn note_on_user(&self, user: &Extension, by_user: &ByUser<'_>) -> Option<String> {
        let hotdesk = self.after.users.get(user).is_none_or(|user| user.hotdesk);
        let ended = by_user.sessions(user).iter().filter(|_| !hotdesk);
        let ended = ended.map(|was| format!("and is logged out at {}", was.device));
        let pin = self.pins.contains(user).then(|| "a new PIN".to_owned());
        let notes = output::joined(pin.into_iter().chain(ended), ", ");
        (!notes.is_empty()).then_some(notes)
    }

    fn note_on_device(&self, device: &DeviceName) -> Option<String> {
        let hotdesk = self.after.devices.get(device).is_none_or(|device| device.hotdesk);
        let ended = self.before.sessions.get(device).filter(|_| !hotdesk);
        ended.map(|was| format!("and user {} is logged out there", was.user))
    }

    /// Applies all changes in one step, or none. Without a difference nothing is journalled.
    pub(super) async fn apply(self, pins: Vec<(Extension, PinRecord)>) -> Result<()> {
        let changes = self.in_order(pins);
        match changes.is_empty() {
            true => Ok(()),
            false => self.context.change_all(changes, true).await,
        }
    }

    /// An error if the store would refuse the changes: it decides by the same function, on the records that were read.
    pub(super) fn decide(&self) -> Result<()> {
        let change = DirectoryCommand { changes: self.in_order(vec![]), rules: self.context.rules(true) };
        let (tenant, change) = (self.context.tenant.clone(), Change::Directory(change));
        let command = Command::new(request_id()?, tenant, context::actor(), now(), change);
        let loaded = Loaded { snapshot: self.before.clone(), ..Loaded::default() };
        let decided = command::decide(&loaded, &command).map(drop);
        decided.map_err(|refusal| context::refused(refusal.into(), false))
    }

    /// The changes, each after those that make what it names.
    fn in_order(&self, pins: Vec<(Extension, PinRecord)>) -> Vec<DirectoryChange> {
        let changes = self.changes().map(|(_, change)| change);
        // An order in which each finds what it names: a PIN its user, a device its location and owner.
        let (devices, others): (Vec<_>, Vec<_>) =
            changes.partition(|change| matches!(change, DirectoryChange::Device(_)));
        let pins = pins.into_iter().map(|(user, record)| DirectoryChange::Pin(user, record));
        others.into_iter().chain(pins).chain(devices).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::context::Absent;
    use crate::config::Config;
    use crate::model::id::TenantId;

    #[tokio::test]
    async fn a_change_by_another_writer_is_not_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let config = Config::parse("[[switch]]\n", &folder.path().join("hotdesk.toml"), &|_| None).unwrap();
        let context = CommandContext::open(config, TenantId::default(), Absent::Make).await.unwrap();
        let user = |name: &str| User {
            name: name.parse().ok(),
            ..User::new(TenantId::default(), Extension::new("101").unwrap())
        };
        let other = User::new(TenantId::default(), Extension::new("102").unwrap());

        let mut plan = Plan::new(&context).await.unwrap();
        plan.put_user(user("Ann"));
        // A user that the plan does not name does not matter.
        context.change(DirectoryChange::User(Edit::put(other))).await.unwrap();
        plan.apply(vec![]).await.unwrap();

        let mut plan = Plan::new(&context).await.unwrap();
        plan.put_user(user("Ann B."));
        context.change(DirectoryChange::User(Edit::put(user("Anna")))).await.unwrap();
        let refused = plan.apply(vec![]).await.unwrap_err().to_string();
        assert!(refused.contains("user 101 was changed by another writer meanwhile"), "{refused}");
        let known = context.snapshot().await.unwrap().users;
        assert_eq!(known[&Extension::new("101").unwrap()], user("Anna"));
    }
}
