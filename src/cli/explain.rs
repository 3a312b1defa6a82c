//! `hotdesk explain`: why a device, or a user's calls, behave as they do now.

use std::io::Write;
use std::sync::Arc;

use anyhow::{Result, bail};
use futures_util::future::join_all;

use super::connected::{self, Connected};
use super::context::CommandContext;
use super::inspected::Inspected;
use super::output;
use crate::config::{Layout, Switch};
use crate::controller::explain::{self, Explanation, OnSwitch, Place, Record, State, Subject, Thing};
use crate::model::check::Finding;
use crate::model::id::Extension;

#[derive(Debug, clap::Args)]
pub(super) struct Explain {
    /// A device or a user's extension
    #[arg(value_name = "DEVICE|USER")]
    who: String,
    /// It is a device, also if there is a user with such an extension
    #[arg(long)]
    device: bool,
    /// Print JSON: {"subject", "facts", "switches": [{"switch", "not_read", "things": [{"about", "should", "records": [{"state",
    /// "what"}]}], "others"}], "last"}
    #[arg(long)]
    json: bool,
}

impl Explain {
    pub(super) async fn run(self, context: &CommandContext, out: &mut dyn Write) -> Result<()> {
        let explanation = self.explanation(context).await?;
        if self.json { output::json(out, &explanation) } else { print(&explanation, out) }
    }

    async fn explanation(&self, context: &CommandContext) -> Result<Explanation> {
        let (store, tenant) = (&*context.store, &context.tenant);
        let Some((subject, snapshot)) = explain::subject(store, tenant, &self.who, self.device).await? else {
            bail!("there is neither a device nor a user {}: hotdesk device list, hotdesk user list", self.who)
        };
        let switches: Vec<&Switch> =
            context.config.switches.iter().filter(|switch| switch.has(tenant)).collect();
        let connected = join_all(switches.iter().map(|switch| connected::table(context, switch))).await;
        let place = |(switch, table): (&&Switch, &Result<Connected<Arc<dyn crate::switch::Switch>>>)| Place {
            name: switch.name.clone(),
            is_freepbx: switch.layout == Layout::FreePbx,
            routes: context.config.routes(switch, tenant),
            table: table.as_ref().map(|table| table.to.clone()).map_err(|why| format!("{why:#}")),
        };
        let places: Vec<Place> = switches.iter().zip(&connected).map(place).collect();
        let explained = explain::explain(store, tenant, (&subject, &snapshot), &places, output::time);
        let mut explanation = explained.await?;
        if let Subject::User(user) = &subject {
            let past = switches.iter().map(|switch| past_hotdesk(context, switch, &user.extension));
            explanation.facts.extend(join_all(past).await.concat());
        }
        Ok(explanation)
    }
}

/// From where calls to a user do not reach Hotdesk on this switch. A switch that cannot be asked is named with its records.
async fn past_hotdesk(context: &CommandContext, switch: &Switch, user: &Extension) -> Vec<String> {
    let found = async {
        // The classes of all users are contexts from which this one is called.
        let snapshot = context.snapshot().await?;
        let inspected = Inspected::new(&context.config, switch, None).await?;
        anyhow::Ok(inspected.past_hotdesk(&context.tenant, &snapshot, Some(user)).await?)
    };
    let said = |Finding { check, found, remedy, .. }: Finding| Some(format!("{check}: {found}; {}", remedy?));
    found.await.unwrap_or_default().into_iter().filter_map(said).collect()
}

fn print(Explanation { subject, facts, switches, last }: &Explanation, out: &mut dyn Write) -> Result<()> {
    writeln!(out, "{subject}")?;
    for fact in facts {
        writeln!(out, "  {fact}")?;
    }
    for switch in switches {
        print_switch(switch, out)?;
    }
    writeln!(out, "\nWhat happened last")?;
    if last.is_empty() {
        writeln!(out, "  nothing that the journal still has")?;
    }
    for entry in last {
        writeln!(out, "  {}  {}", output::time(entry.at), entry.line(output::time))?;
    }
    Ok(())
}

fn print_switch(on: &OnSwitch, out: &mut dyn Write) -> Result<()> {
    writeln!(out, "\nOn {}", on.switch)?;
    if let Some(note) = on.note {
        writeln!(out, "  {note}")?;
    }
    if let Some(why) = &on.not_read {
        writeln!(out, "  could not be read: {why:?}")?;
        writeln!(out, "  nothing is known of its records; it should hold:")?;
    }
    for Thing { about, should, records } in &on.things {
        writeln!(out, "  {about}: {}", should.join("; "))?;
        print_records(out, "    ", records)?;
    }
    print_records(out, "  ", &on.others)?;
    if let Some(conclusion) = on.conclusion() {
        writeln!(out, "  {conclusion}")?;
    }
    Ok(())
}

fn print_records(out: &mut dyn Write, indent: &str, records: &[Record]) -> Result<()> {
    for Record { state, what } in records {
        match state {
            State::NotKept => writeln!(out, "{indent}not kept by this switch")?,
            State::NotRead => writeln!(out, "{indent}could not be read: {what}")?,
            State::InSync => writeln!(out, "{indent}in sync: {what}")?,
            State::Differs => writeln!(out, "{indent}DIFFERS: {what}")?,
            State::Refused => writeln!(out, "{indent}REFUSED: {what}")?,
        }
    }
    Ok(())
}
