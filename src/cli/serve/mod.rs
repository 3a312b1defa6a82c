//! `hotdesk serve`: takes calls and keeps the switch tables right, until it is asked to stop.

pub(in crate::cli) mod asterisk;
mod descriptors;
pub(in crate::cli) mod freeswitch;
pub(in crate::cli) mod identity;
mod metrics;
pub(in crate::cli) mod open;
mod reload;
mod service_manager;
mod supervisor;
mod web;

use std::collections::BTreeMap;
use std::num::NonZeroU16;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use jiff::tz::TimeZone;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{mpsc, watch};
use tracing::{error, info, warn};

use open::{Allowed, Open, Opening, Stop};
use reload::{Reloaded, reload};
use supervisor::{Supervisor, Until};

use crate::cli::context::{self, Absent};
use crate::cli::control::{self, Answer};
use crate::cli::known::known;
use crate::config::{Config, Kind, Layout, Switch};
use crate::controller::Controller;
use crate::controller::auto_logout::{Settings, Timers};
use crate::controller::clock::Clock;
use crate::controller::desks::Watching;
use crate::controller::hold;
use crate::controller::journal;
use crate::controller::outage;
use crate::controller::pepper::{self, Peppers};
use crate::controller::pins::Pins;
use crate::controller::reconcile::{Held, Kept, PATIENCE, Reconciler};
use crate::model::id::{SwitchName, TenantId};
use crate::store::Keeps;
use crate::telemetry::metrics::Metrics;
use crate::web::Tenant;

/// By tenant: the switches whose devices are watched.
type Phones = BTreeMap<TenantId, BTreeMap<SwitchName, Arc<dyn crate::switch::Switch>>>;

/// How long tasks may take to end after a second stop signal.
const AT_ONCE: Duration = Duration::from_secs(2);

/// Serves until SIGTERM or SIGINT, and then until the calls have ended or a second signal arrives. SIGHUP reads the
/// configuration again. A task that ends before the stop is an error.
pub(super) async fn run(config: Config, file: &Path, metrics: Metrics) -> Result<()> {
    // First: a signal while it starts must neither be lost nor end it in the middle.
    let (mut term, mut int, mut hup) =
        (on(SignalKind::terminate())?, on(SignalKind::interrupt())?, on(SignalKind::hangup())?);
    let listens = |switch: &&Switch| switch.kind == Kind::Asterisk || switch.outbound_listen.is_some();
    let calls = descriptors::calls(config.switches.iter().filter(listens).count());
    let store = context::open_store(&config, Absent::Make, |path| {
        warn!(event = "store.new", path = %path.display(), "there was no store, although there is a pepper: a new and empty one was made");
    })
    .await?;
    if let Ok(Keeps::Evicts(by)) = store.keeps().await {
        bail!(hold::evicts(&by));
    }
    let path = &config.store.pepper_file;
    let current = pepper::of_store(path, &*store, config.served_tenants()).await?;
    let peppers = Peppers { current, others: pepper::others(path)? };
    let (stop, mut tasks) = (Stop::default(), Supervisor::default());
    let (watched, until) = (store.clone(), stop.tables.clone());
    tasks.spawn("store", Until::Last, async move {
        if let Some(what) = until.run_until_cancelled(watched.ended()).await {
            error!(event = "store.ended", what, "a part of the store ended");
        }
    });
    if let Some(listen) = config.metrics.listen {
        let answering = metrics::open(listen, metrics, stop.tables.clone()).await?;
        tasks.spawn("metrics", Until::Last, answering);
    }
    let identity = identity::of(file);
    if let Some(tenant) = config.served_tenants().next() {
        let (watched, stopped) = (outage::watch(store.clone(), tenant.clone()), stop.tables.clone());
        tasks.spawn("state of the store", Until::Last, async move {
            stopped.run_until_cancelled(watched).await;
        });
    }
    let stopped = stop.tables.clone();
    tasks.spawn("watchdog", Until::Last, async move {
        stopped.run_until_cancelled(service_manager::alive()).await;
    });
    let (codes, watched) = watch::channel(Arc::new(config.book()));
    let (rulebook, rules) = watch::channel(Arc::new(config.rules()));

    let mut allowed = Allowed::new();
    let mut phones: Phones = BTreeMap::new();
    let mut held: BTreeMap<TenantId, Vec<Held>> = BTreeMap::new();
    let mut reconcilers = BTreeMap::new();
    let mut listeners = vec![];
    for switch in &config.switches {
        let opening =
            Opening { config: &config, stop: &stop, tasks: &mut tasks, allowed: &mut allowed, calls };
        let Open { tables: of_tenants, serve } = match switch.kind {
            Kind::Asterisk => asterisk::open(switch, opening).await?,
            Kind::FreeSwitch => freeswitch::open(switch, &identity, opening).await?,
        };
        for (tenant, table) in of_tenants {
            let (name, routes) = (switch.name.clone(), config.routes(switch, &tenant));
            let kept = Kept { name: name.clone(), tenant: tenant.clone(), routes, patience: PATIENCE };
            phones.entry(tenant.clone()).or_default().insert(name.clone(), table.clone());
            let (reconciler, task) = Reconciler::start(kept, store.clone(), table, stop.tables.clone());
            held.entry(tenant.clone()).or_default().push(reconciler.held());
            tasks.adopt(format!("table of switch {name}, tenant {tenant}"), Until::Last, task);
            reconcilers.insert((name, tenant), reconciler);
        }
        listeners.push((switch.name.clone(), serve));
    }

    let (days, kept) = watch::channel(NonZeroU16::new(config.journal.keep_days));
    let keeper =
        journal::keep(store.clone(), phones.keys().cloned().collect(), kept, stop.calls.begun.clone());
    tasks.adopt("journal", Until::Calls, keeper);

    let clock = Clock::machine();
    let mut auto_logout: BTreeMap<TenantId, watch::Sender<Arc<Settings>>> = BTreeMap::new();
    let mut desks = BTreeMap::new();
    for (tenant, switches) in phones {
        let (sender, settings) = watch::channel(Arc::new(auto_logout_settings(&config, &tenant)));
        auto_logout.insert(tenant.clone(), sender);
        let name = format!("automatic logout of tenant {tenant}");
        let held = held.remove(&tenant).unwrap_or_default();
        if config.web.listen.is_some() {
            let of_tenant = switches.keys().filter_map(|switch| {
                let reconciler = reconcilers.get(&(switch.clone(), tenant.clone()))?;
                Some((switch.clone(), reconciler.held()))
            });
            let watching = Watching {
                tenant: tenant.clone(),
                store: store.clone(),
                switches: switches.clone(),
                held: of_tenant.collect(),
                settings: settings.clone(),
            };
            let auto_logout = settings.clone();
            let (seen, task) = watching.start(stop.calls.begun.clone());
            tasks.adopt(format!("desks of tenant {tenant}"), Until::Calls, task);
            let known = known(&config, &tenant);
            let own = || config.switches.iter().filter(|switch| switch.has(&tenant));
            let routes = own().map(|switch| (switch.name.clone(), config.routes(switch, &tenant)));
            let freepbx = own().filter(|switch| switch.layout == Layout::FreePbx);
            let of_tenant = Tenant {
                desks: seen,
                known,
                auto_logout,
                switches: switches.clone(),
                routes: routes.collect(),
                freepbx: freepbx.map(|switch| switch.name.clone()).collect(),
            };
            desks.insert(tenant.clone(), of_tenant);
        }
        let timers = Timers { tenant, store: store.clone(), switches, held, settings, clock: clock.clone() };
        tasks.adopt(name, Until::Calls, timers.start(stop.calls.begun.clone()));
    }
    let pins = Pins::new(peppers);
    let controller =
        Arc::new(Controller { store, pins, codes: watched, rules, switches: reconcilers, clock });
    for (switch, serve) in listeners {
        tasks.spawn(format!("calls of switch {switch}"), Until::Calls, serve(controller.clone()));
    }
    if let Some(serving) = web::serving(&config, &controller, desks, stop.calls.begun.clone()) {
        if config.web.listen.is_some_and(|listen| !listen.ip().is_loopback()) && config.web.insecure_http {
            warn!(
                event = "web.insecure",
                "[web] insecure_http is set: passwords go through the network without TLS"
            );
        }
        tasks.spawn("web", Until::Calls, serving);
    }

    let (ask, mut questions) = mpsc::channel(1);
    if let Some(socket) = control::open(&config, file).await {
        let stopped = stop.calls.begun.clone();
        tasks.spawn("control socket", Until::Calls, async move {
            stopped.run_until_cancelled(control::listen(socket, ask)).await;
        });
    }
    let take_over = |reloaded: Result<Reloaded, String>| match reloaded {
        Err(why) => Answer { done: false, notes: vec![why] },
        Ok(Reloaded { config: new, peppers, notes }) => {
            rulebook.send_replace(Arc::new(new.rules()));
            for (tenant, settings) in &auto_logout {
                settings.send_replace(Arc::new(auto_logout_settings(&new, tenant)));
            }
            days.send_replace(NonZeroU16::new(new.journal.keep_days));
            controller.pins.reload_peppers(peppers);
            info!(event = "reload.done", "hotdesk has read the configuration again");
            Answer { done: true, notes }
        }
    };
    info!(event = "serve.started", version = env!("CARGO_PKG_VERSION"), "hotdesk is up");
    service_manager::ready();
    loop {
        tokio::select! {
            _ = term.recv() => break,
            _ = int.recv() => break,
            unasked = tasks.failed() => return Err(unasked.into()),
            _ = hup.recv() => {
                service_manager::reloading();
                take_over(reload(&config, file, &codes, &allowed).await);
                service_manager::ready();
            }
            Some(question) = questions.recv() => {
                service_manager::reloading();
                // One that does not wait for the answer has the same effect as SIGHUP.
                let _ = question.send(take_over(reload(&config, file, &codes, &allowed).await));
                service_manager::ready();
            }
        }
    }
    info!(event = "serve.stopping", "stopping; calls in progress may end");
    service_manager::stopping();
    stop.calls.begun.cancel();
    let ended = async {
        tasks.ended(Until::Calls).await;
        stop.tables.cancel();
        tasks.ended(Until::Last).await;
    };
    let again = async {
        tokio::select! {
            _ = term.recv() => {}
            _ = int.recv() => {}
        }
        warn!(event = "serve.cut", "second stop signal: callers hear \"not available\"");
        stop.calls.cut.cancel();
        tokio::time::sleep(AT_ONCE).await;
    };
    tokio::select! {
        () = ended => {}
        () = again => {}
    }
    info!(event = "serve.stopped", "hotdesk is down; calls go on with the switch table");
    Ok(())
}

fn on(kind: SignalKind) -> Result<Signal> {
    signal(kind).context("cannot listen for signals")
}

/// When users of a tenant are logged out automatically.
fn auto_logout_settings(config: &Config, tenant: &TenantId) -> Settings {
    let rules = config.of(tenant).auto_logout();
    Settings {
        rules: rules.rules(),
        warn: rules.warn.is(),
        asks: rules.extend_call,
        extend: rules.extend,
        zone: TimeZone::system(),
    }
}
