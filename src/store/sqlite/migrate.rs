//! Migrates a file of version 2 to the current version, in one transaction.

use rusqlite::Connection;
use serde_json::{Value, json};

use super::fault::Fault;
use super::records;
use crate::model::command::{Key, Kind};
use crate::store::{encoding, migration};

/// The records of version 2, each row with its tenant, its name and its body. Sessions and observations had columns
/// instead of bodies.
const RECORDS: [(Kind, &str); 7] = [
    (Kind::User, "SELECT tenant, extension, body FROM user"),
    (Kind::Device, "SELECT tenant, name, body FROM device"),
    (Kind::Location, "SELECT tenant, name, body FROM location"),
    (Kind::Pin, "SELECT tenant, user, record FROM pin"),
    (Kind::Failures, "SELECT tenant, kind || ':' || name, body FROM tries"),
    (
        Kind::Session,
        "SELECT tenant, device,
            json_object('user', user, 'device', device, 'since', since, 'revision', revision) FROM binding",
    ),
    (
        Kind::Observation,
        "SELECT tenant, device,
            json_object('asked', asked, 'gone', gone, 'quiet', quiet, 'stays', stays) FROM seen",
    ),
];

/// Copies all data of version 2 into the current tables, which exist, and drops the old ones.
pub(super) fn from_2(db: &Connection) -> Result<(), Fault> {
    for (kind, query) in RECORDS {
        for (tenant, name, body) in rows(db, query)? {
            let mut body: Value = serde_json::from_str(&body)?;
            migration::record(kind, &mut body);
            if kind == Kind::Observation {
                let Value::Object(fields) = body else { continue };
                let times = fields.into_iter().filter_map(|(field, at)| Some((field, at.as_i64()?)));
                body = migration::observation(times)?;
            }
            let key = Key::new(kind, name);
            let record = encoding::record(&key, &body.to_string()).map_err(Fault::Unreadable)?;
            records::put(db, &tenant, &record)?;
        }
    }
    for (tenant, revision, entry) in rows(db, "SELECT tenant, CAST(revision AS TEXT), entry FROM journal")? {
        let mut entry: Value = serde_json::from_str(&entry)?;
        migration::entry(&mut entry);
        let update = "UPDATE journal SET entry = ? WHERE tenant = ? AND revision = ?";
        db.prepare_cached(update)?.execute([entry.to_string(), tenant, revision])?;
    }
    // A command that is requested before the upgrade and again after it is the same command.
    for (tenant, id, transition) in rows(db, "SELECT tenant, id, transition FROM old_request")? {
        let mut transition: Value = serde_json::from_str(&transition)?;
        migration::transition(&mut transition);
        let outcome = json!({ "sessions": transition }).to_string();
        let insert = "INSERT INTO request (tenant, id, at, outcome)
            SELECT tenant, id, at, ?3 FROM old_request WHERE tenant = ?1 AND id = ?2";
        db.prepare_cached(insert)?.execute([tenant, id, outcome])?;
    }
    db.execute("UPDATE counted SET what = ?2 WHERE what = ?1", [migration::COUNTED.0, migration::COUNTED.1])?;
    db.execute_batch(
        "DROP TABLE user; DROP TABLE device; DROP TABLE location; DROP TABLE pin; DROP TABLE tries;
         DROP TABLE seen; DROP TABLE binding; DROP TABLE old_request;",
    )?;
    Ok(())
}

/// Rows of three columns, as text.
fn rows(db: &Connection, query: &str) -> Result<Vec<(String, String, String)>, Fault> {
    let mut query = db.prepare(query)?;
    let rows = query.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}
