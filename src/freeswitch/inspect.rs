//! Whether all is well with a FreeSWITCH, and what to do if not: what `hotdesk check` says of a switch. Looks only, but
//! for one event like that of a parked call, by which it sees whether a `hotdesk serve` takes those; seen on 1.10.12.

mod codes;
mod contexts;
mod directory;
mod modules;
mod sounds;

use std::time::Duration;

use tokio::time::{sleep, timeout};

use super::calls;
use super::client::{Client, State, Up, fresh_id};
use super::dialplan::Settings;
use super::esl::Said;
use super::moddb::ModDb;
use crate::controller::inspect;
use crate::desk::finding::Finding;
use crate::desk::id::{SwitchName, TenantId};
use crate::desk::model::Office;
use crate::store::Store;
use crate::switch::SwitchError;
use modules::Modules;

/// How long a FreeSWITCH may take to let us in. It answers a wrong password at once.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long a `hotdesk serve` may take to take a call: once as it should, and once more.
const TAKEN: [Duration; 2] = [Duration::from_millis(150), Duration::from_secs(1)];

/// The switch that is looked at, and what it should be like.
pub struct Inspection<'a> {
    /// The switch.
    pub name: &'a SwitchName,
    /// Whose people and phones it has.
    pub tenant: &'a TenantId,
    /// Its event socket.
    pub client: &'a Client,
    /// What its dialplan should be printed from.
    pub dialplan: &'a Settings,
    /// The truth.
    pub store: &'a dyn Store,
}

impl Inspection<'_> {
    /// Everything there is to say of the switch. Where one thing rests on another that is wrong, only that is said.
    pub async fn findings(&self, office: &Office) -> Vec<Finding> {
        let up = match self.reached().await {
            Ok(up) => up,
            Err(finding) => return vec![*finding],
        };
        let mut findings = vec![self.version(&up)];
        if let Err(error) = self.look(office, &mut findings).await {
            findings.push(Finding::wrong(
                self.of("asking"),
                error.to_string(),
                "look into freeswitch.log, and check again",
            ));
        }
        findings
    }

    async fn look(&self, office: &Office, findings: &mut Vec<Finding>) -> Result<(), SwitchError> {
        findings.push(self.calls().await?);
        let modules = Modules::loaded(self.client).await?;
        findings.push(modules.finding(self.of("modules"), office));
        findings.extend(self.contexts(office).await?);
        findings.push(self.hidden(office).await?);
        findings.extend(self.phones(office).await?);
        findings.push(self.sounds(office).await?);
        if modules.keep_rows() {
            let switch = ModDb::new(self.client.clone(), self.tenant.clone());
            let table = inspect::table(
                self.of("table"),
                self.store,
                self.tenant,
                self.name,
                &self.dialplan.reach,
                &switch,
            );
            findings.push(table.await?);
        }
        Ok(())
    }

    async fn reached(&self) -> Result<Up, Box<Finding>> {
        let mut states = self.client.state();
        // The first thing that it becomes after "connecting".
        let changed = timeout(PATIENCE, states.changed()).await;
        let wrong = |found: &str, remedy: &str| Box::new(Finding::wrong(self.of("login"), found, remedy));
        if changed.is_err() {
            let found = format!("FreeSWITCH did not let us in within {} s", PATIENCE.as_secs());
            return Err(wrong(&found, "is it starting? Check again in a minute"));
        }
        match &*states.borrow() {
            State::Up(up) => Ok(up.clone()),
            State::Refused(why) => Err(wrong(
                why,
                "correct esl and esl_password_file here, or event_socket.conf.xml there and `reload mod_event_socket`",
            )),
            State::Down(why) => Err(wrong(
                why,
                "start FreeSWITCH, or correct esl here; its modules.conf.xml must load mod_event_socket",
            )),
        }
    }

    fn version(&self, up: &Up) -> Finding {
        let found = format!("FreeSWITCH {}", up.freeswitch);
        if tried(&up.freeswitch) {
            return Finding::fine(self.of("login"), found);
        }
        Finding::remark(
            self.of("login"),
            found,
            "Hotdesk was made for 1.10 and 1.11: try out a login, a call and a lamp before people rely on it",
        )
    }

    /// Whether somebody takes the calls that dialled a code. Who does, deletes the time-out that the call names; so a
    /// time-out of ours is named, by a call that is none.
    async fn calls(&self) -> Result<Finding, SwitchError> {
        let check = self.of("calls");
        for patience in TAKEN {
            let begun = self.client.api("sched_api +60 none version").await?.unwrap_or_default();
            let Some(timeout) = begun.strip_prefix("+OK Added: ") else {
                return Err(SwitchError::Refused("sched_api".into(), begun));
            };
            let parked = [
                ("Caller-Context", calls::CONTEXTS[0]),
                ("Unique-ID", &fresh_id()),
                ("variable_domain_name", self.tenant.as_str()),
                ("variable_last_sched_id", timeout),
                ("variable_sip_auth_username", "hotdesk-check"),
            ];
            self.client.tell("CHANNEL_PARK", &parked).await?;
            sleep(patience).await;
            let left = self.client.api(&format!("sched_del {timeout}")).await?;
            if left.as_deref() != Some("+OK Deleted: 1") {
                return Ok(Finding::fine(check, "taken by a `hotdesk serve`"));
            }
        }
        Ok(Finding::wrong(
            check,
            "nobody takes them: who dials a code hears \"not available\"",
            "start `hotdesk serve`; if it runs, see its log",
        ))
    }

    /// What each of these commands answers, in their order; `None` where there is nothing.
    async fn ask(
        &self,
        commands: impl IntoIterator<Item = String>,
    ) -> Result<Vec<Option<String>>, SwitchError> {
        let commands: Vec<String> = commands.into_iter().collect();
        let responses = self.client.api_all(&commands).await?;
        Ok(responses
            .iter()
            .map(|response| match response.said() {
                Said::Value(value) => Some(value.to_owned()),
                Said::Nothing | Said::Error(_) => None,
            })
            .collect())
    }

    /// The name of a check of this switch.
    fn of(&self, check: &str) -> String {
        format!("{check} of switch {}", self.name)
    }
}

/// Whether we know this version: `1.10.12-release-64bit`.
fn tried(version: &str) -> bool {
    ["1.10.", "1.11."].iter().any(|known| version.starts_with(known))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_that_were_not_tried_are_told_from_those_that_were() {
        assert!(["1.10.12-release-64bit", "1.11.2-dev+git~2026"].into_iter().all(tried));
        assert!(!["1.8.7", "1.12.0-release", "1.1.0", "", "unknown"].into_iter().any(tried));
    }
}
