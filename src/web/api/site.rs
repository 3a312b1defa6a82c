//! What the configuration of the site has: switches, groups and codes.

use axum::extract::Path;
use axum::response::{IntoResponse as _, Response};
use serde::Serialize;
use utoipa::ToSchema;

use super::context::Context;
use super::json::Json;
use super::problem::Problem;
use crate::controller::check;
use crate::controller::desks::Link;
use crate::model::check::Finding;
use crate::model::codes::Listed;
use crate::model::directory::group;
use crate::model::id::{Extension, GroupName, SwitchName};

/// A switch.
#[derive(Serialize, ToSchema)]
#[schema(as = Switch)]
pub(super) struct SwitchForm<'a> {
    /// Its name.
    #[schema(value_type = String)]
    switch: &'a SwitchName,
    /// Whether it answers: up, down; held: nothing is written to it; unknown: it was not asked yet.
    state: &'static str,
    /// Why it is down or held.
    why: Option<&'a str>,
}

/// A group or queue.
#[derive(Serialize, ToSchema)]
#[schema(as = Group)]
pub(super) struct GroupForm<'a> {
    /// Its name on the switch.
    #[schema(value_type = String)]
    group: &'a GroupName,
    /// How it brings calls to its members: queue, ring.
    #[schema(value_type = String)]
    kind: group::Kind,
    /// The number that stands for it in codes; null: its name, if that is a number.
    #[schema(value_type = Option<String>)]
    number: Option<&'a Extension>,
    /// The switch that has it.
    #[schema(value_type = String)]
    switch: &'a SwitchName,
}

/// Lists the switches.
#[utoipa::path(get, path = "/api/v1/tenants/{tenant}/switches", tag = "site",
    responses((status = 200, description = "The switches.", body = Vec<SwitchForm>)))]
pub(in crate::web) async fn switches(context: Context) -> Result<Response, Problem> {
    let desks = context.tenant()?.desks.borrow().clone();
    let forms = desks.switches.iter().map(|(switch, link)| {
        let (state, why) = match link {
            Link::Unknown => ("unknown", None),
            Link::Up => ("up", None),
            Link::Down(why) => ("down", Some(why.as_str())),
            Link::Held(why) => ("held", Some(why.as_str())),
        };
        SwitchForm { switch, state, why }
    });
    Ok(Json(forms.collect::<Vec<_>>()).into_response())
}

/// Compares a switch with the store now. Differences are repaired as always, within a minute.
#[utoipa::path(post, path = "/api/v1/tenants/{tenant}/switches/{switch}/compare", tag = "site",
    responses((status = 200, description = "What was found: `ok` is null if it could not be read.", body = Vec<Finding>)))]
pub(in crate::web) async fn compare(
    context: Context,
    Path((_, of)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let tenant = context.tenant()?;
    let found = tenant.switches.iter().find(|(name, _)| name.as_str() == of);
    let (name, switch) = found.ok_or_else(|| Problem::missing(format_args!("switch {of}")))?;
    let routes = tenant.routes.get(name).cloned().unwrap_or_default();
    let title = format!("switch {name}");
    let findings = check::table(title, context.store(), context.id(), name, &routes, switch.as_ref()).await;
    Ok(Json(findings).into_response())
}

/// Lists the groups and queues that users can join.
#[utoipa::path(get, path = "/api/v1/tenants/{tenant}/groups", tag = "site",
    responses((status = 200, description = "The groups.", body = Vec<GroupForm>)))]
pub(in crate::web) async fn groups(context: Context) -> Result<Response, Problem> {
    let of_switch = context.tenant()?.routes.iter();
    let groups = of_switch.flat_map(|(switch, routes)| {
        routes.groups.iter().map(move |(group, it)| GroupForm {
            group,
            kind: it.kind,
            number: it.number.as_ref(),
            switch,
        })
    });
    Ok(Json(groups.collect::<Vec<_>>()).into_response())
}

/// Lists the feature codes.
#[utoipa::path(get, path = "/api/v1/tenants/{tenant}/codes", tag = "site",
    responses((status = 200, description = "The codes.", body = Vec<Listed>)))]
pub(in crate::web) async fn codes(context: Context) -> Result<Response, Problem> {
    let book = context.web.controller.codes.borrow().clone();
    let listed: Vec<Listed> = book.of(context.id()).iter().map(Listed::of).collect();
    Ok(Json(listed).into_response())
}
