//! The PIN of a person: set or made, and shown once in the answer of a form, which no browser keeps.

use std::sync::Arc;

use axum::Extension as Given;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use jiff::tz::TimeZone;
use maud::{Markup, html};
use serde::Deserialize;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::address;
use super::show::missing;
use crate::controller::commands::now;
use crate::controller::new_pin::{self, NotSet};
use crate::model::directory::User;
use crate::model::id::Extension;
use crate::model::login::pin::{Pin, PinRecord};
use crate::store::StoreError;
use crate::web::frame::Place;
use crate::web::icon::icon;
use crate::web::origin::Origin;
use crate::web::signed::{Sent, Signed};
use crate::web::{Web, frame, page};

/// A PIN from a form; wiped when dropped. An empty one asks for one to be made.
#[derive(Deserialize, Zeroize, ZeroizeOnDrop)]
pub(in crate::web) struct Chosen {
    #[serde(default)]
    pin: String,
}

/// The part of a person's page about the PIN and the lockout.
pub(super) fn card(signed: &Signed, user: &Extension, record: Option<&PinRecord>, at: &[String]) -> Markup {
    let state = match record.map(PinRecord::set) {
        None => "No PIN is set: this person cannot log in by phone.".to_owned(),
        Some(None) => "A PIN is set.".to_owned(),
        Some(Some(set)) => {
            format!("A PIN was set on {}.", set.to_zoned(TimeZone::system()).strftime("%-d %B %Y, %H:%M"))
        }
    };
    let to = format!("{}/pin", address::<User>(user.as_str()));
    html! {
        section.card id="pin" aria-labelledby="pin-title" {
            header { h2 id="pin-title" { "PIN" } }
            div.body.stack {
                p { (state) @if !at.is_empty() { " Logged in at " (at.join(", ")) "." } }
                @if signed.administers() {
                    form.join method="post" action=(to) {
                        input type="hidden" name="form" value=(signed.form_token);
                        label for="new-pin" { "New PIN" }
                        input.masked type="text" id="new-pin" name="pin" inputmode="numeric" autocomplete="off" minlength="4" maxlength="10" required aria-describedby="new-pin-hint";
                        button.btn { "Set" }
                    }
                    p.hint id="new-pin-hint" { "4 to 10 digits that are hard to guess. A PIN cannot be read later: only a hash of it is kept." }
                    form method="post" action=(to) {
                        input type="hidden" name="form" value=(signed.form_token);
                        button.btn { "Generate a PIN, and show it once" }
                    }
                }
                form method="post" action="/c/lockouts" {
                    input type="hidden" name="form" value=(signed.form_token);
                    input type="hidden" name="user" value=(user);
                    input type="hidden" name="back" value=(address::<User>(user.as_str()));
                    button.btn { "Clear a lockout" span.sr { " of this person" } }
                    " " span.hint { "after too many wrong PINs" }
                }
            }
        }
    }
}

/// `POST /c/people/{extension}/pin`
pub(in crate::web) async fn set_pin(
    State(web): State<Arc<Web>>,
    Given(origin): Given<Origin>,
    Given(signed): Given<Signed>,
    Path(name): Path<String>,
    Sent(chosen): Sent<Chosen>,
) -> Response {
    let Ok(user) = Extension::new(&name) else { return missing::<User>(&origin) };
    let is_made = chosen.pin.is_empty();
    let pin = if is_made {
        new_pin::made(&user)
    } else {
        match Pin::new(&chosen.pin) {
            Ok(pin) => Ok(pin),
            Err(wrong) => return done(&web, &signed, &user, Err(&wrong.to_string())),
        }
    };
    let set = async |pin: Pin| {
        let (controller, by) = (&web.controller, (signed.actor(), now()));
        new_pin::set(&*controller.store, &controller.pins, &signed.tenant, by, (&user, pin.clone())).await?;
        Ok(pin)
    };
    let set = match pin {
        Ok(pin) => set(pin).await,
        Err(error) => Err(error),
    };
    match set {
        Ok(pin) => {
            let shown = is_made.then(|| Zeroizing::new(pin.reveal().to_owned()));
            done(&web, &signed, &user, Ok(shown.as_ref().map(|pin| pin.as_str())))
        }
        Err(NotSet::Store(StoreError::Refused(_))) => missing::<User>(&origin),
        Err(NotSet::Store(error)) => page::store(&origin, &error),
        Err(error @ (NotSet::Busy(_) | NotSet::Random(_))) => {
            page::error(&origin, StatusCode::SERVICE_UNAVAILABLE, &format!("Not set: {error}."))
        }
        Err(error @ NotSet::Weak(_)) => done(&web, &signed, &user, Err(&error.to_string())),
    }
}

/// What became of it. A PIN that was made is shown here, and nowhere else.
fn done(web: &Web, signed: &Signed, user: &Extension, result: Result<Option<&str>, &str>) -> Response {
    let back = address::<User>(user.as_str());
    let (status, title) = match result {
        Ok(_) => (StatusCode::OK, "The PIN is set"),
        Err(_) => (StatusCode::UNPROCESSABLE_ENTITY, "The PIN is not set"),
    };
    let content = html! {
        div.head { a.crumb href=(back) { (icon("left")) "Person " (user) } }
        div.head { h1 { (title) } }
        section.card.narrow aria-label=(title) {
            div.body.stack {
                @match result {
                    Ok(Some(pin)) => {
                        p { "The new PIN of " b { (user) } " is:" }
                        p.big.mono id="made-pin" { (pin) }
                        p.banner.warn { (icon("warning")) "Write it down now: it is shown once, and kept only as a hash." }
                    }
                    Ok(None) => p role="status" { "Person " (user) " has a new PIN." },
                    Err(why) => p.banner.bad role="alert" { (why) ". Choose another one, or have one generated." },
                }
                a.btn.primary href=(back) { "Back to person " (user) }
            }
        }
    };
    (status, frame::within(web, signed, (Place::People, title, ""), &content)).into_response()
}
