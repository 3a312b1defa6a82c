//! Whether all is well with an Asterisk, and what to do if not: what `hotdesk check` says of a switch. Looks only, and
//! with no more rights than the site gives us; seen on 16.28 and 22.10.

mod codes;
mod contexts;
mod freepbx;
mod modules;
mod queues;

use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream;
use tokio::time::timeout;

use super::ami::Action;
use super::astdb::AstDb;
use super::dialplan::Settings;
use super::freepbx::table::FreePbxTable;
use super::manager::{Manager, State, Up};
use super::space::Space;
use crate::controller::{emergency, inspect};
use crate::desk::finding::Finding;
use crate::desk::id::{DeviceName, SwitchName, TenantId};
use crate::desk::model::Office;
use crate::store::Store;
use crate::switch::{Switch, SwitchError};
use modules::Modules;

/// How long an Asterisk may take to let us in. It answers a wrong secret after 1 s.
const PATIENCE: Duration = Duration::from_secs(5);
/// Where it tells more.
const LOG: &str = "Asterisk's log";
/// Phones that are asked about at a time.
const AT_ONCE: usize = 32;
/// What our user needs of `read` and `write` in manager.conf.
const RIGHTS: &str = "read = system,call,user and write = system,call,user";
/// What we do. `Filter` is left out, as the events can do without.
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
/// What we do on a FreePBX besides.
const NEEDED_THERE: [&str; 3] = ["MailboxCount", "PJSIPNotify", "UserEvent"];
/// What would let whoever has our secret do anything at all.
const DANGEROUS: [&str; 3] = ["Command", RING, "UpdateConfig"];
/// What has a phone ring; with `system` it also runs commands, so it is asked for only where phones are to ring.
const RING: &str = "Originate";

/// The switch that is looked at, and what it should be like.
pub struct Inspection<'a> {
    /// The switch.
    pub name: &'a SwitchName,
    /// Whose people and phones it has.
    pub tenant: &'a TenantId,
    /// Its manager interface.
    pub manager: &'a Manager,
    /// What its dialplan should be printed from.
    pub dialplan: &'a Settings,
    /// Whether it has phones called to ask who stays.
    pub rings: bool,
    /// The truth.
    pub store: &'a dyn Store,
}

impl Inspection<'_> {
    /// Everything there is to say of the switch. Where one thing rests on another that is wrong, only that is said.
    pub async fn findings(&self, office: &Office) -> Vec<Finding> {
        let up = match self.reached().await {
            Ok(up) => up,
            Err(finding) => return vec![*finding],
        };
        let mut findings = vec![self.version(&up)];
        let asked = self.look(office, &mut findings).await;
        inspect::with_what_failed(findings, asked, self.of("asking"), LOG)
    }

    /// What can be said of emergency calls alone: the dialplan, and what one from each phone would show.
    pub async fn emergency_calls(&self, office: &Office) -> Vec<Finding> {
        if let Err(finding) = self.reached().await {
            return vec![*finding];
        }
        let mut findings = vec![];
        let asked = async {
            if self.dialplan.freepbx {
                findings.extend(self.freepbx_emergency(office).await?);
                return Ok(());
            }
            findings.extend(self.for_help().await?);
            let (known, reach) = (&self.dialplan.emergency_numbers, &self.dialplan.reach);
            findings.extend(emergency::calls(&self.rows(), office, self.name, reach, known).await?);
            Ok(())
        };
        let asked = asked.await;
        inspect::with_what_failed(findings, asked, self.of("asking"), LOG)
    }

    async fn look(&self, office: &Office, findings: &mut Vec<Finding>) -> Result<(), SwitchError> {
        let rights = self.rights().await?;
        let may = rights.ok;
        findings.push(rights);
        if !may {
            return Ok(());
        }
        let modules = Modules::loaded(self.manager).await?;
        findings.push(modules.finding(self.of("modules"), office, &self.dialplan.reach));
        let freepbx = self.dialplan.freepbx;
        if freepbx && modules.can_tell_contexts() && modules.can_tell_phones() {
            findings.extend(self.freepbx(office).await?);
            findings.extend(self.freepbx_emergency(office).await?);
        }
        if !freepbx && modules.can_tell_contexts() {
            findings.extend(self.contexts(office).await?);
            findings.push(self.hidden(office).await?);
        }
        findings.extend(self.taken().await?);
        if modules.have_queues() {
            findings.extend(self.queues().await?);
        }
        if !freepbx && modules.can_tell_phones() {
            findings.extend(self.phones(office).await?);
        }
        let (check, reach) = (self.of("table"), &self.dialplan.reach);
        let switch: &dyn Switch = match freepbx {
            true => &FreePbxTable::new(self.manager.clone(), self.tenant),
            false => &self.rows(),
        };
        findings.push(inspect::table(check, self.store, self.tenant, self.name, reach, switch).await?);
        Ok(())
    }

    async fn reached(&self) -> Result<Up, Box<Finding>> {
        let mut states = self.manager.state();
        // The first thing that it becomes after "connecting".
        let changed = timeout(PATIENCE, states.changed()).await;
        let wrong = |found: &str, remedy: &str| Box::new(Finding::wrong(self.of("login"), found, remedy));
        if changed.is_err() {
            let found = format!("Asterisk did not let us in within {} s", PATIENCE.as_secs());
            let remedy = format!(
                "is it starting, or does our user in manager.conf lack {RIGHTS}? Check again in a minute"
            );
            return Err(wrong(&found, &remedy));
        }
        match &*states.borrow() {
            State::Up(up) => Ok(up.clone()),
            State::Refused(why) => Err(wrong(
                why,
                "correct ami_user and ami_secret_file here, or the user in manager.conf and `manager reload`",
            )),
            State::Down(why) => Err(wrong(
                why,
                "start Asterisk, or correct ami here; its manager.conf must say enabled = yes in [general]",
            )),
        }
    }

    fn version(&self, up: &Up) -> Finding {
        let found = format!("Asterisk {}", up.asterisk);
        match major(&up.asterisk) {
            Some(16..=22) => Finding::fine(self.of("login"), found),
            _ => Finding::remark(
                self.of("login"),
                found,
                "Hotdesk was tried on 16 to 22: try out a login, a call and a lamp before people rely on it",
            ),
        }
    }

    /// `ListCommands` names what *this* user may do, so nothing has to be tried.
    async fn rights(&self) -> Result<Finding, SwitchError> {
        let listed = self.manager.act(Action::new("ListCommands")).await?;
        let may = |action: &&str| listed.header(action).is_some();
        let there = self.dialplan.freepbx.then_some(NEEDED_THERE).into_iter().flatten();
        let lacks: Vec<&str> = NEEDED.into_iter().chain(there).filter(|action| !may(action)).collect();
        let dangerous: Vec<&str> =
            DANGEROUS.into_iter().filter(|action| !(self.rings && *action == RING)).filter(may).collect();
        Ok(if !lacks.is_empty() {
            Finding::wrong(
                self.of("rights"),
                format!("our user may not {}", lacks.join(", ")),
                format!("manager.conf must give it {RIGHTS}; then `manager reload`"),
            )
        } else if self.rings && !may(&RING) {
            Finding::wrong(
                self.of("rights"),
                format!("our user may not {RING}: nobody is called to ask whether he stays"),
                "add `originate` to `write` of our user in manager.conf and `manager reload`, or take `stay_call` out of [leave]",
            )
        } else if !dangerous.is_empty() {
            Finding::remark(
                self.of("rights"),
                format!("our user may also {}, and whoever learns its secret with it", dangerous.join(", ")),
                format!("{RIGHTS} are enough"),
            )
        } else {
            Finding::fine(
                self.of("rights"),
                match self.rings {
                    true => "reads and writes rows and hints, has phones ring, and no more than that",
                    false => "reads and writes rows and hints, and no more than that",
                },
            )
        })
    }

    async fn phones(&self, office: &Office) -> Result<Vec<Finding>, SwitchError> {
        let looks = inspect::phones(office, self.name).map(|device| self.phone(&device.name));
        let found: Vec<_> = stream::iter(looks).buffered(AT_ONCE).collect().await;
        let (all, wrong) = (found.len(), found.into_iter().filter_map(Result::transpose));
        let wrong = wrong.collect::<Result<Vec<Finding>, SwitchError>>()?;
        if wrong.is_empty() {
            return Ok(vec![Finding::fine(
                self.of("phones"),
                format!("{all} are there, with context = hotdesk"),
            )]);
        }
        Ok(wrong)
    }

    async fn phone(&self, device: &DeviceName) -> Result<Option<Finding>, SwitchError> {
        let show = Action::new("PJSIPShowEndpoint").with("Endpoint", device.as_str());
        let check = format!("phone {device}");
        let shown = match self.manager.list(show).await {
            Ok(shown) => shown,
            Err(SwitchError::Refused(..)) => {
                return Ok(Some(Finding::wrong(
                    check,
                    format!("switch {} has no PJSIP endpoint of this name", self.name),
                    format!("add it to pjsip.conf, or: hotdesk device remove {device}"),
                )));
            }
            Err(error) => return Err(error),
        };
        let endpoint = shown.iter().find(|event| event.event() == Some("EndpointDetail"));
        let context = endpoint.and_then(|endpoint| endpoint.header("Context")).unwrap_or_default();
        Ok((context != Space::of(self.tenant).name()).then(|| {
            Finding::wrong(
                check,
                format!(
                    "its endpoint has context = {context}: codes and the user's identity do not work there"
                ),
                format!(
                    "pjsip.conf must say context = {} in it; then `module reload res_pjsip.so`",
                    Space::of(self.tenant)
                ),
            )
        }))
    }

    /// The switch's copy of the table.
    fn rows(&self) -> AstDb {
        AstDb::new(self.manager.clone(), self.tenant).with(self.dialplan.reach.groups.clone())
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
