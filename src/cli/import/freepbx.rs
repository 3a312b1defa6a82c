//! `hotdesk import freepbx`: users and devices of a FreePBX in Device & User mode.

use std::io::Write;

use anyhow::{Context as _, bail};

use super::How;
use super::pins::{Pins, Wanted};
use crate::asterisk::freepbx::{self, Found, FoundDevice, FoundUser};
use crate::cli::connected::{self, Connected};
use crate::cli::location;
use crate::cli::plan::Plan;
use crate::cli::site::Site;
use crate::config::Kind;
use crate::desk::id::{Context, InvalidId, LocationName, Number, SwitchName};
use crate::desk::model::{Device, Office, User};

#[derive(Debug, clap::Args)]
pub(super) struct FreePbx {
    /// The switch, by its name in the configuration
    #[arg(long, value_name = "S")]
    switch: SwitchName,
    /// Class of service of those who are new here
    #[arg(long, value_name = "CONTEXT", default_value = "from-internal")]
    class: Context,
    /// Where the devices stand of which FreePBX has no emergency_cid, and nothing is known here
    #[arg(long, value_name = "L")]
    location: Option<LocationName>,
    #[command(flatten)]
    how: How,
}

impl FreePbx {
    pub(super) async fn run(self, site: &Site, out: &mut dyn Write) -> anyhow::Result<()> {
        let switch = site.switch(&self.switch)?;
        if switch.kind != Kind::Asterisk {
            bail!("the switch {} is a FreeSWITCH: a FreePBX stands beside an Asterisk", switch.name);
        }
        let asterisk = Connected::asterisk(switch).await?;
        let freepbx =
            freepbx::FreePbx::read(&asterisk.to).await.with_context(|| connected::refused(switch))?;
        let Found { users, devices, left } = freepbx.found(&site.tenant);
        if users.is_empty() && devices.is_empty() && left.is_empty() {
            bail!(
                "the Asterisk of {} has no AMPUSER and no DEVICE in its AstDB: it is no FreePBX's",
                switch.name
            );
        }
        let (mut plan, mut pins, mut without) = (Plan::new(site).await?, Pins::default(), vec![]);
        for FoundUser { user, pin } in users {
            let extension = user.extension.clone();
            // Whoever has a PIN here keeps it: he may have chosen it since.
            if site.store.pin(&site.tenant, &extension).await?.is_none() {
                match pin {
                    Ok(pin) => pins.want(extension.clone(), Wanted::Given(pin)),
                    Err(_) if self.how.pins_out.is_some() => pins.want(extension.clone(), Wanted::Made),
                    Err(why) => without.push(format!("{extension} needs a PIN: {why}")),
                }
            }
            let mut known = plan.before.users.get(&extension).cloned().unwrap_or_else(|| {
                let new = User::new(site.tenant.clone(), extension);
                User { class: Some(self.class.clone()), ..new }
            });
            (known.name, known.caller_id, known.mailbox) = (user.name, user.caller_id, user.mailbox);
            known.language = user.language.or(known.language);
            plan.put_user(known);
        }
        for found in devices {
            let known = plan.before.devices.get(&found.name).cloned();
            let location = self.location(site, &mut plan, &found, known.as_ref())?;
            let FoundDevice { name, dial, hotdesk, owner, .. } = found;
            let (tenant, switch) = (site.tenant.clone(), switch.name.clone());
            let known = known.unwrap_or_else(|| Device::new(tenant, name, switch.clone(), dial.clone()));
            plan.put_device(Device { switch, dial, hotdesk, location, owner, ..known });
        }
        let refused = plan.refusals(self.how.force);
        for line in left.iter().map(|left| format!("left out: {left}")).chain(without) {
            writeln!(out, "{line}")?;
        }
        if !refused.is_empty() {
            let lines: Vec<String> =
                refused.iter().map(|(subject, why)| format!("  {subject}: {why}")).collect();
            bail!("nothing was changed:\n{}", lines.join("\n"));
        }
        self.how.carry_out(site, out, plan, pins).await
    }

    /// Where a device stands: where it stood, if an emergency call from there shows what FreePBX says; else at a location
    /// that shows it, and that is made if there is none.
    fn location(
        &self,
        site: &Site,
        plan: &mut Plan<'_>,
        found: &FoundDevice,
        known: Option<&Device>,
    ) -> Result<Option<LocationName>, InvalidId> {
        let stood = known.and_then(|device| device.location.clone());
        let Some(number) = &found.emergency_caller_id else {
            return Ok(stood.or_else(|| self.location.clone()));
        };
        if known.is_some_and(|known| plan.after.emergency_caller_id(known) == Some(number)) {
            return Ok(stood);
        }
        if let Some(there) = showing(&plan.after, number) {
            return Ok(Some(there));
        }
        let name = LocationName::new(format!("cid-{}", number.as_str().trim_start_matches('+')))?;
        let mut location = location::new(site, name.clone());
        location.emergency.caller_id = Some(number.clone());
        plan.put_location(location);
        Ok(Some(name))
    }
}

/// A location whose emergency calls show this number.
fn showing(office: &Office, number: &Number) -> Option<LocationName> {
    let mut locations = office.locations.values();
    let shows = locations.find(|location| location.emergency.caller_id.as_ref() == Some(number));
    shows.map(|location| location.name.clone())
}
