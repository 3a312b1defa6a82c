//! The settings that users change themselves by phone.

use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::Response;

use super::context::Context;
use super::problem::Problem;
use super::sent::Object;
use super::{etag, merge};
use crate::model::command::Change;
use crate::model::desired::Scope;
use crate::model::directory::form::{self, SettingsForm};
use crate::model::directory::{Snapshot, User};
use crate::model::id::Extension;
use crate::model::settings::SettingsCommand;

/// A user, with the records around.
pub(super) async fn user(context: &Context, of: &str) -> Result<(User, Snapshot), Problem> {
    let missing = || Problem::missing(format_args!("user {of}"));
    let extension = Extension::new(of).map_err(|_| missing())?;
    let snapshot = context.snapshot(&Scope::user(&extension)).await?;
    let user = snapshot.users.get(&extension).cloned().ok_or_else(missing)?;
    Ok((user, snapshot))
}

/// Reads the settings that a user changes by phone.
#[utoipa::path(get, path = "/api/v1/tenants/{tenant}/users/{user}/settings", tag = "users",
    responses((status = 200, description = "The settings.", body = SettingsForm)))]
pub(in crate::web) async fn get(
    context: Context,
    Path((_, of)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let (user, snapshot) = user(&context, &of).await?;
    Ok(etag::answer(StatusCode::OK, &SettingsForm::json(&user, &snapshot)))
}

/// Changes one or more settings: a merge patch (RFC 7396). Others that the user changes at the same time are kept.
#[utoipa::path(patch, path = "/api/v1/tenants/{tenant}/users/{user}/settings", tag = "users",
    request_body(content = serde_json::Value, content_type = "application/merge-patch+json"),
    responses((status = 200, description = "The settings after the change.", body = SettingsForm)))]
pub(in crate::web) async fn patch(
    context: Context,
    Path((_, of)): Path<(String, String)>,
    Object(patch): Object,
) -> Result<Response, Problem> {
    let (is, snapshot) = user(&context, &of).await?;
    let object = merge::merged(SettingsForm::json(&is, &snapshot), patch);
    let settings = form::settings(&is, &snapshot, object).map_err(Problem::invalid)?;
    if !settings.is_empty() {
        let emergency_numbers = context.emergency_numbers();
        let command = SettingsCommand { user: is.extension, settings, emergency_numbers };
        context.commit(Change::Settings(command)).await?;
    }
    let (user, snapshot) = user(&context, &of).await?;
    Ok(etag::answer(StatusCode::OK, &SettingsForm::json(&user, &snapshot)))
}
