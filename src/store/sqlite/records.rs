//! Records and their indexes in the tables; each call is inside one transaction of its caller.

use jiff::Timestamp;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension, params};

use super::fault::Fault;
use super::journal;
use crate::model::command::{
    Command, Index, Key, Kind, Loaded, Outcome, Reads, Record, Source, Write, decide,
};
use crate::model::id::TenantId;
use crate::store::{REMEMBERED, encoding};

pub(super) fn load(db: &Connection, tenant: &TenantId, reads: &Reads) -> Result<Loaded, Fault> {
    let mut loaded = reads.follow(&mut Tables { db, tenant: tenant.as_str() })?;
    let mark = journal::mark(db, tenant)?;
    loaded.snapshot.revision = mark.revision;
    loaded.mark = Some(mark);
    Ok(loaded)
}

pub(super) fn commit(db: &Connection, command: &Command) -> Result<Outcome, Fault> {
    let (tenant, id) = (command.tenant.as_str(), command.request.as_str());
    let first: Option<String> = db
        .prepare_cached("SELECT outcome FROM request WHERE tenant = ? AND id = ?")?
        .query_row([tenant, id], |row| row.get(0))
        .optional()?;
    if let Some(first) = first {
        return Ok(serde_json::from_str(&first)?);
    }
    let decision = decide(&load(db, &command.tenant, &command.reads())?, command)?;
    if !decision.is_nothing() {
        remember(db, tenant, id, &decision.outcome)?;
    }
    for write in &decision.writes {
        match write {
            Write::Put(record) => put(db, tenant, record)?,
            Write::Remove(key) => remove(db, tenant, key)?,
        }
    }
    for event in decision.events {
        journal::append(db, &command.entry(event))?;
    }
    Ok(decision.outcome)
}

fn remember(db: &Connection, tenant: &str, id: &str, outcome: &Outcome) -> Result<(), Fault> {
    let now = Timestamp::now().as_second();
    db.prepare_cached("DELETE FROM request WHERE at < ?")?.execute([now - i64::from(REMEMBERED)])?;
    db.prepare_cached("INSERT INTO request (tenant, id, at, outcome) VALUES (?, ?, ?, ?)")?
        .execute(params![tenant, id, now, serde_json::to_string(outcome)?])?;
    Ok(())
}

/// Adds or replaces a record.
pub(super) fn put(db: &Connection, tenant: &str, record: &Record) -> Result<(), Fault> {
    let key = record.key();
    remove(db, tenant, &key)?;
    db.prepare_cached("INSERT INTO record (tenant, kind, name, body) VALUES (?, ?, ?, ?)")?
        .execute(params![tenant, key.kind.name(), key.name, encoding::body(record)?])?;
    let mut link = db.prepare_cached("INSERT INTO link (tenant, link, by, name) VALUES (?, ?, ?, ?)")?;
    for (index, by) in record.indexes() {
        link.execute([tenant, index.name(), by, &key.name])?;
    }
    Ok(())
}

fn remove(db: &Connection, tenant: &str, Key { kind, name }: &Key) -> Result<(), Fault> {
    db.prepare_cached("DELETE FROM record WHERE tenant = ? AND kind = ? AND name = ?")?.execute([
        tenant,
        kind.name(),
        name,
    ])?;
    let mut unlink = db.prepare_cached(UNLINK)?;
    for index in Index::ALL.into_iter().filter(|index| index.kind() == *kind) {
        unlink.execute([tenant, index.name(), name])?;
    }
    Ok(())
}

struct Tables<'a> {
    db: &'a Connection,
    tenant: &'a str,
}

const ONE: &str = "SELECT body FROM record WHERE tenant = ? AND kind = ? AND name = ?";
const ALL: &str = "SELECT name, body FROM record WHERE tenant = ? AND kind = ?";
const UNLINK: &str = "DELETE FROM link WHERE tenant = ? AND link = ? AND name = ?";
const FIND: &str = "SELECT name FROM link WHERE tenant = ? AND link = ? AND by = ? ORDER BY name";

impl Source for Tables<'_> {
    type Error = Fault;

    fn get(&mut self, key: &Key) -> Result<Option<Record>, Fault> {
        let mut query = self.db.prepare_cached(ONE)?;
        let mut rows = query.query([self.tenant, key.kind.name(), key.name.as_str()])?;
        let Some(row) = rows.next()? else { return Ok(None) };
        record(key, row.get_ref(0)?).map(Some)
    }

    fn all(&mut self, kind: Kind, each: &mut dyn FnMut(Record)) -> Result<(), Fault> {
        let mut query = self.db.prepare_cached(ALL)?;
        let mut rows = query.query([self.tenant, kind.name()])?;
        while let Some(row) = rows.next()? {
            let key = Key::new(kind, row.get::<_, String>(0)?);
            each(record(&key, row.get_ref(1)?)?);
        }
        Ok(())
    }

    fn find(&mut self, index: Index, by: &str) -> Result<Vec<String>, Fault> {
        let mut query = self.db.prepare_cached(FIND)?;
        let names = query.query_map([self.tenant, index.name(), by], |row| row.get(0))?;
        Ok(names.collect::<Result<_, _>>()?)
    }
}

fn record(key: &Key, body: ValueRef<'_>) -> Result<Record, Fault> {
    encoding::record(key, body.as_str().map_err(rusqlite::Error::from)?).map_err(Fault::Unreadable)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::sqlite::schema;

    #[test]
    fn every_query_uses_an_index() {
        let folder = tempfile::tempdir().unwrap();
        let db = schema::prepare(&folder.path().join("hotdesk.db")).unwrap();
        let plan = |query: &str| {
            let query = query.replace('?', "'x'");
            let mut explain = db.prepare(&format!("EXPLAIN QUERY PLAN {query}")).unwrap();
            let steps = explain.query_map([], |row| row.get::<_, String>(3)).unwrap();
            steps.map(Result::unwrap).collect::<Vec<_>>().join("; ")
        };
        for (query, by) in [
            (ONE, "SEARCH record USING PRIMARY KEY (tenant=? AND kind=? AND name=?)"),
            (ALL, "SEARCH record USING PRIMARY KEY (tenant=? AND kind=?)"),
            (FIND, "SEARCH link USING PRIMARY KEY (tenant=? AND link=? AND by=?)"),
            (UNLINK, "SEARCH link USING COVERING INDEX link_name (tenant=? AND link=? AND name=?)"),
        ] {
            assert_eq!(plan(query), by);
        }
    }
}
