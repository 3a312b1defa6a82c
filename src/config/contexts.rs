//! Contexts of the site, which must not be contexts of Hotdesk.

use super::{Config, Kind, Switch};
use crate::model::contexts::{is_of_freeswitch, is_own};
use crate::model::id::{EmergencyContext, TenantId};

impl Config {
    /// Checks each context that a dialplan of Hotdesk goes on to: a call would loop in a context of Hotdesk.
    pub(super) fn validate_contexts(&self) -> Result<(), String> {
        let of_all = [
            ("dialplan.fallback_context", &self.dialplan.fallback_context),
            ("dialplan.recording_context", &self.dialplan.recording_context),
        ];
        let of_all = of_all.map(|(key, context)| context.as_ref().map(|context| (key, context.as_str())));
        for switch in &self.switches {
            for tenant in &switch.tenants {
                let emergency = self.of(tenant).emergency_context();
                let contexts =
                    of_all.into_iter().flatten().chain([("emergency.context", emergency.as_str())]);
                for (key, context) in contexts {
                    let name = &switch.name;
                    if is_of_hotdesk(switch, context) {
                        return Err(format!(
                            "{key} = \"{context}\" is a context of Hotdesk on switch {name}: name a context of the site"
                        ));
                    }
                }
                if switch.kind == Kind::Asterisk && emergency.has_domain() {
                    return Err(format!(
                        "emergency.context = \"{emergency}\": the Asterisk {} has no {}: name a context",
                        switch.name,
                        EmergencyContext::DOMAIN
                    ));
                }
            }
        }
        Ok(())
    }
}

fn is_of_hotdesk(switch: &Switch, context: &str) -> bool {
    match switch.kind {
        Kind::FreeSwitch => is_of_freeswitch(context),
        Kind::Asterisk => switch.tenants.iter().any(|tenant| match *tenant == TenantId::default() {
            true => is_own(context, "hotdesk"),
            false => is_own(context, &format!("{tenant}-hotdesk")),
        }),
    }
}
