//! `hotdesk adopt`: has a switch that is held take the state of this store.

use std::io::{IsTerminal as _, Write};

use anyhow::{Result, bail, ensure};

use super::context::CommandContext;
use super::{connected, output};
use crate::config;
use crate::controller::check::{Compared, compare, difference_in_words};
use crate::model::command::Change;
use crate::model::desired::{About, Edit};
use crate::model::id::SwitchName;
use crate::model::journal::Event;
use crate::model::mark::Mark;
use crate::switch::Switch;

/// How many rows are shown one by one; more are counted.
const SHOWN: usize = 40;
/// How often a table is read that FreeSWITCH does not list whole.
const READINGS: usize = 1_000;

#[derive(Debug, clap::Args)]
pub(super) struct Adopt {
    /// Only this switch; without it, each switch of the tenant
    #[arg(long, value_name = "NAME")]
    switch: Option<SwitchName>,
    /// Write it without asking
    #[arg(long)]
    yes: bool,
}

impl Adopt {
    pub(super) async fn run(self, context: &CommandContext, out: &mut dyn Write) -> Result<()> {
        if let Some(name) = &self.switch {
            context.switch(name)?;
        }
        let wanted = |switch: &&config::Switch| {
            switch.has(&context.tenant) && self.switch.as_ref().is_none_or(|name| *name == switch.name)
        };
        for switch in context.config.switches.iter().filter(wanted) {
            self.adopt(context, switch, out).await?;
        }
        Ok(())
    }

    async fn adopt(
        &self,
        context: &CommandContext,
        switch: &config::Switch,
        out: &mut dyn Write,
    ) -> Result<()> {
        let (name, table) = (&switch.name, connected::table(context, switch).await?);
        let table = table.to.as_ref();
        let compared = compared(context, switch, table).await?;
        let Some(held) = compared.held else {
            writeln!(out, "{name}: the store fits this switch, there is nothing to adopt")?;
            return Ok(());
        };
        writeln!(out, "{name} is held: {held}")?;
        let edits = compared.comparison.edits;
        show(out, &edits)?;
        out.flush()?;
        self.confirm(name)?;
        // First: the entry gives an empty store its identity.
        let event = Event::Adopted { switch: name.clone(), rows: edits.len() };
        context.commit(Change::Record(vec![event])).await?;
        if let Some(mark) = write(context, switch, table).await? {
            writeln!(out, "{name}: adopted at revision {}", mark.revision)?;
        }
        Ok(())
    }

    fn confirm(&self, name: &SwitchName) -> Result<()> {
        if self.yes {
            return Ok(());
        }
        ensure!(std::io::stdin().is_terminal(), "nothing was changed: to write this to {name}, add --yes");
        output::note(format_args!("write this to {name}? Type yes:"));
        let mut answer = String::new();
        std::io::stdin().read_line(&mut answer)?;
        if answer.trim() != "yes" {
            bail!("nothing was changed");
        }
        Ok(())
    }
}

async fn compared(context: &CommandContext, switch: &config::Switch, table: &dyn Switch) -> Result<Compared> {
    let routes = context.config.routes(switch, &context.tenant);
    let compared = compare(&*context.store, &context.tenant, &switch.name, &routes, table).await?;
    if let Some(unread) = compared.comparison.reading.not_readable.iter().find(|unread| unread.part.needed) {
        bail!("{} could not be read: {unread}. Run hotdesk check: it says how to repair that", switch.name);
    }
    Ok(compared)
}

/// Writes the desired records, and then the mark of the store, which is returned.
pub(super) async fn write(
    context: &CommandContext,
    switch: &config::Switch,
    table: &dyn Switch,
) -> Result<Option<Mark>> {
    let here = write_records(context, switch, table).await?;
    let Some((mark, key)) = here.zip(table.mark_key()) else { return Ok(None) };
    table.apply(&[Edit { key, was: None, is: Some(mark.text()) }]).await?;
    Ok(Some(mark))
}

/// Writes the desired records, until the switch shows no more that differ. Returns the mark of the store.
async fn write_records(
    context: &CommandContext,
    switch: &config::Switch,
    table: &dyn Switch,
) -> Result<Option<Mark>> {
    let mut before = vec![];
    for _ in 0..READINGS {
        let Compared { comparison, here, .. } = compared(context, switch, table).await?;
        table.apply(&comparison.edits).await?;
        let unlisted: Vec<Edit> =
            comparison.edits.into_iter().filter(|edit| edit.key.about == About::Unlisted).collect();
        if unlisted.is_empty() || unlisted == before {
            return Ok(here);
        }
        before = unlisted;
    }
    bail!("{} lists other rows at each reading: run hotdesk check", switch.name)
}

fn show(out: &mut dyn Write, edits: &[Edit]) -> Result<()> {
    let (removed, others): (Vec<_>, Vec<_>) = edits.iter().partition(|edit| edit.is.is_none());
    for edit in removed.iter().take(SHOWN) {
        writeln!(out, "  remove  {}", edit.key)?;
    }
    for edit in others.iter().take(SHOWN) {
        writeln!(out, "  write   {}", difference_in_words(edit))?;
    }
    let added = others.iter().filter(|edit| edit.was.is_none()).count();
    writeln!(out, "{} rows are removed, {} changed, {added} added", removed.len(), others.len() - added)?;
    Ok(())
}
