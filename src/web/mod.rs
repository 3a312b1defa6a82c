//! The console: pages for browsers, served beside the calls, which never depend on it.
//!
//! It has no rule of its own: every change is a command of [`controller::commands`](crate::controller::commands), as on the
//! command line. Pages are made on the server and work without JavaScript; nothing is requested from outside.

mod assets;
mod back;
mod cookie;
mod frame;
mod guard;
mod health;
mod icon;
mod journal;
mod lockouts;
mod now;
mod origin;
mod page;
mod records;
mod routes;
mod server;
mod sign_in;
mod signed;
mod site;
mod switches;
mod tls;
mod why;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tokio::sync::{Semaphore, watch};

use crate::controller::Controller;
use crate::controller::accounts::Accounts;
use crate::controller::auto_logout::Settings;
use crate::controller::desks::Desks;
use crate::model::directory::doubts::Known;
use crate::model::id::{SwitchName, TenantId};
use crate::model::routes::Routes;
use crate::switch::Switch;

pub use routes::{Access, Route, routes};
pub use server::open;
pub use site::Site;
pub use tls::{Files, Unusable};

/// How many pages are live at once.
const FEEDS: usize = 200;

/// What the pages need.
pub struct Web {
    /// How browsers reach the console.
    pub site: Site,
    /// Carries out commands.
    pub controller: Arc<Controller>,
    /// Signs accounts in.
    pub accounts: Accounts,
    /// Places for pages that are live: [`feeds`].
    pub feeds: Arc<Semaphore>,
    /// The tenants of the switches.
    pub tenants: BTreeMap<TenantId, Tenant>,
}

/// One tenant.
pub struct Tenant {
    /// Its desks, now and later.
    pub desks: watch::Receiver<Arc<Desks>>,
    /// What its configuration has.
    pub known: Known,
    /// Its switches.
    pub switches: BTreeMap<SwitchName, Arc<dyn Switch>>,
    /// Of each switch: its routes to the others, and its groups.
    pub routes: BTreeMap<SwitchName, Routes>,
    /// Those that keep users and devices themselves, as a FreePBX.
    pub freepbx: BTreeSet<SwitchName>,
    /// When users are logged out automatically; a reload replaces it.
    pub auto_logout: watch::Receiver<Arc<Settings>>,
}

/// Places for as many pages that are live as there may be.
#[must_use]
pub fn feeds() -> Arc<Semaphore> {
    Arc::new(Semaphore::new(FEEDS))
}

impl Web {
    /// The only tenant, or the first of them.
    fn first(&self) -> TenantId {
        self.tenants.keys().next().cloned().unwrap_or_default()
    }
}
