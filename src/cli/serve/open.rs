//! What each kind of switch needs to open its part of `hotdesk serve`, and what it gives back.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use ipnet::IpNet;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::supervisor::{Supervisor, Until};
use crate::config::{Config, Switch};
use crate::controller::Controller;
use crate::model::id::{SwitchName, TenantId};
use crate::switch::listener::Closing;

/// How long a switch may take for a command, connecting and each step of the login included.
pub(super) const SWITCH_PATIENCE: Duration = Duration::from_secs(3);

/// What a reload replaces of each switch: the addresses that its calls may come from.
pub(super) type Allowed = BTreeMap<SwitchName, watch::Sender<Arc<Vec<IpNet>>>>;

/// What stops: first the calls, and once they have ended the tables.
#[derive(Default)]
pub(super) struct Stop {
    pub(super) calls: Closing,
    pub(super) tables: CancellationToken,
}

/// What a switch needs to open its part.
pub(super) struct Opening<'a> {
    pub(super) config: &'a Config,
    pub(super) stop: &'a Stop,
    pub(super) tasks: &'a mut Supervisor,
    pub(super) allowed: &'a mut Allowed,
    /// How many calls its listener may serve at once.
    pub(super) calls: usize,
}

impl Opening<'_> {
    /// Runs a task that ends by itself once the tables stop.
    pub(super) fn spawn(&mut self, name: String, task: impl Future<Output = ()> + Send + 'static) {
        self.tasks.spawn(name, Until::Last, task);
    }

    /// Runs a task that is ended with the tables.
    pub(super) fn run(&mut self, name: String, task: impl Future<Output = ()> + Send + 'static) {
        let stop = self.stop.tables.clone();
        self.spawn(name, async move {
            stop.run_until_cancelled(task).await;
        });
    }

    /// The addresses that a switch's calls may come from, now and after each reload.
    pub(super) async fn admit(&mut self, switch: &Switch) -> watch::Receiver<Arc<Vec<IpNet>>> {
        let (sender, allow) = watch::channel(Arc::new(allowed_by(switch).await));
        self.allowed.insert(switch.name.clone(), sender);
        allow
    }
}

pub(super) type Tables = Vec<(TenantId, Arc<dyn crate::switch::Switch>)>;

/// Serves the calls of a switch with the controller, until the switch is stopped.
type Serve = Box<dyn FnOnce(Arc<Controller>) -> Pin<Box<dyn Future<Output = ()> + Send>>>;

pub(super) struct Open {
    pub(super) tables: Tables,
    /// Takes its calls until [`Stop::calls`].
    pub(super) serve: Serve,
}

/// Listens for the calls of a switch; `key` names the address in the configuration.
pub(super) async fn listen(switch: &Switch, address: SocketAddr, key: &str) -> Result<TcpListener> {
    TcpListener::bind(address).await.with_context(|| {
        let name = &switch.name;
        format!("switch {name}: cannot listen on {address} ({key}): is another hotdesk running there?")
    })
}

/// The addresses that a switch's calls may come from. Looking names up blocks, so it runs off the reactor.
pub(in crate::cli) async fn allowed_by(switch: &Switch) -> Vec<IpNet> {
    let switch = switch.clone();
    tokio::task::spawn_blocking(move || switch.allow()).await.unwrap_or_default()
}
