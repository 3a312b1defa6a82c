//! An administrator's day in a real Chromium, with a real Asterisk and a real phone.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{ON, PASSWORD, link};
use crate::harness::browser::Browser;
use crate::harness::chromium::Chromium;
use crate::harness::company::{Company, dial_code};
use crate::harness::debian::Version;

fn company() -> Company {
    let program = [PathBuf::from(env!("CARGO_BIN_EXE_hotdesk"))];
    let groups = "[[group]]\nname = \"sales\"\nswitch = \"pbx\"\nkind = \"queue\"\n";
    Company::open_with(&program, Version::Current, "sqlite:hotdesk.db", &format!("{ON}{groups}")).unwrap()
}

/// Signs in, in a window.
fn enter(window: &mut Chromium, company: &Company) -> String {
    let at = format!("http://{}", Browser::of(&company.hotdesk).at);
    window.go(&format!("{at}{}", link(&company.hotdesk, "eva", "administrator")));
    window.type_keys(&format!("{PASSWORD}\u{e007}"));
    window.until("location.pathname === '/c' && document.readyState === 'complete'");
    at
}

const LOADED: &str = "document.readyState === 'complete'";

#[test]
fn a_new_person_dials_with_the_pin_that_was_shown_once() {
    let Some(mut window) = Chromium::open() else { return };
    let company = company();
    let phone = company.pbx.phone("desk1").unwrap();
    let at = enter(&mut window, &company);
    window.go(&format!("{at}/c/new/person"));
    window.run("document.getElementById('f-extension').focus()");
    window.type_keys("104\u{e004}Dora de Boer\u{e007}");
    window.until(&format!("location.pathname === '/c/people/104' && {LOADED}"));
    window.run(
        "[...document.querySelectorAll('button')].find(it => it.textContent.startsWith('Generate')).click()",
    );
    window.until("document.getElementById('made-pin') !== null");
    let pin = window.run("return document.getElementById('made-pin').textContent");
    let pin = pin.as_str().unwrap();
    assert_eq!(window.run("return location.pathname + location.search"), "/c/people/104/pin");
    dial_code(&phone, &format!("*35*104*{pin}"), &[]).unwrap();
    window.go(&format!("{at}/c"));
    window.until("document.getElementById('desk-desk1')?.textContent.includes('Dora de Boer') ?? false");
    assert_eq!(company.agreed(Duration::from_secs(5)).unwrap(), ["104@desk1"]);
    // What the switch holds is in sync, as the pages say.
    window.go(&format!("{at}/c/why/104"));
    window.until("document.body.textContent.includes('in sync: it holds all that it should')");
    window.go(&format!("{at}/c/switches/pbx"));
    window.until("/in sync, \\d+ records/.test(document.body.textContent)");
    window.go(&format!("{at}/c/locations/room-of-desk1"));
    window.until("document.body.textContent.includes('would show 0205550101')");
    // Removed, the phone is free.
    window.go(&format!("{at}/c/people/104"));
    window.run("document.querySelector('a[href$=\"/remove\"]').click()");
    window.until(&format!("location.pathname === '/c/people/104/remove' && {LOADED}"));
    assert!(
        window.run("return document.body.textContent").as_str().unwrap().contains("The login at desk1 ends.")
    );
    window.run("document.querySelector('main form button').click()");
    window.until(&format!("location.pathname === '/c/people' && {LOADED}"));
    assert!(company.agreed(Duration::from_secs(5)).unwrap().is_empty());
    let complaints = window.complaints();
    assert!(complaints.is_empty(), "{complaints:?}");
}

/// A script that names what is wrong with a page for those who do not see it, or have no mouse.
const BARRIERS: &str = "
    const all = (selector, root = document) => [...root.querySelectorAll(selector)];
    const wrong = [];
    if (all('h1').length !== 1) wrong.push('h1: ' + all('h1').length);
    for (const field of all('input:not([type=hidden]), select, textarea')) {
        if (!field.labels.length && !field.getAttribute('aria-label')) wrong.push('no label: ' + field.outerHTML);
        for (const id of (field.getAttribute('aria-describedby') ?? '').split(' ').filter(id => id)) {
            if (!document.getElementById(id)) wrong.push('no description ' + id);
        }
    }
    for (const table of all('table')) {
        if (!table.caption) wrong.push('no caption');
        if (all('thead th:not([scope]), tbody th:not([scope])', table).length) wrong.push('no scope');
    }
    for (const control of all('a, button, summary')) {
        if (!control.textContent.trim() && !control.getAttribute('aria-label')) wrong.push('no name: ' + control.outerHTML);
    }
    const ids = all('[id]').map(it => it.id);
    for (const id of ids) if (ids.indexOf(id) !== ids.lastIndexOf(id)) wrong.push('twice: ' + id);
    if (innerWidth < 500) {
        for (const control of all('main button, main select, main input:not([type=hidden]):not([type=checkbox]), nav.tabbar > a')) {
            const height = control.getBoundingClientRect().height;
            if (height > 0 && height < 40) wrong.push('only ' + height + ' high: ' + control.outerHTML);
        }
    }
    return wrong.concat(document.documentElement.scrollWidth > innerWidth
        ? ['too wide by ' + (document.documentElement.scrollWidth - innerWidth)] : []);
";

#[test]
fn each_page_fits_every_window_and_has_no_barrier() {
    let Some(mut window) = Chromium::open() else { return };
    let company = company();
    let run = |args: &[&str]| company.hotdesk.run(args).unwrap();
    run(&["user", "set", "102", "--groups", "sales", "--numbers", "0205550102,0205550100", "--dnd", "on"]);
    run(&["user", "add", "110", "--name", "Wilhelmina-Alexandrina van Oranje-Nassau-Schwarzburg"]);
    run(&["device", "set", "desk3", "--owner", "103"]);
    run(&["location", "add", "without-a-number"]);
    run(&["login", "101", "desk1"]);
    let at = enter(&mut window, &company);
    let pages = [
        ("people", "/c/people"),
        ("person", "/c/people/102"),
        ("person-long", "/c/people/110"),
        ("new-person", "/c/new/person"),
        ("remove", "/c/people/101/remove"),
        ("devices", "/c/devices"),
        ("device", "/c/devices/desk3"),
        ("new-device", "/c/new/device"),
        ("locations", "/c/locations"),
        ("location", "/c/locations/room-of-desk1"),
        ("new-location", "/c/new/location"),
        ("journal", "/c/journal"),
        ("lockouts", "/c/lockouts"),
        ("switches", "/c/switches"),
        ("switch", "/c/switches/pbx"),
        ("why", "/c/why/101"),
    ];
    let pictures = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let mut wrong = vec![];
    for (name, path) in pages {
        for (width, dark) in [(1280, false), (1280, true), (390, false), (390, true), (320, false)] {
            window.resize(width, dark);
            window.go(&format!("{at}{path}"));
            let barriers = window.run(BARRIERS);
            let barriers: Vec<String> = serde_json::from_value(barriers).unwrap();
            wrong.extend(barriers.into_iter().map(|barrier| format!("{path} at {width}: {barrier}")));
            let theme = if dark { "dark" } else { "light" };
            window.picture(&pictures.join(format!("page-{name}-{width}-{theme}.png")));
        }
    }
    // A form that was refused, and one that clashed.
    window.resize(1280, false);
    window.go(&format!("{at}/c/people/102"));
    run(&["user", "set", "102", "--name", "Robert"]);
    window.run("document.getElementById('f-name').value = 'Bobby'; document.getElementById('f-class').value = 'two words'; document.getElementById('record').requestSubmit()");
    window.until(&format!("document.querySelector('[role=alert]') !== null && {LOADED}"));
    window.picture(&pictures.join("page-refused-1280-light.png"));
    wrong.extend(serde_json::from_value::<Vec<String>>(window.run(BARRIERS)).unwrap());
    window.run(
        "document.getElementById('f-class').value = ''; document.getElementById('record').requestSubmit()",
    );
    window.until(&format!("document.body.textContent.includes('someone else changed') && {LOADED}"));
    for (width, dark) in [(1280, false), (390, true)] {
        window.resize(width, dark);
        window.picture(&pictures.join(format!("page-clash-{width}.png")));
        wrong.extend(serde_json::from_value::<Vec<String>>(window.run(BARRIERS)).unwrap());
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    // Answers that refuse are no complaints.
    let complaints: Vec<String> = window
        .complaints()
        .into_iter()
        .filter(|line| !line.contains("422") && !line.contains("409"))
        .collect();
    assert!(complaints.is_empty(), "{complaints:?}");
}
