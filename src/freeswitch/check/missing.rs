//! What devices and users name that the directory does not have.

use std::collections::BTreeSet;

use super::Inspection;
use crate::model::check::Finding;
use crate::model::directory::{Device, Snapshot, User};
use crate::switch::SwitchError;

impl Inspection<'_> {
    /// What is missing for the devices of this switch and for the mailboxes of users; nothing if all is there.
    ///
    /// # Errors
    /// [`SwitchError`] when FreeSWITCH does not answer.
    pub async fn missing(&self, snapshot: &Snapshot) -> Result<Vec<Finding>, SwitchError> {
        let devices =
            snapshot.devices.values().filter(|device| device.switch == *self.name && !device.hotdesk);
        let dialled = devices.flat_map(|device| {
            device
                .dial
                .as_str()
                .split('&')
                .filter_map(move |dial| Some((device, dial.strip_prefix("user/")?)))
        });
        let dialled: Vec<(&Device, &str)> = dialled.collect();
        let names = dialled.iter().map(|(_, name)| (*name).to_owned());
        let answers = self.ask(names.map(|name| format!("user_data {name} attr id"))).await?;
        let mut findings = vec![];
        for ((device, name), _) in dialled.iter().zip(&answers).filter(|(_, answer)| answer.is_none()) {
            findings.push(Finding::wrong(
                format!("device {}", device.name),
                format!("the directory of switch {} has no user {name}", self.name),
                format!("add it there, or: hotdesk device set {} --dial TARGET", device.name),
            ));
        }
        findings.extend(self.mailboxes(snapshot).await?);
        Ok(findings)
    }

    /// The names of the entries that users and mailboxes lack in the directory.
    ///
    /// # Errors
    /// [`SwitchError`] when FreeSWITCH does not answer.
    pub async fn without_entry(&self, snapshot: &Snapshot) -> Result<BTreeSet<String>, SwitchError> {
        let entries = self.entries(snapshot).await?.into_iter();
        let users = entries.filter(|(_, entry)| entry.is_none()).map(|(user, _)| user.to_string());
        let boxes = self.without_box(snapshot).await?.into_iter();
        Ok(users.chain(boxes.filter_map(|(_, name)| Some(name.split('@').next()?.to_owned()))).collect())
    }

    async fn mailboxes(&self, snapshot: &Snapshot) -> Result<Vec<Finding>, SwitchError> {
        let lacking = self.without_box(snapshot).await?.into_iter().map(|(user, mailbox)| {
            Finding::wrong(
                format!("user {}", user.extension),
                format!(
                    "the directory of switch {} has no user {mailbox}, so it has no such mailbox",
                    self.name
                ),
                format!(
                    "add an entry (hotdesk dialplan freeswitch --users), or: hotdesk user set {} --mailbox BOX",
                    user.extension
                ),
            )
        });
        Ok(lacking.collect())
    }

    /// The users whose mailbox has no entry in any domain.
    async fn without_box<'s>(&self, snapshot: &'s Snapshot) -> Result<Vec<(&'s User, &'s str)>, SwitchError> {
        let boxes = snapshot.users.values().filter_map(|user| Some((user, user.mailbox.as_ref()?.as_str())));
        let boxes: Vec<(&User, &str)> = boxes.collect();
        if boxes.is_empty() {
            return Ok(vec![]);
        }
        let domains = self.domains(snapshot).await?;
        let mut lacking = vec![];
        for (user, mailbox) in boxes {
            let names: Vec<String> = match mailbox.contains('@') {
                true => vec![mailbox.into()],
                false => domains.iter().map(|domain| format!("{mailbox}@{domain}")).collect(),
            };
            let asked = names.iter().map(|name| format!("user_data {name} attr id"));
            if self.ask(asked).await?.iter().all(Option::is_none) {
                lacking.push((user, mailbox));
            }
        }
        Ok(lacking)
    }
}
