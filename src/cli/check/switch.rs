//! Checks a switch for `hotdesk check`.

use std::path::Path;

use anyhow::Result;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use crate::asterisk::{self, ami::client::Manager};
use crate::cli::context::CommandContext;
use crate::cli::dialplan::printed;
use crate::cli::serve;
use crate::config::{HostPort, Kind, Switch};
use crate::controller::listening::{self, Listening};
use crate::controller::pepper::Peppers;
use crate::freeswitch::{self, esl::client::Client};
use crate::model::check::Finding;
use crate::model::directory::Snapshot;
use crate::model::login::token::Token;

/// What is checked of each switch.
pub(super) struct Look<'a> {
    pub(super) site: &'a CommandContext,
    pub(super) snapshot: &'a Snapshot,
    /// Only its emergency calls.
    pub(super) emergency: bool,
    /// By which a dialplan and a controller of this installation are known; none if they cannot be read.
    pub(super) peppers: Option<&'a Peppers>,
}

impl Look<'_> {
    /// Checks the secret, the listener for calls, and all that the switch answers.
    pub(super) async fn at(&self, switch: &Switch) -> Vec<Finding> {
        match switch.kind {
            Kind::Asterisk => self.at_asterisk(switch).await,
            Kind::FreeSwitch => self.at_freeswitch(switch).await,
        }
    }

    async fn at_asterisk(&self, switch: &Switch) -> Vec<Finding> {
        let Self { site, snapshot, emergency, peppers } = *self;
        let mut findings = if emergency { vec![] } else { vec![self.calls(switch).await] };
        findings.extend(port_of_freepbx(switch).filter(|_| !emergency));
        let settings = serve::asterisk::manager(switch);
        let whose = "the secret of ami_user in manager.conf";
        let (finding, settings) = secret(switch, settings, &switch.ami_secret_file, whose);
        findings.push(finding);
        let Some(settings) = settings else { return findings };
        let (manager, connection) = Manager::new(settings, CancellationToken::new());
        let _connection = AbortOnDropHandle::new(tokio::spawn(connection));
        let inspection = asterisk::check::Inspection {
            name: &switch.name,
            tenant: &site.tenant,
            tenants: &switch.tenants,
            manager: &manager,
            rings: rings(site, switch),
            dialplan: &printed::settings(&site.config, switch, &site.tenant, &self.token()),
            peppers,
        };
        findings.extend(match emergency {
            true => inspection.emergency_calls(snapshot).await,
            false => inspection.findings(snapshot, site.store.as_ref()).await,
        });
        findings
    }

    async fn at_freeswitch(&self, switch: &Switch) -> Vec<Finding> {
        let Self { site, snapshot, emergency, peppers } = *self;
        let mut findings = vec![];
        for address in switch.outbound_controllers() {
            findings.push(self.brought(switch, &address).await);
        }
        let settings = serve::freeswitch::settings(switch);
        let whose = match &switch.esl_user {
            Some(user) => format!("the esl-password of {user} in FreeSWITCH's directory"),
            None => "the password in autoload_configs/event_socket.conf.xml".into(),
        };
        let (finding, settings) = secret(switch, settings, &switch.esl_password_file, &whose);
        findings.push(finding);
        let Some(settings) = settings else { return findings };
        // Our user needs the right to every event that is subscribed to.
        let queues =
            serve::freeswitch::has_queues(&site.config, switch).then_some(freeswitch::events::QUEUED);
        let events = freeswitch::check::EVENTS.into_iter().chain(queues.into_iter().flatten()).collect();
        let settings = freeswitch::esl::client::Settings { events, ..settings };
        let (client, connection) = Client::new(settings, CancellationToken::new());
        let mut events = client.subscribe();
        let _connection = AbortOnDropHandle::new(tokio::spawn(connection));
        let mut inspection = freeswitch::check::Inspection {
            name: &switch.name,
            tenant: &site.tenant,
            client: &client,
            calls: switch.outbound_listen.is_none().then_some(&mut events),
            rings: rings(site, switch),
            dialplan: &printed::freeswitch_settings(&site.config, switch, &self.token()),
            peppers,
        };
        findings.extend(match emergency {
            true => inspection.emergency_calls(snapshot).await,
            false => inspection.findings(snapshot, site.store.as_ref()).await,
        });
        findings
    }

    /// The token that the dialplan must have.
    fn token(&self) -> Token {
        self.peppers.map_or_else(Token::sample, |peppers| Token::of(&peppers.current))
    }

    /// Checks that a controller of this installation listens for the calls of the switch.
    async fn calls(&self, switch: &Switch) -> Finding {
        let (check, address) = (format!("calls of switch {}", switch.name), switch.agi_listen);
        let allow = serve::open::allowed_by(switch).await;
        let question = asterisk::agi::caller::question;
        let mut found = listening::at(address, question, self.peppers, &allow).await;
        if matches!(found, Listening::Unknown(_)) {
            // The switch may see another address of this machine, from which Hotdesk may be asked.
            let advertised = switch.agi_advertise();
            let other = (advertised.host(), advertised.port());
            if let ours @ Listening::Ours = listening::at(other, question, self.peppers, &allow).await {
                found = ours;
            }
        }
        match found {
            Listening::NoProgram(why) => Finding::wrong(
                check,
                format!(
                    "no controller takes them at {address} ({why}): a caller who dials a code hears \"not available\""
                ),
                "start `hotdesk serve`; if it runs, it has another agi_listen",
            ),
            other => heard(other, check, &format!("{address} (agi_listen)"), "taken"),
        }
    }

    /// Checks that a controller of a FreeSWITCH's dialplan answers. The switch may see another network than this machine.
    async fn brought(&self, switch: &Switch, address: &HostPort) -> Finding {
        let check = format!("controller {address} of switch {}", switch.name);
        let allow = serve::open::allowed_by(switch).await;
        let at = (address.host(), address.port());
        match listening::at(at, freeswitch::calls::outbound::question, self.peppers, &allow).await {
            Listening::NoProgram(why) => Finding::wrong(
                check,
                format!("does not take calls ({why}): the dialplan goes on to the next, if there is one"),
                "start `hotdesk serve` there; if it runs, compare outbound_controllers with its outbound_listen",
            ),
            other => heard(other, check, &address.to_string(), "takes calls"),
        }
    }
}

/// Whichever program is the first to listen there, the other one fails.
fn port_of_freepbx(switch: &Switch) -> Option<Finding> {
    switch.has_port_of_freepbx().then(|| {
        Finding::wrong(
            format!("agi_listen of switch {}", switch.name),
            format!(
                "{} is the address of FreePBX's own FastAGI server: if Hotdesk listens there, ring groups, parking and \
                 other scripts of FreePBX fail",
                switch.agi_listen
            ),
            "set agi_listen = \"127.0.0.1:4574\" in that [[switch]], print the dialplan again and restart hotdesk serve",
        )
    })
}

/// What was found of a program that listens at an address.
fn heard(listening: Listening, check: String, address: &str, fine: &str) -> Finding {
    match listening {
        Listening::Ours => Finding::fine(check, format!("{fine} at {address}")),
        Listening::OtherHotdesk => Finding::wrong(
            check,
            format!(
                "the Hotdesk that answers at {address} has another pepper: it refuses the calls of this dialplan"
            ),
            "compare its pepper_file with the one here; after `hotdesk pepper rotate`, reload it (hotdesk reload)",
        ),
        Listening::Program(said) => Finding::wrong(
            check,
            match said.is_empty() {
                true => format!("what listens at {address} is not Hotdesk: it closed the connection"),
                false => format!("what listens at {address} is not Hotdesk: it answered {said:?}"),
            },
            "stop that program, or give Hotdesk another port and install the dialplan again",
        ),
        Listening::Unknown(why) | Listening::NoProgram(why) => Finding::unknown(
            check,
            format!("cannot tell whether Hotdesk listens at {address}: {why}"),
            "check on the machine of that controller, or see the log of `hotdesk serve` there",
        ),
    }
}

/// Whether Hotdesk rings devices of the switch to ask users to extend the session, for any tenant: all tenants share one
/// user of the switch.
fn rings(site: &CommandContext, switch: &Switch) -> bool {
    switch.tenants.iter().any(|tenant| site.config.of(tenant).auto_logout().extend_call)
}

/// Whether the secret could be read from `file`, and then the login settings.
fn secret<S>(switch: &Switch, settings: Result<S>, file: &Path, whose: &str) -> (Finding, Option<S>) {
    let check = format!("secret of switch {}", switch.name);
    match settings {
        Ok(settings) => (
            Finding::fine(check, format!("only the account of hotdesk can read {}", file.display())),
            Some(settings),
        ),
        Err(error) => {
            let remedy =
                format!("the file must hold {whose}; without it Hotdesk cannot log in to the switch");
            (Finding::wrong(check, error.to_string(), remedy), None)
        }
    }
}
