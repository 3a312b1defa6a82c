//! Removes a record, after a page that says what goes with it.

use std::sync::Arc;

use axum::Extension as Given;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use maud::html;

use super::show::missing;
use super::{Record, address, rules};
use crate::controller::commands;
use crate::model::command::Change;
use crate::model::desired::Scope;
use crate::model::directory::Snapshot;
use crate::model::directory::change::DirectoryCommand;
use crate::store::StoreError;
use crate::web::icon::icon;
use crate::web::origin::Origin;
use crate::web::signed::{Nothing, Sent, Signed};
use crate::web::{Web, frame, page};

/// `GET` of the question.
pub(in crate::web) async fn ask_remove<R: Record>(
    State(web): State<Arc<Web>>,
    Given(origin): Given<Origin>,
    Given(signed): Given<Signed>,
    Path(name): Path<String>,
) -> Response {
    ask::<R>(&web, (&origin, &signed), &name, None).await
}

async fn ask<R: Record>(
    web: &Web,
    (origin, signed): (&Origin, &Signed),
    name: &str,
    wrong: Option<&str>,
) -> Response {
    let snapshot: Snapshot = match web.controller.store.snapshot(&signed.tenant, &Scope::All).await {
        Ok(snapshot) => snapshot,
        Err(error) => return page::store(origin, &error),
    };
    let Some(record) = R::find(&snapshot, name) else { return missing::<R>(origin) };
    let (title, back) = (format!("Remove {}?", record.subject()), address::<R>(name));
    let goes = record.goes(&snapshot);
    let content = html! {
        div.head { a.crumb href=(back) { (icon("left")) (record.title()) } }
        div.head { h1 { (title) } }
        section.card.narrow aria-label="What is removed" {
            div.body.stack {
                @if let Some(wrong) = wrong { p.banner.bad role="alert" { (wrong) } }
                @if record.title() != name { p { b { (record.title()) } } }
                ul.bullets { @for line in &goes { li { (line) } } }
                p.muted { "This cannot be undone. The journal keeps what happened until now." }
                form method="post" {
                    input type="hidden" name="form" value=(signed.form_token);
                    div.join { button.btn.danger { "Remove " (record.subject()) } a.btn.quiet href=(back) { "Cancel" } }
                }
            }
        }
    };
    let status = if wrong.is_some() { StatusCode::CONFLICT } else { StatusCode::OK };
    (status, frame::within(web, signed, (R::PLACE, &title, ""), &content)).into_response()
}

/// `POST` of the question.
pub(in crate::web) async fn remove<R: Record>(
    State(web): State<Arc<Web>>,
    Given(origin): Given<Origin>,
    Given(signed): Given<Signed>,
    Path(name): Path<String>,
    Sent(Nothing {}): Sent<Nothing>,
) -> Response {
    let Some(tenant) = web.tenants.get(&signed.tenant) else { return missing::<R>(&origin) };
    let Ok(record) = R::blank(&signed, tenant, &name) else { return missing::<R>(&origin) };
    let changes = vec![record.remove_it()];
    let command = DirectoryCommand { changes, rules: rules(tenant, false) };
    let by = (signed.actor(), commands::now());
    match commands::change(&*web.controller.store, &signed.tenant, by, Change::Directory(command)).await {
        Ok(_) => Redirect::to(&format!("{}?said=removed", R::PLACE.path())).into_response(),
        Err(StoreError::Refused(refusal)) => {
            ask::<R>(&web, (&origin, &signed), &name, Some(&format!("Not removed: {refusal}."))).await
        }
        Err(error) => page::store(&origin, &error),
    }
}
