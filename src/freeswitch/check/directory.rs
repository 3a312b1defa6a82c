//! Checks that the phones are in the directory as hotdesk phones.

use super::Inspection;
use crate::controller::check;
use crate::freeswitch::dialplan::HOTDESK_CONTEXT;
use crate::model::check::Finding;
use crate::model::directory::{Device, Snapshot};
use crate::model::id::TenantId;
use crate::switch::SwitchError;

impl Inspection<'_> {
    /// What is wrong with each hotdesk phone; one finding for all if nothing is.
    ///
    /// # Errors
    /// [`SwitchError`] when FreeSWITCH does not answer.
    pub async fn phones(&self, snapshot: &Snapshot) -> Result<Vec<Finding>, SwitchError> {
        let phones: Vec<&Device> = check::phones(snapshot, self.name).collect();
        let asked = phones.iter().flat_map(|phone| {
            let user = self.user(phone);
            [format!("user_data {user} attr id"), format!("user_data {user} var user_context")]
        });
        let answers = self.ask(asked).await?;
        let pairs = phones.iter().zip(answers.chunks(2));
        let wrong: Vec<Finding> = pairs.filter_map(|(phone, answers)| self.phone(phone, answers)).collect();
        if wrong.is_empty() {
            let found = format!("{} are there, with user_context {HOTDESK_CONTEXT}", phones.len());
            return Ok(vec![Finding::fine(self.of("phones"), found)]);
        }
        Ok(wrong)
    }

    fn phone(&self, phone: &Device, answers: &[Option<String>]) -> Option<Finding> {
        let name = &phone.name;
        let (found, remedy) = match answers {
            [Some(_), Some(context)] if context == HOTDESK_CONTEXT => return None,
            [Some(_), context] => {
                let context = context.as_deref().unwrap_or("not set");
                (
                    format!("its user_context is {context}: codes and the user's identity do not work there"),
                    format!(
                        "the directory must say <variable name=\"user_context\" value=\"{HOTDESK_CONTEXT}\"/>; then `reloadxml`"
                    ),
                )
            }
            _ => (
                format!("the directory of switch {} has no user {}", self.name, self.user(phone)),
                format!("add it there, correct its --dial, or: hotdesk device remove {name}"),
            ),
        };
        Some(Finding::wrong(format!("phone {name}"), found, remedy))
    }

    /// The directory's name of a phone: that of its dial target. Without a domain FreeSWITCH looks in its default one.
    pub(super) fn user(&self, phone: &Device) -> String {
        let (name, tenant) = (phone.name.as_str(), self.tenant);
        if name.contains('@') {
            return name.into();
        }
        let users = phone.dial.as_str().split('&').filter_map(|dial| dial.strip_prefix("user/"));
        let own = users.filter(|user| user.split('@').next() == Some(name)).find(|user| user.contains('@'));
        match own {
            Some(user) => user.into(),
            None if *tenant == TenantId::default() => name.into(),
            None => format!("{name}@{tenant}"),
        }
    }
}
