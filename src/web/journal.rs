//! The page Journal: what happened, the newest first. The filter is in its address.

use std::sync::Arc;

use axum::Extension as Given;
use axum::extract::{Query, State};
use axum::response::{IntoResponse as _, Response};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan as _};
use maud::{Markup, html};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;

use super::frame::{self, Place};
use super::origin::Origin;
use super::signed::Signed;
use super::{Web, page};
use crate::controller::journal_search::{Found, Kind, Sought, search};
use crate::model::id::{DeviceName, Extension, Revision};
use crate::model::journal::Entry;

/// How many entries are on a page.
const PAGE: usize = 50;
/// How far back an operator sees.
const OPERATOR: SignedDuration = SignedDuration::from_hours(7 * 24);

/// The query of an address. What it cannot mean is as if it was not there.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Filter {
    user: String,
    device: String,
    kind: String,
    from: String,
    to: String,
    before: String,
}

impl Filter {
    fn kind(&self) -> Option<Kind> {
        Kind::ALL.into_iter().find(|kind| kind.name() == self.kind)
    }

    fn sought(&self, signed: &Signed) -> Sought {
        let day = |text: &str, later: i64| {
            let date: Date = text.trim().parse().ok()?;
            let date = date.checked_add(later.days()).ok()?;
            Some(date.to_zoned(TimeZone::system()).ok()?.timestamp())
        };
        let floor = Timestamp::now().checked_sub(OPERATOR).ok().filter(|_| !signed.administers());
        Sought {
            user: Extension::new(self.user.trim()).ok(),
            device: DeviceName::new(self.device.trim()).ok(),
            kind: self.kind(),
            since: day(&self.from, 0).max(floor),
            until: day(&self.to, 1),
            before: self.before.parse().ok().map(Revision),
        }
    }

    fn earlier(&self, before: Revision) -> String {
        let before = before.0.to_string();
        let all = [
            ("user", &self.user),
            ("device", &self.device),
            ("kind", &self.kind),
            ("from", &self.from),
            ("to", &self.to),
            ("before", &before),
        ];
        let given = all.into_iter().filter(|(_, value)| !value.is_empty());
        let given =
            given.map(|(name, value)| format!("{name}={}", utf8_percent_encode(value, NON_ALPHANUMERIC)));
        format!("/c/journal?{}", given.collect::<Vec<_>>().join("&"))
    }
}

/// `GET /c/journal`
pub(super) async fn show(
    State(web): State<Arc<Web>>,
    Given(origin): Given<Origin>,
    Given(signed): Given<Signed>,
    Query(filter): Query<Filter>,
) -> Response {
    match search(&*web.controller.store, &signed.tenant, &filter.sought(&signed), PAGE).await {
        Ok(found) => {
            let content = content(&signed, &filter, &found);
            frame::within(&web, &signed, (Place::Journal, "Journal", ""), &content).into_response()
        }
        Err(error) => page::store(&origin, &error),
    }
}

fn content(signed: &Signed, filter: &Filter, found: &Found) -> Markup {
    let kinds = [
        ("", "Everything"),
        (Kind::Sessions.name(), "Logins and logouts"),
        (Kind::Changes.name(), "Changes"),
        (Kind::Refusals.name(), "Refusals and lockouts"),
        (Kind::Repairs.name(), "Repairs"),
        (Kind::Accounts.name(), "Accounts"),
    ];
    let field = |name: &str, label: &str, kind: &str, value: &str| {
        html! { div.field { label for=(name) { (label) } input type=(kind) id=(name) name=(name) value=(value) maxlength="64" autocomplete="off"; } }
    };
    html! {
        div.head {
            h1 { "Journal" }
            @if !signed.administers() { p { "The last 7 days. Administrators see all that is kept." } }
        }
        form.card.mb method="get" action="/c/journal" aria-label="Filter" {
            div.body.filters {
                (field("user", "Extension", "text", &filter.user))
                (field("device", "Device", "text", &filter.device))
                div.field {
                    label for="kind" { "Kind" }
                    select id="kind" name="kind" { @for (name, title) in kinds { option value=(name) selected[name == filter.kind] { (title) } } }
                }
                (field("from", "From", "date", &filter.from))
                (field("to", "To", "date", &filter.to))
                div.join { button.btn { "Show" } a.btn.quiet href="/c/journal" { "Clear" } }
            }
        }
        section.card aria-label="Entries" {
            table.table.records {
                caption.sr { "What happened, the newest first" }
                thead { tr { th scope="col" { "When" } th scope="col" { "What" } th scope="col" { "By" } } }
                tbody { @for entry in &found.entries { (row(entry)) } }
            }
            @if found.entries.is_empty() { p.body.muted { "Nothing like this, as far back as was looked." } }
            @if let Some(more) = found.more {
                div.pager { span.end { a.btn.small href=(filter.earlier(more)) { "Earlier" } } }
            }
        }
    }
}

fn row(entry: &Entry) -> Markup {
    let here = |at: Timestamp| at.to_zoned(TimeZone::system());
    html! {
        tr {
            th scope="row" { time.num.nowrap datetime=(entry.at) { (here(entry.at).strftime("%-d %b %Y %H:%M:%S")) } }
            td.what data-l="What" {
                (entry.what(|at| here(at).strftime("%-d %b %H:%M").to_string()))
                @if let Some(code) = &entry.code { " " small.muted { "with " code { (code) } } }
            }
            td data-l="By" { (entry.by) @if let Some(call) = &entry.call { br; small.muted { "call " (call) } } }
        }
    }
}
