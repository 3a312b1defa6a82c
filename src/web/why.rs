//! The page that explains why a device, or a person's calls, behave as they do now.

use std::sync::Arc;

use axum::Extension as Given;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use maud::{Markup, html};

use super::frame::{self, Place as Part};
use super::icon::icon;
use super::origin::Origin;
use super::signed::Signed;
use super::{Web, page};
use crate::controller::explain::{self, Explanation, OnSwitch, Record, State as Is, Subject};

/// `GET /c/why/{subject}`: an extension, or the name of a device.
pub(super) async fn show(
    State(web): State<Arc<Web>>,
    Given(origin): Given<Origin>,
    Given(signed): Given<Signed>,
    Path(who): Path<String>,
) -> Response {
    explained(&web, &origin, &signed, &who, false).await
}

/// `GET /c/why/device/{subject}`: the name of a device, also if an extension is the same.
pub(super) async fn show_device(
    State(web): State<Arc<Web>>,
    Given(origin): Given<Origin>,
    Given(signed): Given<Signed>,
    Path(who): Path<String>,
) -> Response {
    explained(&web, &origin, &signed, &who, true).await
}

async fn explained(web: &Web, origin: &Origin, signed: &Signed, who: &str, is_device: bool) -> Response {
    let store = &*web.controller.store;
    let none =
        || page::error(origin, StatusCode::NOT_FOUND, "There is neither a person nor a device of this name.");
    let (subject, snapshot) = match explain::subject(store, &signed.tenant, who, is_device).await {
        Ok(Some(found)) => found,
        Ok(None) => return none(),
        Err(error) => return page::store(origin, &error),
    };
    let Some(tenant) = web.tenants.get(&signed.tenant) else { return none() };
    let places = tenant.places();
    match explain::explain(store, &signed.tenant, (&subject, &snapshot), &places, time).await {
        Ok(explanation) => {
            let part = match subject {
                Subject::Device(_) => Part::Devices,
                Subject::User(_) => Part::People,
            };
            let title = format!("Why: {who}");
            frame::within(web, signed, (part, &title, ""), &content(&explanation)).into_response()
        }
        Err(error) => page::store(origin, &error),
    }
}

fn time(at: Timestamp) -> String {
    at.to_zoned(TimeZone::system()).strftime("%-d %b %Y %H:%M:%S").to_string()
}

fn content(Explanation { subject, facts, switches, last }: &Explanation) -> Markup {
    html! {
        div.head { h1 { (subject) } }
        div.stack {
            section.card aria-labelledby="facts" {
                header { h2 id="facts" { "In the store" } }
                ul.list { @for fact in facts { li { (fact) } } @if facts.is_empty() { li.muted { "nothing special" } } }
            }
            @for switch in switches { (on_switch(switch)) }
            section.card aria-labelledby="last" {
                header { h2 id="last" { "What happened last" } }
                ul.list {
                    @for entry in last { li { span.grow { (entry.line(time)) br; small.muted { time.num datetime=(entry.at) { (time(entry.at)) } } } } }
                    @if last.is_empty() { li.muted { "Nothing that the journal still has." } }
                }
            }
        }
    }
}

fn on_switch(on: &OnSwitch) -> Markup {
    let id = format!("on-{}", on.switch);
    html! {
        section.card aria-labelledby=(id) {
            header { h2 id=(id) { "On " (on.switch) } @if let Some(note) = on.note { p { (note) } } }
            @if let Some(why) = &on.not_read { p.body.bad { "It could not be read, so nothing is known of its records: " (why) } }
            ul.list {
                @for thing in &on.things {
                    li {
                        span.grow {
                            b { (thing.about) } br;
                            (thing.should.join("; "))
                            @for record in &thing.records { br; (one(record)) }
                        }
                    }
                }
                @for record in &on.others { li { (one(record)) } }
            }
            @if let Some(conclusion) = on.conclusion() { footer { (conclusion) } }
        }
    }
}

fn one(Record { state, what }: &Record) -> Markup {
    let (class, image, said) = match state {
        Is::NotKept => ("muted", "unknown", "not kept by this switch"),
        Is::NotRead => ("warn", "unknown", "could not be read: "),
        Is::InSync => ("ok", "check", "in sync: "),
        Is::Differs => ("bad", "warning", "differs: "),
        Is::Refused => ("bad", "warning", "refused: "),
    };
    html! { small class=(class) { (icon(image)) " " (said) (what) } }
}
