//! The members of a tenant's groups: rows in `mod_db` of those that ring, and of [`Queues`].

use std::collections::{BTreeMap, BTreeSet};

use super::client::Client;
use super::esl::Said;
use super::groups;
use super::queues::{Changes, Queues};
use crate::desk::group::{Groups, Kind};
use crate::desk::id::{Extension, GroupName, TenantId};
use crate::desk::table::{Edit, Key, Member, Row, Table};
use crate::switch::SwitchError;

/// A tenant's groups.
pub(super) struct Members {
    client: Client,
    tenant: TenantId,
    rung: BTreeSet<GroupName>,
    pub(super) queues: Queues,
}

impl Members {
    pub(super) fn new(client: Client, tenant: TenantId, groups: &Groups) -> Self {
        let of = |kind: Kind| -> BTreeSet<GroupName> {
            groups.iter().filter(|(_, group)| group.kind == kind).map(|(name, _)| name.clone()).collect()
        };
        let queues = Queues::new(client.clone(), tenant.clone(), of(Kind::Queue));
        Self { client, tenant, rung: of(Kind::Ring), queues }
    }

    /// All members, of whom these are `expected`.
    pub(super) async fn read_all(&self, expected: &Table) -> Result<Table, SwitchError> {
        let mut table = self.queues.read_all(expected).await?;
        for group in &self.rung {
            let realm = groups::realm(group, &self.tenant);
            let keys = self.client.api(&format!("db list/{realm}")).await?.unwrap_or_default();
            table.extend(keys.split(',').filter(|key| !key.is_empty()).map(|key| match groups::user(key) {
                Some(user) => rings(group, user),
                None => {
                    let place = format!("{realm}/{}", groups::quoted(key));
                    (Key::Unknown(place), Row::Unreadable(String::new()))
                }
            }));
        }
        table.extend(pausing(expected, &table));
        Ok(table)
    }

    /// Those of these users, of whom these are `expected`.
    pub(super) async fn read(
        &self,
        users: &BTreeSet<Extension>,
        expected: &Table,
    ) -> Result<Table, SwitchError> {
        let of_these = |(key, _): &(&Key, &Row)| matches!(key, Key::Member(_, user) if users.contains(user));
        let expected: Table =
            expected.iter().filter(of_these).map(|(key, row)| (key.clone(), row.clone())).collect();
        let mut table = self.queues.read(users, &expected).await?;
        let asked: Vec<(&GroupName, &Extension)> =
            self.rung.iter().flat_map(|group| users.iter().map(move |user| (group, user))).collect();
        let selects: Vec<String> =
            asked.iter().map(|(group, user)| format!("db select/{}", self.place(group, user))).collect();
        for ((group, user), response) in asked.into_iter().zip(self.client.api_all(&selects).await?) {
            if matches!(response.said(), Said::Value(_)) {
                table.extend([rings(group, user.clone())]);
            }
        }
        table.extend(pausing(&expected, &table));
        Ok(table)
    }

    /// Makes those of these differences true that are members.
    pub(super) async fn apply(&self, edits: &[Edit]) -> Result<(), SwitchError> {
        let (mut rows, mut changes) = (vec![], Changes::new());
        for Edit { key, was, is } in edits {
            let Key::Member(group, user) = key else { continue };
            let (was, is) = (member(was), member(is));
            match was.or(is).map(|member| member.kind) {
                Some(Kind::Queue) => {
                    let of_user: &mut BTreeMap<_, _> = changes.entry(user.clone()).or_default();
                    of_user.insert(group.clone(), is.map(|member| member.paused));
                }
                Some(Kind::Ring) => {
                    let place = self.place(group, user);
                    let rung = is.is_some_and(|member| !member.paused);
                    rows.push(if rung {
                        format!("db insert/{place}/1")
                    } else {
                        format!("db delete/{place}")
                    });
                }
                None => {}
            }
        }
        for response in self.client.api_all(&rows).await? {
            if response.said() != Said::Value("+OK") {
                return Err(SwitchError::Refused("db".into(), response.text().into_owned()));
            }
        }
        if changes.is_empty() { Ok(()) } else { self.queues.change(&changes).await }
    }

    /// Where the row of a member stands whom a group rings.
    fn place(&self, group: &GroupName, user: &Extension) -> String {
        format!("{}/{}", groups::realm(group, &self.tenant), groups::key(user))
    }
}

fn member(row: &Option<Row>) -> Option<Member> {
    if let Some(Row::Member(member)) = row { Some(*member) } else { None }
}

fn rings(group: &GroupName, user: Extension) -> (Key, Row) {
    (Key::Member(group.clone(), user), Row::Member(Member { kind: Kind::Ring, paused: false }))
}

/// Who should pause in a group that rings all, and is not rung.
fn pausing(expected: &Table, seen: &Table) -> Vec<(Key, Row)> {
    let paused = |row: &Row| matches!(row, Row::Member(Member { kind: Kind::Ring, paused: true }));
    let pausing = expected.iter().filter(|(key, row)| paused(row) && !seen.contains_key(key));
    pausing.map(|(key, row)| (key.clone(), row.clone())).collect()
}
