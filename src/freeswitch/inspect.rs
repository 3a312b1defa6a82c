//! Whether all is well with a FreeSWITCH, and what to do if not: what `hotdesk check` says of a switch. Looks only, but
//! for one event like that of a parked call, which each `hotdesk serve` that takes those answers; seen on 1.10.12.

mod codes;
mod contexts;
mod directory;
mod modules;
mod queues;
mod sounds;

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{Instant, timeout, timeout_at};

use super::calls;
use super::client::{Client, State, Up, fresh_id};
use super::dialplan::Settings;
use super::esl::Said;
use super::event::Event;
use super::moddb::ModDb;
use super::rights;
use crate::controller::{emergency, inspect};
use crate::desk::finding::Finding;
use crate::desk::group::Groups;
use crate::desk::id::{SwitchName, TenantId};
use crate::desk::model::Office;
use crate::store::Store;
use crate::switch::SwitchError;
use modules::Modules;

/// The events that are needed to look, but for those of queues, where these are looked at.
pub const EVENTS: [&str; 1] = [rights::TAKEN];

/// How long a FreeSWITCH may take to let us in. It answers a wrong password at once.
const PATIENCE: Duration = Duration::from_secs(5);
/// Where it tells more.
const LOG: &str = "freeswitch.log";
/// How long a `hotdesk serve` may take to say that it takes calls.
const TAKEN: Duration = Duration::from_secs(1);
/// How long others may take to say so after the first.
const OTHERS: Duration = Duration::from_millis(100);

/// The switch that is looked at, and what it should be like.
pub struct Inspection<'a> {
    /// The switch.
    pub name: &'a SwitchName,
    /// Whose people and phones it has.
    pub tenant: &'a TenantId,
    /// Its event socket, with [`EVENTS`].
    pub client: &'a Client,
    /// Its events; `None`, where it brings the calls itself, and whether somebody takes them is seen elsewhere.
    pub calls: Option<&'a mut mpsc::Receiver<Event>>,
    /// Whether it has phones called to ask who stays.
    pub rings: bool,
    /// What its dialplan should be printed from.
    pub dialplan: &'a Settings,
    /// The truth.
    pub store: &'a dyn Store,
}

impl Inspection<'_> {
    /// Everything there is to say of the switch. Where one thing rests on another that is wrong, only that is said.
    pub async fn findings(&mut self, office: &Office) -> Vec<Finding> {
        let up = match self.reached().await {
            Ok(up) => up,
            Err(finding) => return vec![*finding],
        };
        let mut findings = vec![self.version(&up)];
        let asked = self.look(office, &mut findings).await;
        inspect::with_what_failed(findings, asked, self.of("asking"), LOG)
    }

    /// What can be said of emergency calls alone: the dialplan, and what one from each phone would show.
    pub async fn emergency_calls(&self, office: &Office) -> Vec<Finding> {
        if let Err(finding) = self.reached().await {
            return vec![*finding];
        }
        let mut findings = vec![];
        let asked = async {
            findings.extend(self.for_help().await?);
            let (known, reach) = (&self.dialplan.emergency_numbers, &self.dialplan.reach);
            findings.extend(emergency::calls(&self.rows(), office, self.name, reach, known).await?);
            Ok(())
        };
        let asked = asked.await;
        inspect::with_what_failed(findings, asked, self.of("asking"), LOG)
    }

    async fn look(&mut self, office: &Office, findings: &mut Vec<Finding>) -> Result<(), SwitchError> {
        findings.extend(self.calls().await?);
        findings.extend(self.ringing().await?);
        let modules = Modules::loaded(self.client).await?;
        findings.push(modules.finding(self.of("modules"), office, &self.groups()));
        if modules.have_queues() {
            findings.extend(self.queues().await?);
        }
        findings.extend(self.contexts(office).await?);
        findings.push(self.hidden(office).await?);
        findings.extend(self.phones(office).await?);
        findings.push(self.sounds(office).await?);
        if modules.keep_rows() {
            let (check, reach) = (self.of("table"), &self.dialplan.reach);
            findings
                .push(inspect::table(check, self.store, self.tenant, self.name, reach, &self.rows()).await?);
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

    /// Whether our user may have phones rung, where that is wanted: asked by a command that lacks all it needs. Where he
    /// may, FreeSWITCH says how it is used.
    async fn ringing(&self) -> Result<Option<Finding>, SwitchError> {
        if !self.rings {
            return Ok(None);
        }
        let check = self.of("rights");
        Ok(Some(match self.client.api(rights::RING).await {
            Err(SwitchError::Refused(_, why)) if why.contains("permission denied") => Finding::wrong(
                check,
                format!("our user may not {}: nobody is called to ask whether he stays", rights::RING),
                "add `originate` to his esl-allowed-api in the directory, `reloadxml`, and restart hotdesk; or take \
                 `stay_call` out of [leave]",
            ),
            Ok(_) | Err(SwitchError::Refused(..)) => {
                Finding::fine(check, "has phones ring, to ask who stays")
            }
            Err(error) => return Err(error),
        }))
    }

    /// Whether somebody takes the calls that dialled a code: who does, answers a `CHANNEL_PARK` that is none.
    async fn calls(&mut self) -> Result<Option<Finding>, SwitchError> {
        let check = self.of("calls");
        let Some(answers) = &mut self.calls else { return Ok(None) };
        let question = fresh_id();
        let parked = [
            ("Caller-Context", calls::CONTEXTS[0]),
            ("Unique-ID", &question),
            ("variable_domain_name", self.tenant.as_str()),
            (calls::CHECK, &question),
        ];
        self.client.tell("CHANNEL_PARK", &parked).await?;
        let (mut takers, mut until) = (BTreeSet::new(), Instant::now() + TAKEN);
        while let Ok(Some(answer)) = timeout_at(until, answers.recv()).await {
            if answer.get(calls::CHECK).is_some_and(|answered| answered == question) {
                takers.insert(answer.get(calls::TAKER).unwrap_or_default().into_owned());
                until = until.min(Instant::now() + OTHERS);
            }
        }
        let takers = takers.into_iter().collect::<Vec<_>>().join(", ");
        Ok(Some(if takers.is_empty() {
            Finding::wrong(
                check,
                "nobody takes them: who dials a code hears \"not available\"",
                "start `hotdesk serve`; if it runs, see its log",
            )
        } else {
            Finding::fine(check, format!("taken by {takers}"))
        }))
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

    /// The switch's copy of the table.
    fn rows(&self) -> ModDb {
        ModDb::new(self.client.clone(), self.tenant.clone()).with(&self.groups())
    }

    /// The tenant's groups.
    fn groups(&self) -> Groups {
        self.dialplan.groups.get(self.tenant).cloned().unwrap_or_default()
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
