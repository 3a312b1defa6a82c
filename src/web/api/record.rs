//! What users, devices and locations have in common: one is read, made, replaced, changed in part and removed.

use std::fmt::Display;

use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use serde_json::{Map, Value};

use super::context::Context;
use super::problem::{Problem, named_in};
use super::{etag, merge};
use crate::model::desired::Scope;
use crate::model::directory::Snapshot;
use crate::model::directory::change::DirectoryChange;
use crate::model::directory::form::Flaw;
use crate::model::id::InvalidId;
use crate::model::login::refusal::Subject;

/// A kind of record of the directory.
pub(super) trait Record {
    /// What names a record.
    type Name: Display + TryFrom<String, Error = InvalidId>;
    /// What a record is called.
    const WHAT: &'static str;

    /// The records that one is shown with.
    fn around(name: &Self::Name) -> Scope;
    /// The record as it is sent, if there is one.
    fn json(name: &Self::Name, snapshot: &Snapshot) -> Option<Value>;
    /// The change that makes the record as this object says; none, if it is so. `snapshot` is of the whole tenant.
    fn edit(
        context: &Context,
        name: &Self::Name,
        snapshot: &Snapshot,
        object: Map<String, Value>,
    ) -> Result<Option<DirectoryChange>, Vec<Flaw>>;
    /// The change that removes the record.
    fn removal(name: Self::Name) -> DirectoryChange;
    /// The field that names another record.
    fn pointer(subject: &Subject) -> Option<&'static str>;
}

fn name<R: Record>(name: String) -> Result<R::Name, Problem> {
    R::Name::try_from(name).map_err(|wrong| Problem::missing(format_args!("such {}: {wrong}", R::WHAT)))
}

fn missing<R: Record>(name: &R::Name) -> Problem {
    Problem::missing(format_args!("{} {name}", R::WHAT))
}

/// Answers with one.
pub(super) async fn get<R: Record>(context: &Context, of: String) -> Result<Response, Problem> {
    let name = name::<R>(of)?;
    let snapshot = context.snapshot(&R::around(&name)).await?;
    let object = R::json(&name, &snapshot).ok_or_else(|| missing::<R>(&name))?;
    Ok(etag::answer(StatusCode::OK, &object))
}

/// Makes one, or replaces it.
pub(super) async fn put<R: Record>(
    context: &Context,
    of: String,
    headers: &HeaderMap,
    object: Map<String, Value>,
) -> Result<Response, Problem> {
    let name = name::<R>(of)?;
    demanded::<R>(context, &name, headers).await?;
    edit::<R>(context, name, object).await
}

/// Changes a part of one (RFC 7396).
pub(super) async fn patch<R: Record>(
    context: &Context,
    of: String,
    headers: &HeaderMap,
    patch: Map<String, Value>,
) -> Result<Response, Problem> {
    let name = name::<R>(of)?;
    let now = demanded::<R>(context, &name, headers).await?;
    let now = now.ok_or_else(|| missing::<R>(&name))?;
    edit::<R>(context, name, merge::merged(now, patch)).await
}

/// Removes one.
pub(super) async fn delete<R: Record>(
    context: &Context,
    of: String,
    headers: &HeaderMap,
) -> Result<Response, Problem> {
    let name = name::<R>(of)?;
    demanded::<R>(context, &name, headers).await?.ok_or_else(|| missing::<R>(&name))?;
    context.change(R::removal(name)).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// The record, if its state is the one that the request is about.
async fn demanded<R: Record>(
    context: &Context,
    name: &R::Name,
    headers: &HeaderMap,
) -> Result<Option<Value>, Problem> {
    let snapshot = context.snapshot(&R::around(name)).await?;
    let now = R::json(name, &snapshot);
    etag::demanded(headers, now.as_ref())?;
    Ok(now)
}

async fn edit<R: Record>(
    context: &Context,
    name: R::Name,
    object: Map<String, Value>,
) -> Result<Response, Problem> {
    let snapshot = context.snapshot(&Scope::All).await?;
    let new = R::json(&name, &snapshot).is_none();
    if let Some(change) = R::edit(context, &name, &snapshot, object).map_err(Problem::invalid)? {
        context.change(change).await.map_err(|error| named_in(error, R::pointer))?;
    }
    let snapshot = context.snapshot(&R::around(&name)).await?;
    let object = R::json(&name, &snapshot).ok_or_else(|| missing::<R>(&name))?;
    Ok(etag::answer(if new { StatusCode::CREATED } else { StatusCode::OK }, &object))
}
