//! The members of a tenant's groups and queues: rows in `mod_db`, and agents of `mod_callcenter`.
//!
//! A queue that is not there, or a FreeSWITCH without the module, keeps nobody from his desk: it is logged, and tried again
//! with each comparison. What is read of it then is what should be there.

use std::collections::{BTreeMap, BTreeSet};

use tokio::sync::broadcast;
use tracing::warn;

use super::callcenter::{self, Agent, Memberships};
use super::client::Client;
use super::esl::{Response, Said};
use super::event::Event;
use super::groups;
use super::rights;
use crate::desk::group::{Groups, Kind};
use crate::desk::id::{Extension, GroupName, TenantId};
use crate::desk::table::{Edit, Key, Member, Row, Table};
use crate::switch::SwitchError;

/// Breaks that wait for whoever keeps them.
const PAUSES: usize = 64;

/// The members of a tenant's groups. Clones are the same.
#[derive(Clone)]
pub(super) struct Members {
    client: Client,
    tenant: TenantId,
    groups: Groups,
    pauses: broadcast::Sender<(GroupName, Extension)>,
}

impl Members {
    pub(super) fn new(client: Client, tenant: TenantId, groups: Groups) -> Self {
        Self { client, tenant, groups, pauses: broadcast::Sender::new(PAUSES) }
    }

    fn of(&self, kind: Kind) -> impl Iterator<Item = &GroupName> {
        self.groups.iter().filter(move |(_, group)| group.kind == kind).map(|(name, _)| name)
    }

    /// All members, those that are `expected` among them.
    pub(super) async fn read_all(&self, expected: &Table) -> Result<Table, SwitchError> {
        let mut table = Table::new();
        for group in self.of(Kind::Ring) {
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
        if self.of(Kind::Queue).next().is_some() {
            match self.all_agents().await? {
                Ok(agents) => table.extend(queued(&agents, expected)),
                Err(why) => {
                    warn!(event = "queue.refused", %why, "nobody's place in a queue can be kept; hotdesk check says more");
                    table.extend(of_kind(expected, Kind::Queue));
                }
            }
        }
        table.extend(pausing(expected, &table));
        Ok(table)
    }

    /// Those of these users.
    pub(super) async fn read(
        &self,
        users: &BTreeSet<Extension>,
        expected: &Table,
    ) -> Result<Table, SwitchError> {
        let of_these = |key: &Key| matches!(key, Key::Member(_, user) if users.contains(user));
        let expected: Table = expected
            .iter()
            .filter(|(key, _)| of_these(key))
            .map(|(key, row)| (key.clone(), row.clone()))
            .collect();
        let mut table = Table::new();
        let asked: Vec<(&GroupName, &Extension)> =
            self.of(Kind::Ring).flat_map(|group| users.iter().map(move |user| (group, user))).collect();
        let select = |(group, user): &(&GroupName, &Extension)| {
            format!("db select/{}/{}", groups::realm(group, &self.tenant), groups::key(user))
        };
        let selects: Vec<String> = asked.iter().map(select).collect();
        for ((group, user), response) in asked.iter().zip(self.client.api_all(&selects).await?) {
            if matches!(response.said(), Said::Value(_)) {
                table.extend([rings(group, (*user).clone())]);
            }
        }
        let queues: BTreeSet<GroupName> = self.of(Kind::Queue).cloned().collect();
        if !queues.is_empty() {
            match self.agents(users, &queues).await? {
                Ok(agents) => table.extend(queued(&agents, &expected)),
                Err(_) => table.extend(of_kind(&expected, Kind::Queue)),
            }
        }
        table.extend(pausing(&expected, &table));
        Ok(table)
    }

    /// Makes those of these differences true that are members.
    pub(super) async fn apply(&self, edits: &[Edit]) -> Result<(), SwitchError> {
        let mut rows = vec![];
        let mut changes: BTreeMap<Extension, BTreeMap<GroupName, Option<bool>>> = BTreeMap::new();
        for Edit { key, was, is } in edits {
            let Key::Member(group, user) = key else { continue };
            let (was, is) = (member(was), member(is));
            match was.or(is).map(|member| member.kind) {
                Some(Kind::Queue) => {
                    let paused = is.map(|member| member.paused);
                    changes.entry(user.clone()).or_default().insert(group.clone(), paused);
                }
                Some(Kind::Ring) => {
                    let place = format!("{}/{}", groups::realm(group, &self.tenant), groups::key(user));
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
        if changes.is_empty() { Ok(()) } else { self.change(&changes).await }
    }

    /// An agent is one for all his queues: so what he is by now counts, too.
    async fn change(
        &self,
        changes: &BTreeMap<Extension, BTreeMap<GroupName, Option<bool>>>,
    ) -> Result<(), SwitchError> {
        let users = changes.keys().cloned().collect();
        let queues = self.of(Kind::Queue).chain(changes.values().flat_map(BTreeMap::keys)).cloned().collect();
        let Ok(seen) = self.agents(&users, &queues).await? else { return Ok(()) };
        for (user, changes) in changes {
            let was = seen.get(user);
            let mut members = was.map(|agent| agent.members(&Memberships::new())).unwrap_or_default();
            for (queue, paused) in changes {
                match paused {
                    Some(paused) => drop(members.insert(queue.clone(), *paused)),
                    None => drop(members.remove(queue)),
                }
            }
            let is = Agent::of(&members);
            let commands = callcenter::commands(user, was, is.as_ref(), &self.tenant);
            let responses = match self.asked(&commands).await? {
                Ok(responses) => responses,
                Err(_) => return Ok(()),
            };
            for response in &responses {
                if let Said::Error(why) = response.said() {
                    warn!(event = "queue.refused", %user, %why,
                        "somebody is not in a queue that he signed in to; hotdesk check says more");
                }
            }
        }
        Ok(())
    }

    /// All agents of ours, or why there can be none.
    async fn all_agents(&self) -> Result<Result<BTreeMap<Extension, Agent>, String>, SwitchError> {
        let lists = self.asked(&[callcenter::ask(None, &self.tenant), callcenter::ask_tiers()]).await?;
        let lists = match &lists {
            Ok(lists) => lists.as_slice(),
            Err(why) => return Ok(Err(why.clone())),
        };
        let [agents, tiers] = lists else { return Ok(Ok(BTreeMap::new())) };
        let mut agents = nowhere(callcenter::agents(value(agents), &self.tenant));
        for (user, queue) in callcenter::tiers(value(tiers), &self.tenant) {
            if let Some(agent) = agents.get_mut(&user) {
                agent.queues.insert(queue);
            }
        }
        Ok(Ok(agents))
    }

    /// Those of these users, as far as these queues go, or why there can be none.
    async fn agents(
        &self,
        users: &BTreeSet<Extension>,
        queues: &BTreeSet<GroupName>,
    ) -> Result<Result<BTreeMap<Extension, Agent>, String>, SwitchError> {
        let asked: Vec<String> = users.iter().map(|user| callcenter::ask(Some(user), &self.tenant)).collect();
        let lists = match self.asked(&asked).await? {
            Ok(lists) => lists,
            Err(why) => return Ok(Err(why)),
        };
        let listed = lists.iter().flat_map(|list| callcenter::agents(value(list), &self.tenant));
        let mut agents = nowhere(listed.collect());
        let pairs: Vec<(Extension, GroupName)> = agents
            .keys()
            .flat_map(|user| queues.iter().map(move |queue| (user.clone(), queue.clone())))
            .collect();
        let asked: Vec<String> =
            pairs.iter().map(|(user, queue)| callcenter::ask_tier(user, queue, &self.tenant)).collect();
        let answers = match self.asked(&asked).await? {
            Ok(answers) => answers,
            Err(why) => return Ok(Err(why)),
        };
        for ((user, queue), answer) in pairs.into_iter().zip(answers) {
            if let (Said::Error(refused), Some(agent)) = (answer.said(), agents.get_mut(&user))
                && callcenter::is_tier(refused)
            {
                agent.queues.insert(queue);
            }
        }
        Ok(Ok(agents))
    }

    /// What is answered to these, or why there is no answer: the module is not there, or we may not ask it.
    async fn asked(&self, commands: &[String]) -> Result<Result<Vec<Response>, String>, SwitchError> {
        let responses = match self.client.api_all(commands).await {
            Err(SwitchError::Refused(_, why)) => {
                return Ok(Err(format!("{why}; add {} to our user's esl-allowed-api", rights::QUEUES)));
            }
            responses => responses?,
        };
        let missing =
            |said: Said<'_>| matches!(said, Said::Error(why) if why.ends_with("Command not found!"));
        Ok(match responses.iter().any(|response| missing(response.said())) {
            true => Err("mod_callcenter is not loaded".into()),
            false => Ok(responses),
        })
    }

    /// Takes an event of a queue.
    pub(super) fn hear(&self, event: &Event) {
        if let Some(user) = callcenter::paused(event, &self.tenant) {
            for queue in self.of(Kind::Queue) {
                // That nobody hears it is no harm.
                let _ = self.pauses.send((queue.clone(), user.clone()));
            }
        }
    }

    /// Who took a break from a queue, or ended it.
    pub(super) fn pauses(&self) -> broadcast::Receiver<(GroupName, Extension)> {
        self.pauses.subscribe()
    }
}

/// Agents without a queue.
fn nowhere(agents: BTreeMap<Extension, bool>) -> BTreeMap<Extension, Agent> {
    agents.into_iter().map(|(user, available)| (user, Agent { available, queues: BTreeSet::new() })).collect()
}

fn value(list: &Response) -> &str {
    if let Said::Value(list) = list.said() { list } else { "" }
}

fn member(row: &Option<Row>) -> Option<Member> {
    if let Some(Row::Member(member)) = row { Some(*member) } else { None }
}

fn rings(group: &GroupName, user: Extension) -> (Key, Row) {
    (Key::Member(group.clone(), user), Row::Member(Member { kind: Kind::Ring, paused: false }))
}

/// The rows that these agents are, of whom others may be expected.
fn queued(agents: &BTreeMap<Extension, Agent>, expected: &Table) -> Vec<(Key, Row)> {
    let mut wanted: BTreeMap<&Extension, Memberships> = BTreeMap::new();
    for (key, row) in expected {
        if let (Key::Member(queue, user), Row::Member(Member { kind: Kind::Queue, paused })) = (key, row) {
            wanted.entry(user).or_default().insert(queue.clone(), *paused);
        }
    }
    let row = |user: &Extension, (queue, paused): (GroupName, bool)| {
        (Key::Member(queue, user.clone()), Row::Member(Member { kind: Kind::Queue, paused }))
    };
    let none = Memberships::new();
    let of = |(user, agent): (&Extension, &Agent)| -> Vec<(Key, Row)> {
        let members = agent.members(wanted.get(user).unwrap_or(&none));
        members.into_iter().map(|member| row(user, member)).collect()
    };
    agents.iter().flat_map(of).collect()
}

/// Of those that are expected.
fn of_kind(expected: &Table, kind: Kind) -> impl Iterator<Item = (Key, Row)> {
    let of_kind = move |row: &Row| matches!(row, Row::Member(member) if member.kind == kind);
    expected.iter().filter(move |(_, row)| of_kind(row)).map(|(key, row)| (key.clone(), row.clone()))
}

/// Who should pause in a group that rings all, and is not rung.
fn pausing(expected: &Table, seen: &Table) -> Vec<(Key, Row)> {
    let paused = |row: &Row| matches!(row, Row::Member(member) if member.paused);
    of_kind(expected, Kind::Ring).filter(|(key, row)| paused(row) && !seen.contains_key(key)).collect()
}
