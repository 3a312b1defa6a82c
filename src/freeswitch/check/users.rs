//! Checks the entries of the users in the directory: by them a call to `user/101` is found, and a user has rights.

use std::collections::BTreeSet;

use super::Inspection;
use crate::controller::check;
use crate::freeswitch::devices::endpoints::endpoints;
use crate::model::check::Finding;
use crate::model::directory::Snapshot;
use crate::model::id::{Extension, TenantId};
use crate::switch::SwitchError;

/// The most domains to look for an entry in.
const DOMAINS: usize = 20;
/// The most users to look for.
const USERS: usize = 500;

impl Inspection<'_> {
    /// Whether each user has an entry, and what the switch does with a call to it. Where a module answers for the dialplan, all
    /// calls to users pass there.
    pub(super) async fn users(&self, snapshot: &Snapshot) -> Result<Vec<Finding>, SwitchError> {
        let entries = self.entries(snapshot).await?;
        let known: Vec<(&Extension, &String)> =
            entries.iter().filter_map(|(user, entry)| Some((*user, entry.as_ref()?))).collect();
        let asked = known.iter().flat_map(|(_, entry)| {
            ["param dial-string", "var forward_user_not_registered_enabled"]
                .map(|of| format!("user_data {entry} {of}"))
        });
        let answers = self.ask(asked).await?;
        let that = |is: fn(&[Option<String>]) -> bool| -> Vec<&str> {
            let those = known.iter().zip(answers.chunks(2)).filter(|(_, answers)| is(answers));
            those.map(|((user, _), _)| user.as_str()).collect()
        };
        let lacking: Vec<&str> =
            entries.iter().filter(|(_, entry)| entry.is_none()).map(|(user, _)| user.as_str()).collect();
        let bound = self.bound().await?.is_some();
        let found = [
            (
                lacking,
                bound,
                "have no entry in the directory, so they have no toll_allow, and calls by user/EXT do not reach them",
                "hotdesk dialplan freeswitch --users prints the entries; on a FusionPBX add extensions",
            ),
            (
                that(|answers| !matches!(answers, [Some(dial), _] if rings_the_login(dial))),
                bound,
                "have a dial-string without the devices of the login: calls by user/EXT ring their own phones only",
                "take the dial-string of `hotdesk dialplan freeswitch --out DIR`; on a FusionPBX run hotdesk dialplan fusionpbx again",
            ),
            (
                that(|answers| matches!(answers, [_, Some(forward)] if forward == "true")),
                true,
                "have \"forward when not registered\": it also forwards calls while they are logged in at a device",
                "switch it off in the extension of the user",
            ),
        ];
        let found = found.into_iter().filter(|(users, ..)| !users.is_empty());
        let mut findings: Vec<Finding> = found
            .map(|(users, wrong, what, remedy)| {
                let (check, found) = (self.of("directory"), format!("{} {what}", check::named(&users)));
                if wrong {
                    Finding::wrong(check, found, remedy)
                } else {
                    Finding::remark(check, found, remedy)
                }
            })
            .collect();
        if findings.is_empty() && !entries.is_empty() {
            let found = format!("{} users have an entry, whose dial-string rings the login", entries.len());
            findings.push(Finding::fine(self.of("directory"), found));
        }
        Ok(findings)
    }

    /// The users, and the name of each one's entry.
    ///
    /// # Errors
    /// [`SwitchError`] when FreeSWITCH does not answer.
    pub async fn entries<'s>(
        &self,
        snapshot: &'s Snapshot,
    ) -> Result<Vec<(&'s Extension, Option<String>)>, SwitchError> {
        let domains = self.domains(snapshot).await?;
        let users: Vec<&Extension> = snapshot.users.keys().take(USERS).collect();
        let mut entries = vec![];
        for user in users {
            let names: Vec<String> = domains.iter().map(|domain| format!("{user}@{domain}")).collect();
            let answers = self.ask(names.iter().map(|name| format!("user_data {name} attr id"))).await?;
            let entry = names.into_iter().zip(answers).find_map(|(name, answer)| answer.map(|_| name));
            entries.push((user, entry));
        }
        Ok(entries)
    }

    /// Where the users may have entries: the tenant is a domain, or it is that of each domain of its devices.
    pub(super) async fn domains(&self, snapshot: &Snapshot) -> Result<Vec<String>, SwitchError> {
        if *self.tenant != TenantId::default() {
            return Ok(vec![self.tenant.to_string()]);
        }
        let known = endpoints(self.client, self.tenant).await?;
        let devices = snapshot.devices.values().filter(|device| device.switch == *self.name);
        let dialled = devices.flat_map(|device| device.dial.as_str().split('&'));
        let users = dialled.chain(known.keys().map(String::as_str)).filter(|dial| dial.starts_with("user/"));
        let domains: BTreeSet<&str> = users.filter_map(|dial| Some(dial.split_once('@')?.1)).collect();
        Ok(domains.into_iter().take(DOMAINS).map(str::to_owned).collect())
    }
}

/// Whether a dial-string of the directory reads the row of Hotdesk's user.
pub(super) fn rings_the_login(dial_string: &str) -> bool {
    dial_string.contains("hotdesk-user-") || dial_string.contains("hotdesk-lamp-")
}
