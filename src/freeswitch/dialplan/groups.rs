//! Groups that ring all their members: what is dialled for them.
//!
//! Who signed in and is somewhere has a row in his group's realm, whose *key* is what rings him. So the list of its keys is
//! what `bridge` takes: FreeSWITCH calls them all without us, and without knowing who sits where.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::super::groups;
use crate::desk::group::{Groups, Kind};
use crate::desk::id::{Extension, GroupName, TenantId};

/// What of groups stands where in the texts; empty where there are none.
#[derive(Debug, Default)]
pub(super) struct Rung {
    /// Their context.
    pub(super) context: String,
    /// What leads there from where their numbers are dialled.
    pub(super) dialled: String,
}

impl Rung {
    /// Those of each tenant that have a number.
    pub(super) fn of(tenants: &BTreeMap<TenantId, Groups>, ring: u16) -> Self {
        let (mut extensions, mut dialled) = (String::new(), String::new());
        for (tenant, groups) in tenants {
            let numbered = numbered(groups);
            let numbers: Vec<&str> = numbered.iter().map(|(number, _)| number.as_str()).collect();
            if numbers.is_empty() {
                continue;
            }
            let domain = domain(tenant);
            let numbers = numbers.join("|");
            let _ = write!(
                dialled,
                r#"    <extension name="hotdesk-group">
{domain}      <condition field="destination_number" expression="^(?:{numbers})\z">
        <action application="set" data="hd_context=${{context}}"/>
        <action application="transfer" data="${{destination_number}} XML hotdesk-group"/>
      </condition>
    </extension>
"#
            );
            for (number, name) in numbered {
                let (realm, caller) = (groups::realm(name, tenant), groups::CALLER);
                let _ = write!(
                    extensions,
                    r#"    <extension name="hotdesk-group-{name}">
{domain}      <condition field="destination_number" expression="^{number}\z"/>
      <condition field="${{db(list/{realm})}}" expression="^(loopback/.+)$">
        <action application="set" data="call_timeout={ring}"/>
        <action application="set" data="hangup_after_bridge=true"/>
        <action application="set" data="continue_on_fail=true"/>
        <action application="bridge" data="{{{caller},origination_callee_id_number={number},origination_callee_id_name={number}}}$1"/>
        <action application="hangup" data="${{originate_disposition}}"/>
        <anti-action application="hangup" data="SUBSCRIBER_ABSENT"/>
      </condition>
    </extension>
"#
                );
            }
        }
        if extensions.is_empty() {
            return Self::default();
        }
        let context = format!(
            "\n  <!-- A group: who signed in and is somewhere is rung, all at once; nobody's forward, and nobody's voicemail. -->\n  \
             <context name=\"hotdesk-group\">\n{extensions}  </context>\n"
        );
        Self { context, dialled }
    }
}

/// The groups that ring, by what is dialled for them.
fn numbered(groups: &Groups) -> Vec<(Extension, &GroupName)> {
    let rings = groups.iter().filter(|(_, group)| group.kind == Kind::Ring);
    let dialled = |(name, group): (_, &crate::desk::group::Group)| {
        let name: &GroupName = name;
        Some((group.number.clone().or_else(|| Extension::new(name.as_str()).ok())?, name))
    };
    rings.filter_map(dialled).collect()
}

/// Whose number it is, where there are several companies.
fn domain(tenant: &TenantId) -> String {
    if *tenant == TenantId::default() {
        return String::new();
    }
    let tenant = super::escaped(tenant.as_str());
    format!("      <condition field=\"${{domain_name}}\" expression=\"^{tenant}$\"/>\n")
}
