//! `[[group]]`: the groups and queues that users sign in to and out of.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::Config;
use super::switch::{Layout, Switch};
use crate::desk::group;
use crate::desk::id::{Extension, GroupName, SwitchName, TenantId};
use crate::desk::reach::Reach;

/// `[[group]]`
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct Group {
    /// As its switch knows it.
    pub name: GroupName,
    /// A queue, or all members at once.
    pub kind: group::Kind,
    /// What its members dial for it in a code; its name, where that is a number.
    #[serde(default)]
    pub number: Option<Extension>,
    /// The switch that it is on.
    #[serde(default)]
    pub switch: SwitchName,
    /// Whose it is.
    #[serde(default)]
    pub tenant: TenantId,
}

impl Config {
    /// Whom a tenant's part of this switch reaches, and how.
    #[must_use]
    pub fn reach(&self, switch: &Switch, tenant: &TenantId) -> Reach {
        let here = self.groups.iter().filter(|group| group.switch == switch.name && group.tenant == *tenant);
        let groups = here.map(|Group { name, kind, number, .. }| {
            (name.clone(), group::Group { kind: *kind, number: number.clone() })
        });
        Reach { groups: groups.collect(), ..switch.reach() }
    }

    /// The groups of a tenant that have a number to be dialled by.
    pub(super) fn numbered_groups(&self, tenant: &TenantId) -> BTreeMap<Extension, GroupName> {
        let groups = self.groups.iter().filter(|group| group.tenant == *tenant);
        groups.filter_map(|group| Some((group.dialled()?, group.name.clone()))).collect()
    }

    /// Whether each group is on a switch that has its tenant, and each number one group's.
    pub(super) fn groups_agree(&self) -> Result<(), String> {
        for (at, group) in self.groups.iter().enumerate() {
            let Group { name, switch, tenant, .. } = group;
            match self.switch(switch) {
                None => return Err(format!("group {name}: there is no [[switch]] named {switch}")),
                Some(known) if !known.has(tenant) => {
                    return Err(format!(
                        "group {name}: the switch {switch} has no phones of the tenant {tenant}"
                    ));
                }
                Some(known) if known.layout == Layout::FreePbx => {
                    return Err(format!(
                        "group {name}: the switch {switch} is a FreePBX, which keeps the members of its groups itself; drop \
                         the [[group]]"
                    ));
                }
                Some(_) => {}
            }
            let before = self.groups.iter().take(at).filter(|other| other.tenant == *tenant);
            for other in before {
                if other.name == *name {
                    return Err(format!("two [[group]] of {tenant} are named {name}: make one of them"));
                }
                if other.dialled() == group.dialled() && group.dialled().is_some() {
                    let other = &other.name;
                    return Err(format!(
                        "group {name}: {other} is dialled by the same number; give it another"
                    ));
                }
            }
        }
        Ok(())
    }
}

impl Group {
    /// What is dialled for it, if anything can be.
    fn dialled(&self) -> Option<Extension> {
        self.number.clone().or_else(|| Extension::new(self.name.as_str()).ok())
    }
}
