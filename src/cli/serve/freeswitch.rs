//! A FreeSWITCH's part of `hotdesk serve`.

use std::sync::Arc;

use tracing::info;
use zeroize::Zeroizing;

use super::{Open, SWITCH_PATIENCE, Stop};
use crate::config::Switch;
use crate::desk::id::TenantId;
use crate::freeswitch::calls::{self, Calls};
use crate::freeswitch::client::{Client, Settings};
use crate::freeswitch::lamps;
use crate::freeswitch::moddb::ModDb;

/// Connects to its event socket, twice: FreeSWITCH holds a connection's events back while it works off its commands, so
/// that calls would wait for the table.
pub(super) fn open(switch: &Switch, stop: &Stop) -> anyhow::Result<Open> {
    let of_tables =
        Settings { events: lamps::EVENTS.to_vec(), filters: lamps::filters(), ..settings(switch)? };
    let (client, ended) = Client::start(of_tables, stop.tables.clone());
    tokio::spawn(lamps::darken(client.clone(), ended));
    let table =
        |tenant: &TenantId| (tenant.clone(), Arc::new(ModDb::new(client.clone(), tenant.clone())) as _);
    let tables = switch.tenants.iter().map(table).collect();
    let settings =
        Settings { events: calls::EVENTS.to_vec(), filters: calls::filters(), ..settings(switch)? };
    let (client, events) = Client::start(settings, stop.tables.clone());
    let (switch, tenants, stop) = (switch.name.clone(), switch.tenants.clone(), stop.calls.clone());
    Ok(Open {
        tables,
        serve: Box::new(move |controller| {
            info!(event = "esl.waiting", %switch, "taking calls");
            let calls = Calls { switch, tenants, controller, client, calls: calls::CALLS };
            tokio::spawn(calls.run(events, stop))
        }),
    })
}

/// How to get into a switch's event socket.
pub(in crate::cli) fn settings(switch: &Switch) -> anyhow::Result<Settings> {
    Ok(Settings {
        name: switch.name.clone(),
        address: switch.esl.to_string(),
        password: Zeroizing::new(switch.esl_password()?.reveal().to_owned()),
        deadline: SWITCH_PATIENCE,
        events: vec![],
        filters: vec![],
    })
}
