//! The limits of a tenant: how many sessions a user may have, whether a login may end another, and how old a PIN may be.

use std::collections::BTreeMap;
use std::num::{NonZeroU8, NonZeroU16};

use jiff::Timestamp;

use super::refusal::Refusal;
use crate::model::directory::Session;
use crate::model::id::TenantId;

/// The limits of all tenants.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct TenantLimits {
    /// For tenants without their own.
    pub default: LoginLimits,
    /// For these tenants.
    pub tenants: BTreeMap<TenantId, LoginLimits>,
}

impl TenantLimits {
    /// The limits of one tenant.
    pub fn of(&self, tenant: &TenantId) -> LoginLimits {
        self.tenants.get(tenant).copied().unwrap_or(self.default)
    }
}

/// The limits of one tenant.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct LoginLimits {
    /// The rules for logins.
    pub login: LoginRules,
    /// Days after which a PIN is refused; none: never.
    pub pin_days: Option<NonZeroU16>,
}

impl LoginLimits {
    /// Whether a PIN that was set at `set` is too old. A PIN with an unknown date is not.
    pub fn outlived(&self, set: Option<Timestamp>, now: Timestamp) -> bool {
        let age = |set: Timestamp| now.as_second() - set.as_second();
        self.pin_days.zip(set).is_some_and(|(days, set)| age(set) >= i64::from(days.get()) * 24 * 60 * 60)
    }
}

/// The rules for logins. The store checks them in the same step as the login, so they hold for simultaneous logins.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct LoginRules {
    /// When the user is logged in elsewhere.
    pub multiple_logins: MultipleLogins,
    /// Whether a login may end the session of another user at the device.
    pub take_over: bool,
}

impl Default for LoginRules {
    fn default() -> Self {
        Self { multiple_logins: MultipleLogins::Move, take_over: true }
    }
}

/// What happens to a user's other sessions at a login.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum MultipleLogins {
    /// The other session ends.
    #[default]
    Move,
    /// The login is refused: the user must log out elsewhere first.
    Refuse,
    /// They are kept, up to this many with the new one; then the oldest ends.
    Keep(NonZeroU8),
}

impl MultipleLogins {
    /// How many sessions a user may have.
    pub fn most(self) -> usize {
        match self {
            Self::Move | Self::Refuse => 1,
            Self::Keep(most) => most.get().into(),
        }
    }

    /// Which of the user's `sessions` end at one more login, the oldest first.
    ///
    /// # Errors
    /// [`Refusal::UserElsewhere`] when the user may not have any.
    pub fn leaves<'a>(
        self,
        sessions: impl Iterator<Item = &'a Session>,
    ) -> Result<Vec<&'a Session>, Refusal> {
        let mut sessions: Vec<&Session> = sessions.collect();
        if self == Self::Refuse && !sessions.is_empty() {
            return Err(Refusal::UserElsewhere);
        }
        sessions.sort_by_key(|session| (session.since, session.revision, &session.device));
        sessions.truncate((sessions.len() + 1).saturating_sub(self.most()));
        Ok(sessions)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pin_is_too_old_after_its_days_and_never_without_a_limit() {
        let (set, day) = (Timestamp::from_second(1_800_000_000).unwrap(), 24 * 60 * 60);
        let after = |seconds: i64| Timestamp::from_second(set.as_second() + seconds).unwrap();
        let rules = LoginLimits { pin_days: NonZeroU16::new(90), ..LoginLimits::default() };
        assert!(!rules.outlived(Some(set), after(90 * day - 1)));
        assert!(rules.outlived(Some(set), after(90 * day)));
        assert!(!rules.outlived(None, after(999 * day)));
        assert!(!LoginLimits::default().outlived(Some(set), after(9999 * day)));
    }
}
