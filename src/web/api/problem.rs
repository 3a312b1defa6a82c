//! What went wrong, as `application/problem+json` (RFC 9457).

use axum::body::Body;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use tracing::warn;
use utoipa::ToSchema;

use super::root::ROOT;
use crate::model::directory::form::Flaw;
use crate::model::login::refusal::{Refusal, Subject};
use crate::store::StoreError;
use crate::web::site::Site;

/// Why a request was not carried out. It is an answer without its body: [`finish`] knows the request that it names.
#[derive(Clone, Debug)]
pub(in crate::web) struct Problem {
    kind: Kind,
    detail: String,
    reason: Option<&'static str>,
    flaws: Vec<Flaw>,
    retry_after: Option<u64>,
    challenge: Option<&'static str>,
}

/// The kinds of problems: each is a type of its own, whose name never changes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::web) enum Kind {
    Contended,
    Forbidden,
    ForeignOrigin,
    InUse,
    Invalid,
    Late,
    MediaType,
    Method,
    Missing,
    PreconditionRequired,
    Refused,
    SignedOut,
    Stale,
    StoreAway,
    TooLarge,
    TooMany,
    Unreadable,
    WrongHost,
}

impl Kind {
    const fn slug(self) -> &'static str {
        match self {
            Self::Contended => "contended",
            Self::Forbidden => "forbidden",
            Self::ForeignOrigin => "foreign-origin",
            Self::InUse => "in-use",
            Self::Invalid => "invalid",
            Self::Late => "late",
            Self::MediaType => "media-type",
            Self::Method => "method",
            Self::Missing => "missing",
            Self::PreconditionRequired => "precondition-required",
            Self::Refused => "refused",
            Self::SignedOut => "signed-out",
            Self::Stale => "stale",
            Self::StoreAway => "store-away",
            Self::TooLarge => "too-large",
            Self::TooMany => "too-many",
            Self::Unreadable => "unreadable",
            Self::WrongHost => "wrong-host",
        }
    }

    const fn status(self) -> StatusCode {
        match self {
            Self::Contended | Self::InUse | Self::Refused => StatusCode::CONFLICT,
            Self::Forbidden | Self::ForeignOrigin => StatusCode::FORBIDDEN,
            Self::Invalid => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Late | Self::StoreAway => StatusCode::SERVICE_UNAVAILABLE,
            Self::MediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Method => StatusCode::METHOD_NOT_ALLOWED,
            Self::Missing => StatusCode::NOT_FOUND,
            Self::PreconditionRequired => StatusCode::PRECONDITION_REQUIRED,
            Self::SignedOut => StatusCode::UNAUTHORIZED,
            Self::Stale => StatusCode::PRECONDITION_FAILED,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooMany => StatusCode::TOO_MANY_REQUESTS,
            Self::Unreadable => StatusCode::BAD_REQUEST,
            Self::WrongHost => StatusCode::MISDIRECTED_REQUEST,
        }
    }
}

/// The body of an answer that says what went wrong.
#[derive(Serialize, ToSchema)]
#[schema(as = Problem)]
pub(super) struct Written<'a> {
    /// Which kind of problem: `urn:hotdesk:problem:` and a name that never changes.
    #[serde(rename = "type")]
    kind: String,
    /// The name of the status.
    title: &'a str,
    /// The status of the answer.
    status: u16,
    /// What is wrong, and what to do.
    detail: &'a str,
    /// The request, as the log names it and as `X-Request-Id` has it.
    instance: &'a str,
    /// Why a change was refused: a name that never changes.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    /// Each field that is wrong.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    #[schema(value_type = Option<Vec<Flaw>>)]
    errors: &'a [Flaw],
}

impl Problem {
    pub(in crate::web) fn new(kind: Kind, detail: impl Into<String>) -> Self {
        let detail = detail.into();
        Self { kind, detail, reason: None, flaws: vec![], retry_after: None, challenge: None }
    }

    /// There is no such thing, or it is of another tenant.
    pub(super) fn missing(what: impl std::fmt::Display) -> Self {
        Self::new(Kind::Missing, format!("There is no {what}."))
    }

    /// The path is of no resource.
    pub(in crate::web) fn no_resource() -> Self {
        Self::missing("such resource: /api/v1/openapi.json has all")
    }

    /// The resource does not take the method.
    pub(in crate::web) fn wrong_method() -> Self {
        Self::new(Kind::Method, "This resource does not take this method; Allow has those that it takes.")
    }

    /// No account and no key; `wrong`: a key that is not good.
    pub(super) fn signed_out(wrong: bool) -> Self {
        let (challenge, detail) = match wrong {
            true => (
                "Bearer realm=\"hotdesk\", error=\"invalid_token\"",
                "This key is unknown, was removed or has ended. An administrator adds one: hotdesk web key add NAME --role ROLE",
            ),
            false => (
                "Bearer realm=\"hotdesk\"",
                "Send a key: Authorization: Bearer hd_… . An administrator adds one: hotdesk web key add NAME --role ROLE",
            ),
        };
        Self { challenge: Some(challenge), ..Self::new(Kind::SignedOut, detail) }
    }

    /// Too many requests of a kind: how many seconds to wait.
    pub(super) fn too_many(what: &str, seconds: u64) -> Self {
        let detail = format!("Too many {what}. Try again in {seconds} s.");
        Self { retry_after: Some(seconds), ..Self::new(Kind::TooMany, detail) }
    }

    /// These fields are wrong.
    pub(super) fn invalid(flaws: Vec<Flaw>) -> Self {
        let detail = "Nothing was changed: correct what `errors` names.";
        Self { flaws, ..Self::new(Kind::Invalid, detail) }
    }

    /// One field is wrong.
    pub(super) fn field(pointer: &str, detail: impl std::fmt::Display) -> Self {
        Self::invalid(vec![Flaw { pointer: pointer.to_owned(), detail: detail.to_string() }])
    }

    /// The request has a host that is not one of the console.
    pub(in crate::web) fn wrong_host(site: &Site) -> Self {
        let detail = format!(
            "Hotdesk is not served under this name. Use {}, or have an administrator set [web] url.",
            site.url(ROOT)
        );
        Self::new(Kind::WrongHost, detail)
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let kind = match &refusal {
            Refusal::ChangedMeanwhile(_) => Kind::Stale,
            Refusal::LocationInUse(..) => Kind::InUse,
            Refusal::Missing(_) => Kind::Missing,
            _ => Kind::Refused,
        };
        let detail = match &refusal {
            Refusal::UserForbidden => "The user may not hotdesk. An administrator can allow it.".into(),
            Refusal::DeviceForbidden => {
                "The device is not for hotdesking. An administrator can allow it.".into()
            }
            Refusal::DeviceOccupied => {
                "Another user is logged in at the device. Log that user out first.".into()
            }
            Refusal::UserElsewhere => {
                "The user is logged in at another device. Log the user out there first.".into()
            }
            other => format!("{other}."),
        };
        Self { reason: Some(refusal.code()), ..Self::new(kind, detail) }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Refused(refusal) => refusal.into(),
            StoreError::Contended(_) => {
                Self::new(Kind::Contended, "Others change the same records. Try again in a moment.")
            }
            StoreError::Away(..) | StoreError::Broken(..) | StoreError::Lost(..) => {
                warn!(event = "web.store_failed", %error, "a request could not be answered");
                let detail = "The store cannot be reached. Calls go on; try again in a moment.";
                Self { retry_after: Some(5), ..Self::new(Kind::StoreAway, detail) }
            }
        }
    }
}

/// A record that the body of a request names is not there: where the body names it.
pub(super) fn named_in(error: StoreError, pointer: impl Fn(&Subject) -> Option<&'static str>) -> Problem {
    if let StoreError::Refused(refusal @ Refusal::Missing(subject)) = &error
        && let Some(pointer) = pointer(subject)
    {
        return Problem::field(pointer, refusal);
    }
    error.into()
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.kind.status().into_response();
        let headers = response.headers_mut();
        if let Some(seconds) = self.retry_after {
            headers.insert(RETRY_AFTER, seconds.into());
        }
        if let Some(challenge) = self.challenge {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
        }
        response.extensions_mut().insert(self);
        response
    }
}

/// Writes the body of an answer that is a [`Problem`], with the name of its request.
pub(in crate::web) fn finish(response: &mut Response, request: &str) {
    let Some(problem) = response.extensions_mut().remove::<Problem>() else { return };
    let status = problem.kind.status();
    let written = Written {
        kind: format!("urn:hotdesk:problem:{}", problem.kind.slug()),
        title: status.canonical_reason().unwrap_or_default(),
        status: status.as_u16(),
        detail: &problem.detail,
        instance: request,
        reason: problem.reason,
        errors: &problem.flaws,
    };
    let body = serde_json::to_vec(&written).unwrap_or_default();
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    response.headers_mut().insert(CONTENT_LENGTH, body.len().into());
    *response.body_mut() = Body::from(body);
}
