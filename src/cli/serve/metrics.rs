//! Serves metrics: `GET /metrics` at `[metrics] listen`.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context as _, Result};
use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::routing::get;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tracing::info;

use crate::switch::listener::{Closing, Listener, http};
use crate::telemetry::metrics::{self, Metrics};

/// How many programs may read at once.
const READERS: usize = 32;
/// How long one may take, with all its requests.
const LIFE: Duration = Duration::from_secs(30);

/// Listens; what is returned answers until `stop`.
pub(super) async fn open(
    listen: SocketAddr,
    metrics: Metrics,
    stop: CancellationToken,
) -> Result<impl Future<Output = ()> + Send + 'static> {
    let listener = TcpListener::bind(listen).await.with_context(|| {
        format!("cannot listen on {listen} ([metrics] listen): is another program there?")
    })?;
    let address = listener.local_addr()?;
    info!(event = "metrics.listening", %address, "metrics can be read");
    let text = || async move { ([(CONTENT_TYPE, metrics::CONTENT_TYPE)], metrics.text()) };
    let router = Router::new().route("/metrics", get(text));
    let readers = Listener { of: "metrics".into(), allow: None, most: READERS };
    let closing = Closing::from(stop.clone());
    Ok(readers.open(listener, closing, move |stream, peer| {
        let (router, stop) = (router.clone(), stop.clone());
        async move {
            stop.run_until_cancelled(http::serve(stream, peer, router, LIFE)).await;
        }
    }))
}
