//! `hotdesk web`: the accounts of the console.

use std::io::Write;

use anyhow::Result;
use serde::Serialize;

use super::context::{CommandContext, actor, refused};
use super::output;
use crate::controller::{accounts, commands};
use crate::model::access::{AccessCommand, Account, Role, Secret};
use crate::model::id::{AccountName, TenantId};

#[derive(Debug, clap::Subcommand)]
pub(super) enum Web {
    /// Add an administrator of the console, or make a new link for one: it is good once, for 72 hours
    Admin {
        /// Name of the account
        account: AccountName,
    },
    /// Add an account of the console, or give it another role: prints a link that is good once, for 72 hours
    Invite {
        /// Name of the account
        account: AccountName,
        /// What it may do: viewer, operator or administrator
        #[arg(long)]
        role: Role,
    },
    /// List the accounts of the console
    List {
        /// Print JSON: [{"account", "role", "password", "sessions"}]; "password" is false until it is chosen
        #[arg(long)]
        json: bool,
    },
    /// Remove an account of the console; it is signed out
    Remove {
        /// Name of the account
        account: AccountName,
    },
}

#[derive(Serialize)]
struct Listed {
    account: AccountName,
    role: Role,
    password: bool,
    sessions: usize,
}

impl Web {
    pub(super) async fn run(self, context: &CommandContext, out: &mut dyn Write) -> Result<()> {
        match self {
            Self::Admin { account } => invite(context, account, Role::Administrator, out).await,
            Self::Invite { account, role } => invite(context, account, role, out).await,
            Self::List { json } => list(context, json, out).await,
            Self::Remove { account } => {
                let removed = AccessCommand::Remove(account.clone());
                let done = accounts::change(&*context.store, &context.tenant, actor(), removed).await;
                done.map_err(|error| refused(error, false))?;
                writeln!(out, "account {account} removed")?;
                Ok(())
            }
        }
    }
}

async fn invite(
    context: &CommandContext,
    account: AccountName,
    role: Role,
    out: &mut dyn Write,
) -> Result<()> {
    let secret = accounts::invite(&*context.store, &context.tenant, actor(), account.clone(), role).await;
    let secret = secret.map_err(|error| refused(error, false))?;
    let web = &context.config.web;
    let Some(url) = web.listen.map(|listen| web.url(listen)) else {
        output::note("the console is off: set [web] listen, and restart hotdesk serve");
        writeln!(out, "{}", path(&context.tenant, &account, &secret))?;
        return Ok(());
    };
    writeln!(out, "{url}{}", path(&context.tenant, &account, &secret))?;
    output::note(format_args!(
        "with this link the user of {account} chooses a password: once, within 72 hours"
    ));
    Ok(())
}

/// The path of a link.
pub(super) fn path(tenant: &TenantId, account: &AccountName, secret: &Secret) -> String {
    format!("/link/{tenant}/{account}/{}", secret.reveal())
}

async fn list(context: &CommandContext, json: bool, out: &mut dyn Write) -> Result<()> {
    let accounts = accounts::all(&*context.store, &context.tenant).await?;
    let now = commands::now();
    let listed = |account: Account| Listed {
        password: account.password.is_some(),
        sessions: account.sessions.iter().filter(|session| session.is_good(now)).count(),
        account: account.name,
        role: account.role,
    };
    let listed: Vec<Listed> = accounts.into_iter().map(listed).collect();
    if listed.is_empty() && !json {
        output::note("there is no account; to add an administrator: hotdesk web admin NAME");
        return Ok(());
    }
    output::list(out, json, &listed, &["ACCOUNT", "ROLE", "PASSWORD", "SIGNED IN"], |listed| {
        let password = if listed.password { "chosen" } else { "invited" };
        vec![
            listed.account.to_string(),
            listed.role.to_string(),
            password.into(),
            listed.sessions.to_string(),
        ]
    })
}
