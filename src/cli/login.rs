//! `hotdesk login` and `hotdesk logout`: an administrator begins and ends sessions without a PIN.

use std::io::Write;

use anyhow::{Result, bail, ensure};

use super::connected;
use super::context::CommandContext;
use super::output;
use crate::config::Layout;
use crate::controller::administer;
use crate::model::directory::Device;
use crate::model::id::{DeviceName, Extension};
use crate::model::login::refusal::Refusal;
use crate::model::login::transition::{SessionCommand, Transition};
use crate::store::StoreError;

#[derive(Debug, clap::Args)]
pub(super) struct Login {
    /// Extension of the user
    user: Extension,
    /// Device to log in at; its current user is logged out
    device: DeviceName,
}

#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
pub(super) struct Logout {
    /// Extension of the user to log out, at every device
    user: Option<Extension>,
    /// Log out the user of this device
    #[arg(long, value_name = "ID")]
    device: Option<DeviceName>,
}

impl Login {
    pub(super) async fn run(self, context: &CommandContext, out: &mut dyn Write) -> Result<()> {
        let Self { user, device } = self;
        ensure!(
            context.user(&user).await?.0.hotdesk,
            "user {user} may not hotdesk; to allow it: hotdesk user set {user} --hotdesk"
        );
        let place = context.device(&device).await?.0;
        ensure!(
            place.hotdesk,
            "device {device} is not for hotdesking; to allow it: hotdesk device set {device} --hotdesk"
        );
        takes(context, &user, &place).await?;
        let rules = context.config.rules().of(&context.tenant).login;
        let command = SessionCommand::LogIn(user.clone(), device.clone(), rules);
        let done = match context.move_session(command).await {
            Err(StoreError::Refused(Refusal::UserElsewhere)) => bail!(
                "user {user} is logged in at another device, and [login] multiple_logins is \"refuse\"; first: hotdesk logout {user}"
            ),
            Err(StoreError::Refused(Refusal::DeviceOccupied)) => bail!(
                "another user is logged in at {device}, and [login] take_over is false; first: hotdesk logout --device {device}"
            ),
            done => done?,
        };
        match done.is_empty() {
            true => writeln!(out, "user {user} is logged in at {device} already")?,
            false => writeln!(out, "{}", summary(&done))?,
        }
        Ok(())
    }
}

/// Asks a FreePBX whether it has the user and lets users log in at the device. A switch that cannot be asked gets the login
/// when it is back.
async fn takes(context: &CommandContext, user: &Extension, device: &Device) -> Result<()> {
    let switch = context.config.switch(&device.switch).filter(|switch| switch.layout == Layout::FreePbx);
    let Some(switch) = switch else { return Ok(()) };
    let refusal = async {
        let table = connected::table(context, switch).await?;
        anyhow::Ok(administer::refusal(table.to.as_ref(), user, device).await?)
    };
    match refusal.await {
        Ok(Some(why)) => bail!("{why}"),
        Ok(None) => Ok(()),
        Err(error) => {
            output::note(format_args!("whether FreePBX takes this login is unknown: {error:#}"));
            Ok(())
        }
    }
}

impl Logout {
    pub(super) async fn run(self, context: &CommandContext, out: &mut dyn Write) -> Result<()> {
        let (act, nothing) = match (self.user, self.device) {
            (Some(user), _) => {
                context.user(&user).await?;
                let nothing = format!("user {user} is not logged in");
                (SessionCommand::LogOutEverywhere(user), nothing)
            }
            (None, Some(device)) => {
                context.device(&device).await?;
                let nothing = format!("no user is logged in at {device}");
                (SessionCommand::LogOutDevice(device), nothing)
            }
            // The arguments' group asks for one of them.
            (None, None) => bail!("name the user, or the device with --device ID"),
        };
        let done = context.move_session(act).await?;
        writeln!(out, "{}", if done.is_empty() { nothing } else { summary(&done) })?;
        Ok(())
    }
}

fn summary(done: &Transition) -> String {
    let begun = done.begun.iter().map(|now| format!("user {} is logged in at {}", now.user, now.device));
    let ended = done.ended.iter().map(|was| {
        if done.begun.iter().any(|now| now.user == was.user) {
            format!("logged out at {}", was.device)
        } else if done.begun.is_empty() {
            format!("user {} is logged out at {}", was.user, was.device)
        } else {
            format!("user {} is logged out", was.user)
        }
    });
    output::joined(begun.chain(ended), "; ")
}
