//! The parts of the page that are replaced by themselves, each under an id.

use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use maud::{Markup, html};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::filter::{Filter, State};
use crate::controller::desks::{Desk, Desks, Link, Occupant};
use crate::model::journal::Event;
use crate::switch::device_state::DeviceState;
use crate::web::icon::icon;

/// What rows depend on besides their desks.
pub(super) struct Viewer<'a> {
    /// Whether the rows have buttons.
    pub(super) operates: bool,
    pub(super) form_token: &'a str,
    pub(super) filter: &'a Filter,
    /// The time zone of this machine.
    pub(super) zone: TimeZone,
    pub(super) now: Timestamp,
}

/// The id of a row.
pub(super) fn id(desk: &str) -> String {
    format!("desk-{desk}")
}

/// One desk.
pub(super) fn row(desk: &Desk, viewer: &Viewer<'_>) -> Markup {
    let name = desk.device.name.as_str();
    html! {
        tr id=(id(name)) data-key=(name) {
            th scope="row" {
                span.two-lines {
                    b { (name) }
                    @if let Some(location) = &desk.device.location { br; small.muted { (location) } }
                }
            }
            td.c1 { (occupant(desk.occupant.as_ref())) }
            td.c2 { (state(desk)) }
            td.num.hide {
                @if let Some((since, _)) = desk.occupant.as_ref().and_then(|it| it.session) { (clock(since, desk, viewer)) }
            }
            td.num.hide {
                @if let Some(due) = desk.occupant.as_ref().and_then(|it| it.due) {
                    div.two-lines { (clock(due.at, desk, viewer)) br; small.muted { (due.why) } }
                }
            }
            @if viewer.operates { td.act { (acts(desk, viewer)) } }
        }
    }
}

fn occupant(occupant: Option<&Occupant>) -> Markup {
    let Some(Occupant { user, name, .. }) = occupant else { return html! { span.muted { "free" } } };
    html! {
        span.who {
            span.avatar aria-hidden="true" { (initials(name.as_ref().map_or(user.as_str(), |name| name.as_str()))) }
            span {
                b { @if let Some(name) = name { (name) } @else { (user) } }
                small { (user) }
            }
        }
    }
}

fn initials(name: &str) -> String {
    let letters = name.split_whitespace().filter_map(|word| word.chars().next());
    let all: Vec<char> = letters.collect();
    let ends = [all.first(), all.last().filter(|_| all.len() > 1)];
    ends.into_iter().flatten().flat_map(|letter| letter.to_uppercase()).collect()
}

/// What is the case at a desk: first what keeps it from being used.
fn state(desk: &Desk) -> Markup {
    let (class, image, text) = match (desk.state, &desk.occupant) {
        (DeviceState::Gone, _) => ("bad", "unplugged", "Not registered"),
        (DeviceState::Busy, _) => ("warn", "call", "In a call"),
        (DeviceState::Unknown, None) => ("", "unknown", "Unknown"),
        (DeviceState::Free, None) if desk.device.hotdesk => ("", "free", "Free"),
        (DeviceState::Free, None) => ("", "free", "Not for hotdesking"),
        (_, Some(Occupant { do_not_disturb: true, .. })) => ("info", "bell-off", "Do not disturb"),
        (_, Some(Occupant { session: None, .. })) => ("own", "home", "Own desk"),
        (_, Some(_)) => ("info", "taken", "Logged in"),
    };
    html! { span class={ "pill " (class) } { (icon(image)) (text) } }
}

/// A time at the desk: with its date if it is not today, and its zone if that is another one than here.
fn clock(at: Timestamp, desk: &Desk, viewer: &Viewer<'_>) -> Markup {
    let there = at.to_zoned(desk.zone.clone());
    let today = viewer.now.to_zoned(desk.zone.clone()).date() == there.date();
    let here = there.offset() == at.to_zoned(viewer.zone.clone()).offset();
    let format = match (today, here) {
        (true, true) => "%H:%M",
        (true, false) => "%H:%M %Z",
        (false, true) => "%-d %b %H:%M",
        (false, false) => "%-d %b %H:%M %Z",
    };
    html! { time datetime=(at) { (there.strftime(format)) } }
}

fn acts(desk: &Desk, viewer: &Viewer<'_>) -> Markup {
    let name = desk.device.name.as_str();
    let back = viewer.filter.address("/c");
    match &desk.occupant {
        Some(Occupant { user, name: shown, session: Some((_, revision)), due, .. }) => {
            let shown = shown.as_ref().map_or(user.as_str(), |name| name.as_str());
            let revision = revision.0.to_string();
            let named = [("device", name), ("user", user.as_str()), ("session", &revision), ("back", &back)];
            let hidden = html! {
                input type="hidden" name="form" value=(viewer.form_token);
                @for (name, value) in named { input type="hidden" name=(name) value=(value); }
            };
            let query =
                named.map(|(name, value)| format!("{name}={}", utf8_percent_encode(value, NON_ALPHANUMERIC)));
            let of = html! { span.sr { " " (shown) " at " (name) } };
            let more = format!("more-{name}");
            html! {
                form method="post" action="/c/log-out" { (hidden) button.btn.small { "Log out" (of) } }
                button.btn.small.quiet.icon type="button" popovertarget=(more) aria-label={ "More about " (shown) " at " (name) } { (icon("dots")) }
                div.menu id=(more) popover {
                    a.btn.quiet href={ "/c/move?" (query.join("&")) } { "Move…" (of) }
                    @if due.is_some() {
                        form method="post" action="/c/extend" { (hidden) button.btn.quiet { "Extend" (of) } }
                    }
                }
            }
        }
        _ if desk.device.hotdesk => html! {
            a.btn.small.quiet href={ "/c/log-in?device=" (name) } { "Log in…" span.sr { " at " (name) } }
        },
        _ => html! {},
    }
}

/// How many desks there are and are taken.
pub(super) fn summary(desks: &Desks) -> Markup {
    let (all, taken) = (desks.iter().count(), desks.iter().filter(|desk| desk.occupant.is_some()).count());
    html! { p id="summary" { b.num { (taken) } " of " b.num { (all) } " desks taken" } }
}

/// The filters by state, each with how many desks it shows.
pub(super) fn chips(desks: &Desks, filter: &Filter) -> Markup {
    let named: Vec<&Arc<Desk>> = desks.iter().filter(|desk| filter.names(desk)).collect();
    let chip = |state: Option<State>, title: &str| {
        let count = named.iter().filter(|desk| state.is_none_or(|state| state.is_of(desk))).count();
        let current = (filter.state() == state).then_some("true");
        html! { a.chip href=(filter.with_state(state).address("/c")) aria-current=[current] { (title) " " b { (count) } } }
    };
    html! {
        nav.chips id="chips" aria-label="Filter by state" {
            (chip(None, "All"))
            @for state in State::ALL { (chip(Some(state), state.title())) }
        }
    }
}

/// The switches and the store.
pub(super) fn switches(desks: &Desks) -> Markup {
    let line = |name: &str, class: &str, image: &str, text: &str| {
        html! { li { span class=(class) { (icon(image)) } span.grow { b { (name) } br; small.muted { (text) } } } }
    };
    html! {
        ul.list id="switches" {
            @for (name, link) in &desks.switches {
                @match link {
                    Link::Unknown => (line(name.as_str(), "muted", "unknown", "not asked yet")),
                    Link::Up => (line(name.as_str(), "ok", "check", "connected")),
                    Link::Down(why) => (line(name.as_str(), "bad", "unplugged", why)),
                    Link::Held(why) => (line(name.as_str(), "bad", "unplugged", &format!("held: {why}"))),
                }
            }
            @match desks.store {
                true => (line("Store", "ok", "database", &format!("revision {}", desks.at.revision.0))),
                false => (line("Store", "bad", "database", "cannot be read: these rows may be old")),
            }
        }
    }
}

/// What happened last.
pub(super) fn recent(desks: &Desks, viewer: &Viewer<'_>) -> Markup {
    let shown = desks.recent.iter().filter(|entry| !matches!(entry.event, Event::Repaired { .. }));
    let today = viewer.now.to_zoned(viewer.zone.clone()).date();
    html! {
        ol.feed id="recent" {
            @for entry in shown {
                @let at = entry.at.to_zoned(viewer.zone.clone());
                li {
                    time datetime=(entry.at) { (at.strftime(if at.date() == today { "%H:%M" } else { "%-d %b" })) }
                    span.muted { (icon("history")) }
                    span { (entry.line(|at| at.to_zoned(viewer.zone.clone()).strftime("%H:%M").to_string())) }
                }
            }
        }
    }
}
