//! Who uses the API: a program with a key, or a script of our own pages with the cookie of its session. The one place that lets
//! a request through to a resource.

use std::sync::Arc;
use std::time::Instant;

use axum::RequestExt as _;
use axum::extract::{RawPathParams, Request};
use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use super::problem::{Kind, Problem};
use crate::controller::accounts::Denied;
use crate::model::access::{KeyText, Role};
use crate::model::id::TenantId;
use crate::model::journal::Actor;
use crate::web::Web;
use crate::web::origin::Origin;
use crate::web::signed::signed;

/// Who sent a request. A handler that takes it is reached by nothing else.
#[derive(Clone, Debug)]
pub(super) struct Client {
    pub(super) tenant: TenantId,
    pub(super) role: Role,
    pub(super) actor: Actor,
}

/// Whether a request names a key, whichever it is. Then its cookie proves nothing, so no page of another site sent it.
pub(in crate::web) fn has_key(headers: &HeaderMap) -> bool {
    headers.contains_key(AUTHORIZATION)
}

/// Lets a request through if it is of a client of the tenant of its path, with this role at least.
pub(in crate::web) async fn require(
    web: Arc<Web>,
    least: Role,
    mut request: Request,
    next: Next,
) -> Response {
    match let_through(&web, least, &mut request).await {
        Ok(client) => {
            request.extensions_mut().insert(client);
            next.run(request).await
        }
        Err(problem) => problem.into_response(),
    }
}

async fn let_through(web: &Web, least: Role, request: &mut Request) -> Result<Client, Problem> {
    let Some(origin) = request.extensions().get::<Origin>().cloned() else {
        return Err(Problem::signed_out(false));
    };
    let client = client(web, request.headers(), &origin).await?;
    let parameters = request.extract_parts::<RawPathParams>().await;
    let parameters = parameters.map_err(|_| Problem::missing("such resource"))?;
    let of_tenant = |(name, value): (&str, &str)| name != "tenant" || value == client.tenant.as_str();
    if !parameters.iter().all(of_tenant) {
        return Err(Problem::missing("such tenant"));
    }
    if client.role < least {
        let detail =
            format!("The role {} may not do this; it takes {least}. Ask an administrator.", client.role);
        return Err(Problem::new(Kind::Forbidden, detail));
    }
    Ok(client)
}

async fn client(web: &Web, headers: &HeaderMap, origin: &Origin) -> Result<Client, Problem> {
    if !has_key(headers) {
        let signed = signed(web, headers, origin).await?.ok_or_else(|| Problem::signed_out(false))?;
        return Ok(Client { actor: signed.actor(), tenant: signed.tenant, role: signed.role });
    }
    let sent = sent(headers).filter(|key| web.tenants.contains_key(&key.tenant));
    let began = Instant::now();
    let found = web.accounts.key(&*web.controller.store, sent.as_ref(), origin.from).await;
    match (found, sent) {
        (Ok(key), Some(KeyText { tenant, .. })) => {
            let actor = Actor::Key { key: key.name, from: origin.from };
            Ok(Client { tenant, role: key.role, actor })
        }
        (Err(Denied::Store(error)), _) => Err(error.into()),
        (Err(Denied::TooMany(wait)), _) => {
            let wait = wait.saturating_sub(began.elapsed());
            Err(Problem::too_many("wrong keys from this address", wait.as_secs() + 1))
        }
        _ => Err(Problem::signed_out(true)),
    }
}

/// The key of a request. Of several, none is believed.
fn sent(headers: &HeaderMap) -> Option<KeyText> {
    let mut all = headers.get_all(AUTHORIZATION).iter();
    let (scheme, key) = all.next()?.to_str().ok()?.split_once(' ')?;
    (scheme.eq_ignore_ascii_case("bearer") && all.next().is_none()).then(|| KeyText::read(key.trim()))?
}
