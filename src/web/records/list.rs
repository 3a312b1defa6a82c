//! The list of a kind of record. The filter is in its address.

use std::sync::Arc;

use axum::Extension as Given;
use axum::extract::{Query, State};
use axum::response::{IntoResponse as _, Response};
use maud::{Markup, html};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;

use super::show::Said;
use super::{Record, Seen, address};
use crate::model::command::Reads;
use crate::model::desired::Scope;
use crate::model::directory::Snapshot;
use crate::web::icon::icon;
use crate::web::origin::Origin;
use crate::web::signed::Signed;
use crate::web::{Web, frame, page};

/// How many records are on a page.
const PAGE: usize = 50;

/// The query of an address. What it cannot mean is as if it was not there.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::web) struct Filter {
    q: String,
    state: String,
    after: String,
}

impl Filter {
    fn address(&self, path: &str) -> String {
        let all = [("q", self.q.trim()), ("state", &self.state), ("after", &self.after)];
        let given: Vec<String> = all
            .into_iter()
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, value)| format!("{name}={}", utf8_percent_encode(value, NON_ALPHANUMERIC)))
            .collect();
        if given.is_empty() { path.to_owned() } else { format!("{path}?{}", given.join("&")) }
    }
}

/// `GET` of a list.
pub(in crate::web) async fn list<R: Record>(
    State(web): State<Arc<Web>>,
    Given(origin): Given<Origin>,
    Given(signed): Given<Signed>,
    Query(filter): Query<Filter>,
    Query(said): Query<Said>,
) -> Response {
    let store = &*web.controller.store;
    let read = async {
        let snapshot = store.snapshot(&signed.tenant, &Scope::All).await?;
        let pins = store.load(&signed.tenant, &Reads::pins()).await?.pins;
        Ok((snapshot, pins.into_keys().collect::<Seen>()))
    };
    let (snapshot, seen) = match read.await {
        Ok(read) => read,
        Err(error) => return page::store(&origin, &error),
    };
    let content = content::<R>(&signed, &filter, &said, (&snapshot, &seen));
    frame::within(&web, &signed, (R::PLACE, R::PLACE.title(), &filter.q), &content).into_response()
}

fn content<R: Record>(
    signed: &Signed,
    filter: &Filter,
    said: &Said,
    (snapshot, seen): (&Snapshot, &Seen),
) -> Markup {
    let path = R::PLACE.path();
    let sought = filter.q.trim().to_lowercase();
    let named: Vec<&R> =
        R::all(snapshot).filter(|record| sought.is_empty() || record.has(&sought, snapshot)).collect();
    let state = R::FILTERS.iter().map(|(name, _)| *name).find(|name| *name == filter.state);
    let shown = |record: &&&R| state.is_none_or(|state| record.is(state, snapshot, seen));
    let later = |record: &&&R| filter.after.is_empty() || *record.name() > *filter.after;
    let mut rows: Vec<&&R> = named.iter().filter(shown).filter(later).take(PAGE + 1).collect();
    let more = rows.len() > PAGE;
    rows.truncate(PAGE);
    let to = |state: &str, after: String| {
        Filter { q: filter.q.clone(), state: state.to_owned(), after }.address(path)
    };
    let chip = |name: &str, title: &str| {
        let count = named.iter().filter(|record| name.is_empty() || record.is(name, snapshot, seen)).count();
        let current = (state.unwrap_or_default() == name).then_some("true");
        html! { a.chip href=(to(name, String::new())) aria-current=[current] { (title) " " b { (count) } } }
    };
    let next = rows.last().filter(|_| more).map(|last| to(state.unwrap_or_default(), last.name()));
    html! {
        div.head {
            h1 { (R::PLACE.title()) }
            span.n { (R::all(snapshot).count()) }
            @if signed.administers() {
                div.end {
                    a.btn href={ (path) ".csv" } { "Export CSV" }
                    a.btn.primary href={ "/c/new/" (R::ONE) } { (icon("plus")) "New " (R::ONE) }
                }
            }
        }
        @if let Some(text) = said.text() { p.banner.ok.mb role="status" { (text) } }
        section.card aria-label=(R::PLACE.title()) {
            header.chips {
                (chip("", "All"))
                @for (name, title) in R::FILTERS { (chip(name, title)) }
                @if !sought.is_empty() { a.chip href=(path) { "“" (filter.q.trim()) "” " span.sr { "is sought: show all" } "×" } }
            }
            table.table.records {
                caption.sr { (R::PLACE.title()) }
                thead { tr { th scope="col" { "Name" } @for head in R::HEADS { th scope="col" { (head) } } } }
                tbody {
                    @for record in &rows {
                        tr {
                            th scope="row" {
                                span.who {
                                    span {
                                        a href=(address::<R>(&record.name())) { (record.title()) }
                                    }
                                }
                            }
                            @for (cell, head) in record.cells(snapshot, seen).iter().zip(R::HEADS) { td data-l=(head) { (cell) } }
                        }
                    }
                }
            }
            @if rows.is_empty() { p.body.muted { "There is none like this." } }
            @if !filter.after.is_empty() || next.is_some() {
                div.pager {
                    span.end {
                        @if !filter.after.is_empty() { a.btn.small href=(to(state.unwrap_or_default(), String::new())) { "First page" } }
                        @if let Some(next) = next { a.btn.small href=(next) { "More" } }
                    }
                }
            }
        }
    }
}
