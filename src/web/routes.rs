//! The addresses of the console, each with who may use it. Everything that is served stands in this one table.

use std::sync::Arc;

use axum::Extension;
use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::http::{Method, Uri};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{MethodRouter, delete, get, patch, post, put};

use super::guard::guard;
use super::origin::Origin;
use super::route::{Access, Route};
use super::signed::{require, sign_out};
use super::{Web, api, assets, health, journal, lockouts, now, page, records, sign_in, switches, why};
use crate::model::access::Role;
use crate::model::directory::location::Location;
use crate::model::directory::{Device, User};

/// The most bytes of a form, or of an object of the API.
const FORM: usize = 64 * 1024;

/// All routes.
#[must_use]
pub fn routes() -> Vec<Route> {
    table().into_iter().chain(api_table()).map(|(route, _)| route).collect()
}

/// The document of the API as JSON (OpenAPI 3.1).
#[must_use]
pub fn document() -> serde_json::Value {
    serde_json::to_value(api::document(&routes())).unwrap_or_default()
}

fn table() -> Vec<(Route, MethodRouter<Arc<Web>>)> {
    let mut table = fixed();
    table.extend(of_records::<User>([
        "/c/people",
        "/c/people.csv",
        "/c/new/person",
        "/c/people/{name}",
        "/c/people/{name}/remove",
    ]));
    table.extend(of_records::<Device>([
        "/c/devices",
        "/c/devices.csv",
        "/c/new/device",
        "/c/devices/{name}",
        "/c/devices/{name}/remove",
    ]));
    table.extend(of_records::<Location>([
        "/c/locations",
        "/c/locations.csv",
        "/c/new/location",
        "/c/locations/{name}",
        "/c/locations/{name}/remove",
    ]));
    table
}

/// The pages of a kind of record: operators read them, administrators change them.
fn of_records<R: records::Record>(
    [all, csv, new, one, remove]: [&'static str; 5],
) -> Vec<(Route, MethodRouter<Arc<Web>>)> {
    let read = |path| Route { method: Method::GET, path, access: Access::Role(Role::Operator) };
    let ask = |path| Route { method: Method::GET, path, access: Access::Role(Role::Administrator) };
    let write = |path| Route { method: Method::POST, path, access: Access::Role(Role::Administrator) };
    vec![
        (read(all), get(records::list::<R>)),
        (write(all), post(records::add::<R>)),
        (ask(csv), get(records::export::<R>)),
        (ask(new), get(records::ask_add::<R>)),
        (read(one), get(records::show::<R>)),
        (write(one), post(records::save::<R>)),
        (ask(remove), get(records::ask_remove::<R>)),
        (write(remove), post(records::remove::<R>)),
    ]
}

fn fixed() -> Vec<(Route, MethodRouter<Arc<Web>>)> {
    use Access::Everyone;
    let route = |method, path, access| Route { method, path, access };
    vec![
        (route(Method::GET, "/", Everyone), get(sign_in::start)),
        (route(Method::GET, "/assets/{file}", Everyone), get(assets::get)),
        (route(Method::GET, "/c", Access::Role(Role::Viewer)), get(now::show)),
        (route(Method::POST, "/c/extend", Access::Role(Role::Operator)), post(now::extend)),
        (route(Method::GET, "/c/log-in", Access::Role(Role::Operator)), get(now::ask_log_in)),
        (route(Method::POST, "/c/log-in", Access::Role(Role::Operator)), post(now::log_in)),
        (route(Method::POST, "/c/log-out", Access::Role(Role::Operator)), post(now::log_out)),
        (route(Method::GET, "/c/move", Access::Role(Role::Operator)), get(now::ask_move)),
        (route(Method::POST, "/c/move", Access::Role(Role::Operator)), post(now::move_to)),
        (route(Method::POST, "/c/undo", Access::Role(Role::Operator)), post(now::undo)),
        (route(Method::GET, "/c/journal", Access::Role(Role::Operator)), get(journal::show)),
        (route(Method::GET, "/c/lockouts", Access::Role(Role::Operator)), get(lockouts::show)),
        (route(Method::POST, "/c/lockouts", Access::Role(Role::Operator)), post(lockouts::clear)),
        (
            route(Method::POST, "/c/people/{name}/pin", Access::Role(Role::Administrator)),
            post(records::set_pin),
        ),
        (route(Method::GET, "/c/switches", Access::Role(Role::Operator)), get(switches::show)),
        (route(Method::GET, "/c/switches/{switch}", Access::Role(Role::Operator)), get(switches::compare)),
        (route(Method::GET, "/c/why/{subject}", Access::Role(Role::Operator)), get(why::show)),
        (route(Method::GET, "/c/why/device/{subject}", Access::Role(Role::Operator)), get(why::show_device)),
        (route(Method::GET, "/live", Access::Role(Role::Viewer)), get(now::live)),
        (route(Method::GET, "/healthz", Everyone), get(health::alive)),
        (route(Method::GET, "/link/{tenant}/{account}/{secret}", Everyone), get(sign_in::link)),
        (route(Method::POST, "/link/{tenant}/{account}/{secret}", Everyone), post(sign_in::choose_password)),
        (route(Method::GET, "/readyz", Everyone), get(health::ready)),
        (route(Method::GET, "/sign-in", Everyone), get(sign_in::ask)),
        (route(Method::POST, "/sign-in", Everyone), post(sign_in::sign_in)),
        (route(Method::POST, "/sign-out", Access::Role(Role::Viewer)), post(sign_out)),
    ]
}

/// The routes of the API.
fn api_table() -> Vec<(Route, MethodRouter<Arc<Web>>)> {
    use Role::{Administrator, Operator, Viewer};
    use api::{devices, explain, journal, locations, lockouts, pins, sessions, settings, site, users};
    macro_rules! route {
        ($method:ident, $path:literal, $role:ident, $answer:path) => {{
            let method = Method::from_bytes(stringify!($method).to_uppercase().as_bytes());
            let (path, access) = (concat!("/api/v1/tenants/{tenant}", $path), Access::Role($role));
            (Route { method: method.unwrap_or_default(), path, access }, $method($answer))
        }};
    }
    let document = Route { method: Method::GET, path: "/api/v1/openapi.json", access: Access::Everyone };
    vec![
        (document, get(async || api::openapi(&routes()))),
        route!(get, "/codes", Operator, site::codes),
        route!(get, "/devices", Operator, devices::list),
        route!(get, "/devices/{device}", Operator, devices::get),
        route!(put, "/devices/{device}", Administrator, devices::put),
        route!(patch, "/devices/{device}", Administrator, devices::patch),
        route!(delete, "/devices/{device}", Administrator, devices::delete),
        route!(get, "/explain/{subject}", Operator, explain::get),
        route!(get, "/groups", Operator, site::groups),
        route!(get, "/journal", Operator, journal::list),
        route!(get, "/locations", Operator, locations::list),
        route!(get, "/locations/{location}", Operator, locations::get),
        route!(put, "/locations/{location}", Administrator, locations::put),
        route!(patch, "/locations/{location}", Administrator, locations::patch),
        route!(delete, "/locations/{location}", Administrator, locations::delete),
        route!(get, "/lockouts", Operator, lockouts::list),
        route!(delete, "/lockouts", Operator, lockouts::delete_all),
        route!(delete, "/lockouts/devices/{device}", Operator, lockouts::delete_device),
        route!(delete, "/lockouts/users/{user}", Operator, lockouts::delete_user),
        route!(get, "/sessions", Viewer, sessions::list),
        route!(get, "/sessions/{device}", Viewer, sessions::get),
        route!(put, "/sessions/{device}", Operator, sessions::put),
        route!(delete, "/sessions/{device}", Operator, sessions::delete),
        route!(get, "/switches", Viewer, site::switches),
        route!(post, "/switches/{switch}/compare", Operator, site::compare),
        route!(get, "/users", Operator, users::list),
        route!(get, "/users/{user}", Operator, users::get),
        route!(put, "/users/{user}", Administrator, users::put),
        route!(patch, "/users/{user}", Administrator, users::patch),
        route!(delete, "/users/{user}", Administrator, users::delete),
        route!(put, "/users/{user}/pin", Administrator, pins::put),
        route!(post, "/users/{user}/pin", Administrator, pins::post),
        route!(get, "/users/{user}/settings", Operator, settings::get),
        route!(patch, "/users/{user}/settings", Administrator, settings::patch),
    ]
}

async fn not_found(uri: Uri, Extension(origin): Extension<Origin>) -> Response {
    if api::is_in(uri.path()) {
        api::Problem::no_resource().into_response()
    } else {
        page::not_found(&origin)
    }
}

async fn wrong_method(uri: Uri, Extension(origin): Extension<Origin>) -> Response {
    if api::is_in(uri.path()) {
        api::Problem::wrong_method().into_response()
    } else {
        page::wrong_method(&origin)
    }
}

/// Answers the requests of browsers and programs.
pub(super) fn router(web: Arc<Web>) -> Router {
    let guarded = |(route, answer): (Route, MethodRouter<Arc<Web>>)| match route.access {
        Access::Everyone => (route.path, answer),
        Access::Role(least) => {
            let web = web.clone();
            if api::is_in(route.path) {
                let check =
                    move |request: Request, next: Next| api::require(web.clone(), least, request, next);
                return (route.path, answer.layer(from_fn(check)));
            }
            let check = move |request: Request, next: Next| require(web.clone(), least, request, next);
            (route.path, answer.layer(from_fn(check)))
        }
    };
    let routes = table().into_iter().chain(api_table()).map(guarded);
    let router = routes.fold(Router::new(), |router, (path, answer)| router.route(path, answer));
    router
        .fallback(not_found)
        .method_not_allowed_fallback(wrong_method)
        .layer(DefaultBodyLimit::max(FORM))
        .layer(from_fn_with_state(web.clone(), guard))
        .with_state(web)
}
