//! `GET /live`: what changes on the page Now, as server-sent events. Each batch ends with where the reader is, so that it goes on
//! from there after a pause.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse as _, Response};
use futures_util::stream;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use maud::{Markup, html};
use serde::Deserialize;
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio::time::{Interval, interval, sleep};

use super::filter::Filter;
use super::parts::{self, Viewer};
use crate::controller::accounts;
use crate::controller::desks::{Desks, Position};
use crate::web::Web;
use crate::web::signed::Signed;

/// How often a page hears that its feed is there. It says that it is not live after 20 s without a word.
const BEAT: Duration = Duration::from_secs(10);
/// How long to wait for further changes before a batch is sent.
const GATHER: Duration = Duration::from_millis(30);

#[derive(Default, Deserialize)]
#[serde(default)]
pub(in crate::web) struct From {
    at: String,
}

pub(in crate::web) async fn live(
    State(web): State<Arc<Web>>,
    Extension(signed): Extension<Signed>,
    Query(filter): Query<Filter>,
    Query(from): Query<From>,
    headers: HeaderMap,
) -> Response {
    let Some(tenant) = web.tenants.get(&signed.tenant) else { return StatusCode::NOT_FOUND.into_response() };
    let Ok(place) = web.feeds.clone().try_acquire_owned() else {
        return (StatusCode::SERVICE_UNAVAILABLE, "too many pages are live\n").into_response();
    };
    let last = headers.get("last-event-id").and_then(|id| id.to_str().ok());
    let at = last.unwrap_or(&from.at).parse().ok();
    let desks = tenant.desks.clone();
    let feed = Feed {
        web: web.clone(),
        signed,
        filter,
        desks,
        at,
        ready: VecDeque::new(),
        beat: interval(BEAT),
        ended: false,
        _place: place,
    };
    let events = stream::unfold(feed, |mut feed| async {
        feed.next().await.map(|event| (Ok::<_, Infallible>(event), feed))
    });
    // A proxy must not keep events for itself.
    let headers = [(HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"))];
    (headers, Sse::new(events)).into_response()
}

struct Feed {
    web: Arc<Web>,
    signed: Signed,
    filter: Filter,
    desks: watch::Receiver<Arc<Desks>>,
    /// What the page shows; none: that is not known.
    at: Option<Position>,
    ready: VecDeque<Event>,
    beat: Interval,
    ended: bool,
    _place: OwnedSemaphorePermit,
}

impl Feed {
    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Some(event);
            }
            if self.ended {
                return None;
            }
            let now = self.desks.borrow_and_update().clone();
            if self.at != Some(now.at) {
                self.ready = self.batch(&now);
                self.at = Some(now.at);
                continue;
            }
            tokio::select! {
                changed = self.desks.changed() => {
                    changed.ok()?;
                    sleep(GATHER).await;
                }
                _ = self.beat.tick() => self.beat().await,
            }
        }
    }

    /// Says that the feed is there, or ends it with the session.
    async fn beat(&mut self) {
        let Signed { tenant, account, session, role, .. } = &self.signed;
        let found = accounts::find(&*self.web.controller.store, tenant, account).await;
        // While the store is down, this is not known, and the page says so.
        let good = found.map_or(true, |found| {
            let now = Timestamp::now();
            found.is_some_and(|found| {
                found.role == *role && found.sessions.iter().any(|is| is.hash == *session && is.is_good(now))
            })
        });
        self.ended = !good;
        self.ready.push_back(event(if good { "beat" } else { "signed-out" }, "-"));
    }

    /// What a page that is at `self.at` must replace.
    fn batch(&self, now: &Desks) -> VecDeque<Event> {
        let viewer = Viewer {
            operates: self.signed.operates(),
            form_token: &self.signed.form_token,
            filter: &self.filter,
            zone: TimeZone::system(),
            now: Timestamp::now(),
        };
        let mut events: Vec<(&str, Markup)> = vec![];
        let others = match self.at.and_then(|at| now.since(at)) {
            None => {
                let (rows, _) = self.filter.page(now.iter());
                events.push(("rows", html! { @for desk in rows { (parts::row(desk, &viewer)) } }));
                true
            }
            Some(news) => {
                for desk in &news.desks {
                    let name = desk.device.name.as_str();
                    events.push(match self.filter.shows(desk) {
                        true => ("row", parts::row(desk, &viewer)),
                        false => ("gone", html! { (parts::id(name)) }),
                    });
                }
                events.extend(news.removed.iter().map(|name| ("gone", html! { (parts::id(name.as_str())) })));
                news.others
            }
        };
        events.push(("part", parts::summary(now)));
        events.push(("part", parts::chips(now, &self.filter)));
        if others {
            events.push(("part", parts::switches(now)));
            if viewer.operates {
                events.push(("part", parts::recent(now, &viewer)));
            }
        }
        let last = events.len().saturating_sub(1);
        let event = |(n, (name, data)): (usize, (&str, Markup))| {
            let event = event(name, &data.into_string());
            // A reader that is interrupted within a batch gets all of it again.
            if n == last { event.id(now.at.to_string()) } else { event }
        };
        events.into_iter().enumerate().map(event).collect()
    }
}

/// An event in one line. Browsers drop one without data.
fn event(name: &str, data: &str) -> Event {
    let data = data.replace(['\r', '\n'], " ");
    Event::default().event(name).data(if data.is_empty() { " " } else { &data })
}
