//! Old entries of the journal, and what is left of them.

use rusqlite::{Connection, params};

use super::fault::Fault;
use super::read::{self, integer};
use crate::desk::count::Counted;
use crate::desk::id::{Revision, TenantId};
use crate::store::{Trim, Trimmed};

/// Came later than the other tables, and is made in files that have none.
pub(super) const TABLES: &str = "
    CREATE TABLE IF NOT EXISTS counted (
        tenant TEXT, day TEXT, what TEXT, times INTEGER NOT NULL,
        PRIMARY KEY (tenant, day, what)
    ) STRICT, WITHOUT ROWID;
";

/// See [`Store::trim`](crate::store::Store::trim).
pub(super) fn trim(db: &Connection, trim: &Trim) -> Result<bool, Fault> {
    if oldest(db, &trim.tenant)? != Some(trim.from) || trim.upto >= read::revision(db, &trim.tenant)? {
        return Ok(false);
    }
    let tenant = trim.tenant.as_str();
    let mut add = db.prepare_cached(
        "INSERT INTO counted (tenant, day, what, times) VALUES (?, ?, ?, ?)
         ON CONFLICT DO UPDATE SET times = times + excluded.times",
    )?;
    for (day, counts) in trim.counts.days() {
        for (what, times) in counts {
            add.execute(params![tenant, day.to_string(), what.name(), times.cast_signed()])?;
        }
    }
    db.prepare_cached("DELETE FROM journal WHERE tenant = ? AND revision <= ?")?
        .execute(params![tenant, integer(trim.upto)])?;
    Ok(true)
}

/// See [`Store::trimmed`](crate::store::Store::trimmed).
pub(super) fn trimmed(db: &Connection, tenant: &TenantId) -> Result<Trimmed, Fault> {
    let upto = oldest(db, tenant)?.map_or(0, |oldest| oldest.0.saturating_sub(1));
    let mut trimmed = Trimmed { upto: Revision(upto), ..Trimmed::default() };
    let mut query = db.prepare_cached("SELECT day, what, times FROM counted WHERE tenant = ?")?;
    let mut rows = query.query([tenant.as_str()])?;
    while let Some(row) = rows.next()? {
        let (day, what): (String, String) = (row.get(0)?, row.get(1)?);
        let what = Counted::named(&what).ok_or_else(|| Fault::Unreadable(format!("counts of {what}")))?;
        trimmed.counts.add(day.parse()?, what, row.get::<_, i64>(2)?.unsigned_abs());
    }
    Ok(trimmed)
}

fn oldest(db: &Connection, tenant: &TenantId) -> Result<Option<Revision>, Fault> {
    let query = "SELECT min(revision) FROM journal WHERE tenant = ?";
    let oldest: Option<i64> = db.prepare_cached(query)?.query_row([tenant.as_str()], |row| row.get(0))?;
    Ok(oldest.map(|oldest| Revision(oldest.unsigned_abs())))
}
