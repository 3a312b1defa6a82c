//! The page Now, without scripts and live, over HTTP.

use std::io::BufReader;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use super::{console, enter, link};
use crate::harness::browser::{Answer, Browser, chunk, head};
use crate::harness::hotdesk::Hotdesk;

/// One server-sent event.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Event {
    pub name: String,
    pub data: String,
    pub id: String,
}

/// The live feed of a page.
pub struct Feed {
    stream: BufReader<TcpStream>,
    rest: String,
}

impl Feed {
    /// Opens the feed that the page at `path` opens, or goes on after the event `last`.
    pub fn open(browser: &mut Browser, path: &str, last: Option<&str>) -> Self {
        let page = browser.get(path).text();
        let value = |name: &str| {
            page.split(&format!("{name}=\""))
                .nth(1)
                .and_then(|rest| rest.split('"').next())
                .unwrap()
                .replace("&amp;", "&")
        };
        let (live, at) = (value("data-live"), value("data-at"));
        let sign = if live.contains('?') { '&' } else { '?' };
        let headers: Vec<(&str, &str)> = last.iter().map(|last| ("last-event-id", *last)).collect();
        let mut stream = browser.open("GET", &format!("{live}{sign}at={at}"), &headers, "").unwrap();
        let answer = head(&mut stream).unwrap();
        assert_eq!(
            (answer.status, answer.header("content-type")),
            (200, Some("text/event-stream")),
            "{answer:?}"
        );
        assert_eq!(answer.header("x-accel-buffering"), Some("no"));
        Self { stream, rest: String::new() }
    }

    /// The next event that is no beat.
    pub fn next(&mut self) -> Event {
        let began = Instant::now();
        loop {
            assert!(began.elapsed() < Duration::from_secs(40), "the feed has nothing but beats");
            while let Some((event, rest)) = self.rest.split_once("\n\n") {
                let mut read = Event::default();
                for line in event.lines() {
                    match line.split_once(':').map(|(field, value)| (field, value.trim_start())) {
                        Some(("event", name)) => read.name = name.into(),
                        Some(("data", data)) => read.data = data.into(),
                        Some(("id", id)) => read.id = id.into(),
                        _ => {}
                    }
                }
                self.rest = rest.to_owned();
                if read.name != "beat" {
                    return read;
                }
            }
            let more = chunk(&mut self.stream).unwrap().expect("the feed ended");
            self.rest += &String::from_utf8(more).unwrap();
        }
    }

    /// The events up to the one that says where the page is then.
    pub fn batch(&mut self) -> Vec<Event> {
        let mut batch = vec![self.next()];
        while batch.last().unwrap().id.is_empty() {
            batch.push(self.next());
        }
        batch
    }

    /// Waits for a row of this desk that holds `text`.
    pub fn row(&mut self, desk: &str, text: &str) -> Event {
        let began = Instant::now();
        let mut seen = vec![];
        while began.elapsed() < Duration::from_secs(20) {
            let event = self.next();
            if event.name == "row"
                && event.data.contains(&format!("id=\"desk-{desk}\""))
                && event.data.contains(text)
            {
                return event;
            }
            seen.push(event);
        }
        panic!("no row of {desk} with {text} in {seen:?}");
    }
}

/// A console with two users and three desks, and a browser of an account with this role.
fn company(role: &str) -> (Hotdesk, Browser) {
    let (hotdesk, mut browser) = console();
    hotdesk.add_user("101", "Alice <script>alert(1)</script>", "729154").unwrap();
    hotdesk.add_user("102", "Bob", "583617").unwrap();
    for (n, desk) in ["desk1", "desk2", "desk3"].iter().enumerate() {
        hotdesk.add_desk(desk, &format!("020555010{n}")).unwrap();
    }
    enter(&hotdesk, &mut browser, "eva", role);
    // The page may be a moment behind the store.
    Feed::open(&mut browser, "/c", Some("0-0-0")).batch();
    let there = |browser: &mut Browser| browser.get("/c").text().contains("id=\"desk-desk3\"");
    let mut once = browser.clone();
    crate::harness::wait::until(Duration::from_secs(10), || there(&mut once), || hotdesk.log());
    (hotdesk, browser)
}

/// Where a form leads to, and whether what it did can be undone there.
fn told(answer: &Answer) -> (String, bool) {
    let to = answer.header("location").unwrap_or_default();
    let (path, undo) = to.split_once("&undo=").map_or((to, false), |(path, _)| (path, true));
    (path.to_owned(), undo)
}

/// Who is logged in where, as `hotdesk status` says.
fn status(hotdesk: &Hotdesk) -> Vec<(String, String)> {
    let all = hotdesk.run(&["status", "--json"]).unwrap();
    let all: Vec<serde_json::Value> = serde_json::from_str(&all).unwrap();
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    all.iter().map(|session| (text(&session["user"]), text(&session["device"]))).collect()
}

/// The fields of the form to `action` in the row of a desk.
fn fields(page: &str, desk: &str, action: &str) -> Vec<(String, String)> {
    let row = row(page, desk).unwrap();
    let form =
        row.split(&format!("action=\"{action}\"")).nth(1).unwrap_or_else(|| panic!("no {action} in {row}"));
    let form = form.split("</form>").next().unwrap();
    let value = |field: &str, of: &str| {
        field.split(&format!("{of}=\"")).nth(1).unwrap().split('"').next().unwrap().replace("&amp;", "&")
    };
    form.split("<input").skip(1).map(|field| (value(field, "name"), value(field, "value"))).collect()
}

fn send(browser: &mut Browser, action: &str, fields: &[(String, String)]) -> Answer {
    let fields: Vec<(&str, &str)> =
        fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    browser.post(action, &fields)
}

/// The row of a desk on a page.
fn row(page: &str, desk: &str) -> Option<String> {
    let rest = page.split(&format!("<tr id=\"desk-{desk}\"")).nth(1)?;
    Some(rest.split("</tr>").next().unwrap().to_owned())
}

#[test]
fn it_shows_each_desk_and_the_filter_is_in_the_address() {
    let (hotdesk, mut browser) = company("viewer");
    hotdesk.run(&["login", "101", "desk2"]).unwrap();
    let mut feed = Feed::open(&mut browser, "/c", Some("0-0-0"));
    while !feed.batch().iter().any(|event| event.data.contains("Logged in") || event.data.contains("Alice")) {
    }
    let page = browser.get("/c").text();
    assert!(page.contains("<b class=\"num\">1</b> of <b class=\"num\">3</b> desks taken"), "{page}");
    assert!(row(&page, "desk2").unwrap().contains("Alice &lt;script&gt;"), "{page}");
    assert!(!page.contains("<script>alert"));
    assert!(row(&page, "desk1").unwrap().contains("free"), "{page}");
    // A viewer can do nothing.
    assert!(!page.contains("log-out") && !page.contains("/c/log-in") && !page.contains("Just now"), "{page}");
    for (query, shown) in [
        ("state=taken", &["desk2"][..]),
        ("state=free", &["desk1", "desk3"]),
        ("q=alice", &["desk2"]),
        ("q=101", &["desk2"]),
        ("q=DESK3", &["desk3"]),
        ("location=room-of-desk1", &["desk1"]),
        ("location=room-of-desk1&state=taken", &[]),
        ("after=desk1", &["desk2", "desk3"]),
        ("state=nonsense&location=%3Cscript%3E&after=%00", &["desk1", "desk2", "desk3"]),
    ] {
        let page = browser.get(&format!("/c?{query}")).text();
        let all = ["desk1", "desk2", "desk3"];
        let found: Vec<&str> = all.into_iter().filter(|desk| row(&page, desk).is_some()).collect();
        assert_eq!(found, shown, "{query}");
        assert!(!page.contains("<script>"), "{query}");
    }
    let sent = Browser { cookies: Default::default(), ..browser.clone() }.get("/c?state=free&q=a");
    assert_eq!(
        (sent.status, sent.header("location")),
        (303, Some("/sign-in?next=%2Fc%3Fstate%3Dfree%26q%3Da"))
    );
}

#[test]
fn users_are_logged_in_and_out_by_forms_alone() {
    let (hotdesk, mut browser) = company("operator");
    let form = browser.get("/c/log-in?device=desk1");
    assert!(form.text().contains("value=\"desk1\""), "{}", form.text());
    let token = form.field("form");
    for (user, device, why) in [
        ("199", "desk1", "There is no user 199."),
        ("101", "desk9", "There is no desk desk9."),
        ("x", "desk1", "is not an extension"),
        ("101", "a b", "is not a device"),
    ] {
        let refused = browser.post("/c/log-in", &[("form", &token), ("user", user), ("device", device)]);
        assert_eq!(refused.status, 422, "{user} {device}");
        let text = refused.text();
        assert!(
            text.contains(why) && text.contains(&format!("value=\"{user}\"")),
            "what was typed is kept: {text}"
        );
    }
    hotdesk.run(&["user", "set", "102", "--no-hotdesk"]).unwrap();
    let refused = browser.post("/c/log-in", &[("form", &token), ("user", "102"), ("device", "desk1")]);
    assert!(
        refused.status == 422 && refused.text().contains("User 102 may not hotdesk."),
        "{}",
        refused.text()
    );
    let mut feed = Feed::open(&mut browser, "/c", None);
    let done = browser.post("/c/log-in", &[("form", &token), ("user", "101"), ("device", "desk1")]);
    // Its switch is down, and the page says so.
    assert_eq!((done.status, told(&done)), (303, ("/c?said=waiting".into(), true)));
    feed.row("desk1", "Alice");
    let page = browser.get("/c?said=waiting");
    assert!(page.text().contains("not yet on the switch"), "{}", page.text());
    assert_eq!(hotdesk.run(&["status"]).unwrap().lines().count(), 2);
    let (session, back) = (page.field("session"), page.field("back"));
    let out = |browser: &mut Browser, session: &str, back: &str| {
        let fields = [
            ("form", token.as_str()),
            ("user", "101"),
            ("device", "desk1"),
            ("session", session),
            ("back", back),
        ];
        told(&browser.post("/c/log-out", &fields))
    };
    // A row of an earlier session logs out no later one, and no form leads to another site.
    assert_eq!(out(&mut browser, "1", "https://evil.example"), ("/c?said=nothing".into(), false));
    assert_eq!(out(&mut browser, &session, &back), ("/c?said=waiting".into(), true));
    feed.row("desk1", "Log in…");
    assert_eq!(out(&mut browser, &session, "/c?state=taken"), ("/c?state=taken&said=nothing".into(), false));
    let journal = hotdesk.run(&["journal"]).unwrap();
    for line in [
        "101 logged in at desk1, by eva (console, from 127.0.0.1)",
        "101 logged out at desk1, by eva (console",
    ] {
        assert!(journal.contains(line), "{line} is not in {journal}");
    }
    let bad =
        browser.post("/c/log-out", &[("form", &token), ("user", "x"), ("device", "desk1"), ("session", "1")]);
    assert_eq!(bad.status, 400);
}

#[test]
fn what_an_operator_did_can_be_undone_unless_someone_came_between() {
    let (hotdesk, mut browser) = company("operator");
    let mut other = Browser::of(&hotdesk);
    enter(&hotdesk, &mut other, "jan", "administrator");
    hotdesk.run(&["login", "101", "desk1"]).unwrap();
    let mut feed = Feed::open(&mut browser, "/c?q=desk", Some("0-0-0"));
    while !feed.next().data.contains("Alice") {}
    let out = |browser: &mut Browser| {
        let page = browser.get("/c?q=desk").text();
        let answer = send(browser, "/c/log-out", &fields(&page, "desk1", "/c/log-out"));
        let to = answer.header("location").unwrap().to_owned();
        assert!(to.starts_with("/c?q=desk&said=waiting&undo="), "{to}");
        browser.get(&to)
    };
    let undo = |browser: &mut Browser, page: &Answer| {
        let named = ["form", "back", "revision"].map(|name| (name.to_owned(), page.field(name)));
        told(&send(browser, "/c/undo", &named))
    };
    let page = out(&mut browser);
    assert_eq!(status(&hotdesk), []);
    // Only who did it can undo it, and with a form of their own.
    let own = other.get("/c").field("form");
    let of_other = [("form".to_owned(), own), ("revision".to_owned(), page.field("revision"))];
    assert_eq!(told(&send(&mut other, "/c/undo", &of_other)), ("/c?said=nothing-to-undo".into(), false));
    let home = |user: &str, desk: &str| vec![(user.to_owned(), desk.to_owned())];
    assert_eq!(status(&hotdesk), []);
    assert_eq!(undo(&mut browser, &page), ("/c?q=desk&said=waiting".into(), false));
    assert_eq!(status(&hotdesk), home("101", "desk1"));
    assert_eq!(undo(&mut browser, &page), ("/c?q=desk&said=overtaken".into(), false), "not twice");
    assert!(browser.get("/c?said=overtaken").text().contains("someone has logged in or out"), "it says why");
    // Someone logs in there meanwhile.
    while !feed.next().data.contains("Alice") {}
    let page = out(&mut browser);
    hotdesk.run(&["login", "102", "desk1"]).unwrap();
    assert_eq!(undo(&mut browser, &page), ("/c?q=desk&said=overtaken".into(), false));
    assert_eq!(status(&hotdesk), home("102", "desk1"));
    // No revision of something else is undone.
    for revision in ["1", "999999", "18446744073709551615"] {
        let form = [("form".to_owned(), page.field("form")), ("revision".to_owned(), revision.to_owned())];
        assert_eq!(told(&send(&mut browser, "/c/undo", &form)).0, "/c?said=nothing-to-undo", "{revision}");
    }
    let journal = hotdesk.run(&["journal"]).unwrap();
    assert!(journal.contains("undone: 101 logged in at desk1, by eva (console"), "{journal}");
}

#[test]
fn a_user_is_moved_and_a_logout_postponed() {
    let (hotdesk, mut browser) = company("operator");
    hotdesk.run(&["user", "set", "101", "--auto-logout-after", "2h"]).unwrap();
    hotdesk.run(&["login", "101", "desk1"]).unwrap();
    hotdesk.run(&["login", "102", "desk2"]).unwrap();
    let mut feed = Feed::open(&mut browser, "/c", Some("0-0-0"));
    while !feed.next().data.contains("Bob") {}
    let page = browser.get("/c").text();
    // Without an automatic logout there is nothing to postpone.
    assert!(!row(&page, "desk2").unwrap().contains("/c/extend"));
    let due = |hotdesk: &Hotdesk| {
        let all: serde_json::Value =
            serde_json::from_str(&hotdesk.run(&["status", "--json"]).unwrap()).unwrap();
        all[0]["auto_logout"]["at"].as_str().unwrap().parse::<jiff::Timestamp>().unwrap()
    };
    let before = due(&hotdesk);
    let extend = fields(&page, "desk1", "/c/extend");
    assert_eq!(told(&send(&mut browser, "/c/extend", &extend)), ("/c?said=extended".into(), false));
    assert_eq!(due(&hotdesk).duration_since(before).as_mins(), 60, "[auto_logout] extend");
    // The form to move names the session.
    let link = row(&page, "desk1").unwrap();
    let link = link.split("href=\"").find(|link| link.starts_with("/c/move?")).unwrap();
    let link = link.split('"').next().unwrap().replace("&amp;", "&");
    let form = browser.get(&link);
    assert!(
        form.text().contains("<option value=\"desk3\">") && !form.text().contains("<option value=\"desk2\">")
    );
    let named = ["form", "device", "user", "session", "back"].map(|name| (name.to_owned(), form.field(name)));
    let to = |browser: &mut Browser, desk: &str| {
        let mut named = named.to_vec();
        named.push(("to".into(), desk.into()));
        send(browser, "/c/move", &named)
    };
    let unknown = to(&mut browser, "desk9");
    assert!(
        unknown.status == 422 && unknown.text().contains("There is no desk desk9."),
        "{}",
        unknown.text()
    );
    assert!(unknown.text().contains("value=\"desk9\""), "what was typed is kept");
    let moved = to(&mut browser, "desk3");
    assert_eq!(told(&moved), ("/c?said=waiting".into(), true));
    let home = |all: &[(&str, &str)]| {
        all.iter().map(|(user, desk)| ((*user).to_owned(), (*desk).to_owned())).collect::<Vec<_>>()
    };
    assert_eq!(status(&hotdesk), home(&[("102", "desk2"), ("101", "desk3")]));
    assert_eq!(
        told(&to(&mut browser, "desk1")),
        ("/c?said=overtaken".into(), false),
        "that session has ended"
    );
    // The way back frees the one desk and gives the other one back.
    let page = browser.get(moved.header("location").unwrap());
    let undo = ["form", "revision"].map(|name| (name.to_owned(), page.field(name)));
    assert_eq!(told(&send(&mut browser, "/c/undo", &undo)).0, "/c?said=waiting");
    assert_eq!(status(&hotdesk), home(&[("101", "desk1"), ("102", "desk2")]));
    let journal = hotdesk.run(&["journal"]).unwrap();
    for line in [
        "101 logged out at desk1, 101 logged in at desk3, by eva (console",
        "automatic logout of 101 at desk1 postponed until",
        "undone: 101 logged out at desk3, 101 logged in at desk1, by eva (console",
    ] {
        assert!(journal.contains(line), "{line} is not in {journal}");
    }
}

#[test]
fn a_feed_goes_on_where_it_was_and_says_all_when_that_is_not_known() {
    let (mut hotdesk, mut browser) = company("operator");
    let mut feed = Feed::open(&mut browser, "/c", None);
    hotdesk.run(&["login", "101", "desk1"]).unwrap();
    feed.row("desk1", "Alice");
    let mut last = String::new();
    while last.is_empty() {
        last = feed.next().id;
    }
    drop(feed);
    // While the page was closed.
    hotdesk.run(&["login", "102", "desk2"]).unwrap();
    let mut live = Feed::open(&mut browser, "/c", None);
    let mut again = Feed::open(&mut browser, "/c", Some(&last));
    let missed = again.row("desk2", "Bob");
    assert!(!missed.data.contains("desk1"), "{missed:?}");
    let told = "102 logged in at desk2";
    let mut rest = vec![again.next()];
    while !rest.last().unwrap().data.contains(told) {
        rest.push(again.next());
    }
    assert!(rest.iter().all(|event| event.name == "part"), "nothing comes twice: {rest:?}");
    // Both hear the same from here on; a filter only its own.
    let mut taken = Feed::open(&mut browser, "/c?state=taken", None);
    hotdesk.run(&["logout", "102"]).unwrap();
    for feed in [&mut live, &mut again] {
        feed.row("desk2", "Log in…");
    }
    let gone = loop {
        let event = taken.next();
        if event.name == "gone" {
            break event;
        }
    };
    assert_eq!(gone.data, "desk-desk2");
    hotdesk.run(&["device", "remove", "desk3"]).unwrap();
    while live.next() != (Event { name: "gone".into(), data: "desk-desk3".into(), id: String::new() }) {}
    drop((live, again, taken));
    // After a restart of hotdesk, and with anything that is no place: all rows.
    hotdesk.kill().unwrap();
    hotdesk.spawn().unwrap();
    let listening = |hotdesk: &Hotdesk| hotdesk.log().matches("web.listening").count() == 2;
    crate::harness::wait::until(Duration::from_secs(20), || listening(&hotdesk), || hotdesk.log());
    browser.at = Browser::of(&hotdesk).at;
    for last in [last.as_str(), "nonsense"] {
        let mut feed = Feed::open(&mut browser, "/c", Some(last));
        let mut all = vec![feed.next()];
        assert_eq!(all[0].name, "rows", "{last}");
        let has = |all: &[Event], text: &str| all.iter().any(|event| event.data.contains(text));
        while !has(&all, "desk-desk1") || !has(&all, "desk-desk2") || !has(&all, "Alice") {
            all.push(feed.next());
        }
        assert!(!has(&all, "desk-desk3"), "{all:?}");
    }
}

#[test]
fn a_feed_ends_with_its_session() {
    let (hotdesk, mut browser) = company("viewer");
    let mut feed = Feed::open(&mut browser, "/c", None);
    link(&hotdesk, "jan", "administrator");
    hotdesk.run(&["web", "remove", "eva"]).unwrap();
    let began = Instant::now();
    while feed.next().name != "signed-out" {
        assert!(began.elapsed() < Duration::from_secs(30));
    }
    assert_eq!(chunk(&mut feed.stream).unwrap(), None, "it is closed");
    assert_eq!(browser.get("/live").status, 303);
}

#[test]
fn pages_that_are_live_have_a_bound() {
    let (_hotdesk, mut browser) = company("viewer");
    let feeds: Vec<Feed> = (0..200).map(|_| Feed::open(&mut browser, "/c", None)).collect();
    let one_more = browser.get("/live");
    assert_eq!(one_more.status, 503);
    assert_eq!(browser.get("/c").status, 200, "pages are answered all the same");
    drop(feeds);
    let free = || {
        browser
            .clone()
            .open("GET", "/live", &[], "")
            .and_then(|mut it| head(&mut it))
            .is_ok_and(|it| it.status == 200)
    };
    crate::harness::wait::until(Duration::from_secs(30), free, || "no place is free again".into());
}
