//! `hotdesk lockout`: users and devices that are locked out after too many wrong PINs.

use std::io::Write;

use anyhow::Result;

use super::context::CommandContext;
use super::output;
use crate::controller::commands::now;
use crate::controller::lockouts;
use crate::model::command::Change;
use crate::model::id::{DeviceName, Extension};
use crate::model::login::lockout::Unlock;

#[derive(Debug, clap::Subcommand)]
pub(super) enum Lockout {
    /// List the users and devices that are locked out now
    List {
        /// Print JSON: [{"user", "device", "failures", "until"}]; "until" is null when only an administrator ends the
        /// lockout; "user" and "device" are null for an extension that no user has
        #[arg(long)]
        json: bool,
    },
    /// Clear lockouts, and the failures that led to them
    Clear(Clear),
}

#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
pub(super) struct Clear {
    /// Extension of a user
    user: Option<Extension>,
    /// Name of a device
    #[arg(long, value_name = "ID")]
    device: Option<DeviceName>,
    /// Clear all lockouts of the tenant
    #[arg(long)]
    all: bool,
}

impl Lockout {
    pub(super) async fn run(self, context: &CommandContext, out: &mut dyn Write) -> Result<()> {
        match self {
            Self::List { json } => list(context, out, json).await,
            Self::Clear(clear) => clear.run(context, out).await,
        }
    }
}

impl Clear {
    async fn run(self, context: &CommandContext, out: &mut dyn Write) -> Result<()> {
        let (done, scope) = match (self.user, self.device) {
            (Some(user), _) => {
                context.user(&user).await?;
                let pepper = context.pepper().await?;
                let alias = pepper.alias(&context.tenant, &user);
                (format!("lockout of user {user} cleared"), Unlock::User(user, alias))
            }
            (None, Some(device)) => {
                context.device(&device).await?;
                (format!("lockout of device {device} cleared"), Unlock::Device(device))
            }
            (None, None) => ("all lockouts cleared".into(), Unlock::All),
        };
        context.commit(Change::Unlock(scope)).await?;
        writeln!(out, "{done}")?;
        Ok(())
    }
}

async fn list(context: &CommandContext, out: &mut dyn Write, json: bool) -> Result<()> {
    let (store, tenant, now) = (&*context.store, &context.tenant, now());
    let counted = lockouts::counted(store, tenant, now).await?;
    let locked = if counted.is_empty() {
        vec![]
    } else {
        let pepper = context.pepper().await?;
        lockouts::named(store, tenant, (counted, now), |user| pepper.alias(tenant, user)).await?
    };
    if locked.is_empty() && !json {
        output::note("there is no lockout");
        return Ok(());
    }
    output::list(out, json, &locked, &["LOCKED", "FAILURES", "UNTIL"], |locked| {
        let subject = match (&locked.user, &locked.device) {
            (Some(user), _) => format!("user {user}"),
            (None, Some(device)) => format!("device {device}"),
            (None, None) => "an unknown extension".into(),
        };
        let until = locked.until.map_or_else(|| "cleared by an administrator".into(), output::time);
        vec![subject, locked.failures.to_string(), until]
    })
}
