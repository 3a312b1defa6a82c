//! The page Now in a real Chromium, with a real Asterisk and a real phone.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{PASSWORD, link};
use crate::harness::chromium::Chromium;
use crate::harness::company::{Company, one_touch};
use crate::harness::debian::Version;

/// What a row holds, if it is there.
fn row(desk: &str, text: &str) -> String {
    format!("document.getElementById('desk-{desk}')?.textContent.includes('{text}') ?? false")
}

const LIVE: &str = "document.getElementById('live').textContent === 'Live'";

#[test]
fn the_page_follows_the_phones_and_says_when_it_does_not() {
    let Some(mut window) = Chromium::open() else { return };
    let program = [PathBuf::from(env!("CARGO_BIN_EXE_hotdesk"))];
    // The page comes back to the same address after a restart.
    let at = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let on = format!("[web]\nlisten = \"{at}\"\n");
    let mut company = Company::open_with(&program, Version::Current, "sqlite:hotdesk.db", &on).unwrap();
    let phone = company.pbx.phone("desk1").unwrap();

    // By keys alone: the link, a password, Enter.
    window.go(&format!("http://{at}{}", link(&company.hotdesk, "eva", "operator")));
    window.type_keys(&format!("{PASSWORD}\u{e007}"));
    window.until("location.pathname === '/c' && document.readyState === 'complete'");
    window.until(LIVE);
    window.until(&row("desk1", "Free"));

    phone.dial(&one_touch("101")).unwrap();
    window.until(&row("desk1", "Alice"));
    phone.wait_ended().unwrap();
    window.until(&row("desk1", "Logged in"));
    assert_eq!(window.run("return document.getElementById('summary').textContent"), "1 of 3 desks taken");

    let pictures = Path::new(env!("CARGO_TARGET_TMPDIR"));
    for (width, dark) in [(1280, false), (1280, true), (390, false), (390, true), (320, false)] {
        window.resize(width, dark);
        let over = window.run("return document.documentElement.scrollWidth - innerWidth");
        assert!(over.as_i64().unwrap() <= 0, "at {width} the page is {over} pixels too wide");
        let theme = if dark { "dark" } else { "light" };
        window.picture(&pictures.join(format!("now-{width}-{theme}.png")));
    }
    eprintln!("pictures are in {}", pictures.display());
    window.resize(1280, false);

    // What is seldom done is behind a button, and Escape closes it.
    window.run("document.querySelector('#desk-desk1 [popovertarget]').focus()");
    window.type_keys("\u{e007}");
    window.until("document.getElementById('more-desk1').matches(':popover-open')");
    let within = "const box = document.getElementById('more-desk1').getBoundingClientRect(); \
                  return box.left >= 0 && box.right <= innerWidth && box.bottom <= innerHeight && box.height > 20";
    assert_eq!(window.run(within), true);
    window.picture(&pictures.join("now-more.png"));
    window.type_keys("\u{e00c}");
    window.until("!document.getElementById('more-desk1').matches(':popover-open')");
    assert_eq!(window.run("return document.activeElement.getAttribute('popovertarget')"), "more-desk1");

    // "/" finds.
    window.run("document.body.focus()");
    window.type_keys("/");
    window.until("document.activeElement.name === 'q'");

    // The console ends: the page says so, and offers nothing on old rows.
    company.hotdesk.kill().unwrap();
    let button = "document.querySelector('#desk-desk1 button')";
    window.until(&format!(
        "document.getElementById('live').textContent.startsWith('Not live') && {button}.disabled"
    ));
    company.hotdesk.start().unwrap();
    window.until(&format!("{LIVE} && !{button}.disabled"));
    window.until(&row("desk1", "Logged in"));

    window.run(&format!("{button}.click()"));
    window.until("location.search.includes('said=logged-out') && document.readyState === 'complete'");
    window.until(&row("desk1", "Free"));
    assert!(company.agreed(Duration::from_secs(5)).unwrap().is_empty());
    // For a moment it can be undone.
    window.picture(&pictures.join("now-undo.png"));
    window.run("document.querySelector('[data-undo] button').click()");
    window.until("location.search.includes('said=undone') && document.readyState === 'complete'");
    window.until(&row("desk1", "Logged in"));
    assert_eq!(company.agreed(Duration::from_secs(5)).unwrap(), ["101@desk1"]);

    // The feed that was lost while hotdesk was down is the only complaint.
    let complaints = window.complaints();
    let lost = |line: &&String| line.contains("/live") && (line.contains("ERR_") || line.contains("503"));
    let others: Vec<&String> = complaints.iter().filter(|line| !lost(line)).collect();
    assert!(others.is_empty(), "{others:?}");
}

#[test]
fn pages_beside_which_nothing_is_fit_every_window() {
    let Some(mut window) = Chromium::open() else { return };
    let (hotdesk, browser) = super::console();
    let pictures = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let at = browser.at;
    for (name, path) in [
        ("sign-in", "/sign-in".to_owned()),
        ("link", link(&hotdesk, "eva", "viewer")),
        ("error", "/nothing".into()),
    ] {
        for (width, dark) in [(1280, false), (390, true), (320, false)] {
            window.resize(width, dark);
            window.go(&format!("http://{at}{path}"));
            let over = window.run("return document.documentElement.scrollWidth - innerWidth");
            assert!(over.as_i64().unwrap() <= 0, "{name} at {width} is {over} pixels too wide");
            window.picture(&pictures.join(format!("{name}-{width}.png")));
        }
    }
    let complaints: Vec<String> =
        window.complaints().into_iter().filter(|line| !line.contains("404")).collect();
    assert!(complaints.is_empty(), "{complaints:?}");
}
