//! Sessions: who is logged in where. They are begun and ended without a PIN.

use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tracing::info;
use utoipa::{IntoParams, ToSchema};

use super::context::Context;
use super::json::Json;
use super::page::Page;
use super::problem::{Kind, Problem, named_in};
use super::sent::{Asked, Object};
use crate::controller::administer::Administered;
use crate::model::auto_logout::Due;
use crate::model::desired::Scope;
use crate::model::directory::form::Fields;
use crate::model::directory::{Session, Snapshot};
use crate::model::id::{DeviceName, Extension, Revision, SwitchName};
use crate::model::login::refusal::Subject;
use crate::switch::device_state::DeviceState;

/// A user who is logged in at a device.
#[derive(Serialize, ToSchema)]
#[schema(as = Session)]
pub(super) struct SessionForm<'a> {
    /// The device.
    #[schema(value_type = String)]
    device: &'a DeviceName,
    /// The user.
    #[schema(value_type = String)]
    user: &'a Extension,
    /// When the user logged in.
    #[schema(value_type = String, format = DateTime)]
    since: Timestamp,
    /// The revision of the journal with which the session began: it names this session.
    revision: u64,
    /// When it ends automatically, as far as is known; a call postpones it.
    auto_logout: Option<Due>,
    /// What the phone does: busy, free, not-registered, unknown.
    state: &'static str,
}

/// What became of a login or a logout.
#[derive(Serialize, ToSchema)]
pub(super) struct Moved<'a> {
    /// The revision of the journal after it.
    revision: u64,
    /// Sessions that began.
    begun: Vec<Placed<'a>>,
    /// Sessions that ended: of the user elsewhere, of another user at the device.
    ended: Vec<Placed<'a>>,
    /// Switches that have not acknowledged it yet. They get it as soon as they answer.
    #[schema(value_type = Vec<String>)]
    waiting: &'a [SwitchName],
}

/// A user at a device.
#[derive(Serialize, ToSchema)]
pub(super) struct Placed<'a> {
    /// The user.
    #[schema(value_type = String)]
    user: &'a Extension,
    /// The device.
    #[schema(value_type = String)]
    device: &'a DeviceName,
}

/// Who is to be logged in.
#[derive(Serialize, ToSchema)]
pub(super) struct Login {
    /// Extension of the user.
    user: String,
}

/// Which session is meant.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::web) struct Which {
    /// Ends the session of this revision only. Without it, whichever is there.
    revision: Option<u64>,
}

fn json(context: &Context, session: &Session) -> Value {
    let desk = context.tenant().ok().and_then(|tenant| tenant.desks.borrow().get(&session.device).cloned());
    let occupant = desk.as_ref().and_then(|desk| desk.occupant.as_ref());
    // The desks may show an earlier session for a moment.
    let same = occupant.filter(|it| it.session.is_some_and(|(_, revision)| revision == session.revision));
    let state = match desk.as_ref().map_or(DeviceState::Unknown, |desk| desk.state) {
        DeviceState::Busy => "busy",
        DeviceState::Free => "free",
        DeviceState::Gone => "not-registered",
        DeviceState::Unknown => "unknown",
    };
    let form = SessionForm {
        device: &session.device,
        user: &session.user,
        since: session.since,
        revision: session.revision.0,
        auto_logout: same.and_then(|occupant| occupant.due),
        state,
    };
    serde_json::to_value(form).unwrap_or_default()
}

/// Lists who is logged in where, in the order of the devices.
#[utoipa::path(get, path = "/api/v1/tenants/{tenant}/sessions", tag = "sessions", params(Page),
    responses((status = 200, description = "A page of sessions.", body = Vec<SessionForm>)))]
pub(in crate::web) async fn list(context: Context, Asked(page): Asked<Page>) -> Result<Response, Problem> {
    let snapshot = context.snapshot(&Scope::All).await?;
    page.of(
        (context.id(), "sessions"),
        snapshot.sessions.values(),
        |session| session.device.as_str(),
        |session| vec![session.device.to_string(), session.user.to_string()],
        |session| json(&context, session),
    )
}

async fn device(context: &Context, of: &str) -> Result<(DeviceName, Snapshot), Problem> {
    let missing = || Problem::missing(format_args!("device {of}"));
    let name = DeviceName::new(of).map_err(|_| missing())?;
    let snapshot = context.snapshot(&Scope::device(&name)).await?;
    if !snapshot.devices.contains_key(&name) {
        return Err(missing());
    }
    Ok((name, snapshot))
}

/// Reads the session at a device.
#[utoipa::path(get, path = "/api/v1/tenants/{tenant}/sessions/{device}", tag = "sessions",
    responses((status = 200, description = "The session.", body = SessionForm)))]
pub(in crate::web) async fn get(
    context: Context,
    Path((_, of)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let (name, snapshot) = device(&context, &of).await?;
    let session = snapshot.sessions.get(&name);
    let session = session.ok_or_else(|| Problem::missing(format_args!("session at {name}")))?;
    Ok(Json(json(&context, session)).into_response())
}

/// Logs a user in at a device. Another user there is logged out, and so is this user elsewhere, as [login] of the configuration says.
#[utoipa::path(put, path = "/api/v1/tenants/{tenant}/sessions/{device}", tag = "sessions", request_body = Login,
    responses(
    (status = 200, description = "The user is logged in there already.", body = Moved),
    (status = 201, description = "The user is logged in, and the switches have it.", body = Moved),
    (status = 202, description = "The user is logged in, and a switch gets it as soon as it answers.", body = Moved)))]
pub(in crate::web) async fn put(
    context: Context,
    Path((_, of)): Path<(String, String)>,
    Object(object): Object,
) -> Result<Response, Problem> {
    let (name, _) = device(&context, &of).await?;
    let mut fields = Fields::of(object);
    let user = fields.needed::<Extension>("user");
    let flaws = fields.end();
    let Some(user) = user.filter(|_| flaws.is_empty()) else { return Err(Problem::invalid(flaws)) };
    if let Some(why) = context.tenant()?.refuses(&user, &name).await {
        return Err(Problem::new(Kind::Refused, why));
    }
    let controller = &context.web.controller;
    let done = controller.log_in(context.id(), context.actor(), user.clone(), name.clone()).await;
    let done = done
        .map_err(|error| named_in(error, |subject| matches!(subject, Subject::User(_)).then_some("/user")))?;
    if !done.transition.is_empty() {
        let (revision, moved_from) = (done.transition.revision, done.transition.moved_from());
        let moved_from = moved_from.map(tracing::field::display);
        info!(event = "login.done", %user, device = %name, revision = revision.0, moved_from, by = %context.actor(), "logged in");
    }
    Ok(moved(&done, StatusCode::CREATED))
}

/// Logs out the user of a device. Repeated, it does nothing.
#[utoipa::path(delete, path = "/api/v1/tenants/{tenant}/sessions/{device}", tag = "sessions", params(Which),
    responses(
    (status = 200, description = "No user is logged in there now, and the switches have it.", body = Moved),
    (status = 202, description = "The user is logged out, and a switch gets it as soon as it answers.", body = Moved)))]
pub(in crate::web) async fn delete(
    context: Context,
    Path((_, of)): Path<(String, String)>,
    Asked(which): Asked<Which>,
) -> Result<Response, Problem> {
    let (name, snapshot) = device(&context, &of).await?;
    let meant =
        |session: &&Session| which.revision.is_none_or(|revision| session.revision == Revision(revision));
    let session = match (snapshot.sessions.get(&name), which.revision) {
        (Some(session), _) if meant(&session) => session.clone(),
        (Some(_), _) => return Err(Problem::new(Kind::Stale, "Another session is there now. GET it again.")),
        (None, _) => {
            let nothing = Administered { transition: Default::default(), waiting: vec![] };
            return Ok(moved(&nothing, StatusCode::OK));
        }
    };
    let (user, device) = (session.user.clone(), session.device.clone());
    let done = context.web.controller.end(context.id(), context.actor(), session).await?;
    if !done.transition.is_empty() {
        info!(event = "logout.done", %user, %device, by = %context.actor(), "logged out");
    }
    Ok(moved(&done, StatusCode::OK))
}

fn moved(done: &Administered, status: StatusCode) -> Response {
    fn placed(sessions: &[Session]) -> Vec<Placed<'_>> {
        sessions.iter().map(|session| Placed { user: &session.user, device: &session.device }).collect()
    }
    let Administered { transition, waiting } = done;
    let (begun, ended) = (placed(&transition.begun), placed(&transition.ended));
    let status = match (transition.is_empty(), waiting.is_empty()) {
        (true, _) => StatusCode::OK,
        (false, true) => status,
        (false, false) => StatusCode::ACCEPTED,
    };
    (status, Json(Moved { revision: transition.revision.0, begun, ended, waiting })).into_response()
}
