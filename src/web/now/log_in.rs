//! The forms that log a user in at a desk, or move a user to another one.

use std::sync::Arc;

use axum::Extension as Given;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use maud::{Markup, html};
use serde::Deserialize;
use tracing::{info, warn};

use super::said::{finished, refused, said};
use super::session::{Named, unnamed};
use crate::controller::administer;
use crate::model::directory::Session;
use crate::model::id::{DeviceName, Extension};
use crate::model::login::refusal::{Refusal, Subject};
use crate::store::StoreError;
use crate::web::back::own;
use crate::web::origin::Origin;
use crate::web::signed::{Sent, Signed};
use crate::web::{Web, frame, page};

/// How many free desks a field offers.
const OFFERED: usize = 500;

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
    log_in_form(&web, &signed, &asked, None)
}

/// `POST /c/log-in`
pub(in crate::web) async fn log_in(
    State(web): State<Arc<Web>>,
    Given(origin): Given<Origin>,
    Given(signed): Given<Signed>,
    Sent(asked): Sent<LogIn>,
) -> Response {
    let again = |why: &str| log_in_form(&web, &signed, &asked, Some(why));
    let (user, device) = match (Extension::new(asked.user.trim()), DeviceName::new(asked.device.trim())) {
        (Ok(user), Ok(device)) => (user, device),
        (Err(wrong), _) | (_, Err(wrong)) => return again(&wrong.to_string()),
    };
    if let Some(why) = switch_refuses(&web, &signed, &user, &device).await {
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

/// A session, and the desk that its user moves to.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(in crate::web) struct Move {
    #[serde(flatten)]
    named: Named,
    to: String,
    back: String,
}

/// `GET /c/move`
pub(in crate::web) async fn ask_move(
    State(web): State<Arc<Web>>,
    Given(origin): Given<Origin>,
    Given(signed): Given<Signed>,
    Query(asked): Query<Move>,
) -> Response {
    match asked.named.session() {
        Some(_) => move_form(&web, &signed, &asked, None),
        None => unnamed(&origin),
    }
}

/// `POST /c/move`: moves the session that the page showed, and no later one.
pub(in crate::web) async fn move_to(
    State(web): State<Arc<Web>>,
    Given(origin): Given<Origin>,
    Given(signed): Given<Signed>,
    Sent(asked): Sent<Move>,
) -> Response {
    let Some(session) = asked.named.session() else { return unnamed(&origin) };
    let again = |why: &str| move_form(&web, &signed, &asked, Some(why));
    let to = match DeviceName::new(asked.to.trim()) {
        Ok(to) => to,
        Err(wrong) => return again(&wrong.to_string()),
    };
    let Session { user, device: from, .. } = session.clone();
    if let Some(why) = switch_refuses(&web, &signed, &user, &to).await {
        return again(&why);
    }
    match web.controller.move_to(&signed.tenant, signed.actor(), session, to.clone()).await {
        Ok(done) if done.transition.is_empty() => said(&asked.back, "already"),
        Ok(done) => {
            let revision = done.transition.revision;
            info!(event = "login.done", %user, device = %to, revision = revision.0, moved_from = %from, account = %signed.account, "moved");
            finished(&asked.back, &done, "moved")
        }
        Err(StoreError::Refused(refusal)) => {
            refused(&asked.back, refusal).unwrap_or_else(|other| again(&reason(&other, &user, &to)))
        }
        Err(error) => page::store(&origin, &error),
    }
}

/// Why the switch of the device cannot have this login. One that cannot be asked gets it when it is back.
async fn switch_refuses(web: &Web, signed: &Signed, user: &Extension, device: &DeviceName) -> Option<String> {
    let tenant = web.tenants.get(&signed.tenant)?;
    let desk = tenant.desks.borrow().get(device).cloned()?;
    let switch = tenant.switches.get(&desk.device.switch)?;
    match administer::refusal(switch.as_ref(), user, &desk.device).await {
        Ok(refusal) => refusal,
        Err(error) => {
            warn!(event = "web.switch_not_asked", switch = %desk.device.switch, %error, "whether it takes a login is unknown");
            None
        }
    }
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

fn log_in_form(web: &Web, signed: &Signed, asked: &LogIn, wrong: Option<&str>) -> Response {
    let fields = html! {
        div.field {
            label for="user" { "Extension of the user" }
            input type="text" id="user" name="user" value=(asked.user) required inputmode="numeric" maxlength="20" autocomplete="off" autofocus;
        }
        (desk_field(web, signed, "device", &asked.device, false))
    };
    form(web, signed, "Log in a user", ("/c/log-in", "/c", "Log in"), &fields, wrong)
}

fn move_form(web: &Web, signed: &Signed, asked: &Move, wrong: Option<&str>) -> Response {
    let Named { device, user, session } = &asked.named;
    let fields = html! {
        @for (name, value) in [("device", device), ("user", user), ("session", session), ("back", &asked.back)] {
            input type="hidden" name=(name) value=(value);
        }
        p { "User " b { (user) } " is logged in at " b { (device) } "." }
        (desk_field(web, signed, "to", &asked.to, true))
    };
    form(web, signed, "Move a user", ("/c/move", own(&asked.back), "Move"), &fields, wrong)
}

/// The field for a desk, which offers those that are free.
fn desk_field(web: &Web, signed: &Signed, name: &str, value: &str, focus: bool) -> Markup {
    let desks = web.tenants.get(&signed.tenant).map(|tenant| tenant.desks.borrow().clone());
    let free = desks.iter().flat_map(|desks| desks.iter());
    let free = free.filter(|desk| desk.occupant.is_none() && desk.device.hotdesk).take(OFFERED);
    html! {
        div.field {
            label for=(name) { "Desk" }
            input type="text" id=(name) name=(name) value=(value) required maxlength="64" autocomplete="off" autocapitalize="none" list="free" autofocus[focus];
            datalist id="free" { @for desk in free { option value=(desk.device.name) {} } }
            p.hint { "The user who is logged in there is logged out." }
        }
    }
}

/// A page with one form: where it goes to and back, and what its button says.
fn form(
    web: &Web,
    signed: &Signed,
    title: &str,
    (to, back, button): (&str, &str, &str),
    fields: &Markup,
    wrong: Option<&str>,
) -> Response {
    let content = html! {
        div.head { h1 { (title) } }
        section.card.narrow {
            form.body.stack method="post" action=(to) {
                @if let Some(wrong) = wrong { p.banner.bad role="alert" { (wrong) } }
                input type="hidden" name="form" value=(signed.form_token);
                (fields)
                div.join { button.btn.primary { (button) } a.btn.quiet href=(back) { "Cancel" } }
            }
        }
    };
    let status = if wrong.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    (status, frame::page(web, signed, title, "", &content)).into_response()
}
