//! Failures and locks, by the rule of [`desk::lock`](crate::desk::lock), each inside one transaction of its caller.

use rusqlite::{Connection, OptionalExtension, params};

use super::fault::Fault;
use crate::desk::id::TenantId;
use crate::desk::lock::{self, Attempt, Kind, RULE, Tries};
use crate::store::{Guess, Tried, Unlock};

/// See [`Store::attempt`](crate::store::Store::attempt).
pub(super) fn attempt(db: &Connection, guess: &Guess) -> Result<Attempt, Fault> {
    let (tenant, now) = (&guess.tenant, guess.at.as_second());
    // What is over is forgotten.
    db.prepare_cached("DELETE FROM tries WHERE tenant = ? AND last <= ?")?
        .execute(params![tenant.as_str(), now - RULE.kept])?;
    let (alias, device) = (guess.user.as_str(), guess.device.as_str());
    let (mut of_user, mut of_device) =
        (tries_of(db, tenant, Kind::User, alias)?, tries_of(db, tenant, Kind::Device, device)?);
    let attempt = lock::attempt((&mut of_user, alias), (&mut of_device, device), guess.at);
    if attempt.allowed.is_ok() {
        keep(db, tenant, Kind::User, alias, &of_user, now)?;
        keep(db, tenant, Kind::Device, device, &of_device, now)?;
    }
    Ok(attempt)
}

/// See [`Store::forgive`](crate::store::Store::forgive).
pub(super) fn forgive(db: &Connection, guess: &Guess) -> Result<(), Fault> {
    let (tenant, alias, device) = (&guess.tenant, guess.user.as_str(), guess.device.as_str());
    let mut of_device = tries_of(db, tenant, Kind::Device, device)?;
    lock::forgive(&mut of_device, alias, guess.at);
    forget(db, tenant.as_str(), Kind::User, alias)?;
    if of_device.is_empty() {
        return forget(db, tenant.as_str(), Kind::Device, device);
    }
    let body = serde_json::to_string(&of_device)?;
    db.prepare_cached("UPDATE tries SET body = ? WHERE tenant = ? AND kind = 'device' AND name = ?")?
        .execute([body.as_str(), tenant.as_str(), device])?;
    Ok(())
}

/// See [`Store::tries`](crate::store::Store::tries).
pub(super) fn tries(db: &Connection, tenant: &TenantId) -> Result<Vec<Tried>, Fault> {
    let mut query = db.prepare_cached("SELECT kind, name, body FROM tries WHERE tenant = ?")?;
    let mut rows = query.query([tenant.as_str()])?;
    let mut all = vec![];
    while let Some(row) = rows.next()? {
        let (kind, body): (String, String) = (row.get(0)?, row.get(2)?);
        let kind = Kind::named(&kind).ok_or_else(|| Fault::Unreadable(format!("failures of a {kind}")))?;
        all.push(Tried { kind, name: row.get(1)?, tries: serde_json::from_str(&body)? });
    }
    Ok(all)
}

/// Forgets failures, and with them the locks.
pub(super) fn unlock(db: &Connection, tenant: &str, whose: &Unlock) -> Result<(), Fault> {
    match whose.counted() {
        Some((kind, name)) => forget(db, tenant, kind, name),
        None => Ok(db.execute("DELETE FROM tries WHERE tenant = ?", [tenant]).map(drop)?),
    }
}

fn forget(db: &Connection, tenant: &str, kind: Kind, name: &str) -> Result<(), Fault> {
    db.prepare_cached("DELETE FROM tries WHERE tenant = ? AND kind = ? AND name = ?")?.execute([
        tenant,
        kind.name(),
        name,
    ])?;
    Ok(())
}

fn tries_of(db: &Connection, tenant: &TenantId, kind: Kind, name: &str) -> Result<Tries, Fault> {
    let body: Option<String> = db
        .prepare_cached("SELECT body FROM tries WHERE tenant = ? AND kind = ? AND name = ?")?
        .query_row([tenant.as_str(), kind.name(), name], |row| row.get(0))
        .optional()?;
    Ok(body.map(|body| serde_json::from_str(&body)).transpose()?.unwrap_or_default())
}

fn keep(
    db: &Connection,
    tenant: &TenantId,
    kind: Kind,
    name: &str,
    tries: &Tries,
    now: i64,
) -> Result<(), Fault> {
    let (tenant, limits) = (tenant.as_str(), kind.limits());
    // Who needs an administrator is not forgotten.
    let last = if limits.row > 0 && tries.row >= limits.row { i64::MAX } else { now };
    db.prepare_cached(
        "INSERT OR REPLACE INTO tries (tenant, kind, name, last, body) VALUES (?, ?, ?, ?, ?)",
    )?
    .execute(params![tenant, kind.name(), name, last, serde_json::to_string(tries)?])?;
    Ok(())
}
