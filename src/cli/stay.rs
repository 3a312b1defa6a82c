//! `hotdesk stay`: who is to be logged out by himself stays longer.

use std::io::Write;

use anyhow::bail;

use super::print;
use super::site::{Site, actor, now};
use super::status;
use crate::controller::stay::stay;
use crate::desk::id::Extension;
use crate::desk::schedule::Span;
use crate::desk::table::Scope;

#[derive(Debug, clap::Args)]
pub(super) struct Stay {
    /// The extension of who stays
    user: Extension,
    /// How much longer than he would: 60m; [leave] stay, if it is not given
    #[arg(long = "for", value_name = "SPAN")]
    span: Option<Span>,
}

impl Stay {
    pub(super) async fn run(self, site: &Site, out: &mut dyn Write) -> anyhow::Result<()> {
        let span = self.span.unwrap_or(site.config.of(&site.tenant).leave().stay());
        let user = self.user;
        site.user(&user).await?;
        let office = site.store.office(&site.tenant, &Scope::user(&user)).await?;
        let listed = status::listed(site, &office).await?;
        let mut his = listed.into_iter().filter(|listed| listed.binding.user == user).peekable();
        if his.peek().is_none() {
            bail!("{user} is not logged in");
        }
        for listed in his {
            let device = &listed.binding.device;
            let Some(due) = listed.leaves else {
                writeln!(out, "{user} is not going to be logged out at {device}")?;
                continue;
            };
            let until = span.after(due.at.max(now()));
            let done =
                stay(site.store.as_ref(), &site.tenant, listed.binding, until, (actor(), now())).await?;
            let until = print::time(until);
            match done {
                true => writeln!(out, "{user} stays at {device} until {until}")?,
                false => writeln!(out, "{user} has left {device}, or stays beyond {until} already")?,
            }
        }
        Ok(())
    }
}
