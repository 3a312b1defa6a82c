//! What is around each page of the console: where one can go, and who is signed in.

use axum::response::Html;
use maud::{Markup, html};

use super::Web;
use super::icon::icon;
use super::page::{self, mark};
use super::signed::Signed;

/// A page of the console. `sought` is what is in the search field.
pub(super) fn page(web: &Web, signed: &Signed, title: &str, sought: &str, content: &Markup) -> Html<String> {
    let several = web.tenants.len() > 1;
    let body = html! {
        a.skip href="#main" { "Skip to content" }
        div.app {
            div.side {
                nav.nav aria-label="Console" {
                    a.brand href="/c" { (mark()) "Hotdesk" }
                    ul { li { a href="/c" aria-current=[(title == "Now").then_some("page")] { (icon("taken")) "Now" } } }
                }
                footer {
                    @if several { (signed.tenant) br; }
                    "Hotdesk " (env!("CARGO_PKG_VERSION"))
                }
            }
            header.top {
                search.find {
                    form method="get" action="/c" role="search" {
                        (icon("search"))
                        input type="search" name="q" value=(sought) aria-label="Search desks and users" placeholder="Search desks and users" aria-keyshortcuts="/" maxlength="80";
                    }
                }
                div.end {
                    span.live id="live" role="status" { "Not live" }
                    button.btn.quiet.icon.only-wide type="button" data-theme-toggle aria-label="Light or dark" { (icon("moon")) }
                    span.only-wide { b { (signed.account) } " " small.muted { (signed.role) } }
                    form method="post" action="/sign-out" {
                        input type="hidden" name="form" value=(signed.form_token);
                        button.btn.small { "Sign out" }
                    }
                }
            }
            main.main id="main" tabindex="-1" { (content) }
        }
    };
    page::page(title, &body)
}
