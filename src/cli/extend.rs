//! `hotdesk extend`: postpones a user's automatic logout.

use std::io::Write;

use anyhow::{Result, ensure};

use super::context::{CommandContext, actor};
use super::output;
use super::status;
use crate::controller::commands::{now, postpone};
use crate::model::id::Extension;
use crate::model::schedule::Span;

#[derive(Debug, clap::Args)]
pub(super) struct Extend {
    /// Extension of the user
    user: Extension,
    /// Time to add to the session: 90m; without it, [auto_logout] extend
    #[arg(long = "for", value_name = "SPAN")]
    span: Option<Span>,
}

impl Extend {
    pub(super) async fn run(self, context: &CommandContext, out: &mut dyn Write) -> Result<()> {
        let span = self.span.unwrap_or(context.config.of(&context.tenant).auto_logout().extend);
        let user = self.user;
        let (_, snapshot) = context.user(&user).await?;
        let listed = status::listed(context, &snapshot).await?;
        let mut sessions = listed.into_iter().filter(|listed| listed.session.user == user).peekable();
        ensure!(sessions.peek().is_some(), "user {user} is not logged in");
        for listed in sessions {
            let device = &listed.session.device;
            let Some(due) = listed.auto_logout else {
                writeln!(out, "user {user} has no automatic logout at {device}")?;
                continue;
            };
            let (store, by) = (context.store.as_ref(), (actor(), now()));
            match postpone(store, &context.tenant, listed.session, (due.at, span), by).await? {
                Some(until) => {
                    writeln!(out, "user {user} stays logged in at {device} until {}", output::time(until))?
                }
                None => writeln!(out, "user {user} has logged out at {device} meanwhile")?,
            }
        }
        Ok(())
    }
}
