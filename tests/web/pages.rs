//! The pages of devices, locations, the journal, lockouts, switches, and the one that explains; by forms alone.

use super::forms::{Form, fill};
use super::{console, enter};
use crate::harness::browser::Browser;
use crate::harness::failures::fail;
use crate::harness::hotdesk::Hotdesk;

fn company(role: &str) -> (Hotdesk, Browser) {
    let (hotdesk, mut browser) = console();
    hotdesk.add_user("101", "Alice", "729154").unwrap();
    hotdesk.add_desk("desk1", "0205550101").unwrap();
    enter(&hotdesk, &mut browser, "eva", role);
    (hotdesk, browser)
}

#[test]
fn a_location_and_a_device_are_added_changed_and_removed() {
    let (hotdesk, mut browser) = company("administrator");
    let of_location = [
        ("location", "berlin-2"),
        ("zone", "Europe/Berlin"),
        ("language", "de"),
        ("address", "Dam 1, Berlin"),
        ("emergency-numbers", "112"),
        ("auto-logout-at", "22:00"),
    ];
    fill(&mut browser, "/c/new/location", "/c/locations", &of_location, "added");
    let form = Form::to("/c/locations/berlin-2", &browser.get("/c/locations/berlin-2"));
    for (name, value) in &of_location[1..] {
        assert_eq!(form.fields[*name], *value, "{name}");
    }
    for (name, value, why) in [
        ("zone", "Mars/Olympus", "is not a time zone"),
        ("emergency-numbers", "999", "is not in [emergency] numbers"),
    ] {
        let answer = form.clone().with(&[(name, value)]).send(&mut browser);
        let text = answer.text();
        assert!(
            answer.status == 422 && text.contains(why) && text.contains(&format!("id=\"f-{name}-wrong\"")),
            "{text}"
        );
    }
    let of_device = [
        ("device", "desk9"),
        ("switch", "pbx"),
        ("dial", "PJSIP/desk9"),
        ("location", "berlin-2"),
        ("owner", "101"),
        ("allow-from", "192.0.2.0/24 any"),
        ("may-dial", "100,200"),
        ("class", "internal"),
        ("auto-logout-idle", "45m"),
    ];
    let empty = Form::to("/c/devices", &browser.get("/c/new/device")).fields;
    assert_eq!(
        (empty["device"].as_str(), empty["dial"].as_str(), empty["hotdesk"].as_str()),
        ("", "", "yes")
    );
    // Its location has no emergency caller ID: that can be insisted on, and the journal says so.
    let refused = Form::to("/c/devices", &browser.get("/c/new/device")).with(&of_device).send(&mut browser);
    let text = refused.text();
    assert!(
        refused.status == 422 && text.contains("hotdesking needs a location with an emergency caller ID"),
        "{text}"
    );
    assert!(text.contains("id=\"f-location-wrong\"") || text.contains("#f-location"), "{text}");
    assert!(
        text.contains("name=\"force\"") && !browser.get("/c/new/device").text().contains("name=\"force\"")
    );
    let mut forced = Form::to("/c/devices", &refused);
    forced.fields.insert("force".into(), "yes".into());
    assert_eq!(forced.send(&mut browser).header("location"), Some("/c/devices/desk9?said=added"));
    let form = Form::to("/c/devices/desk9", &browser.get("/c/devices/desk9"));
    for (name, value) in
        [("dial", "PJSIP/desk9"), ("owner", "101"), ("allow-from", "192.0.2.0/24"), ("may-dial", "100,200")]
    {
        assert_eq!(form.fields[name], value, "{name}");
    }
    let journal = hotdesk.run(&["journal"]).unwrap();
    assert!(
        journal.contains("desk9 is for hotdesking without an emergency caller ID, by eva (console"),
        "{journal}"
    );
    for (name, value, why) in [
        ("dial", "desk9", "is not a dial target"),
        ("allow-from", "192.0.2.0/33", "use a network"),
        ("kind", "mobile", "cannot log in at a mobile"),
        ("owner", "199", "there is no user 199"),
    ] {
        let answer = form.clone().with(&[(name, value)]).send(&mut browser);
        let text = answer.text();
        assert!(
            answer.status == 422 && text.contains(why) && text.contains(&format!("id=\"f-{name}-wrong\"")),
            "{name}: {text}"
        );
    }
    // What is in use stays.
    let page = browser.get("/c/locations/berlin-2/remove");
    let in_use = browser.post("/c/locations/berlin-2/remove", &[("form", &page.field("form"))]);
    assert!(
        in_use.status == 409 && in_use.text().contains("device desk9 is still at this location"),
        "{}",
        in_use.text()
    );
    hotdesk.run(&["login", "101", "desk9"]).unwrap();
    let page = browser.get("/c/devices/desk9/remove");
    assert!(page.text().contains("User 101 is logged out there."), "{}", page.text());
    for path in ["/c/devices/desk9/remove", "/c/locations/berlin-2/remove"] {
        let removed = browser.post(path, &[("form", &page.field("form"))]);
        assert_eq!(removed.status, 303, "{path}: {}", removed.text());
    }
    let devices = browser.get("/c/devices").text();
    assert!(devices.contains("/c/devices/desk1") && !devices.contains("desk9"), "{devices}");
}

#[test]
fn two_administrators_edit_one_device() {
    let (hotdesk, mut browser) = company("administrator");
    let path = "/c/devices/desk1";
    let open = Form::to(path, &browser.get(path));
    hotdesk.run(&["device", "set", "desk1", "--may-dial", "100"]).unwrap();
    let clash = open.with(&[("owner", "101")]).send(&mut browser);
    assert!(clash.status == 409 && clash.text().contains("May dial without a user"), "{}", clash.text());
    let merged = Form::to(path, &clash);
    assert_eq!((merged.fields["owner"].as_str(), merged.fields["may-dial"].as_str()), ("101", "100"));
    assert_eq!(merged.send(&mut browser).status, 303);
}

#[test]
fn the_emergency_self_test_says_unknown_where_nothing_was_read() {
    let (_hotdesk, mut browser) = company("operator");
    // Its switch is not there.
    let page = browser.get("/c/locations/room-of-desk1").text();
    assert!(
        page.contains("Emergency self test") && page.contains("not known: not connected to the switch"),
        "{page}"
    );
    assert!(!page.contains("would show"), "{page}");
}

#[test]
fn the_journal_is_filtered_and_paged_and_an_operator_sees_seven_days() {
    let (hotdesk, mut browser) = company("administrator");
    hotdesk.run(&["login", "101", "desk1"]).unwrap();
    hotdesk.run(&["logout", "101"]).unwrap();
    let rows = |page: &str| {
        page.split("<tbody>").nth(1).unwrap_or_default().split("</tbody>").next().unwrap().to_owned()
    };
    let all = rows(&browser.get("/c/journal").text());
    let at = |text: &str| all.find(text).unwrap_or_else(|| panic!("{text} is not in {all}"));
    assert!(at("101 logged out at desk1") < at("101 logged in at desk1"), "the newest first");
    assert!(at("101 logged in at desk1") < at("device desk1 added"), "{all}");
    for (query, has, lacks) in [
        ("kind=sessions", "logged in at desk1", "device desk1 added"),
        ("kind=accounts", "account eva", "logged in at desk1"),
        ("user=101", "user 101 added", "location room"),
        ("device=desk1&kind=changes", "device desk1 added", "user 101 added"),
        ("from=2020-01-01", "user 101 added", "nonsense"),
        ("to=2020-01-01", "", "user 101 added"),
        ("user=999", "", "101"),
        ("kind=%3Cscript%3E&before=x&from=yesterday", "user 101 added", "<script>"),
    ] {
        let rows = rows(&browser.get(&format!("/c/journal?{query}")).text());
        assert!(rows.contains(has) && !rows.contains(lacks), "{query}: {rows}");
    }
    for n in 300..360 {
        hotdesk.run(&["user", "add", &n.to_string()]).unwrap();
    }
    let first = browser.get("/c/journal?kind=changes").text();
    let next = first
        .split("class=\"btn small\" href=\"")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap()
        .replace("&amp;", "&");
    let second = rows(&browser.get(&next).text());
    assert_eq!(rows(&first).matches("<tr>").count(), 50);
    assert!(
        second.contains("user 101 added")
            && second.contains("user 309 added")
            && !second.contains("user 310 added"),
        "{next}: {second}"
    );
    let mut jan = Browser::of(&hotdesk);
    enter(&hotdesk, &mut jan, "jan", "operator");
    let page = jan.get("/c/journal").text();
    assert!(page.contains("The last 7 days") && page.contains("user 359 added"), "{page}");
}

#[test]
fn lockouts_are_listed_and_cleared() {
    let (hotdesk, mut browser) = company("operator");
    assert!(browser.get("/c/lockouts").text().contains("There is no lockout."));
    let now = jiff::Timestamp::from_second(jiff::Timestamp::now().as_second()).unwrap();
    for user in ["101", "86420975"] {
        fail(hotdesk.folder(), (user, "desk1"), 5, now);
    }
    let page = browser.get("/c/lockouts");
    let text = page.text();
    for part in ["Person 101", "Device desk1", "An extension that no user has", "Clear all"] {
        assert!(text.contains(part), "{part} is not in {text}");
    }
    assert!(!text.contains("86420975"), "what no user has may be a PIN");
    let cleared = browser.post("/c/lockouts", &[("form", &page.field("form")), ("user", "101")]);
    assert_eq!(cleared.status, 303);
    let text = browser.get("/c/lockouts").text();
    assert!(!text.contains("Person 101") && text.contains("Device desk1"), "{text}");
    let token = browser.get("/c/lockouts").field("form");
    for fields in
        [&[("user", "101"), ("back", "/c/people/101")][..], &[("device", "desk1")], &[("all", "yes")]]
    {
        let mut sent = vec![("form", token.as_str())];
        sent.extend(fields);
        let answer = browser.post("/c/lockouts", &sent);
        let to = answer.header("location").unwrap_or_default();
        assert!(answer.status == 303 && to.ends_with("said=unlocked"), "{}", answer.text());
        assert_eq!(to.starts_with("/c/people/101"), fields[0].0 == "user");
    }
    assert!(browser.get("/c/lockouts").text().contains("There is no lockout."));
    assert_eq!(browser.post("/c/lockouts", &[("form", &token)]).status, 400);
    let journal = hotdesk.run(&["journal"]).unwrap();
    for line in
        ["lockout of user 101 ended, by eva (console", "lockout of device desk1 ended", "all lockouts ended"]
    {
        assert!(journal.contains(line), "{line} is not in {journal}");
    }
}

#[test]
fn why_and_switches_say_what_is_known() {
    let (hotdesk, mut browser) = company("operator");
    hotdesk.run(&["login", "101", "desk1"]).unwrap();
    for path in ["/c/why/101", "/c/why/desk1", "/c/why/device/desk1"] {
        let page = browser.get(path).text();
        assert!(
            page.contains("101 (Alice) is logged in at desk1 since")
                && page.contains("101 logged in at desk1, by"),
            "{page}"
        );
        assert!(page.contains("It could not be read, so nothing is known of its records"), "{page}");
    }
    assert_eq!(browser.get("/c/why/device/101").status, 404);
    let list = browser.get("/c/switches").text();
    assert!(list.contains("/c/switches/pbx"), "{list}");
    let compared = browser.get("/c/switches/pbx").text();
    assert!(compared.contains("could not be read"), "{compared}");
    assert_eq!(browser.get("/c/switches/other").status, 404);
}

#[test]
fn the_navigation_leads_to_what_a_role_may_see() {
    let (hotdesk, _) = company("administrator");
    let parts = ["/c/people", "/c/devices", "/c/locations", "/c/journal", "/c/lockouts", "/c/switches"];
    for (account, role, sees) in
        [("vic", "viewer", false), ("ole", "operator", true), ("amy", "administrator", true)]
    {
        let mut browser = Browser::of(&hotdesk);
        enter(&hotdesk, &mut browser, account, role);
        let page = browser.get("/c").text();
        for part in parts {
            assert_eq!(page.contains(&format!("href=\"{part}\"")), sees, "{role} {part}");
            if sees {
                let page = browser.get(part).text();
                assert_eq!(page.matches("<h1>").count(), 1, "{part}");
                assert!(page.contains(&format!("href=\"{part}\" aria-current=\"page\"")), "{part}: {page}");
            }
        }
    }
}
