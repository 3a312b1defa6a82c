//! The page Switches: what is known of each connection, and a comparison with the store on demand.

use std::sync::Arc;

use axum::Extension as Given;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use maud::{Markup, html};

use super::frame::{self, Place};
use super::icon::icon;
use super::origin::Origin;
use super::signed::Signed;
use super::{Web, page};
use crate::controller::check;
use crate::controller::desks::Link;
use crate::model::check::Finding;
use crate::model::id::SwitchName;

/// `GET /c/switches`
pub(super) async fn show(
    State(web): State<Arc<Web>>,
    Given(origin): Given<Origin>,
    Given(signed): Given<Signed>,
) -> Response {
    let Some(tenant) = web.tenants.get(&signed.tenant) else { return none(&origin) };
    let desks = tenant.desks.borrow().clone();
    let content = html! {
        div.head { h1 { "Switches" } p { "Hotdesk compares each switch with the store every minute, and repairs and journals what differs." } }
        section.card aria-label="Switches" {
            ul.list { @for (name, link) in &desks.switches { (line(name, link)) } }
        }
    };
    frame::within(&web, &signed, (Place::Switches, "Switches", ""), &content).into_response()
}

fn line(name: &SwitchName, link: &Link) -> Markup {
    let (class, image, said) = match link {
        Link::Unknown => ("muted", "unknown", "not asked yet".to_owned()),
        Link::Up => ("ok", "check", "connected".to_owned()),
        Link::Down(why) => ("bad", "unplugged", why.clone()),
        Link::Held(why) => ("bad", "unplugged", format!("held, nothing is written to it: {why}")),
    };
    html! {
        li {
            span class=(class) { (icon(image)) }
            span.grow { b { (name) } br; small.muted { (said) } }
            a.btn.small href={ "/c/switches/" (name) } { "Compare now" span.sr { " " (name) } }
        }
    }
}

fn none(origin: &Origin) -> Response {
    page::error(origin, StatusCode::NOT_FOUND, "There is no such switch.")
}

/// `GET /c/switches/{switch}`: reads the switch now, and compares it with the store.
pub(super) async fn compare(
    State(web): State<Arc<Web>>,
    Given(origin): Given<Origin>,
    Given(signed): Given<Signed>,
    Path(name): Path<String>,
) -> Response {
    let tenant = web.tenants.get(&signed.tenant);
    let found = tenant.and_then(|tenant| {
        let name = SwitchName::new(&name).ok()?;
        Some((tenant, tenant.switches.get(&name)?, name))
    });
    let Some((tenant, switch, name)) = found else { return none(&origin) };
    let routes = tenant.routes.get(&name).cloned().unwrap_or_default();
    let store = &*web.controller.store;
    let (check, of) = (format!("table of {name}"), &signed.tenant);
    let found = check::table(check, store, of, &name, &routes, switch.as_ref()).await;
    let title = format!("Switch {name}");
    let content = html! {
        div.head { a.crumb href="/c/switches" { (icon("left")) "Switches" } }
        div.head {
            h1 { (title) }
            div.end { a.btn href={ "/c/switches/" (name) } { "Compare again" } }
        }
        section.card aria-label="Comparison" { ul.list { @for finding in &found { (line_of(finding)) } } }
    };
    frame::within(&web, &signed, (Place::Switches, &title, ""), &content).into_response()
}

fn line_of(Finding { check, ok, found, remedy }: &Finding) -> Markup {
    let (class, image) = match ok {
        Some(true) => ("ok", "check"),
        Some(false) => ("bad", "warning"),
        None => ("muted", "unknown"),
    };
    html! {
        li {
            span class=(class) { (icon(image)) }
            span.grow { b { (check) } br; (found) @if let Some(remedy) = remedy { br; small.muted { (remedy) } } }
        }
    }
}
