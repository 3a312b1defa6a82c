//! A FreePBX: its phones and its dialplan stay as they are, and Hotdesk is included into the site's own files.

use std::collections::BTreeSet;
use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail, ensure};
use async_trait::async_trait;

use super::answers::{Answers, Questions};
use super::asterisk::local;
use super::change::Change;
use super::console::{AsteriskProgram, Console};
use super::new_config::{switch_name, value};
use super::site::{Changes, Made, Site};
use crate::asterisk::conf::custom::Custom;
use crate::asterisk::freepbx::{self, Found, FoundDevice};
use crate::cli::context::CommandContext;
use crate::cli::import::files;
use crate::cli::import::freepbx::Records;
use crate::cli::import::pins::Pins;
use crate::cli::plan::Plan;
use crate::model::directory::location::Location;
use crate::model::directory::{Device, Snapshot};
use crate::model::id::{DeviceName, EmergencyNumber, TenantId};

/// The page with the same steps by hand.
const PAGE: &str = "docs/freepbx.md has the steps to do it by hand";
/// The context of the phones of a FreePBX, and the class of service of its users.
const CLASS: &str = "from-internal";

pub(super) struct FreePbx {
    program: AsteriskProgram,
    dir: PathBuf,
    sounds: PathBuf,
    agi: Option<SocketAddr>,
    /// `host:port` of its manager interface.
    manager: String,
    rows: freepbx::FreePbx,
    desks: BTreeSet<DeviceName>,
    /// Those of Extensions mode: their extensions are no users, and they have no owner.
    fixed: BTreeSet<DeviceName>,
}

impl FreePbx {
    pub(super) async fn new(
        program: AsteriskProgram,
        (dir, sounds): (&Path, &Path),
        agi: Option<SocketAddr>,
        questions: &mut Questions,
    ) -> Result<Self> {
        if let Some((user, _)) = questions.user.first() {
            bail!(
                "nothing was changed: the users of a FreePBX are its extensions. Add {user} there, not with --user"
            );
        }
        let files = Custom::read(dir).with_context(|| format!("nothing was changed: {PAGE}"))?;
        let manager = local(files.manager().clone())?;
        let console = Console::FreePbx(program.clone());
        let (users, devices) = ("database show AMPUSER", "database show DEVICE");
        let rows = freepbx::FreePbx::shown(&console.run(users).await?, &console.run(devices).await?);
        let Found { devices, .. } = rows.found(&TenantId::default(), &BTreeSet::new());
        ensure!(
            !devices.is_empty(),
            "nothing was changed: the FreePBX has no PJSIP device: add extensions there, and *Apply Config*"
        );
        let desks = desks(&devices, questions)?;
        let is_fixed = |device: &&FoundDevice| !device.adhoc && desks.contains(&device.name);
        let fixed = devices.iter().filter(is_fixed).map(|device| device.name.clone()).collect();
        let (dir, sounds) = (dir.to_owned(), sounds.to_owned());
        let manager = format!("{}:{}", manager.host, manager.port);
        Ok(Self { program, dir, sounds, agi, manager, rows, desks, fixed })
    }

    /// An error if a number would not leave: FreePBX has no route for it.
    pub(super) async fn refuse_lost(&self, numbers: &[EmergencyNumber]) -> Result<()> {
        for number in numbers {
            let shown = self.console().run(&format!("dialplan show {number}@{CLASS}")).await?;
            ensure!(
                !shown.contains("There is no existence of"),
                "nothing was changed: FreePBX has no outbound route for {number}: add one (Connectivity, Outbound Routes), and \
                 *Apply Config*"
            );
        }
        Ok(())
    }

    /// Whether a desk shows no number of its own in emergency calls.
    pub(super) fn lacks_caller_id(&self) -> bool {
        !self.without_caller_id().is_empty()
    }

    fn without_caller_id(&self) -> Vec<DeviceName> {
        let found = self.rows.found(&TenantId::default(), &self.fixed).devices.into_iter();
        let lacks = found.filter(|it| self.desks.contains(&it.name) && it.emergency_caller_id.is_none());
        lacks.map(|device| device.name).collect()
    }
}

/// The desks: of type `adhoc` in Device & User mode, else extensions that the administrator names.
fn desks(devices: &[FoundDevice], questions: &mut Questions) -> Result<BTreeSet<DeviceName>> {
    let named = |device: &FoundDevice| device.name.to_string();
    let adhoc: Vec<String> = devices.iter().filter(|device| device.adhoc).map(named).collect();
    let own: Vec<String> = devices.iter().filter(|device| device.own).map(named).collect();
    let chosen = if adhoc.is_empty() {
        let own: Vec<&str> = own.iter().map(String::as_str).collect();
        let chosen = questions.phones(
            &own,
            "This FreePBX is in Extensions mode. A desk has no user of its own",
            "",
        )?;
        ensure!(
            chosen.len() < own.len(),
            "nothing was changed: the extension of a desk is no user, so not all of them can be desks: name them with --phones"
        );
        chosen
    } else {
        let adhoc: Vec<&str> = adhoc.iter().map(String::as_str).collect();
        questions.phones(&adhoc, "This FreePBX is in Device & User mode. Devices of type adhoc", "all")?
    };
    let mut desks = BTreeSet::new();
    for name in chosen {
        match devices.iter().find(|device| device.name.as_str() == name) {
            Some(device) if device.adhoc || device.own => drop(desks.insert(device.name.clone())),
            Some(_) => bail!(
                "nothing was changed: device {name} cannot be a desk: it is fixed, and its default user in FreePBX is another \
                 extension"
            ),
            None => bail!("nothing was changed: the FreePBX has no PJSIP device {name}"),
        }
    }
    Ok(desks)
}

#[async_trait(?Send)]
impl Site for FreePbx {
    fn console(&self) -> Console {
        Console::FreePbx(self.program.clone())
    }

    fn folders(&self) -> (&Path, &Path) {
        (&self.dir, &self.sounds)
    }

    fn tables(&self, _: &BTreeSet<String>) -> String {
        "[codes]\npresets = [\"freepbx\"]\n".into()
    }

    fn keys(&self) -> String {
        let agi = self.agi.map(|agi| format!("agi_listen = {}\n", value(agi)));
        format!("layout = \"freepbx\"\nami = {}\n{}", value(&self.manager), agi.unwrap_or_default())
    }

    /// FreePBX's own routes send emergency calls out.
    fn emergency_context(&self) -> Option<&str> {
        None
    }

    fn secret_file(&self) -> &'static str {
        "ami.secret"
    }

    fn phones(&self) -> Vec<&str> {
        self.desks.iter().map(|desk| desk.as_str()).collect()
    }

    async fn directory<'a>(
        &self,
        context: &'a CommandContext,
        answers: &Answers,
    ) -> Result<(Plan<'a>, Pins)> {
        let (mut plan, mut pins) = (Plan::new(context).await?, Pins::default());
        let (switch, class) = (switch_name()?, CLASS.parse()?);
        if let Some(caller_id) = &answers.caller_id {
            let mut office =
                Location::new(context.tenant.clone(), answers.location.clone(), answers.zone.clone());
            office.emergency.caller_id = Some(caller_id.clone());
            plan.put_location(office);
        }
        let location = answers.caller_id.as_ref().map(|_| &answers.location);
        let records = Records { switch: &switch, class: &class, location, make_pins: true };
        let found = self.rows.found(&context.tenant, &self.fixed);
        records.put(found, &self.fixed, context, (&mut plan, &mut pins)).await?;
        // Each place has the zone that was answered, and only the chosen phones are hotdesks.
        for place in plan.after.locations.values().cloned().collect::<Vec<_>>() {
            plan.put_location(Location { zone: answers.zone.clone(), ..place });
        }
        for device in plan.after.devices.values().cloned().collect::<Vec<_>>() {
            let hotdesk = self.desks.contains(&device.name);
            plan.put_device(Device { hotdesk, ..device });
        }
        if let Some(sheet) = &answers.sheet {
            let known: BTreeSet<_> = plan.after.users.keys().cloned().collect();
            (plan, pins) = files::read(std::slice::from_ref(sheet), context, (plan, pins), false)?;
            if let Some(strange) = plan.after.users.keys().find(|user| !known.contains(*user)) {
                bail!(
                    "nothing was changed: {} names the user {strange}, and FreePBX has no such user",
                    sheet.display()
                );
            }
        }
        pins.compare(context, &mut plan).await?;
        Ok((plan, pins))
    }

    fn change(&self, after: &Snapshot, _: &Answers) -> Result<Changes> {
        let mut notes = self.rows.found(&TenantId::default(), &self.fixed).left;
        notes.iter_mut().for_each(|left| left.insert_str(0, "left out: "));
        for desk in self.without_caller_id() {
            let number = after.devices.get(&desk).and_then(|device| after.emergency_caller_id(device));
            notes.push(format!(
                "{desk} has no Emergency CID in FreePBX, and only FreePBX can have one: enter {} on its page, and *Apply Config*",
                number.map_or_else(String::new, ToString::to_string)
            ));
        }
        let changes = Custom::read(&self.dir).context(PAGE)?.change();
        Ok(Changes { changes: changes.into_iter().map(Change::from).collect(), notes })
    }

    fn new_files(&self, _: &str) -> Vec<(PathBuf, String)> {
        vec![]
    }

    fn reads_users(&self) -> &'static str {
        "manager reload"
    }

    /// The phones stay as they are, and no row is written: the first `hotdesk serve` compares them.
    async fn change_phones(&self, _: Made<'_>, _: &mut dyn Write) -> Result<()> {
        Ok(())
    }

    fn to_dial(&self, user: &str) -> String {
        format!("*11{user} and enter the PIN")
    }
}
