//! Locations.

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
use crate::model::directory::Snapshot;
use crate::model::directory::change::{DirectoryChange, Edit};
use crate::model::directory::form::{self, Flaw, LocationForm};
use crate::model::id::LocationName;
use crate::model::login::refusal::Subject;

/// Locations, as records of the API.
struct Locations;

impl Record for Locations {
    type Name = LocationName;
    const WHAT: &'static str = "location";

    fn around(_: &LocationName) -> Scope {
        // Its devices are known only among all.
        Scope::All
    }

    fn json(name: &LocationName, snapshot: &Snapshot) -> Option<Value> {
        Some(LocationForm::json(snapshot.locations.get(name)?, snapshot))
    }

    fn edit(
        context: &Context,
        name: &LocationName,
        snapshot: &Snapshot,
        object: Map<String, Value>,
    ) -> Result<Option<DirectoryChange>, Vec<Flaw>> {
        let was = snapshot.locations.get(name);
        let is = form::location((context.id(), name), snapshot, object)?;
        Ok((was != Some(&is)).then(|| DirectoryChange::Location(Edit::of(was.cloned(), is))))
    }

    fn removal(name: LocationName) -> DirectoryChange {
        DirectoryChange::RemoveLocation(name)
    }

    fn pointer(_: &Subject) -> Option<&'static str> {
        None
    }
}

/// Lists the locations, in the order of their names.
#[utoipa::path(get, path = "/api/v1/tenants/{tenant}/locations", tag = "locations", params(Page),
    responses((status = 200, description = "A page of locations.", body = Vec<LocationForm>)))]
pub(in crate::web) async fn list(context: Context, Asked(page): Asked<Page>) -> Result<Response, Problem> {
    let snapshot = context.snapshot(&Scope::All).await?;
    page.of(
        (context.id(), "locations"),
        snapshot.locations.values(),
        |location| location.name.as_str(),
        |location| {
            let address = location.address.as_ref().map(ToString::to_string);
            address.into_iter().chain([location.name.to_string()]).collect()
        },
        |location| LocationForm::json(location, &snapshot),
    )
}

/// Reads a location.
#[utoipa::path(get, path = "/api/v1/tenants/{tenant}/locations/{location}", tag = "locations",
    responses((status = 200, description = "The location.", body = LocationForm)))]
pub(in crate::web) async fn get(
    context: Context,
    Path((_, name)): Path<(String, String)>,
) -> Result<Response, Problem> {
    record::get::<Locations>(&context, name).await
}

/// Makes a location (If-None-Match: *) or replaces it (If-Match). What is left out is as for a new location.
#[utoipa::path(put, path = "/api/v1/tenants/{tenant}/locations/{location}", tag = "locations",
    request_body = LocationForm, responses(
    (status = 200, description = "The location, which was replaced.", body = LocationForm),
    (status = 201, description = "The location, which is new.", body = LocationForm)))]
pub(in crate::web) async fn put(
    context: Context,
    Path((_, name)): Path<(String, String)>,
    headers: HeaderMap,
    Object(object): Object,
) -> Result<Response, Problem> {
    record::put::<Locations>(&context, name, &headers, object).await
}

/// Changes a part of a location: a merge patch (RFC 7396). Null removes a setting.
#[utoipa::path(patch, path = "/api/v1/tenants/{tenant}/locations/{location}", tag = "locations",
    request_body(content = serde_json::Value, content_type = "application/merge-patch+json"),
    responses((status = 200, description = "The location after the change.", body = LocationForm)))]
pub(in crate::web) async fn patch(
    context: Context,
    Path((_, name)): Path<(String, String)>,
    headers: HeaderMap,
    Object(object): Object,
) -> Result<Response, Problem> {
    record::patch::<Locations>(&context, name, &headers, object).await
}

/// Removes a location that has no devices.
#[utoipa::path(delete, path = "/api/v1/tenants/{tenant}/locations/{location}", tag = "locations",
    responses((status = 204, description = "The location is removed.")))]
pub(in crate::web) async fn delete(
    context: Context,
    Path((_, name)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    record::delete::<Locations>(&context, name, &headers).await
}
