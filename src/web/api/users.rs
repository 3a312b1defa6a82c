//! Users.

use axum::extract::Path;
use axum::http::HeaderMap;
use axum::response::Response;
use serde_json::{Map, Value};

use super::context::Context;
use super::page::Page;
use super::problem::Problem;
use super::record::{self, Record};
use super::sent::{Asked, Object};
use crate::model::desired::Scope;
use crate::model::directory::change::{DirectoryChange, Edit};
use crate::model::directory::form::{self, Flaw, UserForm};
use crate::model::directory::{ByUser, Snapshot, User};
use crate::model::id::Extension;
use crate::model::login::refusal::Subject;

/// Users, as records of the API.
struct Users;

impl Record for Users {
    type Name = Extension;
    const WHAT: &'static str = "user";

    fn around(name: &Extension) -> Scope {
        Scope::user(name)
    }

    fn json(name: &Extension, snapshot: &Snapshot) -> Option<Value> {
        Some(UserForm::json(snapshot.users.get(name)?, snapshot))
    }

    fn edit(
        context: &Context,
        name: &Extension,
        snapshot: &Snapshot,
        object: Map<String, Value>,
    ) -> Result<Option<DirectoryChange>, Vec<Flaw>> {
        let was = snapshot.users.get(name);
        let known = was.cloned().unwrap_or_else(|| User::new(context.id().clone(), name.clone()));
        let is = form::user(&known, snapshot, object)?;
        Ok((was != Some(&is)).then(|| DirectoryChange::User(Edit::of(was.cloned(), is))))
    }

    fn removal(name: Extension) -> DirectoryChange {
        DirectoryChange::RemoveUser(name)
    }

    fn pointer(_: &Subject) -> Option<&'static str> {
        None
    }
}

/// Lists the users, in the order of their names.
#[utoipa::path(get, path = "/api/v1/tenants/{tenant}/users", tag = "users", params(Page),
    responses((status = 200, description = "A page of users.", body = Vec<UserForm>)))]
pub(in crate::web) async fn list(context: Context, Asked(page): Asked<Page>) -> Result<Response, Problem> {
    let snapshot = context.snapshot(&Scope::All).await?;
    let by_user = ByUser::of(&snapshot);
    page.of(
        (context.id(), "users"),
        snapshot.users.values(),
        |user| user.extension.as_str(),
        |user| {
            let name = user.name.as_ref().map(ToString::to_string);
            name.into_iter().chain([user.extension.to_string()]).collect()
        },
        |user| serde_json::to_value(UserForm::of(user, &snapshot, &by_user)).unwrap_or_default(),
    )
}

/// Reads a user.
#[utoipa::path(get, path = "/api/v1/tenants/{tenant}/users/{user}", tag = "users",
    responses((status = 200, description = "The user.", body = UserForm)))]
pub(in crate::web) async fn get(
    context: Context,
    Path((_, name)): Path<(String, String)>,
) -> Result<Response, Problem> {
    record::get::<Users>(&context, name).await
}

/// Makes a user (If-None-Match: *) or replaces it (If-Match). What is left out is as for a new user.
#[utoipa::path(put, path = "/api/v1/tenants/{tenant}/users/{user}", tag = "users",
    request_body = UserForm, responses(
    (status = 200, description = "The user, which was replaced.", body = UserForm),
    (status = 201, description = "The user, which is new.", body = UserForm)))]
pub(in crate::web) async fn put(
    context: Context,
    Path((_, name)): Path<(String, String)>,
    headers: HeaderMap,
    Object(object): Object,
) -> Result<Response, Problem> {
    record::put::<Users>(&context, name, &headers, object).await
}

/// Changes a part of a user: a merge patch (RFC 7396). Null removes a setting.
#[utoipa::path(patch, path = "/api/v1/tenants/{tenant}/users/{user}", tag = "users",
    request_body(content = serde_json::Value, content_type = "application/merge-patch+json"),
    responses((status = 200, description = "The user after the change.", body = UserForm)))]
pub(in crate::web) async fn patch(
    context: Context,
    Path((_, name)): Path<(String, String)>,
    headers: HeaderMap,
    Object(object): Object,
) -> Result<Response, Problem> {
    record::patch::<Users>(&context, name, &headers, object).await
}

/// Removes a user with the PIN, and logs the user out.
#[utoipa::path(delete, path = "/api/v1/tenants/{tenant}/users/{user}", tag = "users",
    responses((status = 204, description = "The user is removed.")))]
pub(in crate::web) async fn delete(
    context: Context,
    Path((_, name)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    record::delete::<Users>(&context, name, &headers).await
}
