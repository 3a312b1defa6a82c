//! The members of a tenant's groups: rows in `mod_db` of those that ring, and of [`Queues`].

use std::collections::BTreeSet;

use super::groups;
use super::membership::Queues;
use super::mod_callcenter;
use crate::freeswitch::esl::client::Client;
use crate::freeswitch::table::db::{list, value};
use crate::freeswitch::table::rows::MOD_DB;
use crate::model::desired::{About, Desired, Key, Records, Subjects};
use crate::model::directory::group::{Groups, Kind};
use crate::model::id::{Extension, GroupName, TenantId};
use crate::switch::SwitchError;

/// The value of the row of a member whom a group rings.
const RINGS: &str = "1";

pub(crate) struct Members {
    client: Client,
    tenant: TenantId,
    rung: BTreeSet<GroupName>,
    pub(crate) queues: Queues,
}

impl Members {
    pub(crate) fn new(client: Client, tenant: TenantId, groups: &Groups) -> Self {
        let of = |kind: Kind| -> BTreeSet<GroupName> {
            groups.iter().filter(|(_, group)| group.kind == kind).map(|(name, _)| name.clone()).collect()
        };
        let queues = Queues::new(client.clone(), tenant.clone(), of(Kind::Queue));
        Self { client, tenant, rung: of(Kind::Ring), queues }
    }

    /// The members that there should be. A member who paused in a ring group has no row: only Hotdesk pauses them there.
    pub(crate) fn project(&self, desired: &Desired, found: &Records) -> Records {
        let mut records = mod_callcenter::project(&self.tenant, desired, found);
        for (user, is) in &desired.users {
            let rung = is.groups.iter().filter(|(_, member)| member.kind == Kind::Ring && !member.paused);
            records.extend(rung.map(|(group, _)| (self.key(group, user), RINGS.to_owned())));
        }
        records
    }

    /// The members whom groups ring: all of them, or those of these users.
    pub(crate) async fn rung(&self, subjects: &Subjects) -> Result<Records, SwitchError> {
        let mut records = Records::new();
        let mut named = vec![];
        for group in &self.rung {
            let keys = || subjects.users.iter().map(|user| self.key(group, user));
            if !subjects.others {
                named.extend(keys());
                continue;
            }
            let realm = groups::realm(group, &self.tenant);
            let (listed, may_go_on) = list(&self.client, &realm).await?;
            if may_go_on {
                named.extend(keys());
            }
            for endpoint in listed {
                let key = match groups::user(&endpoint) {
                    Some(user) => self.key(group, &user),
                    None => {
                        let name = format!("{realm}/{}", groups::quoted(&endpoint));
                        Key { about: About::Other, part: MOD_DB, name }
                    }
                };
                records.insert(key, RINGS.into());
            }
        }
        let selects: Vec<String> = named.iter().map(|key| format!("db select/{}", key.name)).collect();
        for (key, response) in named.into_iter().zip(self.client.api_all(&selects).await?) {
            records.extend(value(&response)?.map(|value| (key, value.to_owned())));
        }
        Ok(records)
    }

    fn key(&self, group: &GroupName, user: &Extension) -> Key {
        let name = format!("{}/{}", groups::realm(group, &self.tenant), groups::key(user));
        Key { about: About::Member(group.clone(), user.clone()), part: MOD_DB, name }
    }
}
