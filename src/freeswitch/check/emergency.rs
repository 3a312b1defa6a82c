//! Checks that an emergency call leaves for the trunk, and with which number; and that it passes through Hotdesk at all.

use super::Inspection;
use super::route::{Call, Led};
use crate::controller::emergency::{self, Route};
use crate::freeswitch::dialplan::{HOTDESK_CONTEXT, Settings};
use crate::model::check::Finding;
use crate::model::directory::{Device, Snapshot};
use crate::switch::SwitchError;

impl Inspection<'_> {
    /// Follows each emergency number through the contexts of the site.
    ///
    /// # Errors
    /// [`SwitchError`] when FreeSWITCH does not answer.
    pub async fn emergency_numbers(&self) -> Result<Vec<Finding>, SwitchError> {
        let Settings { emergency_numbers, emergency_context: context, .. } = self.dialplan;
        let check = self.of("emergency numbers");
        if emergency_numbers.is_empty() {
            return Ok(vec![]);
        }
        if let Some(module) = self.bound().await? {
            return Ok(vec![self.unread(&module, "emergency numbers")]);
        }
        let Some(context) = context.of(self.tenant) else {
            let found = format!("leave by the context {context}: the domain of the phones is not known here");
            let remedy =
                "call each number from a hotdesk phone, or name the domain in `tenants` of [[switch]]";
            return Ok(vec![Finding::unknown(check, found, remedy)]);
        };
        let add =
            format!("add them to the context {context} of the dialplan, or name another in [emergency] here");
        if self.context(&context).await?.is_none() {
            let found = format!("there is no context {context}: such calls fail");
            return Ok(vec![Finding::wrong(check, found, add)]);
        }
        let (mut routes, mut unknown) = (vec![], vec![]);
        for number in emergency_numbers.iter().map(|number| number.as_str()) {
            match self.route(Call::Emergency, &context, number).await? {
                Led::To(route) => routes.push((number, route)),
                Led::Own(own) => {
                    let why = format!("it leads back to Hotdesk's own context {own}");
                    routes.push((number, Route::Ends(why)));
                }
                Led::Unknown => unknown.push(number),
            }
        }
        let mut findings =
            emergency::routes(&check, routes, &format!("correct the context {context}, and `reloadxml`"));
        if !unknown.is_empty() {
            let found =
                format!("the context {context} does not know {}: such calls fail", unknown.join(", "));
            findings.insert(0, Finding::wrong(check, found, add));
        }
        Ok(findings)
    }

    /// What an emergency call from each device shows. A device without our context does not get there.
    pub(super) async fn emergency_shown(&self, snapshot: &Snapshot) -> Result<Vec<Finding>, SwitchError> {
        let (known, reach) = (&self.dialplan.emergency_numbers, &self.dialplan.routes);
        let mut findings = emergency::calls(&self.rows(), snapshot, self.name, reach, known).await?;
        let devices: Vec<&Device> =
            snapshot.devices.values().filter(|device| device.switch == *self.name).collect();
        let context = |device: &&Device| format!("user_data {} var user_context", self.user(device));
        let contexts = self.ask(devices.iter().map(context)).await?;
        for (finding, context) in findings.iter_mut().zip(contexts) {
            let context = context.unwrap_or_else(|| "not set, or there is no such user".into());
            if context != HOTDESK_CONTEXT {
                *finding = Finding::unknown(
                    finding.check.clone(),
                    format!("its user_context is {context}: whatever that does, Hotdesk's dialplan does not"),
                    format!(
                        "set user_context to {HOTDESK_CONTEXT} in the directory, or test a call from there"
                    ),
                );
            }
        }
        Ok(findings)
    }
}
