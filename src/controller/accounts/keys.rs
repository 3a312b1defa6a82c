//! Keys of the API: programs prove with them what they may do. The rules are in [`model::access`](crate::model::access).

use std::net::IpAddr;
use std::time::Instant;

use jiff::SignedDuration;
use tracing::warn;

use super::{Accounts, Denied, random};
use crate::controller::commands::{self, now};
use crate::model::access::{ApiKey, KeyCommand, KeyText, Role, SecretHash};
use crate::model::command::{Change, Reads};
use crate::model::id::{KeyName, TenantId};
use crate::model::journal::Actor;
use crate::store::{Store, StoreError};

impl Accounts {
    /// The key that a program at this address sent, if it is good. `None`: it sent what cannot be one. Its use is noted.
    ///
    /// Wrong keys are counted by address, apart from passwords; a good key is good however many are wrong.
    ///
    /// # Errors
    /// [`Denied::Wrong`], [`Denied::TooMany`] or [`Denied::Store`]
    pub async fn key(
        &self,
        store: &dyn Store,
        sent: Option<&KeyText>,
        from: IpAddr,
    ) -> Result<ApiKey, Denied> {
        let found = match sent {
            Some(KeyText { tenant, secret }) => find(store, tenant, &secret.hash()).await?,
            None => None,
        };
        if let (Some(key), Some(KeyText { tenant, .. })) =
            (found.as_ref().filter(|key| key.is_good(now())), sent)
        {
            if key.is_news(now()) {
                note(store, tenant, key, from).await;
            }
            return Ok(key.clone());
        }
        self.attempts.count_key(from, Instant::now()).map_err(Denied::TooMany)?;
        let ended = found.map(|key| key.name);
        let ended = ended.as_ref().map(tracing::field::display);
        warn!(event = "web.key_refused", key = ended, %from, "a key of the API is unknown or has ended");
        Err(Denied::Wrong)
    }
}

async fn note(store: &dyn Store, tenant: &TenantId, key: &ApiKey, from: IpAddr) {
    let by = Actor::Key { key: key.name.clone(), from };
    if let Err(error) = change(store, tenant, by, KeyCommand::Used(key.hash.clone())).await {
        warn!(event = "web.key_not_noted", key = %key.name, %error, "the list of keys shows an earlier use");
    }
}

async fn find(store: &dyn Store, tenant: &TenantId, hash: &SecretHash) -> Result<Option<ApiKey>, StoreError> {
    Ok(store.load(tenant, &Reads::key(hash)).await?.keys.remove(hash.as_str()))
}

/// All keys of a tenant, by name.
///
/// # Errors
/// [`StoreError`]
pub async fn all(store: &dyn Store, tenant: &TenantId) -> Result<Vec<ApiKey>, StoreError> {
    let mut keys: Vec<ApiKey> = store.load(tenant, &Reads::keys()).await?.keys.into_values().collect();
    keys.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(keys)
}

/// Adds a key that is good for so many days. Its text is returned, and kept nowhere.
///
/// # Errors
/// [`StoreError`]; a refusal, if there is a key of this name.
pub async fn add(
    store: &dyn Store,
    tenant: &TenantId,
    by: Actor,
    (name, role, days): (KeyName, Role, u16),
) -> Result<KeyText, StoreError> {
    let (secret, since) = (random()?, now());
    let lasts = SignedDuration::from_hours(24 * i64::from(days.min(ApiKey::MOST_DAYS)));
    let until = since.saturating_add(lasts).unwrap_or(since);
    let key = ApiKey { name, role, hash: secret.hash(), since, until, used: None };
    change(store, tenant, by, KeyCommand::Add(key)).await?;
    Ok(KeyText { tenant: tenant.clone(), secret })
}

/// Removes a key: it is refused from now on.
///
/// # Errors
/// [`StoreError`]; a refusal, if there is none of this name.
pub async fn remove(
    store: &dyn Store,
    tenant: &TenantId,
    by: Actor,
    name: KeyName,
) -> Result<(), StoreError> {
    change(store, tenant, by, KeyCommand::Remove(name)).await
}

/// Commits a change of a key.
///
/// # Errors
/// [`StoreError`]
pub async fn change(
    store: &dyn Store,
    tenant: &TenantId,
    by: Actor,
    command: KeyCommand,
) -> Result<(), StoreError> {
    commands::change(store, tenant, (by, now()), Change::Key(command)).await.map(drop)
}
