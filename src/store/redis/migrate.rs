//! Migrates a tenant's data of an older version to the current version.
//!
//! All data is read, and written in one MULTI, which fails if a key of the tenant changes in the meantime. So an
//! interrupted migration changes nothing, and of several controllers that start at once one does it.

use std::collections::BTreeMap;
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{Pipeline, RedisError, cmd, pipe};
use serde_json::{Value, json};

use super::link::{Fault, Link};
use super::script::base;
use crate::model::command::{Key, Kind, Record};
use crate::model::id::{StoreId, TenantId};
use crate::store::migration::{self, OLDEST, VERSION, WITHOUT_ACCESS, WITHOUT_IDENTITY};
use crate::store::{StoreError, encoding};

/// How long it may take to read and write all data.
const PATIENCE: Duration = Duration::from_secs(120);
/// How often it is tried again while a controller of the older version keeps writing.
const TRIES: u32 = 5;

/// The hashes of version 2 with names as fields and bodies as values.
const HASHES: [(Kind, &str); 6] = [
    (Kind::User, "users"),
    (Kind::Device, "devices"),
    (Kind::Location, "locations"),
    (Kind::Pin, "pins"),
    (Kind::Session, "seats"),
    (Kind::Failures, "tries"),
];

/// Migrates a tenant's data of `version`.
///
/// # Errors
/// [`StoreError`] when this version cannot be migrated, or the migration failed; then nothing has changed.
pub(super) async fn migrate(
    link: &Link,
    tenant: &TenantId,
    version: &str,
    fresh: &StoreId,
) -> Result<(), StoreError> {
    if !version.parse().is_ok_and(|version: u32| (OLDEST..VERSION).contains(&version)) {
        return Err(Fault::Version(version.to_owned()).into_error(&link.place));
    }
    let broken = |why: String| StoreError::Broken(link.place.clone(), why);
    for _ in 0..TRIES {
        let migrated = tokio::time::timeout(PATIENCE, async {
            // WATCH belongs to a connection, so this one is not shared.
            attempt(&mut link.another(PATIENCE).await?, tenant, fresh).await
        });
        match migrated.await {
            Ok(Ok(Some(()))) => return Ok(()),
            Ok(Ok(None)) => {}
            Ok(Err(Failure::Redis(error))) => {
                return Err(StoreError::Away(
                    link.place.clone(),
                    format!("its data could not be migrated: {error}"),
                ));
            }
            Ok(Err(Failure::Unreadable(why))) => {
                return Err(broken(format!("its data of version {version} could not be migrated: {why}")));
            }
            Err(_) => {
                let why = format!("its data could not be migrated within {PATIENCE:?}");
                return Err(StoreError::Away(link.place.clone(), why));
            }
        }
    }
    Err(broken(format!(
        "its data of version {version} could not be migrated: a Hotdesk of an older version keeps writing: stop it"
    )))
}

enum Failure {
    Redis(RedisError),
    Unreadable(String),
}

impl From<RedisError> for Failure {
    fn from(error: RedisError) -> Self {
        Self::Redis(error)
    }
}

/// `None`, if something changed in the meantime.
async fn attempt(
    connection: &mut MultiplexedConnection,
    tenant: &TenantId,
    fresh: &StoreId,
) -> Result<Option<()>, Failure> {
    let base = base(tenant);
    let key = |name: &str| format!("{base}:{name}");
    let watched =
        ["version", "revision", "users", "devices", "locations", "pins", "seats", "tries", "journal"];
    let mut watch = cmd("WATCH");
    for name in watched {
        watch.arg(key(name));
    }
    let () = watch.query_async(connection).await?;
    let version: Option<String> = cmd("GET").arg(key("version")).query_async(connection).await?;
    if version.as_deref() == Some(VERSION.to_string().as_str()) {
        return Ok(Some(()));
    }
    let mut write = pipe();
    write.atomic();
    let mut records = WITHOUT_ACCESS.into_iter().chain([WITHOUT_IDENTITY]);
    if !version.is_some_and(|version| records.any(|of| of.to_string() == version)) {
        from_2(connection, &base, &mut write).await?;
    }
    write.cmd("SET").arg(key("identity")).arg(fresh.as_str()).arg("NX");
    write.cmd("SET").arg(key("version")).arg(VERSION);
    let done: redis::Value = write.query_async(connection).await?;
    Ok((done != redis::Value::Nil).then_some(()))
}

/// Writes all data of version 2 as the current version has it.
async fn from_2(
    connection: &mut MultiplexedConnection,
    base: &str,
    write: &mut Pipeline,
) -> Result<(), Failure> {
    let key = |name: &str| format!("{base}:{name}");
    for (kind, hash) in HASHES {
        let bodies: BTreeMap<String, String> = cmd("HGETALL").arg(key(hash)).query_async(connection).await?;
        for (name, body) in bodies {
            let mut body = parsed(&body)?;
            migration::record(kind, &mut body);
            if kind == Kind::Session {
                write.cmd("DEL").arg(key(&format!("at:{}", text(&body, "user"))));
                observation(connection, base, &name, write).await?;
            }
            for (field, set) in [("owner", "owned"), ("location", "standing")] {
                if kind == Kind::Device && !text(&body, field).is_empty() {
                    write.cmd("DEL").arg(key(&format!("{set}:{}", text(&body, field))));
                }
            }
            put(base, &Key::new(kind, name), &body, write)?;
        }
        write.cmd("DEL").arg(key(hash));
    }
    journal(connection, base, write).await?;
    let counted: BTreeMap<String, u64> = cmd("HGETALL").arg(key("counted")).query_async(connection).await?;
    for (field, times) in counted {
        if let Some(day) = field.strip_suffix(migration::COUNTED.0) {
            write.cmd("HDEL").arg(key("counted")).arg(&field);
            write.cmd("HSET").arg(key("counted")).arg(format!("{day}{}", migration::COUNTED.1)).arg(times);
        }
    }
    write.cmd("DEL").arg(key("tried"));
    Ok(())
}

fn parsed(body: &str) -> Result<Value, Failure> {
    serde_json::from_str(body).map_err(|error| Failure::Unreadable(error.to_string()))
}

fn text<'a>(body: &'a Value, field: &str) -> &'a str {
    body.get(field).and_then(Value::as_str).unwrap_or_default()
}

fn put(base: &str, key: &Key, body: &Value, write: &mut Pipeline) -> Result<(), Failure> {
    let record: Record = encoding::record(key, &body.to_string()).map_err(Failure::Unreadable)?;
    let body = encoding::body(&record).map_err(|error| Failure::Unreadable(error.to_string()))?;
    write.cmd("HSET").arg(format!("{base}:record:{}", key.kind.name())).arg(&key.name).arg(body);
    for (index, by) in record.indexes() {
        write.cmd("SADD").arg(format!("{base}:index:{}:{by}", index.name())).arg(&key.name);
    }
    Ok(())
}

/// The observations of a device during its session: a hash of microseconds.
async fn observation(
    connection: &mut MultiplexedConnection,
    base: &str,
    device: &str,
    write: &mut Pipeline,
) -> Result<(), Failure> {
    let seen = format!("{base}:seen:{device}");
    let fields: BTreeMap<String, i64> = cmd("HGETALL").arg(&seen).query_async(connection).await?;
    if !fields.is_empty() {
        let body = migration::observation(fields).map_err(|error| Failure::Unreadable(error.to_string()))?;
        put(base, &Key::new(Kind::Observation, device), &body, write)?;
        write.cmd("DEL").arg(seen);
    }
    Ok(())
}

/// Writes the stream again under the same revisions.
async fn journal(
    connection: &mut MultiplexedConnection,
    base: &str,
    write: &mut Pipeline,
) -> Result<(), Failure> {
    let stream = format!("{base}:journal");
    let entries: Vec<(String, Vec<String>)> =
        cmd("XRANGE").arg(&stream).arg("-").arg("+").query_async(connection).await?;
    write.cmd("DEL").arg(&stream);
    for (id, fields) in entries {
        let at = fields.get(1).cloned().unwrap_or_default();
        let mut entry = parsed(fields.get(3).map_or("", String::as_str))?;
        migration::entry(&mut entry);
        write.cmd("XADD").arg(&stream).arg(id).arg("at").arg(at).arg("entry").arg(entry.to_string());
    }
    // Commands that were requested before the upgrade and are requested again after it.
    let mut cursor = 0_u64;
    loop {
        let pattern = format!("{}:request:*", base.replace(['[', ']', '*', '?'], "?"));
        let (next, keys): (u64, Vec<String>) =
            cmd("SCAN").arg(cursor).arg("MATCH").arg(pattern).query_async(connection).await?;
        for key in keys {
            let first: Option<String> = cmd("GET").arg(&key).query_async(connection).await?;
            let Some(first) = first else { continue };
            let mut transition = parsed(&first)?;
            migration::transition(&mut transition);
            let outcome = json!({ "sessions": transition }).to_string();
            write.cmd("SET").arg(&key).arg(outcome).arg("KEEPTTL");
        }
        cursor = next;
        if cursor == 0 {
            return Ok(());
        }
    }
}
