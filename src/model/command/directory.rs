//! The records that a change of the directory reads, and the decision from them. The rules are in
//! [`directory::change`](crate::model::directory::change).

use super::decision::{Decision, Write};
use super::loaded::Loaded;
use super::reads::{Reads, Set, Step};
use super::record::{Index, Kind, Record};
use crate::model::directory::change::{DirectoryChange, DirectoryCommand, Edit};
use crate::model::directory::difference::{self, FieldChange, fields};
use crate::model::directory::{Device, Session, Snapshot, User, location::Location};
use crate::model::id::{DeviceName, Extension};
use crate::model::journal::Event;
use crate::model::login::refusal::{Refusal, Subject};

/// A device is decided with its owner, its location and the session at it; a location with its devices; a user with the
/// sessions that may end.
pub(super) fn reads(DirectoryCommand { changes, .. }: &DirectoryCommand) -> Reads {
    let reads = changes.iter().fold(Reads::default(), |reads, change| match change {
        DirectoryChange::Device(Edit { is, .. }) => reads
            .with(Set::Devices, [&is.name])
            .with(Set::Users, &is.owner)
            .with(Set::Locations, &is.location),
        DirectoryChange::Location(Edit { is, .. }) => reads.with(Set::LocationsWithDevices, [&is.name]),
        DirectoryChange::Pin(user, _) => reads.with(Set::Users, [user]),
        DirectoryChange::RemoveDevice(device) => reads.with(Set::Devices, [device]),
        DirectoryChange::RemoveLocation(location) => reads.with(Set::LocationsWithDevices, [location]),
        DirectoryChange::RemoveUser(user) => reads.with(Set::UsersWithSessions, [user]),
        DirectoryChange::User(Edit { is, .. }) => reads.with(Set::UsersWithSessions, [&is.extension]),
    });
    reads
        .then(Step::Load(Kind::User, Set::Users, &[]))
        .then(Step::Load(Kind::User, Set::UsersWithSessions, &[]))
        .then(Step::Load(Kind::Location, Set::Locations, &[]))
        .then(Step::Load(Kind::Location, Set::LocationsWithDevices, &[]))
        .then(Step::Find(Index::Location, Set::LocationsWithDevices))
        .then(Step::Load(Kind::Device, Set::Devices, &[]))
        .then(Step::Find(Index::User, Set::UsersWithSessions))
        .then(Step::Load(Kind::Session, Set::Devices, &[]))
}

/// Each change is decided on the result of the changes before it.
pub(super) fn decide(
    loaded: &Loaded,
    DirectoryCommand { changes, rules }: &DirectoryCommand,
    decision: &mut Decision,
) -> Result<(), Refusal> {
    let mut now = loaded.clone();
    let mut waived: Vec<DeviceName> = vec![];
    for change in changes {
        let mut step = Decision::nothing(decision.outcome.clone());
        let event = match change {
            DirectoryChange::Device(edit) => {
                if rules.device(&now.snapshot, &edit.is)? {
                    waived.push(edit.is.name.clone());
                }
                put_device(&now.snapshot, edit, &mut step)?
            }
            DirectoryChange::Location(edit) => {
                let was = now.snapshot.locations.get(&edit.is.name);
                waived.extend(rules.location(&now.snapshot, was, &edit.is)?);
                put_location(&now.snapshot, edit, &mut step)?
            }
            DirectoryChange::Pin(user, record) => {
                now.snapshot.user(user)?;
                step.put(Record::Pin(user.clone(), record.clone()));
                Event::PinChanged { user: user.clone() }
            }
            DirectoryChange::RemoveDevice(name) => {
                let owners = now.snapshot.device(name)?.owner.iter().cloned().collect();
                let user = log_out_at(&now.snapshot, name, &mut step);
                step.remove(Kind::Device, name.as_str());
                Event::DeviceRemoved { device: name.clone(), user, owners }
            }
            DirectoryChange::RemoveLocation(name) => {
                now.snapshot.location(name)?;
                let devices = names(now.snapshot.devices_at(name));
                if !devices.is_empty() {
                    return Err(Refusal::LocationInUse(name.clone(), devices));
                }
                step.remove(Kind::Location, name.as_str());
                Event::LocationRemoved { location: name.clone() }
            }
            DirectoryChange::RemoveUser(user) => {
                now.snapshot.user(user)?;
                let devices = log_out_everywhere(&now.snapshot, user, &mut step);
                step.remove(Kind::Pin, user.as_str());
                step.remove(Kind::User, user.as_str());
                Event::UserRemoved { user: user.clone(), devices }
            }
            DirectoryChange::User(edit) => {
                rules.user(&edit.is)?;
                put_user(&now.snapshot, edit, &mut step)?
            }
        };
        // A large import must not search all records for each of its changes.
        for write in &step.writes {
            match write {
                Write::Put(record) => now.put(Record::clone(record)),
                Write::Remove(key) => now.remove(key),
            }
        }
        decision.writes.append(&mut step.writes);
        decision.events.push(event);
    }
    waived.sort();
    waived.dedup();
    decision.events.extend(waived.into_iter().map(|device| Event::LocationWaived { device }));
    Ok(())
}

fn put_device(now: &Snapshot, edit: &Edit<Device>, step: &mut Decision) -> Result<Event, Refusal> {
    let device = &*edit.is;
    let was = now.devices.get(&device.name);
    edit.check(was, Subject::Device(device.name.clone()))?;
    let user = if device.hotdesk { None } else { log_out_at(now, &device.name, step) };
    let (fields, added) = changed(was, device);
    let owner = was.and_then(|was| was.owner.clone());
    let owners =
        if owner == device.owner { vec![] } else { owner.into_iter().chain(device.owner.clone()).collect() };
    step.put(Record::Device(device.clone()));
    Ok(Event::DeviceChanged { device: device.name.clone(), user, owners, fields, added })
}

fn put_location(now: &Snapshot, edit: &Edit<Location>, step: &mut Decision) -> Result<Event, Refusal> {
    let location = edit.is.name.clone();
    let was = now.locations.get(&location);
    edit.check(was, Subject::Location(location.clone()))?;
    let (fields, added) = changed(was, &*edit.is);
    step.put(Record::Location((*edit.is).clone()));
    let devices = names(now.devices_at(&location));
    Ok(Event::LocationChanged { location, devices, fields, added })
}

fn put_user(now: &Snapshot, edit: &Edit<User>, step: &mut Decision) -> Result<Event, Refusal> {
    let user = edit.is.extension.clone();
    let was = now.users.get(&user);
    edit.check(was, Subject::User(user.clone()))?;
    let (fields, added) = changed(was, &*edit.is);
    let devices = if edit.is.hotdesk { vec![] } else { log_out_everywhere(now, &user, step) };
    step.put(Record::User((*edit.is).clone()));
    Ok(Event::UserChanged { user, devices, fields, added })
}

/// What changed, for the journal, and whether the record is new.
fn changed<R: difference::Record>(was: Option<&R>, is: &R) -> (Vec<FieldChange>, bool) {
    let changes = was.map(|was| difference::difference(&fields(was), &fields(is))).unwrap_or_default();
    (changes.into_iter().map(FieldChange::without_private_numbers).collect(), was.is_none())
}

fn names<'a>(devices: impl Iterator<Item = &'a Device>) -> Vec<DeviceName> {
    devices.map(|device| device.name.clone()).collect()
}

fn log_out_at(now: &Snapshot, device: &DeviceName, step: &mut Decision) -> Option<Extension> {
    let session = now.sessions.get(device)?;
    step.end(session);
    Some(session.user.clone())
}

fn log_out_everywhere(now: &Snapshot, user: &Extension, step: &mut Decision) -> Vec<DeviceName> {
    let log_out = |session: &Session| {
        step.end(session);
        session.device.clone()
    };
    now.sessions_of(user).map(log_out).collect()
}
