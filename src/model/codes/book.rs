//! The codes of several tenants.

use std::collections::BTreeMap;

use super::code_set::Codes;
use crate::model::id::TenantId;

/// The codes of all tenants.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Book {
    tenants: BTreeMap<TenantId, Codes>,
    others: Codes,
}

impl Book {
    /// The codes of these tenants.
    pub fn new(tenants: BTreeMap<TenantId, Codes>) -> Self {
        Self { tenants, others: Codes::default() }
    }

    /// Each different set of codes with its tenants; without tenants, if all have the same.
    pub fn sets(&self) -> Vec<(&Codes, Vec<&TenantId>)> {
        let mut sets: Vec<(&Codes, Vec<&TenantId>)> = vec![];
        for (tenant, codes) in &self.tenants {
            match sets.iter_mut().find(|(known, _)| *known == codes) {
                Some((_, tenants)) => tenants.push(tenant),
                None => sets.push((codes, vec![tenant])),
            }
        }
        match sets.as_slice() {
            [] => vec![(&self.others, vec![])],
            [(codes, _)] => vec![(codes, vec![])],
            _ => sets,
        }
    }

    /// The codes of a tenant.
    pub fn of(&self, tenant: &TenantId) -> &Codes {
        self.tenants.get(tenant).unwrap_or(&self.others)
    }
}

impl From<Codes> for Book {
    /// The same codes for every tenant.
    fn from(others: Codes) -> Self {
        Self { tenants: BTreeMap::new(), others }
    }
}
