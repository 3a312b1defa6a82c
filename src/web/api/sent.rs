//! What a request sends: its query and its body.

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Query, Request};
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::problem::{Kind, Problem};

/// The query of a request.
pub(in crate::web) struct Asked<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Asked<T> {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Response> {
        match Query::from_request_parts(parts, state).await {
            Ok(Query(asked)) => Ok(Self(asked)),
            Err(wrong) => Err(Problem::new(Kind::Invalid, wrong.body_text()).into_response()),
        }
    }
}

/// A body that is a JSON object.
pub(in crate::web) struct Object(pub(super) Map<String, Value>);

impl<S: Send + Sync> FromRequest<S> for Object {
    type Rejection = Response;

    async fn from_request(request: Request, state: &S) -> Result<Self, Response> {
        if !is_json(request.headers()) {
            let detail = "The body is not said to be JSON: send Content-Type: application/json, or application/merge-patch+json.";
            return Err(Problem::new(Kind::MediaType, detail).into_response());
        }
        let bytes = Bytes::from_request(request, state).await.map_err(|wrong| match wrong.status() {
            StatusCode::PAYLOAD_TOO_LARGE => {
                Problem::new(Kind::TooLarge, "The body has more than 64 KiB.").into_response()
            }
            _ => Problem::new(Kind::Unreadable, "The body ended too early.").into_response(),
        })?;
        match serde_json::from_slice(&bytes) {
            Ok(object) => Ok(Self(object)),
            // The position only: the text may hold a PIN.
            Err(wrong) => {
                let detail =
                    format!("The body is no JSON object: line {}, column {}.", wrong.line(), wrong.column());
                Err(Problem::new(Kind::Unreadable, detail).into_response())
            }
        }
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    ["application/json", "application/merge-patch+json"].iter().any(|json| kind.eq_ignore_ascii_case(json))
}
