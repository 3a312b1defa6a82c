//! What a row does with its session at once: log out, extend; and the way back.

use std::sync::Arc;

use axum::Extension as Given;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use jiff::Timestamp;
use serde::Deserialize;
use tracing::info;

use super::said::{finished, refused, said};
use crate::model::directory::Session;
use crate::model::id::{DeviceName, Extension, Revision};
use crate::store::StoreError;
use crate::web::origin::Origin;
use crate::web::signed::{Sent, Signed};
use crate::web::{Web, page};

/// The session that a row showed.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(in crate::web) struct Named {
    pub(super) device: String,
    pub(super) user: String,
    /// The revision of the session.
    pub(super) session: String,
}

impl Named {
    /// The session, without the time since which it is.
    pub(super) fn session(&self) -> Option<Session> {
        Some(Session {
            user: Extension::new(&self.user).ok()?,
            device: DeviceName::new(&self.device).ok()?,
            since: Timestamp::UNIX_EPOCH,
            revision: Revision(self.session.parse().ok()?),
        })
    }
}

/// A form that names no session.
pub(super) fn unnamed(origin: &Origin) -> Response {
    page::error(origin, StatusCode::BAD_REQUEST, "This form names no session, so nothing was done.")
}

#[derive(Deserialize)]
pub(in crate::web) struct OfSession {
    #[serde(flatten)]
    named: Named,
    #[serde(default)]
    back: String,
}

/// `POST /c/log-out`: ends the session that the page showed, and no later one.
pub(in crate::web) async fn log_out(
    State(web): State<Arc<Web>>,
    Given(origin): Given<Origin>,
    Given(signed): Given<Signed>,
    Sent(OfSession { named, back }): Sent<OfSession>,
) -> Response {
    let Some(session) = named.session() else { return unnamed(&origin) };
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

/// `POST /c/extend`: postpones the automatic logout of the session that the page showed.
pub(in crate::web) async fn extend(
    State(web): State<Arc<Web>>,
    Given(origin): Given<Origin>,
    Given(signed): Given<Signed>,
    Sent(OfSession { named, back }): Sent<OfSession>,
) -> Response {
    let Some(session) = named.session() else { return unnamed(&origin) };
    let Some(tenant) = web.tenants.get(&signed.tenant) else { return unnamed(&origin) };
    // What the row showed; a session that began since has another revision, and is not postponed.
    let due = tenant.desks.borrow().get(&session.device).and_then(|desk| desk.occupant.as_ref()?.due);
    let Some(due) = due else { return said(&back, "nothing") };
    let longer = (due.at, tenant.auto_logout.borrow().extend);
    match web.controller.postpone(&signed.tenant, signed.actor(), &session, longer).await {
        Ok(None) => said(&back, "nothing"),
        Ok(Some(until)) => {
            let Session { user, device, .. } = &session;
            info!(event = "auto_logout.extended", %user, %device, %until, account = %signed.account, "the automatic logout is postponed");
            said(&back, "extended")
        }
        Err(error) => page::store(&origin, &error),
    }
}

#[derive(Deserialize)]
pub(in crate::web) struct Undo {
    revision: String,
    #[serde(default)]
    back: String,
}

/// `POST /c/undo`: takes back what the account did just before.
pub(in crate::web) async fn undo(
    State(web): State<Arc<Web>>,
    Given(origin): Given<Origin>,
    Given(signed): Given<Signed>,
    Sent(Undo { revision, back }): Sent<Undo>,
) -> Response {
    let Ok(revision) = revision.parse() else { return said(&back, "nothing-to-undo") };
    match web.controller.undo_of(&signed.tenant, signed.actor(), Revision(revision)).await {
        Ok(done) => {
            info!(event = "login.undone", revision, account = %signed.account, "taken back in the console");
            let what = if done.waiting.is_empty() { "undone" } else { "waiting" };
            said(&back, what)
        }
        Err(StoreError::Refused(refusal)) => refused(&back, refusal)
            .unwrap_or_else(|other| page::error(&origin, StatusCode::CONFLICT, &other.to_string())),
        Err(error) => page::store(&origin, &error),
    }
}
