//! The pages of people, by forms alone.

use super::forms::{Form, fill};
use super::{console, enter};
use crate::harness::browser::Browser;
use crate::harness::hotdesk::Hotdesk;

/// A console with three people, and a browser of an account with this role.
fn people(role: &str) -> (Hotdesk, Browser) {
    let (hotdesk, mut browser) = console();
    hotdesk.add_user("101", "Alice <script>alert(1)</script>", "729154").unwrap();
    hotdesk.run(&["user", "add", "102", "--name", "Bob", "--no-hotdesk"]).unwrap();
    hotdesk.run(&["user", "add", "103", "--name", "Carol", "--groups", "support"]).unwrap();
    enter(&hotdesk, &mut browser, "eva", role);
    (hotdesk, browser)
}

/// The extensions on a page, in their order.
fn rows(page: &str) -> Vec<String> {
    let links = page.split("href=\"/c/people/").skip(1);
    links.filter_map(|rest| rest.split('"').next()).map(str::to_owned).collect()
}

#[test]
fn the_list_shows_who_is_where_and_the_filter_is_in_the_address() {
    let (hotdesk, mut browser) = people("operator");
    hotdesk.add_desk("desk1", "0205550101").unwrap();
    hotdesk.run(&["login", "101", "desk1"]).unwrap();
    let page = browser.get("/c/people").text();
    assert_eq!(rows(&page), ["101", "102", "103"]);
    assert!(page.contains("Alice &lt;script&gt;") && !page.contains("<script>alert"), "{page}");
    assert!(!page.contains("New person") && !page.contains(".csv"), "an operator reads: {page}");
    for (query, shown) in [
        ("q=BOB", &["102"][..]),
        ("q=support", &["103"]),
        ("state=logged-in", &["101"]),
        ("state=no-pin", &["102", "103"]),
        ("state=no-hotdesking", &["102"]),
        ("state=no-pin&q=carol", &["103"]),
        ("after=101", &["102", "103"]),
        ("state=nonsense&after=", &["101", "102", "103"]),
    ] {
        assert_eq!(rows(&browser.get(&format!("/c/people?{query}")).text()), shown, "{query}");
    }
    for n in 200..260 {
        hotdesk.run(&["user", "add", &n.to_string()]).unwrap();
    }
    let first = browser.get("/c/people?q=2").text();
    let next = first.split("class=\"btn small\" href=\"").nth(1).unwrap().split('"').next().unwrap();
    let second = rows(&browser.get(&next.replace("&amp;", "&")).text());
    assert_eq!((rows(&first).len(), second.len()), (50, 11), "{next}");
    assert!(rows(&first).iter().all(|row| !second.contains(row)));
}

#[test]
fn each_field_of_a_person_is_saved_and_shown_again() {
    let (hotdesk, mut browser) = people("administrator");
    hotdesk
        .run(&[
            "device",
            "add",
            "soft",
            "--switch",
            "pbx",
            "--dial",
            "PJSIP/soft",
            "--kind",
            "softphone",
            "--owner",
            "103",
            "--no-hotdesk",
        ])
        .unwrap();
    let typed = [
        ("name", "Carol \"C\" O'Neill & Co"),
        ("caller-id", "0205550103"),
        ("hotdesk", "no"),
        ("language", "nl"),
        ("class", "national"),
        ("mailbox", "103@default"),
        ("when-logged-out", "0205550199"),
        ("recording", "on-demand"),
        ("pickup", "sales"),
        ("account", "a-103"),
        ("numbers", "0205550103,0205550100"),
        ("group:support", "pause"),
        ("ring:soft", "off"),
        ("dnd", "on"),
        ("in-turn", "on"),
        ("forward-always", "0612345671"),
        ("forward-busy", "0612345672"),
        ("forward-unanswered", "0612345673"),
        ("auto-logout-at", "23:00"),
        ("auto-logout-days", "mon-fri"),
        ("auto-logout-after", "8h"),
        ("auto-logout-idle", "45m"),
        ("auto-logout-unregistered", "never"),
    ];
    fill(&mut browser, "/c/people/103", "/c/people/103", &typed, "saved");
    let form = Form::to("/c/people/103", &browser.get("/c/people/103"));
    for (name, value) in typed {
        assert_eq!(form.fields[name], value, "{name}");
    }
    // Each field that the form has was tried.
    let others: Vec<&String> =
        form.fields.keys().filter(|name| !typed.iter().any(|(is, _)| is == *name)).collect();
    assert_eq!(others, ["form", "was"]);
    let shown = hotdesk.run(&["user", "show", "103"]).unwrap();
    for part in [
        "Carol \"C\" O'Neill & Co",
        "on-demand",
        "support (paused)",
        "0205550199",
        "always to 0612345671",
        "mon-fri",
        "soft off",
    ] {
        assert!(shown.contains(part), "{part} is not in {shown}");
    }
    let journal = hotdesk.run(&["journal"]).unwrap();
    assert!(
        journal.contains("dnd no -> yes") && journal.contains("by eva (console, from 127.0.0.1)"),
        "{journal}"
    );
    assert!(
        !journal.contains("06123456"),
        "the journal has no number that calls are forwarded to: {journal}"
    );
    // Empty again.
    fill(
        &mut browser,
        "/c/people/103",
        "/c/people/103",
        &[("forward-always", ""), ("name", ""), ("dnd", "off"), ("group:support", "")],
        "saved",
    );
    fill(&mut browser, "/c/people/103", "/c/people/103", &[], "unchanged");
    let shown = hotdesk.run(&["user", "show", "103"]).unwrap();
    assert!(!shown.contains("Carol") && !shown.contains("support"), "{shown}");
}

#[test]
fn two_administrators_edit_one_person_and_neither_loses_the_others_change() {
    let (hotdesk, mut eva) = people("administrator");
    let mut kim = Browser::of(&hotdesk);
    enter(&hotdesk, &mut kim, "kim", "administrator");
    let path = "/c/people/102";
    let (of_eva, of_kim) = (Form::to(path, &eva.get(path)), Form::to(path, &kim.get(path)));
    let saved = of_eva.with(&[("name", "Bob the First"), ("class", "national")]).send(&mut eva);
    assert_eq!(saved.status, 303, "{}", saved.text());
    // And the user's own phone, meanwhile.
    hotdesk.run(&["user", "set", "102", "--dnd", "on"]).unwrap();
    let clash = of_kim.with(&[("name", "Bob the Second"), ("account", "kim")]).send(&mut kim);
    assert_eq!(clash.status, 409, "{}", clash.text());
    let text = clash.text();
    let table = text.split("What changed meanwhile").nth(1).unwrap().split("</table>").next().unwrap();
    for part in ["Bob the First", "Bob the Second", "national", "Do not disturb", "Class of service"] {
        assert!(table.contains(part), "{part} is not in {table}");
    }
    assert!(text.contains("role=\"alert\"") && !table.contains("Account"), "{table}");
    let before = hotdesk.run(&["user", "show", "102"]).unwrap();
    assert!(before.contains("Bob the First") && !before.contains("kim"), "nothing was written: {before}");
    // The form has what is there now, and what was typed: both are kept, and the last word is the administrator's.
    let merged = Form::to(path, &clash);
    for (name, value) in
        [("name", "Bob the Second"), ("account", "kim"), ("class", "national"), ("dnd", "on")]
    {
        assert_eq!(merged.fields[name], value, "{name}");
    }
    assert_eq!(merged.send(&mut kim).status, 303);
    let after = hotdesk.run(&["user", "show", "102"]).unwrap();
    for part in ["Bob the Second", "kim", "national"] {
        assert!(after.contains(part), "{part} is not in {after}");
    }
    // One who was removed meanwhile.
    let late = Form::to(path, &eva.get(path)).with(&[("name", "Bob")]);
    hotdesk.run(&["user", "remove", "102"]).unwrap();
    assert_eq!(late.send(&mut eva).status, 404);
}

#[test]
fn what_is_wrong_names_its_field_and_what_was_typed_stays() {
    let (hotdesk, mut browser) = people("administrator");
    for (name, value, why) in [
        ("caller-id", "0205x", "is not a number"),
        ("numbers", "1,2,3,4,5,6,7,8,9,10", "at most 9 numbers"),
        ("mailbox", "a@b@c", "is not a mailbox"),
        ("class", "two words", "is not a dialplan context"),
        ("auto-logout-at", "25:00", "25:00"),
        ("language", "dutch", "is not a language"),
    ] {
        let form = Form::to("/c/people/101", &browser.get("/c/people/101"))
            .with(&[(name, value), ("account", "kept")]);
        let answer = form.send(&mut browser);
        let text = answer.text();
        assert_eq!(answer.status, 422, "{name}");
        let error =
            text.split(&format!("id=\"f-{name}-wrong\"")).nth(1).unwrap_or_else(|| panic!("{name}: {text}"));
        let error = error.split('<').next().unwrap();
        assert!(error.contains(why), "{name}: {error}");
        for part in [
            format!("href=\"#f-{name}\""),
            "aria-invalid=\"true\"".into(),
            "role=\"alert\"".into(),
            "value=\"kept\"".into(),
        ] {
            assert!(text.contains(&part), "{name}: {part} is not in {text}");
        }
        assert_eq!(Form::to("/c/people/101", &answer).fields[name], value);
    }
    // Rules of the store, too.
    for (name, value, why) in
        [("forward-always", "112", "emergency number"), ("when-logged-out", "101", "calls would loop")]
    {
        let form = Form::to("/c/people/101", &browser.get("/c/people/101")).with(&[(name, value)]);
        let answer = form.send(&mut browser);
        assert!(answer.status == 422 && answer.text().contains(why), "{name}: {}", answer.text());
    }
    let page = browser.get("/c/people/101");
    let forged = Form::to("/c/people/101", &page).with(&[("was", "{}")]).send(&mut browser);
    assert_eq!(forged.status, 400);
    let mut other = Form::to("/c/people/101", &page).with(&[("name", "X")]);
    let of_102 = Form::to("/c/people/102", &browser.get("/c/people/102"));
    other.fields.insert("was".into(), of_102.fields["was"].clone());
    assert_eq!(other.send(&mut browser).status, 400, "a form is for one person");
    assert!(hotdesk.run(&["user", "show", "101"]).unwrap().contains("Alice"));
}

#[test]
fn a_person_is_added_and_removed() {
    let (hotdesk, mut browser) = people("administrator");
    hotdesk.add_desk("desk1", "0205550101").unwrap();
    let add = |browser: &mut Browser, typed: &[(&str, &str)]| {
        let page = browser.get("/c/new/person");
        Form::to("/c/people", &page).with(typed).send(browser)
    };
    for (extension, why) in [
        ("", "is not an extension"),
        ("1x", "is not an extension"),
        ("101", "there is a person 101 already"),
        ("112", "emergency number"),
    ] {
        let answer = add(
            &mut browser,
            &[("extension", extension), ("name", "Dora"), ("class", "bad class")]
                [..if extension == "1x" { 3 } else { 2 }],
        );
        let text = answer.text();
        assert!(
            answer.status == 422 && text.contains(why) && text.contains("value=\"Dora\""),
            "{extension}: {text}"
        );
        assert_eq!(
            text.contains("is not a dialplan context"),
            extension == "1x",
            "all that is wrong is said at once"
        );
    }
    assert_eq!(Form::to("/c/people", &browser.get("/c/new/person")).fields["extension"], "");
    let added = add(&mut browser, &[("extension", "104"), ("name", "Dora")]);
    assert_eq!(added.header("location"), Some("/c/people/104?said=added"), "{}", added.text());
    hotdesk.run(&["login", "104", "desk1"]).unwrap();
    let ask = browser.get("/c/people/104/remove");
    assert!(ask.text().contains("The login at desk1 ends."), "{}", ask.text());
    let token = ask.field("form");
    let removed = browser.post("/c/people/104/remove", &[("form", &token)]);
    assert_eq!(removed.header("location"), Some("/c/people?said=removed"));
    assert!(!hotdesk.run(&["status"]).unwrap().contains("104"));
    for gone in [browser.get("/c/people/104"), browser.get("/c/people/104/remove")] {
        assert_eq!(gone.status, 404);
    }
    assert_ne!(browser.post("/c/people/104/remove", &[("form", &token)]).status, 303, "once");
}

#[test]
fn a_pin_is_shown_once_and_written_nowhere() {
    let (hotdesk, mut browser) = people("administrator");
    let token = browser.get("/c/people/102").field("form");
    for (pin, why) in
        [("123", "4 to 10 digits"), ("1234", "its digits lie in a row"), ("abcdef", "4 to 10 digits")]
    {
        let answer = browser.post("/c/people/102/pin", &[("form", &token), ("pin", pin)]);
        let text = answer.text();
        assert!(
            answer.status == 422 && text.contains(why) && !text.contains(&format!("\"{pin}\"")),
            "{pin}: {text}"
        );
    }
    let set = browser.post("/c/people/102/pin", &[("form", &token), ("pin", "583617")]);
    assert!(set.status == 200 && !set.text().contains("583617"), "{}", set.text());
    let made = browser.post("/c/people/102/pin", &[("form", &token)]);
    assert_eq!((made.status, made.header("cache-control")), (200, Some("no-store")));
    let pin = made.text().split("id=\"made-pin\">").nth(1).unwrap().split('<').next().unwrap().to_owned();
    assert!(pin.len() == 6 && pin.bytes().all(|byte| byte.is_ascii_digit()), "{pin}");
    let page = browser.get("/c/people/102").text();
    assert!(page.contains("A PIN was set on"), "{page}");
    let journal = hotdesk.run(&["journal"]).unwrap();
    assert_eq!(journal.matches("user 102 has a new PIN, by eva (console").count(), 2, "{journal}");
    let files = std::fs::read_dir(hotdesk.folder()).unwrap().map(|file| file.unwrap().path());
    for file in files.filter(|file| file.is_file()) {
        let text = String::from_utf8_lossy(&std::fs::read(&file).unwrap()).into_owned();
        for secret in ["583617", pin.as_str()] {
            assert!(!text.contains(secret), "{secret} is in {}", file.display());
        }
    }
    assert!(!page.contains(&pin) && !journal.contains(&pin));
    assert_eq!(browser.post("/c/people/999/pin", &[("form", &token)]).status, 404);
}

#[test]
fn an_operator_reads_a_person_and_changes_nothing() {
    let (_hotdesk, mut browser) = people("operator");
    let page = browser.get("/c/people/103").text();
    assert!(page.contains("Carol") && page.contains("signed out"), "{page}");
    for hidden in ["id=\"record\"", "/remove", "/pin", "name=\"name\""] {
        assert!(!page.contains(hidden), "{hidden} is in {page}");
    }
    assert!(page.contains("Clear a lockout"), "{page}");
}

#[test]
fn an_export_has_the_columns_of_an_import_and_no_formulas() {
    let (hotdesk, mut browser) = people("administrator");
    hotdesk
        .run(&["user", "set", "102", "--name", "=HYPERLINK(\"x\")", "--caller-id", "+31205550102"])
        .unwrap();
    let sheet = browser.get("/c/people.csv");
    assert_eq!(sheet.header("content-type"), Some("text/csv; charset=utf-8"));
    assert!(sheet.header("content-disposition").unwrap().contains("people.csv"));
    let text = sheet.text();
    assert!(
        text.starts_with("extension,name,caller-id,hotdesk,language,class,mailbox,when-logged-out"),
        "{text}"
    );
    assert!(text.contains("102,\"'=HYPERLINK(\"\"x\"\")\",'+31205550102,no"), "{text}");
    for path in ["/c/devices.csv", "/c/locations.csv"] {
        assert_eq!(browser.get(path).status, 200);
    }
}
