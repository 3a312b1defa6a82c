//! Lockouts after too many wrong PINs.

use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};

use super::context::Context;
use super::json::Json;
use super::problem::Problem;
use super::settings::user;
use crate::controller::commands::now;
use crate::controller::lockouts::{self, Locked};
use crate::model::command::Change;
use crate::model::desired::Scope;
use crate::model::id::DeviceName;
use crate::model::login::lockout::Unlock;

/// Lists the users and devices that are locked out now.
#[utoipa::path(get, path = "/api/v1/tenants/{tenant}/lockouts", tag = "lockouts",
    responses((status = 200, description = "The lockouts.", body = Vec<Locked>)))]
pub(in crate::web) async fn list(context: Context) -> Result<Response, Problem> {
    let (store, tenant, now) = (context.store(), context.id(), now());
    let counted = lockouts::counted(store, tenant, now).await?;
    let pins = &context.web.controller.pins;
    let named = lockouts::named(store, tenant, (counted, now), |user| pins.alias(tenant, user)).await?;
    Ok(Json::<Vec<Locked>>(named).into_response())
}

/// Ends all lockouts, and forgets the failures before them.
#[utoipa::path(delete, path = "/api/v1/tenants/{tenant}/lockouts", tag = "lockouts",
    responses((status = 204, description = "No user and no device is locked out.")))]
pub(in crate::web) async fn delete_all(context: Context) -> Result<Response, Problem> {
    clear(&context, Unlock::All).await
}

/// Ends the lockout of a user.
#[utoipa::path(delete, path = "/api/v1/tenants/{tenant}/lockouts/users/{user}", tag = "lockouts",
    responses((status = 204, description = "The user is not locked out.")))]
pub(in crate::web) async fn delete_user(
    context: Context,
    Path((_, of)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let user = user(&context, &of).await?.0.extension;
    let alias = context.web.controller.pins.alias(context.id(), &user);
    clear(&context, Unlock::User(user, alias)).await
}

/// Ends the lockout of a device.
#[utoipa::path(delete, path = "/api/v1/tenants/{tenant}/lockouts/devices/{device}", tag = "lockouts",
    responses((status = 204, description = "The device is not locked out.")))]
pub(in crate::web) async fn delete_device(
    context: Context,
    Path((_, of)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let missing = || Problem::missing(format_args!("device {of}"));
    let name = DeviceName::new(&of).map_err(|_| missing())?;
    let snapshot = context.snapshot(&Scope::device(&name)).await?;
    snapshot.devices.get(&name).ok_or_else(missing)?;
    clear(&context, Unlock::Device(name)).await
}

async fn clear(context: &Context, of: Unlock) -> Result<Response, Problem> {
    context.commit(Change::Unlock(of)).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
