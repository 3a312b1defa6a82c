//! Users, devices and locations: pages, ETags, PUT, PATCH and DELETE. The names of fields are those of the command line.

use serde_json::{Value, json};

use super::{furnished, pointers, problem};

const NEW: [(&str, &str); 1] = [("if-none-match", "*")];

#[test]
fn objects_are_those_of_the_command_line() {
    let (hotdesk, mut program) = furnished("operator");
    hotdesk
        .run(&["user", "set", "101", "--caller-id", "0205550101", "--dnd", "on", "--groups", "sales"])
        .unwrap();
    hotdesk.run(&["login", "101", "desk1"]).unwrap();
    let printed = |args: &[&str]| {
        serde_json::from_str::<Value>(&hotdesk.run(&[args, &["--json"]].concat()).unwrap()).unwrap()
    };
    for (path, list, show) in [
        ("/users", &["user", "list"][..], &["user", "show", "101"][..]),
        ("/devices", &["device", "list"], &["device", "show", "desk1"]),
        ("/locations", &["location", "list"], &["location", "show", "ams"]),
    ] {
        assert_eq!(super::json(&program.get(path)), printed(list));
        assert_eq!(program.object(&format!("{path}/{}", show[2])).0, printed(show));
    }
    let sessions = super::json(&program.get("/sessions"));
    let mut listed = printed(&["status"]);
    assert_eq!(sessions[0]["revision"], listed[0]["revision"]);
    for field in ["device", "user", "since"] {
        assert_eq!(sessions[0][field], listed[0][field].take(), "{field}");
    }
    assert_eq!(super::json(&program.get("/codes")), printed(&["codes"]));
    assert_eq!(super::json(&program.get("/lockouts")), printed(&["lockout", "list"]));
    let explained = super::json(&program.get("/explain/101"));
    let by_command = printed(&["explain", "101"]);
    assert_eq!((&explained["subject"], &explained["last"]), (&by_command["subject"], &by_command["last"]));
    assert_eq!(
        super::json(&program.get("/explain/desk1?device=true"))["subject"],
        printed(&["explain", "desk1"])["subject"]
    );
    problem(&program.get("/explain/nothing"), 404, "missing");
    let journal = hotdesk.run(&["journal", "--json"]).unwrap();
    let entries: Vec<Value> = journal.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(super::json(&program.get("/journal")), json!(entries));
}

#[test]
fn a_list_comes_in_pages_and_is_searched() {
    let (hotdesk, mut program) = furnished("operator");
    let (mut path, mut seen) = ("/users?limit=2&count=true".to_owned(), vec![]);
    loop {
        let answer = program.get(&path);
        let page = super::json(&answer);
        assert!(page.as_array().unwrap().len() <= 2);
        seen.extend(
            page.as_array().unwrap().iter().map(|user| user["extension"].as_str().unwrap().to_owned()),
        );
        if path.contains("count") {
            assert_eq!(answer.header("total-count"), Some("3"));
        }
        let Some(link) = answer.header("link") else { break };
        path = link.strip_prefix('<').unwrap().split_once(">; rel=\"next\"").unwrap().0.to_owned();
    }
    assert_eq!(seen, ["101", "102", "103"]);
    let found = super::json(&program.get("/users?q=aLiCe"));
    assert_eq!((found.as_array().unwrap().len(), &found[0]["extension"]), (1, &json!("101")));
    assert_eq!(super::json(&program.get("/devices?q=nothing")), json!([]));
    // The journal goes on after a revision, and is filtered.
    let first = program.get("/journal?limit=3");
    assert_eq!(super::json(&first).as_array().unwrap().len(), 3);
    let rest = first.header("link").unwrap().strip_prefix('<').unwrap().split_once('>').unwrap().0.to_owned();
    assert_eq!(super::json(&program.get(&rest))[0]["revision"], 4);
    hotdesk.run(&["login", "101", "desk1"]).unwrap();
    let login = super::json(&program.get("/journal?user=101&kind=sessions_changed"));
    assert_eq!((login.as_array().unwrap().len(), &login[0]["begun"][0]["device"]), (1, &json!("desk1")));
    let both = super::json(&program.get("/journal?device=desk2&kind=sessions_changed"));
    assert_eq!(both, json!([]));
}

#[test]
fn a_user_is_made_replaced_changed_and_removed_and_no_other_change_is_lost() {
    let (hotdesk, mut program) = furnished("administrator");
    let made = program.send("PUT", "/users/200", &NEW, "{\"name\":\"Dora\",\"groups\":{\"sales\":{}}}");
    assert_eq!(made.status, 201, "{}", made.text());
    let (object, tag) = program.object("/users/200");
    assert_eq!((&super::json(&made), made.header("etag")), (&object, Some(tag.as_str())));
    assert_eq!(object["hotdesk"], true);
    // What a GET gave can be sent back, with what cannot be set.
    let same = program.send("PUT", "/users/200", &[("if-match", &tag)], &object.to_string());
    assert_eq!((same.status, same.header("etag")), (200, Some(tag.as_str())), "{}", same.text());
    let patch = [("if-match", tag.as_str()), ("content-type", "application/merge-patch+json")];
    let body = "{\"caller_id\":\"0205550200\",\"groups\":{\"support\":{\"signed_in\":true}},\"auto_logout\":{\"after\":\"12h\"}}";
    let patched = program.send("PATCH", "/users/200", &patch, body);
    assert_eq!(patched.status, 200, "{}", patched.text());
    let now = super::json(&patched);
    assert_eq!(
        now["groups"],
        json!({"sales": {"signed_in": false, "paused": false}, "support": {"signed_in": true, "paused": false}})
    );
    assert_eq!(
        (&now["name"], &now["caller_id"], &now["auto_logout"]["after"]),
        (&json!("Dora"), &json!("0205550200"), &json!("12h"))
    );
    // The tag of before is stale for each of them.
    for (method, body) in [("PUT", "{}"), ("PATCH", "{}"), ("DELETE", "")] {
        problem(&program.send(method, "/users/200", &[("if-match", &tag)], body), 412, "stale");
    }
    let tag = patched.header("etag").unwrap().to_owned();
    let null = program.send("PATCH", "/users/200", &[("if-match", &tag)], "{\"name\":null,\"groups\":null}");
    assert_eq!((&super::json(&null)["name"], &super::json(&null)["groups"]), (&Value::Null, &json!({})));
    // The same fields by the command line make another tag.
    let tag = null.header("etag").unwrap().to_owned();
    hotdesk.run(&["user", "set", "200", "--dnd", "on"]).unwrap();
    problem(&program.send("DELETE", "/users/200", &[("if-match", &tag)], ""), 412, "stale");
    let (_, tag) = program.object("/users/200");
    assert_eq!(program.send("DELETE", "/users/200", &[("if-match", &tag)], "").status, 204);
    assert_eq!(program.get("/users/200").status, 404);
    let journal = hotdesk.run(&["journal"]).unwrap();
    for line in
        ["user 200 added, by crm (key, from 127.0.0.1)", "user 200 removed, by crm (key, from 127.0.0.1)"]
    {
        assert!(journal.contains(line), "{line} is not in {journal}");
    }
}

#[test]
fn all_that_is_wrong_is_said_at_once() {
    let (_hotdesk, mut program) = furnished("administrator");
    let body = json!({
        "extension": "201", "caller_id": "x", "anonymous": "yes", "numbers": ["1", "y"], "forward": {"busy": "z", "late": "1"},
        "auto_logout": {"at": "25:00"}, "recording": "often", "groups": {"a b": {}}, "when_logged_out": "home",
        "devices": ["desk1"], "nickname": "Dora",
    });
    let answer = program.send("PUT", "/users/200", &NEW, &body.to_string());
    assert_eq!(
        pointers(&answer),
        [
            "/anonymous",
            "/caller_id",
            "/when_logged_out",
            "/auto_logout/at",
            "/recording",
            "/numbers/1",
            "/groups/a b",
            "/forward/busy",
            "/forward/late",
            "/extension",
            "/devices",
            "/nickname",
        ]
    );
    assert_eq!(program.get("/users/200").status, 404, "nothing was made");
    let device =
        program.send("PUT", "/devices/d1", &NEW, "{\"kind\":\"lamp\",\"allow_from\":[\"10.0.0.0/8\",\"x\"]}");
    assert_eq!(pointers(&device), ["/switch", "/dial", "/kind", "/allow_from/1"]);
    let place = |program: &mut super::Program, more: Value| {
        let mut body = json!({"switch": "pbx", "dial": "PJSIP/d1", "location": "ams"});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        program.send("PUT", "/devices/d1", &NEW, &body.to_string())
    };
    assert_eq!(pointers(&place(&mut program, json!({"switch": "other"}))), ["/switch"]);
    assert_eq!(pointers(&place(&mut program, json!({"location": "nowhere"}))), ["/location"]);
    assert_eq!(pointers(&place(&mut program, json!({"owner": "999"}))), ["/owner"]);
    let nowhere = problem(&place(&mut program, json!({"location": null})), 409, "refused");
    assert_eq!(nowhere["reason"], "no-emergency-caller-id");
    assert_eq!(place(&mut program, json!({"may_dial": ["100"]})).status, 201);
    let location =
        program.send("PUT", "/locations/ber", &NEW, "{\"emergency_numbers\":[\"x\"],\"zone\":\"Mars\"}");
    assert_eq!(pointers(&location), ["/zone", "/emergency_numbers/0"]);
    assert_eq!(program.send("PUT", "/locations/ber", &NEW, "{\"zone\":\"Europe/Berlin\"}").status, 201);
    let loops = program.send("PUT", "/users/200", &NEW, "{\"forward\":{\"always\":\"112\"}}");
    assert_eq!(problem(&loops, 409, "refused")["reason"], "number-forbidden");
}

#[test]
fn settings_are_changed_one_by_one_and_others_are_kept() {
    let (hotdesk, mut program) = furnished("administrator");
    hotdesk.run(&["user", "set", "101", "--groups", "sales", "--forward-busy", "102"]).unwrap();
    hotdesk.run(&["device", "set", "desk2", "--owner", "101"]).unwrap();
    hotdesk.run(&["login", "101", "desk1"]).unwrap();
    let patch = |program: &mut super::Program, body: Value| {
        program.send("PATCH", "/users/101/settings", &[], &body.to_string())
    };
    let set = json!({
        "do_not_disturb": true, "forward": {"always": "103"}, "groups": {"sales": {"signed_in": true}},
        "rings": {"desk1": false},
    });
    let done = patch(&mut program, set);
    assert_eq!(done.status, 200, "{}", done.text());
    let now = super::json(&done);
    assert_eq!(now, program.object("/users/101/settings").0);
    assert_eq!(now["forward"], json!({"always": "103", "busy": "102"}));
    assert_eq!((&now["do_not_disturb"], &now["rings"]["desk1"]), (&json!(true), &json!(false)));
    assert_eq!(now["groups"]["sales"]["signed_in"], true);
    let wrong = json!({"groups": {"other": {"signed_in": true}}, "rings": {"desk3": true}, "name": "x"});
    assert_eq!(pointers(&patch(&mut program, wrong)), ["/groups", "/rings", "/name"]);
    let loops = problem(&patch(&mut program, json!({"forward": {"busy": "101"}})), 409, "refused");
    assert_eq!(loops["reason"], "number-forbidden");
    assert_eq!(patch(&mut program, json!({"forward": null})).status, 200);
    assert_eq!(program.object("/users/101/settings").0["forward"], json!({}));
    let pins = program.send("PUT", "/users/101/pin", &[], "{\"pin\":\"1234\"}");
    assert_eq!(pointers(&pins), ["/pin"], "it is easy to guess");
}
