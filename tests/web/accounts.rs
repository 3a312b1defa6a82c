//! Links, passwords, sign-in and sign-out, as a browser without scripts does them.

use std::time::Duration;

use super::{PASSWORD, console, enter, link};
use crate::harness::browser::{Answer, Browser};
use crate::harness::hotdesk::Hotdesk;
use crate::harness::wait;

fn sign_in(browser: &mut Browser, user: &str, password: &str) -> Answer {
    browser.post("/sign-in", &[("user", user), ("password", password), ("next", "/c?state=free")])
}

#[track_caller]
fn is_signed_in(browser: &mut Browser, signed_in: bool) {
    let answer = browser.get("/sign-in");
    assert_eq!((answer.status == 303, answer.status == 200), (signed_in, !signed_in), "{}", answer.text());
}

/// Everything that the hotdesk has written: its log, its store.
fn written(hotdesk: &Hotdesk) -> String {
    let files = std::fs::read_dir(hotdesk.folder()).unwrap().map(|file| file.unwrap().path());
    let read = |path: std::path::PathBuf| std::fs::read(path).unwrap_or_default();
    files.map(|path| String::from_utf8_lossy(&read(path)).into_owned()).collect()
}

#[test]
fn a_link_is_opened_as_often_as_one_likes_and_used_once() {
    let (hotdesk, mut browser) = console();
    let path = link(&hotdesk, "eva", "administrator");
    for _ in 0..3 {
        let page = browser.get(&path);
        assert_eq!(page.status, 200);
        assert!(page.text().contains("eva") && page.header("set-cookie").is_none());
        // What another program that looks into mail does.
        assert_eq!(browser.send("HEAD", &path, &[], "").unwrap().status, 200);
    }
    for (bad, why) in [
        ("short", "fewer than 12"),
        ("eva2026-eva2026", "name of the account"),
        ("password1234", "tried first"),
    ] {
        let again = browser.post(&path, &[("password", bad)]);
        assert_eq!(again.status, 422);
        assert!(
            again.text().contains(why) && !again.text().contains(&format!("\"{bad}\"")),
            "{}",
            again.text()
        );
    }
    let done = browser.post(&path, &[("password", PASSWORD)]);
    assert_eq!((done.status, done.header("location")), (303, Some("/c")));
    is_signed_in(&mut browser, true);
    let mut second = Browser::of(&hotdesk);
    for _ in 0..2 {
        assert_eq!(second.get(&path).status, 404);
        assert_eq!(second.post(&path, &[("password", "another long sentence")]).status, 404);
    }
    is_signed_in(&mut second, false);
    // A new link voids the one before.
    let [first, newer] = [link(&hotdesk, "eva", "administrator"), link(&hotdesk, "eva", "administrator")];
    assert_eq!((second.get(&first).status, second.get(&newer).status), (404, 200));
    assert_eq!(second.post(&newer, &[("password", "another long sentence")]).status, 303);
    is_signed_in(&mut browser, false);
}

#[test]
fn serve_prints_a_link_until_there_is_an_administrator() {
    let (mut hotdesk, mut browser) = console();
    let printed = |hotdesk: &Hotdesk| {
        let log = hotdesk.log();
        log.lines()
            .filter_map(|line| line.split_once("/link/default/admin/"))
            .map(|(_, secret)| secret.to_owned())
            .collect::<Vec<_>>()
    };
    wait::until(Duration::from_secs(10), || printed(&hotdesk).len() == 1, || hotdesk.log());
    let path = format!("/link/default/admin/{}", printed(&hotdesk)[0]);
    assert_eq!(browser.post(&path, &[("password", PASSWORD)]).status, 303);
    hotdesk.stop().unwrap();
    hotdesk.spawn().unwrap();
    let listening = |hotdesk: &Hotdesk| hotdesk.log().matches("web.listening").count() == 2;
    wait::until(Duration::from_secs(20), || listening(&hotdesk), || hotdesk.log());
    browser.at = Browser::of(&hotdesk).at;
    assert_eq!(printed(&hotdesk).len(), 1, "there is one");
    // The session outlasts the restart.
    is_signed_in(&mut browser, true);
}

#[test]
fn signing_in_begins_a_new_session_and_signing_out_ends_it() {
    let (hotdesk, mut browser) = console();
    enter(&hotdesk, &mut browser, "eva", "viewer");
    let first = browser.cookies["hotdesk"].clone();
    let answer = sign_in(&mut browser, " EVA ", PASSWORD);
    assert_eq!((answer.status, answer.header("location")), (303, Some("/c?state=free")));
    let cookie = answer.header("set-cookie").unwrap();
    for part in ["HttpOnly", "SameSite=Lax", "Path=/"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    let second = browser.cookies["hotdesk"].clone();
    assert_ne!(first, second, "no session that was there before is taken over");
    let mut thief = Browser::of(&hotdesk);
    thief.cookies.insert("hotdesk".into(), first);
    is_signed_in(&mut thief, false);
    let form = browser.get("/c").field("form");
    // Not without the token of the session, nor from another site.
    for fields in [&[][..], &[("form", "0")], &[("form", &"0".repeat(form.len()))]] {
        assert!([400, 403].contains(&browser.post("/sign-out", fields).status), "{fields:?}");
    }
    let body = format!("form={form}");
    let kind = ("content-type", "application/x-www-form-urlencoded");
    for headers in
        [&[kind][..], &[kind, ("sec-fetch-site", "cross-site")], &[kind, ("origin", "http://evil.example")]]
    {
        assert_eq!(browser.send("POST", "/sign-out", headers, &body).unwrap().status, 403, "{headers:?}");
    }
    is_signed_in(&mut browser, true);
    let out = browser.post("/sign-out", &[("form", &form)]);
    assert_eq!((out.status, out.header("location")), (303, Some("/sign-in")));
    assert!(browser.cookies.is_empty());
    browser.cookies.insert("hotdesk".into(), second);
    is_signed_in(&mut browser, false);
    let journal = hotdesk.run(&["journal"]).unwrap();
    for line in
        ["account eva signed in, by eva (console, from 127.0.0.1)", "account eva signed out, by eva (console"]
    {
        assert!(journal.contains(line), "{line} is not in {journal}");
    }
}

#[test]
fn wrong_names_and_passwords_get_the_same_words_and_soon_429() {
    let (hotdesk, mut browser) = console();
    enter(&hotdesk, &mut browser, "eva", "operator");
    let mut stranger = Browser::of(&hotdesk);
    let words = |answer: &Answer| {
        answer.text().split("role=\"alert\"").nth(1).unwrap().split("</p>").next().unwrap().to_owned()
    };
    let wrong = sign_in(&mut stranger, "eva", "wrong wrong wrong");
    let said = words(&wrong);
    assert_eq!(wrong.status, 422);
    for (user, password) in [
        ("unknown", "wrong wrong wrong"),
        ("eva", "short"),
        ("../x", "wrong wrong wrong"),
        ("other/eva", PASSWORD),
    ] {
        let answer = sign_in(&mut stranger, user, password);
        assert_eq!((answer.status, words(&answer)), (422, said.clone()), "{user}");
        assert!(!answer.text().contains("wrong wrong"), "what was typed as a password is not shown");
    }
    for _ in 0..3 {
        assert_eq!(sign_in(&mut stranger, "eva", "wrong wrong wrong").status, 422);
    }
    let later = sign_in(&mut stranger, "eva", PASSWORD);
    assert_eq!(later.status, 429, "also for the right one");
    let seconds: u64 = later.header("retry-after").unwrap().parse().unwrap();
    assert!((600..=901).contains(&seconds), "{seconds}");
    // The browser that is signed in goes on, and a link works.
    is_signed_in(&mut browser, true);
    let path = link(&hotdesk, "eva", "operator");
    assert_eq!(stranger.post(&path, &[("password", "another long sentence")]).status, 303);
    // An address has a limit, whatever it types.
    let mut flood = Browser::of(&hotdesk);
    let statuses: Vec<u16> =
        (0..20).map(|n| sign_in(&mut flood, &format!("user{n}"), "wrong wrong wrong").status).collect();
    assert!(
        statuses.contains(&429) && statuses.iter().all(|status| [422, 429].contains(status)),
        "{statuses:?}"
    );
    let journal = hotdesk.run(&["journal"]).unwrap();
    assert!(journal.contains("wrong password for account eva"), "{journal}");
    assert!(
        !journal.contains("user0") && !hotdesk.log().contains("user0"),
        "what is no account may be a password"
    );
}

#[test]
fn forms_that_cannot_be_read_change_nothing() {
    let (_hotdesk, mut browser) = console();
    let origin = format!("http://{}", browser.at);
    let headers = [("origin", origin.as_str()), ("content-type", "application/x-www-form-urlencoded")];
    for (body, status) in [
        ("", 400),
        ("user=eva", 400),
        ("%ff=%ff", 400),
        (&format!("user=a&password={}", "y".repeat(70_000)), 413),
    ] {
        assert_eq!(browser.send("POST", "/sign-in", &headers, body).unwrap().status, status);
    }
    let json = [("origin", origin.as_str()), ("content-type", "application/json")];
    assert_eq!(browser.send("POST", "/sign-in", &json, "{}").unwrap().status, 400);
}

#[test]
fn no_password_link_or_cookie_is_written_anywhere() {
    let (hotdesk, mut browser) = console();
    let path = link(&hotdesk, "eva", "administrator");
    assert_eq!(browser.post(&path, &[("password", PASSWORD)]).status, 303);
    sign_in(&mut browser, "eva", "canary wrong password");
    sign_in(&mut browser, "canary-name-of-no-account", PASSWORD);
    sign_in(&mut browser, "eva", PASSWORD);
    let secrets = [
        path.rsplit('/').next().unwrap(),
        browser.cookies["hotdesk"].rsplit('/').next().unwrap(),
        PASSWORD,
        "canary",
    ];
    assert!(secrets[0].len() == 64 && secrets[1].len() == 64);
    let secrets = secrets.map(str::to_owned);
    let (written, page) = (written(&hotdesk), browser.get("/c").text());
    assert!(written.contains("web.signed_in"), "the log is read");
    for secret in secrets {
        assert!(!written.contains(&secret) && !page.contains(&secret), "{secret}");
    }
}

#[test]
fn the_command_line_lists_and_removes_accounts() {
    let (hotdesk, mut browser) = console();
    enter(&hotdesk, &mut browser, "eva", "administrator");
    link(&hotdesk, "jan", "viewer");
    let list = hotdesk.run(&["web", "list"]).unwrap();
    for part in [
        "ACCOUNT  ROLE           PASSWORD  SIGNED IN",
        "eva      administrator  chosen    1",
        "jan      viewer         invited   0",
    ] {
        assert!(list.contains(part), "{part:?} is not in\n{list}");
    }
    let last = hotdesk.output(&["web", "remove", "eva"], "").unwrap();
    let said = String::from_utf8_lossy(&last.stderr).into_owned();
    assert!(
        !last.status.success()
            && said.contains("eva is the only administrator")
            && said.contains("hotdesk web admin NAME"),
        "{said}"
    );
    let mut other = Browser::of(&hotdesk);
    enter(&hotdesk, &mut other, "kim", "administrator");
    hotdesk.run(&["web", "remove", "eva"]).unwrap();
    is_signed_in(&mut browser, false);
    is_signed_in(&mut other, true);
}
