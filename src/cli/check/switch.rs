//! What `hotdesk check` says of a switch.

use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::asterisk::inspect::Inspection;
use crate::asterisk::manager::Manager;
use crate::cli::site::Site;
use crate::cli::{dialplan, serve};
use crate::config::{Kind, Switch};
use crate::desk::finding::Finding;
use crate::desk::model::Office;

/// How long a `hotdesk serve` may take to take a call.
const PATIENCE: Duration = Duration::from_secs(1);

/// Its secret, its calls' way to us, and all that can be asked of it.
pub(super) async fn look(site: &Site, office: &Office, switch: &Switch) -> Vec<Finding> {
    if switch.kind == Kind::FreeSwitch {
        return vec![password(switch)];
    }
    let mut findings = vec![calls(switch).await];
    let check = format!("secret of switch {}", switch.name);
    let settings = match serve::asterisk::manager(switch) {
        Ok(settings) => settings,
        Err(error) => {
            findings.push(Finding::wrong(
                check,
                error.to_string(),
                "it is the secret of ami_user in manager.conf; without it the switch cannot be asked",
            ));
            return findings;
        }
    };
    let file = switch.ami_secret_file.display();
    findings.push(Finding::fine(check, format!("{file} can be read, by us alone")));
    let stop = CancellationToken::new();
    let _until_the_end = stop.clone().drop_guard();
    let inspection = Inspection {
        name: &switch.name,
        tenant: &site.tenant,
        manager: &Manager::start(settings, stop),
        dialplan: &dialplan::settings(&site.config, switch),
        store: site.store.as_ref(),
    };
    findings.extend(inspection.findings(office).await);
    findings
}

/// Whether the password of a FreeSWITCH's event socket is there.
fn password(switch: &Switch) -> Finding {
    let check = format!("secret of switch {}", switch.name);
    match switch.esl_password() {
        Ok(_) => {
            Finding::fine(check, format!("{} can be read, by us alone", switch.esl_password_file.display()))
        }
        Err(error) => Finding::wrong(
            check,
            error.to_string(),
            "it is the password in autoload_configs/event_socket.conf.xml",
        ),
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
