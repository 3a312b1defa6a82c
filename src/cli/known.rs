//! What the configuration has that records may name.

use std::collections::BTreeSet;

use crate::config::Config;
use crate::model::directory::doubts::Known;
use crate::model::id::TenantId;
use crate::switch::prompts;

/// What the configuration of a tenant has.
pub(super) fn known(config: &Config, tenant: &TenantId) -> Known {
    let groups = config.groups.iter().filter(|group| group.tenant == *tenant).map(|group| group.name.clone());
    Known {
        groups: groups.collect(),
        emergency_numbers: config.of(tenant).emergency_numbers(),
        languages: prompts::files().iter().map(|file| file.language).collect::<BTreeSet<_>>(),
    }
}
