//! Doubts about a record that a command changes: it names what the configuration or the switch does not have.

use std::time::Duration;

use anyhow::{Result, anyhow, bail};
use tokio::time::timeout;

use super::context::CommandContext;
use super::inspected::Inspected;
use super::known::known;
use super::output;
use crate::config::{Kind, Layout, Switch};
use crate::model::check::Finding;
use crate::model::directory::Snapshot;

/// How long a switch may take to answer, with the login.
const PATIENCE: Duration = Duration::from_secs(3);

#[derive(Clone, Copy, Debug, clap::Args)]
pub(super) struct Strict {
    /// Change nothing if an endpoint, a group, a mailbox or prompts that are named do not exist; without it, that is a warning
    #[arg(long)]
    strict: bool,
}

impl Strict {
    /// Warns of what the `changed` records name that is not there; with `--strict` that is an error. A switch that does not
    /// answer is a note.
    pub(super) async fn look(self, context: &CommandContext, changed: &Snapshot) -> Result<()> {
        let mut doubts = known(&context.config, &context.tenant).doubts(changed);
        doubts.extend(on_switches(context, changed).await);
        let said = |Finding { check, found, remedy, .. }: Finding| {
            format!("{check}: {found}; {}", remedy.unwrap_or_default())
        };
        let said: Vec<String> = doubts.into_iter().map(said).collect();
        if self.strict && !said.is_empty() {
            bail!("{}", said.join("\n"));
        }
        said.iter().for_each(output::note);
        Ok(())
    }
}

/// What the switches do not have. A mailbox may be on any switch of the tenant.
async fn on_switches(context: &CommandContext, changed: &Snapshot) -> Vec<Finding> {
    let boxes = changed.users.values().any(|user| user.mailbox.is_some());
    let (mut of_devices, mut of_boxes) = (vec![], vec![]);
    for switch in context.config.switches.iter().filter(|switch| switch.has(&context.tenant)) {
        let here = changed.devices.values().any(|device| device.switch == switch.name);
        if switch.layout == Layout::FreePbx || !(here || boxes) || !is_set_up(switch) {
            continue;
        }
        let asked = async {
            let inspected = Inspected::new(&context.config, switch, None).await?;
            anyhow::Ok(inspected.missing(&context.tenant, changed).await?)
        };
        let late = anyhow!("no answer within {} s", PATIENCE.as_secs());
        match timeout(PATIENCE, asked).await.unwrap_or(Err(late)) {
            Ok(findings) if here => of_devices.extend(findings),
            Ok(findings) => of_boxes.push(findings),
            Err(why) => {
                output::note(format_args!("{} could not be asked whether this exists: {why:#}", switch.name))
            }
        }
    }
    if !of_boxes.iter().any(Vec::is_empty) {
        of_devices.extend(of_boxes.into_iter().take(1).flatten());
    }
    of_devices
}

/// Whether Hotdesk can log in to it at all; before, `hotdesk check` says what is missing.
fn is_set_up(switch: &Switch) -> bool {
    match switch.kind {
        Kind::Asterisk => switch.ami_secret_file.exists(),
        Kind::FreeSwitch => switch.esl_password_file.exists(),
    }
}
