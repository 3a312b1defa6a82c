//! Metrics for whoever asks: `GET /metrics`, where `[metrics] listen` says.

use std::net::SocketAddr;

use anyhow::Context as _;
use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::routing::get;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::telemetry::metrics::{self, Metrics};

/// Answers until `stop`.
///
/// # Errors
/// When it cannot listen there.
pub(super) async fn open(
    listen: SocketAddr,
    metrics: Metrics,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let listener = TcpListener::bind(listen).await.with_context(|| {
        format!("cannot listen on {listen} ([metrics] listen): is another program there?")
    })?;
    let address = listener.local_addr()?;
    info!(event = "metrics.listening", %address, "metrics can be read");
    let text = || async move { ([(CONTENT_TYPE, metrics::CONTENT_TYPE)], metrics.text()) };
    let router = Router::new().route("/metrics", get(text));
    tokio::spawn(async move {
        let served = axum::serve(listener, router).with_graceful_shutdown(stop.cancelled_owned());
        if let Err(error) = served.await {
            warn!(event = "metrics.ended", %error, "metrics cannot be read any more");
        }
    });
    Ok(())
}
