//! An Asterisk's part of `hotdesk serve`.

use std::sync::Arc;

use tracing::info;
use zeroize::Zeroizing;

use super::{Allowed, Open, SWITCH_PATIENCE, Stop, admit, listen};
use crate::asterisk::astdb::AstDb;
use crate::asterisk::fastagi::{self, Server};
use crate::asterisk::freepbx::{mwi, table::FreePbxTable};
use crate::asterisk::manager::{Manager, Settings};
use crate::config::{Config, Layout, Switch};
use crate::desk::group::Groups;
use crate::desk::id::TenantId;

/// Listens for its calls, and connects to its manager interface.
pub(super) async fn open(
    config: &Config,
    switch: &Switch,
    stop: &Stop,
    reloaded: &mut Allowed,
) -> anyhow::Result<Open> {
    // The address first: what cannot listen must not write into a switch that another hotdesk serves.
    let listener = listen(switch, switch.agi_listen, "agi_listen").await?;
    let address = listener.local_addr()?;
    let manager = Manager::start(manager(switch)?, stop.tables.clone());
    let allow = admit(switch, reloaded).await;
    if switch.layout == Layout::FreePbx {
        tokio::spawn(mwi::follow(manager.clone(), stop.tables.clone()));
    }
    let (name, tenants, kept) = (switch.name.clone(), switch.tenants.clone(), stop.tables.clone());
    let stop = stop.calls.clone();
    let table = |tenant: &TenantId| {
        let groups = config.reach(switch, tenant).groups;
        let table = match switch.layout {
            Layout::FreePbx => table(switch, &manager, tenant, groups),
            Layout::Hotdesk => {
                let table = AstDb::new(manager.clone(), tenant).with(groups);
                Arc::new(table.with_mailboxes(kept.clone()))
            }
        };
        (tenant.clone(), table)
    };
    let tables = tenants.iter().map(table).collect();
    Ok(Open {
        tables,
        serve: Box::new(move |controller| {
            info!(event = "agi.listening", switch = %name, %address, "taking calls");
            let server = Server { switch: name, tenants, allow, controller, calls: fastagi::CALLS };
            tokio::spawn(server.run(listener, stop))
        }),
    })
}

/// A tenant's table on it. The queues of a FreePBX are its own.
pub(in crate::cli) fn table(
    switch: &Switch,
    manager: &Manager,
    tenant: &TenantId,
    groups: Groups,
) -> Arc<dyn crate::switch::Switch> {
    match switch.layout {
        Layout::FreePbx => Arc::new(FreePbxTable::new(manager.clone(), tenant)),
        Layout::Hotdesk => Arc::new(AstDb::new(manager.clone(), tenant).with(groups)),
    }
}

/// How to get into a switch's manager interface.
pub(in crate::cli) fn manager(switch: &Switch) -> anyhow::Result<Settings> {
    Ok(Settings {
        name: switch.name.clone(),
        address: switch.ami.to_string(),
        user: switch.ami_user.clone(),
        secret: Zeroizing::new(switch.ami_secret()?.reveal().to_owned()),
        deadline: SWITCH_PATIENCE,
    })
}
