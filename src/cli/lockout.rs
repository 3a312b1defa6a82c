//! `hotdesk lockout`: users and devices that are locked out after too many wrong PINs.

use std::collections::BTreeMap;
use std::io::Write;

use anyhow::Result;
use jiff::Timestamp;
use serde::Serialize;

use super::context::CommandContext;
use super::output;
use crate::controller::commands::now;
use crate::model::command::Change;
use crate::model::id::{DeviceName, Extension};
use crate::model::login::lockout::{self, Kind, Unlock};

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

#[derive(Serialize)]
struct Locked {
    user: Option<Extension>,
    device: Option<String>,
    /// Wrong PINs in a row.
    failures: u32,
    until: Option<Timestamp>,
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
    let locked = locked(context).await?;
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

/// Attempts are counted under an alias of the extension, so each user's alias is computed here. What is left belongs to
/// extensions that no user has.
async fn locked(context: &CommandContext) -> Result<Vec<Locked>> {
    let now = now().as_second();
    let mut failures = context.store.failures(&context.tenant).await?;
    failures.retain(|(kind, _), failures| failures.lockout(*kind, now).is_some());
    if failures.is_empty() {
        return Ok(vec![]);
    }
    let pepper = context.pepper().await?;
    let users = context.snapshot().await?.users;
    let alias = |user: &Extension| pepper.alias(&context.tenant, user).as_str().to_owned();
    let users: BTreeMap<String, Extension> = users.into_keys().map(|user| (alias(&user), user)).collect();
    let known = failures.into_iter().map(|((kind, name), failures)| {
        let until = match failures.lockout(kind, now) {
            Some(lockout::Lockout::Until(second)) => Timestamp::from_second(second).ok(),
            _ => None,
        };
        let (user, device) = match kind {
            Kind::User => (users.get(&name).cloned(), None),
            Kind::Device => (None, Some(name)),
        };
        Locked { user, device, failures: failures.in_a_row, until }
    });
    Ok(known.collect())
}
