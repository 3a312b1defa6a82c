//! The document of the API (OpenAPI 3.1), made from the handlers. What holds for many routes is added from the table of routes.

use std::collections::BTreeMap;

use axum::http::Method;
use axum::response::{IntoResponse as _, Response};
use serde::Serialize;
use utoipa::openapi::path::{Operation, ParameterBuilder, ParameterIn};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{
    ComponentsBuilder, ContentBuilder, ObjectBuilder, OpenApi, Ref, RefOr, Required, ResponseBuilder, Type,
};
use utoipa::{OpenApi as _, ToSchema};

use super::json::Json;
use super::problem::Written;
use super::root::{ROOT, is_in};
use super::{devices, explain, journal, locations, lockouts, pins, sessions, settings, site, users};
use crate::model::directory::form::Flaw;
use crate::web::route::{Access, Route};

/// An entry of the journal. It has more fields, which depend on the event.
#[derive(Serialize, ToSchema)]
pub(super) struct Entry {
    /// Its number: entries are numbered without a gap.
    revision: u64,
    /// When.
    #[schema(format = DateTime)]
    at: String,
    /// The tenant.
    tenant: String,
    /// The actor: command, console, controller, device, key or timer.
    by: serde_json::Value,
    /// What happened: sessions_changed, refused …
    event: String,
}

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Hotdesk",
        description = "Who is logged in where, users, devices, locations and the journal of a Hotdesk. See docs/api.md.",
    ),
    paths(
        openapi,
        users::list,
        users::get,
        users::put,
        users::patch,
        users::delete,
        settings::get,
        settings::patch,
        pins::put,
        pins::post,
        devices::list,
        devices::get,
        devices::put,
        devices::patch,
        devices::delete,
        locations::list,
        locations::get,
        locations::put,
        locations::patch,
        locations::delete,
        sessions::list,
        sessions::get,
        sessions::put,
        sessions::delete,
        lockouts::list,
        lockouts::delete_all,
        lockouts::delete_user,
        lockouts::delete_device,
        journal::list,
        explain::get,
        site::switches,
        site::compare,
        site::groups,
        site::codes,
    ),
    components(schemas(Written, Flaw))
)]
struct Handlers;

/// This document.
#[utoipa::path(get, path = "/api/v1/openapi.json", tag = "document",
    responses((status = 200, description = "The document.", body = serde_json::Value)))]
pub(in crate::web) fn openapi(routes: &[Route]) -> Response {
    Json(document(routes)).into_response()
}

/// The document of these routes.
pub(in crate::web) fn document(routes: &[Route]) -> OpenApi {
    let mut document = Handlers::openapi();
    let key = SecurityScheme::Http(HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build());
    let components = document.components.take().unwrap_or_default();
    document.components = Some(ComponentsBuilder::from(components).security_scheme("key", key).build());
    for route in routes.iter().filter(|route| is_in(route.path)) {
        let Some(item) = document.paths.paths.get_mut(route.path) else { continue };
        let operation = match route.method {
            Method::GET => &mut item.get,
            Method::PUT => &mut item.put,
            Method::POST => &mut item.post,
            Method::PATCH => &mut item.patch,
            _ => &mut item.delete,
        };
        if let Some(operation) = operation {
            operation.operation_id = Some(id(&route.method, route.path));
            complete(operation, route.path, route.method == Method::GET, route.access);
        }
    }
    document
}

/// The name of an operation for programs that are made from the document: `put_users_user`.
fn id(method: &Method, path: &str) -> String {
    let rest = path.strip_prefix(ROOT).unwrap_or(path);
    let rest = rest.strip_prefix("/tenants/{tenant}").unwrap_or(rest);
    let words = rest.split(['/', '.', '{', '}']).filter(|word| !word.is_empty());
    let words = std::iter::once(method.as_str().to_lowercase()).chain(words.map(str::to_owned));
    words.collect::<Vec<_>>().join("_")
}

/// Adds the parameters of the path, who may use it, and the problems that it may answer with.
fn complete(operation: &mut Operation, path: &str, reads: bool, access: Access) {
    let Access::Role(least) = access else { return };
    let text = || ObjectBuilder::new().schema_type(Type::String);
    let named = path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    let mut parameters = operation.parameters.take().unwrap_or_default();
    for name in named {
        let parameter = ParameterBuilder::new().name(name).parameter_in(ParameterIn::Path);
        parameters.push(parameter.required(Required::True).schema(Some(text())).build().into());
    }
    let conditional = !reads
        && ["users", "devices", "locations"].iter().any(|list| {
            path.split("/tenants/{tenant}/")
                .nth(1)
                .is_some_and(|rest| rest.strip_prefix(list).is_some_and(|rest| rest.split('/').count() == 2))
        });
    if conditional {
        for (name, what) in [
            ("If-Match", "The ETag of the object that is changed."),
            ("If-None-Match", "`*`: there must be none."),
        ] {
            let parameter = ParameterBuilder::new().name(name).parameter_in(ParameterIn::Header);
            parameters.push(parameter.description(Some(what)).schema(Some(text())).build().into());
        }
    }
    operation.parameters = Some(parameters);
    operation.security = Some(vec![SecurityRequirement::new::<&str, [&str; 0], &str>("key", [])]);
    operation.description = Some(format!("Needs the role {least} at least."));
    let problems: BTreeMap<u16, &str> = [
        (400, "The request cannot be read."),
        (401, "There is no key, or it is not good."),
        (403, "The role of the key is too low."),
        (404, "There is no such resource, or it is of another tenant."),
        (409, "It is refused: `reason` says why."),
        (412, "It is not in the state that the request is about."),
        (413, "The body has more than 64 KiB."),
        (415, "The body is not said to be JSON."),
        (421, "The host is not one of this Hotdesk."),
        (422, "`errors` names each field that is wrong."),
        (428, "The request does not say which state it is about."),
        (429, "Too many: Retry-After says when to try again."),
        (503, "The store cannot be reached, or it took too long."),
    ]
    .into();
    let may = |status: u16| match status {
        412 => !reads,
        428 => conditional,
        409 => !reads,
        413 | 415 => operation.request_body.is_some(),
        _ => true,
    };
    let problem = || ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
    let added: Vec<(String, RefOr<_>)> = problems
        .into_iter()
        .filter(|(status, _)| may(*status))
        .map(|(status, what)| {
            let response = ResponseBuilder::new().description(what);
            let response = response.content("application/problem+json", problem()).build();
            (status.to_string(), RefOr::T(response))
        })
        .collect();
    operation.responses.responses.extend(added);
}
