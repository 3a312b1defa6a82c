//! Each route with each role, from the table that the console serves.

use hotdesk::model::access::Role;
use hotdesk::web::{Access, routes};

use super::api::Program;
use super::{console, enter};
use crate::harness::browser::Browser;

/// A path as a browser asks for it.
fn sample(path: &str) -> String {
    let parts = path.split('/').map(|part| match part {
        "{tenant}" => "default",
        part if part.starts_with('{') => "x",
        part => part,
    });
    parts.collect::<Vec<_>>().join("/")
}

#[test]
fn each_route_is_for_its_roles_and_for_no_other() {
    let (hotdesk, stranger) = console();
    let mut browsers: Vec<(Option<Role>, Browser)> = vec![(None, stranger)];
    for role in Role::ALL {
        let mut browser = Browser::of(&hotdesk);
        enter(&hotdesk, &mut browser, &format!("the-{role}"), &role.to_string());
        browsers.push((Some(role), browser));
    }
    let all = routes();
    assert!(all.iter().any(|route| route.access == Access::Role(Role::Viewer)));
    for route in &all {
        let path = sample(route.path);
        for (role, browser) in &browsers {
            // Without the token of its form, so that nothing is done.
            let headers =
                [("sec-fetch-site", "same-origin"), ("content-type", "application/x-www-form-urlencoded")];
            let stream = browser.open(route.method.as_str(), &path, &headers, "").unwrap();
            let status = crate::harness::browser::head(&mut { stream }).unwrap().status;
            let (may, what) = match route.access {
                Access::Everyone => (true, "everyone"),
                Access::Role(least) => (role.is_some_and(|role| role >= least), "a role"),
            };
            let program = route.path.starts_with("/api/");
            let turned_away = match (route.method.is_safe() && !program, role) {
                (true, None) => status == 303,
                (false, None) => status == 401,
                (_, Some(_)) => status == 403,
            };
            let expected = match (may, route.access) {
                (false, _) => turned_away,
                (true, Access::Everyone) => true,
                // It names nothing that there is, or does not say what it changes.
                (true, Access::Role(_)) if program => ![401, 403].contains(&status) && status < 500,
                // A form without its token is not read, from any account.
                (true, Access::Role(_)) if !route.method.is_safe() => [400, 403].contains(&status),
                (true, Access::Role(_)) => ![303, 401, 403].contains(&status),
            };
            assert!(expected, "{} {path} for {role:?}, which is for {what}: {status}", route.method);
        }
    }
}

#[test]
fn each_route_of_the_api_is_for_keys_of_its_roles_and_for_no_other() {
    let (hotdesk, _) = console();
    let mut programs: Vec<(Role, Program)> = Role::ALL
        .into_iter()
        .map(|role| (role, Program::new(&hotdesk, &format!("a-{role}"), &role.to_string())))
        .collect();
    for route in routes().into_iter().filter(|route| route.path.starts_with("/api/")) {
        for (role, program) in &mut programs {
            let status = program.send(route.method.as_str(), &sample(route.path), &[], "").status;
            let may = match route.access {
                Access::Everyone => true,
                Access::Role(least) => *role >= least,
            };
            assert_eq!(status == 403, !may, "{} {} for {role}: {status}", route.method, route.path);
            assert!(status != 401 && status < 500, "{} {} for {role}: {status}", route.method, route.path);
        }
    }
}
