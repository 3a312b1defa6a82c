//! An Asterisk's part of `hotdesk serve`.

use std::sync::Arc;

use anyhow::Result;
use tracing::info;

use super::open::{Open, Opening, SWITCH_PATIENCE, listen};
use crate::asterisk::agi::server::Server;
use crate::asterisk::ami::client::{Manager, Settings};
use crate::asterisk::events::{EVENTS, Events};
use crate::asterisk::freepbx::table::FreePbxTable;
use crate::asterisk::table::astdb::AsteriskSwitch;
use crate::config::{Layout, Switch, read_secret};
use crate::model::directory::group::Groups;
use crate::model::id::TenantId;
use crate::switch::connection::outage;

/// Listens for its calls, and connects to its manager interface.
pub(super) async fn open(switch: &Switch, mut opening: Opening<'_>) -> Result<Open> {
    // The address first: a hotdesk that cannot listen must not write into a switch that another hotdesk serves.
    let listener = listen(switch, switch.agi_listen, "agi_listen").await?;
    let address = listener.local_addr()?;
    let name = &switch.name;
    let (manager, connection) = Manager::new(manager(switch)?, opening.stop.tables.clone());
    let (events, following) = Events::of(&manager);
    opening.spawn(format!("connection of switch {name}"), connection);
    opening.spawn(format!("events of switch {name}"), following);
    let watched = outage::watch(name.clone(), switch.ami.to_string(), vec![manager.state()]);
    opening.run(format!("state of switch {name}"), watched);
    let allow = opening.admit(switch).await;
    let mut tables = vec![];
    for tenant in &switch.tenants {
        let groups = opening.config.routes(switch, tenant).groups;
        let table: Arc<dyn crate::switch::Switch> = match switch.layout {
            Layout::FreePbx => {
                let table = FreePbxTable::new(manager.clone(), tenant).hearing(events.clone());
                opening.run(format!("MWI of switch {name}"), table.follow_mwi());
                Arc::new(table)
            }
            Layout::Hotdesk => {
                let table = AsteriskSwitch::new(manager.clone(), tenant).with(groups).hearing(events.clone());
                let (table, mailboxes) = table.with_mailboxes();
                opening.run(format!("MWI of switch {name}, tenant {tenant}"), mailboxes);
                Arc::new(table)
            }
        };
        tables.push((tenant.clone(), table));
    }
    let (switch, tenants, stop) = (name.clone(), switch.tenants.clone(), opening.stop.calls.clone());
    let calls = opening.calls;
    Ok(Open {
        tables,
        serve: Box::new(move |controller| {
            info!(event = "agi.listening", %switch, %address, "taking calls");
            let server = Server { switch, tenants, allow, controller, calls };
            Box::pin(server.run(listener, stop))
        }),
    })
}

/// A tenant's table on it, for reading. The queues of a FreePBX are its own.
pub(in crate::cli) fn table(
    switch: &Switch,
    manager: &Manager,
    tenant: &TenantId,
    groups: Groups,
) -> Arc<dyn crate::switch::Switch> {
    match switch.layout {
        Layout::FreePbx => Arc::new(FreePbxTable::new(manager.clone(), tenant)),
        Layout::Hotdesk => Arc::new(AsteriskSwitch::new(manager.clone(), tenant).with(groups)),
    }
}

pub(in crate::cli) fn manager(switch: &Switch) -> Result<Settings> {
    Ok(Settings {
        name: switch.name.clone(),
        address: switch.ami.to_string(),
        user: switch.ami_user.clone(),
        secret: read_secret(&switch.ami_secret_file, "ami_secret_file")?,
        deadline: SWITCH_PATIENCE,
        events: EVENTS.to_vec(),
    })
}
