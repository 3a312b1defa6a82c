//! Who is signed in: the one place that lets a request through to a page with a role.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{Extension, Form, FromRequest, Request, State};
use axum::http::header::SET_COOKIE;
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Redirect, Response};
use jiff::Timestamp;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use subtle::ConstantTimeEq as _;
use tracing::warn;

use super::cookie::Cookie;
use super::origin::Origin;
use super::{Web, page};
use crate::controller::accounts;
use crate::model::access::{AccessCommand, Role, SecretHash, WebSession};
use crate::model::id::{AccountName, TenantId};
use crate::model::journal::Actor;
use crate::store::StoreError;

/// An account that is signed in. A handler that takes it is reached by nothing else.
#[derive(Clone, Debug)]
pub(super) struct Signed {
    pub(super) tenant: TenantId,
    pub(super) account: AccountName,
    pub(super) role: Role,
    pub(super) session: SecretHash,
    /// What each of its forms holds.
    pub(super) form_token: String,
    from: IpAddr,
}

impl Signed {
    /// The actor of what it does.
    pub(super) fn actor(&self) -> Actor {
        Actor::Console { account: self.account.clone(), from: self.from }
    }

    /// Whether it may change everything.
    pub(super) fn administers(&self) -> bool {
        self.role >= Role::Administrator
    }

    /// Whether it may log users in and out.
    pub(super) fn operates(&self) -> bool {
        self.role >= Role::Operator
    }
}

/// Lets a request through if it is of an account with this role at least.
pub(super) async fn require(web: Arc<Web>, least: Role, mut request: Request, next: Next) -> Response {
    let Some(origin) = request.extensions().get::<Origin>().cloned() else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let headers = request.headers().clone();
    match signed(&web, &headers, &origin).await {
        Err(error) => page::store(&origin, &error),
        Ok(None) if request.method().is_safe() => {
            let path = request.uri().path_and_query().map_or("/c", |path| path.as_str());
            Redirect::to(&format!("/sign-in?next={}", utf8_percent_encode(path, NON_ALPHANUMERIC)))
                .into_response()
        }
        Ok(None) => page::error(
            &origin,
            StatusCode::UNAUTHORIZED,
            "You are not signed in any more. Sign in, and do it again.",
        ),
        Ok(Some(signed)) if signed.role < least => {
            let text = format!("Your role is {}: it may not do this. Ask an administrator.", signed.role);
            page::error(&origin, StatusCode::FORBIDDEN, &text)
        }
        Ok(Some(signed)) => {
            request.extensions_mut().insert(signed);
            next.run(request).await
        }
    }
}

/// The account that a request is of. Its use is noted, so that it stays signed in.
pub(super) async fn signed(
    web: &Web,
    headers: &HeaderMap,
    origin: &Origin,
) -> Result<Option<Signed>, StoreError> {
    let Some(cookie) = Cookie::of(headers, origin.https) else { return Ok(None) };
    let Cookie { tenant, account, secret } = cookie;
    if !web.tenants.contains_key(&tenant) {
        return Ok(None);
    }
    let store = &*web.controller.store;
    let Some(found) = accounts::find(store, &tenant, &account).await? else { return Ok(None) };
    let now = Timestamp::now();
    let Some(session) = found.session(&secret, now) else { return Ok(None) };
    let signed = Signed {
        role: found.role,
        session: session.hash.clone(),
        form_token: secret.form_token(),
        from: origin.from,
        tenant,
        account,
    };
    if now.duration_since(session.seen) > WebSession::NOTED {
        let seen = AccessCommand::Seen(signed.account.clone(), signed.session.clone());
        if let Err(error) = accounts::change(store, &signed.tenant, signed.actor(), seen).await {
            warn!(event = "web.not_noted", account = %signed.account, %error, "the session ends earlier than its use says");
        }
    }
    Ok(Some(signed))
}

/// A form of a page of the console, sent by the session that the page was made for.
pub(super) struct Sent<T>(pub(super) T);

#[derive(Deserialize)]
struct Tokened<T> {
    form: String,
    #[serde(flatten)]
    fields: T,
}

impl<T: DeserializeOwned> FromRequest<Arc<Web>> for Sent<T> {
    type Rejection = Response;

    async fn from_request(request: Request, web: &Arc<Web>) -> Result<Self, Response> {
        let (origin, signed) =
            (request.extensions().get::<Origin>().cloned(), request.extensions().get::<Signed>().cloned());
        let (Some(origin), Some(signed)) = (origin, signed) else {
            return Err(StatusCode::INTERNAL_SERVER_ERROR.into_response());
        };
        let form = Form::<Tokened<T>>::from_request(request, web).await;
        let Form(Tokened { form, fields }) = form.map_err(|wrong| page::unreadable(&origin, &wrong))?;
        if !bool::from(form.as_bytes().ct_eq(signed.form_token.as_bytes())) {
            let text = "This form is of an earlier sign-in, so nothing was done. Go back, load the page again, and send it again.";
            return Err(page::error(&origin, StatusCode::FORBIDDEN, text));
        }
        Ok(Self(fields))
    }
}

/// `POST /sign-out`
pub(super) async fn sign_out(
    State(web): State<Arc<Web>>,
    Extension(origin): Extension<Origin>,
    Extension(signed): Extension<Signed>,
    Sent(Nothing {}): Sent<Nothing>,
) -> Response {
    let ends = AccessCommand::SignOut(signed.account.clone(), signed.session.clone());
    match accounts::change(&*web.controller.store, &signed.tenant, signed.actor(), ends).await {
        Err(
            error @ (StoreError::Away(..)
            | StoreError::Broken(..)
            | StoreError::Contended(_)
            | StoreError::Lost(..)),
        ) => page::store(&origin, &error),
        Ok(()) | Err(StoreError::Refused(_)) => {
            let mut answer = Redirect::to("/sign-in").into_response();
            if let Ok(forget) = Cookie::forget(origin.https) {
                answer.headers_mut().append(SET_COOKIE, forget);
            }
            answer
        }
    }
}

/// A form without fields.
#[derive(Deserialize)]
pub(super) struct Nothing {}
