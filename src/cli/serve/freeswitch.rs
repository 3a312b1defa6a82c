//! A FreeSWITCH's part of `hotdesk serve`.

use std::sync::Arc;

use tokio::net::TcpListener;
use tracing::info;
use zeroize::Zeroizing;

use super::{Allowed, Open, SWITCH_PATIENCE, Stop, Tables, admit, listen};
use crate::config::{Config, Switch};
use crate::desk::group::Kind;
use crate::desk::id::TenantId;
use crate::freeswitch::calls::{self, Calls};
use crate::freeswitch::client::{Client, Settings};
use crate::freeswitch::lamps;
use crate::freeswitch::moddb::ModDb;
use crate::freeswitch::outbound::{self, Server};
use crate::freeswitch::signs::{self, Ears};

/// Connects to its event socket for its table, for what its phones do, and for its calls: listens for those that it brings,
/// or else connects twice more. FreeSWITCH holds a connection's events back while it works off its commands, so that calls
/// would wait for the table; and the events of all phones are not for those who wait for a call's.
pub(super) async fn open(
    config: &Config,
    switch: &Switch,
    identity: &str,
    stop: &Stop,
    reloaded: &mut Allowed,
) -> anyhow::Result<Open> {
    // Two [[switch]] of ours may be one FreeSWITCH, with different tenants.
    let name = format!("{identity}/{}", switch.name);
    match switch.outbound_listen {
        Some(address) => {
            let listener = listen(switch, address, "outbound_listen").await?;
            let tables = tables(config, switch, stop)?;
            brought(switch, name, listener, tables, stop, reloaded).await
        }
        None => taken(switch, name, tables(config, switch, stop)?, stop),
    }
}

/// The calls that its dialplan brings.
async fn brought(
    switch: &Switch,
    name: String,
    listener: TcpListener,
    tables: Tables,
    stop: &Stop,
    reloaded: &mut Allowed,
) -> anyhow::Result<Open> {
    let address = listener.local_addr()?;
    let allow = admit(switch, reloaded).await;
    let (switch, tenants, stop) = (switch.name.clone(), switch.tenants.clone(), stop.calls.clone());
    Ok(Open {
        tables,
        serve: Box::new(move |controller| {
            info!(event = "esl.listening", %switch, %address, controller = name, "taking calls");
            let (deadline, calls) = (SWITCH_PATIENCE, outbound::CALLS);
            let server = Server { switch, tenants, allow, controller, name, deadline, calls };
            tokio::spawn(server.run(listener, stop))
        }),
    })
}

/// The calls that wait until they are taken.
fn taken(switch: &Switch, name: String, tables: Tables, stop: &Stop) -> anyhow::Result<Open> {
    let waiting = Settings { events: calls::PARKED.to_vec(), filters: calls::filters(), ..settings(switch)? };
    let under_way =
        Settings { events: calls::EVENTS.to_vec(), filters: calls::filters(), ..settings(switch)? };
    let (bell, parked) = Client::start(waiting, stop.tables.clone());
    // Its events are for those who wait for the end of something: none is passed on.
    let (client, _) = Client::start(under_way, stop.tables.clone());
    let (switch, tenants, stop) = (switch.name.clone(), switch.tenants.clone(), stop.calls.clone());
    Ok(Open {
        tables,
        serve: Box::new(move |controller| {
            info!(event = "esl.waiting", %switch, controller = name, "taking calls");
            let calls = Calls { switch, tenants, controller, name, bell, client, calls: calls::CALLS };
            tokio::spawn(calls.run(parked, stop))
        }),
    })
}

/// The table of each tenant, and lamps, over one connection; what the phones do, over another; what queues do, if there are
/// any, over a third.
fn tables(config: &Config, switch: &Switch, stop: &Stop) -> anyhow::Result<Tables> {
    let settings =
        Settings { events: lamps::EVENTS.to_vec(), filters: lamps::filters(), ..settings(switch)? };
    let (client, ended) = Client::start(settings, stop.tables.clone());
    tokio::spawn(lamps::darken(client.clone(), ended));
    let table = |tenant: &TenantId| {
        let groups = config.reach(switch, tenant).groups;
        let table = ModDb::new(client.clone(), tenant.clone()).with(&groups).with_lamps(stop.tables.clone());
        (tenant.clone(), table)
    };
    let tables: Vec<(TenantId, ModDb)> = switch.tenants.iter().map(table).collect();
    let heard = Settings { events: signs::events(), ..self::settings(switch)? };
    let (listener, heard) = Client::start(heard, stop.tables.clone());
    let ears: Vec<Ears> = tables.iter().map(|(_, table)| table.ears()).collect();
    if has_queues(config, switch) {
        let queued = Settings { events: signs::QUEUED.to_vec(), ..self::settings(switch)? };
        signs::hear_queues(Client::start(queued, stop.tables.clone()).1, ears.clone());
    }
    signs::hear(heard, listener.unsettled(), ears);
    Ok(tables.into_iter().map(|(tenant, table)| (tenant, Arc::new(table) as _)).collect())
}

/// Whether there are queues of its whose members are kept.
pub(in crate::cli) fn has_queues(config: &Config, switch: &Switch) -> bool {
    config.groups.iter().any(|group| group.switch == switch.name && group.kind == Kind::Queue)
}

/// How to get into a switch's event socket.
pub(in crate::cli) fn settings(switch: &Switch) -> anyhow::Result<Settings> {
    Ok(Settings {
        name: switch.name.clone(),
        address: switch.esl.to_string(),
        user: switch.esl_user.clone(),
        password: Zeroizing::new(switch.esl_password()?.reveal().to_owned()),
        deadline: SWITCH_PATIENCE,
        events: vec![],
        filters: vec![],
    })
}
