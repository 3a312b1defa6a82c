//! How accounts change.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::account::{Account, Link, WebSession};
use super::password::PasswordRecord;
use super::role::Role;
use super::secret::SecretHash;
use crate::model::id::AccountName;
use crate::model::journal::Event;
use crate::model::login::refusal::Refusal;

/// A change of an account.
#[derive(Clone, Debug)]
pub enum AccessCommand {
    /// Gives a link with which the user of the account chooses a password, and a role. Adds the account if there is none. The
    /// link before is void; the sessions end if the role is another one.
    Invite(AccountName, Role, Link),
    /// Removes the account with its sessions.
    Remove(AccountName),
    /// Uses up the link with this hash: sets the password, ends all sessions and begins this one.
    ChoosePassword(AccountName, SecretHash, PasswordRecord, WebSession),
    /// Begins a session, if the password is still that of the record that was compared.
    SignIn {
        /// The account.
        account: AccountName,
        /// The salt of that record.
        salt: String,
        /// A new record of the same password, if the pepper is an older one.
        rehashed: Option<PasswordRecord>,
        /// The session.
        session: WebSession,
        /// The session that the browser had before; it ends.
        replaces: Option<SecretHash>,
    },
    /// Ends the session with this hash.
    SignOut(AccountName, SecretHash),
    /// Notes that the session with this hash is used.
    Seen(AccountName, SecretHash),
}

/// The account after a change; none: it is removed.
type Changed = (AccountName, Option<Account>);

impl AccessCommand {
    /// The account.
    pub const fn account(&self) -> &AccountName {
        match self {
            Self::Invite(account, ..)
            | Self::Remove(account)
            | Self::ChoosePassword(account, ..)
            | Self::SignIn { account, .. }
            | Self::SignOut(account, _)
            | Self::Seen(account, _) => account,
        }
    }

    /// Whether it is decided on all accounts: one administrator must remain.
    pub const fn needs_all(&self) -> bool {
        matches!(self, Self::Invite(..) | Self::Remove(_))
    }
}

/// What `command` changes at this time, and the events to journal.
pub(in crate::model) fn decide(
    accounts: &BTreeMap<AccountName, Account>,
    command: &AccessCommand,
    at: Timestamp,
) -> Result<(Option<Changed>, Vec<Event>), Refusal> {
    let name = command.account();
    let found = accounts.get(name);
    let known = || found.cloned().ok_or_else(|| Refusal::AccountUnknown(name.clone()));
    let (account, event) = match command {
        AccessCommand::Invite(_, role, link) => {
            let mut account = found.cloned().unwrap_or_else(|| Account::new(name.clone(), *role));
            if account.role != *role {
                if *role < Role::Administrator {
                    another_administrator(accounts, &account)?;
                }
                account.sessions.clear();
            }
            account.role = *role;
            account.link = Some(link.clone());
            (
                Some(account),
                Some(Event::AccountInvited { account: name.clone(), role: *role, added: found.is_none() }),
            )
        }
        AccessCommand::Remove(_) => {
            another_administrator(accounts, &known()?)?;
            (None, Some(Event::AccountRemoved { account: name.clone() }))
        }
        AccessCommand::ChoosePassword(_, link, password, session) => {
            let mut account =
                found.filter(|account| account.has_link(link, at)).cloned().ok_or(Refusal::LinkVoid)?;
            account.link = None;
            account.password = Some(password.clone());
            account.sessions = vec![session.clone()];
            (Some(account), Some(Event::PasswordChosen { account: name.clone() }))
        }
        AccessCommand::SignIn { salt, rehashed, session, replaces, .. } => {
            let mut account = known()?;
            if account.password.as_ref().is_none_or(|password| password.salt() != salt) {
                return Err(Refusal::PasswordChanged);
            }
            if let Some(rehashed) = rehashed {
                account.password = Some(rehashed.clone());
            }
            account.sessions.retain(|session| Some(&session.hash) != replaces.as_ref());
            account.begin(session.clone(), at);
            (Some(account), Some(Event::SignedIn { account: name.clone() }))
        }
        AccessCommand::SignOut(_, hash) => {
            let mut account = known()?;
            let before = account.sessions.len();
            account.sessions.retain(|session| session.hash != *hash);
            let ended = account.sessions.len() < before;
            if !ended {
                return Ok((None, vec![]));
            }
            (Some(account), Some(Event::SignedOut { account: name.clone() }))
        }
        AccessCommand::Seen(_, hash) => {
            let mut account = known()?;
            let session =
                account.sessions.iter_mut().find(|session| session.hash == *hash && session.is_good(at));
            match session.filter(|session| session.seen < at) {
                Some(session) => session.seen = at,
                None => return Ok((None, vec![])),
            }
            (Some(account), None)
        }
    };
    Ok((Some((name.clone(), account)), event.into_iter().collect()))
}

/// An error if `account` is the last administrator who has a password.
fn another_administrator(
    accounts: &BTreeMap<AccountName, Account>,
    account: &Account,
) -> Result<(), Refusal> {
    let administers = |account: &Account| account.role == Role::Administrator && account.password.is_some();
    let another = accounts.values().any(|other| other.name != account.name && administers(other));
    if !administers(account) || another {
        Ok(())
    } else {
        Err(Refusal::LastAdministrator(account.name.clone()))
    }
}
