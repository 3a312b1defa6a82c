//! What devices and users name that the Asterisk does not have: endpoints, kinds of channels, mailboxes.

use super::Inspection;
use crate::asterisk::ami::codec::Action;
use crate::asterisk::devices::endpoints::endpoint;
use crate::model::check::Finding;
use crate::model::directory::{Device, Snapshot, User};
use crate::model::id::Mailbox;
use crate::switch::{SwitchError, unless_refused};

/// Kinds of channels that a module of their own makes.
const CHANNELS: [(&str, &str); 4] =
    [("DAHDI", "chan_dahdi"), ("IAX2", "chan_iax2"), ("PJSIP", "chan_pjsip"), ("SIP", "chan_sip")];

impl Inspection<'_> {
    /// What is missing for the devices of this switch and for the mailboxes of users; nothing if all is there.
    ///
    /// # Errors
    /// [`SwitchError`] when Asterisk does not answer.
    pub async fn missing(&self, snapshot: &Snapshot) -> Result<Vec<Finding>, SwitchError> {
        let mut findings = vec![];
        for device in snapshot.devices.values().filter(|device| device.switch == *self.name) {
            findings.extend(self.dialled(device).await?);
        }
        findings.extend(self.mailboxes(snapshot).await?);
        Ok(findings)
    }

    /// What of a device's dial target is missing. That a hotdesk phone has no endpoint of its own name is another finding.
    async fn dialled(&self, device: &Device) -> Result<Option<Finding>, SwitchError> {
        for target in device.dial.as_str().split('&') {
            let Some((technology, rest)) = target.split_once('/') else { continue };
            let Some((_, module)) = CHANNELS.iter().find(|(name, _)| name.eq_ignore_ascii_case(technology))
            else {
                continue;
            };
            let check = format!("device {}", device.name);
            let set = format!("hotdesk device set {} --dial TARGET", device.name);
            let loaded = Action::new("ModuleCheck").with("Module", format!("{module}.so"));
            if unless_refused(self.manager.act(loaded).await)?.is_none() {
                let found =
                    format!("{target} cannot be dialled: switch {} has not loaded {module}", self.name);
                return Ok(Some(Finding::wrong(check, found, set)));
            }
            // PJSIP/0612345678@trunk, PJSIP/trunk/sip:...
            let name = rest.split_once('@').map_or(rest, |(_, peer)| peer);
            let name = name.split('/').next().unwrap_or_default();
            let own = device.hotdesk && name == device.name.as_str();
            if *module == "chan_pjsip" && !own && endpoint(self.manager, name).await?.is_none() {
                let found =
                    format!("{target} cannot be dialled: switch {} has no PJSIP endpoint {name}", self.name);
                return Ok(Some(Finding::wrong(check, found, set)));
            }
        }
        Ok(None)
    }

    /// The users whose mailbox does not exist. Nothing is known without voicemail, which is another finding.
    async fn mailboxes(&self, snapshot: &Snapshot) -> Result<Vec<Finding>, SwitchError> {
        let users = snapshot.users.values().filter_map(|user| Some((user, user.mailbox.as_ref()?)));
        let users: Vec<(&User, &Mailbox)> = users.collect();
        let asked = users.iter().map(|(_, mailbox)| {
            let at = if mailbox.as_str().contains('@') { "" } else { "@default" };
            Action::new("Getvar").with("Variable", format!("VM_INFO({mailbox}{at},exists)"))
        });
        let answers = self.manager.act_all(asked.collect()).await?;
        let missing = users.iter().zip(answers).filter(|(_, answer)| answer.header("Value") == Some("0"));
        let finding = |user: &User, mailbox: &Mailbox| {
            let set = format!("hotdesk user set {} --mailbox BOX", user.extension);
            Finding::wrong(
                format!("user {}", user.extension),
                format!("switch {} has no mailbox {mailbox}", self.name),
                format!("add it to voicemail.conf and `module reload app_voicemail`, or: {set}"),
            )
        };
        Ok(missing.map(|((user, mailbox), _)| finding(user, mailbox)).collect())
    }
}
