//! `hotdesk discover`: lists the phones that a switch knows, and adds them as devices.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;

use anyhow::{Context as _, Result, bail};
use serde::Serialize;

use super::connected::{self, Connected};
use super::context::CommandContext;
use super::output;
use super::plan::Plan;
use crate::asterisk::{self, namespace::Namespace};
use crate::config::{Kind, Switch};
use crate::freeswitch;
use crate::model::directory::{Device, Snapshot};
use crate::model::id::{DeviceName, LocationName, SwitchName};
use crate::switch::endpoint::{Endpoint, Endpoints};

#[derive(Debug, clap::Args)]
pub(super) struct Discover {
    /// Switch to ask: a [[switch]] name; not needed if there is only one
    #[arg(long, value_name = "S")]
    switch: Option<SwitchName>,
    /// Print JSON: an array, ordered by dial target
    #[arg(long, conflicts_with_all = ["add", "add_all"])]
    json: bool,
    /// Add these phones as hotdesking devices
    #[arg(long, value_name = "NAME", num_args = 1..)]
    add: Vec<String>,
    /// Add every phone that is in the hotdesk context and not a device yet
    #[arg(long, conflicts_with = "add")]
    add_all: bool,
    /// Location of the added devices; see hotdesk location add
    #[arg(long, value_name = "L")]
    location: Option<LocationName>,
    /// Add them although the location has no emergency caller ID; the journal records it
    #[arg(long, help_heading = output::OVERRIDE)]
    force: bool,
    /// Show what would be added, and change nothing
    #[arg(long)]
    dry_run: bool,
}

#[derive(Serialize)]
struct Listed<'a> {
    name: &'a str,
    dial: &'a str,
    context: Option<&'a str>,
    registered: bool,
    /// Whether users may log in there; null if it is not a device yet.
    hotdesk: Option<bool>,
}

impl Discover {
    pub(super) const fn changes(&self) -> bool {
        !self.dry_run && (self.add_all || !self.add.is_empty())
    }

    pub(super) async fn run(self, context: &CommandContext, out: &mut dyn Write) -> Result<()> {
        let switch = self.switch(context)?;
        let endpoints = endpoints(context, switch).await?;
        if self.add.is_empty() && !self.add_all {
            return list(&context.snapshot().await?, switch, &endpoints, out, self.json);
        }
        let mut plan = Plan::new(context).await?;
        let mut other_context = BTreeSet::new();
        for endpoint in self.chosen(&plan.before, switch, &endpoints)? {
            let (name, dial) = endpoint.device()?;
            if !endpoint.hotdesk {
                other_context.insert(name.clone());
            }
            let mut device = Device::new(context.tenant.clone(), name, switch.name.clone(), dial);
            device.location = self.location.clone();
            plan.put_device(device);
        }
        if let Some((subject, why)) = plan.refusals(self.force).first() {
            bail!("{subject}: {why}");
        }
        plan.decide()?;
        plan.print(out)?;
        if self.dry_run {
            output::note("dry run: nothing was changed");
            return Ok(());
        }
        plan.apply(vec![]).await?;
        remind(context, switch, &other_context);
        Ok(())
    }

    fn switch<'a>(&self, context: &'a CommandContext) -> Result<&'a Switch> {
        if let Some(name) = &self.switch {
            return context.switch(name);
        }
        let own = context.config.switches.iter().filter(|switch| switch.has(&context.tenant));
        match own.collect::<Vec<_>>()[..] {
            [only] => Ok(only),
            [Switch { name: one, .. }, Switch { name: other, .. }, ..] => {
                bail!("several switches serve the tenant: add --switch {one} or --switch {other}")
            }
            [] => {
                bail!("no switch serves the tenant {}: add it to `tenants` of a [[switch]]", context.tenant)
            }
        }
    }

    /// The phones to add. Naming one that is a device already is an error.
    fn chosen<'a>(
        &self,
        snapshot: &Snapshot,
        switch: &Switch,
        endpoints: &'a Endpoints,
    ) -> Result<Vec<&'a Endpoint>> {
        if self.add_all {
            let new = |endpoint: &&Endpoint| endpoint.hotdesk && known(snapshot, &endpoint.name).is_none();
            let (mut named, mut chosen) = (BTreeMap::<&str, Vec<&Endpoint>>::new(), vec![]);
            for endpoint in endpoints.values().filter(new) {
                named.entry(&endpoint.name).or_default().push(endpoint);
            }
            for (name, found) in named {
                match (&found[..], found.iter().find_map(|endpoint| endpoint.device().err())) {
                    (_, Some(why)) => output::note(format_args!("left out: {why}")),
                    ([only], None) => chosen.push(*only),
                    _ => {
                        let all = output::joined(found.iter().map(|endpoint| &endpoint.dial), " and as ");
                        output::note(format_args!(
                            "left out: the switch has {name} as {all}; choose one with hotdesk device add {name} --switch {} --dial TARGET",
                            switch.name
                        ));
                    }
                }
            }
            if chosen.is_empty() {
                bail!(
                    "every phone of {} in the hotdesk context is a device already, or left out; add others by name: --add NAME",
                    switch.name
                );
            }
            return Ok(chosen);
        }
        let named = |name: &String| {
            if let Some(device) = known(snapshot, name) {
                bail!(
                    "{name} is a device already, on {}; to change it: hotdesk device set {name}",
                    device.switch
                );
            }
            let found = endpoints.values().filter(|endpoint| endpoint.name == *name);
            match found.collect::<Vec<_>>()[..] {
                [only] => Ok(only),
                [] => bail!(
                    "the switch {} knows no phone {name}; hotdesk discover lists the phones it knows",
                    switch.name
                ),
                [one, other, ..] => bail!(
                    "the switch has {name} as {} and as {}: choose one with hotdesk device add {name} --switch {} --dial TARGET",
                    one.dial,
                    other.dial,
                    switch.name
                ),
            }
        };
        self.add.iter().map(named).collect()
    }
}

async fn endpoints(context: &CommandContext, switch: &Switch) -> Result<Endpoints> {
    let endpoints = match switch.kind {
        Kind::Asterisk => {
            let asterisk = Connected::asterisk(switch).await?;
            asterisk::devices::endpoints::endpoints(&asterisk.to, &context.tenant, &switch.tenants).await
        }
        Kind::FreeSwitch => {
            let freeswitch = Connected::freeswitch(switch).await?;
            freeswitch::devices::endpoints::endpoints(&freeswitch.to, &context.tenant).await
        }
    };
    endpoints.with_context(|| connected::refused(switch))
}

/// The device of that name, on any switch: names are unique.
fn known<'a>(snapshot: &'a Snapshot, name: &str) -> Option<&'a Device> {
    snapshot.devices.get(&DeviceName::new(name).ok()?)
}

fn list(
    snapshot: &Snapshot,
    switch: &Switch,
    endpoints: &Endpoints,
    out: &mut dyn Write,
    json: bool,
) -> Result<()> {
    let listed = endpoints.values().map(|endpoint| Listed {
        name: &endpoint.name,
        dial: &endpoint.dial,
        context: endpoint.context.as_deref(),
        registered: endpoint.registered,
        hotdesk: known(snapshot, &endpoint.name)
            .filter(|device| device.switch == switch.name)
            .map(|device| device.hotdesk),
    });
    let listed: Vec<Listed> = listed.collect();
    let names = ["ENDPOINT", "DIAL", "CONTEXT", "REGISTERED", "HOTDESK"];
    output::list(out, json, &listed, &names, |endpoint| {
        vec![
            endpoint.name.into(),
            endpoint.dial.into(),
            output::or_dash(endpoint.context.as_ref()),
            output::yes(endpoint.registered).into(),
            endpoint.hotdesk.map_or("not a device", output::yes).into(),
        ]
    })
}

fn remind(context: &CommandContext, switch: &Switch, other_context: &BTreeSet<DeviceName>) {
    if other_context.is_empty() {
        return;
    }
    let names = output::joined(other_context, ", ");
    let how = match switch.kind {
        Kind::Asterisk => format!("context = {} in pjsip.conf", Namespace::of(&context.tenant)),
        Kind::FreeSwitch => "user_context hotdesk@desk in the directory".into(),
    };
    output::note(format_args!("feature codes work there once you set {how}: {names}"));
}
