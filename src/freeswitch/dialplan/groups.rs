//! Groups that ring all their members, in the dialplan.
//!
//! A member who signed in and is logged in has a row in the group's realm, whose *key* rings the member. So `bridge` takes
//! the list of its keys: FreeSWITCH rings the members without the controller.

use std::collections::BTreeMap;

use super::codes::exactly;
use crate::freeswitch::queues::groups;
use crate::model::directory::group::{Groups, numbered};
use crate::model::id::{Extension, GroupName, TenantId};

pub(super) struct Group<'a> {
    pub(super) name: &'a GroupName,
    pub(super) number: Extension,
    pub(super) realm: String,
    /// Matches the domain of its tenant; `None` where there is only one tenant.
    pub(super) domain: Option<String>,
}

pub(super) fn all(tenants: &BTreeMap<TenantId, Groups>) -> Vec<Group<'_>> {
    let mut all = vec![];
    for (tenant, of_tenant) in tenants {
        for (number, name) in numbered(of_tenant) {
            let (realm, domain) = (groups::realm(name, tenant), domain(tenant));
            all.push(Group { name, number, realm, domain });
        }
    }
    all
}

/// One expression for the numbers of each tenant's groups, with that of the tenant's domain.
pub(super) fn numbers(tenants: &BTreeMap<TenantId, Groups>) -> Vec<(Option<String>, String)> {
    let of = |(tenant, groups): (&TenantId, &Groups)| {
        let numbers: Vec<String> = numbered(groups).iter().map(|(number, _)| number.to_string()).collect();
        (!numbers.is_empty()).then(|| (domain(tenant), numbers.join("|")))
    };
    tenants.iter().filter_map(of).collect()
}

fn domain(tenant: &TenantId) -> Option<String> {
    (*tenant != TenantId::default()).then(|| exactly(tenant.as_str()))
}
