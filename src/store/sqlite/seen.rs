//! What was seen of devices at which somebody sits. It goes with the binding: a trigger sees to that.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rusqlite::{Connection, params};

use super::fault::Fault;
use super::read::integer;
use crate::desk::id::{DeviceName, TenantId};
use crate::desk::leave::Seen;
use crate::desk::table::Scope;
use crate::store::Note;

/// Times are microseconds since 1970.
pub(super) const TABLES: &str = "
    CREATE TABLE seen (
        tenant TEXT, device TEXT, asked INTEGER, gone INTEGER, quiet INTEGER, stays INTEGER,
        PRIMARY KEY (tenant, device)
    ) STRICT, WITHOUT ROWID;
    CREATE TRIGGER binding_seen AFTER DELETE ON binding BEGIN
        DELETE FROM seen WHERE tenant = old.tenant AND device = old.device;
    END;
";

/// See [`Store::seen`](crate::store::Store::seen).
pub(super) fn seen(
    db: &Connection,
    tenant: &TenantId,
    scope: &Scope,
) -> Result<BTreeMap<DeviceName, Seen>, Fault> {
    let mut found = BTreeMap::new();
    match scope {
        Scope::All => read(db, "?2 = ''", tenant, "", &mut found)?,
        Scope::Some { devices, .. } => {
            for device in devices {
                read(db, "device = ?2", tenant, device.as_str(), &mut found)?;
            }
        }
    }
    Ok(found)
}

fn read(
    db: &Connection,
    which: &str,
    tenant: &TenantId,
    of: &str,
    found: &mut BTreeMap<DeviceName, Seen>,
) -> Result<(), Fault> {
    let query = format!("SELECT device, asked, gone, quiet, stays FROM seen WHERE tenant = ?1 AND ({which})");
    let mut query = db.prepare_cached(&query)?;
    let mut rows = query.query([tenant.as_str(), of])?;
    while let Some(row) = rows.next()? {
        let at = |column: usize| -> Result<Option<Timestamp>, Fault> {
            let at: Option<i64> = row.get(column)?;
            Ok(at.map(Timestamp::from_microsecond).transpose()?)
        };
        let seen = Seen { asked: at(1)?, gone: at(2)?, quiet: at(3)?, stays: at(4)? };
        found.insert(DeviceName::new(row.get::<_, String>(0)?)?, seen);
    }
    Ok(())
}

/// See [`Store::note`](crate::store::Store::note).
pub(super) fn note(db: &Connection, tenant: &TenantId, notes: &[Note]) -> Result<Vec<bool>, Fault> {
    let changes = |note: &Note| -> Result<bool, Fault> {
        let (field, value) = note.what.field();
        let news = match note.what.grows() {
            true => format!("ifnull(seen.{field}, 0) < excluded.{field}"),
            false => format!("seen.{field} IS NOT excluded.{field}"),
        };
        let write = format!(
            "INSERT INTO seen (tenant, device, {field})
                SELECT tenant, device, ?4 FROM binding WHERE tenant = ?1 AND device = ?2 AND revision = ?3
                AND (?4 IS NOT NULL OR EXISTS (SELECT 1 FROM seen WHERE tenant = ?1 AND device = ?2))
                ON CONFLICT DO UPDATE SET {field} = excluded.{field} WHERE {news}"
        );
        let (device, revision) = (note.device.as_str(), integer(note.revision));
        Ok(db.prepare_cached(&write)?.execute(params![tenant.as_str(), device, revision, value])? > 0)
    };
    notes.iter().map(changes).collect()
}
