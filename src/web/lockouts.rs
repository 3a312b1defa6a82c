//! The page Lockouts: who is locked out after too many wrong PINs, and how to end it.

use std::sync::Arc;

use axum::Extension as Given;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use jiff::tz::TimeZone;
use maud::{Markup, html};
use serde::Deserialize;

use super::back::own;
use super::frame::{self, Place};
use super::origin::Origin;
use super::signed::{Sent, Signed};
use super::{Web, page};
use crate::controller::commands::{self, now};
use crate::controller::lockouts::{self, Locked};
use crate::model::command::Change;
use crate::model::id::{DeviceName, Extension};
use crate::model::login::lockout::Unlock;

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Said {
    said: String,
}

/// `GET /c/lockouts`
pub(super) async fn show(
    State(web): State<Arc<Web>>,
    Given(origin): Given<Origin>,
    Given(signed): Given<Signed>,
    Query(said): Query<Said>,
) -> Response {
    let (store, tenant, now) = (&*web.controller.store, &signed.tenant, now());
    let alias = |user: &Extension| web.controller.pins.alias(tenant, user);
    let locked = async {
        let counted = lockouts::counted(store, tenant, now).await?;
        lockouts::named(store, tenant, (counted, now), alias).await
    };
    match locked.await {
        Ok(locked) => {
            let content = content(&signed, &locked, &said);
            frame::within(&web, &signed, (Place::Lockouts, "Lockouts", ""), &content).into_response()
        }
        Err(error) => page::store(&origin, &error),
    }
}

fn content(signed: &Signed, locked: &[Locked], said: &Said) -> Markup {
    html! {
        div.head {
            h1 { "Lockouts" }
            @if locked.len() > 1 { div.end { (button(signed, "all", "yes", "Clear all")) } }
            p { "After too many wrong PINs in a row, a user or a device is refused for a while." }
        }
        @if said.said == "unlocked" { p.banner.ok.mb role="status" { "The lockout is cleared." } }
        section.card aria-label="Lockouts" {
            @if locked.is_empty() { p.body.muted { "There is no lockout." } }
            @else {
                table.table.records {
                    caption.sr { "Users and devices that are locked out" }
                    thead { tr { th scope="col" { "Locked out" } th scope="col" { "Wrong PINs" } th scope="col" { "Until" } th scope="col" { span.sr { "Actions" } } } }
                    tbody { @for one in locked { (row(signed, one)) } }
                }
            }
        }
    }
}

fn row(signed: &Signed, Locked { user, device, failures, until }: &Locked) -> Markup {
    let until = until.map(|until| until.to_zoned(TimeZone::system()).strftime("%-d %b %H:%M:%S").to_string());
    html! {
        tr {
            th scope="row" {
                @match (user, device) {
                    (Some(user), _) => b { "Person " (user) },
                    (None, Some(device)) => b { "Device " (device) },
                    (None, None) => "An extension that no user has",
                }
            }
            td.num data-l="Wrong PINs" { (failures) }
            td.num data-l="Until" { @match until { Some(until) => (until), None => "an administrator clears it" } }
            td.act {
                @if let Some(user) = user { (button(signed, "user", user.as_str(), "Clear")) }
                @else if let Some(device) = device { (button(signed, "device", device, "Clear")) }
            }
        }
    }
}

fn button(signed: &Signed, name: &str, value: &str, text: &str) -> Markup {
    html! {
        form method="post" action="/c/lockouts" {
            input type="hidden" name="form" value=(signed.form_token);
            input type="hidden" name="back" value="/c/lockouts";
            input type="hidden" name=(name) value=(value);
            button.btn.small { (text) @if name != "all" { span.sr { " the lockout of " (value) } } }
        }
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Clear {
    user: String,
    device: String,
    all: String,
    back: String,
}

/// `POST /c/lockouts`
pub(super) async fn clear(
    State(web): State<Arc<Web>>,
    Given(origin): Given<Origin>,
    Given(signed): Given<Signed>,
    Sent(sent): Sent<Clear>,
) -> Response {
    let unlock = match (Extension::new(&sent.user), DeviceName::new(&sent.device)) {
        (Ok(user), _) => {
            let alias = web.controller.pins.alias(&signed.tenant, &user);
            Unlock::User(user, alias)
        }
        (_, Ok(device)) => Unlock::Device(device),
        _ if sent.all == "yes" => Unlock::All,
        _ => {
            let text = "This form names no user and no device, so nothing was done.";
            return page::error(&origin, StatusCode::BAD_REQUEST, text);
        }
    };
    let by = (signed.actor(), now());
    match commands::change(&*web.controller.store, &signed.tenant, by, Change::Unlock(unlock)).await {
        Ok(_) => {
            let back = own(&sent.back);
            let sign = if back.contains('?') { '&' } else { '?' };
            Redirect::to(&format!("{back}{sign}said=unlocked")).into_response()
        }
        Err(error) => page::store(&origin, &error),
    }
}
