//! PINs: they are set and made here, and read nowhere.

use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde::Serialize;
use utoipa::ToSchema;

use super::context::Context;
use super::json::Json;
use super::problem::{Kind, Problem};
use super::sent::Object;
use super::settings::user;
use crate::controller::commands::now;
use crate::controller::new_pin::{self, NotSet};
use crate::model::directory::form::Fields;
use crate::model::login::pin::Pin;

/// A PIN that a user is to have, or that was made.
#[derive(Serialize, ToSchema)]
#[schema(as = Pin)]
pub(super) struct PinForm {
    /// 4 to 10 digits that are hard to guess.
    #[schema(pattern = "^[0-9]{4,10}$")]
    pin: String,
}

/// Sets the PIN of a user.
#[utoipa::path(put, path = "/api/v1/tenants/{tenant}/users/{user}/pin", tag = "users", request_body = PinForm,
    responses((status = 204, description = "The user has this PIN.")))]
pub(in crate::web) async fn put(
    context: Context,
    Path((_, of)): Path<(String, String)>,
    Object(object): Object,
) -> Result<Response, Problem> {
    let (user, _) = user(&context, &of).await?;
    let mut fields = Fields::of(object);
    let pin = fields.needed::<String>("pin").and_then(|text| {
        // The error never has the text.
        Pin::new(&text).map_err(|wrong| fields.refuse("pin", wrong)).ok()
    });
    let flaws = fields.end();
    match pin.filter(|_| flaws.is_empty()) {
        None => Err(Problem::invalid(flaws)),
        Some(pin) => {
            set(&context, &user.extension, pin).await?;
            Ok(StatusCode::NO_CONTENT.into_response())
        }
    }
}

/// Makes a new PIN for a user. The answer has it once; nothing shows it again.
#[utoipa::path(post, path = "/api/v1/tenants/{tenant}/users/{user}/pin", tag = "users",
    responses((status = 200, description = "The new PIN.", body = PinForm)))]
pub(in crate::web) async fn post(
    context: Context,
    Path((_, of)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let (user, _) = user(&context, &of).await?;
    let pin = new_pin::made(&user.extension).map_err(not_set)?;
    set(&context, &user.extension, pin.clone()).await?;
    Ok(Json(PinForm { pin: pin.reveal().to_owned() }).into_response())
}

async fn set(context: &Context, user: &crate::model::id::Extension, pin: Pin) -> Result<(), Problem> {
    let (store, pins) = (context.store(), &context.web.controller.pins);
    new_pin::set(store, pins, context.id(), (context.actor(), now()), (user, pin)).await.map_err(not_set)
}

fn not_set(why: NotSet) -> Problem {
    match why {
        NotSet::Busy(_) => Problem::too_many("PINs are compared just now", 5),
        NotSet::Store(error) => error.into(),
        NotSet::Weak(_) => Problem::field("/pin", why),
        NotSet::Random(_) => Problem::new(Kind::Late, format!("{why}. Try again in a moment.")),
    }
}
