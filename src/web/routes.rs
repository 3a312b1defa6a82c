//! The addresses of the console, each with who may use it. Everything that is served stands in this one table.

use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::http::Method;
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::routing::{MethodRouter, get, post};

use super::guard::guard;
use super::signed::{require, sign_out};
use super::{Web, assets, health, journal, lockouts, now, page, records, sign_in, switches, why};
use crate::model::access::Role;
use crate::model::directory::location::Location;
use crate::model::directory::{Device, User};

/// The most bytes of a form.
const FORM: usize = 64 * 1024;

/// Who may use a route.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Access {
    /// Everyone, signed in or not.
    Everyone,
    /// Accounts with this role at least.
    Role(Role),
}

/// A route.
#[derive(Clone, Debug)]
pub struct Route {
    /// The method.
    pub method: Method,
    /// The path; parts in braces stand for names.
    pub path: &'static str,
    /// Who may use it.
    pub access: Access,
}

/// All routes.
#[must_use]
pub fn routes() -> Vec<Route> {
    table().into_iter().map(|(route, _)| route).collect()
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
        (route(Method::GET, "/c/move", Access::Role(Role::Operator)), get(now::ask_move)),
        (route(Method::POST, "/c/move", Access::Role(Role::Operator)), post(now::move_to)),
        (route(Method::POST, "/c/undo", Access::Role(Role::Operator)), post(now::undo)),
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

/// Answers the requests of browsers.
pub(super) fn router(web: Arc<Web>) -> Router {
    let guarded = |(route, answer): (Route, MethodRouter<Arc<Web>>)| match route.access {
        Access::Everyone => (route.path, answer),
        Access::Role(least) => {
            let web = web.clone();
            let check = move |request: Request, next: Next| require(web.clone(), least, request, next);
            (route.path, answer.layer(from_fn(check)))
        }
    };
    let routes = table().into_iter().map(guarded);
    let router = routes.fold(Router::new(), |router, (path, answer)| router.route(path, answer));
    router
        .fallback(page::not_found)
        .method_not_allowed_fallback(page::wrong_method)
        .layer(DefaultBodyLimit::max(FORM))
        .layer(from_fn_with_state(web.clone(), guard))
        .with_state(web)
}
