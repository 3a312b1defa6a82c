//! Keys: who is let through, how a key ends, and where it is not written.

use super::{Program, T, furnished, problem};
use crate::harness::browser::Browser;
use crate::web::{enter, hotdesk};

#[test]
fn a_key_opens_what_its_role_may_until_it_is_removed() {
    let (hotdesk, mut viewer) = furnished("viewer");
    assert_eq!(viewer.get("/sessions").status, 200);
    let low = problem(&viewer.get("/users"), 403, "forbidden");
    assert!(low["detail"].as_str().unwrap().contains("operator"), "{low}");
    let mut operator = Program::new(&hotdesk, "desk-book", "operator");
    assert_eq!(operator.get("/users").status, 200);
    let again = hotdesk.output(&["web", "key", "add", "crm", "--role", "viewer"], "").unwrap();
    assert!(
        !again.status.success()
            && String::from_utf8_lossy(&again.stderr).contains("there is a key crm already")
    );
    let long = hotdesk.output(&["web", "key", "add", "x", "--role", "viewer", "--days", "366"], "").unwrap();
    assert!(!long.status.success());
    let list = hotdesk.run(&["web", "key", "list"]).unwrap();
    assert!(list.contains("crm        viewer    20") && list.contains("desk-book  operator  20"), "{list}");
    let json: serde_json::Value =
        serde_json::from_str(&hotdesk.run(&["web", "key", "list", "--json"]).unwrap()).unwrap();
    assert!(json[0]["used"].is_string() && json[0]["key"] == "crm", "{json}");
    hotdesk.run(&["web", "key", "remove", "crm"]).unwrap();
    let refused = viewer.get("/sessions");
    problem(&refused, 401, "signed-out");
    assert_eq!(refused.header("www-authenticate"), Some("Bearer realm=\"hotdesk\", error=\"invalid_token\""));
    assert_eq!(operator.get("/sessions").status, 200);
}

#[test]
fn without_a_good_key_there_is_401_and_after_many_429() {
    let (_hotdesk, mut program) = furnished("operator");
    let bare = program.browser.send("GET", &format!("{T}/sessions"), &[], "").unwrap();
    problem(&bare, 401, "signed-out");
    assert_eq!(bare.header("www-authenticate"), Some("Bearer realm=\"hotdesk\""));
    let good = program.key.clone();
    let secret = good.rsplit('_').next().unwrap();
    let wrong = format!("Bearer hd_default_{}", "0".repeat(64));
    let mut send = |headers: &[(&str, &str)]| {
        program.browser.send("GET", &format!("{T}/sessions"), headers, "").unwrap()
    };
    let good = format!("Bearer {good}");
    for bad in [
        "Basic YTpi",
        "Bearer",
        "Bearer x",
        &format!("Bearer hd_{secret}"),
        &format!("Bearer hd_other_{secret}"),
    ] {
        problem(&send(&[("authorization", bad)]), 401, "signed-out");
    }
    problem(&send(&[("authorization", &good), ("authorization", &wrong)]), 401, "signed-out");
    let mut statuses = vec![];
    for _ in 0..20 {
        statuses.push(send(&[("authorization", &wrong)]).status);
    }
    assert_eq!(statuses.iter().filter(|status| **status == 401).count(), 14, "{statuses:?}");
    let later = send(&[("authorization", &wrong)]);
    problem(&later, 429, "too-many");
    let seconds: u64 = later.header("retry-after").unwrap().parse().unwrap();
    assert!((600..=901).contains(&seconds), "{seconds}");
    assert_eq!(send(&[("authorization", &good)]).status, 200, "a good key goes on");
}

#[test]
fn a_script_of_our_pages_uses_its_cookie_and_a_page_of_another_site_does_not() {
    let (hotdesk, _) = furnished("viewer");
    let mut browser = Browser::of(&hotdesk);
    enter(&hotdesk, &mut browser, "eva", "operator");
    let path = format!("{T}/sessions/desk1");
    let json = ("content-type", "application/json");
    let put = |browser: &mut Browser, headers: &[(&str, &str)]| {
        browser.send("PUT", &path, headers, "{\"user\":\"101\"}").unwrap()
    };
    for headers in
        [&[json][..], &[json, ("sec-fetch-site", "cross-site")], &[json, ("origin", "http://evil.example")]]
    {
        problem(&put(&mut browser, headers), 403, "foreign-origin");
    }
    // With a key it is no script of the console, so its cookie proves nothing.
    problem(&put(&mut browser, &[json, ("authorization", "Bearer x")]), 401, "signed-out");
    assert_eq!(put(&mut browser, &[json, ("sec-fetch-site", "same-origin")]).status, 202);
    let journal = hotdesk.run(&["journal"]).unwrap();
    assert!(journal.contains("101 logged in at desk1, by eva (console, from 127.0.0.1)"), "{journal}");
}

#[test]
fn what_is_of_another_tenant_is_not_there() {
    let several = "[[tenant]]\nname = \"acme\"\n";
    let hotdesk = hotdesk(&format!("tenants = [\"default\", \"acme\"]\n{}{several}", super::super::ON));
    let printed =
        hotdesk.run(&["--tenant", "acme", "web", "key", "add", "crm", "--role", "administrator"]).unwrap();
    let mut program = Program { browser: Browser::of(&hotdesk), key: printed.trim().to_owned() };
    assert!(program.key.starts_with("hd_acme_"));
    assert_eq!(program.get("/api/v1/tenants/acme/users").status, 200);
    for path in ["/users", "/sessions", "/api/v1/tenants/nobody/users"] {
        problem(&program.get(path), 404, "missing");
    }
    assert!(hotdesk.run(&["--tenant", "default", "web", "key", "list", "--json"]).unwrap().trim() == "[]");
}

#[test]
fn no_key_and_no_pin_is_written_anywhere() {
    let (hotdesk, mut program) = furnished("administrator");
    let put = program.send("PUT", "/users/101/pin", &[], "{\"pin\":\"729154\"}");
    assert_eq!(put.status, 204, "{}", put.text());
    let made = program.send("POST", "/users/102/pin", &[], "");
    let made = super::json(&made)["pin"].as_str().unwrap().to_owned();
    let bad =
        program.send("PUT", "/users/101/pin", &[], "{\"pin\":\"canary-in-the-pin\", \"canary-field\": 1}");
    assert!(!bad.text().contains("canary-in-the-pin"), "{}", bad.text());
    program.send("PUT", "/users/101/pin", &[], "{\"pin\":\"canary-in-the-body");
    program.send("GET", "/users/canary-in-the-path?q=canary-in-the-query", &[], "");
    let secret = program.key.rsplit('_').next().unwrap().to_owned();
    let files = std::fs::read_dir(hotdesk.folder()).unwrap().map(|file| file.unwrap().path());
    let read = |path: std::path::PathBuf| std::fs::read(path).unwrap_or_default();
    let mut written: String = files.map(|path| String::from_utf8_lossy(&read(path)).into_owned()).collect();
    assert!(written.contains("crm"), "the store is read");
    for command in [&["journal", "--json"][..], &["web", "key", "list", "--json"]] {
        written += &hotdesk.run(command).unwrap();
    }
    written += &program.get("/journal").text();
    for canary in [secret.as_str(), "canary", &format!("\"{made}\""), "\"729154\"", &format!(" {made} ")] {
        assert!(!written.contains(canary), "{canary}");
    }
    // The PIN that was made is the user's: the same one again is refused by phone only, so it is set and works.
    assert!(made.len() == 6 && made.bytes().all(|byte| byte.is_ascii_digit()), "{made}");
    let shown = hotdesk.run(&["user", "show", "102"]).unwrap();
    assert!(shown.contains("PIN               set 20"), "{shown}");
}
