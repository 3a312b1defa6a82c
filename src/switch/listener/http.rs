//! HTTP on a connection that a [`Listener`](super::Listener) accepted, with a deadline for each step.

use std::net::SocketAddr;
use std::pin::pin;
use std::time::Duration;

use axum::Router;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout;
use tokio_io_timeout::TimeoutStream;
use tracing::debug;

/// How long the head of a request may take, and how long a connection may be idle before the next one.
const HEAD: Duration = Duration::from_secs(5);
/// Bytes that the head of a request may take.
const HEAD_LIMIT: usize = 16 * 1024;

/// How long a peer may take to read a part of its answer.
const READS: Duration = Duration::from_secs(20);

/// Where a request comes from: the other end of its connection. Each request has it as an extension.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub SocketAddr);

/// Answers the requests of one connection, for `life` at the most: a peer that does not read its answer keeps it no longer.
pub async fn serve<S>(stream: S, peer: SocketAddr, router: Router, life: Duration)
where
    S: AsyncRead + AsyncWrite + Send,
{
    let router = TowerToHyperService::new(router);
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(Peer(peer));
        router.call(request)
    });
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(READS));
    let stream = pin!(stream);
    let requests = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .max_buf_size(HEAD_LIMIT)
        .serve_connection(TokioIo::new(stream), service);
    match timeout(life, requests).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => debug!(event = "http.ended", %error, "a connection ended early"),
        Err(_) => debug!(event = "http.ended", error = "too slow", "a connection ended early"),
    }
}
