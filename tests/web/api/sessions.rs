//! Sessions without a switch that answers: what is kept, refused and waited for.

use serde_json::json;

use super::{furnished, problem};

#[test]
fn a_login_moves_the_user_and_a_logout_can_be_repeated() {
    let (hotdesk, mut program) = furnished("operator");
    let put = program.send("PUT", "/sessions/desk1", &[], "{\"user\":\"101\"}");
    // The switch cannot be reached: it gets it later.
    assert_eq!(put.status, 202, "{}", put.text());
    let done = super::json(&put);
    assert_eq!(
        (&done["begun"], &done["waiting"]),
        (&json!([{"user": "101", "device": "desk1"}]), &json!(["pbx"]))
    );
    let again = program.send("PUT", "/sessions/desk1", &[], "{\"user\":\"101\"}");
    assert_eq!((again.status, &super::json(&again)["begun"]), (200, &json!([])));
    let moved = super::json(&program.send("PUT", "/sessions/desk2", &[], "{\"user\":\"101\"}"));
    assert_eq!(moved["ended"], json!([{"user": "101", "device": "desk1"}]));
    let revision = program.object("/sessions/desk2").0["revision"].as_u64().unwrap();
    let late = program.send("DELETE", &format!("/sessions/desk2?revision={}", revision - 1), &[], "");
    problem(&late, 412, "stale");
    let ended = program.send("DELETE", &format!("/sessions/desk2?revision={revision}"), &[], "");
    assert_eq!(
        (ended.status, &super::json(&ended)["ended"]),
        (202, &json!([{"user": "101", "device": "desk2"}]))
    );
    let none = program.send("DELETE", "/sessions/desk2", &[], "");
    assert_eq!((none.status, &super::json(&none)["ended"]), (200, &json!([])));
    hotdesk.run(&["user", "set", "102", "--no-hotdesk"]).unwrap();
    let refused = program.send("PUT", "/sessions/desk1", &[], "{\"user\":\"102\"}");
    assert_eq!(problem(&refused, 409, "refused")["reason"], "user-forbidden");
    let switches = super::json(&program.get("/switches"));
    assert_eq!((&switches[0]["switch"], switches[0]["state"] != "up"), (&json!("pbx"), true));
    let compared = super::json(&program.send("POST", "/switches/pbx/compare", &[], ""));
    assert_eq!(compared[0]["ok"], json!(null), "{compared}");
}
