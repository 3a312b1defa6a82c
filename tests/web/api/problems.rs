//! What goes wrong is said as problem+json, whatever it is.

use super::{furnished, problem};

#[test]
fn every_refusal_is_a_problem() {
    let (_hotdesk, mut program) = furnished("administrator");
    let json = ("content-type", "application/json");
    let long = format!("{{\"user\":\"{}\"}}", "1".repeat(70_000));
    for (method, path, headers, body, status, slug) in [
        ("GET", "/api", &[][..], "", 404, "missing"),
        ("GET", "/api/v2/users", &[], "", 404, "missing"),
        ("GET", "/nothing", &[], "", 404, "missing"),
        ("GET", "/users/999", &[], "", 404, "missing"),
        ("GET", "/users/12a", &[], "", 404, "missing"),
        ("GET", "/users/%ff", &[], "", 404, "missing"),
        ("POST", "/users", &[], "", 405, "method"),
        ("TRACE", "/users", &[], "", 405, "method"),
        ("POST", "/api/v1/openapi.json", &[], "", 405, "method"),
        ("GET", "/users", &[("host", "evil.example")], "", 421, "wrong-host"),
        ("PUT", "/sessions/desk1", &[], "{", 400, "unreadable"),
        ("PUT", "/sessions/desk1", &[], "[]", 400, "unreadable"),
        ("PUT", "/sessions/desk1", &[json], "", 400, "unreadable"),
        ("PUT", "/sessions/desk1", &[("content-type", "text/plain")], "{}", 415, "media-type"),
        ("PUT", "/sessions/desk1", &[], &long, 413, "too-large"),
        ("PUT", "/sessions/desk1", &[], "{}", 422, "invalid"),
        ("PUT", "/sessions/desk9", &[], "{\"user\":\"101\"}", 404, "missing"),
        ("PUT", "/sessions/desk1", &[], "{\"user\":\"999\"}", 422, "invalid"),
        ("GET", "/sessions/desk1", &[], "", 404, "missing"),
        ("GET", "/users?limit=0", &[], "", 422, "invalid"),
        ("GET", "/users?limit=501", &[], "", 422, "invalid"),
        ("GET", "/users?limit=x", &[], "", 422, "invalid"),
        ("GET", "/users?most=1", &[], "", 422, "invalid"),
        ("GET", "/users?after=zz", &[], "", 422, "invalid"),
        ("GET", "/journal?user=x", &[], "", 422, "invalid"),
        ("PUT", "/users/101", &[], "{}", 428, "precondition-required"),
        ("PATCH", "/users/101", &[], "{}", 428, "precondition-required"),
        ("DELETE", "/users/101", &[], "", 428, "precondition-required"),
        ("DELETE", "/users/101", &[("if-match", "\"0\"")], "", 412, "stale"),
        ("PUT", "/users/101", &[("if-none-match", "*")], "{}", 412, "stale"),
        ("PUT", "/users/999", &[("if-match", "*")], "{}", 412, "stale"),
        ("DELETE", "/locations/ams", &[("if-match", "*")], "", 409, "in-use"),
        ("POST", "/switches/nothing/compare", &[], "", 404, "missing"),
        ("DELETE", "/lockouts/users/999", &[], "", 404, "missing"),
        ("DELETE", "/lockouts/devices/desk9", &[], "", 404, "missing"),
    ] {
        let answer = program.send(method, path, headers, body);
        let said = problem(&answer, status, slug);
        assert!(!said.to_string().contains("evil.example"), "{said}");
        if status == 405 {
            assert!(answer.header("allow").is_some_and(|allow| allow.contains("GET")), "{path}: {answer:?}");
        }
    }
    let refused = problem(&program.send("DELETE", "/locations/ams", &[("if-match", "*")], ""), 409, "in-use");
    assert_eq!(refused["reason"], "location-in-use");
}
