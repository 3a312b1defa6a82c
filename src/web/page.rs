//! The frame of every page, and the pages that say what went wrong.

use axum::extract::rejection::FormRejection;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse as _, Response};
use maud::{DOCTYPE, Markup, html};
use tracing::warn;

use super::assets::{SCRIPT, STYLE};
use super::origin::Origin;
use super::site::Site;
use crate::store::StoreError;

/// A whole page.
pub(super) fn page(title: &str, body: &Markup) -> Html<String> {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) " · Hotdesk" }
                link rel="icon" href="data:,";
                link rel="stylesheet" href=(STYLE.path);
                script src=(SCRIPT.path) defer {}
            }
            body { (body) }
        }
    };
    Html(page.into_string())
}

/// A page beside which nothing else is: sign-in, an error.
pub(super) fn alone(status: StatusCode, title: &str, content: &Markup) -> Response {
    let body = html! {
        main.alone id="main" {
            div.box {
                span.brand { (mark()) "Hotdesk" }
                (content)
            }
        }
    };
    (status, page(title, &body)).into_response()
}

/// An error, with the request that the log names.
pub(super) fn error(origin: &Origin, status: StatusCode, text: &str) -> Response {
    let title = status.canonical_reason().unwrap_or("Error");
    let content = html! {
        h1 { (title) }
        p { (text) }
        p { a href="/c" { "Go to the console" } }
        p.hint { "Request " code { (origin.request) } ": the log has more." }
    };
    alone(status, title, &content)
}

/// A form that cannot be read.
pub(super) fn unreadable(origin: &Origin, wrong: &FormRejection) -> Response {
    let status = match wrong.status() {
        StatusCode::PAYLOAD_TOO_LARGE => StatusCode::PAYLOAD_TOO_LARGE,
        _ => StatusCode::BAD_REQUEST,
    };
    error(origin, status, "This form cannot be read, so nothing was done. Go back and send it again.")
}

/// The store could not do it.
pub(super) fn store(origin: &Origin, failed: &StoreError) -> Response {
    warn!(event = "web.store_failed", error = %failed, "a page could not be answered");
    error(
        origin,
        StatusCode::SERVICE_UNAVAILABLE,
        "The store cannot be reached. Calls go on; try again in a moment.",
    )
}

pub(super) fn wrong_host(origin: &Origin, site: &Site) -> Response {
    let text = format!(
        "This console is not served under the name in your address bar. Open {}, or have an administrator set [web] url.",
        site.url("/c")
    );
    error(origin, StatusCode::MISDIRECTED_REQUEST, &text)
}

pub(super) fn not_found(origin: &Origin) -> Response {
    error(origin, StatusCode::NOT_FOUND, "There is no such page.")
}

pub(super) fn wrong_method(origin: &Origin) -> Response {
    error(origin, StatusCode::METHOD_NOT_ALLOWED, "This page does not take such a request.")
}

/// The mark of Hotdesk.
pub(super) fn mark() -> Markup {
    html! {
        svg viewBox="0 0 32 32" aria-hidden="true" {
            rect width="32" height="32" rx="9" fill="#0a5d76" {}
            path d="M7 21.5h18M9.5 21.5v4M22.5 21.5v4" stroke="#fff" stroke-width="2.2" stroke-linecap="round" fill="none" {}
            path d="M10 17.5c0-5 12-5 12 0l-3 .6v-2.2c-1.6-.7-4.4-.7-6 0v2.2z" fill="#fff" {}
            circle cx="16" cy="8.6" r="2" fill="#7fe0c0" {}
        }
    }
}
