//! `hotdesk explain`: why a phone, or a user's calls, behave as they do now.

mod rows;

use std::io::Write;

use anyhow::{Context as _, bail};
use futures_util::future::join_all;

use super::connected::Connected;
use super::print;
use super::serve;
use super::site::Site;
use crate::config::{Kind, Layout, Switch};
use crate::controller::inspect;
use crate::desk::id::{DeviceName, Extension, Revision};
use crate::desk::journal::Entry;
use crate::desk::model::{Binding, Device, Office, User};
use crate::desk::profile::When;
use crate::desk::table::{self, Scope, Table};
use crate::freeswitch::moddb::ModDb;
use crate::switch::Switch as _;

/// How many of the last acts are shown.
const ACTS: usize = 5;
/// How far back they are looked for, in entries of the journal.
const BACK: u64 = 2_000;

#[derive(Debug, clap::Args)]
pub(super) struct Explain {
    /// A device or a user's extension
    #[arg(value_name = "DEVICE|USER")]
    who: String,
    /// It is a device, also if there is a user with such an extension
    #[arg(long)]
    device: bool,
}

/// Who or what is explained.
enum Subject {
    Device(Device),
    User(User),
}

impl Subject {
    fn scope(&self) -> Scope {
        match self {
            Self::Device(device) => Scope::device(&device.name),
            Self::User(user) => Scope::user(&user.extension),
        }
    }
}

impl Explain {
    pub(super) async fn run(self, site: &Site, out: &mut dyn Write) -> anyhow::Result<()> {
        let (subject, office) = self.subject(site).await?;
        match &subject {
            Subject::Device(device) => of_device(site, out, device, &office).await?,
            Subject::User(user) => of_user(site, out, user, &office).await?,
        }
        let scope = subject.scope().widened_to(&office);
        let switches: Vec<&Switch> =
            site.config.switches.iter().filter(|switch| switch.has(&site.tenant)).collect();
        let held = join_all(switches.iter().map(|switch| held(site, switch, &scope, &office))).await;
        for (switch, held) in switches.iter().zip(held) {
            writeln!(out, "\nOn {}", switch.name)?;
            if switch.layout == Layout::FreePbx {
                writeln!(
                    out,
                    "  a FreePBX: of this it holds who sits where; all else of a call is as it has it itself"
                )?;
            }
            let mut wanted = table::wanted(&office, &switch.name, &site.config.reach(switch, &site.tenant));
            wanted.retain(|key, _| scope.contains(key));
            match held {
                Ok(held) => rows::compare(out, &wanted, &held)?,
                Err(why) => {
                    writeln!(out, "  {why:#}\n  it should hold:")?;
                    rows::compare(out, &wanted, &wanted)?;
                }
            }
        }
        writeln!(out, "\nWhat happened last")?;
        let last = last_acts(site, &scope).await?;
        if last.is_empty() {
            writeln!(out, "  nothing that the journal still has")?;
        }
        for entry in last {
            writeln!(out, "  {}  {entry}", print::time(entry.at))?;
        }
        Ok(())
    }

    async fn subject(&self, site: &Site) -> anyhow::Result<(Subject, Office)> {
        if let Some(extension) = Extension::new(&self.who).ok().filter(|_| !self.device) {
            let office = site.office_of_user(&extension).await?;
            if let Some(user) = office.users.get(&extension).cloned() {
                return Ok((Subject::User(user), office));
            }
        }
        if let Ok(name) = DeviceName::new(&self.who) {
            let office = site.store.office(&site.tenant, &Scope::device(&name)).await?;
            if let Some(device) = office.devices.get(&name).cloned() {
                return Ok((Subject::Device(device), office));
            }
        }
        bail!("there is neither a device nor a user {}: hotdesk device list, hotdesk user list", self.who)
    }
}

/// Who sits at a device, and whose it is.
async fn of_device(site: &Site, out: &mut dyn Write, device: &Device, office: &Office) -> anyhow::Result<()> {
    let Device { name, switch, dial, owner, location, .. } = device;
    writeln!(out, "{} {name}: {dial} on {switch}, at {}", device.kind, print::or_dash(location.as_ref()))?;
    if !device.hotdesk {
        writeln!(out, "  nobody may log in here: it is not for hotdesking")?;
    }
    let here = office.bindings.get(name);
    match (here, office.user_at(name)) {
        (Some(binding), _) => seated(site, out, binding, office).await?,
        (None, Some(owner)) => {
            writeln!(out, "  {} owns it, and nobody is logged in here", named(office, owner))?
        }
        (None, None) => {
            writeln!(out, "  nobody sits here: it can call for help, dial codes and its short list")?
        }
    }
    let absent = owner.as_ref().filter(|owner| office.user_at(name) != Some(*owner));
    if let Some(owner) = absent {
        let why = match here {
            Some(_) => "gets it back when the guest is logged out",
            None => "is logged in elsewhere, and gets it back at logout",
        };
        writeln!(out, "  its owner {} {why}", named(office, owner))?;
    }
    Ok(())
}

/// Where a user is, and what he switched himself.
async fn of_user(site: &Site, out: &mut dyn Write, user: &User, office: &Office) -> anyhow::Result<()> {
    writeln!(out, "user {}", named(office, &user.extension))?;
    if !user.hotdesk {
        writeln!(out, "  may not log in at devices")?;
    }
    for binding in office.bindings_of(&user.extension) {
        seated(site, out, binding, office).await?;
    }
    let his = office.devices.values().filter(|device| {
        office.user_at(&device.name) == Some(&user.extension) && !office.bindings.contains_key(&device.name)
    });
    for device in his {
        writeln!(out, "  his own {} {}", device.kind, device.name)?;
    }
    for device in
        office.devices.values().filter(|device| office.user_at(&device.name) == Some(&user.extension))
    {
        if !office.rings(&device.name, user) {
            writeln!(out, "  {} does not ring: he switched it off", device.name)?;
        }
    }
    let profile = &user.profile;
    if profile.do_not_disturb {
        writeln!(out, "  is not to be disturbed: nothing rings")?;
    }
    for (what, when) in [
        ("all his calls", When::Always),
        ("calls while he is busy", When::Busy),
        ("unanswered calls", When::Unanswered),
    ] {
        if let Some(to) = profile.forward.to(when) {
            writeln!(out, "  {what} go to {to}")?;
        }
    }
    Ok(())
}

/// Who sits where, since when, and how he came there.
async fn seated(site: &Site, out: &mut dyn Write, binding: &Binding, office: &Office) -> anyhow::Result<()> {
    let Binding { user, device, since, revision } = binding;
    let before = Revision(revision.0.saturating_sub(1));
    let login = site.store.journal(&site.tenant, before, 1).await?;
    let login = login.into_iter().find(|entry| entry.revision == *revision);
    let how = match &login {
        Some(Entry { by, code: Some(code), .. }) => format!(", by {by}, with {code}"),
        Some(Entry { by, .. }) => format!(", by {by}"),
        None => String::new(),
    };
    let since = print::time(*since);
    writeln!(out, "  {} sits at {device} since {since}{how} (revision {revision})", named(office, user))?;
    Ok(())
}

fn named(office: &Office, user: &Extension) -> String {
    match office.users.get(user).and_then(|user| user.name.as_ref()) {
        Some(name) => format!("{user} ({name})"),
        None => user.to_string(),
    }
}

/// The rows of `scope` as the switch has them.
async fn held(site: &Site, switch: &Switch, scope: &Scope, office: &Office) -> anyhow::Result<Table> {
    let tenant = &site.tenant;
    let reach = site.config.reach(switch, tenant);
    let wanted = table::wanted(office, &switch.name, &reach);
    let read = match switch.kind {
        Kind::Asterisk => {
            let connected = Connected::asterisk(switch).await?;
            let table = serve::asterisk::table(switch, &connected.to, tenant, reach.groups);
            table.read(scope, &wanted).await
        }
        Kind::FreeSwitch => {
            let connected = Connected::freeswitch(switch).await?;
            ModDb::new(connected.to.clone(), tenant.clone()).with(&reach.groups).read(scope, &wanted).await
        }
    };
    read.context("it does not tell what it holds")
}

/// The last acts about `scope`, the last one first.
async fn last_acts(site: &Site, scope: &Scope) -> anyhow::Result<Vec<Entry>> {
    let (users, devices) = match scope {
        Scope::All => return Ok(vec![]),
        Scope::Some { users, devices } => (users, devices),
    };
    let next = site.store.revision_at(&site.tenant, jiff::Timestamp::MAX).await?;
    let from = Revision(next.0.saturating_sub(BACK));
    let entries = site.store.journal(&site.tenant, from, usize::try_from(BACK)?).await?;
    let about = |entry: &&Entry| inspect::is_about(entry, users, devices);
    Ok(entries.iter().rev().filter(about).take(ACTS).cloned().collect())
}
