//! `GET /c`: the whole page.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{Query, State};
use axum::response::{Html, IntoResponse as _, Response};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use maud::{Markup, html};

use super::filter::Filter;
use super::parts::{self, Viewer};
use super::said::Said;
use crate::controller::desks::Desks;
use crate::model::id::LocationName;
use crate::web::icon::icon;
use crate::web::signed::Signed;
use crate::web::{Web, frame};

pub(in crate::web) async fn show(
    State(web): State<Arc<Web>>,
    Extension(signed): Extension<Signed>,
    Query(filter): Query<Filter>,
    Query(said): Query<Said>,
) -> Response {
    let Some(desks) = web.tenants.get(&signed.tenant).map(|tenant| tenant.desks.borrow().clone()) else {
        return axum::http::StatusCode::NOT_FOUND.into_response();
    };
    let page: Html<String> =
        frame::page(&web, &signed, "Now", &filter.q, &content(&desks, &signed, &filter, &said));
    page.into_response()
}

fn content(desks: &Desks, signed: &Signed, filter: &Filter, said: &Said) -> Markup {
    let viewer = Viewer {
        operates: signed.operates(),
        form_token: &signed.form_token,
        filter,
        zone: TimeZone::system(),
        now: Timestamp::now(),
    };
    let (rows, more) = filter.page(desks.iter());
    let next = rows.last().filter(|_| more).map(|last| filter.from(Some(&last.device.name)).address("/c"));
    let live = filter.address("/live");
    html! {
        div.head {
            h1 { "Now" }
            @if viewer.operates {
                div.end { a.btn.primary href="/c/log-in" { (icon("plus")) "Log in a user" } }
            }
            (parts::summary(desks))
        }
        (said.banner(&signed.form_token, &filter.address("/c"), viewer.operates))
        div.cols.rail {
            section.card aria-label="Desks" {
                header.chips {
                    (locations(desks, filter))
                    (parts::chips(desks, filter))
                }
                table.table.cards id="desks" data-live=(live) data-at=(desks.at) data-more=[next.as_ref().map(|_| "")] {
                    caption.sr { "Desks, who is logged in, and when the session ends. Changes appear by themselves." }
                    thead {
                        tr {
                            th scope="col" { "Desk" }
                            th scope="col" { "User" }
                            th scope="col" { "State" }
                            th scope="col" { "Since" }
                            th scope="col" { "Automatic logout" }
                            @if viewer.operates { th scope="col" { span.sr { "Actions" } } }
                        }
                    }
                    tbody { @for desk in &rows { (parts::row(desk, &viewer)) } }
                }
                @if rows.is_empty() { p.body.muted id="none" { "No desk is as the filter asks." } }
                @if filter.after().is_some() || next.is_some() {
                    div.pager {
                        span.end {
                            @if filter.after().is_some() { a.btn.small href=(filter.from(None).address("/c")) { "First page" } }
                            @if let Some(next) = next { a.btn.small href=(next) { "More" } }
                        }
                    }
                }
            }
            div.stack {
                section.card { header { h2 { "Switches" } } (parts::switches(desks)) }
                @if viewer.operates {
                    section.card { header { h2 { "Just now" } } (parts::recent(desks, &viewer)) }
                }
            }
        }
    }
}

/// A form that chooses a location.
fn locations(desks: &Desks, filter: &Filter) -> Markup {
    let mut all: Vec<&LocationName> = desks.iter().filter_map(|desk| desk.device.location.as_ref()).collect();
    all.sort();
    all.dedup();
    let current = filter.location();
    html! {
        form.join method="get" action="/c" {
            @if !filter.q.is_empty() { input type="hidden" name="q" value=(filter.q); }
            @if let Some(state) = filter.state() { input type="hidden" name="state" value=(state.name()); }
            select.w-auto name="location" aria-label="Location" data-submits {
                option value="" { "All locations" }
                @for location in all {
                    option value=(location) selected[current.as_ref() == Some(location)] { (location) }
                }
            }
            button.btn.small { "Show" }
        }
    }
}
