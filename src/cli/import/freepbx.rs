//! `hotdesk import freepbx`: users and devices of a FreePBX.

use std::collections::BTreeSet;
use std::io::Write;

use anyhow::{Context as _, Result, bail, ensure};

use super::how::How;
use super::pins::{Pins, Wanted};
use crate::asterisk::freepbx::{self, Found, FoundDevice, FoundUser};
use crate::cli::connected::{self, Connected};
use crate::cli::context::CommandContext;
use crate::cli::plan::Plan;
use crate::cli::{location, output};
use crate::config::{Kind, Switch};
use crate::model::directory::{Device, Snapshot, User};
use crate::model::id::{Context, DeviceName, InvalidId, LocationName, SwitchName};

#[derive(Debug, clap::Args)]
pub(super) struct FreePbx {
    /// Switch that the FreePBX manages: a [[switch]] name
    #[arg(long, value_name = "S")]
    switch: SwitchName,
    /// Extensions of the phones where users log in, if the FreePBX is in Extensions mode; they become devices and no users
    #[arg(long, value_name = "EXT,...", value_delimiter = ',')]
    desks: Vec<DeviceName>,
    /// Class of service of new users
    #[arg(long, value_name = "CONTEXT", default_value = "from-internal")]
    class: Context,
    /// Location of devices without an emergency_cid in FreePBX that have no location yet
    #[arg(long, value_name = "L")]
    location: Option<LocationName>,
}

impl FreePbx {
    pub(super) async fn run(self, context: &CommandContext, how: &How, out: &mut dyn Write) -> Result<()> {
        let switch = context.switch(&self.switch)?;
        let name = &switch.name;
        ensure!(
            switch.kind == Kind::Asterisk,
            "the switch {name} is a FreeSWITCH, but FreePBX manages an Asterisk: name another --switch"
        );
        let asterisk = Connected::asterisk(switch).await?;
        let freepbx =
            freepbx::FreePbx::read(&asterisk.to).await.with_context(|| connected::refused(switch))?;
        let (mut plan, mut pins) = (Plan::new(context).await?, Pins::default());
        let all = freepbx.found(&context.tenant, &BTreeSet::new());
        let desks = desks(&self.desks, &all, switch, &plan.before)?;
        let found = freepbx.found(&context.tenant, &desks);
        ensure!(
            !(found.users.is_empty() && found.devices.is_empty() && found.left.is_empty()),
            "the switch {name} has no AMPUSER and no DEVICE in its AstDB, so no FreePBX manages it"
        );
        let records = Records {
            switch: name,
            class: &self.class,
            location: self.location.as_ref(),
            make_pins: how.pins_out.is_some(),
        };
        let said = records.put(found, &desks, context, (&mut plan, &mut pins)).await?;
        let refused = plan.refusals(how.force);
        said.iter().for_each(output::note);
        if !plan.after.devices.values().any(|device| device.hotdesk && device.switch == *name) {
            output::note("no user can log in at any of these devices yet: name the desks, --desks 201,202");
        }
        for desk in desks.iter().filter(|desk| plan.after.users.keys().any(|it| it.as_str() == desk.as_str()))
        {
            output::note(format_args!("{desk} is a desk and also a user: hotdesk user remove {desk}"));
        }
        let lines = refused.iter().map(|(subject, why)| format!("  {subject}: {why}"));
        ensure!(refused.is_empty(), "nothing was changed:\n{}", output::joined(lines, "\n"));
        how.carry_out(context, out, plan, pins).await
    }
}

/// How the users and devices of a FreePBX become records of the store.
pub(in crate::cli) struct Records<'a> {
    pub(in crate::cli) switch: &'a SwitchName,
    /// The class of service of new users.
    pub(in crate::cli) class: &'a Context,
    /// The location of devices without an emergency_cid that have none yet.
    pub(in crate::cli) location: Option<&'a LocationName>,
    /// Whether users whose password in FreePBX cannot be a PIN get a new one.
    pub(in crate::cli) make_pins: bool,
}

impl Records<'_> {
    /// Adds them to a plan, and says what is left out.
    pub(in crate::cli) async fn put(
        &self,
        Found { users, devices, left }: Found,
        desks: &BTreeSet<DeviceName>,
        context: &CommandContext,
        (plan, pins): (&mut Plan<'_>, &mut Pins),
    ) -> Result<Vec<String>> {
        let mut said: Vec<String> = left.iter().map(|left| format!("left out: {left}")).collect();
        for FoundUser { user, pin } in users {
            let extension = user.extension.clone();
            // A user who has a PIN here keeps it: it may be newer than the one in FreePBX.
            if context.store.pin(&context.tenant, &extension).await?.is_none() {
                match pin {
                    Ok(pin) => pins.want(extension.clone(), Wanted::Given(pin)),
                    Err(_) if self.make_pins => pins.want(extension.clone(), Wanted::Made),
                    Err(why) => said.push(format!("{extension} needs a PIN: {why}")),
                }
            }
            let mut known = plan.before.users.get(&extension).cloned().unwrap_or_else(|| {
                let new = User::new(context.tenant.clone(), extension);
                User { class: Some(self.class.clone()), ..new }
            });
            (known.name, known.caller_id, known.mailbox) = (user.name, user.caller_id, user.mailbox);
            known.language = user.language.or(known.language);
            plan.put_user(known);
        }
        for found in devices {
            let known = plan.before.devices.get(&found.name).cloned();
            let location = self.location(context, plan, &found, known.as_ref())?;
            // What the administrator chose for a fixed device stays.
            let chosen = known.as_ref().is_some_and(|known| known.hotdesk);
            let hotdesk = found.adhoc || desks.contains(&found.name) || chosen;
            let FoundDevice { name, dial, owner, .. } = found;
            let (tenant, switch) = (context.tenant.clone(), self.switch.clone());
            let known = known.unwrap_or_else(|| Device::new(tenant, name, switch.clone(), dial.clone()));
            plan.put_device(Device { switch, dial, hotdesk, location, owner, ..known });
        }
        Ok(said)
    }

    /// The location of a device: its known one if the emergency caller ID agrees with FreePBX, else one that has that caller
    /// ID, which is added if there is none.
    fn location(
        &self,
        context: &CommandContext,
        plan: &mut Plan<'_>,
        found: &FoundDevice,
        known: Option<&Device>,
    ) -> Result<Option<LocationName>, InvalidId> {
        let current = known.and_then(|device| device.location.clone());
        let Some(number) = &found.emergency_caller_id else {
            return Ok(current.or_else(|| self.location.cloned()));
        };
        if known.is_some_and(|known| plan.after.emergency_caller_id(known) == Some(number)) {
            return Ok(current);
        }
        let mut locations = plan.after.locations.values();
        if let Some(shows_it) = locations.find(|it| it.emergency.caller_id.as_ref() == Some(number)) {
            return Ok(Some(shows_it.name.clone()));
        }
        let name = LocationName::new(format!("cid-{}", number.as_str().trim_start_matches('+')))?;
        let mut location = location::new(context, name.clone());
        location.emergency.caller_id = Some(number.clone());
        plan.put_location(location);
        Ok(Some(name))
    }
}

/// The desks: the named ones, and those that were desks before.
pub(in crate::cli) fn desks(
    named: &[DeviceName],
    found: &Found,
    switch: &Switch,
    before: &Snapshot,
) -> Result<BTreeSet<DeviceName>> {
    let mut desks = BTreeSet::new();
    for name in named {
        match found.devices.iter().find(|device| device.name == *name) {
            Some(device) if device.own => drop(desks.insert(name.clone())),
            Some(device) if device.adhoc => {}
            Some(_) => bail!(
                "device {name} cannot be a desk: it is fixed, and its default user in FreePBX is another extension"
            ),
            None => bail!("--desks {name}: the FreePBX has no PJSIP device of this name"),
        }
    }
    let was_desk = |name: &DeviceName| {
        let known = before.devices.get(name).filter(|known| known.switch == switch.name);
        known.is_some_and(|known| known.hotdesk && known.owner.is_none())
    };
    let own = found.devices.iter().filter(|device| device.own);
    desks.extend(own.map(|device| device.name.clone()).filter(was_desk));
    Ok(desks)
}
