//! Devices.

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
use crate::model::directory::form::{self, DeviceForm, Flaw};
use crate::model::id::DeviceName;
use crate::model::login::refusal::Subject;

/// Devices, as records of the API.
struct Devices;

impl Record for Devices {
    type Name = DeviceName;
    const WHAT: &'static str = "device";

    fn around(name: &DeviceName) -> Scope {
        Scope::device(name)
    }

    fn json(name: &DeviceName, snapshot: &Snapshot) -> Option<Value> {
        Some(DeviceForm::json(snapshot.devices.get(name)?, snapshot))
    }

    fn edit(
        context: &Context,
        name: &DeviceName,
        snapshot: &Snapshot,
        object: Map<String, Value>,
    ) -> Result<Option<DirectoryChange>, Vec<Flaw>> {
        let was = snapshot.devices.get(name);
        let is = form::device((context.id(), name), snapshot, object)?;
        let served = context.tenant().is_ok_and(|tenant| tenant.switches.contains_key(&is.switch));
        if !served {
            let detail = format!("no switch {} serves this tenant", is.switch);
            return Err(vec![Flaw { pointer: "/switch".into(), detail }]);
        }
        Ok((was != Some(&is)).then(|| DirectoryChange::Device(Edit::of(was.cloned(), is))))
    }

    fn removal(name: DeviceName) -> DirectoryChange {
        DirectoryChange::RemoveDevice(name)
    }

    fn pointer(subject: &Subject) -> Option<&'static str> {
        match subject {
            Subject::Location(_) => Some("/location"),
            Subject::User(_) => Some("/owner"),
            Subject::Device(_) => None,
        }
    }
}

/// Lists the devices, in the order of their names.
#[utoipa::path(get, path = "/api/v1/tenants/{tenant}/devices", tag = "devices", params(Page),
    responses((status = 200, description = "A page of devices.", body = Vec<DeviceForm>)))]
pub(in crate::web) async fn list(context: Context, Asked(page): Asked<Page>) -> Result<Response, Problem> {
    let snapshot = context.snapshot(&Scope::All).await?;
    page.of(
        (context.id(), "devices"),
        snapshot.devices.values(),
        |device| device.name.as_str(),
        |device| {
            let location = device.location.as_ref().map(ToString::to_string);
            let owner = device.owner.as_ref().map(ToString::to_string);
            location.into_iter().chain(owner).chain([device.name.to_string()]).collect()
        },
        |device| DeviceForm::json(device, &snapshot),
    )
}

/// Reads a device.
#[utoipa::path(get, path = "/api/v1/tenants/{tenant}/devices/{device}", tag = "devices",
    responses((status = 200, description = "The device.", body = DeviceForm)))]
pub(in crate::web) async fn get(
    context: Context,
    Path((_, name)): Path<(String, String)>,
) -> Result<Response, Problem> {
    record::get::<Devices>(&context, name).await
}

/// Makes a device (If-None-Match: *) or replaces it (If-Match). What is left out is as for a new device.
#[utoipa::path(put, path = "/api/v1/tenants/{tenant}/devices/{device}", tag = "devices",
    request_body = DeviceForm, responses(
    (status = 200, description = "The device, which was replaced.", body = DeviceForm),
    (status = 201, description = "The device, which is new.", body = DeviceForm)))]
pub(in crate::web) async fn put(
    context: Context,
    Path((_, name)): Path<(String, String)>,
    headers: HeaderMap,
    Object(object): Object,
) -> Result<Response, Problem> {
    record::put::<Devices>(&context, name, &headers, object).await
}

/// Changes a part of a device: a merge patch (RFC 7396). Null removes a setting.
#[utoipa::path(patch, path = "/api/v1/tenants/{tenant}/devices/{device}", tag = "devices",
    request_body(content = serde_json::Value, content_type = "application/merge-patch+json"),
    responses((status = 200, description = "The device after the change.", body = DeviceForm)))]
pub(in crate::web) async fn patch(
    context: Context,
    Path((_, name)): Path<(String, String)>,
    headers: HeaderMap,
    Object(object): Object,
) -> Result<Response, Problem> {
    record::patch::<Devices>(&context, name, &headers, object).await
}

/// Removes a device, and logs out its user.
#[utoipa::path(delete, path = "/api/v1/tenants/{tenant}/devices/{device}", tag = "devices",
    responses((status = 204, description = "The device is removed.")))]
pub(in crate::web) async fn delete(
    context: Context,
    Path((_, name)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    record::delete::<Devices>(&context, name, &headers).await
}
