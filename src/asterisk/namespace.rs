//! The prefix of a tenant's contexts and rows on an Asterisk, which may have several tenants.

use crate::model::id::TenantId;

/// What the hint that holds the token begins with.
pub(in crate::asterisk) const TOKEN_HINT: &str = "Custom:";

/// A tenant's part of an Asterisk: `hotdesk` where there is only one, `<tenant>-hotdesk` for each of several.
///
/// It is the AstDB family of its rows, the context of its phones, the script that its calls ask for over FastAGI, and
/// with `-users`, `-hints` and so on behind it the name of each of its other contexts.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Namespace(String);

impl Namespace {
    /// That of `tenant`.
    #[must_use]
    pub fn of(tenant: &TenantId) -> Self {
        Self(if *tenant == TenantId::default() { "hotdesk".into() } else { format!("{tenant}-hotdesk") })
    }

    /// The AstDB family that is the tenant's alone, and the context of its phones.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0
    }

    /// The context of its hints.
    #[must_use]
    pub fn hints(&self) -> String {
        format!("{}-hints", self.0)
    }

    /// The hint that holds the token, in a context of its own. No phone can watch it.
    #[must_use]
    pub fn token(&self) -> String {
        format!("token@{}-token", self.0)
    }

    /// The context where a user is rung and nothing else, for queues and groups.
    #[must_use]
    pub fn ring(&self) -> String {
        format!("{}-ring", self.0)
    }

    /// The context where the user of a device that was rung is asked to extend the session.
    #[must_use]
    pub fn extend(&self) -> String {
        format!("{}-extend", self.0)
    }
}

impl std::fmt::Display for Namespace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}
