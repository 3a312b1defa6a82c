//! Logs users in and out.

use std::sync::Arc;

use axum::Extension as Given;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use jiff::Timestamp;
use maud::html;
use serde::Deserialize;
use tracing::info;

use crate::controller::administer::Administered;
use crate::model::directory::Session;
use crate::model::id::{DeviceName, Extension, Revision};
use crate::model::login::refusal::{Refusal, Subject};
use crate::store::StoreError;
use crate::web::back::own;
use crate::web::icon::icon;
use crate::web::origin::Origin;
use crate::web::signed::{Sent, Signed};
use crate::web::{Web, frame, page};

#[derive(Deserialize)]
pub(in crate::web) struct LogOut {
    device: String,
    user: String,
    /// The revision of the session that the row showed.
    session: String,
    #[serde(default)]
    back: String,
}

/// `POST /c/log-out`: ends the session that the page showed, and no later one.
pub(in crate::web) async fn log_out(
    State(web): State<Arc<Web>>,
    Given(origin): Given<Origin>,
    Given(signed): Given<Signed>,
    Sent(LogOut { device, user, session, back }): Sent<LogOut>,
) -> Response {
    let named = (Extension::new(&user), DeviceName::new(&device), session.parse().map(Revision));
    let (Ok(user), Ok(device), Ok(revision)) = named else {
        return page::error(
            &origin,
            StatusCode::BAD_REQUEST,
            "This form names no session, so nothing was done.",
        );
    };
    let session = Session { user, device, since: Timestamp::UNIX_EPOCH, revision };
    match web.controller.end(&signed.tenant, signed.actor(), session.clone()).await {
        Ok(done) if done.transition.is_empty() => said(&back, "nothing"),
        Ok(done) => {
            let Session { user, device, .. } = &session;
            info!(event = "logout.done", %user, %device, account = %signed.account, "logged out");
            finished(&back, &done, "logged-out")
        }
        Err(error) => page::store(&origin, &error),
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(in crate::web) struct LogIn {
    user: String,
    device: String,
}

/// `GET /c/log-in`
pub(in crate::web) async fn ask_log_in(
    State(web): State<Arc<Web>>,
    Given(signed): Given<Signed>,
    Query(asked): Query<LogIn>,
) -> Response {
    form(&web, &signed, &asked, None)
}

/// `POST /c/log-in`
pub(in crate::web) async fn log_in(
    State(web): State<Arc<Web>>,
    Given(origin): Given<Origin>,
    Given(signed): Given<Signed>,
    Sent(asked): Sent<LogIn>,
) -> Response {
    let again = |why: &str| form(&web, &signed, &asked, Some(why));
    let (user, device) = match (Extension::new(asked.user.trim()), DeviceName::new(asked.device.trim())) {
        (Ok(user), Ok(device)) => (user, device),
        (Err(wrong), _) | (_, Err(wrong)) => return again(&wrong.to_string()),
    };
    if let Some(tenant) = web.tenants.get(&signed.tenant)
        && let Some(why) = tenant.refuses(&user, &device).await
    {
        return again(&why);
    }
    match web.controller.log_in(&signed.tenant, signed.actor(), user.clone(), device.clone()).await {
        Ok(done) if done.transition.is_empty() => said("", "already"),
        Ok(done) => {
            let (revision, moved_from) = (done.transition.revision, done.transition.moved_from());
            let moved_from = moved_from.map(tracing::field::display);
            info!(event = "login.done", %user, %device, revision = revision.0, moved_from, account = %signed.account, "logged in");
            finished("", &done, "logged-in")
        }
        Err(StoreError::Refused(refusal)) => again(&reason(&refusal, &user, &device)),
        Err(error) => page::store(&origin, &error),
    }
}

fn finished(back: &str, done: &Administered, what: &str) -> Response {
    said(back, if done.waiting.is_empty() { what } else { "waiting" })
}

/// Back to the page, which says what was done.
fn said(back: &str, what: &str) -> Response {
    let back = own(back);
    let sign = if back.contains('?') { '&' } else { '?' };
    Redirect::to(&format!("{back}{sign}said={what}")).into_response()
}

fn reason(refusal: &Refusal, user: &Extension, device: &DeviceName) -> String {
    match refusal {
        Refusal::UserForbidden => format!("User {user} may not hotdesk. An administrator can allow it."),
        Refusal::DeviceForbidden => format!("{device} is not for hotdesking. An administrator can allow it."),
        Refusal::DeviceOccupied => format!("Another user is logged in at {device}. Log that user out first."),
        Refusal::UserElsewhere => {
            format!("User {user} is logged in at another desk. Log the user out there first.")
        }
        Refusal::Missing(Subject::User(_)) => format!("There is no user {user}."),
        Refusal::Missing(Subject::Device(_)) => format!("There is no desk {device}."),
        other => other.to_string(),
    }
}

fn form(web: &Web, signed: &Signed, asked: &LogIn, wrong: Option<&str>) -> Response {
    let content = html! {
        div.head { h1 { "Log in a user" } }
        section.card.narrow {
            form.body.stack method="post" action="/c/log-in" {
                @if let Some(wrong) = wrong { p.banner.bad role="alert" { (wrong) } }
                input type="hidden" name="form" value=(signed.form_token);
                div.field {
                    label for="user" { "Extension of the user" }
                    input type="text" id="user" name="user" value=(asked.user) required inputmode="numeric" maxlength="20" autocomplete="off" autofocus;
                }
                div.field {
                    label for="device" { "Desk" }
                    input type="text" id="device" name="device" value=(asked.device) required maxlength="64" autocomplete="off" autocapitalize="none";
                    p.hint { "The user who is logged in there is logged out." }
                }
                div.join { button.btn.primary { (icon("plus")) "Log in" } a.btn.quiet href="/c" { "Cancel" } }
            }
        }
    };
    let status = if wrong.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    (status, frame::page(web, signed, "Log in a user", "", &content)).into_response()
}
