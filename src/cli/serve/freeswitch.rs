//! A FreeSWITCH's part of `hotdesk serve`, and the connections that it needs.
//!
//! FreeSWITCH serves each connection to its event socket with one thread (1.10.12). It works off `api` commands one after the
//! other, and while it has events to send, it takes no command. So these are apart:
//!
//! | connection | commands | events | why |
//! |---|---|---|---|
//! | control | of the table and BLF | none | no event can keep its commands waiting |
//! | waiting calls | those that lift a waiting call's time-out | calls that wait in a code | the time-out is 2 s, and the table's commands of 300 calls at once take longer |
//! | events | only subscriptions | of devices, BLF, voicemail, queues | there are some for every call of the switch |
//! | calls | of calls under way | of those calls | each command waits for an event, and there are many of both |
//!
//! Calls that FreeSWITCH brings over an outbound socket have a connection each, so the two of calls are not needed then.

use std::sync::Arc;

use anyhow::Result;
use tokio::net::TcpListener;
use tracing::info;

use super::open::{Open, Opening, SWITCH_PATIENCE, Tables, listen};
use crate::config::{Config, Switch, read_secret};
use crate::controller::Controller;
use crate::freeswitch::calls::outbound::Server;
use crate::freeswitch::calls::parked::{self, Calls};
use crate::freeswitch::calls::taker::Taker;
use crate::freeswitch::esl::client::{Client, Settings};
use crate::freeswitch::esl::event::Event;
use crate::freeswitch::events;
use crate::freeswitch::presence::publish;
use crate::freeswitch::table::mod_db::FreeSwitchSwitch;
use crate::model::directory::group::Kind;
use crate::switch::connection::events::Subscription;
use crate::switch::connection::outage;

/// Connects to its event socket, and takes its calls: listens for them with `outbound_listen`, else takes parked ones.
pub(super) async fn open(switch: &Switch, identity: &str, mut opening: Opening<'_>) -> Result<Open> {
    let (of, tenants) = (switch.name.clone(), switch.tenants.clone());
    // Two [[switch]] sections may name one FreeSWITCH, with different tenants.
    let name = format!("{identity}/{of}");
    let taker = move |controller: Arc<Controller>| Taker { switch: of, tenants, controller, name };
    match switch.outbound_listen {
        Some(address) => {
            // The address first: a hotdesk that cannot listen must not write into a switch that another hotdesk serves.
            let listener = listen(switch, address, "outbound_listen").await?;
            let (control, []) = opening.connect("control", switch, settings(switch)?);
            let tables = tables(switch, control, &[], &mut opening)?;
            brought(switch, taker, listener, tables, opening).await
        }
        None => parked(switch, taker, opening),
    }
}

async fn brought(
    switch: &Switch,
    taker: impl FnOnce(Arc<Controller>) -> Taker + Send + 'static,
    listener: TcpListener,
    tables: Tables,
    mut opening: Opening<'_>,
) -> Result<Open> {
    let address = listener.local_addr()?;
    let (allow, stop, calls) = (opening.admit(switch).await, opening.stop.calls.clone(), opening.calls);
    Ok(Open {
        tables,
        serve: Box::new(move |controller| {
            let taker = taker(controller);
            info!(event = "esl.listening", switch = %taker.switch, %address, controller = taker.name, "taking calls");
            let server = Server { taker, allow, deadline: SWITCH_PATIENCE, calls };
            Box::pin(server.run(listener, stop))
        }),
    })
}

fn parked(
    switch: &Switch,
    taker: impl FnOnce(Arc<Controller>) -> Taker + Send + 'static,
    mut opening: Opening<'_>,
) -> Result<Open> {
    let of_calls = |events: &[&'static str]| -> Result<Settings> {
        Ok(Settings { events: events.to_vec(), filters: parked::filters(), ..settings(switch)? })
    };
    let (waiting, [parked]) = opening.connect("waiting calls", switch, of_calls(&parked::PARKED)?);
    let (client, []) = opening.connect("calls", switch, of_calls(&parked::EVENTS)?);
    let (control, []) = opening.connect("control", switch, settings(switch)?);
    let tables = tables(switch, control, &[&waiting, &client], &mut opening)?;
    let stop = opening.stop.calls.clone();
    Ok(Open {
        tables,
        serve: Box::new(move |controller| {
            let taker = taker(controller);
            info!(event = "esl.waiting", switch = %taker.switch, controller = taker.name, "taking calls");
            let calls = Calls { taker, waiting, client, calls: parked::CALLS };
            Box::pin(calls.run(parked, stop))
        }),
    })
}

impl Opening<'_> {
    /// A connection, and subscriptions from before it connects, so that they miss no event.
    fn connect<const N: usize>(
        &mut self,
        of: &str,
        switch: &Switch,
        settings: Settings,
    ) -> (Client, [Subscription<Event>; N]) {
        let (client, connection) = Client::new(settings, self.stop.tables.clone());
        let subscriptions = std::array::from_fn(|_| client.subscribe());
        self.spawn(format!("{of} connection of switch {}", switch.name), connection);
        (client, subscriptions)
    }
}

/// The table, MWI and BLF of each tenant, over `control`. Events have their own connection. Watches the state of these and of
/// the connections `of_calls`.
fn tables(
    switch: &Switch,
    control: Client,
    of_calls: &[&Client],
    opening: &mut Opening<'_>,
) -> Result<Tables> {
    let (name, mut tables, mut handlers) = (&switch.name, Tables::new(), vec![]);
    for tenant in &switch.tenants {
        let groups = opening.config.routes(switch, tenant).groups;
        let table = FreeSwitchSwitch::new(control.clone(), tenant.clone()).with(&groups);
        let (table, lamps) = table.with_lamps();
        opening.run(format!("BLF of switch {name}, tenant {tenant}"), lamps);
        handlers.push(table.event_handlers());
        tables.push((tenant.clone(), Arc::new(table)));
    }
    let heard = Settings { events: events::events(), ..settings(switch)? };
    let (listener, [for_features, for_lamps]) = opening.connect("events", switch, heard);
    let states = [&control, &listener].into_iter().chain(of_calls.iter().copied()).map(Client::state);
    let watched = outage::watch(name.clone(), switch.esl.to_string(), states.collect());
    opening.run(format!("state of switch {name}"), watched);
    let follow = events::follow(listener, for_features, handlers, has_queues(opening.config, switch));
    opening.spawn(format!("events of switch {name}"), follow);
    let clear = publish::clear_after_calls(control, for_lamps);
    opening.spawn(format!("BLF of devices of switch {name}"), clear);
    Ok(tables)
}

/// Whether Hotdesk keeps the members of a queue of this switch.
pub(in crate::cli) fn has_queues(config: &Config, switch: &Switch) -> bool {
    config.groups.iter().any(|group| group.switch == switch.name && group.kind == Kind::Queue)
}

pub(in crate::cli) fn settings(switch: &Switch) -> Result<Settings> {
    Ok(Settings {
        name: switch.name.clone(),
        address: switch.esl.to_string(),
        user: switch.esl_user.clone(),
        password: read_secret(&switch.esl_password_file, "esl_password_file")?,
        deadline: SWITCH_PATIENCE,
        events: vec![],
        filters: vec![],
    })
}
