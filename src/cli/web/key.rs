//! `hotdesk web key`: the keys with which programs use the API.

use std::io::Write;

use anyhow::Result;
use jiff::Timestamp;
use serde::Serialize;

use crate::cli::context::{CommandContext, actor, refused};
use crate::cli::output;
use crate::controller::accounts::keys;
use crate::controller::commands::now;
use crate::model::access::{ApiKey, Role};
use crate::model::id::KeyName;

#[derive(Debug, clap::Subcommand)]
pub(in crate::cli) enum Key {
    /// Add a key of the API, and print it once
    Add {
        /// Name of the key, for the journal: the program that uses it
        key: KeyName,
        /// What it may do: viewer, operator or administrator
        #[arg(long)]
        role: Role,
        /// Days for which it is good, 365 at the most
        #[arg(long, value_name = "N", default_value_t = 90,
            value_parser = clap::value_parser!(u16).range(1..=i64::from(ApiKey::MOST_DAYS)))]
        days: u16,
    },
    /// List the keys of the API
    List {
        /// Print JSON: [{"key", "role", "since", "until", "used"}]; "used" is null before the first use
        #[arg(long)]
        json: bool,
    },
    /// Remove a key of the API: it is refused at once
    Remove {
        /// Name of the key
        key: KeyName,
    },
}

#[derive(Serialize)]
struct Listed {
    key: KeyName,
    role: Role,
    since: Timestamp,
    until: Timestamp,
    used: Option<Timestamp>,
}

impl Key {
    pub(super) async fn run(self, context: &CommandContext, out: &mut dyn Write) -> Result<()> {
        let (store, tenant) = (&*context.store, &context.tenant);
        match self {
            Self::Add { key, role, days } => {
                let added = keys::add(store, tenant, actor(), (key.clone(), role, days)).await;
                let text = added.map_err(|error| refused(error, false))?;
                writeln!(out, "{}", text.reveal())?;
                output::note(format_args!(
                    "this is the key {key}, for {days} days. It is not shown again: keep it as you keep a password"
                ));
                Ok(())
            }
            Self::List { json } => list(context, json, out).await,
            Self::Remove { key } => {
                let removed = keys::remove(store, tenant, actor(), key.clone()).await;
                removed.map_err(|error| refused(error, false))?;
                writeln!(out, "key {key} removed")?;
                Ok(())
            }
        }
    }
}

async fn list(context: &CommandContext, json: bool, out: &mut dyn Write) -> Result<()> {
    let keys = keys::all(&*context.store, &context.tenant).await?;
    let listed =
        |ApiKey { name, role, since, until, used, .. }| Listed { key: name, role, since, until, used };
    let listed: Vec<Listed> = keys.into_iter().map(listed).collect();
    if listed.is_empty() && !json {
        output::note("there is no key; to add one: hotdesk web key add NAME --role ROLE");
        return Ok(());
    }
    output::list(out, json, &listed, &["KEY", "ROLE", "UNTIL", "LAST USED"], |listed| {
        let until = output::time(listed.until);
        let until = if now() < listed.until { until } else { format!("ended {until}") };
        let used = listed.used.map(output::time);
        vec![listed.key.to_string(), listed.role.to_string(), until, output::or_dash(used.as_ref())]
    })
}
