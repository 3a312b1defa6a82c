//! What is a tenant's on an Asterisk that may have several: the names that its contexts and its rows begin with.

use crate::desk::id::TenantId;

/// A tenant's part of an Asterisk: `hotdesk` where there is only one, `<tenant>-hotdesk` for each of several.
///
/// It is the AstDB family of its rows, the context of its phones, the script that its calls ask for over FastAGI, and
/// with `-users`, `-hints` and so on behind it the name of each of its other contexts.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Space(String);

impl Space {
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

    /// The context that its hints stand in.
    #[must_use]
    pub fn hints(&self) -> String {
        format!("{}-hints", self.0)
    }

    /// The context where a user is rung and nothing else, for queues and groups.
    #[must_use]
    pub fn ring(&self) -> String {
        format!("{}-ring", self.0)
    }

    /// The context where who was rung is asked whether he stays.
    #[must_use]
    pub fn stay(&self) -> String {
        format!("{}-stay", self.0)
    }
}

impl std::fmt::Display for Space {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}
