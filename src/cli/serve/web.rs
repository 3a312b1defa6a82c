//! Serves the console at `[web] listen`, and prints a link for its first administrator.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::cli::web::path;
use crate::config::{Config, Web as Settings, WebUrl};
use crate::controller::Controller;
use crate::controller::accounts::{self, Accounts};
use crate::model::access::Role;
use crate::model::id::{AccountName, TenantId};
use crate::model::journal::Actor;
use crate::store::StoreError;
use crate::web::{self, Files, Site, Tenant, Web};

/// The account that the first link is for.
const FIRST: &str = "admin";

/// What serves the console until `stop`; none, if it is off.
pub(super) fn serving(
    config: &Config,
    controller: &Arc<Controller>,
    tenants: BTreeMap<TenantId, Tenant>,
    stop: CancellationToken,
) -> Option<impl Future<Output = ()> + Send + 'static> {
    let settings = config.web.clone();
    let listen = settings.listen?;
    let controller = controller.clone();
    let allow = settings.allow();
    let pages = move |at| async move {
        let site = site(&settings, at);
        for tenant in tenants.keys() {
            if let Err(error) = first_administrator(&controller, tenant, &site).await {
                warn!(event = "web.no_link", %tenant, %error, "for a link to the console run hotdesk web admin NAME");
            }
        }
        Arc::new(Web { site, controller, accounts: Accounts::default(), feeds: web::feeds(), tenants })
    };
    let tls = config.web.certificate.clone().zip(config.web.key.clone());
    let tls = tls.map(|(certificate, key)| Files { certificate, key });
    Some(async move { web::open(listen, tls, allow, stop, pages).await })
}

fn site(settings: &Settings, listen: SocketAddr) -> Site {
    let WebUrl { https, authority } = settings.url(listen);
    let (tls, trusted_proxies) = (settings.certificate.is_some(), settings.trusted_proxies.clone());
    Site { https, tls, authority, listen, trusted_proxies }
}

/// Prints a link for the first administrator of a tenant, until there is one. It is a secret, so it is not in the log, and the
/// store keeps only its hash: each start makes another one.
async fn first_administrator(
    controller: &Controller,
    tenant: &TenantId,
    site: &Site,
) -> Result<(), StoreError> {
    let store = &*controller.store;
    if accounts::is_administered(store, tenant).await? {
        return Ok(());
    }
    let Ok(account) = AccountName::new(FIRST) else { return Ok(()) };
    let by = Actor::Controller;
    let secret = accounts::invite(store, tenant, by, account.clone(), Role::Administrator).await?;
    let link = site.url(&path(tenant, &account, &secret));
    // A closed output needs no link: hotdesk web admin makes another one.
    let _ = writeln!(
        std::io::stdout(),
        "To open the console of the tenant {tenant} as its administrator, once and within 72 hours:\n{link}"
    );
    Ok(())
}
