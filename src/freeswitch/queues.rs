//! The members of a tenant's queues, read and changed as agents of `mod_callcenter`.
//!
//! A queue that is not there, or a FreeSWITCH without the module, keeps nobody from his desk: it is logged, and tried again
//! with each comparison of all. What is read then is what should be there.

use std::collections::{BTreeMap, BTreeSet};

use tokio::sync::broadcast;
use tracing::warn;

use super::callcenter::{self, Agent, Memberships};
use super::client::Client;
use super::esl::{Response, Said};
use super::event::Event;
use super::rights;
use crate::desk::group::Kind;
use crate::desk::id::{Extension, GroupName, TenantId};
use crate::desk::table::{Key, Member, Row, Table};
use crate::switch::SwitchError;

/// Breaks that wait for whoever keeps them.
const PAUSES: usize = 64;

/// The queues that are kept. Clones are the same.
#[derive(Clone)]
pub(super) struct Queues {
    client: Client,
    tenant: TenantId,
    names: BTreeSet<GroupName>,
    pauses: broadcast::Sender<(GroupName, Extension)>,
}

/// By user, what each should be: in which queue, and whether he pauses there; none: not in it.
pub(super) type Changes = BTreeMap<Extension, BTreeMap<GroupName, Option<bool>>>;

type Agents = BTreeMap<Extension, Agent>;

/// Why agents could not be asked for or changed.
enum Fault {
    Switch(SwitchError),
    /// There can be none: the module is not there, or we may not use it.
    None(String),
}

impl From<SwitchError> for Fault {
    fn from(error: SwitchError) -> Self {
        match error {
            SwitchError::Refused(_, why) => {
                Self::None(format!("{why}; our user's esl-allowed-api needs {}", rights::QUEUES))
            }
            error => Self::Switch(error),
        }
    }
}

impl Queues {
    pub(super) fn new(client: Client, tenant: TenantId, names: BTreeSet<GroupName>) -> Self {
        Self { client, tenant, names, pauses: broadcast::Sender::new(PAUSES) }
    }

    /// All members, of whom these are `expected`.
    pub(super) async fn read_all(&self, expected: &Table) -> Result<Table, SwitchError> {
        if self.names.is_empty() {
            return Ok(Table::new());
        }
        let agents = self.all().await;
        if let Err(Fault::None(why)) = &agents {
            warn!(event = "queue.refused", %why, "nobody is in a queue that he signs in to; hotdesk check says more");
        }
        rows(agents, expected)
    }

    /// Those of these users, of whom these are `expected`.
    pub(super) async fn read(
        &self,
        users: &BTreeSet<Extension>,
        expected: &Table,
    ) -> Result<Table, SwitchError> {
        if self.names.is_empty() {
            return Ok(Table::new());
        }
        rows(self.of(users, &self.names).await, expected)
    }

    /// Makes these true. An agent is one for all his queues: so what he is in others counts, too.
    pub(super) async fn change(&self, changes: &Changes) -> Result<(), SwitchError> {
        match self.try_to(changes).await {
            Ok(()) | Err(Fault::None(_)) => Ok(()),
            Err(Fault::Switch(error)) => Err(error),
        }
    }

    async fn try_to(&self, changes: &Changes) -> Result<(), Fault> {
        let users = changes.keys().cloned().collect();
        let queues = self.names.iter().chain(changes.values().flat_map(BTreeMap::keys)).cloned().collect();
        let seen = self.of(&users, &queues).await?;
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
            let mut refused = 0;
            for response in self.ask(&commands).await? {
                if let Said::Error(why) = response.said() {
                    refused += 1;
                    warn!(event = "queue.refused", %user, %why,
                        "somebody is not in a queue that he signed in to; hotdesk check says more");
                }
            }
            // Without any queue he would be left behind when he leaves.
            if is.is_some_and(|is| refused >= is.queues.len()) {
                self.ask(&callcenter::commands(user, was, None, &self.tenant)).await?;
            }
        }
        Ok(())
    }

    /// All agents of ours.
    async fn all(&self) -> Result<Agents, Fault> {
        let lists = self.ask(&[callcenter::ask(None, &self.tenant), callcenter::ask_tiers()]).await?;
        let [agents, tiers] = lists.as_slice() else { return Ok(Agents::new()) };
        let mut agents = nowhere(callcenter::agents(value(agents), &self.tenant));
        for (user, queue) in callcenter::tiers(value(tiers), &self.tenant) {
            if let Some(agent) = agents.get_mut(&user) {
                agent.queues.insert(queue);
            }
        }
        Ok(agents)
    }

    /// Those of these users, as far as these queues go.
    async fn of(&self, users: &BTreeSet<Extension>, queues: &BTreeSet<GroupName>) -> Result<Agents, Fault> {
        let asked: Vec<String> = users.iter().map(|user| callcenter::ask(Some(user), &self.tenant)).collect();
        let lists = self.ask(&asked).await?;
        let listed = lists.iter().flat_map(|list| callcenter::agents(value(list), &self.tenant));
        let mut agents = nowhere(listed.collect());
        let pairs: Vec<(Extension, GroupName)> =
            agents.keys().flat_map(|user| queues.iter().map(|queue| (user.clone(), queue.clone()))).collect();
        let asked: Vec<String> =
            pairs.iter().map(|(user, queue)| callcenter::ask_tier(user, queue, &self.tenant)).collect();
        for ((user, queue), answer) in pairs.into_iter().zip(self.ask(&asked).await?) {
            if let (Said::Error(refused), Some(agent)) = (answer.said(), agents.get_mut(&user))
                && callcenter::is_tier(refused)
            {
                agent.queues.insert(queue);
            }
        }
        Ok(agents)
    }

    /// What is answered to these.
    async fn ask(&self, commands: &[String]) -> Result<Vec<Response>, Fault> {
        let responses = self.client.api_all(commands).await?;
        let missing = |response: &Response| matches!(response.said(), Said::Error(why) if why.ends_with("Command not found!"));
        match responses.iter().any(missing) {
            true => Err(Fault::None("mod_callcenter is not loaded".into())),
            false => Ok(responses),
        }
    }

    /// Takes an event of a queue.
    pub(super) fn hear(&self, event: &Event) {
        if let Some(user) = callcenter::paused(event, &self.tenant) {
            for queue in &self.names {
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
fn nowhere(agents: BTreeMap<Extension, bool>) -> Agents {
    agents.into_iter().map(|(user, available)| (user, Agent { available, queues: BTreeSet::new() })).collect()
}

fn value(list: &Response) -> &str {
    if let Said::Value(list) = list.said() { list } else { "" }
}

/// The rows that these agents are; where there can be none, those that are expected.
fn rows(agents: Result<Agents, Fault>, expected: &Table) -> Result<Table, SwitchError> {
    let mut wanted: BTreeMap<&Extension, Memberships> = BTreeMap::new();
    for (key, row) in expected {
        if let (Key::Member(queue, user), Row::Member(Member { kind: Kind::Queue, paused })) = (key, row) {
            wanted.entry(user).or_default().insert(queue.clone(), *paused);
        }
    }
    let rows = |user: &Extension, members: Memberships| -> Vec<(Key, Row)> {
        let row = |(queue, paused)| {
            (Key::Member(queue, user.clone()), Row::Member(Member { kind: Kind::Queue, paused }))
        };
        members.into_iter().map(row).collect()
    };
    let none = Memberships::new();
    Ok(match agents {
        Ok(agents) => agents
            .iter()
            .flat_map(|(user, agent)| rows(user, agent.members(wanted.get(user).unwrap_or(&none))))
            .collect(),
        Err(Fault::None(_)) => wanted.into_iter().flat_map(|(user, members)| rows(user, members)).collect(),
        Err(Fault::Switch(error)) => return Err(error),
    })
}
