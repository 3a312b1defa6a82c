//! Each page for people with a disability: axe-core finds nothing wrong in any.

use axum::http::Method;
use hotdesk::web::routes;

use super::{PASSWORD, console, link};
use crate::harness::axe;
use crate::harness::browser::Browser;
use crate::harness::chromium::Chromium;

/// A path with names that there are. A route with a part that is not here needs one.
fn sample(path: &str) -> String {
    let names = [
        ("/c/people/{name}", "/c/people/101"),
        ("/c/devices/{name}", "/c/devices/desk1"),
        ("/c/locations/{name}", "/c/locations/room-of-desk1"),
        ("/c/switches/{switch}", "/c/switches/pbx"),
        ("/c/why/{subject}", "/c/why/101"),
        ("/c/why/device/{subject}", "/c/why/device/desk1"),
        ("/c/move", "/c/move?device=desk1&user=101&session=1"),
        ("/assets/{file}", "/assets/none"),
        ("/link/{tenant}/{account}/{secret}", "/link/default/x/y"),
    ];
    let named = names.iter().find_map(|(of, is)| Some(format!("{is}{}", path.strip_prefix(of)?)));
    let path = named.unwrap_or_else(|| path.to_owned());
    assert!(!path.contains('{'), "the test has no name for {path}");
    path
}

/// Each page that an administrator can read.
fn pages(browser: &mut Browser) -> Vec<String> {
    let is_page = |path: &str| path != "/live" && !path.starts_with("/api/");
    let reads = routes().into_iter().filter(|route| route.method == Method::GET && is_page(route.path));
    let mut pages: Vec<String> = reads.map(|route| sample(route.path)).collect();
    pages.extend(["/c?q=nothing".to_owned(), "/c?said=logged-out&undo=1".to_owned(), "/nothing".to_owned()]);
    pages.retain(|path| {
        let answer = browser.get(path);
        answer.header("content-type").is_some_and(|kind| kind.starts_with("text/html"))
    });
    pages
}

/// What is wrong with these pages, in every width and theme.
fn wrong(window: &mut Chromium, axe: &str, at: &str, paths: &[String]) -> Vec<String> {
    let mut wrong = vec![];
    for path in paths {
        for (width, dark) in [(1280, false), (1280, true), (390, false), (390, true), (320, true)] {
            window.resize(width, dark);
            window.go(&format!("{at}{path}"));
            let theme = if dark { "dark" } else { "light" };
            let found = window.audit(axe).into_iter();
            wrong.extend(found.map(|found| format!("{path} {width} {theme}: {found}")));
            let over = window.run("return document.documentElement.scrollWidth - innerWidth");
            if over.as_i64().unwrap() > 0 {
                wrong.push(format!("{path} {width} {theme}: {over} pixels too wide"));
            }
        }
    }
    wrong
}

#[test]
fn axe_core_finds_nothing_wrong_in_any_page() {
    let (Some(mut window), Some(axe)) = (Chromium::open(), axe::script()) else { return };
    let (hotdesk, mut browser) = console();
    hotdesk.add_user("101", "Alice", "729154").unwrap();
    hotdesk.add_user("102", "Bob", "583617").unwrap();
    for (n, desk) in ["desk1", "desk2"].iter().enumerate() {
        hotdesk.add_desk(desk, &format!("020555010{n}")).unwrap();
    }
    hotdesk.run(&["user", "set", "101", "--auto-logout-after", "2h"]).unwrap();
    hotdesk.run(&["login", "101", "desk1"]).unwrap();
    let at = format!("http://{}", browser.at);
    let before = ["/sign-in".to_owned(), link(&hotdesk, "jan", "viewer"), "/link/default/x/y".into()];
    // It does find what is wrong.
    window.go("data:text/html,<img src=x><button></button>");
    assert!(window.audit(axe).len() > 1);
    let mut found = wrong(&mut window, axe, &at, &before);

    window.go(&format!("{at}{}", link(&hotdesk, "eva", "administrator")));
    window.type_keys(&format!("{PASSWORD}\u{e007}"));
    window.until("location.pathname === '/c' && document.readyState === 'complete'");
    window.until("document.getElementById('desk-desk1')?.textContent.includes('Alice') ?? false");
    super::enter(&hotdesk, &mut browser, "ann", "administrator");
    let all = pages(&mut browser);
    for page in
        ["/c", "/c/log-in", "/c/people/101", "/c/devices/desk1", "/c/locations", "/c/switches", "/nothing"]
    {
        assert!(all.iter().any(|path| path == page), "{page} is not in {all:?}");
    }
    found.extend(wrong(&mut window, axe, &at, &all));
    assert!(found.is_empty(), "{}", found.join("\n"));
}
