//! A plain Asterisk: its phones are named as extensions, and their context is changed.

use std::collections::BTreeSet;
use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, anyhow, bail, ensure};
use async_trait::async_trait;
use tokio::time::{Instant, sleep};

use super::answers::{Answers, Questions};
use super::apply::{PATIENCE, PAUSE, fails};
use super::change::Change;
use super::console::{AsteriskProgram, Console};
use super::named::{dialplan_table, named_as_extensions};
use super::new_config::value;
use super::site::{Changes, Made, Site};
use crate::asterisk::conf::site::{Site as Files, Wanted};
use crate::asterisk::conf::{ManagerAddress, Phone, names_phones};
use crate::asterisk::devices::endpoints::endpoints;
use crate::cli::connected::Connected;
use crate::cli::context::CommandContext;
use crate::cli::import::pins::Pins;
use crate::cli::output;
use crate::cli::plan::Plan;
use crate::model::directory::{CallerId, Snapshot, User};
use crate::model::id::{DisplayName, Extension, TenantId};

/// The page with the same steps by hand.
const PAGE: &str = "docs/existing-extensions.md has the steps to do it by hand";
/// The default of the configuration.
const AGI: &str = "127.0.0.1:4573";

pub(super) struct PlainAsterisk {
    program: AsteriskProgram,
    dir: PathBuf,
    sounds: PathBuf,
    agi: Option<SocketAddr>,
    files: Files,
    phones: Vec<Phone>,
    users: Vec<(Extension, Option<DisplayName>)>,
    emergency_context: String,
}

/// The manager interface as Hotdesk's user reaches it, which may log in from this machine only.
pub(super) fn local(manager: ManagerAddress) -> Result<ManagerAddress> {
    ensure!(
        manager.host == "127.0.0.1",
        "nothing was changed: bindaddr of manager.conf is {}, and Hotdesk's user may log in from 127.0.0.1 only: \
         dialplan/README.md has the steps to do it by hand",
        manager.host
    );
    Ok(manager)
}

impl PlainAsterisk {
    pub(super) fn new(
        program: AsteriskProgram,
        (dir, sounds): (&Path, &Path),
        agi: Option<SocketAddr>,
        questions: &mut Questions,
    ) -> Result<Self> {
        let files = Files::read(dir).with_context(|| format!("nothing was changed: {PAGE}"))?;
        local(files.manager())?;
        let known = files.phones();
        let offered: Vec<&str> =
            known.iter().filter(|phone| phone.is_extension).map(|phone| phone.name.as_str()).collect();
        let all = output::joined(&offered, ",");
        let chosen = questions.phones(&offered, "Endpoints named as extensions", "")?;
        let phone = |name: &String| {
            let phone = known.iter().find(|phone| phone.name == *name).cloned();
            phone.ok_or_else(|| {
                anyhow!("nothing was changed: pjsip.conf has no endpoint {name}; it has {all}")
            })
        };
        let phones = chosen.iter().map(phone).collect::<Result<Vec<Phone>>>()?;
        ensure!(
            !phones.is_empty(),
            "nothing was changed: no endpoint of pjsip.conf is named as an extension. Name phones with --phones; those of \
             pjsip_wizard.conf, sip.conf or a database cannot be changed here: docs/existing-extensions.md has the steps to do \
             it by hand"
        );
        let contexts: BTreeSet<&str> = phones.iter().map(|phone| phone.context.as_str()).collect();
        let contexts = contexts.into_iter().collect::<Vec<_>>();
        let emergency_context = match (questions.emergency_context.take(), &contexts[..]) {
            (Some(named), _) => named.to_string(),
            (None, [only]) => (*only).to_owned(),
            (None, several) => bail!(
                "nothing was changed: the phones are in several contexts ({}): name the one that sends emergency calls out \
                 with --emergency-context",
                output::joined(several, ", ")
            ),
        };
        let users = users(&phones, std::mem::take(&mut questions.user))?;
        let (dir, sounds) = (dir.to_owned(), sounds.to_owned());
        Ok(Self { program, dir, sounds, agi, files, phones, users, emergency_context })
    }
}

/// The users whose phones become hotdesks, and those that are named.
fn users(
    phones: &[Phone],
    named: Vec<(Extension, Option<DisplayName>)>,
) -> Result<Vec<(Extension, Option<DisplayName>)>> {
    let mut users = vec![];
    for phone in phones.iter().filter(|phone| phone.is_extension) {
        let name = phone.caller_name.as_ref().and_then(|name| name.parse().ok());
        users.push((phone.name.parse::<Extension>()?, name));
    }
    for (extension, name) in named {
        users.retain(|(known, _)| *known != extension);
        users.push((extension, name));
    }
    Ok(users)
}

#[async_trait(?Send)]
impl Site for PlainAsterisk {
    fn console(&self) -> Console {
        Console::Asterisk(self.program.clone())
    }

    fn folders(&self) -> (&Path, &Path) {
        (&self.dir, &self.sounds)
    }

    fn tables(&self, users: &BTreeSet<String>) -> String {
        dialplan_table(users)
    }

    fn keys(&self) -> String {
        let ManagerAddress { host, port } = self.files.manager();
        let agi = self.agi.map_or_else(|| AGI.to_owned(), |agi| agi.to_string());
        format!("ami = {}\nagi_listen = {}\n", value(format!("{host}:{port}")), value(agi))
    }

    fn emergency_context(&self) -> Option<&str> {
        Some(&self.emergency_context)
    }

    fn secret_file(&self) -> &'static str {
        "ami.secret"
    }

    fn phones(&self) -> Vec<&str> {
        self.phones.iter().map(|phone| phone.name.as_str()).collect()
    }

    async fn directory<'a>(
        &self,
        context: &'a CommandContext,
        answers: &Answers,
    ) -> Result<(Plan<'a>, Pins)> {
        let mut users = vec![];
        for (extension, name) in &self.users {
            let mut user = User::new(context.tenant.clone(), extension.clone());
            user.name.clone_from(name);
            if let Some(phone) = self.phones.iter().find(|phone| phone.name == extension.as_str()) {
                user.class = Some(phone.context.parse()?);
                user.mailbox = phone.mailbox.as_ref().and_then(|mailbox| mailbox.parse().ok());
                let number = phone.caller_number.as_ref().filter(|number| **number != phone.name);
                let number = number.and_then(|number| number.parse().ok());
                user.caller_id = number.map_or(CallerId::Extension, CallerId::Number);
            }
            users.push(user);
        }
        let usual = self.phones.first().map_or("", |phone| phone.context.as_str());
        let dial = |name: &str| format!("PJSIP/{name}");
        named_as_extensions(context, answers, users, (&self.phones(), usual), dial).await
    }

    fn change(&self, after: &Snapshot, answers: &Answers) -> Result<Changes> {
        let classes = after.users.values().filter_map(|user| user.class.as_ref()).map(ToString::to_string);
        let wanted = Wanted {
            hotdesks: &self.phones.iter().map(|phone| phone.name.clone()).collect(),
            users: &after.users.keys().map(ToString::to_string).collect(),
            emergency_numbers: &answers.emergency_numbers.iter().map(ToString::to_string).collect::<Vec<_>>(),
            emergency_context: &self.emergency_context,
            classes: &classes.collect(),
        };
        let mut notes = names_phones(&self.dir, wanted.hotdesks);
        if self.files.outside(wanted.hotdesks).is_empty() {
            notes.push(
                "no endpoint is found whose context only calls from outside use. So that a call back after an emergency call \
                 reaches the phone, add the line of docs/emergency.md"
                    .into(),
            );
        }
        let changes = self.files.clone().change(&wanted).context(PAGE)?;
        Ok(Changes { changes: changes.into_iter().map(Change::from).collect(), notes })
    }

    fn new_files(&self, _: &str) -> Vec<(PathBuf, String)> {
        vec![]
    }

    fn reads_users(&self) -> &'static str {
        "manager reload"
    }

    async fn change_phones(&self, made: Made<'_>, out: &mut dyn Write) -> Result<()> {
        let (switch, tenant) = (made.prepared.switch()?, TenantId::default());
        fails(&made.inspected.past_hotdesk(&tenant, made.snapshot, None).await?)?;
        made.write_rows().await?;
        self.console().run("module reload res_pjsip.so").await?;
        let asterisk = Connected::asterisk(switch).await?;
        let deadline = Instant::now() + PATIENCE;
        loop {
            let known = endpoints(&asterisk.to, &tenant, &switch.tenants).await?;
            let moved =
                |name: &&str| known.get(&format!("PJSIP/{name}")).is_some_and(|endpoint| endpoint.hotdesk);
            match self.phones().into_iter().find(|name| !moved(name)) {
                None => break,
                Some(phone) if Instant::now() > deadline => {
                    bail!(
                        "Asterisk has reloaded pjsip.conf, and the calls of {phone} still do not go to Hotdesk"
                    )
                }
                Some(_) => sleep(PAUSE).await,
            }
        }
        writeln!(out, "{} phones are hotdesks", self.phones.len())?;
        Ok(())
    }
}
