//! `[[group]]`: the ring groups and queues that users sign in to and out of.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::Config;
use super::error::refuse_if;
use super::switch::{Layout, Switch};
use crate::model::directory::group;
use crate::model::id::{Extension, GroupName, SwitchName, TenantId};
use crate::model::routes::Routes;

/// `[[group]]`
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct Group {
    /// Its name on the switch.
    pub name: GroupName,
    /// A queue, or a group that rings all members at once.
    pub kind: group::Kind,
    /// The number that stands for it in feature codes; by default its name, if that is a number.
    #[serde(default)]
    pub number: Option<Extension>,
    /// The switch that has it.
    #[serde(default)]
    pub switch: SwitchName,
    /// The tenant that it belongs to.
    #[serde(default)]
    pub tenant: TenantId,
}

impl Config {
    /// The routes to other switches and the groups of a tenant on this switch.
    #[must_use]
    pub fn routes(&self, switch: &Switch, tenant: &TenantId) -> Routes {
        let here = self.groups.iter().filter(|group| group.switch == switch.name && group.tenant == *tenant);
        let groups = here.map(|Group { name, kind, number, .. }| {
            (name.clone(), group::Group { kind: *kind, number: number.clone() })
        });
        Routes { groups: groups.collect(), routes: switch.routes.clone() }
    }

    /// The groups of a tenant that have a number, by that number.
    pub(super) fn numbered_groups(&self, tenant: &TenantId) -> BTreeMap<Extension, GroupName> {
        let groups = self.groups.iter().filter(|group| group.tenant == *tenant);
        groups.filter_map(|group| Some((group.dial_number()?, group.name.clone()))).collect()
    }

    /// Checks that the switch of each group serves its tenant, and that names and numbers are unique.
    pub(super) fn validate_groups(&self) -> Result<(), String> {
        for (at, group) in self.groups.iter().enumerate() {
            let Group { name, switch, tenant, .. } = group;
            let of = self.switch(switch).ok_or_else(|| {
                format!("group {name}: there is no [[switch]] named {switch}: correct `switch`")
            })?;
            let why = format!(
                "group {name}: the switch {switch} does not serve the tenant {tenant}: add it to `tenants` of that \
                 [[switch]]"
            );
            refuse_if(!of.has(tenant), why)?;
            let why = format!(
                "group {name}: the switch {switch} is a FreePBX, which keeps the members of its groups itself: remove \
                 this [[group]]"
            );
            refuse_if(of.layout == Layout::FreePbx, why)?;
            let number = group.dial_number();
            for other in self.groups.iter().take(at).filter(|other| other.tenant == *tenant) {
                if other.name == *name {
                    return Err(format!("two [[group]] of the tenant {tenant} are named {name}: remove one"));
                }
                if number.is_some() && other.dial_number() == number {
                    let other = &other.name;
                    return Err(format!(
                        "group {name}: the group {other} has the same number: give it another `number`"
                    ));
                }
            }
        }
        Ok(())
    }
}

impl Group {
    fn dial_number(&self) -> Option<Extension> {
        self.number.clone().or_else(|| Extension::new(self.name.as_str()).ok())
    }
}
