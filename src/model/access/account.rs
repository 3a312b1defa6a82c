//! An account with its link and its sessions: one record, so that what ends an account ends them too.

use std::net::IpAddr;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::password::PasswordRecord;
use super::role::Role;
use super::secret::{Secret, SecretHash};
use crate::model::id::AccountName;

/// An account of the console.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Account {
    /// Its name.
    pub name: AccountName,
    /// What it may do.
    pub role: Role,
    /// Its password; none, until it is chosen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<PasswordRecord>,
    /// The link with which a password can be chosen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<Link>,
    /// Where it is signed in, the oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sessions: Vec<WebSession>,
}

/// A link with which a password can be chosen once.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Link {
    /// The hash of its secret.
    pub hash: SecretHash,
    /// Until when.
    pub until: Timestamp,
}

/// A browser that is signed in.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct WebSession {
    /// The hash of the secret in its cookie.
    pub hash: SecretHash,
    /// When it signed in.
    pub since: Timestamp,
    /// When it was last used; a little older than that, as not every use is noted.
    pub seen: Timestamp,
    /// The address that it signed in from.
    pub from: IpAddr,
}

impl Link {
    /// How long a link is good.
    pub const LASTS: SignedDuration = SignedDuration::from_hours(72);
}

impl WebSession {
    /// The longest time without a use.
    pub const IDLE: SignedDuration = SignedDuration::from_mins(30);
    /// The longest time since the sign-in.
    pub const LASTS: SignedDuration = SignedDuration::from_hours(12);
    /// How exact [`seen`](Self::seen) is.
    pub const NOTED: SignedDuration = SignedDuration::from_mins(1);

    /// Whether it is still good.
    pub fn is_good(&self, now: Timestamp) -> bool {
        now.duration_since(self.since) < Self::LASTS && now.duration_since(self.seen) < Self::IDLE
    }
}

impl Account {
    /// How many sessions an account may have; a further one ends the oldest.
    pub const MOST_SESSIONS: usize = 20;

    /// An account without a password.
    pub const fn new(name: AccountName, role: Role) -> Self {
        Self { name, role, password: None, link: None, sessions: vec![] }
    }

    /// The session that this secret proves, if it is good.
    pub fn session(&self, secret: &Secret, now: Timestamp) -> Option<&WebSession> {
        let hash = secret.hash();
        self.sessions.iter().find(|session| session.hash == hash && session.is_good(now))
    }

    /// Whether its link has this hash, and is good.
    pub fn has_link(&self, hash: &SecretHash, now: Timestamp) -> bool {
        self.link.as_ref().is_some_and(|link| link.hash == *hash && now < link.until)
    }

    pub(super) fn begin(&mut self, session: WebSession, now: Timestamp) {
        self.sessions.retain(|session| session.is_good(now));
        self.sessions.push(session);
        let over = self.sessions.len().saturating_sub(Self::MOST_SESSIONS);
        self.sessions.drain(..over);
    }
}
