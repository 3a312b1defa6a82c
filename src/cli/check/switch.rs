//! What `hotdesk check` says of a switch.

use std::path::Path;
use std::time::Duration;

use tokio::net::{TcpStream, ToSocketAddrs};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::asterisk::{self, manager::Manager};
use crate::cli::site::Site;
use crate::cli::{dialplan, serve};
use crate::config::{HostPort, Kind, Switch};
use crate::desk::finding::Finding;
use crate::desk::model::Office;
use crate::freeswitch::{self, client::Client};

/// How long a `hotdesk serve` may take to take a call.
const PATIENCE: Duration = Duration::from_secs(1);

/// Its secret, its calls' way to us, and all that can be asked of it; of emergency calls only, if nothing else is wanted.
pub(super) async fn look(site: &Site, office: &Office, switch: &Switch, emergency: bool) -> Vec<Finding> {
    match switch.kind {
        Kind::Asterisk => look_at_asterisk(site, office, switch, emergency).await,
        Kind::FreeSwitch => look_at_freeswitch(site, office, switch, emergency).await,
    }
}

async fn look_at_asterisk(site: &Site, office: &Office, switch: &Switch, emergency: bool) -> Vec<Finding> {
    let mut findings = if emergency { vec![] } else { vec![calls(switch).await] };
    let settings = serve::asterisk::manager(switch);
    let whose = "the secret of ami_user in manager.conf";
    let Some(settings) = secret(switch, settings, &switch.ami_secret_file, whose, &mut findings) else {
        return findings;
    };
    let stop = CancellationToken::new();
    let _until_the_end = stop.clone().drop_guard();
    let inspection = asterisk::inspect::Inspection {
        name: &switch.name,
        tenant: &site.tenant,
        manager: &Manager::start(settings, stop),
        rings: rings(site, switch),
        dialplan: &dialplan::settings(&site.config, switch, &site.tenant),
        store: site.store.as_ref(),
    };
    findings.extend(match emergency {
        true => inspection.emergency_calls(office).await,
        false => inspection.findings(office).await,
    });
    findings
}

async fn look_at_freeswitch(site: &Site, office: &Office, switch: &Switch, emergency: bool) -> Vec<Finding> {
    let mut findings = vec![];
    for address in switch.outbound_controllers() {
        findings.push(brought(switch, &address).await);
    }
    let settings = serve::freeswitch::settings(switch);
    let whose = match &switch.esl_user {
        Some(user) => format!("the esl-password of {user} in FreeSWITCH's directory"),
        None => "the password in autoload_configs/event_socket.conf.xml".into(),
    };
    let Some(settings) = secret(switch, settings, &switch.esl_password_file, &whose, &mut findings) else {
        return findings;
    };
    let stop = CancellationToken::new();
    let _until_the_end = stop.clone().drop_guard();
    // What is asked for is what our user must have the right to.
    let queues = serve::freeswitch::has_queues(&site.config, switch).then_some(freeswitch::signs::QUEUED);
    let events = freeswitch::inspect::EVENTS.into_iter().chain(queues.into_iter().flatten()).collect();
    let settings = freeswitch::client::Settings { events, ..settings };
    let (client, mut events) = Client::start(settings, stop);
    let mut inspection = freeswitch::inspect::Inspection {
        name: &switch.name,
        tenant: &site.tenant,
        client: &client,
        calls: switch.outbound_listen.is_none().then_some(&mut events),
        rings: rings(site, switch),
        dialplan: &dialplan::freeswitch_settings(&site.config, switch),
        store: site.store.as_ref(),
    };
    findings.extend(match emergency {
        true => inspection.emergency_calls(office).await,
        false => inspection.findings(office).await,
    });
    findings
}

/// Whether phones of the switch are called to ask who stays, of whichever tenant: our user there is one for all.
fn rings(site: &Site, switch: &Switch) -> bool {
    switch.tenants.iter().any(|tenant| site.config.of(tenant).leave().stay_call())
}

/// What is needed to log in, if the secret in it could be read from `file`.
fn secret<S>(
    switch: &Switch,
    settings: anyhow::Result<S>,
    file: &Path,
    whose: &str,
    findings: &mut Vec<Finding>,
) -> Option<S> {
    let check = format!("secret of switch {}", switch.name);
    match settings {
        Ok(settings) => {
            findings.push(Finding::fine(check, format!("{} can be read, by us alone", file.display())));
            Some(settings)
        }
        Err(error) => {
            let remedy = format!("it is {whose}; without it the switch cannot be asked");
            findings.push(Finding::wrong(check, error.to_string(), remedy));
            None
        }
    }
}

/// Whether somebody answers where the switch's calls go.
async fn calls(switch: &Switch) -> Finding {
    let (check, address) = (format!("calls of switch {}", switch.name), switch.agi_listen);
    match answers(address).await {
        Ok(()) => Finding::fine(check, format!("taken at {address}")),
        Err(why) => Finding::wrong(
            check,
            format!("nobody takes them at {address} ({why}): who dials a code hears \"not available\""),
            "start `hotdesk serve`; if it runs, its agi_listen is another",
        ),
    }
}

/// Whether a controller answers that a FreeSWITCH's dialplan tries; the switch may see another network than we do.
async fn brought(switch: &Switch, address: &HostPort) -> Finding {
    let check = format!("controller {address} of switch {}", switch.name);
    match answers((address.host(), address.port())).await {
        Ok(()) => Finding::fine(check, "takes calls"),
        Err(why) => Finding::wrong(
            check,
            format!("does not take calls ({why}): the dialplan goes on to the next, if there is one"),
            "start `hotdesk serve` there; if it runs, compare outbound_controllers with its outbound_listen",
        ),
    }
}

/// A connection without a call is nothing to `serve`.
async fn answers(address: impl ToSocketAddrs) -> Result<(), String> {
    match timeout(PATIENCE, TcpStream::connect(address)).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err(format!("no answer within {} s", PATIENCE.as_secs())),
    }
}
