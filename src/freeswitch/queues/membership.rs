//! The members of a tenant's queues, read and changed as agents of `mod_callcenter`.
//!
//! A queue that is missing, or a FreeSWITCH without the module, keeps no user from logging in: it is logged, and tried again
//! with each comparison of the whole table.

use std::collections::{BTreeMap, BTreeSet};

use tokio::sync::broadcast;
use tracing::warn;

use super::mod_callcenter;
use crate::freeswitch::esl::client::Client;
use crate::freeswitch::esl::codec::{Response, Said};
use crate::freeswitch::esl::event::Event;
use crate::freeswitch::esl::rights;
use crate::model::desired::{Edit, Key, Records, Subjects};
use crate::model::id::{Extension, GroupName, TenantId};
use crate::switch::SwitchError;

/// Breaks that wait for the reconciler.
const PAUSES: usize = 64;

/// The queues that are kept. Clones are the same.
#[derive(Clone)]
pub(crate) struct Queues {
    client: Client,
    tenant: TenantId,
    names: BTreeSet<GroupName>,
    pauses: broadcast::Sender<(GroupName, Extension)>,
}

impl Queues {
    pub(crate) fn new(client: Client, tenant: TenantId, names: BTreeSet<GroupName>) -> Self {
        Self { client, tenant, names, pauses: broadcast::Sender::new(PAUSES) }
    }

    /// Our agents and their tiers: all of them, or those of these users. Refused when there can be none: the module is not
    /// loaded, or Hotdesk's user may not use it.
    pub(crate) async fn read(&self, subjects: &Subjects) -> Result<Records, SwitchError> {
        if self.names.is_empty() {
            return Ok(Records::new());
        }
        if subjects.others { self.all().await } else { self.of(&subjects.users).await }
    }

    pub(crate) async fn change(&self, edits: &[&Edit]) -> Result<(), SwitchError> {
        for (user, change) in mod_callcenter::changes(edits) {
            let commands = mod_callcenter::commands(&user, &change, &self.tenant);
            let mut refused = 0;
            for response in self.client.api_all(&commands).await? {
                if let Said::Error(why) = response.said() {
                    refused += 1;
                    warn!(event = "queue.refused", %user, %why,
                        "FreeSWITCH refused a member of a queue; run hotdesk check");
                }
            }
            // An agent without any queue would be left behind when the user signs out.
            let is_new = matches!(change.status, Some((None, Some(_))));
            if is_new && refused >= change.joins.len() {
                self.client.api_all(&[mod_callcenter::remove(&user, &self.tenant)]).await?;
            }
        }
        Ok(())
    }

    async fn all(&self) -> Result<Records, SwitchError> {
        let lists = self.ask(&mod_callcenter::ask_all()).await?;
        let [agents, tiers] = lists.as_slice() else { return Ok(Records::new()) };
        let agents = mod_callcenter::agents(agents.value().unwrap_or_default(), &self.tenant);
        let tiers = mod_callcenter::tiers(tiers.value().unwrap_or_default(), &self.tenant).into_iter();
        let tiers = tiers.filter(|(user, _)| agents.contains_key(user));
        let tiers = tiers.map(|(user, queue)| mod_callcenter::tier_record(&user, &queue, &self.tenant));
        Ok(tiers.chain(self.records(&agents)).collect())
    }

    async fn of(&self, users: &BTreeSet<Extension>) -> Result<Records, SwitchError> {
        let asked: Vec<_> = users.iter().map(|user| mod_callcenter::ask_agent(user, &self.tenant)).collect();
        let lists = self.ask(&asked).await?;
        let listed = lists
            .iter()
            .flat_map(|list| mod_callcenter::agents(list.value().unwrap_or_default(), &self.tenant));
        let agents: BTreeMap<Extension, String> = listed.collect();
        let pairs: Vec<(&Extension, &GroupName)> =
            agents.keys().flat_map(|user| self.names.iter().map(move |queue| (user, queue))).collect();
        let asked: Vec<String> =
            pairs.iter().map(|(user, queue)| mod_callcenter::ask_tier(user, queue, &self.tenant)).collect();
        let mut records: Records = self.records(&agents).collect();
        for ((user, queue), answer) in pairs.into_iter().zip(self.ask(&asked).await?) {
            if answer.said() == Said::Error(mod_callcenter::IS_TIER) {
                records.extend([mod_callcenter::tier_record(user, queue, &self.tenant)]);
            }
        }
        Ok(records)
    }

    fn records(&self, agents: &BTreeMap<Extension, String>) -> impl Iterator<Item = (Key, String)> {
        agents.iter().map(|(user, status)| mod_callcenter::agent_record(user, status, &self.tenant))
    }

    async fn ask(&self, commands: &[String]) -> Result<Vec<Response>, SwitchError> {
        let responses = self.client.api_all(commands).await.map_err(|error| match error {
            SwitchError::Refused(what, why) => {
                let needs = rights::QUEUES;
                SwitchError::Refused(what, format!("{why}; Hotdesk's user's esl-allowed-api needs {needs}"))
            }
            error => error,
        })?;
        for response in &responses {
            if let Said::Error(why) = response.said()
                && why.ends_with("Command not found!")
            {
                return Err(SwitchError::Refused(mod_callcenter::API.into(), why.to_owned()));
            }
        }
        Ok(responses)
    }

    pub(crate) fn hear(&self, event: &Event) {
        if let Some(user) = mod_callcenter::paused(event, &self.tenant) {
            for queue in &self.names {
                // Without a receiver there is no reconciler to tell.
                let _ = self.pauses.send((queue.clone(), user.clone()));
            }
        }
    }

    /// The users who took a break from a queue, or ended it.
    pub(crate) fn pauses(&self) -> broadcast::Receiver<(GroupName, Extension)> {
        self.pauses.subscribe()
    }
}
