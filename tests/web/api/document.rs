//! The document of the API: it has the routes that are served, and describes what they answer.

use std::collections::BTreeSet;

use hotdesk::web::{Access, document, routes};

use super::{furnished, json};

#[test]
fn the_document_has_the_routes_that_are_served_and_no_other() {
    let document = document();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1."));
    let paths = document["paths"].as_object().unwrap();
    let operations = paths.iter().flat_map(|(path, item)| {
        item.as_object().unwrap().keys().map(move |method| format!("{} {path}", method.to_uppercase()))
    });
    let documented: BTreeSet<String> = operations.collect();
    let served = routes().into_iter().filter(|route| route.path.starts_with("/api/"));
    let served: BTreeSet<String> = served.map(|route| format!("{} {}", route.method, route.path)).collect();
    assert!(served.len() > 30);
    assert_eq!(documented, served);
    let mut named = BTreeSet::new();
    for route in routes().into_iter().filter(|route| route.path.starts_with("/api/")) {
        let operation = &document["paths"][route.path][route.method.as_str().to_lowercase()];
        let protected = operation["security"].is_array();
        assert_eq!(protected, matches!(route.access, Access::Role(_)), "{operation}");
        let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
        let in_path = parameters.iter().filter(|parameter| parameter["in"] == "path").count();
        assert_eq!(in_path, route.path.matches('{').count(), "{}", route.path);
        let ids: Vec<&str> = parameters.iter().filter_map(|parameter| parameter["name"].as_str()).collect();
        assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "{ids:?}");
        assert!(operation["summary"].is_string(), "{operation}");
        let id = operation["operationId"].as_str().unwrap().to_owned();
        assert!(named.insert(id), "{operation}");
    }
    assert!(named.contains("put_users_user") && named.contains("post_switches_switch_compare"), "{named:?}");
}

#[test]
fn everyone_reads_the_document_and_what_is_answered_has_the_fields_that_it_names() {
    let (hotdesk, mut program) = furnished("administrator");
    hotdesk.run(&["login", "101", "desk1"]).unwrap();
    let answer = program.browser.send("GET", "/api/v1/openapi.json", &[], "").unwrap();
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("application/json")));
    let document = json(&answer);
    for (path, schema) in [
        ("/users/101", "User"),
        ("/users/101/settings", "Settings"),
        ("/devices/desk1", "Device"),
        ("/locations/ams", "Location"),
        ("/sessions/desk1", "Session"),
    ] {
        let object = program.object(path).0;
        let named = document["components"]["schemas"][schema]["properties"].as_object();
        let named: BTreeSet<&String> = named.unwrap_or_else(|| panic!("no {schema}")).keys().collect();
        assert_eq!(object.as_object().unwrap().keys().collect::<BTreeSet<_>>(), named, "{schema}");
    }
}
