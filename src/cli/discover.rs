//! `hotdesk discover`: the phones that a switch knows, and enabling them.

use std::collections::BTreeSet;
use std::io::Write;

use anyhow::{Context as _, bail};
use serde::Serialize;

use super::connected::{self, Connected};
use super::plan::Plan;
use super::print;
use super::site::Site;
use crate::asterisk::{self, space::Space};
use crate::config::{Kind, Switch};
use crate::desk::id::{DeviceName, LocationName, SwitchName};
use crate::desk::model::{Device, Office};
use crate::freeswitch;
use crate::switch::endpoint::{Endpoint, Endpoints};

#[derive(Debug, clap::Args)]
pub(super) struct Discover {
    /// The switch, by its name in the configuration; not needed where there is one
    #[arg(long, value_name = "S")]
    switch: Option<SwitchName>,
    /// As JSON, by dial target
    #[arg(long, conflicts_with_all = ["add", "add_all"])]
    json: bool,
    /// Make these of them hotdesks
    #[arg(long, value_name = "NAME", num_args = 1..)]
    add: Vec<String>,
    /// Make hotdesks of all that are in the context of hotdesk phones, and not known yet
    #[arg(long, conflicts_with = "add")]
    add_all: bool,
    /// Where those that are added stand: see `hotdesk location set`
    #[arg(long, value_name = "L")]
    location: Option<LocationName>,
    /// Add them even where no emergency caller-ID is known; this is journalled
    #[arg(long)]
    force: bool,
    /// Only show what would be added
    #[arg(long)]
    dry_run: bool,
}

/// An endpoint as it is listed.
#[derive(Serialize)]
struct Listed<'a> {
    name: &'a str,
    dial: &'a str,
    context: Option<&'a str>,
    registered: bool,
    /// Whether it is known here, and then whether users may log in there.
    hotdesk: Option<bool>,
}

impl Discover {
    pub(super) async fn run(self, site: &Site, out: &mut dyn Write) -> anyhow::Result<()> {
        let switch = self.switch(site)?;
        let endpoints = endpoints(site, switch).await?;
        if self.add.is_empty() && !self.add_all {
            return list(&site.office().await?, switch, &endpoints, out, self.json);
        }
        let mut plan = Plan::new(site).await?;
        let mut elsewhere = BTreeSet::new();
        for endpoint in self.chosen(&plan.before, switch, &endpoints)? {
            let (name, dial) = endpoint.device()?;
            if !endpoint.hotdesk {
                elsewhere.insert(name.clone());
            }
            let mut device = Device::new(site.tenant.clone(), name, switch.name.clone(), dial);
            device.location = self.location.clone();
            plan.put_device(device);
        }
        if let Some((subject, why)) = plan.refusals(self.force).first() {
            bail!("{subject}: {why}");
        }
        plan.tell(out)?;
        if self.dry_run {
            writeln!(out, "this was a dry run: nothing is changed")?;
            return Ok(());
        }
        plan.apply(vec![]).await?;
        remind(out, site, switch, &elsewhere)
    }

    fn switch<'a>(&self, site: &'a Site) -> anyhow::Result<&'a Switch> {
        if let Some(name) = &self.switch {
            return site.switch(name);
        }
        let mut ours = site.config.switches.iter().filter(|switch| switch.has(&site.tenant));
        match (ours.next(), ours.next()) {
            (Some(switch), None) => Ok(switch),
            (Some(one), Some(other)) => {
                bail!("say which switch: --switch {}, --switch {}, …", one.name, other.name)
            }
            (None, _) => bail!("no [[switch]] in the configuration has phones of the tenant {}", site.tenant),
        }
    }

    /// Those that are to be added. Who names one that is known already has made a mistake.
    fn chosen<'a>(
        &self,
        office: &Office,
        switch: &Switch,
        endpoints: &'a Endpoints,
    ) -> anyhow::Result<Vec<&'a Endpoint>> {
        if self.add_all {
            let new = |endpoint: &&Endpoint| endpoint.hotdesk && known(office, &endpoint.name).is_none();
            let chosen: Vec<&Endpoint> = endpoints.values().filter(new).collect();
            if chosen.is_empty() {
                bail!(
                    "every phone of {} in the context of hotdesks is known already; others are named one by one: --add NAME",
                    switch.name
                );
            }
            return Ok(chosen);
        }
        let named = |name: &String| {
            if let Some(device) = known(office, name) {
                bail!(
                    "{name} is known already, on {}; to change it: hotdesk device set {name}",
                    device.switch
                );
            }
            let mut found = endpoints.values().filter(|endpoint| endpoint.name == *name);
            match (found.next(), found.next()) {
                (Some(endpoint), None) => Ok(endpoint),
                (None, _) => {
                    bail!("the switch {} knows no {name}; hotdesk discover lists those it knows", switch.name)
                }
                (Some(one), Some(other)) => bail!(
                    "{name} is there as {} and as {}: say which, with hotdesk device set {name} --dial",
                    one.dial,
                    other.dial
                ),
            }
        };
        self.add.iter().map(named).collect()
    }
}

async fn endpoints(site: &Site, switch: &Switch) -> anyhow::Result<Endpoints> {
    let endpoints = match switch.kind {
        Kind::Asterisk => {
            let asterisk = Connected::asterisk(switch).await?;
            asterisk::endpoints::endpoints(&asterisk.to, &site.tenant, &switch.tenants).await
        }
        Kind::FreeSwitch => {
            let freeswitch = Connected::freeswitch(switch).await?;
            freeswitch::endpoints::endpoints(&freeswitch.to, &site.tenant).await
        }
    };
    endpoints.with_context(|| connected::refused(switch))
}

/// The device of that name, whichever switch it is on: there is one of a name.
fn known<'a>(office: &'a Office, name: &str) -> Option<&'a Device> {
    office.devices.get(&DeviceName::new(name).ok()?)
}

fn list(
    office: &Office,
    switch: &Switch,
    endpoints: &Endpoints,
    out: &mut dyn Write,
    json: bool,
) -> anyhow::Result<()> {
    let listed = endpoints.values().map(|endpoint| Listed {
        name: &endpoint.name,
        dial: &endpoint.dial,
        context: endpoint.context.as_deref(),
        registered: endpoint.registered,
        hotdesk: known(office, &endpoint.name)
            .filter(|device| device.switch == switch.name)
            .map(|device| device.hotdesk),
    });
    let listed: Vec<Listed> = listed.collect();
    if json {
        return print::json(out, &listed);
    }
    let row = |endpoint: &Listed| {
        vec![
            endpoint.name.into(),
            endpoint.dial.into(),
            print::or_dash(endpoint.context.as_ref()),
            print::yes(endpoint.registered).into(),
            endpoint.hotdesk.map_or("not known", print::yes).into(),
        ]
    };
    let rows: Vec<_> = listed.iter().map(row).collect();
    print::table(out, &["ENDPOINT", "DIAL", "CONTEXT", "REGISTERED", "HOTDESK"], &rows)
}

/// What is still to be done in the switch.
fn remind(
    out: &mut dyn Write,
    site: &Site,
    switch: &Switch,
    elsewhere: &BTreeSet<DeviceName>,
) -> anyhow::Result<()> {
    if elsewhere.is_empty() {
        return Ok(());
    }
    let names: Vec<&str> = elsewhere.iter().map(DeviceName::as_str).collect();
    let how = match switch.kind {
        Kind::Asterisk => format!("context = {}, in pjsip.conf", Space::of(&site.tenant)),
        Kind::FreeSwitch => "user_context hotdesk, in the directory".into(),
    };
    writeln!(out, "codes work there once the switch says {how}: {}", names.join(", "))?;
    Ok(())
}
