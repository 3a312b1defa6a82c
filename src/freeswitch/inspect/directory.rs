//! Whether the phones are in the directory as hotdesk phones.

use super::super::dialplan::HOTDESK_CONTEXT;
use super::Inspection;
use crate::controller::inspect;
use crate::desk::finding::Finding;
use crate::desk::id::TenantId;
use crate::desk::model::{Device, Office};
use crate::switch::SwitchError;

impl Inspection<'_> {
    /// What is wrong with each phone; of all of them, if nothing is.
    pub(super) async fn phones(&self, office: &Office) -> Result<Vec<Finding>, SwitchError> {
        let phones: Vec<&Device> = inspect::phones(office, self.name).collect();
        let asked = phones.iter().flat_map(|phone| {
            let user = self.user(phone);
            [format!("user_data {user} attr id"), format!("user_data {user} var user_context")]
        });
        let answers = self.ask(asked).await?;
        let pairs = phones.iter().zip(answers.chunks(2));
        let wrong: Vec<Finding> = pairs.filter_map(|(phone, answers)| self.phone(phone, answers)).collect();
        if wrong.is_empty() {
            let all = phones.len();
            return Ok(vec![Finding::fine(
                self.of("phones"),
                format!("{all} are there, with user_context {HOTDESK_CONTEXT}"),
            )]);
        }
        Ok(wrong)
    }

    fn phone(&self, phone: &Device, answers: &[Option<String>]) -> Option<Finding> {
        let name = &phone.name;
        let check = format!("phone {name}");
        let [Some(_), context] = answers else {
            return Some(Finding::wrong(
                check,
                format!("the directory of switch {} has no user {}", self.name, self.user(phone)),
                format!("add it there, correct its --dial, or: hotdesk device remove {name}"),
            ));
        };
        let context = context.as_deref().unwrap_or("not set");
        (context != HOTDESK_CONTEXT).then(|| {
            Finding::wrong(
                check,
                format!("its user_context is {context}: codes and the user's identity do not work there"),
                format!("the directory must say <variable name=\"user_context\" value=\"{HOTDESK_CONTEXT}\"/>; then `reloadxml`"),
            )
        })
    }

    /// The directory's name of a phone: that of its dial target. Without a domain FreeSWITCH looks in its default one.
    fn user(&self, phone: &Device) -> String {
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
