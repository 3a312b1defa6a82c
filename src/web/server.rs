//! Serves the console, with a bound on connections and a deadline for each step.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tracing::{error, info};

use super::Web;
use super::routes::router;
use crate::switch::listener::{Closing, Listener, http};

/// How many connections are served at once: those of pages that are open, too.
const CONNECTIONS: usize = 256;
/// How long a connection may last. A page that is open makes another one.
const LIFE: Duration = Duration::from_secs(60 * 60);
/// How long to wait before it is tried again to listen.
const AGAIN: Duration = Duration::from_secs(10);

/// Serves the console at `listen` until `stop`. What cannot listen tries again: calls do not depend on the console. With
/// `allow` only these networks may connect. The port may be zero: `web` makes the pages for the address that it is.
pub async fn open<F>(
    listen: SocketAddr,
    allow: Option<Vec<IpNet>>,
    stop: CancellationToken,
    web: impl FnOnce(SocketAddr) -> F,
) where
    F: Future<Output = Arc<Web>>,
{
    let Some(Some((listener, address))) = stop.run_until_cancelled(bound(listen)).await else { return };
    let router = router(web(address).await);
    let allow = allow.map(|allow| watch::channel(Arc::new(allow)).1);
    let browsers = Listener { of: "web".into(), allow, most: CONNECTIONS };
    let closing = Closing::from(stop.clone());
    let serving = browsers.open(listener, closing, move |stream, peer| {
        let (router, stop) = (router.clone(), stop.clone());
        async move {
            stop.run_until_cancelled(http::serve(stream, peer, router, LIFE)).await;
        }
    });
    serving.await;
}

async fn bound(listen: SocketAddr) -> Option<(TcpListener, SocketAddr)> {
    let mut said = false;
    loop {
        let bound = match TcpListener::bind(listen).await {
            Ok(listener) => listener.local_addr().map(|address| (listener, address)),
            Err(error) => Err(error),
        };
        match bound {
            Ok((listener, address)) => {
                info!(event = "web.listening", %address, "the console can be opened");
                return Some((listener, address));
            }
            Err(error) if !said => {
                said = true;
                error!(event = "web.not_open", address = %listen, %error,
                    "the console cannot be opened: another program may be at [web] listen. Calls are served; trying again every 10 s");
            }
            Err(_) => {}
        }
        tokio::time::sleep(AGAIN).await;
    }
}
