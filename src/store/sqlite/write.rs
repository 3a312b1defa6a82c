//! What is written, each inside one transaction of its caller.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};

use super::fault::Fault;
use super::locks;
use super::read::{self, Whose, integer};
use crate::desk::id::{DeviceName, Extension, LocationName, Revision, TenantId};
use crate::desk::journal::{Entry, Event};
use crate::desk::location::Location;
use crate::desk::model::{Device, User};
use crate::desk::pin::PinRecord;
use crate::desk::seat::{Act, Denied, Move, Transition};
use crate::store::{Change, REMEMBERED, What};

/// See [`Store::change`](crate::store::Store::change).
pub(super) fn change(db: &Connection, change: &Change) -> Result<Revision, Fault> {
    let tenant = change.tenant.as_str();
    let event = match &change.what {
        What::Device(device) => put_device(db, tenant, device)?,
        What::Location(location) => put_location(db, tenant, location)?,
        What::Pin(user, record) => {
            known_user(db, tenant, user)?;
            put_pin(db, tenant, user, record)?;
            Event::PinChanged { user: user.clone() }
        }
        What::RemoveDevice(name) => {
            let device =
                read::device(db, tenant, name)?.ok_or_else(|| Denied::Missing(format!("device {name}")))?;
            let user = leave_device(db, tenant, name)?;
            db.execute("DELETE FROM device WHERE tenant = ? AND name = ?", [tenant, name.as_str()])?;
            Event::DeviceRemoved { device: name.clone(), user, owners: device.owner.into_iter().collect() }
        }
        What::RemoveLocation(location) => {
            known_location(db, tenant, location)?;
            let devices = read::devices_at(db, tenant, location)?;
            if !devices.is_empty() {
                return Err(Fault::InUse(devices));
            }
            db.execute("DELETE FROM location WHERE tenant = ? AND name = ?", [tenant, location.as_str()])?;
            Event::LocationRemoved { location: location.clone() }
        }
        What::RemoveUser(user) => {
            known_user(db, tenant, user)?;
            let devices = leave_all(db, tenant, user)?;
            db.execute("DELETE FROM pin WHERE tenant = ? AND user = ?", [tenant, user.as_str()])?;
            db.execute("DELETE FROM user WHERE tenant = ? AND extension = ?", [tenant, user.as_str()])?;
            Event::UserRemoved { user: user.clone(), devices }
        }
        What::Setting(user, setting) => {
            let mut known =
                read::user(db, tenant, user)?.ok_or_else(|| Denied::Missing(format!("user {user}")))?;
            setting.apply(&mut known);
            put_user(db, tenant, &known)?;
            Event::SettingChanged { user: user.clone(), setting: setting.to_string() }
        }
        What::Edited { was, is } => {
            if read::user(db, tenant, &was.extension)?.as_ref() != Some(was) {
                return Err(Fault::Contended(format!("user {}", was.extension)));
            }
            put_user(db, tenant, is)?
        }
        What::Unlock(whose) => {
            locks::unlock(db, tenant, whose)?;
            whose.event()
        }
        What::User(user) => put_user(db, tenant, user)?,
    };
    let (at, tenant, by) = (change.at, change.tenant.clone(), change.by.clone());
    append(db, &Entry { revision: Revision::default(), at, tenant, by, call: None, code: None, event })
}

/// See [`Store::move_people`](crate::store::Store::move_people).
pub(super) fn move_people(db: &Connection, act: &Move) -> Result<Transition, Fault> {
    let (tenant, id) = (act.tenant.as_str(), act.request.as_str());
    let first: Option<String> = db
        .prepare_cached("SELECT transition FROM request WHERE tenant = ? AND id = ?")?
        .query_row([tenant, id], |row| row.get(0))
        .optional()?;
    if let Some(first) = first {
        return Ok(serde_json::from_str(&first)?);
    }
    let office = read::office(db, &act.tenant, &act.act.scope())?;
    let transition = act.act.transition(&office, act.at)?;
    for binding in &transition.removed {
        db.prepare_cached("DELETE FROM binding WHERE tenant = ? AND device = ?")?
            .execute([tenant, binding.device.as_str()])?;
    }
    for binding in &transition.seated {
        let (user, device) = (binding.user.as_str(), binding.device.as_str());
        let (since, revision) = (binding.since.to_string(), integer(binding.revision));
        db.prepare_cached(
            "INSERT INTO binding (tenant, user, device, since, revision) VALUES (?, ?, ?, ?, ?)",
        )?
        .execute(params![tenant, user, device, since, revision])?;
    }
    if !transition.is_empty() {
        let Transition { removed, seated, .. } = transition.clone();
        let event = Event::Moved { removed, seated, undo: matches!(act.act, Act::Undo { .. }) };
        let (by, call, code) = (act.by.clone(), act.call.clone(), act.code.clone());
        append(
            db,
            &Entry {
                revision: Revision::default(),
                at: act.at,
                tenant: act.tenant.clone(),
                by,
                call,
                code,
                event,
            },
        )?;
    }
    let now = Timestamp::now();
    let forgotten = now.as_second() - i64::from(REMEMBERED);
    db.prepare_cached("DELETE FROM request WHERE at < ?")?.execute([forgotten])?;
    let text = serde_json::to_string(&transition)?;
    db.prepare_cached("INSERT INTO request (tenant, id, at, transition) VALUES (?, ?, ?, ?)")?
        .execute(params![tenant, id, now.as_second(), text])?;
    Ok(transition)
}

/// Appends to the journal under the tenant's next revision, and returns that.
pub(super) fn append(db: &Connection, entry: &Entry) -> Result<Revision, Fault> {
    let tenant = entry.tenant.as_str();
    let next = "INSERT INTO tenant VALUES (?, 1) ON CONFLICT DO UPDATE SET revision = revision + 1 RETURNING revision";
    let revision: i64 = db.prepare_cached(next)?.query_row([tenant], |row| row.get(0))?;
    let entry = Entry { revision: Revision(revision.unsigned_abs()), ..entry.clone() };
    let text = serde_json::to_string(&entry)?;
    db.prepare_cached("INSERT INTO journal (tenant, revision, at, entry) VALUES (?, ?, ?, ?)")?
        .execute(params![tenant, revision, entry.at.as_microsecond(), text])?;
    Ok(entry.revision)
}

/// See [`Store::rehash`](crate::store::Store::rehash).
pub(super) fn rehash(
    db: &Connection,
    tenant: &TenantId,
    user: &Extension,
    was: &PinRecord,
    is: &PinRecord,
) -> Result<(), Fault> {
    if read::pin(db, tenant, user)?.is_some_and(|now| now.salt() == was.salt()) {
        put_pin(db, tenant.as_str(), user, is)?;
    }
    Ok(())
}

fn put_pin(db: &Connection, tenant: &str, user: &Extension, record: &PinRecord) -> Result<(), Fault> {
    let record = serde_json::to_string(record)?;
    db.execute("INSERT OR REPLACE INTO pin VALUES (?, ?, ?)", params![tenant, user.as_str(), record])?;
    Ok(())
}

fn put_device(db: &Connection, tenant: &str, device: &Device) -> Result<Event, Fault> {
    if let Some(location) = &device.location {
        known_location(db, tenant, location)?;
    }
    let was = read::device(db, tenant, &device.name)?.and_then(|device| device.owner);
    let user = if device.hotdesk { None } else { leave_device(db, tenant, &device.name)? };
    let (name, owner) = (device.name.as_str(), device.owner.as_ref().map(Extension::as_str));
    let body = serde_json::to_string(device)?;
    let location = device.location.as_ref().map(LocationName::as_str);
    let put = "INSERT OR REPLACE INTO device (tenant, name, owner, location, body) VALUES (?, ?, ?, ?, ?)";
    db.prepare_cached(put)?.execute(params![tenant, name, owner, location, body])?;
    let owners =
        if was == device.owner { vec![] } else { was.into_iter().chain(device.owner.clone()).collect() };
    Ok(Event::DeviceChanged { device: device.name.clone(), user, owners })
}

fn put_location(db: &Connection, tenant: &str, location: &Location) -> Result<Event, Fault> {
    let body = serde_json::to_string(location)?;
    db.prepare_cached("INSERT OR REPLACE INTO location (tenant, name, body) VALUES (?, ?, ?)")?
        .execute(params![tenant, location.name.as_str(), body])?;
    let devices = read::devices_at(db, tenant, &location.name)?;
    Ok(Event::LocationChanged { location: location.name.clone(), devices })
}

fn put_user(db: &Connection, tenant: &str, user: &User) -> Result<Event, Fault> {
    let devices = if user.hotdesk { vec![] } else { leave_all(db, tenant, &user.extension)? };
    let body = serde_json::to_string(user)?;
    db.prepare_cached("INSERT OR REPLACE INTO user (tenant, extension, body) VALUES (?, ?, ?)")?
        .execute(params![tenant, user.extension.as_str(), body])?;
    Ok(Event::UserChanged { user: user.extension.clone(), devices })
}

fn known_user(db: &Connection, tenant: &str, user: &Extension) -> Result<(), Fault> {
    read::user(db, tenant, user)?.map(drop).ok_or_else(|| Denied::Missing(format!("user {user}")).into())
}

fn known_location(db: &Connection, tenant: &str, name: &LocationName) -> Result<(), Fault> {
    read::location(db, tenant, name)?
        .map(drop)
        .ok_or_else(|| Denied::Missing(format!("location {name}")).into())
}

fn leave_device(db: &Connection, tenant: &str, device: &DeviceName) -> Result<Option<Extension>, Fault> {
    let was = read::bindings(db, Whose::At(device), tenant)?.pop();
    db.execute("DELETE FROM binding WHERE tenant = ? AND device = ?", [tenant, device.as_str()])?;
    Ok(was.map(|binding| binding.user))
}

fn leave_all(db: &Connection, tenant: &str, user: &Extension) -> Result<Vec<DeviceName>, Fault> {
    let was = read::bindings(db, Whose::Of(user), tenant)?;
    db.execute("DELETE FROM binding WHERE tenant = ? AND user = ?", [tenant, user.as_str()])?;
    Ok(was.into_iter().map(|binding| binding.device).collect())
}
