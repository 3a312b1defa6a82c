//! `hotdesk check`: whether all is well, and what to do if not.

mod switch;

use std::collections::BTreeMap;
use std::io::Write;
use std::process::ExitCode;

use futures_util::future::join_all;

use super::print;
use super::site::Site;
use crate::config::Layout;
use crate::controller::pepper;
use crate::desk::finding::Finding;
use crate::desk::id::GroupName;
use crate::desk::model::{Device, Office, User};

#[derive(Debug, clap::Args)]
pub(super) struct Check {
    /// Only what an emergency call from each phone would show now; exits with 1 when that is not what it should be
    #[arg(long)]
    emergency: bool,
    /// As JSON: [{"check", "ok", "found", "do"}]; "do" only where something is to be done
    #[arg(long)]
    json: bool,
}

impl Check {
    pub(super) async fn run(self, site: &Site, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
        let office = site.office().await?;
        let mut findings = vec![];
        if !self.emergency {
            findings.push(store(&office));
            findings.extend(keys(site, &office).await?);
            findings.extend(users(site, &office));
            findings.extend(groups(site, &office));
        }
        let switches = site.config.switches.iter().filter(|switch| switch.has(&site.tenant));
        findings.extend(
            join_all(switches.map(|switch| switch::look(site, &office, switch, self.emergency)))
                .await
                .concat(),
        );
        if !self.emergency {
            let ours = office.devices.values().filter(|device| !is_of_freepbx(site, device));
            findings.extend(ours.map(|device| emergency(site, &office, device)));
        }
        findings.extend(office.devices.values().filter_map(|device| stray(site, device)));

        let well = findings.iter().all(|finding| finding.ok);
        if self.json {
            print::json(out, &findings)?;
        } else {
            tell(out, &findings)?;
        }
        Ok(if well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

fn tell(out: &mut dyn Write, findings: &[Finding]) -> anyhow::Result<()> {
    for Finding { check, ok, found, remedy } in findings {
        let how = match (ok, remedy) {
            (true, None) => "ok   ",
            (true, Some(_)) => "note ",
            (false, _) => "WRONG",
        };
        writeln!(out, "{how}  {check}: {found}")?;
        if let Some(remedy) = remedy {
            writeln!(out, "       {remedy}")?;
        }
    }
    match findings.iter().filter(|finding| !finding.ok).count() {
        0 => writeln!(out, "all is well")?,
        wrong => writeln!(out, "{wrong} of {} checks failed", findings.len())?,
    }
    Ok(())
}

fn store(office: &Office) -> Finding {
    let Office { revision, users, devices, bindings, .. } = office;
    let (users, devices, bindings) = (users.len(), devices.len(), bindings.len());
    Finding::fine(
        "store",
        format!("{users} users, {devices} devices, {bindings} logged in, revision {revision}"),
    )
}

/// Whether the PINs can be compared with the peppers there are, and which of those are needed.
async fn keys(site: &Site, office: &Office) -> anyhow::Result<Vec<Finding>> {
    const CHECK: &str = "pepper";
    let path = &site.config.store.pepper_file;
    let loaded = pepper::load(path).and_then(|current| Ok((current, pepper::others(path)?)));
    let (pepper, others) = match loaded {
        Ok(loaded) => loaded,
        Err(error) => {
            return Ok(vec![Finding::wrong(CHECK, error.to_string(), "until then no PIN can be compared")]);
        }
    };
    let mut made_with = BTreeMap::<String, Vec<String>>::new();
    for user in office.users.keys() {
        if let Some(record) = site.store.pin(&site.tenant, user).await? {
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
                Finding::remark(check, found, "each goes over to the current pepper when its user logs in")
            }
            None => {
                let found = format!("no PIN of the tenant {} needs {file}", site.tenant);
                Finding::remark(check, found, "once that is so for every tenant, the file can go")
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
        Finding::fine(CHECK, format!("{path} is not there yet, it is made at the first start"))
    } else if older.is_empty() {
        Finding::fine(CHECK, format!("{path} fits all {with} PINs"))
    } else {
        Finding::fine(CHECK, format!("{path} fits {with} PINs"))
    };
    Ok([vec![current], older].concat())
}

fn users(site: &Site, office: &Office) -> Vec<Finding> {
    let patterns = site.config.of(&site.tenant).users();
    let unmatched = office.users.keys().filter(|user| !patterns.iter().any(|pattern| pattern.matches(user)));
    let wrong = |user| {
        Finding::wrong(
            format!("user {user}"),
            "calls to this extension do not reach us: no pattern of [dialplan] users matches it",
            "add a pattern, write the dialplan anew (hotdesk dialplan asterisk) and reload it",
        )
    };
    unmatched.map(wrong).collect()
}

/// Groups that a user cannot tell apart on the keys of his phone.
fn groups(site: &Site, office: &Office) -> Vec<Finding> {
    let book = site.config.book();
    let codes = book.of(&site.tenant);
    let alike = |user: &User| -> Option<Finding> {
        let names = || user.profile.groups.keys();
        let alike = names().filter(|name| !codes.can_mean(name, names()));
        let names = alike.map(GroupName::as_str).collect::<Vec<_>>().join(", ");
        (!names.is_empty()).then(|| {
            Finding::wrong(
                format!("groups of user {}", user.extension),
                format!("{names} are spelled alike on a phone, so he can sign in to none of them by a code"),
                "give them a `number` in their [[group]]",
            )
        })
    };
    office.users.values().filter_map(alike).collect()
}

/// What an emergency call from a device would show now. None is no failure: somebody forced it knowingly.
fn emergency(site: &Site, office: &Office, device: &Device) -> Finding {
    let check = format!("emergency call from {}", device.name);
    let numbers = site.config.of(&site.tenant).emergency_numbers();
    let numbers = numbers.iter().map(|number| number.as_str()).collect::<Vec<_>>().join(", ");
    match office.emergency_caller_id(device) {
        Some(shown) => Finding::fine(check, format!("{numbers} would show {shown}")),
        None => Finding::fine(check, format!("{numbers} would show no number of this place, as none is set")),
    }
}

/// An emergency call from there is FreePBX's own, which its switch's findings tell of.
fn is_of_freepbx(site: &Site, device: &Device) -> bool {
    site.config.switch(&device.switch).is_some_and(|switch| switch.layout == Layout::FreePbx)
}

fn stray(site: &Site, device: &Device) -> Option<Finding> {
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
