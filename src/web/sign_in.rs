//! Sign-in with a password, and the link with which a password is chosen.

use std::sync::Arc;

use axum::Extension;
use axum::extract::rejection::FormRejection;
use axum::extract::{Form, Path, Query, State};
use axum::http::header::{RETRY_AFTER, SET_COOKIE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Redirect, Response};
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use maud::html;
use serde::Deserialize;
use zeroize::{Zeroize, ZeroizeOnDrop};

use super::back::{START, own};
use super::cookie::Cookie;
use super::origin::Origin;
use super::signed::signed;
use super::{Web, page};
use crate::controller::accounts::{self, Applicant, Denied};
use crate::model::access::{Link, Password, Secret};
use crate::model::id::{AccountName, TenantId};

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Next {
    next: String,
}

/// A password from a form; wiped when dropped.
#[derive(Deserialize, Zeroize, ZeroizeOnDrop)]
#[serde(transparent)]
struct Typed(String);

#[derive(Deserialize)]
pub(super) struct SignIn {
    user: String,
    password: Typed,
    #[serde(default)]
    next: String,
}

#[derive(Deserialize)]
pub(super) struct Chosen {
    password: Typed,
}

/// `GET /`
pub(super) async fn start() -> Redirect {
    Redirect::to(START)
}

/// `GET /sign-in`
pub(super) async fn ask(
    State(web): State<Arc<Web>>,
    Extension(origin): Extension<Origin>,
    Query(next): Query<Next>,
    headers: HeaderMap,
) -> Response {
    match signed(&web, &headers, &origin).await {
        Ok(Some(_)) => Redirect::to(own(&next.next)).into_response(),
        Ok(None) | Err(_) => form(StatusCode::OK, "", own(&next.next), None),
    }
}

/// `POST /sign-in`
pub(super) async fn sign_in(
    State(web): State<Arc<Web>>,
    Extension(origin): Extension<Origin>,
    headers: HeaderMap,
    sent: Result<Form<SignIn>, FormRejection>,
) -> Response {
    let Form(SignIn { user, password, next }) = match sent {
        Ok(sent) => sent,
        Err(wrong) => return page::unreadable(&origin, &wrong),
    };
    let next = Next { next };
    let again = |status, why: &str| form(status, &user, own(&next.next), Some(why));
    let named = named(&web, &user);
    // What cannot be an account is counted, and never compared.
    let password = named.as_ref().and_then(|_| Password::new(password.0.as_str()).ok());
    let (tenant, account) = named.unwrap_or_else(|| (web.first(), AccountName::of_none()));
    let before = Cookie::of(&headers, origin.https).map(|cookie| cookie.secret.hash());
    let applicant = Applicant { tenant, account, from: origin.from, before };
    match web.accounts.sign_in(&web.controller, &applicant, password).await {
        Ok(secret) => enter(&origin, applicant, secret, own(&next.next)),
        Err(Denied::Wrong | Denied::Link | Denied::Weak(_)) => again(
            StatusCode::UNPROCESSABLE_ENTITY,
            "The user name or the password is wrong. The PIN of your phone is not meant.",
        ),
        Err(Denied::Store(error)) => page::store(&origin, &error),
        Err(Denied::Busy) => later(
            again(StatusCode::TOO_MANY_REQUESTS, "Many users sign in just now. Try again in a few seconds."),
            5,
        ),
        Err(Denied::TooMany(wait)) => {
            let minutes = wait.as_secs() / 60 + 1;
            let why = format!(
                "Too many wrong passwords. Try again in {minutes} minutes; a link from an administrator works at once."
            );
            later(again(StatusCode::TOO_MANY_REQUESTS, &why), wait.as_secs() + 1)
        }
    }
}

/// The tenant and the account that a user typed: `eva`, or `tenant/eva` where there are several tenants.
fn named(web: &Web, user: &str) -> Option<(TenantId, AccountName)> {
    let user = user.trim().to_lowercase();
    let (tenant, account) = match user.split_once('/') {
        Some((tenant, account)) => {
            let named = |known: &&TenantId| known.as_str().eq_ignore_ascii_case(tenant);
            (web.tenants.keys().find(named)?.clone(), account)
        }
        None if web.tenants.len() == 1 => (web.first(), user.as_str()),
        None => return None,
    };
    Some((tenant, AccountName::new(account).ok()?))
}

fn enter(
    origin: &Origin,
    Applicant { tenant, account, .. }: Applicant,
    secret: Secret,
    next: &str,
) -> Response {
    let mut answer = Redirect::to(next).into_response();
    match (Cookie { tenant, account, secret }).set(origin.https) {
        Ok(cookie) => drop(answer.headers_mut().append(SET_COOKIE, cookie)),
        Err(_) => return StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
    answer
}

fn later(mut answer: Response, seconds: u64) -> Response {
    answer.headers_mut().insert(RETRY_AFTER, seconds.into());
    answer
}

fn form(status: StatusCode, user: &str, next: &str, wrong: Option<&str>) -> Response {
    let content = html! {
        h1 { "Sign in" }
        @if let Some(wrong) = wrong { p.banner.bad role="alert" { (wrong) } }
        form.stack method="post" action="/sign-in" {
            input type="hidden" name="next" value=(next);
            div.field {
                label for="user" { "User name" }
                input type="text" id="user" name="user" value=(user) required autocomplete="username" autocapitalize="none" maxlength="130" autofocus[user.is_empty()];
            }
            div.field {
                label for="password" { "Password" }
                input type="password" id="password" name="password" required autocomplete="current-password" maxlength="512" autofocus[!user.is_empty()];
            }
            button.btn.primary.wide { "Sign in" }
        }
        p.hint { "Not the PIN of your phone. No account, or the password is forgotten? Ask an administrator for a link." }
    };
    page::alone(status, "Sign in", &content)
}

/// The account of a link, and its secret.
fn linked(
    web: &Web,
    (tenant, account, secret): &(String, String, String),
) -> Option<(TenantId, AccountName, Secret)> {
    let tenant = TenantId::new(tenant).ok().filter(|tenant| web.tenants.contains_key(tenant))?;
    Some((tenant, AccountName::new(account).ok()?, Secret::read(secret)?))
}

/// `GET /link/{tenant}/{account}/{secret}`: only shows the page. Programs that look into mail open links, too.
pub(super) async fn link(
    State(web): State<Arc<Web>>,
    Extension(origin): Extension<Origin>,
    Path(path): Path<(String, String, String)>,
) -> Response {
    let Some((tenant, account, secret)) = linked(&web, &path) else { return void() };
    match accounts::find(&*web.controller.store, &tenant, &account).await {
        Err(error) => page::store(&origin, &error),
        Ok(found) => match found
            .filter(|found| found.has_link(&secret.hash(), Timestamp::now()))
            .and_then(|found| found.link)
        {
            Some(link) => choose(StatusCode::OK, &account, &link, None),
            None => void(),
        },
    }
}

/// `POST /link/{tenant}/{account}/{secret}`: uses the link up.
pub(super) async fn choose_password(
    State(web): State<Arc<Web>>,
    Extension(origin): Extension<Origin>,
    Path(path): Path<(String, String, String)>,
    sent: Result<Form<Chosen>, FormRejection>,
) -> Response {
    let Form(Chosen { password }) = match sent {
        Ok(sent) => sent,
        Err(wrong) => return page::unreadable(&origin, &wrong),
    };
    let Some((tenant, account, secret)) = linked(&web, &path) else { return void() };
    let applicant = Applicant { tenant, account, from: origin.from, before: None };
    let done = match Password::new(password.0.as_str()) {
        Ok(password) => web.accounts.choose_password(&web.controller, &applicant, &secret, password).await,
        Err(_) => Err(Denied::Weak("it has fewer than 12 characters, or more than 128")),
    };
    match done {
        Ok(session) => enter(&origin, applicant, session, START),
        Err(Denied::Weak(why)) => {
            let found = accounts::find(&*web.controller.store, &applicant.tenant, &applicant.account).await;
            let link = found.ok().flatten().filter(|found| found.has_link(&secret.hash(), Timestamp::now()));
            match link.and_then(|found| found.link) {
                Some(link) => choose(StatusCode::UNPROCESSABLE_ENTITY, &applicant.account, &link, Some(why)),
                None => void(),
            }
        }
        Err(Denied::Store(error)) => page::store(&origin, &error),
        Err(Denied::Busy | Denied::TooMany(_)) => later(
            page::error(
                &origin,
                StatusCode::TOO_MANY_REQUESTS,
                "Many users sign in just now. Go back, and try again in a few seconds.",
            ),
            5,
        ),
        Err(Denied::Link | Denied::Wrong) => void(),
    }
}

/// The same for a link that never was, was used, or is too old.
fn void() -> Response {
    let content = html! {
        h1 { "This link is not good any more" }
        p { "It was used already, is older than 72 hours, or another one was made since. Ask an administrator for a new one." }
        p { a href="/sign-in" { "Sign in" } }
    };
    page::alone(StatusCode::NOT_FOUND, "Link", &content)
}

fn choose(status: StatusCode, account: &AccountName, link: &Link, wrong: Option<&str>) -> Response {
    let until: Zoned = link.until.to_zoned(TimeZone::system());
    let content = html! {
        h1 { "Choose a password" }
        p.muted { "For " b { (account) } ". This link is good once, until " (until.strftime("%-d %B %Y, %H:%M")) "." }
        @if let Some(wrong) = wrong { p.banner.bad role="alert" { "Choose another password: " (wrong) "." } }
        // The address of this page is the link, so the form goes there.
        form.stack method="post" {
            input.sr type="text" name="user" value=(account) autocomplete="username" tabindex="-1" aria-hidden="true" readonly;
            div.field {
                label for="password" { "New password" }
                input type="password" id="password" name="password" required minlength="12" maxlength="128" autocomplete="new-password" aria-describedby="rules" autofocus;
                p.hint id="rules" { "12 characters or more. A short sentence is fine." }
            }
            button.btn.primary.wide { "Save and sign in" }
        }
    };
    page::alone(status, "Choose a password", &content)
}
