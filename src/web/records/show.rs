//! The page of a record.

use std::sync::Arc;

use axum::Extension as Given;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use maud::{Markup, html};
use serde::Deserialize;

use super::clash::Clash;
use super::form::{self, Form, Typed, Wrong, called};
use super::{Around, Record, address};
use crate::model::desired::Scope;
use crate::web::icon::icon;
use crate::web::origin::Origin;
use crate::web::signed::Signed;
use crate::web::{Web, frame, page};

/// What was done before this page.
#[derive(Clone, Default, Deserialize)]
#[serde(default)]
pub(in crate::web) struct Said {
    said: String,
}

impl Said {
    /// In words; none for what no page says.
    pub(super) fn text(&self) -> Option<&'static str> {
        Some(match self.said.as_str() {
            "saved" => "Saved.",
            "added" => "Added.",
            "removed" => "Removed.",
            "unchanged" => "Nothing was changed: all fields are as they were.",
            "unlocked" => "The lockout is cleared.",
            _ => return None,
        })
    }
}

/// A form as it is shown.
#[derive(Clone, Default)]
pub(super) struct Shown {
    pub(super) typed: Typed,
    pub(super) wrong: Wrong,
    /// Another writer changed the record meanwhile.
    pub(super) clash: Option<Clash>,
    /// Whether what is refused can be insisted on.
    pub(super) may_force: bool,
    pub(super) said: Said,
}

/// `GET` of a record's page.
pub(in crate::web) async fn show<R: Record>(
    State(web): State<Arc<Web>>,
    Given(origin): Given<Origin>,
    Given(signed): Given<Signed>,
    Path(name): Path<String>,
    Query(said): Query<Said>,
) -> Response {
    let snapshot = match web.controller.store.snapshot(&signed.tenant, &Scope::All).await {
        Ok(snapshot) => snapshot,
        Err(error) => return page::store(&origin, &error),
    };
    let Some(record) = R::find(&snapshot, &name) else { return missing::<R>(&origin) };
    let shown = Shown { said, ..Shown::default() };
    let Some(tenant) = web.tenants.get(&signed.tenant) else { return missing::<R>(&origin) };
    one(&web, (&origin, &signed), record, &Around { tenant, snapshot: &snapshot }, &shown).await
}

pub(super) fn missing<R: Record>(origin: &Origin) -> Response {
    let text = format!("There is no such {}. It may have been removed.", R::ONE);
    page::error(origin, StatusCode::NOT_FOUND, &text)
}

/// The page of a record that is there.
pub(super) async fn one<R: Record>(
    web: &Web,
    (origin, signed): (&Origin, &Signed),
    record: &R,
    around: &Around<'_>,
    shown: &Shown,
) -> Response {
    let beside = match record.beside(web, signed, around).await {
        Ok(beside) => beside,
        Err(error) => return page::store(origin, &error),
    };
    let (name, title) = (record.name(), record.title());
    let writes = signed.administers();
    let doubts = around.tenant.known.doubts(&record.alone());
    let content = html! {
        div.head { a.crumb href=(R::PLACE.path()) { (icon("left")) (R::PLACE.title()) } }
        div.head {
            h1 { (title) }
            @if title != name { span.n { (name) } }
            div.end {
                @if let Some(why) = record.why() { a.btn href=(why) { "Explain" } }
                @if writes { a.btn.danger href={ (address::<R>(&name)) "/remove" } { "Remove…" } }
            }
        }
        @if let Some(text) = shown.said.text() { p.banner.ok.mb role="status" { (text) } }
        @for doubt in &doubts { p.banner.warn.mb { (icon("warning")) (doubt.found) } }
        (alert(shown))
        div.cols.left {
            (parts::<R>())
            div.stack {
                @if writes {
                    form.stack method="post" id="record" action=(address::<R>(&name)) {
                        input type="hidden" name="form" value=(signed.form_token);
                        input type="hidden" name="was" value=(was(record));
                        (fields(record, around, shown, true, false))
                        (save_bar(shown, "Save", &address::<R>(&name)))
                    }
                } @else {
                    (fields(record, around, shown, false, false))
                }
                (beside)
            }
        }
    };
    let status = match (&shown.clash, shown.wrong.is_empty()) {
        (Some(_), _) => StatusCode::CONFLICT,
        (None, false) => StatusCode::UNPROCESSABLE_ENTITY,
        (None, true) => StatusCode::OK,
    };
    (status, frame::within(web, signed, (R::PLACE, &title, ""), &content)).into_response()
}

/// The record that a form is made from: the condition on it when the form is sent.
fn was<R: Record>(record: &R) -> String {
    serde_json::to_string(record).unwrap_or_default()
}

fn fields<R: Record>(record: &R, around: &Around<'_>, shown: &Shown, writes: bool, is_new: bool) -> Markup {
    let form = Form { record, typed: &shown.typed, wrong: &shown.wrong, writes };
    record.fields(&form, around, is_new)
}

/// Where the parts of the page are.
fn parts<R: Record>() -> Markup {
    html! {
        nav.sections.only-wide aria-label="Parts of this page" {
            @for (id, title) in R::PARTS { a href={ "#" (id) } { (title) } }
        }
    }
}

/// What is wrong, with a link to each field.
fn alert(shown: &Shown) -> Markup {
    html! {
        @if let Some(clash) = &shown.clash { (clash.shown()) }
        @else if !shown.wrong.is_empty() {
            div.banner.bad.mb role="alert" {
                div {
                    b { "Not saved. " }
                    @if let Some(whole) = shown.wrong.get("") { (whole) }
                    ul {
                        @for (column, why) in shown.wrong.iter().filter(|(column, _)| !column.is_empty()) {
                            li { a href={ "#" (form::id(column)) } { (called(column)) } ": " (why) }
                        }
                    }
                }
            }
        }
    }
}

fn save_bar(shown: &Shown, save: &str, cancel: &str) -> Markup {
    html! {
        div.savebar role="region" aria-label="Save" {
            @if shown.may_force {
                label.row-flex {
                    input type="checkbox" name="force" value="yes";
                    "Do it all the same; the journal records it"
                }
            }
            span.end { a.btn href=(cancel) { "Discard" } button.btn.primary { (save) } }
        }
    }
}

/// `GET` of the form for a new record.
pub(in crate::web) async fn ask_add<R: Record>(
    State(web): State<Arc<Web>>,
    Given(origin): Given<Origin>,
    Given(signed): Given<Signed>,
) -> Response {
    new::<R>(&web, (&origin, &signed), &Shown::default()).await
}

/// The form for a new record.
pub(super) async fn new<R: Record>(
    web: &Web,
    (origin, signed): (&Origin, &Signed),
    shown: &Shown,
) -> Response {
    let snapshot = match web.controller.store.snapshot(&signed.tenant, &Scope::All).await {
        Ok(snapshot) => snapshot,
        Err(error) => return page::store(origin, &error),
    };
    let tenant = web.tenants.get(&signed.tenant);
    let blank = |name: &str| tenant.and_then(|tenant| Some((tenant, R::blank(signed, tenant, name).ok()?)));
    let (Some((tenant, blank)), Some((_, other))) = (blank("0"), blank("1")) else {
        return missing::<R>(origin);
    };
    // Its name is typed into the form, and what follows from the name.
    let of_name = R::COLUMNS.iter().filter(|column| blank.text(column) != other.text(column));
    let mut shown = shown.clone();
    for column in of_name {
        shown.typed.entry((*column).to_owned()).or_default();
    }
    let shown = &shown;
    let around = Around { tenant, snapshot: &snapshot };
    let title = format!("New {}", R::ONE);
    let path = R::PLACE.path();
    let content = html! {
        div.head { a.crumb href=(path) { (icon("left")) (R::PLACE.title()) } }
        div.head { h1 { (title) } }
        (alert(shown))
        div.cols.left {
            (parts::<R>())
            form.stack method="post" id="record" action=(path) {
                input type="hidden" name="form" value=(signed.form_token);
                (fields(&blank, &around, shown, true, true))
                (save_bar(shown, "Add", path))
            }
        }
    };
    let status = if shown.wrong.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    (status, frame::within(web, signed, (R::PLACE, &title, ""), &content)).into_response()
}
