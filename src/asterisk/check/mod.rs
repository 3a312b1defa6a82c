//! Checks an Asterisk for `hotdesk check`, and says how to repair what is wrong. Only reads, with the rights that the site
//! gives Hotdesk's user (seen on 16.28 and 22.10).

pub(super) mod codes;
mod contexts;
mod emergency;
mod freepbx;
mod missing;
mod modules;
mod past_hotdesk;
mod queues;
pub(super) mod route;

use futures_util::StreamExt;
use futures_util::stream;

use super::ami::client::{Manager, Up};
use super::ami::codec::Action;
use super::ami::login::IN_USE;
use super::devices::endpoints::endpoint;
use super::dialplan::Settings;
use super::dialplan::reload::RELOAD;
use super::freepbx::table::FreePbxTable;
use super::namespace::Namespace;
use super::table::astdb::AsteriskSwitch;
use crate::controller::check;
use crate::controller::pepper::Peppers;
use crate::model::check::Finding;
use crate::model::directory::Snapshot;
use crate::model::id::{DeviceName, SwitchName, TenantId};
use crate::store::Store;
use crate::switch::{Switch, SwitchError};
use modules::{Modules, QUEUES, TELLS_CONTEXTS, TELLS_PHONES};

/// Where to read more.
const LOG: &str = "Asterisk's log";
/// Phones to ask about at once.
const AT_ONCE: usize = 32;
/// The rights that Hotdesk's user needs in manager.conf.
const RIGHTS: &str = "read = system,call,user and write = system,call,user";
/// What to do if Hotdesk's user may not read the dialplan.
const MAY_READ: &str =
    "add `reporting` to `write` of Hotdesk's user in manager.conf and `manager reload`; it allows no change";
/// The actions that Hotdesk needs. `Filter` is not one: events work without it.
const NEEDED: [&str; 9] = [
    "CoreSettings",
    "DBDel",
    "DBGet",
    "DBGetTree",
    "DBPut",
    "ExtensionState",
    "ExtensionStateList",
    "Getvar",
    "ModuleCheck",
];
/// The actions that it also needs on a FreePBX.
const NEEDED_THERE: [&str; 3] = ["MailboxCount", "PJSIPNotify", "UserEvent"];
/// Actions with which a stolen secret gives full control.
const DANGEROUS: [&str; 3] = ["Command", RING, "UpdateConfig"];
/// The action that rings a phone. With `system` it also runs commands, so it is needed only where Hotdesk rings phones.
const RING: &str = "Originate";

/// A switch to check, and the state that it should have.
pub struct Inspection<'a> {
    /// The switch.
    pub name: &'a SwitchName,
    /// The tenant whose users and devices it has.
    pub tenant: &'a TenantId,
    /// All tenants that it serves.
    pub tenants: &'a [TenantId],
    /// Its manager interface.
    pub manager: &'a Manager,
    /// The settings of its dialplan.
    pub dialplan: &'a Settings,
    /// Those with whose tokens calls are taken.
    pub peppers: Option<&'a Peppers>,
    /// Whether Hotdesk rings devices to ask their users to extend the session.
    pub rings: bool,
}

impl Inspection<'_> {
    /// All findings about the switch, whose table should be as `store` has it. A check that depends on a failed one is left out.
    pub async fn findings(&self, snapshot: &Snapshot, store: &dyn Store) -> Vec<Finding> {
        let up = match self.reached().await {
            Ok(up) => up,
            Err(finding) => {
                let table = check::not_readable(self.of("table"), &finding.found);
                return vec![*finding, table];
            }
        };
        let mut findings = vec![self.version(&up)];
        let asked = self.look(snapshot, store, &mut findings).await;
        check::with_what_failed(findings, asked, self.of("asking"), LOG)
    }

    /// The findings about emergency calls: the dialplan, and what a call from each phone would show.
    pub async fn emergency_calls(&self, snapshot: &Snapshot) -> Vec<Finding> {
        if let Err(finding) = self.reached().await {
            return vec![*finding];
        }
        let mut findings = vec![];
        let asked = async {
            if self.dialplan.freepbx {
                findings.push(self.codes().await?);
                findings.extend(self.freepbx_emergency(snapshot).await?);
                return Ok(());
            }
            findings.extend(self.for_help().await?);
            findings.extend(self.emergency_shown(snapshot).await?);
            Ok(())
        };
        let asked = asked.await;
        check::with_what_failed(findings, asked, self.of("asking"), LOG)
    }

    /// Whether the dialplan that is loaded is the one that the configuration prints.
    ///
    /// # Errors
    /// [`SwitchError`] when Asterisk does not answer.
    pub async fn loaded(&self) -> Result<Finding, SwitchError> {
        if !self.dialplan.freepbx {
            return self.dialplan().await;
        }
        let check = self.of("dialplan");
        let found = self.freepbx(&Snapshot::default()).await?.into_iter().find(|it| it.check == check);
        Ok(found.unwrap_or_else(|| Finding::unknown(check, "nothing was found out", "run hotdesk check")))
    }

    /// Whether the modules are loaded that the dialplan and these records need.
    ///
    /// # Errors
    /// [`SwitchError`] when Asterisk does not answer.
    pub async fn modules(&self, snapshot: &Snapshot) -> Result<Finding, SwitchError> {
        let modules = Modules::loaded(self.manager).await?;
        Ok(modules.finding(self.of("modules"), snapshot, &self.dialplan.routes))
    }

    /// Why Hotdesk cannot reload the dialplan, or could not tell whether that was done; `None` if it can.
    ///
    /// # Errors
    /// [`SwitchError`] when Asterisk does not answer.
    pub async fn cannot_reload(&self) -> Result<Option<String>, SwitchError> {
        if !self.may(RELOAD).await? {
            return Ok(Some(format!("Hotdesk's user may not {RELOAD}: manager.conf must give it {RIGHTS}")));
        }
        let tells = Modules::loaded(self.manager).await?.have(TELLS_CONTEXTS);
        let module =
            format!("{TELLS_CONTEXTS} is not loaded: `module load {TELLS_CONTEXTS}.so`, and try again");
        Ok((!tells).then_some(module))
    }

    async fn look(
        &self,
        snapshot: &Snapshot,
        store: &dyn Store,
        findings: &mut Vec<Finding>,
    ) -> Result<(), SwitchError> {
        let (may, rights) = self.rights().await?;
        let table = check::not_readable(self.of("table"), &rights.found);
        findings.push(rights);
        if !may {
            findings.push(table);
            return Ok(());
        }
        let modules = Modules::loaded(self.manager).await?;
        findings.push(modules.finding(self.of("modules"), snapshot, &self.dialplan.routes));
        let freepbx = self.dialplan.freepbx;
        let (contexts, phones) = (modules.have(TELLS_CONTEXTS), modules.have(TELLS_PHONES));
        if freepbx && contexts && phones {
            findings.extend(self.freepbx(snapshot).await?);
            findings.extend(self.freepbx_emergency(snapshot).await?);
        }
        if !freepbx && contexts {
            findings.extend(self.contexts(snapshot).await?);
            findings.push(self.hidden(snapshot).await?);
        }
        for (there, what, module) in
            [(contexts, "dialplan", TELLS_CONTEXTS), (phones, "phones", TELLS_PHONES)]
        {
            let found = format!("could not be looked at: {module} is not loaded");
            let unknown = || Finding::unknown(self.of(what), found, "load the module, and check again");
            findings.extend((!there).then(unknown));
        }
        findings.extend(self.taken().await?);
        if modules.have(QUEUES) {
            findings.extend(self.queues().await?);
        }
        if !freepbx && phones {
            findings.extend(self.phones(snapshot).await?);
            findings.extend(self.past_hotdesk(snapshot, None).await?);
            findings.extend(self.missing(snapshot).await?);
            let shown = self.emergency_shown(snapshot).await;
            findings.extend(check::or_unknown(shown, self.of("emergency calls"))?);
        }
        let (check, routes) = (self.of("table"), &self.dialplan.routes);
        let switch: &dyn Switch = match freepbx {
            true => &FreePbxTable::new(self.manager.clone(), self.tenant),
            false => &self.rows(),
        };
        findings.extend(check::table(check, store, self.tenant, self.name, routes, switch).await);
        Ok(())
    }

    async fn reached(&self) -> Result<Up, Box<Finding>> {
        let late = format!(
            "is it starting, or does Hotdesk's user in manager.conf lack {RIGHTS}? Check again in a minute"
        );
        let remedies = [
            late.as_str(),
            "correct ami_user and ami_secret_file here, or the user in manager.conf and `manager reload`",
            "start Asterisk, or correct ami here; its manager.conf must say enabled = yes in [general]",
        ];
        let reached = check::reached(self.of("login"), "Asterisk", self.manager.state(), remedies).await;
        reached.map_err(|finding| match finding.found.contains(IN_USE) {
            // Another login, such as that of `hotdesk serve`, works.
            true => Box::new(Finding {
                ok: None,
                remedy: Some("allow that, or stop `hotdesk serve` while you check".into()),
                ..*finding
            }),
            false => finding,
        })
    }

    fn version(&self, up: &Up) -> Finding {
        let found = format!("Asterisk {}", up.asterisk);
        match major(&up.asterisk) {
            Some(16..=22) => Finding::fine(self.of("login"), found),
            _ => Finding::remark(
                self.of("login"),
                found,
                "Hotdesk was tested on 16 to 22: test a login, a call and a BLF before users rely on it",
            ),
        }
    }

    /// Checks the rights. `ListCommands` lists what *our* user may do, so no action has to be tried.
    /// Returns whether the other checks can run.
    async fn rights(&self) -> Result<(bool, Finding), SwitchError> {
        let listed = self.manager.act(Action::new("ListCommands")).await?;
        let may = |action: &&str| listed.header(action).is_some();
        let there = self.dialplan.freepbx.then_some(NEEDED_THERE).into_iter().flatten();
        let lacks: Vec<&str> = NEEDED.into_iter().chain(there).filter(|action| !may(action)).collect();
        let dangerous: Vec<&str> =
            DANGEROUS.into_iter().filter(|action| !(self.rings && *action == RING)).filter(may).collect();
        let check = self.of("rights");
        let finding = if !lacks.is_empty() {
            Finding::wrong(
                check,
                format!("Hotdesk's user may not {}", lacks.join(", ")),
                format!("manager.conf must give it {RIGHTS}; then `manager reload`"),
            )
        } else if self.rings && !may(&RING) {
            Finding::wrong(
                check,
                format!(
                    "Hotdesk's user may not {RING}: no device rings to ask its user to extend the session"
                ),
                "add `originate` to `write` of Hotdesk's user in manager.conf and `manager reload`, or set `extend_call = false` in [auto_logout]",
            )
        } else if !dangerous.is_empty() {
            Finding::remark(
                check,
                format!(
                    "Hotdesk's user may also {}: a stolen secret gives these rights too",
                    dangerous.join(", ")
                ),
                format!("{RIGHTS} are enough"),
            )
        } else {
            let rings = if self.rings { " rings phones," } else { "" };
            Finding::fine(
                check,
                format!("Hotdesk's user reads and writes rows and hints,{rings} and no more than that"),
            )
        };
        Ok((lacks.is_empty(), finding))
    }

    /// Whether Hotdesk's user may use this action.
    async fn may(&self, action: &str) -> Result<bool, SwitchError> {
        Ok(self.manager.act(Action::new("ListCommands")).await?.header(action).is_some())
    }

    /// What is wrong with each hotdesk phone; one finding for all if nothing is.
    ///
    /// # Errors
    /// [`SwitchError`] when Asterisk does not answer.
    pub async fn phones(&self, snapshot: &Snapshot) -> Result<Vec<Finding>, SwitchError> {
        let looks = check::phones(snapshot, self.name).map(|device| self.phone(&device.name));
        let found: Vec<_> = stream::iter(looks).buffered(AT_ONCE).collect().await;
        let (all, wrong) = (found.len(), found.into_iter().filter_map(Result::transpose));
        let wrong = wrong.collect::<Result<Vec<Finding>, SwitchError>>()?;
        let well =
            || Finding::fine(self.of("phones"), format!("{all} are there, with context = {}", self.space()));
        Ok(if wrong.is_empty() { vec![well()] } else { wrong })
    }

    async fn phone(&self, device: &DeviceName) -> Result<Option<Finding>, SwitchError> {
        let (check, space) = (format!("phone {device}"), self.space());
        let Some(endpoint) = endpoint(self.manager, device.as_str()).await? else {
            return Ok(Some(Finding::wrong(
                check,
                format!("switch {} has no PJSIP endpoint of this name", self.name),
                format!("add it to pjsip.conf, or: hotdesk device remove {device}"),
            )));
        };
        let context = endpoint.context.unwrap_or_default();
        Ok((context != space.name()).then(|| {
            Finding::wrong(
                check,
                format!(
                    "its endpoint has context = {context}: codes and the user's identity do not work there"
                ),
                format!("pjsip.conf must say context = {space} in it; then `module reload res_pjsip.so`"),
            )
        }))
    }

    /// The part of the switch that is the tenant's.
    fn space(&self) -> Namespace {
        Namespace::of(self.tenant)
    }

    /// The switch table.
    fn rows(&self) -> AsteriskSwitch {
        AsteriskSwitch::new(self.manager.clone(), self.tenant).with(self.dialplan.routes.groups.clone())
    }

    /// The name of a check of this switch.
    fn of(&self, check: &str) -> String {
        format!("{check} of switch {}", self.name)
    }
}

/// `22` of `22.10.1~dfsg`, `18` of `certified/18.9-cert5`.
fn major(version: &str) -> Option<u32> {
    let digits = version.strip_prefix("certified/").unwrap_or(version);
    digits.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_major_version_is_read_of_every_way_to_write_it() {
        for (version, is) in [
            ("22.10.1~dfsg+~cs6.17.60671434-1", Some(22)),
            ("16.28.0~dfsg-0+deb11u4", Some(16)),
            ("certified/18.9-cert5", Some(18)),
            ("GIT-master-0a1b2c", None),
            ("unknown", None),
        ] {
            assert_eq!(major(version), is, "{version}");
        }
    }
}
