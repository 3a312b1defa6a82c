//! `hotdesk serve`: takes calls and keeps the switches true, until it is told to stop.

pub(super) mod asterisk;
pub(super) mod freeswitch;
mod identity;
mod metrics;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::num::NonZeroU16;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use ipnet::IpNet;
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use crate::config::{Config, Kind, Leave, Switch};
use crate::controller::clock::Clock;
use crate::controller::journal;
use crate::controller::pins::Pins;
use crate::controller::reconcile::{Kept, Reconciler};
use crate::controller::timers::{Settings, Timers};
use crate::controller::{Controller, pepper};
use crate::desk::code::Book;
use crate::desk::id::{SwitchName, TenantId};
use crate::store;
use crate::switch::door::Closing;
use crate::telemetry::metrics::Metrics;

/// How long a switch may take for a command, connecting and each step of the login included.
const SWITCH_PATIENCE: Duration = Duration::from_secs(3);

/// What a reload replaces of each switch: who may call in.
type Allowed = BTreeMap<SwitchName, watch::Sender<Arc<Vec<IpNet>>>>;

/// By tenant: the switches whose phones are watched.
type Phones = BTreeMap<TenantId, BTreeMap<SwitchName, Arc<dyn crate::switch::Switch>>>;

/// How long what is left may take once it was told twice to stop.
const AT_ONCE: Duration = Duration::from_secs(2);

/// What stops: first calls, and with them gone the tables.
#[derive(Default)]
struct Stop {
    calls: Closing,
    tables: CancellationToken,
}

/// A switch's table of each tenant.
type Tables = Vec<(TenantId, Arc<dyn crate::switch::Switch>)>;

/// A switch that is being connected to.
struct Open {
    tables: Tables,
    /// Takes its calls, until those are stopped.
    serve: Box<dyn FnOnce(Arc<Controller>) -> JoinHandle<()>>,
}

/// Serves until SIGTERM or SIGINT, and then until the calls have ended or a second one comes. SIGHUP reads the configuration
/// anew.
///
/// # Errors
/// What kept it from starting: an address in use, a secret that cannot be read.
pub(super) async fn run(config: Config, file: Option<&Path>, metrics: Metrics) -> anyhow::Result<()> {
    // First of all: a signal while it starts must neither be lost nor end it in the middle.
    let (mut term, mut int, mut hup) =
        (on(SignalKind::terminate())?, on(SignalKind::interrupt())?, on(SignalKind::hangup())?);
    let peppers = pepper::all(&config.store.pepper_file)?;
    let store = store::open(config.store.url.as_str(), &config.folder).await?;
    let stop = Stop::default();
    if let Some(listen) = config.metrics.listen {
        metrics::open(listen, metrics, stop.tables.clone()).await?;
    }
    let identity = identity::of(file);
    let (codes, watched) = watch::channel(Arc::new(config.book()));
    let (rulebook, rules) = watch::channel(Arc::new(config.rules()));

    let mut allowed = Allowed::new();
    let mut tables: Vec<JoinHandle<()>> = vec![];
    let mut phones: Phones = BTreeMap::new();
    let mut switches = BTreeMap::new();
    let mut doors = vec![];
    for switch in &config.switches {
        let Open { tables: of_tenants, serve } = match switch.kind {
            Kind::Asterisk => asterisk::open(&config, switch, &stop, &mut allowed).await?,
            Kind::FreeSwitch => freeswitch::open(&config, switch, &identity, &stop, &mut allowed).await?,
        };
        for (tenant, table) in of_tenants {
            let name = switch.name.clone();
            let kept =
                Kept { name: name.clone(), tenant: tenant.clone(), reach: config.reach(switch, &tenant) };
            phones.entry(tenant.clone()).or_default().insert(name.clone(), table.clone());
            let (reconciler, task) = Reconciler::start(kept, store.clone(), table, stop.tables.clone());
            switches.insert((name, tenant), reconciler);
            tables.push(task);
        }
        doors.push(serve);
    }

    let (days, kept) = watch::channel(NonZeroU16::new(config.journal.keep_days));
    let keeper =
        journal::keep(store.clone(), phones.keys().cloned().collect(), kept, stop.calls.begun.clone());

    let mut leave: BTreeMap<TenantId, watch::Sender<Arc<Settings>>> = BTreeMap::new();
    let timers: Vec<JoinHandle<()>> = phones
        .into_iter()
        .map(|(tenant, switches)| {
            let (sender, settings) = watch::channel(Arc::new(leaving(&config, &tenant)));
            leave.insert(tenant.clone(), sender);
            let timers = Timers { tenant, store: store.clone(), switches, settings, clock: Clock::Wall };
            timers.start(stop.calls.begun.clone())
        })
        .collect();
    let controller = Arc::new(Controller {
        store,
        pins: Pins::new(peppers),
        codes: watched,
        rules,
        switches,
        clock: Clock::Wall,
    });
    let servers: Vec<JoinHandle<()>> = doors.into_iter().map(|serve| serve(controller.clone())).collect();

    info!(event = "serve.started", version = env!("CARGO_PKG_VERSION"), "hotdesk is up");
    loop {
        tokio::select! {
            _ = term.recv() => break,
            _ = int.recv() => break,
            _ = hup.recv() => {
                if let Some(new) = reload(&config, file, &codes, &allowed).await {
                    rulebook.send_replace(Arc::new(new.rules()));
                    for (tenant, leave) in &leave {
                        leave.send_replace(Arc::new(leaving(&new, tenant)));
                    }
                    days.send_replace(NonZeroU16::new(new.journal.keep_days));
                    season(&config, &controller.pins);
                    info!(event = "reload.done", "the configuration was read anew");
                }
            }
        }
    }
    info!(event = "serve.stopping", "letting calls end");
    stop.calls.begun.cancel();
    let ended = async {
        for server in servers.into_iter().chain(timers).chain([keeper]) {
            let _ = server.await;
        }
        stop.tables.cancel();
        for table in tables {
            let _ = table.await;
        }
    };
    let again = async {
        tokio::select! {
            _ = term.recv() => {}
            _ = int.recv() => {}
        }
        warn!(event = "serve.cut", "told again to stop: calls under way hear that it is not available");
        stop.calls.cut.cancel();
        tokio::time::sleep(AT_ONCE).await;
    };
    tokio::select! {
        () = ended => {}
        () = again => {}
    }
    info!(event = "serve.stopped", "hotdesk is down; phones keep working by the switch's own table");
    Ok(())
}

/// Listens where a switch connects to us; `key` is what names the address.
async fn listen(switch: &Switch, address: SocketAddr, key: &str) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).await.with_context(|| {
        format!(
            "switch {}: cannot listen on {address} ({key}): is another hotdesk running there?",
            switch.name
        )
    })
}

/// Who may connect with a switch's calls, now and after each reload.
async fn admit(switch: &Switch, reloaded: &mut Allowed) -> watch::Receiver<Arc<Vec<IpNet>>> {
    let (sender, allow) = watch::channel(Arc::new(allowed_by(switch).await));
    reloaded.insert(switch.name.clone(), sender);
    allow
}

/// Who may call in. Names are looked up, which blocks: off the reactor.
async fn allowed_by(switch: &Switch) -> Vec<IpNet> {
    let switch = switch.clone();
    tokio::task::spawn_blocking(move || switch.allow()).await.unwrap_or_default()
}

fn on(kind: SignalKind) -> anyhow::Result<Signal> {
    signal(kind).context("cannot listen for signals")
}

/// Takes over what can be without a restart: codes and allowed addresses. A file that cannot be used changes nothing.
/// `started` is what it was started with: what differs from that needs a restart, also when it is read once more.
/// Returns it.
async fn reload(
    started: &Config,
    file: Option<&Path>,
    codes: &watch::Sender<Arc<Book>>,
    allowed: &Allowed,
) -> Option<Config> {
    let new = match Config::load(file, &|name| std::env::var(name).ok()) {
        Ok(new) => new,
        Err(error) => {
            error!(event = "reload.refused", %error, "the configuration stays as it was");
            return None;
        }
    };
    if let Some(what) = needs_restart(started, &new) {
        warn!(event = "reload.partial", what, "changed too, and is taken over by a restart only");
    }
    let (book, was) = (new.book(), codes.borrow().clone());
    if book != *was {
        codes.send_replace(Arc::new(book));
        warn!(
            event = "reload.codes",
            "the codes are new: what people dial reaches us once the switch has its side of them, `hotdesk dialplan`"
        );
    }
    for switch in &new.switches {
        if let Some(sender) = allowed.get(&switch.name) {
            sender.send_replace(Arc::new(allowed_by(switch).await));
        }
    }
    Some(new)
}

/// Takes over a pepper that was rotated, and others that were put beside it.
fn season(started: &Config, pins: &Pins) {
    match pepper::all(&started.store.pepper_file) {
        Ok(peppers) => pins.season(peppers),
        Err(error) => error!(event = "reload.refused", %error, "the peppers stay as they were"),
    }
}

/// When users of a tenant are logged out by themselves.
fn leaving(config: &Config, tenant: &TenantId) -> Settings {
    let leave = config.of(tenant).leave();
    Settings {
        rules: leave.rules(),
        warn: leave.warn(),
        asks: leave.stay_call().then(|| leave.stay()),
        zone: Leave::zone(),
    }
}

/// The first section that differs and that a reload does not take over.
fn needs_restart(old: &Config, new: &Config) -> Option<&'static str> {
    let fixed = |config: &Config| -> Vec<Switch> {
        config.switches.iter().map(|switch| switch.clone().without_reloadable()).collect()
    };
    if old.store != new.store {
        Some("[store]")
    } else if fixed(old) != fixed(new) {
        Some("[[switch]]")
    } else if old.log != new.log {
        Some("[log]")
    } else if old.metrics != new.metrics {
        Some("[metrics]")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_reload_gives_each_switch_its_own_addresses_whatever_their_order() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("hotdesk.toml");
        let switch = |name: &str, port: u16, net: &str| {
            format!(
                "[[switch]]\nname = \"{name}\"\nami = \"{name}:5038\"\nagi_listen = \"127.0.0.1:{port}\"\n\
                 agi_allow = [\"{net}\"]\n"
            )
        };
        let configure = |switches: &[String]| {
            std::fs::write(&file, switches.concat()).unwrap();
            Config::load(Some(&file), &|_| None).unwrap()
        };
        let started = configure(&[switch("a", 4573, "10.1.0.0/16"), switch("b", 4574, "10.2.0.0/16")]);
        let allowed: Allowed =
            ["a", "b"].map(|name| (SwitchName::new(name).unwrap(), watch::Sender::default())).into();
        let new = configure(&[
            switch("new", 4575, "10.9.0.0/16"),
            switch("b", 4574, "10.4.0.0/16"),
            switch("a", 4573, "10.3.0.0/16"),
        ]);

        reload(&started, Some(&file), &watch::Sender::default(), &allowed).await;
        let nets = |name: &str| {
            allowed[&SwitchName::new(name).unwrap()]
                .borrow()
                .iter()
                .map(ToString::to_string)
                .collect::<String>()
        };
        assert_eq!((nets("a").as_str(), nets("b").as_str()), ("10.3.0.0/16", "10.4.0.0/16"));
        assert_eq!(needs_restart(&started, &new), Some("[[switch]]"));
    }
}
