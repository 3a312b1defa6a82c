//! Accounts of the console: sign-in, links and sessions; and keys of the API. The rules are in [`model::access`](crate::model::access).

mod attempts;
mod hashing;
pub mod keys;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tracing::{info, warn};

use self::attempts::Attempts;
use self::hashing::Hashing;
use super::Controller;
use super::commands::{self, now};
use crate::model::access::{
    AccessCommand, Account, Link, Password, Role, Secret, SecretHash, WebSession, weak_password,
};
use crate::model::command::{Change, Reads};
use crate::model::id::{AccountName, TenantId};
use crate::model::journal::{Actor, Event};
use crate::store::{Store, StoreError};

/// Signs accounts in. The failures that it remembers are those of this process, and apart from those of PINs: nothing in the
/// console locks a phone.
#[derive(Default)]
pub struct Accounts {
    hashing: Hashing,
    attempts: Attempts,
}

/// An account that wants to sign in, and its browser.
#[derive(Clone, Debug)]
pub struct Applicant {
    /// The tenant.
    pub tenant: TenantId,
    /// The account; there need not be one.
    pub account: AccountName,
    /// The address of the browser.
    pub from: IpAddr,
    /// The session that the browser had before.
    pub before: Option<SecretHash>,
}

/// Why a browser is not signed in.
#[derive(Debug, thiserror::Error)]
pub enum Denied {
    /// Too many passwords are compared at once.
    #[error("too many sign-ins at once")]
    Busy,
    /// The link was used, is too old, or another one was made.
    #[error("the link is void")]
    Link,
    /// The store could not do it.
    #[error(transparent)]
    Store(StoreError),
    /// Too many wrong passwords lately, for this account or from this address; or too many wrong keys.
    #[error("too many wrong passwords")]
    TooMany(Duration),
    /// The chosen password is too easy to guess.
    #[error("the password is too easy to guess: {0}")]
    Weak(&'static str),
    /// The account, the password or the key is wrong.
    #[error("the name or the password is wrong")]
    Wrong,
}

impl From<StoreError> for Denied {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl Applicant {
    fn actor(&self) -> Actor {
        Actor::Console { account: self.account.clone(), from: self.from }
    }
}

impl Accounts {
    /// Begins a session for the account with this password, and returns its secret. An unknown account takes as long.
    ///
    /// # Errors
    /// [`Denied`]
    pub async fn sign_in(
        &self,
        controller: &Controller,
        applicant: &Applicant,
        password: Option<Password>,
    ) -> Result<Secret, Denied> {
        let Applicant { tenant, account, from, before } = applicant;
        let attempt =
            self.attempts.count((tenant, account), *from, Instant::now()).map_err(Denied::TooMany)?;
        let found = find(&*controller.store, tenant, account)
            .await
            .inspect_err(|_| self.attempts.take_back(&attempt))?;
        let record = found.as_ref().and_then(|found| found.password.clone());
        let compared = match password {
            Some(password) => {
                let (peppers, owner) = (controller.pins.peppers(), (tenant.clone(), account.clone()));
                self.hashing.compare(record.clone(), password, peppers, owner).await
            }
            // Too short or too long to be one.
            None => Ok(hashing::Compared::default()),
        };
        let Ok(compared) = compared else {
            self.attempts.take_back(&attempt);
            return Err(Denied::Busy);
        };
        let (true, Some(record)) = (compared.matches, record) else {
            refused(controller.store.clone(), applicant, found.is_some());
            return Err(Denied::Wrong);
        };
        let (secret, session) = begin(*from)?;
        let command = AccessCommand::SignIn {
            account: account.clone(),
            salt: record.salt().to_owned(),
            rehashed: compared.rehashed,
            session,
            replaces: before.clone(),
        };
        match change(&*controller.store, tenant, applicant.actor(), command).await {
            Ok(()) => {}
            Err(StoreError::Refused(_)) => return Err(Denied::Wrong),
            Err(error) => return Err(error.into()),
        }
        self.attempts.forgive(&attempt);
        info!(event = "web.signed_in", %tenant, %account, %from, "an account signed in");
        Ok(secret)
    }

    /// Uses up a link: sets the password of the account, ends its sessions and begins one, whose secret is returned.
    ///
    /// # Errors
    /// [`Denied`]; then the link is as good as before.
    pub async fn choose_password(
        &self,
        controller: &Controller,
        applicant: &Applicant,
        link: &Secret,
        password: Password,
    ) -> Result<Secret, Denied> {
        let Applicant { tenant, account, from, .. } = applicant;
        let found = find(&*controller.store, tenant, account).await?;
        if !found.is_some_and(|found| found.has_link(&link.hash(), now())) {
            return Err(Denied::Link);
        }
        if let Some(why) = weak_password(&password, tenant, account) {
            return Err(Denied::Weak(why));
        }
        let owner = (tenant.clone(), account.clone());
        let record = self.hashing.record(password, controller.pins.peppers(), owner).await;
        let record = record.map_err(|_| Denied::Busy)?;
        let (secret, session) = begin(*from)?;
        let command = AccessCommand::ChoosePassword(account.clone(), link.hash(), record, session);
        match change(&*controller.store, tenant, applicant.actor(), command).await {
            Ok(()) => {
                info!(event = "web.password_chosen", %tenant, %account, %from, "an account has a new password");
                Ok(secret)
            }
            Err(StoreError::Refused(_)) => Err(Denied::Link),
            Err(error) => Err(error.into()),
        }
    }
}

/// Logs and journals a wrong password. Nothing waits for that: it takes longer for an account that there is.
fn refused(store: Arc<dyn Store>, Applicant { tenant, account, from, .. }: &Applicant, known: bool) {
    // What was typed as a name may be a password, so that of no account is in no log.
    let account = known.then(|| account.clone());
    let named = account.as_ref().map(tracing::field::display);
    warn!(event = "web.sign_in_refused", %tenant, account = named, %from, "wrong name or password");
    let (Some(account), tenant) = (account, tenant.clone()) else { return };
    tokio::spawn(async move {
        let (event, by) = (Event::SignInRefused { account }, (Actor::Controller, now()));
        if let Err(error) = commands::change(&*store, &tenant, by, Change::Record(vec![event])).await {
            warn!(event = "journal.failed", %error, "a journal entry is lost");
        }
    });
}

/// The account of this name.
///
/// # Errors
/// [`StoreError`]
pub async fn find(
    store: &dyn Store,
    tenant: &TenantId,
    account: &AccountName,
) -> Result<Option<Account>, StoreError> {
    Ok(store.load(tenant, &Reads::account(account)).await?.accounts.remove(account))
}

/// All accounts of a tenant.
///
/// # Errors
/// [`StoreError`]
pub async fn all(store: &dyn Store, tenant: &TenantId) -> Result<Vec<Account>, StoreError> {
    Ok(store.load(tenant, &Reads::accounts()).await?.accounts.into_values().collect())
}

/// Whether a tenant has an administrator with a password.
///
/// # Errors
/// [`StoreError`]
pub async fn is_administered(store: &dyn Store, tenant: &TenantId) -> Result<bool, StoreError> {
    let administers = |account: &Account| account.role == Role::Administrator && account.password.is_some();
    Ok(all(store, tenant).await?.iter().any(administers))
}

/// Makes a link for the account, which is added if there is none, and gives it this role. The link before is void.
///
/// # Errors
/// [`StoreError`]
pub async fn invite(
    store: &dyn Store,
    tenant: &TenantId,
    by: Actor,
    account: AccountName,
    role: Role,
) -> Result<Secret, StoreError> {
    let secret = random()?;
    let until = now().saturating_add(Link::LASTS).unwrap_or(Timestamp::MAX);
    let link = Link { hash: secret.hash(), until };
    change(store, tenant, by, AccessCommand::Invite(account, role, link)).await?;
    Ok(secret)
}

/// Commits a change of an account.
///
/// # Errors
/// [`StoreError`]
pub async fn change(
    store: &dyn Store,
    tenant: &TenantId,
    by: Actor,
    command: AccessCommand,
) -> Result<(), StoreError> {
    commands::change(store, tenant, (by, now()), Change::Access(command)).await.map(drop)
}

fn begin(from: IpAddr) -> Result<(Secret, WebSession), StoreError> {
    let (secret, now) = (random()?, now());
    let session = WebSession { hash: secret.hash(), since: now, seen: now, from };
    Ok((secret, session))
}

fn random() -> Result<Secret, StoreError> {
    let mut bits = [0; 32];
    getrandom::fill(&mut bits)
        .map_err(|error| StoreError::Broken("(random bits)".into(), error.to_string()))?;
    Ok(Secret::from_random(&bits))
}
