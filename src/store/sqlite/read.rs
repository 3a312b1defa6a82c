//! What is read, each inside one transaction of its caller.

use std::collections::BTreeSet;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Params, params};
use serde::de::DeserializeOwned;

use super::fault::Fault;
use crate::desk::id::{DeviceName, Extension, LocationName, Revision, TenantId};
use crate::desk::journal::Entry;
use crate::desk::location::Location;
use crate::desk::model::{Binding, Device, Office, User};
use crate::desk::pin::PinRecord;
use crate::desk::table::Scope;

/// The tenant's revision; zero before its first entry.
pub(super) fn revision(db: &Connection, tenant: &TenantId) -> Result<Revision, Fault> {
    let mut query = db.prepare_cached("SELECT revision FROM tenant WHERE name = ?")?;
    let revision: Option<i64> = query.query_row([tenant.as_str()], |row| row.get(0)).optional()?;
    Ok(Revision(revision.unwrap_or(0).unsigned_abs()))
}

/// See [`Office`] for what comes along with `scope`.
pub(super) fn office(db: &Connection, tenant: &TenantId, scope: &Scope) -> Result<Office, Fault> {
    let mut office = Office { revision: revision(db, tenant)?, ..Office::default() };
    let tenant = tenant.as_str();
    let Scope::Some { users, devices } = scope else {
        for user in bodies::<User>(db, "SELECT body FROM user WHERE tenant = ?", [tenant])? {
            office.users.insert(user.extension.clone(), user);
        }
        for device in bodies::<Device>(db, "SELECT body FROM device WHERE tenant = ?", [tenant])? {
            office.devices.insert(device.name.clone(), device);
        }
        for location in bodies::<Location>(db, "SELECT body FROM location WHERE tenant = ?", [tenant])? {
            office.locations.insert(location.name.clone(), location);
        }
        for binding in bindings(db, Whose::All, tenant)? {
            office.bindings.insert(binding.device.clone(), binding);
        }
        return Ok(office);
    };
    let (mut users, mut devices): (BTreeSet<Extension>, BTreeSet<DeviceName>) =
        (users.clone(), devices.clone());
    for name in &devices {
        if let Some(device) = device(db, tenant, name)? {
            users.extend(device.owner.clone());
            office.devices.insert(name.clone(), device);
        }
        users.extend(bindings(db, Whose::At(name), tenant)?.into_iter().map(|binding| binding.user));
    }
    for extension in &users {
        if let Some(user) = user(db, tenant, extension)? {
            office.users.insert(extension.clone(), user);
        }
        devices.extend(bindings(db, Whose::Of(extension), tenant)?.into_iter().map(|binding| binding.device));
        // Named, as SQLite (3.54) by itself goes through all of the tenant's devices by the primary key.
        let owned = "SELECT body FROM device INDEXED BY device_owner WHERE tenant = ? AND owner = ?";
        for device in bodies::<Device>(db, owned, [tenant, extension.as_str()])? {
            let here = bindings(db, Whose::At(&device.name), tenant)?;
            if here.iter().all(|binding| users.contains(&binding.user)) {
                devices.insert(device.name.clone());
                office.devices.insert(device.name.clone(), device);
            }
        }
    }
    for name in devices {
        if !office.devices.contains_key(&name)
            && let Some(device) = device(db, tenant, &name)?
        {
            office.devices.insert(name.clone(), device);
        }
        for binding in bindings(db, Whose::At(&name), tenant)? {
            office.bindings.insert(name.clone(), binding);
        }
    }
    let stand_at: BTreeSet<LocationName> =
        office.devices.values().filter_map(|device| device.location.clone()).collect();
    for name in stand_at {
        office.locations.extend(location(db, tenant, &name)?.map(|location| (name, location)));
    }
    Ok(office)
}

/// A user, if there is one.
pub(super) fn user(db: &Connection, tenant: &str, user: &Extension) -> Result<Option<User>, Fault> {
    let query = "SELECT body FROM user WHERE tenant = ? AND extension = ?";
    Ok(bodies(db, query, [tenant, user.as_str()])?.pop())
}

/// A device, if there is one.
pub(super) fn device(db: &Connection, tenant: &str, device: &DeviceName) -> Result<Option<Device>, Fault> {
    let query = "SELECT body FROM device WHERE tenant = ? AND name = ?";
    Ok(bodies(db, query, [tenant, device.as_str()])?.pop())
}

/// A location, if there is one.
pub(super) fn location(
    db: &Connection,
    tenant: &str,
    name: &LocationName,
) -> Result<Option<Location>, Fault> {
    let query = "SELECT body FROM location WHERE tenant = ? AND name = ?";
    Ok(bodies(db, query, [tenant, name.as_str()])?.pop())
}

/// The devices that stand at a location, by name.
pub(super) fn devices_at(db: &Connection, tenant: &str, at: &LocationName) -> Result<Vec<DeviceName>, Fault> {
    // Named, as SQLite (3.54) by itself goes through all of the tenant's devices by the primary key.
    let query =
        "SELECT name FROM device INDEXED BY device_location WHERE tenant = ? AND location = ? ORDER BY name";
    let mut query = db.prepare_cached(query)?;
    let names: Result<Vec<String>, _> = query.query_map([tenant, at.as_str()], |row| row.get(0))?.collect();
    names?.into_iter().map(|name| Ok(DeviceName::new(name)?)).collect()
}

/// What is kept of a user's PIN.
pub(super) fn pin(db: &Connection, tenant: &TenantId, user: &Extension) -> Result<Option<PinRecord>, Fault> {
    let query = "SELECT record FROM pin WHERE tenant = ? AND user = ?";
    Ok(bodies(db, query, [tenant.as_str(), user.as_str()])?.pop())
}

/// Entries after a revision, oldest first.
pub(super) fn journal(
    db: &Connection,
    tenant: &TenantId,
    after: Revision,
    limit: usize,
) -> Result<Vec<Entry>, Fault> {
    let query = "SELECT entry FROM journal WHERE tenant = ? AND revision > ? ORDER BY revision LIMIT ?";
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    bodies(db, query, params![tenant.as_str(), integer(after), limit])
}

/// The first entry that is not older than `since`, else the next to come.
pub(super) fn revision_at(db: &Connection, tenant: &TenantId, since: Timestamp) -> Result<Revision, Fault> {
    // Named, as SQLite by itself goes through the journal from its beginning.
    let query = "SELECT min(revision) FROM journal INDEXED BY journal_at WHERE tenant = ? AND at >= ?";
    let first: Option<i64> = db
        .prepare_cached(query)?
        .query_row(params![tenant.as_str(), since.as_microsecond()], |row| row.get(0))?;
    match first {
        Some(first) => Ok(Revision(first.unsigned_abs())),
        None => Ok(Revision(revision(db, tenant)?.0 + 1)),
    }
}

/// Of whom bindings are asked for.
#[derive(Clone, Copy)]
pub(super) enum Whose<'a> {
    /// Of everybody.
    All,
    /// Of whoever sits there.
    At(&'a DeviceName),
    /// Of a user.
    Of(&'a Extension),
}

impl<'a> Whose<'a> {
    /// How they are searched, and for what.
    fn search(self) -> (&'static str, &'a str) {
        match self {
            Self::All => ("binding WHERE tenant = ?1 AND ?2 = ''", ""),
            Self::At(device) => ("binding WHERE tenant = ?1 AND device = ?2", device.as_str()),
            // Named, as SQLite (3.54) by itself goes through all of the tenant's bindings by the primary key.
            Self::Of(user) => {
                ("binding INDEXED BY binding_user WHERE tenant = ?1 AND user = ?2", user.as_str())
            }
        }
    }
}

/// Bindings of `tenant`, by device.
pub(super) fn bindings(db: &Connection, whose: Whose<'_>, tenant: &str) -> Result<Vec<Binding>, Fault> {
    let (from, of) = whose.search();
    let query = format!("SELECT user, device, since, revision FROM {from} ORDER BY device");
    let mut query = db.prepare_cached(&query)?;
    let mut rows = query.query([tenant, of])?;
    let mut bindings = vec![];
    while let Some(row) = rows.next()? {
        let since: String = row.get(2)?;
        bindings.push(Binding {
            user: Extension::new(row.get::<_, String>(0)?)?,
            device: DeviceName::new(row.get::<_, String>(1)?)?,
            since: since.parse()?,
            revision: Revision(row.get::<_, i64>(3)?.unsigned_abs()),
        });
    }
    Ok(bindings)
}

/// A revision as SQLite keeps it.
pub(super) fn integer(revision: Revision) -> i64 {
    i64::try_from(revision.0).unwrap_or(i64::MAX)
}

fn bodies<T: DeserializeOwned>(db: &Connection, query: &str, of: impl Params) -> Result<Vec<T>, Fault> {
    let mut query = db.prepare_cached(query)?;
    let mut rows = query.query(of)?;
    let mut bodies = vec![];
    while let Some(row) = rows.next()? {
        bodies.push(serde_json::from_str(row.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?)?);
    }
    Ok(bodies)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::sqlite::schema;

    /// How SQLite finds what `query` asks for.
    fn plan(db: &Connection, query: &str) -> String {
        let mut explain = db.prepare(&format!("EXPLAIN QUERY PLAN {query}")).unwrap();
        let steps = explain.query_map([], |row| row.get::<_, String>(3)).unwrap();
        steps.map(Result::unwrap).collect::<Vec<_>>().join("; ")
    }

    #[test]
    fn who_sits_where_is_found_without_going_through_everybody() {
        let folder = tempfile::tempdir().unwrap();
        let db = schema::prepare(&folder.path().join("hotdesk.db")).unwrap();
        let (device, user) = (DeviceName::new("desk1").unwrap(), Extension::new("101").unwrap());
        for (whose, found) in [
            (Whose::At(&device), "SEARCH binding USING PRIMARY KEY (tenant=? AND device=?)"),
            (Whose::Of(&user), "SEARCH binding USING INDEX binding_user (tenant=? AND user=?)"),
        ] {
            let (from, _) = whose.search();
            let query = format!("SELECT user, device, since, revision FROM {from} ORDER BY device");
            assert_eq!(plan(&db, &query.replace("?1", "'t'").replace("?2", "'x'")), found);
        }
        let forgotten = "DELETE FROM tries WHERE tenant = 't' AND last <= 1";
        assert!(plan(&db, forgotten).contains("(tenant=? AND last<?)"), "{}", plan(&db, forgotten));
    }
}
