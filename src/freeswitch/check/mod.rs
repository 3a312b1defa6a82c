//! Checks a FreeSWITCH for `hotdesk check`, and says how to repair what is wrong (seen on 1.10.12). Only reads, and sends one
//! event like that of a parked call: each `hotdesk serve` that takes parked calls answers it.

mod binding;
mod codes;
mod context;
mod contexts;
mod directory;
mod emergency;
mod missing;
mod modules;
mod past_hotdesk;
mod queues;
mod route;
mod sounds;
mod users;

pub use binding::bound;
pub(super) use context::regex;

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};
use uuid::Uuid;

use super::calls::{parked, taker};
use super::dialplan::Settings;
use super::esl::client::{Client, Up};
use super::esl::codec::Said;
use super::esl::event::Event;
use super::esl::rights;
use super::table::mod_db::FreeSwitchSwitch;
use crate::controller::check;
use crate::controller::pepper::Peppers;
use crate::model::check::Finding;
use crate::model::directory::Snapshot;
use crate::model::directory::group::Groups;
use crate::model::id::{SwitchName, TenantId};
use crate::store::Store;
use crate::switch::SwitchError;
use crate::switch::connection::events::{Heard, Subscription};
use modules::Modules;

/// The events that the checks need, without those of queues.
pub const EVENTS: [&str; 1] = [rights::TAKEN];

/// Where to read more.
const LOG: &str = "freeswitch.log";
/// How long a `hotdesk serve` may take to answer that it takes calls.
const TAKEN: Duration = Duration::from_secs(1);
/// How long other controllers may take after the first answer.
const OTHERS: Duration = Duration::from_millis(100);

/// A switch to check, and the state that it should have.
pub struct Inspection<'a> {
    /// The switch.
    pub name: &'a SwitchName,
    /// The tenant whose users and devices it has.
    pub tenant: &'a TenantId,
    /// Its event socket, with [`EVENTS`].
    pub client: &'a Client,
    /// Its events; `None` if it connects to the controller for each call: then the check of the listener is enough.
    pub calls: Option<&'a mut Subscription<Event>>,
    /// Whether Hotdesk rings devices to ask their users to extend the session.
    pub rings: bool,
    /// The settings of its dialplan.
    pub dialplan: &'a Settings,
    /// Those with whose tokens calls are taken.
    pub peppers: Option<&'a Peppers>,
}

impl Inspection<'_> {
    /// All findings about the switch, whose table should be as `store` has it. A check that depends on a failed one is left out.
    pub async fn findings(&mut self, snapshot: &Snapshot, store: &dyn Store) -> Vec<Finding> {
        let up = match self.reached().await {
            Ok(up) => up,
            Err(finding) => {
                let table = check::not_readable(self.of("table"), &finding.found);
                return vec![*finding, table];
            }
        };
        let mut findings = vec![self.version(&up)];
        let asked = self.look(snapshot, store, &mut findings).await;
        check::with_what_failed(findings, asked, self.of("asking"), LOG)
    }

    /// The findings about emergency calls: the dialplan, and what a call from each phone would show.
    pub async fn emergency_calls(&self, snapshot: &Snapshot) -> Vec<Finding> {
        if let Err(finding) = self.reached().await {
            return vec![*finding];
        }
        let mut findings = vec![];
        let asked = async {
            findings.extend(self.for_help().await?);
            findings.extend(self.emergency_shown(snapshot).await?);
            Ok(())
        };
        let asked = asked.await;
        check::with_what_failed(findings, asked, self.of("asking"), LOG)
    }

    async fn look(
        &mut self,
        snapshot: &Snapshot,
        store: &dyn Store,
        findings: &mut Vec<Finding>,
    ) -> Result<(), SwitchError> {
        findings.extend(self.calls().await?);
        findings.extend(self.ringing().await?);
        let modules = Modules::loaded(self.client).await?;
        findings.push(modules.finding(self.of("modules"), snapshot, &self.groups()));
        if modules.have_queues() {
            findings.extend(self.queues().await?);
        }
        findings.extend(self.contexts(snapshot).await?);
        findings.extend(self.phones(snapshot).await?);
        findings.extend(self.past_hotdesk(snapshot, None).await?);
        findings.extend(self.users(snapshot).await?);
        findings.extend(self.missing(snapshot).await?);
        let shown = self.emergency_shown(snapshot).await;
        findings.extend(check::or_unknown(shown, self.of("emergency calls"))?);
        findings.push(self.sounds(snapshot).await?);
        let (check, routes) = (self.of("table"), &self.dialplan.routes);
        findings.extend(check::table(check, store, self.tenant, self.name, routes, &self.rows()).await);
        Ok(())
    }

    async fn reached(&self) -> Result<Up, Box<Finding>> {
        let remedies = [
            "is it starting? Check again in a minute",
            "correct esl and esl_password_file here, or event_socket.conf.xml there and `reload mod_event_socket`",
            "start FreeSWITCH, or correct esl here; its modules.conf.xml must load mod_event_socket",
        ];
        check::reached(self.of("login"), "FreeSWITCH", self.client.state(), remedies).await
    }

    fn version(&self, up: &Up) -> Finding {
        let found = format!("FreeSWITCH {}", up.freeswitch);
        if tried(&up.freeswitch) {
            return Finding::fine(self.of("login"), found);
        }
        Finding::remark(
            self.of("login"),
            found,
            "Hotdesk was made for 1.10 and 1.11: test a login, a call and a BLF before users rely on it",
        )
    }

    /// Checks the right to ring phones, if the site wants that, with a command without arguments. If Hotdesk's user has the right,
    /// FreeSWITCH answers with the usage.
    async fn ringing(&self) -> Result<Option<Finding>, SwitchError> {
        if !self.rings {
            return Ok(None);
        }
        let check = self.of("rights");
        Ok(Some(match self.client.api(rights::RING).await {
            Err(SwitchError::Refused(_, why)) if why.contains("permission denied") => Finding::wrong(
                check,
                format!(
                    "Hotdesk's user may not {}: no device rings to ask its user to extend the session",
                    rights::RING
                ),
                "add `originate` to esl-allowed-api of Hotdesk's user in the directory, `reloadxml`, and restart hotdesk; or set \
                 `extend_call = false` in [auto_logout]",
            ),
            Ok(_) | Err(SwitchError::Refused(..)) => {
                Finding::fine(check, "Hotdesk's user may ring phones, to ask users to extend the session")
            }
            Err(error) => return Err(error),
        }))
    }

    /// Checks that a controller takes the calls that dialled a code: it answers a `CHANNEL_PARK` without a call.
    async fn calls(&mut self) -> Result<Option<Finding>, SwitchError> {
        let check = self.of("calls");
        let Some(answers) = &mut self.calls else { return Ok(None) };
        let question = Uuid::new_v4().to_string();
        let parked = [
            ("Caller-Context", taker::CONTEXTS[0]),
            ("Unique-ID", &question),
            ("variable_domain_name", self.tenant.as_str()),
            (parked::CHECK, &question),
        ];
        self.client.send_event("CHANNEL_PARK", &parked).await?;
        let (mut takers, mut until) = (BTreeSet::new(), Instant::now() + TAKEN);
        while let Ok(Some(heard)) = timeout_at(until, answers.next()).await {
            if let Heard::Event(answer) = heard
                && answer.get(parked::CHECK).is_some_and(|answered| answered == question)
            {
                takers.insert(answer.get(parked::TAKER).unwrap_or_default().into_owned());
                until = until.min(Instant::now() + OTHERS);
            }
        }
        let takers = takers.into_iter().collect::<Vec<_>>().join(", ");
        Ok(Some(if takers.is_empty() {
            Finding::wrong(
                check,
                "no controller takes them: a caller who dials a code hears \"not available\"",
                "start `hotdesk serve`; if it runs, see its log",
            )
        } else {
            Finding::fine(check, format!("taken by {takers}"))
        }))
    }

    /// The answers to these commands, in order; `None` if there is no value.
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

    /// The switch table.
    fn rows(&self) -> FreeSwitchSwitch {
        FreeSwitchSwitch::new(self.client.clone(), self.tenant.clone()).with(&self.groups())
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

/// Whether Hotdesk was made for this version: `1.10.12-release-64bit`.
fn tried(version: &str) -> bool {
    ["1.10.", "1.11."].iter().any(|known| version.starts_with(known))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_versions_are_recognized() {
        assert!(["1.10.12-release-64bit", "1.11.2-dev+git~2026"].into_iter().all(tried));
        assert!(!["1.8.7", "1.12.0-release", "1.1.0", "", "unknown"].into_iter().any(tried));
    }
}
