//! Takes a call that waits in a code: parked, or brought over an outbound socket. After the first event both are the same.

use std::sync::Arc;

use tracing::debug;

use super::caller::{FsPhone, Line, NoCall};
use crate::controller::Controller;
use crate::freeswitch::esl::event::Event;
use crate::model::id::{SwitchName, TenantId};

/// The context of the dialplan in which calls wait, and the context in which it ends them.
pub(crate) const CONTEXTS: [&str; 2] = ["hotdesk@code", "hotdesk@end"];

/// What takes the calls of one switch.
pub struct Taker {
    /// The switch.
    pub switch: SwitchName,
    /// The tenants whose devices it has.
    pub tenants: Vec<TenantId>,
    /// What answers the calls.
    pub controller: Arc<Controller>,
    /// The controller's name in the calls that it has, as `hd_controller`; it leaves the calls of others alone. The name
    /// outlives a restart, so that the controller knows the calls that the restart cut short.
    pub name: String,
}

impl Taker {
    /// The id and the tenant of a call that waits in a code, if it is one of our tenants'. But for the default one a tenant is
    /// the domain that its devices registered in.
    pub(super) fn waits(&self, call: &Event) -> Option<(String, TenantId)> {
        if call.get("Caller-Context").as_deref() != Some(CONTEXTS[0]) {
            return None;
        }
        let domain = call.get("variable_domain_name").unwrap_or_default();
        let named = |tenant: &&TenantId| domain.eq_ignore_ascii_case(tenant.as_str());
        let any = |tenant: &&TenantId| **tenant == TenantId::default();
        let tenant = self.tenants.iter().find(named).or_else(|| self.tenants.iter().find(any))?;
        Some((call.get("Unique-ID").unwrap_or_default().into_owned(), tenant.clone()))
    }

    /// Takes a call that [waits](Self::waits), and talks to its caller to the end.
    ///
    /// # Errors
    /// [`NoCall`], but for a call that is over.
    pub(super) async fn serve(
        &self,
        line: Line<'_>,
        waiting: Arc<Event>,
        tenant: TenantId,
    ) -> Result<(), NoCall> {
        let Self { switch, controller, name, .. } = self;
        match FsPhone::take(line, &waiting, switch.clone(), tenant, name).await {
            Ok((phone, call)) => {
                drop(waiting);
                controller.converse(call, phone).await;
            }
            Err(NoCall::Ended) => debug!(event = "esl.ended", %switch, "the call was over"),
            Err(error) => return Err(error),
        }
        Ok(())
    }
}
