//! What holds for every request: its host, its origin, its deadline, the headers of its answer, and its line in the log.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{MatchedPath, Request, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderName, ORIGIN, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY,
    X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::Response;
use tokio::time::timeout;
use tracing::{Instrument as _, debug, info, info_span};

use super::origin::Origin;
use super::{Web, health, page};
use crate::switch::listener::http::Peer;

/// How long an answer may take, its body that goes on included in none of it.
const PATIENCE: Duration = Duration::from_secs(30);

/// Scripts, styles and connections only from the console itself, no frame around it, and forms that go nowhere else.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; \
                      connect-src 'self'; worker-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// Checks a request, has it answered, and adds the headers that every answer has.
pub(super) async fn guard(State(web): State<Arc<Web>>, mut request: Request, next: Next) -> Response {
    let id = format!("{:016x}", getrandom::u64().unwrap_or_default());
    let peer = request.extensions().get::<Peer>().map(|peer| peer.0);
    let from = peer.map_or(IpAddr::from([0, 0, 0, 0]), |peer| web.site.client(peer, request.headers()));
    // Never the path itself: it may hold the secret of a link.
    let path = request.extensions().get::<MatchedPath>().map_or("", MatchedPath::as_str).to_owned();
    let (method, host) = (request.method().clone(), web.site.host(request.headers()).map(str::to_owned));
    let https = host.as_deref().is_some_and(|host| web.site.is_https(host));
    let origin = Origin { request: id.clone(), from, https };
    let refused = match &host {
        None if health::PATHS.contains(&path.as_str()) => None,
        None => Some(page::wrong_host(&origin, &web.site)),
        Some(host) if !comes_from(&method, request.headers(), &web.site.origin(host)) => Some(page::error(
            &origin,
            StatusCode::FORBIDDEN,
            "This form was sent from another site, so nothing was done.",
        )),
        Some(_) => None,
    };
    let span = info_span!("web", request = %id);
    let mut response = match refused {
        Some(refused) => refused,
        None => {
            request.extensions_mut().insert(origin.clone());
            match timeout(PATIENCE, next.run(request).instrument(span.clone())).await {
                Ok(response) => response,
                Err(_) => page::error(
                    &origin,
                    StatusCode::SERVICE_UNAVAILABLE,
                    "This took too long. Try again in a moment.",
                ),
            }
        }
    };
    let status = response.status().as_u16();
    span.in_scope(|| match method.is_safe() {
        true => debug!(event = "web.read", %method, path, status, %from, "a page was read"),
        false => info!(event = "web.sent", %method, path, status, %from, "a form was sent"),
    });
    protect(response.headers_mut(), &id, https);
    response
}

/// Whether a request that may change something comes from a page of the console. Browsers say so in one of two headers; what
/// sends neither is no browser with a user at it.
fn comes_from(method: &Method, headers: &HeaderMap, own: &str) -> bool {
    let text = |name: HeaderName| headers.get(name).map(|value| value.to_str().unwrap_or("?").to_owned());
    method.is_safe()
        || match (text(HeaderName::from_static("sec-fetch-site")), text(ORIGIN)) {
            (Some(site), _) => site == "same-origin",
            (None, Some(origin)) => origin.eq_ignore_ascii_case(own),
            (None, None) => false,
        }
}

fn protect(headers: &mut HeaderMap, id: &str, https: bool) {
    let fixed = [
        (CONTENT_SECURITY_POLICY, POLICY),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        // Without it a browser would not say that a form comes from here.
        (REFERRER_POLICY, "same-origin"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ];
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if https {
        headers.insert(STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000"));
    }
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    if let Ok(id) = HeaderValue::from_str(id) {
        headers.insert("x-request-id", id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_pages_of_the_console_can_change_something() {
        let own = "https://hotdesk.example.org";
        let from = |method: &Method, headers: &[(&'static str, &str)]| {
            let headers =
                headers.iter().map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap()));
            comes_from(method, &headers.collect(), own)
        };
        for (headers, allowed) in [
            (&[("sec-fetch-site", "same-origin")][..], true),
            (&[("sec-fetch-site", "same-origin"), ("origin", "null")], true),
            (&[("origin", own)], true),
            (&[], false),
            (&[("sec-fetch-site", "none")], false),
            (&[("sec-fetch-site", "same-site")], false),
            (&[("sec-fetch-site", "cross-site"), ("origin", own)], false),
            (&[("origin", "https://evil.example")], false),
            (&[("origin", "http://hotdesk.example.org")], false),
            (&[("origin", "null")], false),
        ] {
            assert_eq!(from(&Method::POST, headers), allowed, "{headers:?}");
            assert_eq!(from(&Method::DELETE, headers), allowed, "{headers:?}");
            assert!(from(&Method::GET, headers), "reading changes nothing: {headers:?}");
        }
    }
}
