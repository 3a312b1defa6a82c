//! Serves the console, with a bound on connections and a deadline for each step.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tracing::{debug, error, info};

use super::Web;
use super::routes::router;
use super::tls::{Files, Tls};
use crate::switch::listener::{Closing, Listener, http};

/// How many connections are served at once: those of pages that are open, too.
const CONNECTIONS: usize = 256;
/// How long a connection may last. A page that is open makes another one.
const LIFE: Duration = Duration::from_secs(60 * 60);
/// How long to wait before it is tried again to listen.
const AGAIN: Duration = Duration::from_secs(10);

/// Serves the console at `listen` until `stop`. What cannot listen tries again: calls do not depend on the console. With
/// `allow` only these networks may connect; with `files` only by TLS. The port may be zero: `web` makes the pages for the address that it is.
pub async fn open<F>(
    listen: SocketAddr,
    files: Option<Files>,
    allow: Option<Vec<IpNet>>,
    stop: CancellationToken,
    web: impl FnOnce(SocketAddr) -> F,
) where
    F: Future<Output = Arc<Web>>,
{
    let opened = stop.run_until_cancelled(opened(listen, files)).await;
    let Some((listener, address, tls)) = opened else { return };
    let router = router(web(address).await);
    let allow = allow.map(|allow| watch::channel(Arc::new(allow)).1);
    let browsers = Listener { of: "web".into(), allow, most: CONNECTIONS };
    let closing = Closing::from(stop.clone());
    let serving = browsers.open(listener, closing, move |stream, peer| {
        let (router, stop, tls) = (router.clone(), stop.clone(), tls.clone());
        async move {
            let serving = async {
                match tls {
                    None => http::serve(stream, peer, router, LIFE).await,
                    Some(tls) => match tls.accept(stream).await {
                        Ok(stream) => http::serve(stream, peer, router, LIFE).await,
                        Err(error) => {
                            debug!(event = "web.no_tls", %peer, %error, "a connection did not begin with TLS")
                        }
                    },
                }
            };
            stop.run_until_cancelled(serving).await;
        }
    });
    serving.await;
}

/// Listens, once the address is free and the certificate can be used.
async fn opened(listen: SocketAddr, files: Option<Files>) -> (TcpListener, SocketAddr, Option<Arc<Tls>>) {
    let mut said = false;
    loop {
        let cause = match open_once(listen, files.clone()).await {
            Ok(opened) => {
                info!(event = "web.listening", address = %opened.1, "the console can be opened");
                return opened;
            }
            Err(cause) => cause,
        };
        if !said {
            said = true;
            error!(event = "web.not_open", address = %listen, error = cause,
                "the console cannot be opened. Calls are served; trying again every 10 s");
        }
        tokio::time::sleep(AGAIN).await;
    }
}

async fn open_once(
    listen: SocketAddr,
    files: Option<Files>,
) -> Result<(TcpListener, SocketAddr, Option<Arc<Tls>>), String> {
    let tls = files.map(Tls::open).transpose().map_err(|error| error.to_string())?.map(Arc::new);
    let bound = async {
        let listener = TcpListener::bind(listen).await?;
        let address = listener.local_addr()?;
        Ok::<_, std::io::Error>((listener, address))
    };
    let (listener, address) = bound
        .await
        .map_err(|error| format!("{error}: another program may be at this address, [web] listen"))?;
    Ok((listener, address, tls))
}
