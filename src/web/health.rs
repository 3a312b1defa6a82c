//! Answers for what watches the process: `/healthz` says that it runs, `/readyz` that it can serve logins. Both name nothing.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use futures_util::future::join_all;
use tokio::time::timeout;

use super::{Tenant, Web};
use crate::controller::desks::Link;

/// Where they are. They need no host of the console: what asks has only an address.
pub(super) const PATHS: [&str; 2] = ["/healthz", "/readyz"];

/// How long the store may take.
const PATIENCE: Duration = Duration::from_secs(2);

pub(super) async fn alive() -> &'static str {
    "alive\n"
}

pub(super) async fn ready(State(web): State<Arc<Web>>) -> (StatusCode, &'static str) {
    let store = web.tenants.keys().map(|tenant| timeout(PATIENCE, web.controller.store.mark(tenant)));
    if !join_all(store).await.iter().all(|mark| matches!(mark, Ok(Ok(_)))) {
        return (StatusCode::SERVICE_UNAVAILABLE, "not ready: the store cannot be read\n");
    }
    let up = |tenant: &Tenant| tenant.desks.borrow().switches.values().all(|link| *link == Link::Up);
    match web.tenants.values().all(up) {
        true => (StatusCode::OK, "ready\n"),
        false => (StatusCode::SERVICE_UNAVAILABLE, "not ready: a switch does not answer, or is held\n"),
    }
}
