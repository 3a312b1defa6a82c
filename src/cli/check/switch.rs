//! What `hotdesk check` says of a switch.

use std::path::Path;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::asterisk::{self, manager::Manager};
use crate::cli::site::Site;
use crate::cli::{dialplan, serve};
use crate::config::{Kind, Switch};
use crate::desk::finding::Finding;
use crate::desk::model::Office;
use crate::freeswitch::{self, client::Client};

/// How long a `hotdesk serve` may take to take a call.
const PATIENCE: Duration = Duration::from_secs(1);

/// Its secret, its calls' way to us, and all that can be asked of it.
pub(super) async fn look(site: &Site, office: &Office, switch: &Switch) -> Vec<Finding> {
    match switch.kind {
        Kind::Asterisk => look_at_asterisk(site, office, switch).await,
        Kind::FreeSwitch => look_at_freeswitch(site, office, switch).await,
    }
}

async fn look_at_asterisk(site: &Site, office: &Office, switch: &Switch) -> Vec<Finding> {
    let mut findings = vec![calls(switch).await];
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
        dialplan: &dialplan::settings(&site.config, switch, &site.tenant),
        store: site.store.as_ref(),
    };
    findings.extend(inspection.findings(office).await);
    findings
}

async fn look_at_freeswitch(site: &Site, office: &Office, switch: &Switch) -> Vec<Finding> {
    let mut findings = vec![];
    let settings = serve::freeswitch::settings(switch);
    let whose = "the password in autoload_configs/event_socket.conf.xml";
    let Some(settings) = secret(switch, settings, &switch.esl_password_file, whose, &mut findings) else {
        return findings;
    };
    let stop = CancellationToken::new();
    let _until_the_end = stop.clone().drop_guard();
    let (client, _events) = Client::start(settings, stop);
    let inspection = freeswitch::inspect::Inspection {
        name: &switch.name,
        tenant: &site.tenant,
        client: &client,
        dialplan: &dialplan::freeswitch_settings(&site.config, switch),
        store: site.store.as_ref(),
    };
    findings.extend(inspection.findings(office).await);
    findings
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

/// Whether somebody answers where the switch's calls go. A connection without a call is nothing to `serve`.
async fn calls(switch: &Switch) -> Finding {
    let (check, address) = (format!("calls of switch {}", switch.name), switch.agi_listen);
    let why = match timeout(PATIENCE, TcpStream::connect(address)).await {
        Ok(Ok(_)) => return Finding::fine(check, format!("taken at {address}")),
        Ok(Err(error)) => error.to_string(),
        Err(_) => format!("no answer within {} s", PATIENCE.as_secs()),
    };
    Finding::wrong(
        check,
        format!("nobody takes them at {address} ({why}): who dials a code hears \"not available\""),
        "start `hotdesk serve`; if it runs, its agi_listen is another",
    )
}
