//! `hotdesk check`: checks the store, the configuration and each switch, and says what to do.

mod switch;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::process::ExitCode;

use anyhow::Result;
use futures_util::future::join_all;

use super::context::{Absent, CommandContext};
use super::known::known;
use super::output;
use crate::config::Config;
use crate::controller::check::STORE;
use crate::controller::pepper;
use crate::model::check::Finding;
use crate::model::command::Reads;
use crate::model::directory::{Device, Snapshot, User};
use crate::model::id::TenantId;
use crate::store::Keeps;
use switch::Look;

/// The exit code if no check failed, but some could not be made.
const UNKNOWN: u8 = 3;

#[derive(Debug, clap::Args)]
pub(super) struct Check {
    /// Only read from each switch what an emergency call from each device would show
    #[arg(long)]
    emergency: bool,
    /// As JSON: [{"check", "ok", "found", "do"}]; "ok" is null where a check could not be made, "do" only where something is to be done
    #[arg(long)]
    json: bool,
}

impl Check {
    /// All checks, for people.
    pub(super) const fn all() -> Self {
        Self { emergency: false, json: false }
    }

    pub(super) async fn run(&self, opened: Result<CommandContext>, out: &mut dyn Write) -> Result<ExitCode> {
        self.say(&self.reach(opened).await?, out)
    }

    /// Checks an open store, and the switches.
    pub(super) async fn run_at(&self, site: &CommandContext, out: &mut dyn Write) -> Result<ExitCode> {
        self.say(&self.look(site).await?, out)
    }

    /// Checks every tenant; each finding names its tenant.
    pub(super) async fn every_tenant(
        &self,
        config: &Config,
        tenants: BTreeSet<TenantId>,
        out: &mut dyn Write,
    ) -> Result<ExitCode> {
        let mut findings = vec![];
        for tenant in tenants {
            let opened = CommandContext::open(config.clone(), tenant.clone(), Absent::Refuse).await;
            let named = |it: Finding| Finding { check: format!("{tenant}: {}", it.check), ..it };
            findings.extend(self.reach(opened).await?.into_iter().map(named));
        }
        self.say(&findings, out)
    }

    /// What was found; without a store, that is the finding.
    async fn reach(&self, opened: Result<CommandContext>) -> Result<Vec<Finding>> {
        match opened {
            Ok(site) => self.look(&site).await,
            Err(error) => Ok(vec![no_store(&error)]),
        }
    }

    async fn look(&self, site: &CommandContext) -> Result<Vec<Finding>> {
        let mut findings = match site.snapshot().await {
            Ok(snapshot) => self.findings(site, &snapshot).await?,
            Err(error) => vec![no_store(&error)],
        };
        for finding in &mut findings {
            finding.found = output::plain(&finding.found);
        }
        Ok(findings)
    }

    async fn findings(&self, site: &CommandContext, snapshot: &Snapshot) -> Result<Vec<Finding>> {
        let mut findings = vec![];
        if !self.emergency {
            findings.push(store(site, snapshot).await);
            findings.extend(keeps(site).await);
            findings.extend(keys(site, snapshot).await?);
            findings.extend(users(site, snapshot));
            findings.extend(groups(site, snapshot));
            findings.extend(known(&site.config, &site.tenant).doubts(snapshot));
        }
        let switches = site.config.switches.iter().filter(|switch| switch.has(&site.tenant));
        // Without a pepper nothing has been printed and nothing serves: `keys` says so.
        let peppers = pepper::all(&site.config.store.pepper_file).ok();
        let look = Look { site, snapshot, emergency: self.emergency, peppers: peppers.as_ref() };
        findings.extend(join_all(switches.map(|switch| look.at(switch))).await.concat());
        findings.extend(snapshot.devices.values().filter_map(|device| stray(site, device)));
        Ok(store_first(findings))
    }

    fn say(&self, findings: &[Finding], out: &mut dyn Write) -> Result<ExitCode> {
        match self.json {
            true => output::json(out, &findings)?,
            false => tell(out, findings)?,
        }
        let any = |ok| findings.iter().any(|finding| finding.ok == ok);
        Ok(match () {
            () if any(Some(false)) => ExitCode::FAILURE,
            () if any(None) => ExitCode::from(UNKNOWN),
            () => ExitCode::SUCCESS,
        })
    }
}

fn no_store(error: &anyhow::Error) -> Finding {
    let remedy = "without the store nothing else is checked: do what this asks for, and check again";
    Finding::wrong(STORE, format!("{error:#}"), remedy)
}

fn tell(out: &mut dyn Write, findings: &[Finding]) -> Result<()> {
    for Finding { check, ok, found, remedy } in findings {
        let how = match (ok, remedy) {
            (Some(true), None) => "ok   ",
            (Some(true), Some(_)) => "note ",
            (Some(false), _) => "WRONG",
            (None, _) => "?    ",
        };
        writeln!(out, "{how}  {check}: {found}")?;
        if let Some(remedy) = remedy {
            writeln!(out, "       {remedy}")?;
        }
    }
    let count = |ok| findings.iter().filter(|finding| finding.ok == ok).count();
    match (count(Some(false)), count(None), findings.len()) {
        (0, 0, _) => writeln!(out, "all is well")?,
        (wrong, 0, all) => writeln!(out, "{wrong} of {all} checks failed")?,
        (0, unknown, all) => writeln!(out, "{unknown} of {all} checks could not be made")?,
        (wrong, unknown, all) => {
            writeln!(out, "{wrong} of {all} checks failed, {unknown} could not be made")?
        }
    }
    Ok(())
}

/// Checks that the store takes writes: a store that only answers makes every login fail.
async fn store(site: &CommandContext, snapshot: &Snapshot) -> Finding {
    let Snapshot { revision, users, devices, sessions, .. } = snapshot;
    let (users, devices, sessions) = (users.len(), devices.len(), sessions.len());
    let found = format!("{users} users, {devices} devices, {sessions} logged in, revision {revision}");
    match site.store.probe(&site.tenant).await {
        Ok(()) => Finding::fine(STORE, format!("takes writes; {found}")),
        Err(error) => Finding::wrong(
            STORE,
            format!("does not take a write, so every login and change fails: {error}"),
            "do what the store's answer asks for, and check again",
        ),
    }
}

/// Whether the store keeps what it acknowledges, if it says that it does not, or does not say.
async fn keeps(site: &CommandContext) -> Option<Finding> {
    match site.store.keeps().await {
        Ok(Keeps::Evicts(by)) => {
            let remedy = "redis-cli config set maxmemory-policy noeviction, and the same in redis.conf";
            let found = format!("the store drops data when its memory is full ({by})");
            Some(Finding::wrong(STORE, found, remedy))
        }
        Ok(Keeps::Unknown) => {
            let remedy =
                "allow Hotdesk's user of Redis to run config|get or info, or see that it is noeviction";
            Some(Finding::unknown(STORE, "its maxmemory-policy is unknown", remedy))
        }
        Ok(Keeps::All) | Err(_) => None,
    }
}

/// What is wrong with the store comes first, in place of what is fine.
fn store_first(findings: Vec<Finding>) -> Vec<Finding> {
    let (mut first, others): (Vec<Finding>, Vec<Finding>) =
        findings.into_iter().partition(|finding| finding.check == STORE);
    if first.iter().any(|finding| finding.ok == Some(false)) {
        first.retain(|finding| finding.ok != Some(true));
    }
    first.extend(others);
    first
}

/// Checks that the peppers fit all PINs, and which peppers are needed.
async fn keys(site: &CommandContext, snapshot: &Snapshot) -> Result<Vec<Finding>> {
    const CHECK: &str = "pepper";
    let path = &site.config.store.pepper_file;
    let current = pepper::found(path, &*site.store, site.config.served_tenants()).await;
    let (pepper, others) = match current.and_then(|current| Ok((current, pepper::others(path)?))) {
        Ok(loaded) => loaded,
        Err(error) => {
            let remedy = "repair this first: without a pepper no PIN can be checked";
            return Ok(vec![Finding::wrong(CHECK, error.to_string(), remedy)]);
        }
    };
    let mut made_with = BTreeMap::<String, Vec<String>>::new();
    for (user, record) in site.store.load(&site.tenant, &Reads::pins()).await?.pins {
        if snapshot.users.contains_key(&user) {
            made_with.entry(record.pepper().to_owned()).or_default().push(user.to_string());
        }
    }
    let with = pepper.as_ref().and_then(|pepper| made_with.remove(pepper.name())).unwrap_or_default().len();
    let mut older = vec![];
    for other in others.iter().filter(|other| pepper.as_ref().is_none_or(|now| now.name() != other.name())) {
        let (check, file) = (format!("pepper {}", other.name()), pepper::beside(path, other.name()));
        let file = file.display();
        older.push(match made_with.remove(other.name()) {
            Some(users) => {
                let found = format!("the PINs of {} users still need {file}", users.len());
                Finding::remark(check, found, "each changes to the current pepper when its user logs in")
            }
            None => {
                let found = format!("no PIN of the tenant {} needs {file}", site.tenant);
                Finding::remark(check, found, "when this is true for every tenant, install every dialplan again, and then delete the file")
            }
        });
    }
    let path = path.display();
    let unknown: Vec<String> = made_with.into_values().flatten().collect();
    let current = if !unknown.is_empty() {
        Finding::wrong(
            CHECK,
            format!("the PINs of {} were made with another pepper than {path}", unknown.join(", ")),
            "put back the file they were made with, or give these users new PINs: hotdesk user pin EXT",
        )
    } else if pepper.is_none() {
        Finding::fine(CHECK, format!("{path} is not there yet: the first start makes it"))
    } else {
        let all = if older.is_empty() { "all " } else { "" };
        Finding::fine(CHECK, format!("{path} fits {all}{with} PINs"))
    };
    Ok([vec![current], older].concat())
}

fn users(site: &CommandContext, snapshot: &Snapshot) -> Vec<Finding> {
    let unmatched = snapshot.users.keys().filter(|user| !site.config.of(&site.tenant).reaches(user));
    let wrong = |user| {
        Finding::wrong(
            format!("user {user}"),
            "calls to this extension do not reach this user: no pattern of [dialplan] users matches it",
            "add a pattern, then hotdesk dialplan install",
        )
    };
    unmatched.map(wrong).collect()
}

/// Finds groups that a user cannot distinguish on the keys of a phone.
fn groups(site: &CommandContext, snapshot: &Snapshot) -> Vec<Finding> {
    let book = site.config.book();
    let codes = book.of(&site.tenant);
    let alike = |user: &User| -> Option<Finding> {
        let names = || user.profile.groups.keys();
        let alike = names().filter(|name| !codes.can_mean(name, names()));
        let names = output::joined(alike, ", ");
        let check = format!("groups of user {}", user.extension);
        let found = format!(
            "{names} are spelled alike on a phone, so the user can sign in to none of them by a code"
        );
        (!names.is_empty()).then(|| Finding::wrong(check, found, "give them a `number` in their [[group]]"))
    };
    snapshot.users.values().filter_map(alike).collect()
}

fn stray(site: &CommandContext, device: &Device) -> Option<Finding> {
    let Device { name, switch, .. } = device;
    let configured = site.config.switch(switch).is_some_and(|switch| switch.has(&site.tenant));
    (!configured).then(|| {
        Finding::wrong(
            format!("device {name}"),
            format!("its switch {switch} is not in the configuration"),
            format!("add that [[switch]], or: hotdesk device set {name} --switch NAME"),
        )
    })
}
