//! The journal table, and the counts of dropped entries; each call is inside one transaction of its caller.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::fault::Fault;
use crate::model::id::{Revision, StoreId, TenantId};
use crate::model::journal::Entry;
use crate::model::journal::daily_counts::Counted;
use crate::model::mark::Mark;
use crate::store::{Trim, Trimmed};

/// The tenant's revision; zero before its first entry.
pub(super) fn revision(db: &Connection, tenant: &TenantId) -> Result<Revision, Fault> {
    let mut query = db.prepare_cached("SELECT revision FROM tenant WHERE name = ?")?;
    let revision: Option<i64> = query.query_row([tenant.as_str()], |row| row.get(0)).optional()?;
    Ok(Revision(revision.unwrap_or(0).unsigned_abs()))
}

/// The mark of the tenant's data.
pub(super) fn mark(db: &Connection, tenant: &TenantId) -> Result<Mark, Fault> {
    let query = "SELECT id, coalesce(tenant.revision, 0), coalesce(journal.at, 0) FROM identity
        LEFT JOIN tenant ON tenant.name = ?1
        LEFT JOIN journal ON journal.tenant = ?1 AND journal.revision = tenant.revision";
    let row = |row: &Row<'_>| Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?, row.get::<_, i64>(2)?));
    let (id, revision, at) = db.prepare_cached(query)?.query_row([tenant.as_str()], row)?;
    let store = StoreId::new(id).map_err(|error| Fault::Unreadable(error.to_string()))?;
    Ok(Mark { store, revision: Revision(revision.unsigned_abs()), at: Timestamp::from_microsecond(at)? })
}

/// Appends an entry under the tenant's next revision.
pub(super) fn append(db: &Connection, entry: &Entry) -> Result<(), Fault> {
    let tenant = entry.tenant.as_str();
    let next = "INSERT INTO tenant VALUES (?, 1) ON CONFLICT DO UPDATE SET revision = revision + 1 RETURNING revision";
    let revision: i64 = db.prepare_cached(next)?.query_row([tenant], |row| row.get(0))?;
    let entry = Entry { revision: Revision(revision.unsigned_abs()), ..entry.clone() };
    db.prepare_cached("INSERT INTO journal (tenant, revision, at, entry) VALUES (?, ?, ?, ?)")?
        .execute(params![tenant, revision, entry.at.as_microsecond(), serde_json::to_string(&entry)?])?;
    Ok(())
}

/// Entries after a revision, oldest first.
pub(super) fn page(
    db: &Connection,
    tenant: &TenantId,
    after: Revision,
    limit: usize,
) -> Result<Vec<Entry>, Fault> {
    let query = "SELECT entry FROM journal WHERE tenant = ? AND revision > ? ORDER BY revision LIMIT ?";
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut query = db.prepare_cached(query)?;
    let mut rows = query.query(params![tenant.as_str(), integer(after), limit])?;
    let mut entries = vec![];
    while let Some(row) = rows.next()? {
        entries.push(serde_json::from_str(row.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?)?);
    }
    Ok(entries)
}

/// The first entry that is not older than `since`, else the next one.
pub(super) fn revision_at(db: &Connection, tenant: &TenantId, since: Timestamp) -> Result<Revision, Fault> {
    // The index is named because SQLite would otherwise read the journal from its beginning.
    let query = "SELECT min(revision) FROM journal INDEXED BY journal_at WHERE tenant = ? AND at >= ?";
    let first: Option<i64> = db
        .prepare_cached(query)?
        .query_row(params![tenant.as_str(), since.as_microsecond()], |row| row.get(0))?;
    match first {
        Some(first) => Ok(Revision(first.unsigned_abs())),
        None => Ok(Revision(revision(db, tenant)?.0 + 1)),
    }
}

pub(super) fn trim(db: &Connection, trim: &Trim) -> Result<bool, Fault> {
    if oldest(db, &trim.tenant)? != Some(trim.from) || trim.upto >= revision(db, &trim.tenant)? {
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

fn integer(revision: Revision) -> i64 {
    i64::try_from(revision.0).unwrap_or(i64::MAX)
}
