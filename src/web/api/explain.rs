//! Why a device, or a user's calls, behave as they do now.

use axum::extract::Path;
use axum::response::{IntoResponse as _, Response};
use jiff::Timestamp;
use serde::Deserialize;
use utoipa::IntoParams;

use super::context::Context;
use super::json::Json;
use super::problem::Problem;
use super::sent::Asked;
use crate::controller::explain::{self, Explanation};

/// What is meant.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::web) struct Which {
    /// Whether it is a device, also if a user has such an extension.
    device: bool,
}

/// Explains a user, by extension, or a device, by name: what the store and the switches hold, and what happened last.
#[utoipa::path(get, path = "/api/v1/tenants/{tenant}/explain/{subject}", tag = "explain", params(Which),
    responses((status = 200, description = "What is known, as `hotdesk explain --json` prints it.", body = Explanation)))]
pub(in crate::web) async fn get(
    context: Context,
    Path((_, of)): Path<(String, String)>,
    Asked(which): Asked<Which>,
) -> Result<Response, Problem> {
    let (store, tenant) = (context.store(), context.id());
    let found = explain::subject(store, tenant, &of, which.device).await?;
    let (subject, snapshot) = found.ok_or_else(|| Problem::missing(format_args!("user or device {of}")))?;
    let places = context.tenant()?.places();
    let explained = explain::explain(store, tenant, (&subject, &snapshot), &places, time).await?;
    Ok(Json::<Explanation>(explained).into_response())
}

fn time(at: Timestamp) -> String {
    format!("{at:.0}")
}
