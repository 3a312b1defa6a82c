//! What is around each page of the console: where one can go, and who is signed in.

use axum::response::Html;
use maud::{Markup, html};

use super::Web;
use super::icon::icon;
use super::page::{self, mark};
use super::signed::Signed;
use crate::model::access::Role;

/// A part of the console that the navigation leads to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Place {
    Now,
    People,
    Devices,
    Locations,
    Journal,
    Lockouts,
    Switches,
}

impl Place {
    const ALL: [Self; 7] = [
        Self::Now,
        Self::People,
        Self::Devices,
        Self::Locations,
        Self::Journal,
        Self::Lockouts,
        Self::Switches,
    ];
    /// How many of them a telephone shows beside each other.
    const FIRST: usize = 4;

    pub(super) const fn path(self) -> &'static str {
        match self {
            Self::Now => "/c",
            Self::People => "/c/people",
            Self::Devices => "/c/devices",
            Self::Locations => "/c/locations",
            Self::Journal => "/c/journal",
            Self::Lockouts => "/c/lockouts",
            Self::Switches => "/c/switches",
        }
    }

    pub(super) const fn title(self) -> &'static str {
        match self {
            Self::Now => "Now",
            Self::People => "People",
            Self::Devices => "Devices",
            Self::Locations => "Locations",
            Self::Journal => "Journal",
            Self::Lockouts => "Lockouts",
            Self::Switches => "Switches",
        }
    }

    const fn image(self) -> &'static str {
        match self {
            Self::Now => "taken",
            Self::People => "people",
            Self::Devices => "phone",
            Self::Locations => "place",
            Self::Journal => "history",
            Self::Lockouts => "lock",
            Self::Switches => "switch",
        }
    }

    const fn least(self) -> Role {
        match self {
            Self::Now => Role::Viewer,
            _ => Role::Operator,
        }
    }

    /// What the search field of its pages searches: where the form goes, and what it says.
    const fn search(self) -> (&'static str, &'static str) {
        match self {
            Self::People => ("/c/people", "Search people"),
            Self::Devices => ("/c/devices", "Search devices"),
            Self::Locations => ("/c/locations", "Search locations"),
            Self::Now | Self::Journal | Self::Lockouts | Self::Switches => ("/c", "Search desks and users"),
        }
    }
}

/// The page Now, or one that belongs to it. `sought` is what is in the search field.
pub(super) fn page(web: &Web, signed: &Signed, title: &str, sought: &str, content: &Markup) -> Html<String> {
    within(web, signed, (Place::Now, title, sought), content)
}

/// A page of a part of the console.
pub(super) fn within(
    web: &Web,
    signed: &Signed,
    (place, title, sought): (Place, &str, &str),
    content: &Markup,
) -> Html<String> {
    let several = web.tenants.len() > 1;
    let (search, says) = place.search();
    let places: Vec<Place> = Place::ALL.into_iter().filter(|place| signed.role >= place.least()).collect();
    let link = |to: Place| {
        let here = if to.title() == title { "page" } else { "true" };
        let current = (to == place).then_some(here);
        html! { a href=(to.path()) aria-current=[current] { (icon(to.image())) (to.title()) } }
    };
    let (first, more) = places.split_at(Place::FIRST.min(places.len()));
    let body = html! {
        a.skip href="#main" { "Skip to content" }
        div.app {
            div.side {
                nav.nav aria-label="Console" {
                    a.brand href="/c" { (mark()) "Hotdesk" }
                    ul { @for to in first { li { (link(*to)) } } }
                    @if !more.is_empty() {
                        h2 { "History and setup" }
                        ul { @for to in more { li { (link(*to)) } } }
                    }
                }
                footer {
                    @if several { (signed.tenant) br; }
                    "Hotdesk " (env!("CARGO_PKG_VERSION"))
                }
            }
            header.top {
                search.find {
                    form method="get" action=(search) role="search" {
                        (icon("search"))
                        input type="search" name="q" value=(sought) aria-label=(says) placeholder=(says) aria-keyshortcuts="/" maxlength="80";
                    }
                }
                div.end {
                    @if place == Place::Now { span.live id="live" role="status" { "Not live" } }
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
        @if places.len() > 1 {
            nav.tabbar aria-label="Console, short" {
                @for to in first { (link(*to)) }
                @if !more.is_empty() {
                    details {
                        summary { (icon("more")) "More" }
                        div.menu { @for to in more { (link(*to)) } }
                    }
                }
            }
        }
    };
    page::page(title, &body)
}
